//go:build linux

package e2e

import (
	"maps"
	"strings"
	"testing"
	"time"
)

// TestHistory: users notice what should not have been shown to them.
func TestHistory(t *testing.T) {
	begun := time.Now()
	at := func(ms int, action string, o outcome) *attempt {
		return &attempt{At: begun.Add(time.Duration(ms) * time.Millisecond), Took: time.Millisecond, User: "u", Action: action, Outcome: o}
	}
	p := new(pollAnswer)
	p.Popup.Key = "p"
	type step struct {
		ms     int
		action string
		answer outcome
		older  bool // on the impression before the latest
	}
	poll := func(ms int) step { return step{ms, "poll", acked, false} }
	act := func(ms int, action string) step { return step{ms, action, acked, false} }
	for _, c := range []struct {
		name  string
		steps []step
		want  string // a part of what users say; empty: all is well
	}{
		{"in time", []step{poll(0), poll(1000)}, ""},
		{"too soon", []step{poll(0), poll(800)}, "too early"},
		{"too soon after a click", []step{poll(0), {10, "click", acked, false}, poll(2000)}, "too early"},
		{"a dismiss shortens no click", []step{poll(0), {10, "click", acked, false}, {20, "dismiss", acked, false}, poll(2000)}, "too early"},
		{"a convert lengthens a dismiss", []step{poll(0), {10, "dismiss", acked, false}, {20, "convert", acked, false}, poll(2000)}, "too early"},
		{"a dismiss ends the wait of the impression", []step{poll(0), {10, "dismiss", acked, false}, poll(500)}, ""},
		{"a dismiss that may not count", []step{poll(0), {10, "dismiss", unknown, false}, poll(500)}, ""},
		{"a click on an older impression", []step{poll(0), poll(1000), {1010, "click", acked, true}, poll(3000)}, "too early"},
		{"a dismiss of an older impression", []step{poll(0), poll(1000), {1010, "dismiss", acked, true}, poll(1600)}, "too early"},
		{"a click again", []step{poll(0), {10, "click", acked, false}, {2500, "click", acked, false}, poll(3010)}, ""},
		{"a click that was refused", []step{poll(0), {10, "click", refused, false}, poll(2000)}, ""},
		{"a click that may not count", []step{poll(0), {10, "click", unknown, false}, poll(2000)}, ""},
		{"a view", []step{poll(0), {10, "view", acked, false}, poll(800)}, "too early"},
		{"a release", []step{poll(0), {10, "release", acked, false}, poll(20)}, ""},
		{"a release that was refused", []step{poll(0), {10, "release", refused, false}, poll(20)}, "too early"},
		{"a release after a click", []step{poll(0), {10, "click", acked, false}, {20, "release", acked, false}, poll(2000)}, "too early"},
		{"a reset", []step{poll(0), {10, "click", acked, false}, {20, "reset", acked, false}, poll(30)}, ""},
		{"a reset that was refused", []step{poll(0), {20, "reset", refused, false}, poll(30)}, "too early"},
		{"too often", []step{poll(0), poll(5000), poll(10000)}, "3 times"},
		{"too often but for a release", []step{poll(0), poll(5000), {5010, "release", acked, false}, poll(10000)}, ""},
		{"a click of 2 s ago", []step{poll(0), act(3000, "click"), poll(3800)}, "too early"},
		{"in time after a click of 2 s ago", []step{poll(0), act(3000, "click"), poll(4010)}, ""},
		{"a click at once of 2 s ago", []step{poll(0), act(10, "click"), poll(2800)}, "too early"},
		{"confirm: never", []step{poll(0), poll(200), poll(400), poll(600)}, ""},
		{"confirm: too soon", []step{poll(0), poll(90)}, "too early"},
		{"confirm: the wait begins with the view", []step{poll(0), act(150, "view"), poll(1040)}, "too early"},
		{"confirm: the wait has ended", []step{poll(0), act(150, "view"), poll(1150)}, ""},
		{"confirm: a view that may not count", []step{poll(0), {150, "view", unknown, false}, poll(200)}, ""},
		{"confirm: a view of an older impression", []step{poll(0), poll(200), {210, "view", acked, true}, poll(400)}, ""},
		{"confirm: a view after a dismiss", []step{poll(0), act(10, "dismiss"), act(20, "view"), poll(410)}, ""},
		{"confirm: a view after a release", []step{poll(0), act(10, "release"), act(20, "view"), poll(30)}, ""},
		{"confirm: a release after a view", []step{poll(0), act(10, "view"), act(20, "release"), poll(30)}, ""},
		{"confirm: too often", []step{poll(0), act(10, "view"), poll(2000), act(2010, "click"), poll(9000)}, "3 times"},
		{"confirm: too often but for one that nobody saw", []step{poll(0), act(10, "view"), poll(2000), poll(9000)}, ""},
		{"too often but for a reset", []step{poll(0), poll(5000), {5010, "reset", acked, false}, poll(10000)}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			spec := popupSpec{key: "p", afterImpression: time.Second, afterClick: 3 * time.Second, afterDismiss: 400 * time.Millisecond, maxImpressions: 2}
			if strings.HasPrefix(c.name, "confirm") {
				spec.confirm = 200 * time.Millisecond
			}
			h, u := newHistory(popupSpecs{spec}), newLoadUser("u")
			for _, s := range c.steps {
				a := at(s.ms, s.action, s.answer)
				if strings.HasSuffix(c.name, " of 2 s ago") {
					a.Age = 2 * time.Second
				}
				switch s.action {
				case "poll":
					h.recordShown(u, p, a)
				case "reset":
					h.recordReset(u, a)
				default:
					on := u.seen["p"].latest
					if s.older {
						on = u.seen["p"].older[0]
					}
					h.recordAction(u, "p", on, a)
				}
			}
			if got := strings.Join(h.wrong(), "; "); (got != "") != (c.want != "") || !strings.Contains(got, c.want) {
				t.Errorf("users say %q, want %q", got, c.want)
			}
		})
	}
	h := newHistory(nil)
	for range 20 {
		h.released(false)
	}
	if len(h.wrong()) == 0 {
		t.Error("nobody says that releases do nothing")
	}
	if h.released(true); len(h.wrong()) != 0 {
		t.Errorf("users say %q", h.wrong())
	}
}

