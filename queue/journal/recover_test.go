package journal

import (
	"bytes"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/popupd/popupd/popup"
)

// dead is the directory of a process that was killed: a stream of single-event frames
// in several segments.
type dead struct {
	dir  string
	id   popup.StreamID
	segs []string // files
	from []uint64 // the first event of each
	n    int      // events
	size int      // of the last frames, which are all alike
}

func kill(t testing.TB, n int) *dead {
	t.Helper()
	c := testConfig(memoryDir(t))
	j := mustOpen(t, c, unsynced())
	for i := range n {
		mustAppend(t, j, testEvents(100+i, 1)) // of equal length
	}
	d := &dead{dir: copyDir(t, c.Dir), id: own(t, j).ID(), n: n}
	d.size, _ = frameSize(testEvents(100, 1))
	for _, g := range own(t, j).segs {
		d.from = append(d.from, g.first)
	}
	d.segs = segmentFiles(t, d.dir, d.id)
	return d
}

// used is where the frames in segment i end.
func (d *dead) used(i int) int {
	end := uint64(d.n) + 1
	if i+1 < len(d.from) {
		end = d.from[i+1]
	}
	return int(end-d.from[i]) * d.size
}

// open starts a journal on the directory as it is now, and returns the stream.
func (d *dead) open(t testing.TB) (*Journal, *Stream) {
	t.Helper()
	c := testConfig(d.dir)
	j := mustOpen(t, c, &disk{})
	return j, old(t, j)
}

