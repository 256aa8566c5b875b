//go:build linux

package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/popupd/popupd/internal/storetest"
)

// TestPrivileges: the privileges that docs/operations.md names are enough, for the
// first start and for what comes after it.
func TestPrivileges(t *testing.T) {
	mysql := storetest.StartMySQL(t)
	dsn := strings.Replace(mysql.CreateDatabase(t, "popupd"), "root@", "popupd:hunter2@", 1)
	query := func(statement string) {
		t.Helper()
		if _, err := mysql.Query(statement); err != nil {
			t.Fatal(err)
		}
	}
	query("CREATE USER popupd@127.0.0.1 IDENTIFIED BY 'hunter2'")
	query("GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, ALTER ON popupd.* TO popupd@127.0.0.1")
	s := start(t, "-mysql", dsn)
	s.create("p", `{"after_impression_sec":60}`)
	s.stop()
	query("REVOKE CREATE, ALTER ON popupd.* FROM popupd@127.0.0.1")
	s.restart()
	p := s.mustAsk("u")
	if p == nil {
		t.Fatal("no popup")
	}
	s.mustAct(p.Token, "click", 202)
	if status := s.admin("DELETE", "/v1/admin/users/someone", "", "", nil); status/100 != 2 {
		t.Errorf("erase: %d", status)
	}
	eventually(t, 10*time.Second, func() error {
		n, err := mysql.Query("SELECT COUNT(*) FROM popupd.event")
		if err == nil && n != "3" {
			err = fmt.Errorf("%s events, want an impression, a click and a reset", n)
		}
		return err
	})
	if log := s.Log(); strings.Contains(log, "denied") {
		t.Errorf("something is denied:\n%s", log)
	}
}
