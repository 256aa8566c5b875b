package frequency

import (
	"testing"
	"time"

	"github.com/popupd/popupd/popup"
)

// A repeat is recorded with the waits that are stored, so that it lengthens none, nor
// the gap, wherever its event is merged, and in whatever order.
func TestRepeat(t *testing.T) {
	confirmed := popup.Frequency{AfterImpressionSec: 3600, AfterClickSec: 7200, AfterDismissSec: 60, ConfirmSec: 60}
	for _, c := range []struct {
		name   string
		f      popup.Frequency
		action popup.Action
		waitMS int64 // from the first action; 0: it asks for none
	}{
		{"click", defaults, popup.Click, 30 * day},
		{"convert", defaults, popup.Convert, 30 * day},
		{"dismiss", defaults, popup.Dismiss, day},
		{"click that asks for ever", popup.Frequency{AfterClickSec: popup.Forever}, popup.Click, popup.Never},
		{"click that asks for nothing", popup.Frequency{}, popup.Click, 0},
		{"view", defaults, popup.View, 0},
		{"release", defaults, popup.Release, 0},
		{"view that confirms", confirmed, popup.View, hour},
		{"click that confirms", confirmed, popup.Click, 2 * hour},
	} {
		t.Run(c.name, func(t *testing.T) {
			table := New(Config{MinGap: time.Minute})
			shown := serve(t, table, "u", 7, &c.f, noon+30)
			first, o := act(table, shown, c.action, &c.f, noon+second+30)
			if o != Counted {
				t.Fatalf("outcome %d, want counted", o)
			}
			before := stateIn(table)

			// Another server has shown it in the same tick.
			shown.ServedAtMS += 50
			u := table.Lock(shown.User)
			again := popup.Event{User: shown.User, Popup: 7, ServedAtMS: shown.ServedAtMS, Action: c.action, AtMS: noon + 10*minute}
			x, o := u.Act(&again, &c.f, 0)
			u.Undo(x) // it could not be recorded: that takes nothing back
			u.Unlock()
			if after := stateIn(table); o != Repeated || after != before {
				t.Errorf("outcome %d, state %+v; want repeated, as before: %+v", o, after, before)
			}
			if again.Nth != first.Nth || again.AtMS > noon+10*minute || again.AtMS < noon {
				t.Errorf("the repeat is %+v, the first was %+v", again, first)
			}
			want := c.waitMS
			if 0 < want && want < popup.Never {
				want += noon + second + 30
			}
			if again.ReadyAtMS > want || again.ReadyAtMS <= want-tickMS && want > 0 {
				t.Errorf("it asks to wait until %d, want %d or at most 99 ms less", again.ReadyAtMS, want)
			}

			exact := first.State() // as the database has it
			exact.Merge(again.State())
			if s := first.State(); exact.ClickUntilMS > s.ClickUntilMS || exact.NextAtMS > s.NextAtMS {
				t.Errorf("beside the first action it waits until %d, %d, alone the first until %d, %d", exact.ClickUntilMS, exact.NextAtMS, s.ClickUntilMS, s.NextAtMS)
			}
			for _, events := range [][]popup.Event{{shown, first, again}, {again, first, shown}, {again, shown}} {
				other := New(Config{MinGap: time.Minute})
				for i := range events {
					other.Merge(&events[i])
				}
				s := stateIn(other)
				s.Last, s.AtMS = before.Last, before.AtMS
				if s != before {
					t.Errorf("elsewhere %+v\nwant      %+v", s, before)
				}
			}
		})
	}
}

// stateIn returns what the table knows of user u and popup 7.
func stateIn(table *Table) (s popup.State) {
	table.States([]byte("u"), func(_ uint32, known popup.State) { s = known })
	return s
}
