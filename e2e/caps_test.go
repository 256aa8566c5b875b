//go:build linux

package e2e

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// capSpec is a cap on what each user of a load is shown.
type capSpec struct {
	key string
	max int
	per time.Duration // whole seconds
	of  []string      // keys of the popups that it covers; empty: all
}

func (c *capSpec) covers(key string) bool { return len(c.of) == 0 || slices.Contains(c.of, key) }

// since returns after which time, in ms, what was served certainly counts at another.
func (c *capSpec) since(servedAtMS int64) int64 {
	return servedAtMS - c.per.Milliseconds() + 2*resolution.Milliseconds()
}

type capSpecs []capSpec

// create puts the caps in force. A popup's tag is its key.
func (l capSpecs) create(s *server) {
	s.t.Helper()
	var caps []string
	for _, c := range l {
		tags, err := json.Marshal(append([]string{}, c.of...)) // null is no list
		if err != nil {
			s.t.Fatal(err)
		}
		caps = append(caps, fmt.Sprintf(`{"key":%q,"max":%d,"per_sec":%d,"tags":%s}`, c.key, c.max, int(c.per.Seconds()), tags))
	}
	s.configure(`{"caps":[` + strings.Join(caps, ",") + `]}`)
}

// checkCaps checks and records that a popup was served to a user: no cap on it was full.
func (h *history) checkCaps(u *loadUser, on *loadImpression) {
	for _, c := range h.caps {
		if !c.covers(on.key) {
			continue
		}
		n := 1
		for _, o := range u.impressions {
			if o.counts && c.covers(o.key) && o.served > c.since(on.served) {
				n++
			}
		}
		switch {
		case n > c.max:
			h.report("%s was shown %s as popup %d within %v, cap %s allows %d", u.name, on.key, n, c.per, c.key, c.max)
		case n == c.max:
			h.capReached()
		}
	}
	u.impressions = append(u.impressions, on)
}

// overCaps looks for popups that were shown though a cap was full, answered or not. It leaves
// out what has to be confirmed or was released: only users know what was served before it,
// and whether it counts. rows is reordered.
func (v *findings) overCaps(rows []storedEvent, popups map[uint32]*popupSpec, caps capSpecs, o *origins) {
	slices.SortFunc(rows, func(a, b storedEvent) int { return cmp.Compare(a.served, b.served) })
	released := releasedImpressions(rows)
	for _, c := range caps {
		counted := make(map[string][]int64) // by user, when they were served
		for _, r := range rows {
			spec := popups[r.popup]
			if spec == nil || r.action != impression || r.user == "" || !c.covers(spec.key) || spec.confirm > 0 || released[r.eventID] {
				continue
			}
			before := slices.DeleteFunc(counted[r.user], func(served int64) bool { return served <= c.since(r.served) })
			if len(before) >= c.max && !o.resetBetween(r.user, before[len(before)-c.max], r.served) {
				v.forbidden = append(v.forbidden, fmt.Sprintf("%s %s as popup %d within %v of cap %s", r.user, spec.key, len(before)+1, c.per, c.key))
			}
			counted[r.user] = append(before, r.served)
		}
	}
}

// releasedImpressions returns those that were released.
func releasedImpressions(rows []storedEvent) map[eventID]bool {
	released := make(map[eventID]bool)
	for _, r := range rows {
		if r.action == release {
			released[eventID{r.user, r.popup, impression, r.served}] = true
		}
	}
	return released
}

// TestCheckCaps: users and the checker of what was committed find a popup that a cap does
// not allow, and nothing else.
func TestCheckCaps(t *testing.T) {
	specs := popupSpecs{{key: "one"}, {key: "two"}, {key: "confirmed", confirm: time.Second}}
	popups := map[uint32]*popupSpec{1: &specs[0], 2: &specs[1], 3: &specs[2]}
	caps := capSpecs{{"two of all", 2, 10 * time.Second, nil}, {"one two", 1, time.Minute, []string{"two"}}}
	const begin = 1_000_000
	type step struct {
		ms     int64
		popup  uint32
		action string // or "reset"
		of     int64  // when the impression of an action was served
	}
	for name, c := range map[string]struct {
		steps       []step
		users, rows string // what they find
	}{
		"two": {[]step{{0, 1, "poll", 0}, {2000, 2, "poll", 0}}, "", ""},
		"three": {[]step{{0, 1, "poll", 0}, {2000, 2, "poll", 0}, {9000, 1, "poll", 0}},
			"one as popup 3 within 10s, cap two of all", "one as popup 3 within 10s of cap two of all"},
		"three, but slowly":           {[]step{{0, 1, "poll", 0}, {2000, 2, "poll", 0}, {10_000, 1, "poll", 0}}, "", ""},
		"two of a tag":                {[]step{{0, 2, "poll", 0}, {50_000, 2, "poll", 0}}, "two as popup 2", "two as popup 2"},
		"two of a tag, but slowly":    {[]step{{0, 2, "poll", 0}, {60_000, 2, "poll", 0}}, "", ""},
		"one was released":            {[]step{{0, 1, "poll", 0}, {1000, 2, "poll", 0}, {2000, 1, "release", 0}, {3000, 1, "poll", 0}}, "", ""},
		"one is to be confirmed":      {[]step{{0, 1, "poll", 0}, {1000, 3, "poll", 0}, {3000, 1, "poll", 0}}, "", ""},
		"one was confirmed":           {[]step{{0, 1, "poll", 0}, {1000, 3, "poll", 0}, {2000, 3, "view", 1000}, {3000, 1, "poll", 0}}, "one as popup 3", ""},
		"the third is to be":          {[]step{{0, 1, "poll", 0}, {1000, 1, "poll", 0}, {2000, 3, "poll", 0}}, "confirmed as popup 3", ""},
		"the user was reset":          {[]step{{0, 1, "poll", 0}, {1000, 2, "poll", 0}, {2000, 0, "reset", 0}, {3000, 2, "poll", 0}}, "", ""},
		"the user was reset too soon": {[]step{{0, 0, "reset", 0}, {2000, 1, "poll", 0}, {3000, 2, "poll", 0}, {4000, 1, "poll", 0}}, "one as popup 3", "one as popup 3"},
	} {
		t.Run(name, func(t *testing.T) {
			h, u, v := newHistory(specs), newLoadUser("u"), new(findings)
			h.caps = caps
			var rows []storedEvent
			for _, s := range c.steps {
				a := attempt{At: time.UnixMilli(begin + s.ms), Took: time.Millisecond, User: "u", Action: s.action, Outcome: acked, Popup: s.popup, Served: begin + s.ms}
				switch s.action {
				case "reset":
					h.recordReset(u, &a)
				case "poll":
					p := &pollAnswer{}
					p.Popup.ID, p.Popup.Key = s.popup, popups[s.popup].key
					h.recordShown(u, p, &a)
				default:
					a.Served = begin + s.of
					key := popups[s.popup].key
					h.recordAction(u, key, u.seen[key].latest, &a)
				}
				h.add(a)
				if s.action != "reset" {
					rows = append(rows, storedEvent{eventID: a.event(), at: begin + s.ms})
				}
			}
			v.overCaps(rows, popups, caps, newOrigins(h.since(0)))
			for what, found := range map[string]struct {
				got  []string
				want string
			}{"users": {h.wrong(), c.users}, "the checker": {v.forbidden, c.rows}} {
				if got := strings.Join(found.got, "; "); (got != "") != (found.want != "") || !strings.Contains(got, found.want) {
					t.Errorf("%s: %q, want %q", what, got, found.want)
				}
			}
		})
	}
}
