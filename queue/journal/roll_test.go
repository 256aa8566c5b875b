package journal

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// The events of a server that has few of them do not stay in its journal: an hour after
// the first ones their segment ends, and is trimmed like any other.
func TestOldSegmentEnds(t *testing.T) {
	eachWriter(t, func(t *testing.T, d *disk) {
		for _, sync := range []time.Duration{0, background} {
			c := testConfig(t.TempDir())
			clock := newTestClock()
			c.Now, c.Sync, c.RollAfter = clock.now, sync, time.Hour
			j := mustOpen(t, c, d)
			mustAppend(t, j, testEvents(0, 1))
			s := own(t, j)
			segments := func(want int, why string) {
				t.Helper()
				j.rollOld()
				if n := len(segmentFiles(t, c.Dir, s.ID())); n != want {
					t.Fatalf("%s: %d segments, want %d", why, n, want)
				}
			}
			segments(1, "new")
			clock.move(time.Hour - 1*time.Millisecond)
			segments(1, "not old yet")
			clock.move(-2 * time.Hour)
			segments(1, "the clock stepped back")
			clock.move(time.Hour - time.Millisecond)
			segments(1, "an hour is counted from then on")
			clock.move(time.Millisecond)
			segments(2, "old")
			s.Ack(1)
			j.Covered(j.Positions())
			j.sweep()
			segments(1, "trimmed")
			clock.move(100 * time.Hour)
			segments(1, "without events it does not end")
			mustAppend(t, j, testEvents(1, 1))
			segments(1, "new events")
			clock.move(time.Hour)
			segments(2, "old again")
			if err := j.Release(); err != nil {
				t.Error(err)
			}
		}
	})
}

// A segment ends on a server that never pauses, too: with each sync that is waited for,
// another event is to be appended.
func TestOldSegmentEndsUnderLoad(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := testConfig(t.TempDir())
		clock := newTestClock()
		c.Now, c.Sync, c.RollAfter = clock.now, 0, time.Hour
		var d disk
		j := mustOpen(t, c, &d)
		mustAppend(t, j, testEvents(0, 1))
		s := own(t, j)
		j.rollOld()
		clock.move(time.Hour)
		var busy sync.WaitGroup
		appended := 1
		appendOne := func() {
			n := appended
			appended++
			busy.Go(func() {
				if err := j.Append(testEvents(n, 1)); err != nil {
					t.Error(err)
				}
			})
		}
		begin := make(chan struct{})
		d.step = func(op, path string, do func() error) error {
			if op == "sync" && appended < 10 {
				<-begin
				appendOne()
				synctest.Wait() // until it waits for a sync
			}
			return do()
		}
		appendOne()
		synctest.Wait()
		busy.Go(j.rollOld)
		synctest.Wait()
		close(begin)
		busy.Wait()
		d.step = nil
		if n := len(segmentFiles(t, c.Dir, s.ID())); n != 2 {
			t.Errorf("%d segments, want 2", n)
		}
		if got := len(read(t, s, 0, 1<<20)); got != appended {
			t.Errorf("%d events, want %d", got, appended)
		}
	})
}

// Run ends old segments by itself.
func TestRunEndsOldSegments(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := testConfig(t.TempDir())
		c.Now, c.RollAfter = nil, time.Hour
		j := mustOpen(t, c, &disk{})
		ctx, stop := context.WithCancel(t.Context())
		var run sync.WaitGroup
		run.Go(func() { j.Run(ctx) })
		mustAppend(t, j, testEvents(0, 1))
		s := own(t, j)
		time.Sleep(time.Hour + 10*pulse)
		if n := len(segmentFiles(t, c.Dir, s.ID())); n != 2 {
			t.Errorf("after an hour there are %d segments, want 2", n)
		}
		stop()
		run.Wait()
		if err := j.Release(); err != nil {
			t.Error(err)
		}
	})
}
