package frequency

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/popupd/popupd/popup"
)

// TestNeverEarlyNorMuchLate checks the table's steps of 100 ms against exact
// times, with nothing but the rules of the mission.
func TestNeverEarlyNorMuchLate(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const gapMS = 90 * second
		table := New(Config{MinGap: time.Duration(gapMS) * time.Millisecond})
		var now, lastShown int64 = noon, 0
		type history struct {
			ready, clickUntil int64 // exact
			shown             int
			last              popup.Event
		}
		popupsSeen := make([]history, len(popups))
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			now += tickMS + rapid.Int64Range(0, 3*minute).Draw(t, "later")
			id := drawPopup.Draw(t, "popup")
			h, f := &popupsSeen[id], &popups[id]
			if h.shown > 0 && rapid.Bool().Draw(t, "act") {
				a := drawAct.Draw(t, "action")
				if _, o := act(table, h.last, a, f, now); o == Counted {
					h.ready = popup.Until(now, wait(a, f))
					if a != popup.Dismiss {
						h.clickUntil = max(h.clickUntil, h.ready)
					}
				}
				continue
			}
			exact := max(h.ready, h.clickUntil)
			if !f.IgnoreMinGap && lastShown > 0 {
				exact = max(exact, lastShown+gapMS)
			}
			if f.MaxImpressions > 0 && h.shown >= int(f.MaxImpressions) {
				exact = popup.Never
			}
			switch v := check(table, "u", id, f, now); {
			case v.Reason == popup.Eligible && now < exact:
				t.Fatalf("popup %d is shown %d ms early", id, exact-now)
			case v.Reason != popup.Eligible && now >= exact+tickMS:
				t.Fatalf("popup %d is held by %v %d ms too long", id, v.Reason, now-exact)
			case v.Reason == popup.Eligible:
				u := table.Lock([]byte("u"))
				h.last = popup.Event{User: []byte("u"), Popup: id, Action: popup.Impression, AtMS: now}
				if _, ok := u.Serve(&h.last, f); !ok || h.last.AtMS != now {
					t.Fatalf("served %v, at %d, want at %d", ok, h.last.AtMS, now)
				}
				u.Unlock()
				h.ready, h.shown, lastShown = popup.Until(now, f.AfterImpressionSec), h.shown+1, now
			}
		}
	})
}
