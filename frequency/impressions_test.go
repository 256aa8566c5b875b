package frequency

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/popupd/popupd/popup"
)

// capped are caps in force, and which of them cover a popup.
type capped struct {
	caps []popup.Cap
	of   map[uint32]popup.CapSet
	era  uint64
}

func (c *capped) Caps() []popup.Cap             { return c.caps }
func (c *capped) CapsOf(id uint32) popup.CapSet { return c.of[id] }
func (c *capped) CapsEra() uint64               { return c.era }

// keep is for [Table.KeepImpressions].
func (c *capped) keep(id uint32) (ms int64) {
	for i, limit := range c.caps {
		if c.of[id]&(1<<i) != 0 {
			ms = max(ms, 1000*limit.PerSec)
		}
	}
	return ms
}

// hourly covers the popups 1 to 3 with a cap of two an hour, and 2 also with one a day.
var hourly = &capped{
	caps: []popup.Cap{{Key: "hourly", Max: 2, PerSec: 3600}, {Key: "daily", Max: 1, PerSec: 86400}},
	of:   map[uint32]popup.CapSet{1: 1, 2: 3, 3: 1},
	era:  1,
}

func newCapped(c *capped) *Table {
	table := New(Config{})
	table.KeepImpressions(c.keep)
	return table
}

// expectCaps fails unless the caps let the user see a popup at nowMS, or only at ready.
func expectCaps(t *testing.T, user User, id uint32, nowMS, ready int64) {
	t.Helper()
	var v Verdict
	user.CheckCaps(&v, hourly.of[id], new(FullCaps), hourly, nowMS)
	user.Unlock()
	want := Verdict{}
	if ready > 0 {
		want = Verdict{Reason: popup.CapFull, ReadyAtMS: ready}
	}
	if v != want {
		t.Errorf("popup %d %v after noon: %+v, want %+v", id, time.Duration(nowMS-noon)*time.Millisecond, v, want)
	}
}

func TestCaps(t *testing.T) {
	table := newCapped(hourly)
	lock := func() User { return table.Lock([]byte("u")) }
	const end = noon + hour + tickMS - 1 // of the first impression
	expectCaps(t, lock(), 1, noon, 0)
	first := serve(t, table, "u", 1, &popup.Frequency{}, noon)
	expectCaps(t, lock(), 1, noon, 0)
	serve(t, table, "u", 4, &popup.Frequency{}, noon+second) // no cap counts it
	second1 := serve(t, table, "u", 3, &popup.Frequency{}, noon+minute)
	expectCaps(t, lock(), 1, noon+minute, end)
	expectCaps(t, lock(), 2, noon+minute, end)
	expectCaps(t, lock(), 4, noon+minute, 0)
	expectCaps(t, lock(), 1, end-1, end)
	expectCaps(t, lock(), 1, end, 0) // rolling: the second one goes on counting
	third := serve(t, table, "u", 2, &popup.Frequency{}, end)
	expectCaps(t, lock(), 1, end, second1.ServedAtMS+hour+tickMS-1)
	expectCaps(t, lock(), 2, end, down(third.ServedAtMS)+day+tickMS-1) // the last one to open counts

	act(table, second1, popup.Release, &popup.Frequency{}, end+second) // gives back
	expectCaps(t, lock(), 1, end+second, 0)
	act(table, first, popup.Click, &popup.Frequency{}, end+second) // counts already
	expectCaps(t, lock(), 1, end+second, 0)
	table.Merge(&second1) // does not come back
	expectCaps(t, lock(), 1, end+second, 0)
}

