package handler

import (
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/popupd/popupd/popup"
)

// Goals of the same exposure are journaled once, in one request or in several; those of
// another exposure, and what the journal refused, are not taken for repeated.
func TestRepeatedEvents(t *testing.T) {
	f := newServer(t, nil, purchase).start()
	const one = `{"uid":"u","event":"purchase"}`
	says := func(body string, want int) {
		t.Helper()
		if r := f.reports(body); r.status != want {
			t.Errorf("%s: %d %s, want %d", body, r.status, r.body, want)
		}
	}
	for range 2 {
		f.sees("u", "p1")
		f.sees("v", "p1")
		f.journaled("u impression 1", "v impression 1")
		f.events.refuse(errFull)
		says(one, 503)
		says("["+one+","+one+"]", 503)
		f.events.refuse(nil)
		f.journaled()
		says(`[`+strings.Repeat(one+",", 40)+`{"uid":"v","event":"purchase"},`+one+`]`, 202)
		f.journaled("u goal 1", "v goal 1")
		f.clock.advance(time.Minute)
		says(one, 202)
		if err := f.Record([]popup.SiteEvent{{User: []byte("u"), Name: []byte("purchase")}}); err != nil {
			t.Error(err)
		}
		f.journaled()
		f.clock.advance(24 * time.Hour)
	}
	f.counts(4, "popupd_events_total", "result", "recorded")
	f.counts(2*(1+40+2), "popupd_events_total", "result", "repeated")
	f.counts(4, "popupd_events_total", "result", "refused")
}

// A backend's thousand events are one a user.
func TestRepeatedEventsOfABackend(t *testing.T) {
	f := newServer(t, nil, purchase, `"placements":["top"],"goal":{"event":"purchase"}`)
	for slots := map[*atomic.Uint64]bool{}; len(slots) < 20; { // with most seeds no goal takes another one's slot
		clear(slots)
		f.reported = newReportedGoals()
		for i := range uint32(20) {
			goal := popup.Event{User: []byte{'u', byte('0' + i%10)}, Popup: 1 + i/10, ReadyAtMS: startMS}
			slots[f.reported.slot(f.reported.key(&goal))] = true
		}
	}
	var events []popup.SiteEvent
	for i := range 1000 {
		user := []byte{'u', byte('0' + i%10)}
		events = append(events, popup.SiteEvent{User: user, Name: []byte("purchase")})
		for id := range uint32(2) {
			f.config.Users.Restore(user, id+1, popup.State{ServedAtMS: startMS, AtMS: startMS, Last: popup.Impression})
		}
	}
	for range 2 {
		if err := f.Record(events); err != nil {
			t.Fatal(err)
		}
	}
	if events, _ := f.events.take(); len(events) != 20 {
		t.Errorf("%d events, want 20", len(events))
	}
	f.counts(10, "popupd_events_total", "result", "recorded")
	f.counts(1990, "popupd_events_total", "result", "repeated")
}

// A goal is remembered until another one takes its slot, and never taken for another one.
func TestReportedGoals(t *testing.T) {
	r := newReportedGoals()
	goal := popup.Event{User: []byte("u"), Popup: 1, ReadyAtMS: startMS}
	key := r.key(&goal)
	r.add(key)
	if !r.has(key) || key != r.key(&goal) {
		t.Error("it is not remembered")
	}
	for name, other := range map[string]popup.Event{
		"user":     {User: []byte("v"), Popup: 1, ReadyAtMS: startMS},
		"popup":    {User: []byte("u"), Popup: 2, ReadyAtMS: startMS},
		"exposure": {User: []byte("u"), Popup: 1, ReadyAtMS: startMS + 100},
	} {
		if r.has(r.key(&other)) {
			t.Errorf("another %s is taken for it", name)
		}
	}
	r.add(key + 2*reportedSlots)
	if r.has(key) {
		t.Error("two are remembered in one slot")
	}
}
