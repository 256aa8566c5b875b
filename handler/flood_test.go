package handler

import (
	"fmt"
	"testing"
	"time"

	"github.com/popupd/popupd/frequency"
)

// A million made-up user ids fill no more than the memory for users, and then
// nobody is forgotten for them.
func TestMadeUpUsers(t *testing.T) {
	if testing.Short() {
		t.Skip("polls a million times")
	}
	const ids, budget = 1_000_000, 8 << 20
	for _, c := range []struct {
		name        string
		newIDs      float64
		least, most float64 // served
	}{
		{"unlimited", 0, 100_000, 500_000},
		{"limited", 100, 2 * 100, 110 * 100}, // the clock goes 100 s
	} {
		f := newServer(t, func(config *Config) {
			config.Journal, config.NewIDsPerClient = noJournal{}, c.newIDs
			config.Users = frequency.New(frequency.Config{MaxBytes: budget, Registerer: config.Registerer})
		}, "")
		ctx := newContext(t, get("/v1/poll?uid=first")(f, 0))
		poll := func(uid string) int {
			ctx.URI().SetQueryString("uid=" + uid)
			ctx.Response.Reset()
			f.handle(ctx)
			return ctx.Response.StatusCode()
		}
		if got := poll("first"); got != 200 {
			t.Fatalf("%s: the first poll: %d", c.name, got)
		}
		for i := range ids {
			if i%1000 == 0 {
				f.clock.advance(100 * time.Millisecond)
			}
			poll(fmt.Sprint("made-up-", i))
		}
		served := f.metric("popupd_decisions_total", "outcome", "served")
		if served < c.least || served > c.most {
			t.Errorf("%s: %v of a million were served, want %v to %v", c.name, served, c.least, c.most)
		}
		if got := poll("first"); got != 204 {
			t.Errorf("%s: the first user is forgotten: %d, want 204", c.name, got)
		}
		if got := f.metric("popupd_state_bytes"); got == 0 || got > budget {
			t.Errorf("%s: the users take %v bytes, the budget is %d", c.name, got, budget)
		}
		if got := f.metric("popupd_decisions_total", "outcome", "none") + f.metric("popupd_decisions_total", "outcome", "shed") +
			f.metric("popupd_decisions_total", "outcome", "unrecorded"); got+served != ids+2 {
			t.Errorf("%s: %v decisions, want %d", c.name, got+served, ids+2)
		}
	}
}
