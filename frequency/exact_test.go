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
		now := noon
		type history struct {
			own, asked int64 // exact: until when the latest impression and all actions ask to wait
			acted      bool  // on the latest impression
			shown      int
			seenMS     int64
			events     []popup.Event // impressions
		}
		popupsSeen := make([]history, len(popups))
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			now += tickMS + rapid.Int64Range(0, 3*minute).Draw(t, "later")
			id := rapid.Uint32Range(1, 6).Draw(t, "popup") // those that need no confirmation
			h, f := &popupsSeen[id], &popups[id]
			if len(h.events) > 0 && rapid.Bool().Draw(t, "act") {
				a := drawAct.Draw(t, "action")
				of := rapid.SampledFrom(h.events).Draw(t, "impression")
				latest := of.ServedAtMS == h.events[len(h.events)-1].ServedAtMS
				if _, o := act(table, of, a, f, now); o != Counted {
					continue
				}
				switch a {
				case popup.View:
				case popup.Release:
					if latest && !h.acted {
						h.own, h.shown, h.seenMS = 0, h.shown-1, 0
					}
				default:
					h.asked = max(h.asked, popup.Until(now, wait(a, f)))
					if latest {
						if h.acted = true; h.seenMS == 0 { // it was released, but shown all the same
							h.shown, h.seenMS = h.shown+1, of.ServedAtMS
						}
						h.own = 0
					}
				}
				continue
			}
			lastShown := int64(0)
			for i := range popupsSeen {
				lastShown = max(lastShown, popupsSeen[i].seenMS)
			}
			exact := max(h.own, h.asked)
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
				ev := popup.Event{User: []byte("u"), Popup: id, Action: popup.Impression, AtMS: now}
				if _, ok := u.Serve(&ev, f); !ok || ev.AtMS != now {
					t.Fatalf("served %v, at %d, want at %d", ok, ev.AtMS, now)
				}
				u.Unlock()
				h.own, h.acted, h.shown, h.seenMS = popup.Until(now, f.AfterImpressionSec), false, h.shown+1, now
				h.events = append(h.events, ev)
			}
		}
	})
}
