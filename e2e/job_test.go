//go:build linux

package e2e

import (
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/popupd/popupd/internal/storetest"
)

// TestJob is the mission, on two servers: what one operator configures, every
// server serves; what a user saw and did decides what comes next, and is in
// the database once.
func TestJob(t *testing.T) {
	dsn := storetest.MySQL(t)
	args := []string{"-mysql", dsn, "-redis", "redis://" + storetest.Redis(t), "-secret", "shared by both servers"}
	a, b := start(t, args...), start(t, args...)
	db := openDB(t, dsn)

	a.create("sale", `{"after_click_sec":3,"after_impression_sec":2}`)
	changed := time.Now()
	var seen *pollAnswer
	eventually(t, time.Second, func() error {
		var err error
		if seen, err = b.ask("b-user"); err == nil && seen == nil {
			err = fmt.Errorf("the second server has nothing to show")
		}
		return err
	})
	t.Logf("the second server served the new popup %v after the change was answered", time.Since(changed).Round(time.Millisecond))
	if seen.Popup.Key != "sale" || seen.Popup.Variant != "a" || seen.NextPollSec < 30 || seen.NextPollSec > 300 {
		t.Errorf("served %+v", seen)
	}

	testCooldowns(t, a)

	// A token of one server counts on the other; a forged one counts nowhere.
	a.mustAct(seen.Token, "dismiss", http.StatusAccepted)
	a.mustAct(seen.Token[:len(seen.Token)-2]+"AA", "click", http.StatusUnauthorized)

	eventually(t, 10*time.Second, func() error {
		for action, want := range map[int]int{1: 5, 2: 1, 3: 1} {
			if got, err := queryInt(db, "SELECT COUNT(*) FROM event WHERE action = ? AND repeated = 0", action); err != nil || got != want {
				return fmt.Errorf("%d events of action %d, %v; want %d", got, action, err, want)
			}
		}
		return checkInvariants(db)
	})
	var stats struct {
		Totals struct{ Impressions, Users, Clicks, Dismisses, Converts int }
	}
	if status := a.admin("GET", "/v1/admin/popups/sale/stats", "", "", &stats); status != http.StatusOK {
		t.Fatalf("stats: %d", status)
	}
	if got := stats.Totals; got.Impressions != 5 || got.Users != 3 || got.Clicks != 1 || got.Dismisses != 1 || got.Converts != 0 {
		t.Errorf("stats say %+v, want 5 impressions, 3 users, 1 click, 1 dismiss", got)
	}

	// Both servers end in order, leaving nothing to be committed.
	a.stop()
	b.stop()
	if err := checkInvariants(db); err != nil {
		t.Error(err)
	}
}

// testCooldowns: a user who clicks is shown nothing for after_click_sec, one who
// does nothing for after_impression_sec.
func testCooldowns(t *testing.T, s *server) {
	t.Helper()
	first := s.mustAsk("clicks")
	if first == nil {
		t.Fatal("first poll: nothing")
	}
	if again := s.mustAsk("clicks"); again != nil {
		t.Fatalf("second poll: %+v, want nothing", again)
	}
	for range 2 {
		s.mustAct(first.Token, "click", http.StatusAccepted)
	}
	clicked := time.Now()
	ignored := time.Now()
	if p := s.mustAsk("ignores"); p == nil {
		t.Fatal("first poll of another user: nothing")
	}
	returns(t, s, "ignores", ignored.Add(2*time.Second))
	returns(t, s, "clicks", clicked.Add(3*time.Second))
}

// returns checks that the user is shown nothing before the time, and something
// soon after it. Waits resolve to 100 ms.
func returns(t *testing.T, s *server, user string, at time.Time) {
	t.Helper()
	tick := time.NewTicker(25 * time.Millisecond)
	defer tick.Stop()
	for {
		asked := time.Now()
		p := s.mustAsk(user)
		switch {
		case p != nil && asked.Before(at.Add(-50*time.Millisecond)):
			t.Fatalf("%s was shown a popup %v too early", user, at.Sub(asked))
		case p != nil:
			return
		case asked.After(at.Add(2 * time.Second)):
			t.Fatalf("%s is still shown nothing %v after the wait", user, asked.Sub(at))
		}
		<-tick.C
	}
}

// TestEmbedded is the same job with nothing installed, and with kill -9.
func TestEmbedded(t *testing.T) {
	s := start(t, "-demo")
	p := s.mustAsk("alice")
	if p == nil || p.Popup.Key != "welcome" {
		t.Fatalf("first poll: %+v, want the sample popup welcome", p)
	}
	if status, err := s.act(p.Token, "click"); err != nil || status != http.StatusAccepted {
		t.Fatalf("click: %d, %v", status, err)
	}
	s.Kill()
	s.restart()
	if p := s.mustAsk("alice"); p != nil {
		t.Errorf("after kill -9 alice is shown %s again", p.Popup.Key)
	}
	type counts struct {
		Totals struct{ Impressions, Clicks int }
	}
	eventually(t, 10*time.Second, func() error {
		var got counts
		if status := s.admin("GET", "/v1/admin/popups/welcome/stats", "", "", &got); status != http.StatusOK || got.Totals.Impressions != 1 || got.Totals.Clicks != 1 {
			return fmt.Errorf("stats: %d, %+v; want one impression and one click", status, got.Totals)
		}
		return nil
	})
}

// BenchmarkPropagation is the time from the answer to a change on one server to
// the change being served by another.
func BenchmarkPropagation(b *testing.B) {
	dsn := storetest.MySQL(b)
	args := []string{"-mysql", dsn, "-redis", "redis://" + storetest.Redis(b), "-secret", "shared by both servers"}
	one, two := start(b, args...), start(b, args...)
	var took []time.Duration
	for n := 0; b.Loop(); n++ {
		one.create(fmt.Sprintf("p-%d", n), `{"after_impression_sec":-1}`)
		changed, user := time.Now(), fmt.Sprintf("u-%d", n)
		for two.mustAsk(user) == nil {
		}
		took = append(took, time.Since(changed))
		one.admin("POST", fmt.Sprintf("/v1/admin/popups/p-%d/pause", n), "", "", nil)
		for again := 0; two.mustAsk(fmt.Sprintf("%s-%d", user, again)) != nil; again++ { // until the pause has come, too
		}
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "median-ms")
	b.ReportMetric(float64(took[len(took)-1].Microseconds())/1000, "max-ms")
}
