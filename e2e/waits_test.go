//go:build linux

package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// TestWaits: when a popup returns follows from what the user saw and did, of
// whatever impression, popup and server, and survives whatever the server forgets.
func TestWaits(t *testing.T) {
	t.Parallel()
	st := startStores(t)
	const gap = "-min-gap=1h"
	for _, c := range []struct {
		name  string // also of the database
		flags []string
		run   func(d *deployment)
	}{
		{"gap_after_an_archived_popup", []string{gap}, func(d *deployment) {
			s := d.server()
			s.post(`{"key":"one","status":"active","priority":2,"variants":[{"key":"a","content":{}}]}`)
			s.create("two", "{}")
			s.mustShow("u", "one")
			s.archive("one")
			d.staysAwayOverRestarts(s, "u")
			s.mustShow("another", "two")
		}},
		{"explained", nil, explained},
		{"gap_beside_a_control", []string{gap}, func(d *deployment) {
			s := d.server()
			frequency := `{"after_impression_sec":0,"ignore_min_gap":true}`
			s.post(split("one", frequency, 100, 0))
			s.create("two", "{}")
			s.mustShow("u", "one")
			s.put("one", split("one", frequency, 0, 100))
			d.staysAwayOverRestarts(s, "u")
			s.mustShow("another", "two") // "one" is a control for all, which does not hold anything up
		}},
		{"gap_of_the_settings", nil, func(d *deployment) {
			s := d.server()
			s.create("one", `{"after_impression_sec":-1}`)
			s.mustShow("u", "one")
			s.create("two", "{}")
			s.configure(`{"min_gap_sec":3600}`)
			d.staysAwayOverRestarts(s, "u")
			s.configure(`{}`)
			s.mustShow("u", "two")
		}},
		{"caps", nil, func(d *deployment) {
			s := d.server()
			s.create("one", `{"after_impression_sec":-1}`)
			s.create("two", `{"after_impression_sec":0}`)
			s.configure(`{"caps":[{"key":"daily","max":2,"per_sec":86400}]}`)
			s.mustShow("u", "one")
			s.mustShow("u", "two")
			d.staysAwayOverRestarts(s, "u")
			s.configure(`{"caps":[{"key":"daily","max":3,"per_sec":86400}]}`)
			p := s.mustShow("u", "two")
			s.staysAway("u", sweeps)
			s.mustAct(p.Token, "release", accepted)
			s.mustShow("u", "two")
			s.staysAway("u", sweeps)
		}},
		{"never_outlasts_other_actions", nil, func(d *deployment) {
			a, b := d.server(), d.server()
			for key, frequency := range map[string]string{
				"dismissed": `{"after_impression_sec":0,"after_click_sec":0,"after_dismiss_sec":-1}`,
				"clicked":   `{"after_impression_sec":0,"after_click_sec":-1,"after_dismiss_sec":0}`,
			} {
				a.post(fmt.Sprintf(`{"key":%q,"status":"active","frequency":%s,"targeting":{"all":[{"attr":"uid","op":"prefix","value":%q}]},"variants":[{"key":"a","content":{}}]}`, key, frequency, key))
			}
			b.reload() // an action on a popup that it does not know asks for no wait
			var users []string
			for _, actions := range [][]string{
				{"dismissed", "dismiss", "click"}, {"dismissed", "dismiss", "convert"}, {"dismissed", "click", "dismiss"}, {"dismissed", "click", "convert", "dismiss", "click"},
				{"clicked", "click", "dismiss"}, {"clicked", "dismiss", "convert"}, {"clicked", "convert", "dismiss"},
			} {
				for i, servers := range [][]*server{{a, a}, {a, b}, {b, a}} {
					user := fmt.Sprintf("%s-%d", strings.Join(actions, "-"), i)
					p := a.mustShow(user, actions[0])
					for n, action := range actions[1:] {
						servers[n%2].mustAct(p.Token, action, accepted)
					}
					users = append(users, user)
				}
			}
			for from, to := range map[*server]*server{a: b, b: a} { // what one does the other hears in order
				user := fmt.Sprint("clicked-marker-", from.dataURL[len("http://"):])
				from.mustShow(user, "clicked")
				to.waitStates(user, 1)
			}
			stay := func() {
				d.t.Helper()
				for _, user := range users {
					a.staysAway(user, 0)
					b.staysAway(user, 0)
				}
			}
			stay()
			b.waitDrained() // a server that starts knows of others what is committed
			a.Kill()
			a.restart()
			a.waitDrained()
			d.restartEmpty(b)
			stay()
		}},
		{"no_wait_is_at_once", nil, func(d *deployment) {
			s := d.server()
			s.create("one", noWaits)
			tokens := map[string]bool{}
			for range 8 { // in milliseconds
				p := s.mustShow("u", "one")
				s.mustAct(p.Token, "click", accepted)
				tokens[p.Token] = true
			}
			if len(tokens) != 8 {
				d.t.Errorf("8 impressions have %d tokens", len(tokens))
			}
			s.wantTotals("one", totals{Impressions: 8, Users: 1, Clicks: 8, ClickUsers: 1, CTR: 1})
		}},
		{"a_clock_that_was_at_2040", []string{"-min-gap=1s"}, func(d *deployment) {
			s := d.server()
			s.post(`{"key":"one","status":"active","priority":2,"frequency":{"after_impression_sec":1},"variants":[{"key":"a","content":{}}]}`)
			s.create("two", "{}")
			s.mustShow("u", "one")
			// As a server whose clock was there would have written it.
			d.restartEmpty(s, `UPDATE user_popup SET last_impression_ms = 2208988800000, last_shown_ms = last_impression_ms,
				last_action_ms = last_impression_ms, next_at_ms = last_impression_ms + 1000`)
			began := time.Now()
			for range 2 { // the wait, then the gap
				eventually(d.t, 4*time.Second, func() error {
					if s.mustAsk("u") == nil {
						return fmt.Errorf("nothing is shown")
					}
					return nil
				})
			}
			s.waitDrained()
			d.wantRows("events of the future", 0, "SELECT COUNT(*) FROM event WHERE at_ms > ?", time.Now().Add(time.Minute).UnixMilli())
			if took := time.Since(began); took < 900*time.Millisecond {
				d.t.Errorf("both were shown within %v: the gap is not kept", took)
			}
		}},
		{"a_cap_that_was_off_for_a_while", nil, func(d *deployment) {
			s := d.server()
			body := func(most int) string {
				return fmt.Sprintf(`{"key":"one","status":"active","frequency":{"after_impression_sec":0,"max_impressions":%d},"variants":[{"key":"a","content":{}}]}`, most)
			}
			s.post(body(1))
			s.mustShow("u", "one")
			s.staysAway("u", 0)
			s.put("one", body(0))
			d.restartEmpty(s, aMonthAgo)
			s.put("one", body(1))
			s.waitStates("u", 1)
			s.staysAway("u", 300*time.Millisecond)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			d := newDeployment(t, st, c.name, c.flags...)
			c.run(d)
			if err := checkInvariants(d.db, stateInvariant); err != nil { // some rows were made older or newer
				t.Error(err)
			}
		})
	}
}

// sweeps is longer than a server takes to sweep a table of one user.
const sweeps = time.Second

// staysAwayOverRestarts fails unless nothing is shown to a user now, by a server that was
// killed, and by one that knows only the database.
func (d *deployment) staysAwayOverRestarts(s *server, user string) {
	d.t.Helper()
	s.staysAway(user, sweeps)
	s.Kill()
	s.restart()
	s.staysAway(user, sweeps)
	d.restartEmpty(s)
	s.staysAway(user, sweeps)
}
