package journal

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/popupd/popupd/popup"
	"github.com/prometheus/client_golang/prometheus"
)

func TestAppendAndRead(t *testing.T) {
	eachWriter(t, func(t *testing.T, d *disk) {
		for _, sync := range []time.Duration{0, background} {
			c := testConfig(t.TempDir())
			c.Sync = sync
			j := mustOpen(t, c, d)
			s := own(t, j)
			if s.First() != 1 || s.Last() != 0 || len(read(t, s, 0, 100)) != 0 {
				t.Fatalf("a new stream holds %d to %d", s.First(), s.Last())
			}
			var want []item
			for n := 0; n < 100; {
				count := 1 + n%4
				mustAppend(t, j, testEvents(n, count))
				want = append(want, items(uint64(n+1), n, count)...)
				n += count
			}
			if s.Last() != uint64(len(want)) {
				t.Errorf("last is %d, want %d", s.Last(), len(want))
			}
			if n := len(segmentFiles(t, c.Dir, s.ID())); n < 3 {
				t.Errorf("only %d segments: the test does not test", n)
			}
			for _, max := range []int{1, 300, 1000, 1 << 20} {
				if d := cmp.Diff(want, read(t, s, 0, max)); d != "" {
					t.Fatalf("in pieces of %d (-want +got):\n%s", max, d)
				}
			}
			for after := range uint64(len(want)) {
				got := read(t, s, after, 500)
				// The frame that holds after+1 may start before it, by up to 3.
				if lead := uint64(len(got)) - (uint64(len(want)) - after); lead > 3 || !slices.Equal(got, want[after-lead:]) {
					t.Fatalf("after %d: got %v", after, got)
				}
			}
		}
	})
}

func TestAppendRefusesInvalid(t *testing.T) {
	j := mustOpen(t, testConfig(t.TempDir()), &disk{})
	bad := testEvents(0, 2)
	bad[1].User = nil
	for name, events := range map[string][]popup.Event{"invalid": bad, "too many": testEvents(0, MaxFrameEvents+1)} {
		if err := j.Append(events); !errors.Is(err, popup.ErrEventInvalid) {
			t.Errorf("%s: %v, want %v", name, err, popup.ErrEventInvalid)
		}
	}
	if err := j.Append(nil); err != nil {
		t.Errorf("no events: %v", err)
	}
	mustAppend(t, j, testEvents(0, 1))
	if d := cmp.Diff(items(1, 0, 1), read(t, own(t, j), 0, 1000)); d != "" {
		t.Error(d)
	}
}

func TestFrameGreaterThanASegment(t *testing.T) {
	eachWriter(t, func(t *testing.T, d *disk) {
		j := mustOpen(t, testConfig(t.TempDir()), d)
		mustAppend(t, j, testEvents(0, MaxFrameEvents)) // into the first segment
		mustAppend(t, j, testEvents(MaxFrameEvents, 1))
		mustAppend(t, j, testEvents(MaxFrameEvents+1, MaxFrameEvents))
		mustAppend(t, j, testEvents(2*MaxFrameEvents+1, 1))
		if d := cmp.Diff(items(1, 0, 2*MaxFrameEvents+2), read(t, own(t, j), 0, 100)); d != "" {
			t.Error(d)
		}
	})
}

