package frequency

import (
	"testing"
	"time"

	"github.com/popupd/popupd/popup"
)

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

// What counts within a time ends to count when capEndMS says.
func TestFirstCounted(t *testing.T) {
	for now := int64(noon); now < noon+3*tickMS; now++ {
		for _, ms := range []int64{1000, 1000 * popup.MaxCapSec} {
			first := firstCounted(now, ms)
			if now >= capEndMS(first, ms) || now < capEndMS(first-1, ms) {
				t.Fatalf("at %d, within %d ms: the first is %d", now-noon, ms, first.ms()-noon)
			}
		}
	}
}
