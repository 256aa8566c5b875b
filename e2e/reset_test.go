//go:build linux

package e2e

import (
	"net/http"
	"testing"
)

// TestResetIsFinal: what was done with what a user saw before a reset, whenever it is
// reported and to whichever server, counts for nothing and brings nothing of the user back.
func TestResetIsFinal(t *testing.T) {
	t.Parallel()
	st := startStores(t)
	const month = `{"after_click_sec":2592000}`
	for _, c := range []struct {
		name string // also of the database
		run  func(d *deployment)
	}{
		{"late_actions", func(d *deployment) {
			a, b := d.server(), d.server()
			a.create("one", month)
			before := a.mustShow("u", "one")
			b.waitStates("u", 1)
			a.waitDrained() // who is committed after the reset is no user
			a.mustForget("u")
			b.waitStates("u", 0)
			void := func(servers ...*server) {
				d.t.Helper()
				for _, s := range servers {
					for _, action := range []string{"click", "dismiss", "convert", "view", "release"} {
						s.mustAct(before.Token, action, http.StatusGone)
					}
				}
			}
			void(a, b)
			a.waitDrained()
			d.wantRows("states", 0, "SELECT COUNT(*) FROM user_popup")
			d.wantRows("impressions", 0, "SELECT COUNT(*) FROM impression")
			a.Kill()
			a.restart()
			b.stop()
			b.restart()
			void(a, b)
			d.restartEmpty(a) // the database knows of the reset, too
			void(a, b)
			after := a.mustShow("u", "one")
			b.waitStates("u", 1)
			b.mustAct(after.Token, "click", accepted)
			a.wantTotals("one", totals{Impressions: 2, Users: 2, Clicks: 1, ClickUsers: 1, CTR: 0.5}, b)
		}},
		{"a_server_that_does_not_hear_of_it", func(d *deployment) {
			a, deaf := d.server(), d.server("-redis-prefix", "deaf")
			a.create("one", month)
			clicked, seen := a.mustShow("clicks", "one"), a.mustShow("sees", "one")
			a.mustAct(clicked.Token, "click", accepted)
			a.waitDrained()
			a.mustForget("clicks")
			a.mustForget("sees")
			a.waitDrained()
			for _, token := range []string{clicked.Token, seen.Token} {
				deaf.mustAct(token, "dismiss", accepted)
				deaf.mustAct(token, "click", accepted)
			}
			a.waitDrained()
			deaf.waitDrained()
			d.wantRows("states", 0, "SELECT COUNT(*) FROM user_popup")
			d.wantRows("impressions", 0, "SELECT COUNT(*) FROM impression")
			d.wantRows("late actions", 4, "SELECT COUNT(*) FROM event WHERE action IN (2, 3) AND user_id = '' AND repeated = 1")
			d.wantRows("clicks", 1, "SELECT SUM(clicks) FROM popup_stats")
			d.wantRows("dismisses", 0, "SELECT SUM(dismisses) FROM popup_stats")
			d.restartEmpty(deaf)
			for _, s := range []*server{a, deaf} {
				s.mustAct(clicked.Token, "click", http.StatusGone)
			}
			a.mustShow("clicks", "one")
			deaf.mustShow("sees", "one")
		}},
		{"again", func(d *deployment) {
			s := d.server()
			s.create("one", month)
			var tokens []string
			for range 3 {
				tokens = append(tokens, s.mustShow("u", "one").Token)
				s.mustForget("u")
				for _, token := range tokens {
					s.mustAct(token, "click", http.StatusGone)
				}
			}
			s.Kill()
			s.restart()
			for _, token := range tokens {
				s.mustAct(token, "click", http.StatusGone)
			}
			s.waitDrained()
			d.wantRows("states", 0, "SELECT COUNT(*) FROM user_popup")
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			d := newDeployment(t, st, c.name)
			c.run(d)
			if err := checkInvariants(d.db, stateInvariant); err != nil {
				t.Error(err)
			}
		})
	}
}
