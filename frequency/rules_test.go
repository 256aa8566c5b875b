package frequency

import (
	"sync"
	"testing"
	"time"

	"github.com/popupd/popupd/popup"
)

const (
	second = int64(1000)
	minute = 60 * second
	hour   = 60 * minute
	day    = 24 * hour

	noon = epochMS + 500*day + 12*hour // where the tests' clock starts
)

// defaults are the waits of a popup whose operator gave none.
var defaults = popup.Frequency{AfterClickSec: 30 * 86400, AfterDismissSec: 86400, AfterImpressionSec: 86400}

// serve records that a popup is shown and returns the event.
func serve(t testing.TB, table *Table, user string, id uint32, f *popup.Frequency, nowMS int64) popup.Event {
	t.Helper()
	u := table.Lock([]byte(user))
	defer u.Unlock()
	ev := popup.Event{User: []byte(user), Popup: id, Version: 1, Variant: []byte("a"), Action: popup.Impression, AtMS: nowMS}
	if _, ok := u.Serve(&ev, f); !ok {
		t.Fatalf("no memory to serve popup %d to %s", id, user)
	}
	return ev
}

// act records what the user did with an impression.
func act(table *Table, shown popup.Event, a popup.Action, f *popup.Frequency, nowMS int64) (popup.Event, Outcome) {
	u := table.Lock(shown.User)
	defer u.Unlock()
	ev := popup.Event{User: shown.User, Popup: shown.Popup, Version: 1, Variant: shown.Variant, ServedAtMS: shown.ServedAtMS, Action: a, AtMS: nowMS}
	_, o := u.Act(&ev, f, 0)
	return ev, o
}

func check(table *Table, user string, id uint32, f *popup.Frequency, nowMS int64) Verdict {
	u := table.Lock([]byte(user))
	defer u.Unlock()
	return u.Check(id, f, nowMS)
}

// expect fails unless the popup is stopped by reason, and if it is stopped at
// all until readyMS.
func expect(t *testing.T, table *Table, user string, id uint32, f *popup.Frequency, nowMS int64, reason popup.Reason, readyMS int64) {
	t.Helper()
	v := check(table, user, id, f, nowMS)
	if v.Reason != reason {
		t.Errorf("%v after noon: %v, want %v", time.Duration(nowMS-noon)*time.Millisecond, v.Reason, reason)
	}
	if reason == popup.Eligible && v.ReadyAtMS > nowMS {
		t.Errorf("eligible at %d but ready at %d", nowMS, v.ReadyAtMS)
	}
	if reason != popup.Eligible && v.ReadyAtMS != readyMS {
		t.Errorf("ready %v after noon, want %v", time.Duration(v.ReadyAtMS-noon)*time.Millisecond, time.Duration(readyMS-noon)*time.Millisecond)
	}
}

func TestShownAndNotClickedReturnsAfter24Hours(t *testing.T) {
	table := New(Config{})
	expect(t, table, "u", 7, &defaults, noon, popup.Eligible, 0)
	serve(t, table, "u", 7, &defaults, noon)
	for _, now := range []int64{noon, noon + 1, noon + hour, noon + day - 1} {
		expect(t, table, "u", 7, &defaults, now, popup.CooldownImpression, noon+day)
	}
	expect(t, table, "u", 7, &defaults, noon+day, popup.Eligible, 0)
	expect(t, table, "another", 7, &defaults, noon, popup.Eligible, 0)
}

func TestClickedDoesNotReturnBeforeTheClickCooldownIsOver(t *testing.T) {
	table := New(Config{})
	shown := serve(t, table, "u", 7, &defaults, noon)
	clicked, o := act(table, shown, popup.Click, &defaults, noon+minute)
	if o != Counted {
		t.Fatalf("click: outcome %d, want counted", o)
	}
	back := noon + minute + 30*day
	if clicked.ReadyAtMS != back || clicked.ClickUntilMS != back || clicked.Nth != 1 {
		t.Errorf("click: ready at %d, click until %d, nth %d; want %d, %d, 1", clicked.ReadyAtMS, clicked.ClickUntilMS, clicked.Nth, back, back)
	}
	for _, now := range []int64{noon + minute, noon + day, noon + 2*day, back - 1} {
		expect(t, table, "u", 7, &defaults, now, popup.CooldownClick, back)
	}
	expect(t, table, "u", 7, &defaults, back, popup.Eligible, 0)
}

func TestNothingLeftMeansWait(t *testing.T) {
	table := New(Config{})
	for id := uint32(1); id <= 3; id++ {
		serve(t, table, "u", id, &defaults, noon+int64(id)*minute)
	}
	for id := uint32(1); id <= 3; id++ {
		expect(t, table, "u", id, &defaults, noon+hour, popup.CooldownImpression, noon+int64(id)*minute+day)
	}
	expect(t, table, "u", 1, &defaults, noon+minute+day, popup.Eligible, 0)
	expect(t, table, "u", 2, &defaults, noon+minute+day, popup.CooldownImpression, noon+2*minute+day)
}

