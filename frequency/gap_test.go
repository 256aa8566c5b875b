package frequency

import (
	"testing"
	"time"

	"github.com/popupd/popupd/popup"
)

// TestGapWithinAStep serves and takes back without letting go of the user.
func TestGapWithinAStep(t *testing.T) {
	table := New(Config{MinGap: time.Minute})
	user := table.Lock([]byte("u"))
	defer user.Unlock()
	check := func(when string, want popup.Reason) {
		t.Helper()
		if got := user.Check(2, &popup.Frequency{}, noon); got.Reason != want {
			t.Errorf("%s: %v, want %v", when, got.Reason, want)
		}
	}
	check("at first", popup.Eligible)
	undo, ok := user.Serve(&popup.Event{User: []byte("u"), Popup: 1, Action: popup.Impression, AtMS: noon}, &popup.Frequency{})
	if !ok {
		t.Fatal("no memory")
	}
	check("after another popup", popup.MinGap)
	user.Undo(undo)
	check("after that was taken back", popup.Eligible)
	user.Serve(&popup.Event{User: []byte("u"), Popup: 1, Action: popup.Control, AtMS: noon}, &popup.Frequency{})
	check("after a control", popup.Eligible)
	shown := popup.Event{User: []byte("u"), Popup: 1, Action: popup.Impression, AtMS: noon}
	user.Serve(&shown, &popup.Frequency{})
	check("after its impression", popup.MinGap)
	shown.Action = popup.Release
	user.Act(&shown, &popup.Frequency{}, 0)
	check("after that was released", popup.Eligible)
}
