package frequency

import (
	"testing"
	"time"

	"github.com/popupd/popupd/popup"
)

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
	if v := u.Check(1, &once, noon+6*day); v.Reason != popup.MaxImpressionsSeen {
		t.Errorf("after it: %v, want %v", v.Reason, popup.MaxImpressionsSeen)
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
