package popup

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// drawState draws from few values, so that ties are common.
func drawState(t *rapid.T, name string) State {
	small := rapid.Int64Range(0, 3)
	e := Event{
		AtMS: small.Draw(t, name+" at"), ServedAtMS: small.Draw(t, name+" served at"),
		Action: rapid.SampledFrom([]Action{Impression, Click, Dismiss, Convert, Control, View, Release, Goal}).Draw(t, name+" action"),
		Nth:    uint32(small.Draw(t, name+" nth")), ReadyAtMS: small.Draw(t, name+" ready at"),
	}
	switch e.Action {
	case Click, Convert:
		e.ClickUntilMS = e.ReadyAtMS
	case Release:
		e.ReadyAtMS = 0
	}
	return e.State()
}

func merged(states ...State) State {
	var s State
	for _, o := range states {
		s.Merge(o)
	}
	return s
}

func TestMergeIsOrderFree(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b, c := drawState(t, "a"), drawState(t, "b"), drawState(t, "c")
		if x, y := merged(a, b), merged(b, a); x != y {
			t.Fatalf("a+b = %+v\nb+a = %+v", x, y)
		}
		left, right := merged(a, b), merged(b, c)
		left.Merge(c)
		a2 := a
		a2.Merge(right)
		if left != a2 {
			t.Fatalf("(a+b)+c = %+v\na+(b+c) = %+v", left, a2)
		}
		if x, y := merged(a, b, a, b, b), merged(a, b); x != y {
			t.Fatalf("repeated = %+v\nonce     = %+v", x, y)
		}
	})
}

// What users did, in the order in which it happened and in the reverse of it.
func TestWaitsOfStates(t *testing.T) {
	const wait = 1000
	shown := func(served int64, nth uint32) Event {
		return Event{AtMS: served, ServedAtMS: served, Action: Impression, Nth: nth, ReadyAtMS: served + wait}
	}
	did := func(a Action, served, at, ready int64) Event {
		e := Event{AtMS: at, ServedAtMS: served, Action: a, ReadyAtMS: ready}
		if a == Click || a == Convert {
			e.ClickUntilMS = ready
		}
		return e
	}
	control := func(served int64) Event {
		return Event{AtMS: served, ServedAtMS: served, Action: Control, Nth: 1, ReadyAtMS: served + wait}
	}
	served := Event{AtMS: 10, ServedAtMS: 10, Action: Impression, ReadyAtMS: 70} // to be confirmed within 60
	viewed := Event{AtMS: 30, ServedAtMS: 10, Action: View, Nth: 1, ReadyAtMS: 30 + wait}
	for _, c := range []struct {
		name   string
		events []Event
		next   int64
		seen   uint32
		seenAt int64
	}{
		{"shown", []Event{shown(10, 1)}, 10 + wait, 1, 10},
		{"a click ends the wait of its impression", []Event{shown(10, 1), did(Click, 10, 20, 30)}, 30, 1, 10},
		{"a dismiss does not shorten a click", []Event{shown(10, 1), did(Click, 10, 20, 3000), did(Dismiss, 10, 30, 50)}, 3000, 1, 10},
		{"nor a click a dismiss", []Event{shown(10, 1), did(Dismiss, 10, 20, Never), did(Click, 10, 30, 3000), did(Convert, 10, 40, 50)}, Never, 1, 10},
		{"a click on an older impression", []Event{shown(10, 1), shown(2000, 2), did(Click, 10, 2010, 5000)}, 5000, 2, 2000},
		{"a shorter one", []Event{shown(10, 1), shown(2000, 2), did(Click, 10, 2010, 2500)}, 2000 + wait, 2, 2000},
		{"a newer impression does not end it", []Event{shown(10, 1), did(Dismiss, 10, 20, 5000), shown(2000, 2)}, 5000, 2, 2000},
		{"a view changes no wait", []Event{shown(10, 1), did(View, 10, 20, 0)}, 10 + wait, 1, 10},
		{"released", []Event{shown(10, 1), did(Release, 10, 20, 0)}, 0, 0, 0},
		{"released and served again", []Event{shown(10, 1), did(Release, 10, 20, 0), shown(30, 1)}, 30 + wait, 1, 30},
		{"an older one released", []Event{shown(10, 1), shown(2000, 2), did(Release, 10, 2010, 0)}, 2000 + wait, 2, 2000},
		{"released while a click's wait runs", []Event{shown(10, 1), did(Click, 10, 20, 5000), shown(2000, 2), did(Release, 2000, 2010, 0)}, 5000, 1, 0},
		{"released, though it was clicked", []Event{shown(10, 1), did(Click, 10, 20, 30), did(Release, 10, 40, 0)}, 30, 1, 10},
		{"a control", []Event{shown(10, 1), control(2000)}, 2000 + wait, 1, 10},
		{"to be confirmed", []Event{served}, 70, 0, 0},
		{"confirmed by a view", []Event{served, viewed}, 30 + wait, 1, 30},
		{"confirmed and released", []Event{served, viewed, did(Release, 10, 40, 0)}, 0, 0, 0},
		{"to be confirmed and released", []Event{served, did(Release, 10, 40, 0)}, 0, 0, 0},
		{"to be confirmed, after another", []Event{shown(1, 1), served, did(Release, 10, 40, 0)}, 0, 1, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			for range 2 {
				var states []State
				for _, e := range c.events {
					states = append(states, e.State())
				}
				s := merged(states...)
				if s.NextAtMS != c.next || s.Seen() != c.seen || s.SeenAtMS() != c.seenAt {
					t.Errorf("next at %d, seen %d times, at %d; want %d, %d, %d\n%+v", s.NextAtMS, s.Seen(), s.SeenAtMS(), c.next, c.seen, c.seenAt, s)
				}
				slices.Reverse(c.events)
			}
		})
	}
}

