//go:build !race

package journal

import "testing"

// underRace says that everything is ten times slower.
const underRace = false

func TestAppendDoesNotAllocate(t *testing.T) {
	eachWriter(t, func(t *testing.T, d *disk) {
		c := testConfig(t.TempDir())
		c.MaxBytes, c.SegmentBytes = 64<<20, 8<<20 // one segment: the next one may cost something
		j := mustOpen(t, c, d)
		for _, count := range []int{1, 4} {
			events := testEvents(0, count)
			if got := testing.AllocsPerRun(1000, func() {
				if err := j.Append(events); err != nil {
					t.Fatal(err)
				}
			}); got != 0 {
				t.Errorf("%d events: %v allocations, want 0", count, got)
			}
		}
		if n := len(segmentFiles(t, c.Dir, own(t, j).ID())); n != 1 {
			t.Errorf("%d segments", n)
		}
	})
}

func TestRefusalDoesNotAllocate(t *testing.T) {
	c := testConfig(t.TempDir())
	c.MaxBytes = 16 << 10
	j := mustOpen(t, c, &disk{})
	events := testEvents(0, 1)
	for j.Append(events) == nil {
	}
	if got := testing.AllocsPerRun(1000, func() { j.Append(events) }); got != 0 {
		t.Errorf("full: %v allocations, want 0", got)
	}
	j.Close()
	if got := testing.AllocsPerRun(1000, func() { j.Append(events) }); got != 0 {
		t.Errorf("closed: %v allocations, want 0", got)
	}
}

func TestNextDoesNotAllocateFrames(t *testing.T) {
	j := mustOpen(t, testConfig(t.TempDir()), &disk{})
	for n := range 15 {
		mustAppend(t, j, testEvents(n, 1))
	}
	s := own(t, j)
	buf := make([]byte, 0, 64<<10+MaxFrameSize)
	r := s.Reader(0)
	got := testing.AllocsPerRun(100, func() {
		*r = Reader{stream: s, next: 1}
		if _, _, err := r.Next(buf, 64<<10); err != nil {
			t.Fatal(err)
		}
	})
	if got > 4 { // what os.Open costs
		t.Errorf("%v allocations for a piece of 64 KiB", got)
	}
}
