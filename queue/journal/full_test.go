package journal

import (
	"errors"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestQuota(t *testing.T) {
	eachWriter(t, func(t *testing.T, d *disk) {
		c := testConfig(t.TempDir())
		c.MaxBytes, c.SegmentBytes = 16<<10, 2<<10
		clock := newTestClock()
		c.Now, c.Grace = clock.now, time.Hour
		j := mustOpen(t, c, d)
		s := own(t, j)
		n := 0
		for ; n < 1000; n++ {
			j.allocateSpare()
			if err := j.Append(testEvents(n, 1)); errors.Is(err, ErrFull) {
				break
			} else if err != nil {
				t.Fatal(err)
			}
			if got := j.bytes.Load(); got > c.MaxBytes {
				t.Fatalf("%d bytes, the quota is %d", got, c.MaxBytes)
			}
		}
		if used := n * 100; used < 12<<10 || n == 1000 {
			t.Fatalf("full after %d events", n)
		}
		if !j.warned {
			t.Error("nobody was warned at 80 %")
		}
		j.sweep()
		if err := j.Append(testEvents(n, 1)); !errors.Is(err, ErrFull) {
			t.Fatalf("nothing is trimmed: %v, want %v", err, ErrFull)
		}
		s.Ack(uint64(n))
		j.Covered(j.Positions())
		j.sweep() // without grace: more than half is in use
		if got := j.bytes.Load(); got > c.MaxBytes/2 {
			t.Errorf("%d bytes after trimming, above half of the quota", got)
		}
		if s.Last()+1-s.First() < 40 {
			t.Errorf("only %d to %d are kept: below half of the quota there is grace", s.First(), s.Last())
		}
		mustAppend(t, j, testEvents(n, 1)) // at once
		clock.move(time.Hour)
		j.sweep()
		if j.warned || !slices.Equal(read(t, s, uint64(n), 100), items(uint64(n+1), n, 1)) {
			t.Errorf("warned %v, last %d", j.warned, s.Last())
		}
	})
}

// TestStartWhenFull: a start with a full disk drains, and accepts events later.
func TestStartWhenFull(t *testing.T) {
	dead := kill(t, 22)
	f := &faults{}
	f.set(syscall.ENOSPC, "allocate", "make directory")
	c := testConfig(dead.dir)
	clock := newTestClock()
	c.Now = clock.now
	j := mustOpen(t, c, &disk{step: f.step})
	if d := cmp.Diff(dead.want(1, 22), read(t, old(t, j), 0, 1000)); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	steps := f.steps
	for range 3 {
		if err := j.Append(testEvents(0, 1)); !errors.Is(err, ErrFull) || !errors.Is(err, syscall.ENOSPC) {
			t.Fatalf("append: %v, want %v", err, ErrFull)
		}
	}
	if f.steps != steps {
		t.Errorf("the full disk was asked %d times within a second", f.steps-steps)
	}
	f.set(nil)
	if err := j.Append(testEvents(0, 1)); !errors.Is(err, ErrFull) {
		t.Fatalf("append within a second: %v", err)
	}
	clock.move(time.Second)
	mustAppend(t, j, testEvents(0, 1))
}
