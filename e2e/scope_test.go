//go:build linux

package e2e

import (
	"database/sql"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

// fillSeen makes the rows of users who have seen the first popup a minute ago.
func fillSeen(t *testing.T, db *sql.DB, users int) {
	t.Helper()
	now := time.Now().UnixMilli()
	_, err := db.Exec(fmt.Sprintf(`INSERT INTO user_popup (user_id, popup_id, impressions, last_impression_ms, last_shown_ms, acted, last_action, last_action_ms, click_until_ms, next_at_ms, ever)
		SELECT CONCAT('seen', LPAD(seq, 8, '0')), id, 1, %[2]d, %[2]d, 0, 1, %[2]d, 0, %[3]d, 1 FROM popups, seq_0_to_%[1]d`, users-1, now-60_000, now+86_400_000))
	if err != nil {
		t.Fatal(err)
	}
}

// lookUps returns how many requests there were of users who were not held, by what became of
// looking them up.
func (s *server) lookUps(result string) float64 {
	s.t.Helper()
	return s.mustMetric(`popupd_lookups_total{result="` + result + `"}`)
}

// TestHashedScope: a server that holds only those who poll there asks the database of others.
// While that is away or slow, those whom it holds are served, and others get nothing.
func TestHashedScope(t *testing.T) {
	st := startStores(t)
	d := newDeployment(t, st, "hashed", "-state-scope", "hashed")
	a := d.server()
	a.create("one", `{}`)
	fillSeen(t, d.db, 20_000)
	a.configure(`{"caps":[{"key":"day","max":2,"per_sec":86400}]}`)
	mysql := startProxy(t, st.mysql.Addr, nil)
	b := start(t, append(d.flags, "-mysql", strings.Replace(d.flags[1], st.mysql.Addr, mysql.addr, 1))...)
	if entries := b.mustMetric("popupd_state_entries"); entries != 0 {
		t.Errorf("a start reads the states of %v users", entries)
	}
	eventually(t, 5*time.Second, func() error { return b.wantsPopup("first") })

	// Users come from a to b, before and after what a has shown them is committed.
	for n := range 50 {
		if user := fmt.Sprint("moves", n); a.mustAsk(user) == nil {
			t.Fatal("nothing to show")
		}
	}
	time.Sleep(unshipped)
	for n := range 50 {
		if p := b.mustAsk(fmt.Sprint("moves", n)); p != nil {
			t.Fatalf("user %d, who has moved, sees %s again", n, p.Popup.Key)
		}
	}
	for n := range 100 {
		if p := b.mustAsk(seenUser(n)); p != nil {
			t.Fatalf("user %d sees %s again, which is only in the database", n, p.Popup.Key)
		}
	}
	if held, looked := b.mustMetric("popupd_users_held"), b.lookUps("held"); held != 151 || looked != 151 {
		t.Errorf("%v users are held, %v were looked up; want 151", held, looked)
	}
	b.mustAsk(seenUser(1))
	if n := b.lookUps("held"); n != 151 {
		t.Errorf("who is held is looked up again: %v look-ups", n)
	}

	// The control plane looks up, too.
	if n := b.states(seenUser(777)); n != 1 {
		t.Errorf("%d states of a user whom the server did not hold", n)
	}
	var explained struct{ Reason string }
	if status := b.admin("POST", "/v1/admin/explain", `{"uid":"`+seenUser(778)+`"}`, "", &explained); status != http.StatusOK || explained.Reason != "cooldown_impression" {
		t.Errorf("explain: %d, %q", status, explained.Reason)
	}

	for what, weather := range map[string]conditions{"away": {down: true}, "slow": {latency: 300 * time.Millisecond}, "hanging": {blackHole: true}} {
		mysql.set(weather)
		before := b.mustMetric(`popupd_decisions_total{outcome="unknown"}`)
		for n := range 20 {
			begin := time.Now()
			status, body, err := b.get(b.dataURL + "/v1/poll?uid=" + what + fmt.Sprint(n))
			if err != nil || status != http.StatusNoContent || time.Since(begin) > 2*time.Second {
				t.Errorf("%s: a user who is not held: %d %s, %v, after %v; want 204 soon", what, status, body, err, time.Since(begin))
			}
			if p := b.mustAsk(fmt.Sprint("moves", n)); p != nil {
				t.Errorf("%s: who is held sees %s again", what, p.Popup.Key)
			}
		}
		if n := b.mustMetric(`popupd_decisions_total{outcome="unknown"}`) - before; n != 20 {
			t.Errorf("%s: %v polls are counted as unknown, want 20", what, n)
		}
		mysql.set(conditions{})
		eventually(t, 10*time.Second, func() error { return b.wantsPopup(what + "0") })
	}
	for result, least := range map[string]float64{"late": 1, "rejected": 1} {
		if n := b.lookUps(result); n < least {
			t.Errorf("%v look-ups are %s, want some", n, result)
		}
	}
}

// TestClusterScope: servers that hold only those who poll there are ended, added and killed.
// Users who come to another server then see nothing again.
func TestClusterScope(t *testing.T) {
	needsCluster(t)
	c := newCluster(t, "haproxy", 3, "-state-scope", "hashed")
	c.run("haproxy, hashed", []step{
		{"three restarted in turn, by SIGTERM", c.restartAll},
		{"one away for some seconds, by SIGTERM", c.drainOne},
		{"one added, by a reload", c.add},
		{"one killed, and back after some seconds", c.killOne},
	})
	looked, unknown := 0.0, 0.0
	for _, s := range c.servers {
		looked += s.lookUps("held")
		unknown += s.mustMetric(`popupd_decisions_total{outcome="unknown"}`)
		t.Logf("%v users held, %v states, %v users looked up, %v polls answered without", s.mustMetric("popupd_users_held"),
			s.mustMetric("popupd_state_entries"), s.lookUps("held"), s.mustMetric(`popupd_decisions_total{outcome="unknown"}`))
	}
	if looked == 0 || unknown > looked/20 {
		t.Errorf("%v users were looked up, of %v polls that took too long; want at most 1 of 20", looked, unknown)
	}
}

// TestClusterScopeMoves: users whom a balancer sends anywhere, as none should, see nothing twice
// that was shown to them so long ago that all servers have heard of it, also while servers of
// both scopes work side by side, and change it.
func TestClusterScopeMoves(t *testing.T) {
	needsCluster(t)
	st := startStores(t)
	d := newDeployment(t, st, "moves")
	servers := []*server{d.server("-state-scope", "hashed"), d.server("-state-scope", "hashed"), d.server()}
	servers[0].create("one", `{}`)
	fillSeen(t, d.db, 50_000)
	for _, s := range servers {
		eventually(t, 5*time.Second, func() error { return s.wantsPopup(fmt.Sprint("first", s.Address)) })
	}
	const users = 2000
	poll := func(round string, n, user int, wants bool) {
		t.Helper()
		s := servers[(n+user)%len(servers)]
		if p := s.mustAsk(fmt.Sprint("user", user)); (p != nil) != wants {
			t.Fatalf("%s: user %d is shown %v by server %d, want a popup: %v", round, user, p, (n+user)%len(servers), wants)
		}
	}
	for user := range users {
		poll("first", 0, user, true)
	}
	time.Sleep(unshipped)
	for n := range 3 {
		for user := range users {
			poll("later", n+1, user, false)
		}
	}
	for i, flags := range [][]string{{"-state-scope", "all"}, {"-state-scope", "hashed"}, {"-state-scope", "hashed"}} {
		servers[i].Flags = append(servers[i].Flags, flags...) // the last one counts
		if i == 1 {
			servers[i].Kill()
		} else {
			servers[i].stop()
		}
		servers[i].restart()
		for user := range users {
			poll("after a restart with another scope", i, user, false)
		}
		for n := range 500 {
			if p := servers[i].mustAsk(seenUser(n * 97)); p != nil {
				t.Fatalf("user %d of the database sees %s", n*97, p.Popup.Key)
			}
		}
	}
	for _, s := range servers {
		s.waitDrained()
	}
	d.wantRows("impressions", users+len(servers), "SELECT COUNT(*) FROM impression")
	if err := checkInvariants(d.db, stateInvariant); err != nil { // the rows that were filled in have no events
		t.Error(err)
	}
}

// wantsPopup polls and returns an error if there is no popup.
func (s *server) wantsPopup(user string) error {
	p, err := s.ask(user)
	if err == nil && p == nil {
		err = fmt.Errorf("%s is shown nothing", user)
	}
	return err
}
