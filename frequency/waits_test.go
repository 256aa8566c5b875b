package frequency

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/popupd/popupd/popup"
)

// What AppendWaits says of a popup is what Check says, whatever has happened.
func TestWaitsAreThoseOfCheck(t *testing.T) {
	found := map[popup.Reason]int{}
	rapid.Check(t, func(t *rapid.T) {
		table, now, last := newTable(Config{}, 0), int64(noon), popup.Event{User: []byte("a"), Popup: 1, ServedAtMS: noon}
		for range rapid.IntRange(50, 150).Draw(t, "events") {
			now += rapid.SampledFrom([]int64{0, 100, second, minute, day}).Draw(t, "by")
			ev := drawEvent(t, now)
			if ev.Action.Bit() != 0 && rapid.Bool().Draw(t, "with the impression before") {
				ev.User, ev.Popup, ev.ServedAtMS = last.User, last.Popup, last.ServedAtMS
			}
			if rapid.IntRange(0, 99).Draw(t, "reset") == 0 {
				table.Merge(&popup.Event{User: ev.User, Action: popup.Reset, AtMS: now})
				continue
			}
			table.Merge(&ev)
			last = ev
		}
		for i, action := range []popup.Action{popup.Impression, popup.Click, popup.Dismiss} { // a user with a wait of each reason
			ev := popup.Event{User: []byte("g"), Popup: uint32(i + 1), ServedAtMS: now, AtMS: now, ReadyAtMS: now + 1000*day}
			table.Merge(&ev)
			if action == popup.Impression {
				continue
			}
			ev.Action = action
			if action == popup.Click {
				ev.ClickUntilMS = ev.ReadyAtMS
			}
			table.Merge(&ev)
		}
		now += drawStep.Draw(t, "later") - drawStep.Draw(t, "set back")
		until := now + rapid.SampledFrom([]int64{1, 100, minute, hour}).Draw(t, "long")
		for _, user := range []string{"a", "b", "c", "d", "e", "f", "g"} {
			u := table.Lock([]byte(user))
			for _, w := range u.AppendWaits(nil, now, until) {
				id := w.Popup()
				if id == resetID { // which is no popup's
					continue
				}
				_, e := u.entry(id)
				v := u.Check(id, &popup.Frequency{}, now)
				if v.Reason != w.Reason() || v.ReadyAtMS < until || (v.ReadyAtMS == popup.Never) != w.Forever() || w.Seen() != e.seen() {
					t.Fatalf("popup %d until %d: got %v, for ever %v, seen %d; check says %+v, seen %d", id, until-now, w.Reason(), w.Forever(), w.Seen(), v, e.seen())
				}
				found[w.Reason()]++
			}
			u.Unlock()
		}
	})
	for _, reason := range []popup.Reason{popup.CooldownClick, popup.CooldownDismiss, popup.CooldownImpression} {
		if found[reason] == 0 {
			t.Errorf("no wait with the reason %v", reason)
		}
	}
}

// All popups that were shown and wait are found, and those of which it is known that they were
// clicked or dismissed; not those that return soon, nor any of a user with another id before.
func TestWaitsOfAnOrdinaryUser(t *testing.T) {
	table := newTable(Config{}, 0)
	for id := range uint32(100) {
		wait := hour
		if id%10 == 9 {
			wait = minute
		}
		s := popup.State{Impressions: 1, ServedAtMS: noon, ShownAtMS: noon, Last: popup.Impression, AtMS: noon, NextAtMS: noon + wait}
		if !table.Restore([]byte("a"), id+1, s) {
			t.Fatal("no memory")
		}
	}
	u := table.Lock([]byte("a"))
	got := u.AppendWaits(nil, noon+second, noon+2*minute)
	u.Unlock()
	if len(got) != 90 {
		t.Errorf("%d waits, want 90", len(got))
	}
	u = table.LockBoth([]byte("a"), []byte("b"))
	defer u.Unlock()
	if got := u.AppendWaits(nil, noon+second, noon+2*minute); len(got) != 0 {
		t.Errorf("%d waits of a user with two ids, want none", len(got))
	}
}

// The slots of a user are found however many there are.
func TestRunOfManySlots(t *testing.T) {
	for _, n := range []int{0, 1, 15, 16, 17, 31, 32, 33, 100, 1000} {
		table := newTable(Config{}, 0)
		for _, user := range []string{"a", "b", "c"} {
			for id := range uint32(n) {
				table.Restore([]byte(user), id+1, popup.State{ServedAtMS: noon, AtMS: noon, Last: popup.Impression})
			}
			table.shards[0].check(t)
		}
		for _, user := range []string{"a", "b", "c"} {
			u := table.Lock([]byte(user))
			if got := u.hi - u.lo; got != n {
				t.Errorf("user %s: %d slots, want %d", user, got, n)
			}
			u.Unlock()
		}
	}
}
