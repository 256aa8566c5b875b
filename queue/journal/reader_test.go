package journal

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestReadStaysWithinMax(t *testing.T) {
	j := mustOpen(t, testConfig(t.TempDir()), &disk{})
	for n := range 10 {
		mustAppend(t, j, testEvents(n, 1))
	}
	frame, _ := frameSize(testEvents(0, 1))
	r := own(t, j).Reader(0)
	for _, c := range []struct{ max, frames int }{{1, 1}, {frame, 1}, {2*frame - 1, 1}, {2 * frame, 2}, {3*frame + 5, 3}} {
		b, _, err := r.Next(nil, c.max)
		if err != nil || len(b) != c.frames*frame {
			t.Errorf("max %d: %d bytes, %v, want %d frames of %d bytes", c.max, len(b), err, c.frames, frame)
		}
	}
}

// TestReaderFindsItsPlace reads from the middle of a segment that has an index.
func TestReaderFindsItsPlace(t *testing.T) {
	c := testConfig(t.TempDir())
	c.MaxBytes, c.SegmentBytes = 16<<20, 2<<20
	j := mustOpen(t, c, unsynced())
	s := own(t, j)
	const n = 15_000
	for i := range n {
		mustAppend(t, j, testEvents(10_000+i, 1))
	}
	g := s.segs[0]
	frame, _ := frameSize(testEvents(10_000, 1))
	for _, after := range []uint64{0, 1, 2620, 5000, 9999, n - 1} {
		at := int64(after) * int64(frame)
		if off := g.near(g.extents[0], after+1); off > at || off < at-indexEvery-int64(frame) {
			t.Errorf("event %d, at byte %d, is looked for from byte %d", after+1, at, off)
		}
		b, last, err := s.Reader(after).Next(nil, 2*frame)
		if err != nil {
			t.Fatal(err)
		}
		want := items(after+1, 10_000+int(after), int(last-after))
		if got := parseItems(t, s.ID(), b); !slices.Equal(got, want) {
			t.Errorf("after %d: got %v, want %v", after, got, want)
		}
	}
}

// TestDamageWhileReading damages a segment after its stream was adopted.
func TestDamageWhileReading(t *testing.T) {
	for _, c := range []struct {
		name   string
		damage func(t *testing.T, d *dead)
		want   func(d *dead) []item
	}{
		{"a byte", func(t *testing.T, d *dead) {
			change(t, d.segs[1], func(b []byte) []byte { b[d.size] ^= 1; return b })
		}, func(d *dead) []item {
			lost := d.from[1] + 1
			return slices.Concat(d.want(1, lost-1), gap(lost, lost), d.want(lost+1, 75))
		}},
		{"cut short", func(t *testing.T, d *dead) {
			change(t, d.segs[1], func(b []byte) []byte { return b[:d.size+7] })
		}, func(d *dead) []item {
			return slices.Concat(d.want(1, d.from[1]), gap(d.from[1]+1, d.from[2]-1), d.want(d.from[2], 75))
		}},
		{"deleted", func(t *testing.T, d *dead) {
			os.Remove(d.segs[1])
		}, func(d *dead) []item {
			return slices.Concat(d.want(1, d.from[1]-1), gap(d.from[1], d.from[2]-1), d.want(d.from[2], 75))
		}},
		{"the end deleted", func(t *testing.T, d *dead) {
			os.Remove(d.segs[len(d.segs)-1])
		}, func(d *dead) []item {
			end := d.from[len(d.from)-1]
			return slices.Concat(d.want(1, end-1), gap(end, 75))
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := kill(t, 75)
			_, s := d.open(t)
			c.damage(t, d)
			for range 2 {
				if diff := cmp.Diff(c.want(d), read(t, s, 0, 300)); diff != "" {
					t.Fatalf("(-want +got):\n%s", diff)
				}
			}
		})
	}
}

// TestDirectoryGoneWhileReading: when everything is gone the disk is, and it may
// come back. That is no reason to declare all events lost.
func TestDirectoryGoneWhileReading(t *testing.T) {
	d := kill(t, 40)
	_, s := d.open(t)
	away := filepath.Join(d.dir, "away")
	dir := filepath.Join(d.dir, d.id.String())
	if err := os.Rename(dir, away); err != nil {
		t.Fatal(err)
	}
	r := s.Reader(0)
	if _, _, err := r.Next(nil, 100); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("read: %v, want %v", err, os.ErrNotExist)
	}
	if err := os.Rename(away, dir); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(d.want(1, 40), read(t, s, 0, 1000)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
