//go:build linux

package e2e

import (
	"fmt"
	"testing"
	"time"
)

// TestOneTick: two servers that have not heard of each other show a popup to one user
// within 100 ms. Their memory takes the two impressions for one, the database does not.
func TestOneTick(t *testing.T) {
	t.Parallel()
	st := startStores(t)
	for _, c := range []struct {
		name string // also of the database
		run  func(d *deployment)
	}{
		{"each_action_counts_on_both", func(d *deployment) {
			a, b := d.server(), d.server()
			user, tokens := d.showTwice(a, b, `{"after_impression_sec":86400}`)
			actions := map[string]int{"click": 2, "dismiss": 3, "convert": 4, "view": 7, "release": 8}
			for name := range actions {
				for range 2 {
					for _, token := range tokens {
						a.mustAct(token, name, accepted)
					}
				}
			}
			a.waitDrained()
			b.waitDrained()
			for name, action := range actions {
				d.wantRows(name+" on the two", 2, "SELECT COUNT(*) FROM event WHERE user_id = ? AND action = ? AND repeated = 0", user, action)
				d.wantRows(name+" again", 2, "SELECT COUNT(*) FROM event WHERE user_id = ? AND action = ? AND repeated = 1", user, action)
			}
			d.wantRows("clicks", 2, "SELECT SUM(clicks) FROM popup_stats")
			d.wantRows("users who clicked", 1, "SELECT SUM(click_users) FROM popup_stats")
		}},
		{"what_is_confirmed_waits", func(d *deployment) {
			a, b := d.server(), d.server()
			user, tokens := d.showTwice(a, b, `{"after_impression_sec":86400,"confirm_sec":1}`)
			for _, token := range tokens {
				a.mustAct(token, "view", accepted)
			}
			d.restartEmpty(b)
			d.wantRows("wait for a day", 1, "SELECT COUNT(*) FROM user_popup WHERE user_id = ? AND next_at_ms - last_impression_ms > 86400000 - 100", user)
			b.staysAway(user, 1200*time.Millisecond) // longer than confirm_sec
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			d := newDeployment(t, st, "tick_"+c.name)
			c.run(d)
			if err := checkInvariants(d.db, stateInvariant); err != nil { // each takes its impression for the first
				t.Error(err)
			}
		})
	}
}

// showTwice has two servers show a popup to a user within one tick, and returns the
// tokens, that of the older impression first.
func (d *deployment) showTwice(a, b *server, frequency string) (user string, tokens []string) {
	d.t.Helper()
	a.create("one", frequency)
	trial := 0
	eventually(d.t, 20*time.Second, func() error {
		trial++
		user, tokens = fmt.Sprint("u-", trial), nil
		var served []int64
		for _, s := range []*server{a, b} {
			p := s.mustAsk(user)
			if p == nil {
				return fmt.Errorf("%s is shown nothing", user)
			}
			at, err := servedAt(p.Token)
			if err != nil {
				return err
			}
			tokens, served = append(tokens, p.Token), append(served, at)
		}
		if served[0] == served[1] || served[0]/100 != served[1]/100 {
			return fmt.Errorf("%s was served at %d", user, served)
		}
		return nil
	})
	return user, tokens
}

// What is repeated, on a server that has heard of it or was told by the database, is
// recorded and lengthens no wait and no gap.
func TestRepeatsLengthenNothing(t *testing.T) {
	t.Parallel()
	d := newDeployment(t, startStores(t), "repeats")
	a, b := d.server(), d.server()
	a.create("one", `{"after_impression_sec":60,"confirm_sec":30}`)
	actions := []string{"view", "dismiss", "click", "convert", "release"}
	p := a.mustShow("u", "one")
	for _, action := range actions {
		a.mustAct(p.Token, action, accepted)
	}
	d.restartEmpty(b)
	a.waitDrained()
	const state = "SELECT CONCAT_WS(' ', impressions, last_impression_ms, last_shown_ms, acted, click_until_ms, next_at_ms) FROM user_popup"
	before, err := queryStrings(d.db, state)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []*server{a, b} {
		for _, action := range actions {
			s.mustAct(p.Token, action, accepted)
		}
		s.waitDrained()
	}
	if after, err := queryStrings(d.db, state); err != nil || fmt.Sprint(after) != fmt.Sprint(before) {
		t.Errorf("state %v, %v; want as before, %v", after, err, before)
	}
	d.wantRows("repeats", 2*len(actions), "SELECT COUNT(*) FROM event WHERE repeated = 1")
	d.wantRows("actions", len(actions), "SELECT COUNT(*) FROM event WHERE action <> 1 AND repeated = 0")
	if err := checkInvariants(d.db, stateInvariant); err != nil {
		t.Error(err)
	}
}