func TestWaits(t *testing.T) {
	for name, c := range map[string]struct {
		f      popup.Frequency
		action popup.Action // after the impression, at noon + 1 min; 0: none
		reason popup.Reason
		ready  int64
	}{
		"impression":         {popup.Frequency{AfterImpressionSec: 3600}, 0, popup.CooldownImpression, noon + hour},
		"impression forever": {popup.Frequency{AfterImpressionSec: popup.Forever}, 0, popup.CooldownImpression, popup.Never},
		"impression at once": {popup.Frequency{}, 0, popup.Eligible, 0},
		"click":              {popup.Frequency{AfterImpressionSec: 86400, AfterClickSec: 3600}, popup.Click, popup.CooldownClick, noon + minute + hour},
		"click forever":      {popup.Frequency{AfterClickSec: popup.Forever}, popup.Click, popup.CooldownClick, popup.Never},
		"click at once":      {popup.Frequency{AfterImpressionSec: 86400}, popup.Click, popup.Eligible, 0},
		"convert":            {popup.Frequency{AfterImpressionSec: 86400, AfterClickSec: 3600}, popup.Convert, popup.CooldownClick, noon + minute + hour},
		"dismiss":            {popup.Frequency{AfterImpressionSec: 86400, AfterDismissSec: 3600}, popup.Dismiss, popup.CooldownDismiss, noon + minute + hour},
		"dismiss at once":    {popup.Frequency{AfterImpressionSec: 86400}, popup.Dismiss, popup.Eligible, 0},
	} {
		t.Run(name, func(t *testing.T) {
			table := New(Config{})
			shown := serve(t, table, "u", 7, &c.f, noon)
			if c.action != 0 {
				act(table, shown, c.action, &c.f, noon+minute)
			}
			expect(t, table, "u", 7, &c.f, noon+2*minute, c.reason, c.ready)
			if c.ready > 0 && c.ready < popup.Never {
				expect(t, table, "u", 7, &c.f, c.ready-1, c.reason, c.ready)
				expect(t, table, "u", 7, &c.f, c.ready, popup.Eligible, 0)
			}
		})
	}
}

func TestDismissAfterClickShortensNothing(t *testing.T) {
	table := New(Config{})
	shown := serve(t, table, "u", 7, &defaults, noon)
	act(table, shown, popup.Click, &defaults, noon+minute)
	act(table, shown, popup.Dismiss, &defaults, noon+2*minute)
	expect(t, table, "u", 7, &defaults, noon+2*day, popup.CooldownClick, noon+minute+30*day)
}

// A popup that waits for nothing returns at once, though served_at tells its
// impressions apart.
func TestNoWaitIsAtOnce(t *testing.T) {
	table := New(Config{})
	var f popup.Frequency
	seen := make(map[int64]bool)
	first, now := noon, noon
	for ; check(table, "u", 7, &f, now).Reason == popup.Eligible; now++ {
		ev := serve(t, table, "u", 7, &f, now)
		if seen[ev.ServedAtMS/tickMS] || ev.AtMS != now || ev.Nth != uint32(len(seen))+1 {
			t.Fatalf("impression %d of a user who asks each ms: %+v", len(seen)+1, ev)
		}
		seen[ev.ServedAtMS/tickMS] = true
	}
	// They are ahead of the clock by up to a second. Then a user waits for the next tick.
	if len(seen) != 11 {
		t.Errorf("%d impressions in the first tick, want 11", len(seen))
	}
	for ; now < first+10*second; now++ {
		if check(table, "u", 7, &f, now).Reason == popup.Eligible {
			serve(t, table, "u", 7, &f, now)
			seen[now] = true
		}
	}
	if len(seen) != 110 {
		t.Errorf("%d impressions in ten seconds, want 110", len(seen))
	}
}

// The largest limit that may be set is kept exactly.
func TestLargestMaxImpressions(t *testing.T) {
	table := New(Config{})
	f := popup.Frequency{MaxImpressions: popup.MaxMaxImpressions}
	shown, now := 0, noon
	for ; shown <= popup.MaxMaxImpressions && check(table, "u", 7, &f, now).Reason == popup.Eligible; now += second {
		serve(t, table, "u", 7, &f, now)
		shown++
	}
	if shown != popup.MaxMaxImpressions {
		t.Errorf("shown %d times, want %d", shown, popup.MaxMaxImpressions)
	}
	expect(t, table, "u", 7, &f, now, popup.MaxImpressionsSeen, popup.Never)
}

