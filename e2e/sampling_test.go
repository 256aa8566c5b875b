//go:build linux

package e2e

import (
	"fmt"
	"maps"
	"net/http"
	"testing"
	"time"
)

// TestStarving finds out why a popup is not shown, on two servers that stop meanwhile, has
// one of them try a change on the polls that it has kept, and makes the change: what then
// happens is what the simulation has told.
func TestStarving(t *testing.T) {
	t.Parallel()
	d := newDeployment(t, startStores(t), "starving", "-sample", "100")
	a, b := d.server(), d.server()
	a.configure(`{"min_gap_sec":3600}`)
	a.post(`{"key":"often","status":"active","priority":9,"frequency":{"after_impression_sec":3600,"ignore_min_gap":true},"variants":[{"key":"a","content":{}}]}`)
	starving := func(priority int) string {
		return fmt.Sprintf(`{"key":"starving","status":"active","priority":%d,"frequency":%s,"variants":[{"key":"a","content":{}}]}`, priority, noWaits)
	}
	a.post(starving(5))
	b.reload()
	// poll has three users poll three times, and returns how often they see what.
	poll := func(s *server, users string) map[string]int {
		seen := map[string]int{}
		for i := range 9 {
			p, err := s.ask(fmt.Sprint(users, i%3))
			if err != nil {
				t.Fatal(err)
			}
			if p != nil {
				seen[p.Popup.Key]++
			}
		}
		return seen
	}
	before := poll(a, "a")
	poll(b, "b")
	for _, s := range []*server{a, b} {
		s.waitDrained()
		s.stop() // which writes what was counted
	}
	d.wantRows("polls in which the gap stopped a popup", 2*6, "SELECT SUM(polls) FROM popup_why_not WHERE reason = 'min_gap'")
	a.restart()

	var stats struct {
		WhyNot map[string]int `json:"why_not"`
		Sample struct {
			Polls, Sampled int
			Rate           float64
		} `json:"why_not_sample"`
	}
	for key, want := range map[string]map[string]int{"starving": {"outranked": 2 * 3, "min_gap": 2 * 6}, "often": {"cooldown_impression": 2 * 6}} {
		stats.WhyNot = nil
		if status := a.admin("GET", "/v1/admin/popups/"+key+"/stats", "", "", &stats); status != http.StatusOK {
			t.Fatalf("statistics: %d", status)
		}
		if !maps.Equal(stats.WhyNot, want) || stats.Sample.Polls != 18 || stats.Sample.Sampled != 18 || stats.Sample.Rate != 1 {
			t.Errorf("%s: %+v, want %v of 18 polls", key, stats, want)
		}
	}

	var told struct {
		Polls          int
		AnsweredBefore int `json:"answered_before"`
		AnsweredAfter  int `json:"answered_after"`
		Popups         []struct {
			Key     string
			Before  int `json:"wins_before"`
			After   int `json:"wins_after"`
			Starved bool
		}
	}
	proposal := `{"popups":[` + starving(10) + `]}`
	if status := a.admin("POST", "/v1/admin/simulate", proposal, "", &told); status != http.StatusOK {
		t.Fatalf("simulate: %d", status)
	}
	a.put("starving", starving(10))
	after := poll(a, "c")
	if told.Polls != 9 || told.AnsweredBefore != 3 || told.AnsweredAfter != 6 || len(told.Popups) != 2 {
		t.Errorf("simulated: %+v", told)
	}
	for _, p := range told.Popups {
		if p.Before != before[p.Key] || p.After != after[p.Key] || p.Starved {
			t.Errorf("simulated: %+v, but it was shown %d times before and %d after", p, before[p.Key], after[p.Key])
		}
	}

	// The polls of users who are reset go, wherever that is asked for.
	b.restart()
	a.mustForget("a0")
	b.mustForget("a1")
	eventually(t, 10*time.Second, func() error {
		if a.admin("POST", "/v1/admin/simulate", "{}", "", &told); told.Polls != 3+9 {
			return fmt.Errorf("%d polls are left, want 3 of before and 9 of after", told.Polls)
		}
		return nil
	})
	if status := a.admin("POST", "/v1/admin/simulate", `{"popups":[{"key":"Bad"}]}`, "", nil); status != http.StatusUnprocessableEntity {
		t.Errorf("a bad proposal: %d, want 422", status)
	}
}

// TestErasedFromSamples: polls that are kept of a user do not come back from the file of a
// server that was killed before it could write it again, nor from that of one that was down.
func TestErasedFromSamples(t *testing.T) {
	t.Parallel()
	d := newDeployment(t, startStores(t), "erased", "-sample", "100")
	a, b := d.server(), d.server()
	keeps := func(s *server, want int) {
		t.Helper()
		var told struct{ Polls int }
		if status := s.admin("POST", "/v1/admin/simulate", "{}", "", &told); status != http.StatusOK || told.Polls != want {
			t.Errorf("simulate: %d, %d polls are kept, want %d", status, told.Polls, want)
		}
	}
	for _, s := range []*server{a, b} {
		for _, user := range []string{"gone", "stays"} {
			if _, err := s.ask(user); err != nil {
				t.Fatal(err)
			}
		}
		s.stop() // which writes the file
	}
	a.restart()
	keeps(a, 2)
	a.mustForget("gone")
	keeps(a, 1)
	a.waitDrained()
	a.Kill()
	for _, s := range []*server{a, b} {
		s.restart()
		keeps(s, 1)
	}
}
