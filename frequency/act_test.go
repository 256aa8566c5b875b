package frequency

import (
	"testing"
	"time"

	"github.com/popupd/popupd/popup"
)

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
	expect(t, table, "u", 1, &once, noon+2*day, popup.MaxImpressionsSeen, popup.Never)
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
		if ev, got := act(table, shown, c.action, &defaults, noon+minute); got != c.want || ev.Nth != 1 {
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

// With confirm_sec only what was seen costs the wait, a place in max_impressions and
// the gap.
func TestConfirm(t *testing.T) {
	f := popup.Frequency{AfterImpressionSec: 3600, AfterClickSec: 7200, AfterDismissSec: 60, MaxImpressions: 2, ConfirmSec: 60}
	table := New(Config{MinGap: 10 * time.Minute})
	first := serve(t, table, "u", 1, &f, noon)
	if first.Nth != 0 || first.ReadyAtMS != noon+minute {
		t.Errorf("served: %+v, want nth 0, ready in a minute", first)
	}
	expect(t, table, "u", 2, &defaults, noon, popup.Eligible, 0) // no gap yet
	expect(t, table, "u", 1, &f, noon+minute-1, popup.CooldownImpression, noon+minute)
	expect(t, table, "u", 1, &f, noon+minute, popup.Eligible, 0)

	again := serve(t, table, "u", 1, &f, noon+minute)
	if ev, o := act(table, again, popup.View, &f, noon+minute+10*second); o != Counted || ev.Nth != 1 || ev.ReadyAtMS != noon+minute+10*second+hour {
		t.Errorf("view: outcome %d, %+v; want nth 1, ready an hour later", o, ev)
	}
	if _, o := act(table, again, popup.View, &f, noon+2*minute); o != Repeated {
		t.Errorf("view again: outcome %d, want repeated", o)
	}
	expect(t, table, "u", 1, &f, noon+5*minute, popup.CooldownImpression, noon+minute+10*second+hour)
	expect(t, table, "u", 2, &defaults, noon+5*minute, popup.MinGap, noon+11*minute+10*second+99)
	// The one before was seen too, as is told late: the database counts it.
	if ev, o := act(table, first, popup.View, &f, noon+5*minute); o != Counted || ev.Nth != 0 || ev.ReadyAtMS != 0 {
		t.Errorf("view of the one before: outcome %d, %+v", o, ev)
	}
	expect(t, table, "u", 1, &f, noon+5*minute, popup.CooldownImpression, noon+minute+10*second+hour)

	// Any other action confirms, too, and takes the second place.
	third := serve(t, table, "u", 1, &f, noon+2*hour)
	if ev, o := act(table, third, popup.Dismiss, &f, noon+2*hour+second); o != Counted || ev.Nth != 2 {
		t.Errorf("dismiss: outcome %d, %+v; want nth 2", o, ev)
	}
	if ev, o := act(table, third, popup.View, &f, noon+2*hour+2*second); o != Counted || ev.Nth != 2 || ev.ReadyAtMS != 0 {
		t.Errorf("view after the dismiss: outcome %d, %+v; want nth 2, no wait", o, ev)
	}
	expect(t, table, "u", 1, &f, noon+3*hour, popup.MaxImpressionsSeen, popup.Never)

	// What was released before anybody saw it takes no place.
	released := serve(t, table, "v", 1, &f, noon)
	act(table, released, popup.Release, &f, noon+second)
	expect(t, table, "v", 1, &f, noon+second, popup.Eligible, 0)
	// A view of what another server has served.
	elsewhere := popup.Event{User: []byte("w"), Popup: 1, ServedAtMS: noon}
	if ev, o := act(table, elsewhere, popup.View, &f, noon+second); o != Counted || ev.Nth != 1 || ev.ReadyAtMS != noon+second+hour {
		t.Errorf("view of another server's: outcome %d, %+v; want nth 1, ready an hour later", o, ev)
	}
}