// recovered reads the directory without starting anything.
func (d *dead) recovered(t testing.TB) []item {
	t.Helper()
	rec, err := (&disk{}).recover(filepath.Join(d.dir, d.id.String()), d.id, 0, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	s := &Stream{id: d.id, journal: &Journal{}, segs: rec.segs}
	s.readable.Store(rec.last)
	return read(t, s, s.First()-1, 1000)
}

func (d *dead) want(first, last uint64) []item {
	return items(first, 99+int(first), int(last-first)+1)
}

func change(t testing.TB, path string, f func(b []byte) []byte) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, f(b), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestRecoverTruncatedAtEveryByte(t *testing.T) {
	d := kill(t, 40)
	last := len(d.segs) - 1
	whole, err := os.ReadFile(d.segs[last])
	if err != nil {
		t.Fatal(err)
	}
	used := d.used(last)
	if used < 3*d.size {
		t.Fatalf("the last segment holds %d bytes, less than 3 frames", used)
	}
	for size := used - 3*d.size; size <= used; size++ {
		for _, zeroes := range []int{0, 100} {
			file := append(bytes.Clone(whole[:size]), make([]byte, zeroes)...)
			if err := os.WriteFile(d.segs[last], file, 0o600); err != nil {
				t.Fatal(err)
			}
			// A frame may end with zeroes of its own.
			n := d.n - 3
			for end := used - 2*d.size; end <= used && bytes.HasPrefix(file, whole[:end]); end += d.size {
				n++
			}
			want := d.want(1, uint64(n))
			if got := d.recovered(t); !slices.Equal(got, want) {
				t.Fatalf("%d bytes and %d zeroes: got %d events, want %d", size, zeroes, len(got), len(want))
			}
			if _, err := os.Stat(d.segs[last]); err != nil {
				t.Fatalf("a torn tail was set aside: %v", err)
			}
		}
	}
}

func TestRecoverEveryByteFlipped(t *testing.T) {
	d := kill(t, 40)
	last := len(d.segs) - 1
	whole, err := os.ReadFile(d.segs[last])
	if err != nil {
		t.Fatal(err)
	}
	used := d.used(last)
	for i := used - 3*d.size; i < used; i++ {
		bad := bytes.Clone(whole)
		bad[i] ^= 0x5a
		if err := os.WriteFile(d.segs[last], bad, 0o600); err != nil {
			t.Fatal(err)
		}
		good := d.n - 3 + (i-used+3*d.size)/d.size // before the flipped one
		if got := d.recovered(t); !slices.Equal(got, d.want(1, uint64(good))) {
			t.Fatalf("byte %d: got %d events, want %d", i, len(got), good)
		}
		// With whole frames behind it this is no torn tail.
		aside := d.segs[last] + badSuffix
		_, err := os.Stat(aside)
		if set := err == nil; set != (good < d.n-1) {
			t.Fatalf("byte %d of frame %d of %d: set aside %v", i, good+1, d.n, set)
		}
		// What is set aside says the same the next time.
		if got := d.recovered(t); !slices.Equal(got, d.want(1, uint64(good))) {
			t.Fatalf("byte %d, again: got %d events, want %d", i, len(got), good)
		}
		os.Remove(aside)
	}
}

// TestRecoverDamage is one row for each kind of damage.
func TestRecoverDamage(t *testing.T) {
	const n = 75
	flip := func(b []byte, at int) []byte { b[at] ^= 1; return b }
	for _, c := range []struct {
		name   string
		damage func(t *testing.T, d *dead)
		want   func(d *dead) []item
		aside  int // the segment that is set aside, -1 for none
	}{
		{"none", func(*testing.T, *dead) {}, func(d *dead) []item { return d.want(1, n) }, -1},
		{"zeroes behind the end", func(t *testing.T, d *dead) {
			change(t, d.segs[3], func(b []byte) []byte { return append(b, make([]byte, 3<<20)...) })
		}, func(d *dead) []item { return d.want(1, n) }, -1},
		{"a byte in a middle segment", func(t *testing.T, d *dead) {
			change(t, d.segs[1], func(b []byte) []byte { return flip(b, 2*d.size+50) })
		}, func(d *dead) []item {
			lost := d.from[1] + 2
			return slices.Concat(d.want(1, lost-1), gap(lost, lost), d.want(lost+1, n))
		}, 1},
		{"the start of the first segment", func(t *testing.T, d *dead) {
			change(t, d.segs[0], func(b []byte) []byte { return flip(b, 0) })
		}, func(d *dead) []item { return append(gap(1, 1), d.want(2, n)...) }, 0},
		{"two places in a middle segment", func(t *testing.T, d *dead) {
			change(t, d.segs[1], func(b []byte) []byte { return flip(flip(b, 1), 3*d.size+40) })
		}, func(d *dead) []item {
			at := d.from[1]
			return slices.Concat(d.want(1, at-1), gap(at, at), d.want(at+1, at+2), gap(at+3, at+3), d.want(at+4, n))
		}, 1},
		{"the end of a middle segment cut off", func(t *testing.T, d *dead) {
			change(t, d.segs[1], func(b []byte) []byte { return b[:d.used(1)-1] })
		}, func(d *dead) []item {
			lost := d.from[2] - 1
			return slices.Concat(d.want(1, lost-1), gap(lost, lost), d.want(lost+1, n))
		}, 1},
		{"zeroes in a middle segment", func(t *testing.T, d *dead) {
			change(t, d.segs[2], func(b []byte) []byte { clear(b[d.size : 3*d.size]); return b })
		}, func(d *dead) []item {
			lost := d.from[2] + 1
			return slices.Concat(d.want(1, lost-1), gap(lost, lost+1), d.want(lost+2, n))
		}, 2},
		{"a middle segment deleted", func(t *testing.T, d *dead) {
			os.Remove(d.segs[1])
		}, func(d *dead) []item {
			return slices.Concat(d.want(1, d.from[1]-1), gap(d.from[1], d.from[2]-1), d.want(d.from[2], n))
		}, -1},
		{"two middle segments deleted", func(t *testing.T, d *dead) {
			os.Remove(d.segs[1])
			os.Remove(d.segs[2])
		}, func(d *dead) []item {
			return slices.Concat(d.want(1, d.from[1]-1), gap(d.from[1], d.from[3]-1), d.want(d.from[3], n))
		}, -1},
		{"the first segment deleted: trimmed", func(t *testing.T, d *dead) {
			os.Remove(d.segs[0])
		}, func(d *dead) []item { return d.want(d.from[1], n) }, -1},
		{"a middle segment is garbage", func(t *testing.T, d *dead) {
			change(t, d.segs[1], func(b []byte) []byte { return bytes.Repeat([]byte("garbage!"), 5000) })
		}, func(d *dead) []item {
			return slices.Concat(d.want(1, d.from[1]-1), gap(d.from[1], d.from[2]-1), d.want(d.from[2], n))
		}, 1},
		{"a middle segment is empty", func(t *testing.T, d *dead) {
			change(t, d.segs[1], func(b []byte) []byte { return nil })
		}, func(d *dead) []item {
			return slices.Concat(d.want(1, d.from[1]-1), gap(d.from[1], d.from[2]-1), d.want(d.from[2], n))
		}, 1},
		{"a middle segment is another one's copy", func(t *testing.T, d *dead) {
			b, _ := os.ReadFile(d.segs[0])
			change(t, d.segs[1], func([]byte) []byte { return b })
		}, func(d *dead) []item {
			return slices.Concat(d.want(1, d.from[1]-1), gap(d.from[1], d.from[2]-1), d.want(d.from[2], n))
		}, 1},
		{"a middle segment of another stream", func(t *testing.T, d *dead) {
			other := kill(t, n)
			b, _ := os.ReadFile(other.segs[1])
			change(t, d.segs[1], func([]byte) []byte { return b })
		}, func(d *dead) []item {
			return slices.Concat(d.want(1, d.from[1]-1), gap(d.from[1], d.from[2]-1), d.want(d.from[2], n))
		}, 1},
		{"the last segment is empty", func(t *testing.T, d *dead) {
			change(t, d.segs[3], func(b []byte) []byte { return nil })
		}, func(d *dead) []item { return d.want(1, d.from[3]-1) }, -1},
		{"the last segment is zeroes", func(t *testing.T, d *dead) {
			change(t, d.segs[3], func(b []byte) []byte { clear(b); return b })
		}, func(d *dead) []item { return d.want(1, d.from[3]-1) }, -1},
		{"the last segment is garbage", func(t *testing.T, d *dead) {
			change(t, d.segs[3], func(b []byte) []byte { return bytes.Repeat([]byte("garbage!"), 50000) })
		}, func(d *dead) []item { return d.want(1, d.from[3]-1) }, 3},
		{"the last segment begins with a bad frame", func(t *testing.T, d *dead) {
			change(t, d.segs[3], func(b []byte) []byte { return flip(b, 10) })
		}, func(d *dead) []item { return d.want(1, d.from[3]-1) }, 3},
		{"a segment before the end missing, the end empty", func(t *testing.T, d *dead) {
			os.Remove(d.segs[2])
			change(t, d.segs[3], func(b []byte) []byte { return nil })
		}, func(d *dead) []item { return d.want(1, d.from[2]-1) }, 3},
		{"a garbage file between two segments", func(t *testing.T, d *dead) {
			change(t, d.segs[0], func(b []byte) []byte {
				name := filepath.Join(filepath.Dir(d.segs[0]), segmentName(3))
				os.WriteFile(name, []byte("garbage"), 0o600)
				d.segs = append(d.segs, name)
				return b
			})
		}, func(d *dead) []item { return d.want(1, n) }, 4},
		{"a garbage file behind the last segment", func(t *testing.T, d *dead) {
			name := filepath.Join(filepath.Dir(d.segs[0]), segmentName(math.MaxUint64))
			os.WriteFile(name, []byte("garbage"), 0o600)
			d.segs = append(d.segs, name)
		}, func(d *dead) []item { return d.want(1, n) }, 4},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := kill(t, n)
			if len(d.segs) != 4 {
				t.Fatalf("%d segments, the rows are made for 4", len(d.segs))
			}
			c.damage(t, d)
			want := c.want(d)
			var before []byte
			if c.aside >= 0 {
				before, _ = os.ReadFile(d.segs[c.aside])
			}
			for range 2 { // the second start finds what the first has set aside
				j, s := d.open(t)
				if diff := cmp.Diff(want, read(t, s, s.First()-1, 300)); diff != "" {
					t.Fatalf("(-want +got):\n%s", diff)
				}
				var events []item
				if err := j.Replay(func(e *popup.Event) { events = append(events, item{e.Seq, string(e.User)}) }); err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(slices.DeleteFunc(slices.Clone(want), func(it item) bool { return it.User == "" }), events); diff != "" {
					t.Errorf("replay (-want +got):\n%s", diff)
				}
				if err := j.Release(); err != nil {
					t.Fatal(err)
				}
			}
			var aside []string
			for i, path := range d.segs {
				b, err := os.ReadFile(path + badSuffix)
				if err == nil != (i == c.aside) {
					t.Errorf("segment %d: set aside is %v", i, err == nil)
				}
				if err == nil {
					aside = append(aside, path)
					if !bytes.Equal(b, before) {
						t.Errorf("segment %d was changed when it was set aside", i)
					}
				}
			}
			// When it is committed, only what was set aside stays.
			j, s := d.open(t)
			s.Remove()
			j.Covered(j.Positions())
			j.sweep()
			left := listDir(t, filepath.Join(d.dir, d.id.String()+badSuffix))
			if len(left) != len(aside) || slices.Contains(listDir(t, d.dir), d.id.String()) {
				t.Errorf("after the removal there is %v, want what was set aside: %v", left, aside)
			}
		})
	}
}
