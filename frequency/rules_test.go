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
	expect(t, table, "u", 7, &f, now, popup.CapReached, popup.Never)
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
	expect(t, table, "u", 7, &f, noon+day, popup.CapReached, popup.Never)
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

func TestControlIsCountedAndHoldsNothingElse(t *testing.T) {
	table := New(Config{MinGap: time.Hour})
	u := table.Lock([]byte("u"))
	defer u.Unlock()
	control := func(nowMS int64) popup.Event {
		ev := popup.Event{User: []byte("u"), Popup: 1, Action: popup.Control, AtMS: nowMS}
		if _, ok := u.Serve(&ev, &defaults); !ok || ev.ReadyAtMS != nowMS+day {
			t.Fatalf("control: %v, %+v", ok, ev)
		}
		return ev
	}
	if ev := control(noon); ev.Nth != 1 {
		t.Errorf("the first control has nth %d, want 1", ev.Nth)
	}
	if v := u.Check(1, &defaults, noon+minute); v.Reason != popup.CooldownImpression || v.ReadyAtMS != noon+day {
		t.Errorf("the control itself: %+v", v)
	}
	if v := u.Check(2, &defaults, noon+minute); v.Reason != popup.Eligible {
		t.Errorf("another popup: %v, want eligible", v.Reason)
	}
	if ev := control(noon + day); ev.Nth != 2 {
		t.Errorf("the second control has nth %d, want 2", ev.Nth)
	}
	once := popup.Frequency{MaxImpressions: 1}
	if v := u.Check(1, &once, noon+3*day); v.Reason != popup.Eligible {
		t.Errorf("one impression is allowed, after two controls: %v, want eligible", v.Reason)
	}
	ev := popup.Event{User: []byte("u"), Popup: 1, Action: popup.Impression, AtMS: noon + 3*day}
	if _, ok := u.Serve(&ev, &once); !ok || ev.Nth != 1 {
		t.Errorf("the first impression after two controls: %+v, want nth 1", ev)
	}
	if v := u.Check(1, &once, noon+6*day); v.Reason != popup.CapReached {
		t.Errorf("after it: %v, want %v", v.Reason, popup.CapReached)
	}
}

// A control does not erase when the user saw the popup.
func TestGapBesideControl(t *testing.T) {
	table := New(Config{MinGap: time.Hour})
	short := popup.Frequency{AfterImpressionSec: 60}
	serve(t, table, "u", 1, &short, noon)
	u := table.Lock([]byte("u"))
	u.Serve(&popup.Event{User: []byte("u"), Popup: 1, Action: popup.Control, AtMS: noon + minute}, &short)
	u.Unlock()
	expect(t, table, "u", 2, &defaults, noon+2*minute, popup.MinGap, noon+hour+99)
}

func TestRelease(t *testing.T) {
	table := New(Config{MinGap: time.Hour})
	once := popup.Frequency{AfterImpressionSec: 86400, AfterClickSec: 86400, MaxImpressions: 1}
	shown := serve(t, table, "u", 1, &once, noon)
	if ev, o := act(table, shown, popup.Release, &once, noon+second); o != Counted || ev.ReadyAtMS != 0 {
		t.Errorf("release: outcome %d, %+v", o, ev)
	}
	expect(t, table, "u", 1, &once, noon+second, popup.Eligible, 0) // neither its wait, nor the limit
	expect(t, table, "u", 2, &once, noon+second, popup.Eligible, 0) // nor the gap
	again := serve(t, table, "u", 1, &once, noon+second)
	if again.Nth != 1 || again.ServedAtMS <= shown.ServedAtMS {
		t.Errorf("served again: %+v, want nth 1 and another name", again)
	}
	if _, o := act(table, shown, popup.Release, &once, noon+2*second); o != Counted {
		t.Errorf("the older impression released once more: outcome %d, want that the database settles it", o)
	}
	expect(t, table, "u", 1, &once, noon+2*second, popup.CooldownImpression, popup.Never)
	// What was clicked was shown.
	act(table, again, popup.Click, &once, noon+3*second)
	act(table, again, popup.Release, &once, noon+4*second)
	expect(t, table, "u", 1, &once, noon+minute, popup.CooldownClick, popup.Never)
	expect(t, table, "u", 1, &once, noon+2*day, popup.CapReached, popup.Never)
}

