//go:build !race

package decision

import (
	"runtime"
	"testing"
	"time"

	"github.com/popupd/popupd/frequency"
	"github.com/popupd/popupd/popup"
)

// Decisions at other times, as to explain and to simulate, leave alone what polls remember of
// who is open: a poll after them allocates nothing.
func TestOtherTimesDoNotDisturbPolls(t *testing.T) {
	f := newFixture(t, frequency.Config{}, often+`,"schedule":{"hours":[["09:00","12:30"]],"timezone":"Asia/Tokyo","user_time":true}`, often)
	r := &popup.Request{User: []byte("u"), Zone: []byte("Europe/Berlin")}
	replay := NewReplay(f.snap, 0)
	later := f.nowMS
	for name, decide := range map[string]func(){
		"explained": func() { Explain(f.snap, f.users, &Query{Request: *r, AtMS: later, NowMS: f.nowMS, Limit: 10}) },
		"replayed":  func() { replay.Poll(r, later) },
	} {
		least := uint64(1) << 63 // since other goroutines may allocate, too
		for range 20 {
			f.Decide(f.snap, f.users, r, f.nowMS, nil)
			later += 5 * time.Hour.Milliseconds()
			decide()
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			f.Decide(f.snap, f.users, r, f.nowMS, nil)
			runtime.ReadMemStats(&after)
			least = min(least, after.Mallocs-before.Mallocs)
		}
		if least > 0 {
			t.Errorf("%s: a poll after it allocates %d times", name, least)
		}
	}
}
