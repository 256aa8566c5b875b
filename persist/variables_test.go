package persist

import (
	"strings"
	"testing"

	"github.com/popupd/popupd/internal/storetest"
)

func TestVariables(t *testing.T) {
	dsn := storetest.MySQL(t)
	global, session, err := Variables(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	if got := global["innodb_flush_log_at_trx_commit"]; got != "1" {
		t.Errorf("global innodb_flush_log_at_trx_commit = %q, want 1", got)
	}
	if got := session["sql_mode"]; !strings.Contains(got, "STRICT_ALL_TABLES") {
		t.Errorf("session sql_mode = %q, want what the store asks for", got)
	}
	if got := session["innodb_lock_wait_timeout"]; got != "10" {
		t.Errorf("session innodb_lock_wait_timeout = %q, want 10", got)
	}
}

func TestVariablesHidesPassword(t *testing.T) {
	for _, dsn := range []string{"root:hunter2@tcp(127.0.0.1:1)/x", "root:hunter2@@@/", "root:hunter2@tcp(127.0.0.1:1)/"} {
		if _, _, err := Variables(t.Context(), dsn); err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("error %v, want one without the password", err)
		}
	}
}
