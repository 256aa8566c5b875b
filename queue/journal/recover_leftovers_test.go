package journal

import (
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/popupd/popupd/popup"
)

func TestRecoverLeavesNewerVersionAlone(t *testing.T) {
	d := kill(t, 40)
	change(t, d.segs[1], func(b []byte) []byte {
		b[d.size+4] = frameVersion + 1
		reseal(b[d.size : 2*d.size])
		return b
	})
	before := dump(t, d.dir)
	f := &faults{}
	j := mustOpen(t, testConfig(d.dir), &disk{step: f.step})
	if old(t, j) != nil {
		t.Fatal("a stream of a newer version was adopted")
	}
	mustAppend(t, j, testEvents(0, 1))
	steps := f.steps
	if err := j.adopt(nil); err != nil {
		t.Fatal(err)
	}
	if n := f.steps - steps; n > 1 { // a try at the own stream's lock
		t.Errorf("the stream was looked at again, in %d steps", n)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	after := dump(t, d.dir)
	for name, content := range before {
		if after[name] != content {
			t.Errorf("%s was changed", name)
		}
	}
	// A newer server can have it at once.
	lock, err := (&disk{}).lock(filepath.Join(d.dir, d.id.String()))
	if err != nil {
		t.Fatalf("the stream is still locked: %v", err)
	}
	lock.Close()
}

// TestRecoverAllVersions: frames of all versions stand in one segment.
func TestRecoverAllVersions(t *testing.T) {
	c := testConfig(t.TempDir())
	j := mustOpen(t, c, &disk{})
	var want []popup.Action
	for _, a := range []popup.Action{popup.Impression, popup.View, popup.Click, popup.Release, popup.Goal, popup.Dismiss} {
		e := testEvent(0)
		e.Action = a
		mustAppend(t, j, []popup.Event{e})
		want = append(want, a)
	}
	if err := j.Release(); err != nil {
		t.Fatal(err)
	}
	var got []popup.Action
	if err := mustOpen(t, c, &disk{}).Replay(func(e *popup.Event) { got = append(got, e.Action) }); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("actions (-appended +replayed):\n%s", d)
	}
}

// dump returns all files below dir.
func dump(t testing.TB, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		files[path] = string(b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// TestRecoverEmptyStream: MySQL may know a stream of which the disk has nothing, so
// it is for the shipper to give it up.
func TestRecoverEmptyStream(t *testing.T) {
	c := testConfig(t.TempDir())
	clock := newTestClock()
	c.Now, c.Grace = clock.now, time.Hour
	mustOpen(t, c, &disk{})
	c.Dir = copyDir(t, c.Dir) // killed before the first event
	j := mustOpen(t, c, &disk{})
	j.sweep()
	s := old(t, j)
	if s == nil || s.First() != 1 || s.Last() != 0 {
		t.Fatalf("adopted %v, want a stream without events", s)
	}
	if err := s.Remove(); err != nil {
		t.Fatal(err)
	}
	j.sweep() // at once
	if names := listDir(t, c.Dir); len(names) != 1 {
		t.Errorf("left: %v, want the own stream", names)
	}
}

// TestRecoverClearsLeftovers: what kills leave of streams that are made or deleted.
func TestRecoverClearsLeftovers(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{newPrefix + "old", newPrefix + "young", newPrefix + "locked", gonePrefix + "x"} {
		if err := os.MkdirAll(filepath.Join(dir, name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name, segmentName(1)), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	lock, err := (&disk{}).lock(filepath.Join(dir, newPrefix+"locked"))
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Close()
	past := time.Now().Add(-2 * newAge)
	for _, name := range []string{"old", "locked"} {
		if err := os.Chtimes(filepath.Join(dir, newPrefix+name), past, past); err != nil {
			t.Fatal(err)
		}
	}
	j := mustOpen(t, testConfig(dir), &disk{})
	want := []string{newPrefix + "locked", newPrefix + "young", own(t, j).ID().String()}
	if diff := cmp.Diff(want, listDir(t, dir)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestRecoverGivesUnusedRoomBack(t *testing.T) {
	d := kill(t, 40)
	last := len(d.segs) - 1
	j, _ := d.open(t)
	info, err := os.Stat(d.segs[last])
	if err != nil || info.Size() != int64(d.used(last)) {
		t.Errorf("%d bytes, want the %d in use (%v)", info.Size(), d.used(last), err)
	}
	want := int64(d.used(last)) + int64(last)*2048 + 2048
	if got := j.bytes.Load(); got != want {
		t.Errorf("%d bytes counted, want %d", got, want)
	}
}

func TestRecoverAllTrimmed(t *testing.T) {
	d := kill(t, 40)
	last := len(d.segs) - 1
	for _, path := range d.segs[:last] {
		os.Remove(path)
	}
	change(t, d.segs[last], func([]byte) []byte { return nil })
	_, s := d.open(t)
	if s == nil || s.First() != d.from[last] || s.Last() != d.from[last]-1 {
		t.Fatalf("a stream with nothing left is not there to be closed: %v", s)
	}
	if _, _, err := s.Reader(s.Last()).Next(nil, 100); err != io.EOF {
		t.Errorf("read: %v, want EOF", err)
	}
}