func TestCloseSealsAndReopenAdopts(t *testing.T) {
	eachWriter(t, func(t *testing.T, d *disk) {
		c := testConfig(t.TempDir())
		j := mustOpen(t, c, d)
		for n := range 40 {
			mustAppend(t, j, testEvents(n, 1))
		}
		s := own(t, j)
		for range 2 {
			if err := j.Close(); err != nil {
				t.Fatal(err)
			}
		}
		if err := j.Append(testEvents(0, 1)); !errors.Is(err, ErrClosed) {
			t.Errorf("append after close: %v", err)
		}
		want := items(1, 0, 40)
		if d := cmp.Diff(want, read(t, s, 0, 1000)); d != "" || !s.Sealed() {
			t.Errorf("after close, sealed %v: (-want +got)\n%s", s.Sealed(), d)
		}
		// The lock is still held.
		other := mustOpen(t, c, d)
		if old(t, other) != nil {
			t.Error("a stream was adopted that is still held")
		}
		if err := j.Release(); err != nil {
			t.Fatal(err)
		}
		if _, _, err := s.Reader(0).Next(nil, 1000); !errors.Is(err, ErrClosed) {
			t.Errorf("read after release: %v", err)
		}
		if err := other.adopt(nil); err != nil {
			t.Fatal(err)
		}
		again := old(t, other)
		if again == nil || again.ID() != s.ID() {
			t.Fatalf("adopted %v, want stream %s", again, s.ID())
		}
		if d := cmp.Diff(want, read(t, again, 0, 1000)); d != "" {
			t.Errorf("adopted (-want +got):\n%s", d)
		}
		for _, name := range listDir(t, filepath.Join(c.Dir, s.ID().String())) {
			if name == spareName {
				t.Error("the spare segment was left behind")
			}
		}
	})
}

func TestEmptyStreamGoesAtClose(t *testing.T) {
	c := testConfig(t.TempDir())
	if err := mustOpen(t, c, &disk{}).Close(); err != nil {
		t.Fatal(err)
	}
	if names := listDir(t, c.Dir); len(names) != 0 {
		t.Errorf("left behind: %v", names)
	}
}

func TestTwoJournalsInOneDirectory(t *testing.T) {
	c := testConfig(t.TempDir())
	a, b := mustOpen(t, c, &disk{}), mustOpen(t, c, &disk{})
	mustAppend(t, a, testEvents(0, 1))
	mustAppend(t, b, testEvents(100, 2))
	for _, j := range []*Journal{a, b} {
		if err := j.adopt(nil); err != nil {
			t.Fatal(err)
		}
		if n := len(j.Streams()); n != 1 {
			t.Errorf("%d streams, want each journal's own", n)
		}
	}
	id := own(t, a).ID()
	if err := a.Release(); err != nil {
		t.Fatal(err)
	}
	var users []string
	if err := b.adopt(func(ev *popup.Event) { users = append(users, string(ev.User)) }); err != nil {
		t.Fatal(err)
	}
	if len(users) != 1 {
		t.Errorf("adopting tells of %d events, want 1", len(users))
	}
	if s := old(t, b); s == nil || s.ID() != id || !slices.Equal(read(t, s, 0, 100), items(1, 0, 1)) {
		t.Errorf("adopted %v, want stream %s", s, id)
	}
}