func TestView(t *testing.T) {
	table := New(Config{})
	shown := serve(t, table, "u", 7, &defaults, noon)
	if ev, o := act(table, shown, popup.View, &defaults, noon+second); o != Counted || ev.Nth != 1 || ev.ReadyAtMS != 0 {
		t.Errorf("view: outcome %d, %+v", o, ev)
	}
	if _, o := act(table, shown, popup.View, &defaults, noon+minute); o != Repeated {
		t.Errorf("view again: outcome %d, want repeated", o)
	}
	expect(t, table, "u", 7, &defaults, noon+hour, popup.CooldownImpression, noon+day)
}

func TestActionOnOlderImpression(t *testing.T) {
	table := New(Config{})
	f := popup.Frequency{AfterImpressionSec: 60, AfterClickSec: 3600, AfterDismissSec: 7200}
	old := serve(t, table, "u", 7, &f, noon)
	latest := serve(t, table, "u", 7, &f, noon+minute)
	if ev, o := act(table, old, popup.Click, &f, noon+2*minute); o != Counted || ev.Nth != 0 || ev.ServedAtMS != noon {
		t.Errorf("outcome %d, %+v; want counted, nth 0", o, ev)
	}
	expect(t, table, "u", 7, &f, noon+3*minute, popup.CooldownClick, noon+2*minute+hour)
	// Its wait holds beside those of the latest one.
	if _, o := act(table, latest, popup.Click, &f, noon+minute); o != Counted {
		t.Errorf("click on the latest: outcome %d, want counted", o)
	}
	expect(t, table, "u", 7, &f, noon+3*minute, popup.CooldownClick, noon+2*minute+hour)
	act(table, latest, popup.Dismiss, &f, noon+4*minute)
	expect(t, table, "u", 7, &f, noon+5*minute, popup.CooldownClick, noon+4*minute+2*hour)
}

// Of the waits that actions ask for the longest holds, in whatever order they come.
func TestLongestWaitHolds(t *testing.T) {
	table := New(Config{})
	f := popup.Frequency{AfterClickSec: 60, AfterDismissSec: popup.Forever}
	shown := serve(t, table, "u", 7, &f, noon)
	for i, a := range []popup.Action{popup.Dismiss, popup.Click, popup.Convert} {
		if _, o := act(table, shown, a, &f, noon+int64(i)*second); o != Counted {
			t.Errorf("%v: outcome %d, want counted", a, o)
		}
	}
	if v := check(table, "u", 7, &f, noon+900*day); v.Reason == popup.Eligible || v.ReadyAtMS != popup.Never {
		t.Errorf("dismissed for ever, then clicked: %+v", v)
	}
}

// What happened a while ago starts its wait then, but not before the impression.
func TestAge(t *testing.T) {
	for _, c := range []struct{ age, wantAt int64 }{
		{0, noon + 2*hour}, {hour, noon + hour}, {3 * hour, noon},
	} {
		table := New(Config{})
		shown := serve(t, table, "u", 7, &defaults, noon)
		u := table.Lock([]byte("u"))
		ev := popup.Event{User: shown.User, Popup: 7, ServedAtMS: noon, Action: popup.Dismiss, AtMS: noon + 2*hour}
		_, o := u.Act(&ev, &defaults, c.age)
		u.Unlock()
		if o != Counted || ev.AtMS != c.wantAt || ev.ReadyAtMS != c.wantAt+day {
			t.Errorf("%d ms ago: outcome %d, %+v; want at %d", c.age, o, ev, c.wantAt)
		}
		expect(t, table, "u", 7, &defaults, noon+2*hour, popup.CooldownDismiss, c.wantAt+day)
	}
}

