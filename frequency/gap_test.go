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

// A gap that changes counts for what users have seen before, too.
func TestSetMinGap(t *testing.T) {
	table := New(Config{MinGap: time.Minute})
	serve(t, table, "u", 1, &popup.Frequency{}, noon)
	for _, c := range []struct {
		set, want time.Duration
		reason    popup.Reason // 5 minutes after
	}{
		{0, time.Minute, popup.Eligible},
		{time.Hour, time.Hour, popup.MinGap},
		{time.Second, time.Minute, popup.Eligible}, // not below what the table was made with
	} {
		table.SetMinGap(c.set)
		if got := table.MinGap(); got != c.want {
			t.Errorf("set to %v: %v, want %v", c.set, got, c.want)
		}
		user := table.Lock([]byte("u"))
		if got := user.Check(2, &popup.Frequency{}, noon+5*minute); got.Reason != c.reason {
			t.Errorf("set to %v: %v 5 minutes after another popup, want %v", c.set, got.Reason, c.reason)
		}
		user.Unlock()
	}
}