func TestForeignFilesAreLeftAlone(t *testing.T) {
	c := testConfig(t.TempDir())
	j := mustOpen(t, c, &disk{})
	mustAppend(t, j, testEvents(0, 1))
	id := own(t, j).ID().String()
	dir := copyDir(t, c.Dir)
	files := []string{"README", ".hidden", "00112233445566778899AABBCCDDEEFF/x", filepath.Join(id, "note.txt"), filepath.Join(id, "1.seg")}
	for _, name := range files {
		path := filepath.Join(dir, name)
		os.MkdirAll(filepath.Dir(path), 0o700)
		if err := os.WriteFile(path, []byte("mine"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c.Dir = dir
	again := mustOpen(t, c, &disk{})
	if d := cmp.Diff(items(1, 0, 1), read(t, old(t, again), 0, 100)); d != "" {
		t.Error(d)
	}
	for _, name := range files {
		if b, err := os.ReadFile(filepath.Join(dir, name)); string(b) != "mine" {
			t.Errorf("%s: %q, %v", name, b, err)
		}
	}
}

func TestOpenErrors(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []Config{{}, {Dir: file}, {Dir: t.TempDir(), Sync: -1}, {Dir: t.TempDir(), MaxBytes: -1}} {
		if _, err := Open(c); err == nil {
			t.Errorf("%+v was accepted", c)
		} else if strings.Contains(err.Error(), "\n") {
			t.Errorf("more than a line: %q", err)
		}
	}
}

func TestReplay(t *testing.T) {
	c := testConfig(t.TempDir())
	first := mustOpen(t, c, &disk{})
	for n := range 30 {
		mustAppend(t, first, testEvents(n, 1))
	}
	if err := first.Release(); err != nil {
		t.Fatal(err)
	}
	j := mustOpen(t, c, &disk{})
	mustAppend(t, j, testEvents(100, 2))
	var got []item
	if err := j.Replay(func(e *popup.Event) { got = append(got, item{e.Seq, string(e.User)}) }); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(append(items(1, 0, 30), items(1, 100, 2)...), got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

func TestMetrics(t *testing.T) {
	reg := prometheus.NewPedanticRegistry()
	c := testConfig(t.TempDir())
	c.Registerer = reg
	j := mustOpen(t, c, &disk{})
	for n := range 500 {
		mustAppend(t, j, testEvents(n, 2))
	}
	j.Append(testEvents(0, MaxFrameEvents+1)) // not the journal's error
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]float64{}
	for _, f := range families {
		m := f.GetMetric()[0]
		got[f.GetName()] = m.GetCounter().GetValue() + m.GetGauge().GetValue() + float64(m.GetHistogram().GetSampleCount())
	}
	if n := got["popupd_journal_append_duration_seconds"]; n < 1 || n > 100 {
		t.Errorf("%v of 500 appends were measured, want about 8", n)
	}
	delete(got, "popupd_journal_append_duration_seconds")
	want := map[string]float64{
		"popupd_journal_events_total": 1000,
		"popupd_journal_errors_total": 0,
		"popupd_journal_bytes":        float64(j.bytes.Load()),
		"popupd_journal_max_bytes":    1 << 20,
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if _, err := Open(c); err == nil {
		t.Error("two journals share a registry")
	}
}

// TestConcurrent appends from many goroutines, with readers, syncs and trimming.
func TestConcurrent(t *testing.T) {
	for _, interval := range []time.Duration{0, time.Millisecond} {
		t.Run(fmt.Sprint(interval), func(t *testing.T) {
			c := testConfig(t.TempDir())
			c.Sync, c.MaxBytes, c.SegmentBytes, c.Now = interval, 64<<20, 16<<10, nil
			j := mustOpen(t, c, &disk{})
			ctx, cancel := context.WithCancel(t.Context())
			var run, appenders sync.WaitGroup
			run.Go(func() { j.Run(ctx) })
			const goroutines, each = 8, 200
			for g := range goroutines {
				appenders.Go(func() {
					for n := range each {
						if err := j.Append(testEvents(1000*g+n, 1)); err != nil {
							t.Error(err)
						}
					}
				})
			}
			s := own(t, j)
			next := make([]int, goroutines)
			var buf []byte
			var seq uint64
			for r := s.Reader(0); seq < goroutines*each; {
				var err error
				if buf, _, err = r.Next(buf[:0], 4096); err != nil {
					<-j.Changed()
					continue
				}
				for _, it := range parseItems(t, s.ID(), buf) {
					seq++
					var n int
					fmt.Sscanf(it.User, "user-%d", &n)
					if it.Seq != seq || n%1000 != next[n/1000] {
						t.Fatalf("got %v, want seq %d and number %d", it, seq, next[n/1000])
					}
					next[n/1000]++
				}
				s.Ack(seq)
				j.Covered(map[popup.StreamID]uint64{s.ID(): seq})
			}
			appenders.Wait()
			eventually(t, "all but the last segment is trimmed", func() bool { return len(segmentFiles(t, c.Dir, s.ID())) == 1 })
			cancel()
			run.Wait()
		})
	}
}
