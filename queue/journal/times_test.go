package journal

import (
	"context"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/popupd/popupd/popup"
)

// TestAppendTimesAreExactEnough appends at a quick, a slow and an uneven pace for 30
// days each, and asks for events of any age.
func TestAppendTimesAreExactEnough(t *testing.T) {
	for name, pace := range map[string]func() int64{
		"quick":  func() int64 { return 200 },
		"slow":   func() int64 { return 3_600_000 },
		"uneven": func() int64 { return 200 + int64(rand.ExpFloat64()*10_000) },
	} {
		var times appendTimes
		var truth []int64 // of event i+1
		most, now := 0, int64(1_700_000_000_000)
		for end := now + 30*86_400_000; now < end; now += pace() {
			times.note(uint64(len(truth)+1), now)
			truth = append(truth, now)
			most = max(most, len(times.entries))
		}
		if most > 4000 {
			t.Errorf("%s: %d entries", name, most)
		}
		for range 10_000 {
			seq := 1 + rand.Uint64N(uint64(len(truth)))
			if rand.IntN(2) == 0 {
				seq = uint64(len(truth)) - rand.Uint64N(min(1000, uint64(len(truth)))) // young
			}
			at := truth[seq-1]
			if got := times.of(seq); got > at || at-got > (now-at)/timesShare {
				t.Fatalf("%s: event %d was appended at %d, is said to be of %d; it is %d ms old", name, seq, at, got, now-at)
			}
		}
	}
}

func TestAppendTimesWhenTheClockStepsBack(t *testing.T) {
	var times appendTimes
	times.note(1, 1000)
	times.note(5, 9_000_000)
	times.note(9, 2000)
	for seq, want := range map[uint64]int64{1: 1000, 4: 1000, 5: 2000, 9: 2000, 20: 2000} {
		if got := times.of(seq); got != want {
			t.Errorf("event %d is of %d, want %d", seq, got, want)
		}
	}
}

// TestAge: an event is as old as its place in the journal, whatever it says of itself.
func TestAge(t *testing.T) {
	eachWriter(t, func(t *testing.T, d *disk) {
		c := testConfig(t.TempDir())
		clock := newTestClock()
		c.Now = clock.now
		j := mustOpen(t, c, d)
		age := func(s *Stream, seq uint64, want time.Duration) {
			t.Helper()
			if got := s.Age(seq); got != want {
				t.Errorf("event %d is %v old, want %v", seq, got, want)
			}
		}
		add := func(action popup.Action, sinceItHappened time.Duration) {
			t.Helper()
			e := testEvent(1)
			e.Action, e.AtMS = action, c.Now()-sinceItHappened.Milliseconds()
			mustAppend(t, j, []popup.Event{e})
		}
		s := own(t, j)
		age(s, 1, 0) // nothing is there
		j.noteTime()
		add(popup.Impression, 0)
		clock.move(time.Minute)
		j.noteTime()
		add(popup.Click, time.Hour)
		clock.move(time.Minute)
		j.noteTime()
		for range 40 { // in the next segments
			add(popup.Click, time.Hour)
		}
		add(popup.Click, -24*time.Hour) // of a server whose clock was wrong
		clock.move(time.Minute)
		age(s, 1, 3*time.Minute)
		age(s, 2, 2*time.Minute)
		age(s, 42, time.Minute)
		age(s, 43, time.Minute)
		age(s, 44, 0)

		// After a restart their own times are what is left.
		if err := j.Release(); err != nil {
			t.Fatal(err)
		}
		clock.move(time.Minute)
		j = mustOpen(t, c, d)
		s = old(t, j)
		age(s, 1, 4*time.Minute)
		age(s, 2, 4*time.Minute)
		age(s, 43, 4*time.Minute)
		age(s, 44, 0)
	})
}

// TestRunNotesTheTime while nothing is appended too.
func TestRunNotesTheTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := testConfig(t.TempDir())
		c.Now = nil
		j := mustOpen(t, c, &disk{})
		ctx, cancel := context.WithCancel(t.Context())
		var run sync.WaitGroup
		run.Go(func() { j.Run(ctx) })
		defer run.Wait()
		defer cancel()
		time.Sleep(time.Hour)
		mustAppend(t, j, testEvents(0, 1))
		if got := own(t, j).Age(1); got > pulse {
			t.Errorf("%v old, want at most %v", got, pulse)
		}
	})
}
