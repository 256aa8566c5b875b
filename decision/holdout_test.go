package decision

import (
	"testing"
	"time"

	"github.com/popupd/popupd/frequency"
	"github.com/popupd/popupd/popup"
)

// In a holdout user what would be shown is recorded as a control of the variant holdout,
// takes its placement, and waits; nothing is shown there.
func TestHoldout(t *testing.T) {
	specs := []string{`"priority":2,"variants":[{"key":"none","control":true}]`, `"priority":1,"frequency":{"max_impressions":1}`, ``}
	f := newFixture(t, frequency.Config{MinGap: time.Hour}, specs...)
	shown := f.snap
	f.snap = compileUnder(t, `{"holdout":{"percent":100},"caps":[{"key":"one","max":1,"per_sec":3600}]}`, specs...)
	for range 3 { // the one that is a control for everybody takes no placement
		f.sees("u", "")
		f.because(popup.InHoldout)
		f.recorded("u control 1", "u control 2")
		for _, e := range f.Events {
			if string(e.Variant) != popup.HoldoutVariant {
				t.Errorf("variant %s, want %s", e.Variant, popup.HoldoutVariant)
			}
		}
		f.sees("u", "") // the next popup: no gap, no place among the impressions
		f.recorded("u control 3")
		f.sees("u", "")
		f.because(popup.CooldownImpression)
		f.advance(24 * time.Hour)
	}
	f.snap = shown
	f.sees("u", "p2")
}
