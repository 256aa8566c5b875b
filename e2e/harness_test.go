//go:build linux

package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// TestChecker: each kind of error is found in a history that has one.
func TestChecker(t *testing.T) {
	const popup = 7
	start := time.UnixMilli(1_000_000)
	after := func(ms int) time.Time { return start.Add(time.Duration(ms) * time.Millisecond) }
	try := func(ms int, action string, o outcome, served int64) attempt {
		a := attempt{At: after(ms), Took: 10 * time.Millisecond, User: "u", Action: action, Outcome: o, Served: served}
		if served > 0 {
			a.Popup = popup
		}
		return a
	}
	ago := func(ms int, action string, o outcome, age int) attempt {
		a := try(ms, action, o, 1_000_005)
		a.Age = time.Duration(age) * time.Millisecond
		return a
	}
	row := func(action int, served, at int64) storedEvent {
		return storedEvent{eventID{"u", popup, action, served}, at, false}
	}
	again := func(action int, served, at int64) storedEvent { // counted before, or void
		return storedEvent{eventID{"u", popup, action, served}, at, true}
	}
	nobodys := func(r storedEvent) storedEvent { // of a user who was reset
		r.user = ""
		return r
	}
	shown := try(0, "poll", acked, 1_000_005)
	impressed := row(impression, 1_000_005, 1_000_005)
	popups := map[uint32]*popupSpec{popup: {key: "p", afterImpression: time.Second, afterClick: 2 * time.Second, afterDismiss: time.Second, maxImpressions: 2}}

	for _, c := range []struct {
		name     string
		attempts []attempt
		rows     []storedEvent
		want     string // a part of the findings; empty: all is well
	}{
		{"as told", []attempt{shown}, []storedEvent{impressed}, ""},
		{"an impression is lost", []attempt{shown}, nil, "1 lost"},
		{"an impression is there twice", []attempt{shown}, []storedEvent{impressed, impressed}, "1 counted twice"},
		{"a click is lost", []attempt{shown, try(20, "click", acked, 1_000_005)}, []storedEvent{impressed}, "1 lost"},
		{"a repeated click is not recorded", []attempt{shown, try(20, "click", acked, 1_000_005), try(40, "click", acked, 1_000_005)},
			[]storedEvent{impressed, row(2, 1_000_005, 1_000_025)}, "1 lost"},
		{"a poll is told twice", []attempt{shown, try(20, "poll", acked, 1_000_005)}, []storedEvent{impressed}, ""},
		{"a click of a while ago", []attempt{shown, ago(5000, "click", unknown, 4000)}, []storedEvent{impressed, row(2, 1_000_005, 1_001_005)}, ""},
		{"a click of before it was reported", []attempt{shown, ago(5000, "click", unknown, 3000)}, []storedEvent{impressed, row(2, 1_000_005, 1_001_005)}, "1 invented"},
		{"a click is counted twice", []attempt{shown, try(20, "click", acked, 1_000_005), try(40, "click", acked, 1_000_005)},
			[]storedEvent{impressed, row(2, 1_000_005, 1_000_025), row(2, 1_000_005, 1_000_045)}, "1 counted twice"},
		{"a click is sent again to a server that does not know", []attempt{shown, try(20, "click", acked, 1_000_005), try(40, "click", acked, 1_000_005)},
			[]storedEvent{impressed, row(2, 1_000_005, 1_000_025), again(2, 1_000_005, 1_000_045)}, ""},
		{"a click on an older impression", []attempt{shown, try(2000, "poll", unknown, 0), try(2020, "click", acked, 1_000_005)},
			[]storedEvent{impressed, row(impression, 1_002_005, 1_002_005), row(2, 1_000_005, 1_002_025)}, ""},
		{"a click on an older impression is lost", []attempt{shown, try(2000, "poll", unknown, 0), try(2020, "click", acked, 1_000_005)},
			[]storedEvent{impressed, row(impression, 1_002_005, 1_002_005)}, "1 lost"},
		{"a view is lost", []attempt{shown, try(20, "view", acked, 1_000_005)}, []storedEvent{impressed}, "1 lost"},
		{"before a reset", []attempt{shown, try(20, "click", acked, 1_000_005), try(50, "reset", acked, 0)},
			[]storedEvent{nobodys(impressed), row(2, 1_000_005, 1_000_025)}, ""},
		{"before a reset, committed after it", []attempt{shown, try(20, "click", acked, 1_000_005), try(50, "reset", acked, 0)},
			[]storedEvent{nobodys(impressed), nobodys(again(2, 1_000_005, 1_000_025))}, ""},
		{"before a reset, and lost", []attempt{shown, try(20, "click", acked, 1_000_005), try(50, "reset", acked, 0)}, []storedEvent{nobodys(impressed)}, "1 lost"},
		{"before a reset that was refused", []attempt{shown, try(50, "reset", refused, 0)}, []storedEvent{nobodys(impressed)}, "1 lost"},
		{"after a reset", []attempt{shown, try(50, "reset", acked, 0), try(100, "click", void, 1_000_005)}, []storedEvent{nobodys(impressed)}, ""},
		{"after a reset, and committed", []attempt{shown, try(50, "reset", acked, 0), try(100, "click", void, 1_000_005)},
			[]storedEvent{nobodys(impressed), row(2, 1_000_005, 1_000_105)}, "1 invented"},
		{"shown soon after a reset", []attempt{shown, try(50, "reset", acked, 0), try(500, "poll", acked, 1_000_505)},
			[]storedEvent{nobodys(impressed), row(impression, 1_000_505, 1_000_505)}, ""},
		{"shown soon after a release", []attempt{shown, try(20, "release", acked, 1_000_005), try(500, "poll", acked, 1_000_505)},
			[]storedEvent{impressed, row(release, 1_000_005, 1_000_025), row(impression, 1_000_505, 1_000_505)}, ""},
		{"released, and never shown too often", []attempt{shown, try(20, "release", acked, 1_000_005), try(2000, "poll", acked, 1_002_005), try(4000, "poll", acked, 1_004_005)},
			[]storedEvent{impressed, row(release, 1_000_005, 1_000_025), row(impression, 1_002_005, 1_002_005), row(impression, 1_004_005, 1_004_005)}, ""},
		{"nobody asked", nil, []storedEvent{impressed}, "1 invented"},
		{"refused", []attempt{try(0, "poll", refused, 0)}, []storedEvent{impressed}, "1 invented"},
		{"there was nothing to show", []attempt{try(0, "poll", nothingShown, 0)}, []storedEvent{impressed}, "1 invented"},
		{"not answered, counted", []attempt{try(0, "poll", unknown, 0)}, []storedEvent{impressed}, ""},
		{"not answered, not counted", []attempt{try(0, "poll", unknown, 0)}, nil, ""},
		{"not answered, counted for two", []attempt{try(0, "poll", unknown, 0)},
			[]storedEvent{impressed, row(impression, 1_009_000, 1_000_006)}, "1 invented"},
		{"not answered, counted before it was asked", []attempt{try(5000, "poll", unknown, 0)}, []storedEvent{impressed}, "1 invented"},
		{"a click not answered", []attempt{shown, try(20, "click", unknown, 1_000_005)}, []storedEvent{impressed, row(2, 1_000_005, 1_000_025)}, ""},
		{"a click that nobody made", []attempt{shown}, []storedEvent{impressed, row(2, 1_000_005, 1_000_025)}, "1 invented"},
		{"a control group", []attempt{try(0, "poll", nothingShown, 0)}, []storedEvent{row(control, 1_000_005, 1_000_005)}, ""},
		{"a control group that nobody asked", []attempt{try(5000, "poll", nothingShown, 0)}, []storedEvent{row(control, 1_000_005, 1_000_005)}, "1 invented"},
		{"shown too soon", []attempt{shown, try(500, "poll", acked, 1_000_505)}, []storedEvent{impressed, row(impression, 1_000_505, 1_000_505)}, "1 shown though"},
		{"shown in time", []attempt{shown, try(1500, "poll", acked, 1_001_505)}, []storedEvent{impressed, row(impression, 1_001_505, 1_001_505)}, ""},
		{"shown too often", []attempt{shown, try(2000, "poll", acked, 1_002_005), try(4000, "poll", acked, 1_004_005)},
			[]storedEvent{impressed, row(impression, 1_002_005, 1_002_005), row(impression, 1_004_005, 1_004_005)}, "1 shown though"},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := checkHistory(c.attempts, c.rows, popups, nil).err(0)
			if (err != nil) != (c.want != "") || err != nil && !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
	popups[popup].confirm, popups[popup].maxImpressions = 500*time.Millisecond, 1
	for ms, want := range map[int64]string{300: "1 shown though", 600: ""} {
		back := []storedEvent{impressed, row(impression, 1_000_005+ms, 1_000_005+ms)}
		err := checkHistory([]attempt{shown, try(int(ms), "poll", acked, 1_000_005+ms)}, back, popups, nil).err(0)
		if (err != nil) != (want != "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("unconfirmed, and shown again after %d ms: got %v, want %q", ms, err, want)
		}
	}
	v := checkHistory([]attempt{shown}, nil, popups, nil)
	if err := v.err(1); err != nil {
		t.Errorf("a loss that was declared: %v", err)
	}
}

// TestSchedule: a schedule follows from its seed, brings each fault before any of
// them again, and keeps to systems that fit.
func TestSchedule(t *testing.T) {
	other := &layout{name: "other"}
	list := []fault{{name: "a"}, {name: "b", freshSystem: true}, {name: "c", layout: other}, {name: "d"}, {name: "e", layout: other, declaresLosses: true}}
	text := func(seed uint64) string {
		var b strings.Builder
		for _, a := range schedule(list, 50, seed) {
			fmt.Fprint(&b, a.layout.name, ":")
			for _, s := range a.iterations {
				fmt.Fprint(&b, " ", s.number, s.fault.name)
			}
			fmt.Fprintln(&b)
		}
		return b.String()
	}
	if a, b := text(1), text(1); a != b {
		t.Errorf("one seed, two schedules:\n%s\n%s", a, b)
	}
	if a, b := text(1), text(2); a == b {
		t.Errorf("two seeds, one schedule:\n%s", a)
	}
	times := make(map[string]int)
	numbers := make(map[int]bool)
	for _, a := range schedule(list, 50, 3) {
		if len(a.iterations) > maxIterations {
			t.Errorf("%d iterations in one system, want at most %d", len(a.iterations), maxIterations)
		}
		for _, s := range a.iterations {
			times[s.fault.name]++
			numbers[s.number] = true
			if s.fault.on() != a.layout {
				t.Errorf("%s runs on layout %s", s.fault.name, a.layout.name)
			}
			if (s.fault.freshSystem || s.fault.declaresLosses) && len(a.iterations) != 1 {
				t.Errorf("%s shares its system", s.fault.name)
			}
		}
	}
	if len(numbers) != 50 {
		t.Errorf("%d numbers, want 50", len(numbers))
	}
	for name, n := range times {
		if n != 10 {
			t.Errorf("%s comes %d times, want 10", name, n)
		}
	}
}
