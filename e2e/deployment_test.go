//go:build linux

package e2e

import (
	"database/sql"
	"fmt"
	"net/http"
	"os"
	"slices"
	"testing"
	"time"
)

// deployment is the servers of one database and one secret, beside other deployments
// on the same stores.
type deployment struct {
	t     *testing.T
	db    *sql.DB // straight to MariaDB
	flags []string
}

func newDeployment(t *testing.T, st stores, name string, flags ...string) *deployment {
	t.Helper()
	dsn := st.mysql.CreateDatabase(t, name)
	flags = append([]string{"-mysql", dsn, "-redis", st.redis.URL(), "-redis-prefix", name, "-secret", "of all servers"}, flags...)
	return &deployment{t: t, db: openDB(t, dsn), flags: flags}
}

// server starts another server.
func (d *deployment) server(flags ...string) *server {
	d.t.Helper()
	return start(d.t, append(slices.Clone(d.flags), flags...)...)
}

// wantRows fails the test unless a query of one number gives it.
func (d *deployment) wantRows(what string, want int, query string, args ...any) {
	d.t.Helper()
	if n, err := queryInt(d.db, query, args...); err != nil || n != want {
		d.t.Errorf("%s: %d, %v; want %d", what, n, err, want)
	}
}

// restartEmpty starts a server again without its data directory: it knows what it
// restores from the database, which these statements have changed.
func (d *deployment) restartEmpty(s *server, changes ...string) {
	d.t.Helper()
	s.waitDrained()
	s.stop()
	for _, change := range changes {
		if _, err := d.db.Exec(change); err != nil {
			d.t.Fatal(err)
		}
	}
	if err := os.RemoveAll(s.Data); err != nil {
		d.t.Fatal(err)
	}
	s.restart()
}

// aMonthAgo makes all users' waits and impressions older than what servers restore,
// so that they know nothing of them, as after a sweep.
const aMonthAgo = `UPDATE user_popup SET last_impression_ms = last_impression_ms - 2592000000, last_shown_ms = GREATEST(0, last_shown_ms - 2592000000),
	last_action_ms = last_action_ms - 2592000000, click_until_ms = GREATEST(0, click_until_ms - 2592000000), next_at_ms = GREATEST(0, next_at_ms - 2592000000)`

// post creates a popup from its JSON.
func (s *server) post(body string) {
	s.t.Helper()
	if status := s.admin("POST", "/v1/admin/popups", body, "", nil); status != http.StatusCreated {
		s.t.Fatalf("create: %d", status)
	}
}

// reload has the server read the popups that others have changed.
func (s *server) reload() {
	s.t.Helper()
	if status := s.admin("POST", "/v1/admin/reload", "", "", nil); status != http.StatusOK && status != http.StatusNoContent {
		s.t.Fatalf("reload: %d", status)
	}
}

// put replaces a popup.
func (s *server) put(key, body string) {
	s.t.Helper()
	if status := s.admin("PUT", "/v1/admin/popups/"+key, body, s.etag(key), nil); status != http.StatusOK {
		s.t.Fatalf("replace %s: %d", key, status)
	}
}

// archive ends a popup's life.
func (s *server) archive(key string) {
	s.t.Helper()
	if status := s.admin("DELETE", "/v1/admin/popups/"+key, "", s.etag(key), nil); status != http.StatusOK {
		s.t.Fatalf("archive %s: %d", key, status)
	}
}

func (s *server) etag(key string) string {
	s.t.Helper()
	var p struct{ Version int }
	if status := s.admin("GET", "/v1/admin/popups/"+key, "", "", &p); status != http.StatusOK {
		s.t.Fatalf("get %s: %d", key, status)
	}
	return fmt.Sprintf("%q", fmt.Sprint(p.Version))
}

// states returns how many popups the server remembers something of, of a user.
func (s *server) states(user string) int {
	s.t.Helper()
	var answer struct{ States []struct{ Popup string } }
	if status := s.admin("GET", "/v1/admin/users/"+user, "", "", &answer); status != http.StatusOK {
		s.t.Fatalf("user %s: %d", user, status)
	}
	return len(answer.States)
}

// waitStates waits until the server remembers something of n popups of a user.
func (s *server) waitStates(user string, n int) {
	s.t.Helper()
	eventually(s.t, 10*time.Second, func() error {
		if got := s.states(user); got != n {
			return fmt.Errorf("%d states of %s are known, want %d", got, user, n)
		}
		return nil
	})
}

// mustShow is ask where it ends the test that nothing is shown, or another popup.
func (s *server) mustShow(user, key string, more ...string) *pollAnswer {
	s.t.Helper()
	p, err := s.ask(user, more...)
	if err != nil || p == nil || p.Popup.Key != key {
		s.t.Fatalf("%s is shown %+v, %v; want %s", user, p, err, key)
	}
	return p
}

// staysAway polls for so long, and once at least, and fails the test if the user is
// shown anything.
func (s *server) staysAway(user string, long time.Duration, more ...string) {
	s.t.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for begun := time.Now(); ; <-tick.C {
		switch p, err := s.ask(user, more...); {
		case err != nil:
			s.t.Fatal(err)
		case p != nil:
			s.t.Errorf("%s is shown %s", user, p.Popup.Key)
			return
		}
		if time.Since(begun) >= long {
			return
		}
	}
}

// totals are a popup's statistics of the last seven days.
type totals struct {
	Impressions, Users, Clicks, Dismisses, Converts, Controls, Views, Releases int

	ClickUsers   int `json:"click_users"`
	ConvertUsers int `json:"convert_users"`
	ControlUsers int `json:"control_users"`
	CTR          float64
}

// wantTotals waits until all that the servers acknowledged is committed, and fails
// the test unless a popup's statistics are these.
func (s *server) wantTotals(key string, want totals, others ...*server) {
	s.t.Helper()
	for _, o := range append(others, s) {
		o.waitDrained()
	}
	var got struct{ Totals totals }
	if status := s.admin("GET", "/v1/admin/popups/"+key+"/stats", "", "", &got); status != http.StatusOK {
		s.t.Fatalf("statistics of %s: %d", key, status)
	}
	if got.Totals != want {
		s.t.Errorf("statistics of %s:\n got %+v\nwant %+v", key, got.Totals, want)
	}
}