func TestCapsCountWhatWasSeen(t *testing.T) {
	for name, c := range map[string]struct {
		do   func(t *testing.T, table *Table)
		full bool
	}{
		"twice": {func(t *testing.T, table *Table) {
			serve(t, table, "u", 1, &popup.Frequency{}, noon)
			serve(t, table, "u", 1, &popup.Frequency{}, noon)
		}, true},
		"once and a control": {func(t *testing.T, table *Table) {
			serve(t, table, "u", 1, &popup.Frequency{}, noon)
			table.Merge(&popup.Event{User: []byte("u"), Popup: 1, Action: popup.Control, AtMS: noon + second, ServedAtMS: noon + second, Nth: 1})
		}, false},
		"once and unconfirmed": {func(t *testing.T, table *Table) {
			serve(t, table, "u", 1, &popup.Frequency{}, noon)
			serve(t, table, "u", 3, &popup.Frequency{ConfirmSec: 60}, noon+second)
		}, false},
		"once and confirmed": {func(t *testing.T, table *Table) {
			serve(t, table, "u", 1, &popup.Frequency{}, noon)
			ev := serve(t, table, "u", 3, &popup.Frequency{ConfirmSec: 60}, noon+second)
			act(table, ev, popup.View, &popup.Frequency{ConfirmSec: 60}, noon+2*second)
		}, true},
		"an action before its impression": {func(t *testing.T, table *Table) {
			for _, a := range []popup.Action{popup.Click, popup.Impression} {
				for at := range int64(2) {
					table.Merge(&popup.Event{User: []byte("u"), Popup: 1, Action: a, AtMS: noon + at*second, ServedAtMS: noon + at*second, Nth: 1})
				}
			}
		}, true},
		"of another user": {func(t *testing.T, table *Table) {
			serve(t, table, "u", 1, &popup.Frequency{}, noon)
			serve(t, table, "v", 1, &popup.Frequency{}, noon)
		}, false},
		"of the id before": {func(t *testing.T, table *Table) {
			serve(t, table, "u", 1, &popup.Frequency{}, noon)
			serve(t, table, "prior", 1, &popup.Frequency{}, noon)
		}, true},
		"undone": {func(t *testing.T, table *Table) {
			serve(t, table, "u", 1, &popup.Frequency{}, noon)
			user := table.Lock([]byte("u"))
			defer user.Unlock()
			undo, _ := user.Serve(&popup.Event{User: []byte("u"), Popup: 3, Action: popup.Impression, AtMS: noon}, &popup.Frequency{})
			user.Undo(undo)
		}, false},
		"a release undone": {func(t *testing.T, table *Table) {
			serve(t, table, "u", 1, &popup.Frequency{}, noon)
			ev := serve(t, table, "u", 1, &popup.Frequency{}, noon)
			ev.Action, ev.AtMS = popup.Release, noon+second
			user := table.Lock([]byte("u"))
			defer user.Unlock()
			undo, _ := user.Act(&ev, &popup.Frequency{}, 0)
			user.Undo(undo)
		}, true},
		"reset": {func(t *testing.T, table *Table) {
			ev := serve(t, table, "u", 1, &popup.Frequency{}, noon)
			serve(t, table, "u", 3, &popup.Frequency{}, noon+second)
			table.Merge(&popup.Event{User: []byte("u"), Action: popup.Reset, AtMS: noon})
			table.Merge(&ev)
		}, false},
		"restored": {func(t *testing.T, table *Table) {
			for i, acted := range []uint8{0, popup.Click.Bit(), popup.Release.Bit(), popup.Unconfirmed} {
				table.RestoreImpression([]byte("u"), 1, noon+int64(i)*second, acted)
			}
		}, true},
		"restored, released and clicked": {func(t *testing.T, table *Table) { // what was clicked was shown
			for i, acted := range []uint8{0, popup.Click.Bit() | popup.Release.Bit()} {
				table.RestoreImpression([]byte("u"), 1, noon+int64(i)*second, acted)
			}
		}, true},
		"restored, released and unconfirmed": {func(t *testing.T, table *Table) {
			for i, acted := range []uint8{0, popup.View.Bit() | popup.Release.Bit(), popup.Release.Bit(), popup.Unconfirmed} {
				table.RestoreImpression([]byte("u"), 1, noon+int64(i)*second, acted)
			}
		}, false},
		"named by a clock that was wrong": {func(t *testing.T, table *Table) {
			for range 2 {
				serve(t, table, "u", 1, &popup.Frequency{}, noon+30*day)
			}
		}, false},
		"in one answer, unconfirmed": {func(t *testing.T, table *Table) {
			user := table.Lock([]byte("u"))
			defer user.Unlock()
			var full FullCaps
			user.CountUnconfirmed(1, &full)
			var v Verdict
			if user.CheckCaps(&v, 1, &full, hourly, noon); v.Reason != popup.Eligible {
				t.Errorf("after one of two: %v", v.Reason)
			}
			user.CountUnconfirmed(1, &full)
			if user.CheckCaps(&v, 1, &full, hourly, noon); v != (Verdict{Reason: popup.CapFull, ReadyAtMS: noon + hour + tickMS - 1}) {
				t.Errorf("after two of two: %+v", v)
			}
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			table := newCapped(hourly)
			c.do(t, table)
			user := table.LockBoth([]byte("u"), []byte("prior"))
			defer user.Unlock()
			var v Verdict
			user.CheckCaps(&v, 1, new(FullCaps), hourly, noon+minute)
			if got := v.Reason == popup.CapFull; got != c.full {
				t.Errorf("full %v, want %v", got, c.full)
			}
		})
	}
}

