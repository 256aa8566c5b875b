package handler

import (
	"fmt"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/popupd/popupd/frequency"
	"github.com/popupd/popupd/popup"
)

// fakeLookUps hold users, or nobody while the store is away.
type fakeLookUps struct {
	table *frequency.Table

	mu    sync.Mutex
	away  bool
	asked []string
	known map[string]popup.State // of popup 1, by user
}

func (l *fakeLookUps) LookUp(users ...[]byte) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, user := range users {
		if user == nil {
			continue
		}
		l.asked = append(l.asked, string(user))
		if l.away {
			return false
		}
		if s, ok := l.known[string(user)]; ok {
			l.table.Restore(user, 1, s)
		}
		l.table.Hold(user, l.table.Era())
	}
	return true
}

// wants fails the test unless exactly these users were asked for since the last call.
func (l *fakeLookUps) wants(t *testing.T, users ...string) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	if !slices.Equal(l.asked, users) {
		t.Errorf("users %q were looked up, want %q", l.asked, users)
	}
	l.asked = nil
}

// heldOnly has users looked up, with the first request of each.
func heldOnly(c *Config) {
	l := &fakeLookUps{table: frequency.New(frequency.Config{HeldOnly: true})}
	c.Users, c.LookUps = l.table, l
}

// newHeldServer returns a server whose users are looked up.
func newHeldServer(t *testing.T, specs ...string) (*fixture, *fakeLookUps) {
	l := &fakeLookUps{table: frequency.New(frequency.Config{HeldOnly: true}), known: map[string]popup.State{}}
	f := newServer(t, func(c *Config) { c.Users, c.LookUps = l.table, l }, specs...).start()
	return f, l
}

// seen is the state of who has seen a popup.
var seen = popup.State{Impressions: 1, ServedAtMS: startMS, ShownAtMS: startMS, AtMS: startMS, Last: popup.Impression, NextAtMS: startMS + 86_400_000}

// A user is looked up once, and what the store knows counts.
func TestLookUp(t *testing.T) {
	f, l := newHeldServer(t, "")
	l.known["known"], l.known["before"] = seen, seen
	f.sees("new", "p1")
	f.sees("known", "")
	f.sees("other", "", "&prior_uid=before")
	l.wants(t, "new", "known", "other", "before")
	f.sees("new", "")
	f.sees("known", "")
	f.sees("other", "p1")
	f.sees("new", "", "&prior_uid=before")
	l.wants(t)
	l.table.Unhold()
	f.sees("new", "")
	l.wants(t, "new")
	f.counts(6, "popupd_decisions_total", "outcome", "none")
	f.counts(0, "popupd_decisions_total", "outcome", "unknown")
}

// Who can't be looked up is shown nothing, and told when to ask again. Others notice nothing.
func TestLookUpFails(t *testing.T) {
	f, l := newHeldServer(t, "")
	f.sees("held", "p1")
	f.journaled("held impression 1")
	l.away = true
	n := 0
	for name, sent := range map[string]func() reply{
		"GET":           func() reply { return f.do("GET", "/v1/poll?uid=u", "") },
		"of a prior id": func() reply { return f.do("GET", "/v1/poll?uid=held&prior_uid=u", "") },
		"with a rid":    func() reply { return f.do("GET", "/v1/poll?uid=u&rid=12345678", "") },
		"the rid again": func() reply { return f.do("GET", "/v1/poll?uid=u&rid=12345678", "") },
	} {
		if r := sent(); r.status != http.StatusNoContent {
			t.Errorf("%s: %d %s, want 204", name, r.status, r.body)
		} else {
			wantNextPoll(t, r)
		}
		n++
	}
	if got := f.posts(`{"uid":"u"}`); len(got.Popups) != 0 || got.NextPollSec < 30 {
		t.Errorf("POST: %+v", got)
	}
	f.counts(float64(n+1), "popupd_decisions_total", "outcome", "unknown")
	f.journaled()
	f.sees("held", "")
	l.away = false
	f.sees("u", "p1", "&rid=12345678")
	f.sees("u", "p1", "&rid=12345678") // the same
	f.journaled("u impression 1")
}

