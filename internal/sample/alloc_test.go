//go:build !race

package sample

import (
	"math"
	"runtime"
	"testing"

	"github.com/popupd/popupd/decision"
	"github.com/popupd/popupd/frequency"
	"github.com/popupd/popupd/popup"
)

// A poll that is evaluated late leaves alone what polls remember of who is open: the next
// one allocates nothing.
func TestWhyNotDoesNotDisturbPolls(t *testing.T) {
	w, _, snap := newCounter(t, 0, `"schedule":{"hours":[["09:00","12:30"]]},"frequency":{"after_impression_sec":0}`)
	users, d, r := frequency.New(frequency.Config{}), new(decision.Decision), &popup.Request{User: []byte("u")}
	poll := func() { d.Decide(snap, users, r, noon, nil) }
	least := uint64(math.MaxUint64) // since other goroutines may allocate, too
	for i := range int64(20) {
		poll()
		draw := Draw(7)
		if polls(w, &draw, snap, users, 1, noon-(i+1)*3_600_000) != 1 {
			t.Fatal("the poll was not taken")
		}
		w.evaluate(<-w.waiting)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		poll()
		runtime.ReadMemStats(&after)
		least = min(least, after.Mallocs-before.Mallocs)
	}
	if least > 0 {
		t.Errorf("a poll after it allocates %d times", least)
	}
}