// Impressions take memory only while a cap covers them and they are young enough, and
// none of it is kept without caps.
func TestImpressionsAreReclaimed(t *testing.T) {
	table := newCapped(hourly)
	users, now := 1000, int64(noon)
	for n := range users {
		serve(t, table, fmt.Sprint(n), uint32(1+n%4), &popup.Frequency{}, now)
	}
	kept := func() (n int) {
		for i := range table.seen {
			n += table.seen[i].used
		}
		return n
	}
	if got, want := kept(), users*3/4; got != want {
		t.Errorf("%d impressions are kept, want %d", got, want)
	}
	sweepAll(table, now+hour)
	if got, want := kept(), users*3/4; got != want {
		t.Errorf("%d after an hour, want %d", got, want)
	}
	sweepAll(table, now+2*hour)
	if got, want := kept(), users/4; got != want {
		t.Errorf("%d after two hours, want %d: those with a cap a day", got, want)
	}
	table.KeepImpressions(nil)
	sweepAll(table, now+2*hour)
	slots := int64(0)
	for i := range table.shards {
		slots += footprint(len(table.shards[i].slots))
	}
	if got := table.bytes.Load(); kept() != 0 || got != slots {
		t.Errorf("without caps: %d impressions, %d bytes; want none and %d", kept(), got, slots)
	}
}

// Of a user the newest are kept, whatever the order in which they come.
func TestNewestImpressions(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var events []popup.Event
		n := rapid.IntRange(1, 2*maxImpressions).Draw(t, "impressions")
		for i := range n {
			at := noon + int64(i)*second
			events = append(events, popup.Event{User: []byte("u"), Popup: 1, Action: popup.Impression, AtMS: at, ServedAtMS: at, Nth: 1})
			if n <= maxImpressions && rapid.Bool().Draw(t, "released") { // beyond, released ones go first
				events = append(events, popup.Event{User: []byte("u"), Popup: 1, Action: popup.Release, AtMS: at + 5, ServedAtMS: at})
			}
		}
		again := rapid.SliceOf(rapid.SampledFrom(events)).Draw(t, "delivered twice")
		one, other := newCapped(hourly), newCapped(hourly)
		for i := range events {
			one.Merge(&events[i])
		}
		for _, ev := range rapid.Permutation(slices.Concat(events, again)).Draw(t, "order") {
			other.Merge(&ev)
		}
		got, want := impressionsOf(other, "u"), impressionsOf(one, "u")
		if !slices.Equal(got, want) || len(got) != min(n, maxImpressions) {
			t.Fatalf("%d in another order, %d in order, of %d:\n%x\n%x", len(got), len(want), n, got, want)
		}
	})
}

// impressionsOf returns the slots of a user's impressions.
func impressionsOf(table *Table, user string) []slot {
	u := table.Lock([]byte(user))
	defer u.Unlock()
	return slices.Clone(u.t.impressionsOf(u.hash).of(u.hash))
}

// Where the budget is reached a popup is not served rather than served uncounted, and
// nothing is left of it.
func TestImpressionsInAFullTable(t *testing.T) {
	table := New(Config{MaxBytes: 2 << 20})
	table.KeepImpressions(hourly.keep)
	for n := range 1_000_000 {
		name := fmt.Append(nil, n)
		user := table.Lock(name)
		ev := popup.Event{User: name, Popup: 1, Action: popup.Impression, AtMS: noon}
		_, ok := user.Serve(&ev, &popup.Frequency{})
		known := user.Known()
		user.Unlock()
		if kept := len(impressionsOf(table, string(name))); ok != known || ok != (kept == 1) {
			t.Fatalf("served %v, known %v, %d impressions", ok, known, kept)
		}
		if bytes := table.bytes.Load(); bytes > table.maxBytes {
			t.Fatalf("%d bytes of %d", bytes, table.maxBytes)
		}
		if table.Refused() > 1000 {
			return
		}
	}
	t.Error("nothing was refused")
}
