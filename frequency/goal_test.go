package frequency

import (
	"testing"
	"time"

	"github.com/popupd/popupd/popup"
)

// reach asks at nowMS whether a goal of an hour may count for popup 7.
func reach(table *Table, user string, nowMS int64) (popup.Event, bool) {
	ev := popup.Event{User: []byte(user), Popup: 7, Version: 1, Action: popup.Goal, AtMS: nowMS}
	u := table.Lock(ev.User)
	defer u.Unlock()
	ok := u.Reach(&ev, time.Hour)
	return ev, ok
}

// A goal may count from its exposure to the end of the window, which begins with a tick.
func TestReach(t *testing.T) {
	const late, early = noon + 50, noon + 20 // within one tick
	for name, c := range map[string]struct {
		served      int64
		now         int64
		want        bool
		at, earlier int64 // of the event
	}{
		"at once":                        {noon, noon, true, noon + 99, noon - hour},
		"half an hour later":             {noon, noon + hour/2, true, noon + hour/2, noon - hour/2},
		"in the last tick of the window": {noon, noon + hour + 99, true, noon + hour + 99, noon},
		"after the window":               {noon, noon + hour + 100, false, 0, 0},
		"earlier in the same tick":       {late, early, true, noon + 99, noon - hour},
		"by a clock that is behind":      {noon + 10*second, noon, true, noon + 10*second + 99, noon + 10*second - hour},
		"served by a clock a day ahead":  {noon + 25*hour, noon, false, 0, 0},
	} {
		for _, action := range []popup.Action{popup.Impression, popup.Control, popup.Click, popup.Release} {
			table := New(Config{})
			table.Restore([]byte("u"), 7, popup.State{ServedAtMS: c.served, AtMS: c.served, Last: action, Acted: action.Bit()})
			ev, ok := reach(table, "u", c.now)
			if ok != c.want || ok && (ev.AtMS != c.at || ev.ServedAtMS != c.earlier || ev.ReadyAtMS != c.served-c.served%tickMS) {
				t.Errorf("%s, %s: %v at %d from %d on, the latest at %d; want %v at %d from %d on, the latest in the tick of %d",
					name, action, ok, ev.AtMS, ev.ServedAtMS, ev.ReadyAtMS, c.want, c.at, c.earlier, c.served)
			}
		}
	}
}

func TestReachOfNothing(t *testing.T) {
	table := New(Config{})
	if _, ok := reach(table, "u", noon); ok {
		t.Error("a user of whom nothing is known")
	}
	s := popup.State{ServedAtMS: noon, AtMS: noon, Last: popup.Impression}
	table.Restore([]byte("u"), 8, s)
	if _, ok := reach(table, "u", noon); ok {
		t.Error("another popup")
	}
	table.Restore([]byte("u"), 7, s)
	table.Merge(&popup.Event{User: []byte("u"), Action: popup.Reset, AtMS: ResetAt(noon)})
	if _, ok := reach(table, "u", noon+second); ok {
		t.Error("an exposure before a reset")
	}
}

// A goal changes nothing that is remembered, in whatever order it is merged.
func TestGoalIsNoState(t *testing.T) {
	table := New(Config{})
	goal := popup.Event{User: []byte("u"), Popup: 7, Version: 1, Action: popup.Goal, AtMS: noon, ServedAtMS: noon - hour}
	table.Merge(&goal)
	if n := table.entries(); n != 0 {
		t.Errorf("%d entries, want none", n)
	}
	serve(t, table, "u", 7, &defaults, noon)
	before := states(table, "u")
	goal.AtMS = noon + second
	table.Merge(&goal)
	if after := states(table, "u"); after != before {
		t.Errorf("%+v, want %+v", after, before)
	}
}

// states returns what is known of one user and popup 7.
func states(table *Table, user string) (s popup.State) {
	table.States([]byte(user), func(_ uint32, known popup.State) { s = known })
	return s
}