func TestClockStepBackDoesNotShowAgain(t *testing.T) {
	short := popup.Frequency{AfterImpressionSec: 3600, AfterDismissSec: 60}
	for _, back := range []int64{1, second, minute} {
		table := New(Config{MinGap: time.Minute})
		shown := serve(t, table, "u", 7, &short, noon)
		expect(t, table, "u", 7, &short, noon-back, popup.CooldownImpression, noon+hour)
		expect(t, table, "u", 8, &short, noon-back, popup.MinGap, noon+99+minute)
		dismissed, o := act(table, shown, popup.Dismiss, &short, noon-back)
		if o != Counted || dismissed.AtMS != noon || dismissed.ReadyAtMS != noon+minute {
			t.Errorf("dismissed before it was shown: outcome %d, at %d, ready at %d; want %d, %d, %d", o, dismissed.AtMS, dismissed.ReadyAtMS, Counted, noon, noon+minute)
		}
		again := serve(t, table, "u", 7, &short, noon-back)
		if again.AtMS != noon || again.ServedAtMS <= noon || again.Nth != 2 {
			t.Errorf("served again with the clock back: %+v, want at noon, by another name", again)
		}
	}
}

// A clock that was wrong and is right again blocks nobody for longer than the wait,
// and impressions have names of their own nevertheless.
func TestEntriesFromTheFuture(t *testing.T) {
	short := popup.Frequency{AfterImpressionSec: 60, AfterClickSec: 3600}
	for name, wrong := range map[string]int64{
		"by two minutes": noon + 2*minute,
		"by years":       noon + 4000*day,
		"in 2040":        time.Date(2040, 1, 1, 0, 0, 0, 0, time.UTC).UnixMilli(),
	} {
		t.Run(name, func(t *testing.T) {
			table := New(Config{MinGap: 10 * time.Minute})
			shown := serve(t, table, "u", 7, &short, wrong)
			expect(t, table, "u", 8, &short, noon, popup.MinGap, noon+10*minute+99)
			table = New(Config{})
			shown = serve(t, table, "u", 7, &short, wrong)
			expect(t, table, "u", 7, &short, noon, popup.CooldownImpression, noon+minute)
			expect(t, table, "u", 7, &short, noon+minute, popup.Eligible, 0)
			again := serve(t, table, "u", 7, &short, noon+minute)
			if again.AtMS != noon+minute || again.Nth != 2 {
				t.Errorf("served again: %+v, want at %d, nth 2", again, noon+minute)
			}
			expect(t, table, "u", 7, &short, noon+minute, popup.CooldownImpression, noon+2*minute)
			third := serve(t, table, "u", 7, &short, noon+2*minute)
			if third.ServedAtMS/tickMS == again.ServedAtMS/tickMS || again.ServedAtMS/tickMS == shown.ServedAtMS/tickMS {
				t.Errorf("impressions named %d, %d, %d", shown.ServedAtMS, again.ServedAtMS, third.ServedAtMS)
			}
			if ev, o := act(table, third, popup.Click, &short, noon+3*minute); o != Counted || ev.AtMS != noon+3*minute {
				t.Errorf("click: outcome %d, %+v", o, ev)
			}
			expect(t, table, "u", 7, &short, noon+4*minute, popup.CooldownClick, noon+3*minute+hour)
		})
	}
	// A click in the future on what was shown in time.
	table := New(Config{})
	shown := serve(t, table, "u", 7, &short, noon)
	act(table, shown, popup.Click, &short, noon+900*day)
	expect(t, table, "u", 7, &short, noon+minute, popup.CooldownClick, noon+minute+hour)
	if _, o := act(table, shown, popup.Click, &short, noon+minute); o != Repeated {
		t.Errorf("the same click again: outcome %d, want repeated", o)
	}
	// What asked to wait before the clock was wrong.
	table = New(Config{})
	shown = serve(t, table, "u", 7, &defaults, noon)
	act(table, shown, popup.Click, &defaults, noon)
	act(table, shown, popup.View, &defaults, noon+900*day)
	expect(t, table, "u", 7, &defaults, noon+minute, popup.CooldownClick, noon+30*day)
}