// Made-up users are looked up no faster than a client's new ones may come, under whatever name.
// Others of the client do not count.
func TestLookUpsOfNewIDs(t *testing.T) {
	l := &fakeLookUps{table: frequency.New(frequency.Config{HeldOnly: true}), known: map[string]popup.State{"known": seen, "too": seen}}
	f := newServer(t, func(c *Config) { c.Users, c.LookUps, c.NewIDsPerClient = l.table, l, 2 }, purchase).start()
	for _, user := range []string{"known", "too", "known"} {
		f.sees(user, "")
	}
	f.sees("known", "", "&prior_uid=too")
	f.sees("u1", "p1")
	f.sees("known", "", "&prior_uid=u2") // though there is nothing to see for it
	f.sees("u3", "")
	f.sees("known", "", "&prior_uid=u3")
	l.wants(t, "known", "too", "u1", "known", "u2")
	f.counts(2, "popupd_new_ids_limited_total")
	f.counts(2, "popupd_decisions_total", "outcome", "shed")
	f.reports(`[{"uid":"u4","event":"purchase"},{"uid":"u5","event":"purchase"}]`)
	l.wants(t, "u4", "u5")
	f.sees("u4", "") // is held, and new all the same
	f.clock.advance(500 * time.Millisecond)
	f.sees("u4", "p1")
	f.sees("u5", "")
	f.clock.advance(500 * time.Millisecond)
	l.away = true
	f.sees("u6", "")
	f.sees("u7", "")
	l.wants(t, "u6")
	f.clock.advance(500 * time.Millisecond)
	l.away = false
	f.sees("u7", "p1")
}

// An action is recorded whether or not its user can be looked up; if so, it is as if the
// server had known all the time.
func TestLookUpOfActions(t *testing.T) {
	f, l := newHeldServer(t, `"frequency":{"max_impressions":9,"confirm_sec":60}`)
	var tokens []string
	for _, user := range []string{"a", "b", "c"} {
		tokens = append(tokens, f.sees(user, "p1").Token)
	}
	f.events.take()
	l.wants(t, "a", "b", "c")
	before := seen
	before.Impressions, before.ServedAtMS, before.ShownAtMS, before.AtMS, before.NextAtMS = 4, startMS-1000, startMS-1000, startMS-1000, 0
	l.known["a"] = before
	// The server that takes the actions is another one.
	l.table = frequency.New(frequency.Config{HeldOnly: true})
	f.users = l.table
	f.does("view", tokens[0])
	if e := f.journaled("a view 1"); e[0].Nth != 5 {
		t.Errorf("the view is number %d, want 5", e[0].Nth)
	}
	l.wants(t, "a")
	l.away = true
	r := f.do("POST", "/v1/actions", fmt.Sprintf(`[{"token":%q,"action":"click"},{"token":%q,"action":"click"}]`, tokens[1], tokens[2]), "Content-Type", "application/json")
	if r.status != http.StatusAccepted {
		t.Fatalf("actions of users who can't be looked up: %d %s", r.status, r.body)
	}
	f.journaled("b click 1", "c click 1")
	l.wants(t, "b") // and no more: a request waits once
	l.away = false
	f.sees("b", "")
}

// Whether an event of the site is a goal cannot be told of who can't be looked up.
func TestLookUpOfEvents(t *testing.T) {
	f, l := newHeldServer(t, purchase)
	l.known["u"], l.known["v"] = seen, seen
	l.away = true
	f.clock.advance(time.Second)
	if r := f.reports(`[{"uid":"u","event":"purchase"},{"uid":"v","event":"purchase"}]`); r.status != http.StatusServiceUnavailable || r.code() != "not_recorded" {
		t.Errorf("an event of a user who can't be looked up: %d %s", r.status, r.body)
	}
	if err := f.Record([]popup.SiteEvent{{User: []byte("u"), Name: []byte("purchase")}}); err == nil {
		t.Error("the control plane's is taken")
	}
	if r := f.reports(`{"uid":"u","event":"nothing"}`); r.status != http.StatusAccepted {
		t.Errorf("an event that is no popup's goal: %d %s", r.status, r.body)
	}
	f.counts(3, "popupd_events_total", "result", "refused")
	f.journaled()
	l.away, l.asked = false, nil
	if r := f.reports(`[{"uid":"u","event":"purchase"},{"uid":"w","event":"purchase"}]`); r.status != http.StatusAccepted {
		t.Errorf("events: %d %s", r.status, r.body)
	}
	f.journaled("u goal 1")
	l.wants(t, "u", "w")
	if err := f.Record([]popup.SiteEvent{{User: []byte("v"), Name: []byte("purchase")}}); err != nil {
		t.Error(err)
	}
	f.journaled("v goal 1")
}
