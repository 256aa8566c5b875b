//go:build linux

package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestMigrating runs the file and the statements of docs/migrating.md as the page has them, and
// looks who is shown what then.
func TestMigrating(t *testing.T) {
	t.Parallel()
	const page = "../docs/migrating.md"
	st := startStores(t)
	d := newDeployment(t, st, "migrating")
	st.mysql.CreateDatabase(t, "migrating_shop")
	sql := func(begin string) string {
		t.Helper()
		return strings.NewReplacer("popupd.", "migrating.", "shop.", "migrating_shop.").Replace(block(t, page, "sql", begin))
	}
	run := func(statement string) {
		t.Helper()
		if _, err := d.db.Exec(statement); err != nil {
			t.Fatalf("%v\n%s", err, statement)
		}
	}
	s := d.server()
	env := []string{"POPUPD_SERVER=" + s.adminURL, "POPUPD_TOKEN=" + adminToken}
	file := filepath.Join(t.TempDir(), "popups.yaml")
	apply := func(text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if code, _, stderr := call(t, env, "popups", "apply", "-f", file); code != 0 {
			t.Fatalf("apply: %d, %s", code, stderr)
		}
	}
	popups := block(t, page, "yaml", "# popups.yaml")
	apply(popups)

	run(sql("CREATE TABLE"))
	for _, r := range []struct {
		user, status string
		ago          time.Duration
	}{
		{"clicked", "clicked", 29 * 24 * time.Hour},
		{"clicked-long-ago", "clicked", 31 * 24 * time.Hour},
		{"closed", "closed", 6 * 24 * time.Hour},
		{"closed-long-ago", "closed", 8 * 24 * time.Hour},
		{"shown", "shown", 23 * time.Hour},
		{"shown-long-ago", "shown", 25 * time.Hour},
		{"clicked-then-shown", "clicked", 20 * 24 * time.Hour},
		{"clicked-then-shown", "shown", 2 * 24 * time.Hour},
	} {
		at := time.Now().UTC().Add(-r.ago).Format(time.DateTime)
		run(fmt.Sprintf("INSERT INTO migrating_shop.popup_record VALUES ('%s', 17, '%s', '%s', '%s')", r.user, r.status, at, at))
	}
	insert := sql("INSERT INTO popupd.user_popup")
	takeOver := func() {
		t.Helper()
		s.stop()
		run(insert)
		for _, dump := range []string{"state", "state.1"} {
			if err := os.Remove(filepath.Join(s.Data, dump)); err != nil && !os.IsNotExist(err) {
				t.Fatal(err)
			}
		}
		s.restart()
		env[0] = "POPUPD_SERVER=" + s.adminURL
	}
	takeOver()
	at := time.Now().UTC().Format(time.DateTime)
	run(fmt.Sprintf("INSERT INTO migrating_shop.popup_record VALUES ('shown-meanwhile', 17, 'shown', '%s', '%s')", at, at))
	takeOver()
	if log := s.Log(); !strings.Contains(log, `"read":"all`) {
		t.Errorf("not all states are read:\n%s", tail(log, 2000))
	}
	shown := func(user string) bool {
		t.Helper()
		p, err := s.ask(user, "placement=home")
		if err != nil {
			t.Fatal(err)
		}
		return p != nil
	}
	if shown("new") {
		t.Error("a popup that is paused is shown")
	}

	apply(strings.Replace(popups, "status: paused", "status: active", 1))
	for user, want := range map[string]bool{
		"clicked": false, "closed": false, "shown": false, "shown-meanwhile": false, "clicked-then-shown": false,
		"clicked-long-ago": true, "closed-long-ago": true, "shown-long-ago": true, "new": true,
	} {
		if got := shown(user); got != want {
			t.Errorf("%s is shown the popup: %v, want %v", user, got, want)
		}
	}
	s.waitDrained()
	d.wantRows("impressions of a user who is known", 2, "SELECT impressions FROM user_popup WHERE user_id = 'shown-long-ago'")
	d.wantRows("users who see it for the first time", 1, "SELECT SUM(users) FROM popup_stats")
	if code, out, stderr := call(t, env, "explain", "-uid", "clicked", "-placement", "home"); code != 0 || !strings.Contains(out, "cooldown_click") {
		t.Errorf("explain: %d, %s%s", code, out, stderr)
	}
}