// What earlier releases stored: a dismiss's wait is in NextAtMS alone, and there
// is no ShownAtMS.
func TestStatesOfEarlierReleases(t *testing.T) {
	s := State{Impressions: 2, ServedAtMS: 10, Acted: Dismiss.Bit(), Last: Dismiss, AtMS: 20, NextAtMS: 500}
	s.Upgrade()
	if s.ShownAtMS != 10 {
		t.Errorf("shown at %d, want when it was served, 10", s.ShownAtMS)
	}
	s.Merge((&Event{AtMS: 30, ServedAtMS: 30, Action: Impression, Nth: 3, ReadyAtMS: 40}).State())
	if s.NextAtMS != 500 || s.ClickUntilMS != 500 {
		t.Errorf("next at %d, asked until %d; want the dismiss's wait to hold", s.NextAtMS, s.ClickUntilMS)
	}
	control := State{Impressions: 1, ServedAtMS: 10, Last: Control, AtMS: 10, NextAtMS: 500}
	control.Upgrade()
	if control.ShownAtMS != 0 {
		t.Errorf("a control was shown at %d", control.ShownAtMS)
	}
}

// Whatever of some events has arrived, in whatever order they happened.
func TestUpgradeLeavesStatesOfThisRelease(t *testing.T) {
	var all []Event
	for _, at := range []int64{10, 20, 30} {
		all = append(all,
			Event{AtMS: at, ServedAtMS: at, Action: Impression, ReadyAtMS: at + 5}, // to be confirmed
			Event{AtMS: at, ServedAtMS: at, Action: Impression, Nth: 2, ReadyAtMS: at + 5},
			Event{AtMS: at, ServedAtMS: at, Action: Control, ReadyAtMS: at + 5},
			Event{AtMS: at + 15, ServedAtMS: at, Action: Release, Nth: 3},
			Event{AtMS: at + 15, ServedAtMS: at, Action: View, Nth: 1, ReadyAtMS: at + 20},
			Event{AtMS: at + 15, ServedAtMS: at, Action: Click, Nth: 1, ReadyAtMS: at + 20},
		)
	}
	for _, a := range all {
		for _, b := range all {
			for _, c := range all {
				s := merged(a.State(), b.State(), c.State())
				up := s
				if up.Upgrade(); up != s {
					t.Fatalf("%+v becomes %+v", s, up)
				}
			}
		}
	}
}

func TestUntil(t *testing.T) {
	for _, c := range []struct{ now, sec, want int64 }{
		{1000, 0, 1000},
		{1000, 2, 3000},
		{1000, Forever, Never},
		{1000, 1 << 60, Never},
	} {
		if got := Until(c.now, c.sec); got != c.want {
			t.Errorf("Until(%d, %d) = %d, want %d", c.now, c.sec, got, c.want)
		}
	}
}

func TestValidUserID(t *testing.T) {
	long := make([]byte, MaxUserID+1)
	for i := range long {
		long[i] = 'x'
	}
	for _, c := range []struct {
		id   string
		want bool
	}{
		{"u", true}, {"用户-1", true}, {"a b", true}, {string(long[:MaxUserID]), true}, {"\u00a0", true}, {"\ufffd", true},
		{"", false}, {string(long), false}, {"a\nb", false}, {"a\x00", false}, {"\x7f", false}, {"\u0085", false}, {"\xff", false}, {"a\xe2\x82", false},
	} {
		if got := ValidUserID([]byte(c.id)); got != c.want {
			t.Errorf("ValidUserID(%q) = %v, want %v", c.id, got, c.want)
		}
	}
}
