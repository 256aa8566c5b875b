package journal

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/popupd/popupd/popup"
)

// testEvent makes the n-th event of a test; its user tells it from all others.
func testEvent(n int) popup.Event {
	return popup.Event{
		AtMS: 1_700_000_000_000 + int64(n), ServedAtMS: 1_700_000_000_000, User: fmt.Appendf(nil, "user-%d", n),
		Popup: 7, Version: 3, Variant: []byte("a"), Action: popup.Click, Nth: 2, ReadyAtMS: 1_700_000_100_000,
	}
}

func testEvents(first, count int) []popup.Event {
	var list []popup.Event
	for n := first; n < first+count; n++ {
		list = append(list, testEvent(n))
	}
	return list
}

// testClock is a clock that stands still until it is moved.
type testClock struct{ ms atomic.Int64 }

func newTestClock() *testClock {
	c := &testClock{}
	c.ms.Store(1_700_000_000_000)
	return c
}

func (c *testClock) now() int64           { return c.ms.Load() }
func (c *testClock) move(d time.Duration) { c.ms.Add(d.Milliseconds()) }

// writers are the ways in which a journal may write; the same tests hold for all.
var writers = map[string]func() *disk{
	"mapped":      func() *disk { return &disk{} },
	"allocated":   func() *disk { return &disk{noMmap: true} },
	"unallocated": func() *disk { return &disk{noAlloc: true} },
	"portable":    func() *disk { return &disk{noAlloc: true, noDirRename: true} }, // as on Windows
}

func eachWriter(t *testing.T, f func(t *testing.T, d *disk)) {
	for name, d := range writers {
		t.Run(name, func(t *testing.T) { f(t, d()) })
	}
}

// unsynced is a disk that does not sync: a kill does not need it, and it takes time.
func unsynced() *disk { return &disk{step: (&faults{}).step} }

// memoryDir is a temporary directory in memory where there is one: the tests that
// start a thousand journals wait for little else than the disk.
func memoryDir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "popupd-test-")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// background is a Sync that never comes by itself.
const background = time.Hour

// testConfig has small segments, for a dozen or so of test events.
func testConfig(dir string) Config {
	return Config{Dir: dir, MaxBytes: 1 << 20, SegmentBytes: 2 << 10, Sync: background, Grace: -1, Now: newTestClock().now}
}

func mustOpen(t testing.TB, c Config, d *disk) *Journal {
	t.Helper()
	if testing.Verbose() && c.Log == nil {
		c.Log = slog.New(slog.NewTextHandler(testWriter{t}, nil))
	}
	j, err := open(c, d)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := j.Release(); err != nil {
			t.Error(err)
		}
	})
	return j
}

// testWriter writes to the test's log.
type testWriter struct{ t testing.TB }

func (w testWriter) Write(b []byte) (int, error) {
	w.t.Logf("%s", b)
	return len(b), nil
}

func mustAppend(t testing.TB, j *Journal, events []popup.Event) {
	t.Helper()
	if err := j.Append(events); err != nil {
		t.Fatalf("append: %v", err)
	}
}

// item is an event (its user) or a gap, as a reader sees it.
type item struct {
	Seq  uint64
	User string // "" for a gap
}

// read returns everything a stream holds from event after+1 on, read in pieces of
// about max bytes.
func read(t testing.TB, s *Stream, after uint64, max int) []item {
	t.Helper()
	var list []item
	r := s.Reader(after)
	for {
		b, last, err := r.Next([]byte("kept"), max)
		if err == io.EOF {
			return list
		}
		if err != nil {
			t.Fatalf("read stream %s after %d: %v", s.ID(), after, err)
		}
		if string(b[:4]) != "kept" {
			t.Fatalf("Next has overwritten dst")
		}
		got := parseItems(t, s.ID(), b[4:])
		if len(got) == 0 || got[len(got)-1].Seq != last {
			t.Fatalf("Next said last is %d, got %v", last, got)
		}
		list = append(list, got...)
	}
}

func parseItems(t testing.TB, id popup.StreamID, b []byte) (list []item) {
	t.Helper()
	for len(b) > 0 {
		f, size, err := ParseFrame(b)
		if err != nil {
			t.Fatalf("a reader returned a bad frame: %v", err)
		}
		if f.Stream != id {
			t.Fatalf("a frame of stream %s in stream %s", f.Stream, id)
		}
		events, err := f.Events(nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range events {
			list = append(list, item{e.Seq, string(e.User)})
		}
		if f.Gap {
			for seq := f.First; seq <= f.Last(); seq++ {
				list = append(list, item{Seq: seq})
			}
		}
		b = b[size:]
	}
	return list
}

// items are those of events appended as first, first+1, ... from seq on.
func items(seq uint64, first, count int) (list []item) {
	for n := range count {
		list = append(list, item{seq + uint64(n), string(testEvent(first + n).User)})
	}
	return list
}

// gap are the items of lost events.
func gap(first, last uint64) (list []item) {
	for seq := first; seq <= last; seq++ {
		list = append(list, item{Seq: seq})
	}
	return list
}

// own returns the stream that j writes.
func own(t testing.TB, j *Journal) *Stream {
	t.Helper()
	for _, s := range j.Streams() {
		if !s.Sealed() {
			return s
		}
	}
	t.Fatal("the journal writes no stream")
	return nil
}

// old returns the one stream that j has adopted, nil if there is none.
func old(t testing.TB, j *Journal) (found *Stream) {
	t.Helper()
	for _, s := range j.Streams() {
		if s.Sealed() {
			if found != nil {
				t.Fatal("the journal has adopted several streams")
			}
			found = s
		}
	}
	return found
}

// copyDir copies a journal's directory as a kill of its process would leave it.
func copyDir(t testing.TB, dir string) string {
	t.Helper()
	to := filepath.Join(memoryDir(t), "copy")
	if err := os.CopyFS(to, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	return to
}

// segmentFiles lists a stream's segments, ascending.
func segmentFiles(t testing.TB, dir string, s popup.StreamID) []string {
	t.Helper()
	list, err := filepath.Glob(filepath.Join(dir, s.String(), "*"+segSuffix))
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func listDir(t testing.TB, dir string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// eventually waits for something that another goroutine does.
func eventually(t testing.TB, what string, f func() bool) {
	t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for ; !f(); <-tick.C {
		if time.Now().After(deadline) {
			t.Fatalf("not in 10 s: %s", what)
		}
	}
}
