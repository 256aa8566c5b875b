package handler

import (
	"fmt"
	"testing"
	"time"

	"github.com/popupd/popupd/internal/sample"
	"github.com/popupd/popupd/popup"
)

// trace is a day of polls: a hundred users with habits of their own, over two placements.
func trace(poll func(user, more string), pass func(time.Duration)) {
	plans := []string{"free", "pro", "team"}
	for step := range 144 { // every ten minutes
		for u := range 100 {
			if (step+u*7)%(3+u%11) != 0 {
				continue
			}
			more := "&a.plan=" + plans[u%3] + "&platform=" + []string{"ios", "web"}[u%2]
			if u%4 == 0 {
				more += "&placement=side"
			}
			poll(fmt.Sprint("user-", u), more)
		}
		pass(10 * time.Minute)
	}
}

// What a simulation tells is what happens: of the sample as things are, and of the same
// polls to a server on which the change has been made.
func TestSimulationIsWhatHappens(t *testing.T) {
	const (
		before1  = `"priority":1,"frequency":{"after_impression_sec":7200}`
		before2  = `"placements":["side","default"],"frequency":{"after_impression_sec":0,"max_impressions":3},"targeting":{"all":[{"attr":"plan","op":"in","value":["pro","team"]}]}`
		before3  = `"placements":["side"],"targeting":{"none":[{"attr":"plan","op":"eq","value":"free"}]}`
		changed1 = `"priority":5,"frequency":{"after_impression_sec":1800},"targeting":{"all":[{"attr":"platform","op":"eq","value":"web"}]}`
		added    = `"priority":2,"placements":["default","side"],"frequency":{"after_impression_sec":14400},"targeting":{"any":[{"attr":"plan","op":"eq","value":"free"}]}`
		settings = `{"min_gap_sec":900,"caps":[{"key":"daily","max":8,"per_sec":86400}]}`
	)
	run := func(f *fixture) (wins map[string]int, polls, answered int) {
		wins = map[string]int{}
		trace(func(user, more string) {
			polls++
			if served := f.asks(user, more); served != nil {
				wins[served.Popup.Key]++
				answered++
			}
		}, f.clock.advance)
		return wins, polls, answered
	}

	var kept *sample.Reservoir
	f := newServer(t, func(c *Config) {
		kept = sample.NewReservoir(sample.Config{PerSecond: 100, Snapshots: c.Snapshots, Now: c.Now})
		c.Sample = kept
	}, before1, before2, before3).start()
	winsBefore, polls, answeredBefore := run(f)
	proposal, err := popup.DecodeProposal(fmt.Appendf(nil, `{"popups":[{"key":"p1",%s},{"key":"p4",%s},{"key":"p3","status":"paused"}],"settings":%s}`, changed1, added, settings))
	if err != nil {
		t.Fatal(err)
	}
	got, err := kept.Simulate(t.Context(), proposal)
	if err != nil {
		t.Fatal(err)
	}

	f = newServer(t, func(c *Config) {
		underCaps(`{"key":"daily","max":8,"per_sec":86400}`, changed1, before2, before3+`,"status":"paused"`, added)(c)
		c.Users.SetMinGap(15 * time.Minute)
	}).start()
	winsAfter, _, answeredAfter := run(f)
	if got.Polls != polls || got.Users != 100 || got.AnsweredBefore != answeredBefore || got.AnsweredAfter != answeredAfter {
		t.Errorf("%d polls of %d users, %d answered before and %d after; want %d, 100, %d, %d",
			got.Polls, got.Users, got.AnsweredBefore, got.AnsweredAfter, polls, answeredBefore, answeredAfter)
	}
	for _, p := range got.Popups {
		if p.WinsBefore != winsBefore[p.Key] || p.WinsAfter != winsAfter[p.Key] || p.Starved != (p.Key == "p3") {
			t.Errorf("%+v, want %d before and %d after", p, winsBefore[p.Key], winsAfter[p.Key])
		}
	}
	if len(got.Popups) != 4 || len(winsBefore) != 3 || len(winsAfter) != 3 {
		t.Errorf("%d popups, of which %d win before and %d after", len(got.Popups), len(winsBefore), len(winsAfter))
	}
}