func TestMaxImpressions(t *testing.T) {
	table := New(Config{})
	f := popup.Frequency{AfterImpressionSec: 60, MaxImpressions: 2}
	if ev := serve(t, table, "u", 7, &f, noon); ev.Nth != 1 {
		t.Errorf("first impression: nth %d", ev.Nth)
	}
	expect(t, table, "u", 7, &f, noon+minute, popup.Eligible, 0)
	if ev := serve(t, table, "u", 7, &f, noon+minute); ev.Nth != 2 {
		t.Errorf("second impression: nth %d", ev.Nth)
	}
	expect(t, table, "u", 7, &f, noon+minute+second, popup.CooldownImpression, popup.Never)
	expect(t, table, "u", 7, &f, noon+day, popup.MaxImpressionsSeen, popup.Never)
}

func TestMinGap(t *testing.T) {
	table := New(Config{MinGap: 10 * time.Minute})
	urgent := defaults
	urgent.IgnoreMinGap = true

	shown := noon + 30 // not at the start of a tick
	serve(t, table, "u", 1, &urgent, shown)
	end := noon + 99 + 10*minute
	expect(t, table, "u", 2, &defaults, noon+minute, popup.MinGap, end)
	expect(t, table, "u", 2, &defaults, shown+10*minute-1, popup.MinGap, end)
	expect(t, table, "u", 2, &defaults, end, popup.Eligible, 0)
	expect(t, table, "u", 2, &urgent, noon+minute, popup.Eligible, 0)
	expect(t, table, "another", 2, &defaults, noon+minute, popup.Eligible, 0)

	short := popup.Frequency{AfterImpressionSec: 60}
	serve(t, table, "self", 1, &short, noon)
	expect(t, table, "self", 1, &short, noon+30*second, popup.CooldownImpression, noon+99+10*minute)
	expect(t, table, "self", 1, &short, noon+minute, popup.MinGap, noon+99+10*minute)
}

func TestUndo(t *testing.T) {
	table := New(Config{})
	u := table.Lock([]byte("u"))
	defer u.Unlock()
	state := func() popup.State {
		if i := u.find(7); i >= 0 {
			e := u.s.unpack(i, u.hash)
			return e.state()
		}
		return popup.State{}
	}
	event := func(a popup.Action, servedMS, nowMS int64) *popup.Event {
		return &popup.Event{User: []byte("u"), Popup: 7, Action: a, ServedAtMS: servedMS, AtMS: nowMS}
	}

	first, _ := u.Serve(event(popup.Impression, 0, noon), &defaults)
	u.Undo(first)
	if u.Known() {
		t.Fatal("the user is still known after the first impression was undone")
	}

	u.Serve(event(popup.Impression, 0, noon), &defaults)
	shown := state()
	click, _ := u.Act(event(popup.Click, noon, noon+minute), &defaults, 0)
	clicked := state()
	u.Undo(click)
	if got := state(); got != shown {
		t.Errorf("click undone: %+v, want %+v", got, shown)
	}
	if _, o := u.Act(event(popup.Click, noon, noon+minute), &defaults, 0); o != Counted {
		t.Errorf("click again: outcome %d, want counted", o)
	}

	again, _ := u.Serve(event(popup.Impression, 0, noon+40*day), &defaults)
	u.Undo(again)
	if got := state(); got != clicked {
		t.Errorf("second impression undone: %+v, want %+v", got, clicked)
	}

	again, _ = u.Serve(event(popup.Impression, 0, noon+40*day), &defaults)
	u.Serve(event(popup.Impression, 0, noon+42*day), &defaults)
	third := state()
	u.Undo(again)
	if got := state(); got != third {
		t.Errorf("an older impression undone: %+v, want the latest to stay, %+v", got, third)
	}

	stale := click
	click, _ = u.Act(event(popup.Click, noon+42*day, noon+43*day), &defaults, 0)
	clicked = state()
	u.Undo(stale)
	if got := state(); got != clicked {
		t.Errorf("a click on an older impression undone: %+v, want %+v", got, clicked)
	}
	u.Act(event(popup.Dismiss, noon+42*day, noon+43*day+second), &defaults, 0)
	u.Undo(click)
	if got := state(); got.Acted != popup.Dismiss.Bit() || got.Last != popup.Dismiss {
		t.Errorf("click undone after a dismiss: %+v, want the dismiss to stay", got)
	}
	before := state()
	u.Undo(Undo{})
	if got := state(); got != before {
		t.Errorf("nothing undone: %+v, want %+v", got, before)
	}
}

func TestTwoTabsAreServedOnce(t *testing.T) {
	table := New(Config{})
	for round := range 500 {
		user := []byte{byte(round), byte(round >> 8), 'u'}
		served := make(chan uint32, 2)
		var tabs sync.WaitGroup
		for range 2 {
			tabs.Go(func() {
				u := table.Lock(user)
				defer u.Unlock()
				if u.Check(7, &defaults, noon).Reason == popup.Eligible {
					ev := popup.Event{User: user, Popup: 7, Action: popup.Impression, AtMS: noon}
					u.Serve(&ev, &defaults)
					served <- ev.Nth
				}
			})
		}
		tabs.Wait()
		if len(served) != 1 {
			t.Fatalf("round %d: served %d times", round, len(served))
		}
	}
}