// TestBooks: what clients know of the statistics is exact where they know what became
// of everything, and bounds them elsewhere.
func TestBooks(t *testing.T) {
	const popup = 7
	try := func(user, action string, o outcome, served int64) attempt {
		a := attempt{At: time.UnixMilli(served), User: user, Action: action, Outcome: o, Served: served}
		if served > 0 {
			a.Popup = popup
		}
		return a
	}
	type bounds struct{ least, most int }
	for _, c := range []struct {
		name     string
		attempts []attempt
		want     map[string]bounds // none: 0
	}{
		{"exact", []attempt{try("u", "poll", acked, 1), try("u", "click", acked, 1), try("u", "click", acked, 1), try("u", "poll", acked, 2), try("u", "click", acked, 2), try("v", "poll", acked, 3)},
			map[string]bounds{"impressions": {3, 3}, "users": {2, 2}, "clicks": {2, 2}, "click_users": {1, 1}}},
		{"a poll without an answer", []attempt{try("u", "poll", acked, 1), try("u", "poll", unknown, 0), try("v", "poll", unknown, 0)},
			map[string]bounds{"impressions": {1, 3}, "users": {1, 2}}},
		{"a click without an answer", []attempt{try("u", "poll", acked, 1), try("u", "click", unknown, 1), try("u", "click", unknown, 1)},
			map[string]bounds{"impressions": {1, 1}, "users": {1, 1}, "clicks": {0, 1}, "click_users": {0, 1}}},
		{"a click that is acknowledged in the end", []attempt{try("u", "poll", acked, 1), try("u", "click", unknown, 1), try("u", "click", acked, 1)},
			map[string]bounds{"impressions": {1, 1}, "users": {1, 1}, "clicks": {1, 1}, "click_users": {1, 1}}},
		{"refused and void", []attempt{try("u", "poll", acked, 1), try("u", "dismiss", refused, 1), try("u", "view", void, 1)},
			map[string]bounds{"impressions": {1, 1}, "users": {1, 1}}},
		{"a reset", []attempt{try("u", "poll", acked, 1), try("u", "convert", acked, 1), try("u", "reset", acked, 0), try("u", "poll", acked, 2)},
			map[string]bounds{"impressions": {2, 2}, "users": {0, 2}, "converts": {0, 1}, "convert_users": {0, 2}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBooks(c.attempts, map[uint32]*popupSpec{popup: {key: "p"}})
			got := make(map[string]bounds)
			for column, n := range b[popup] {
				if least, most := n.bounds(); most > 0 {
					got[column] = bounds{least, most}
				}
			}
			if !maps.Equal(got, c.want) {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}