func TestClockBefore2025(t *testing.T) {
	table := New(Config{})
	ev := serve(t, table, "u", 7, &defaults, 0)
	expect(t, table, "u", 7, &defaults, 0, popup.CooldownImpression, ev.AtMS+day)
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

func TestActOutcomes(t *testing.T) {
	table := New(Config{})
	shown := serve(t, table, "u", 7, &defaults, noon+30)
	for i, c := range []struct {
		action popup.Action
		want   Outcome
	}{
		{popup.Click, Counted}, {popup.Click, Repeated}, {popup.Dismiss, Counted}, {popup.Dismiss, Repeated},
		{popup.Convert, Counted}, {popup.Click, Repeated}, {popup.Convert, Repeated},
	} {
		if ev, got := act(table, shown, c.action, &defaults, noon+minute); got != c.want || got == Counted && ev.Nth != 1 {
			t.Errorf("%d: %v: outcome %d, nth %d; want outcome %d, nth 1", i, c.action, got, ev.Nth, c.want)
		}
	}
	serve(t, table, "u", 7, &defaults, noon+31*day)

	// Impressions that another server made.
	newer := popup.Event{User: []byte("u"), Popup: 7, ServedAtMS: noon + 70*day}
	if ev, got := act(table, newer, popup.Click, &defaults, noon+70*day+minute); got != Counted || ev.Nth != 0 {
		t.Errorf("a newer impression: outcome %d, nth %d; want counted, 0", got, ev.Nth)
	}
	expect(t, table, "u", 7, &defaults, noon+71*day, popup.CooldownClick, noon+100*day+minute)
	unknown := popup.Event{User: []byte("v"), Popup: 7, ServedAtMS: noon}
	if _, got := act(table, unknown, popup.Click, &defaults, noon+minute); got != Counted {
		t.Errorf("an unknown impression: outcome %d, want counted", got)
	}
	if _, got := act(table, unknown, popup.Click, &defaults, noon+minute); got != Repeated {
		t.Errorf("an unknown impression, again: outcome %d, want repeated", got)
	}
	expect(t, table, "v", 7, &defaults, noon+hour, popup.CooldownClick, noon+minute+30*day)

	archived := popup.Event{User: []byte("w"), Popup: 7, ServedAtMS: noon}
	if ev, got := act(table, archived, popup.Click, nil, noon+minute); got != Counted || ev.ReadyAtMS != noon+minute {
		t.Errorf("an archived popup: outcome %d, ready at %d; want counted, %d", got, ev.ReadyAtMS, noon+minute)
	}
}

func TestReset(t *testing.T) {
	table := New(Config{})
	serve(t, table, "u", 1, &defaults, noon)
	serve(t, table, "u", 2, &defaults, noon+minute)
	serve(t, table, "u", 3, &defaults, noon+2*minute)
	serve(t, table, "v", 1, &defaults, noon)
	table.Merge(&popup.Event{User: []byte("u"), Action: popup.Reset, AtMS: noon + minute})
	var left []uint32
	table.States([]byte("u"), func(id uint32, _ popup.State) { left = append(left, id) })
	if len(left) != 1 || left[0] != 3 {
		t.Errorf("popups %v are left, want [3]", left)
	}
	if check(table, "v", 1, &defaults, noon+minute).Reason == popup.Eligible {
		t.Error("another user's state is gone")
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
