package journal

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/popupd/popupd/popup"
)

func TestTrim(t *testing.T) {
	c := testConfig(t.TempDir())
	clock := newTestClock()
	c.Now, c.Grace = clock.now, time.Minute
	j := mustOpen(t, c, &disk{})
	for n := range 60 {
		mustAppend(t, j, testEvents(n, 1))
	}
	s := own(t, j)
	second := s.segs[1].first
	all := len(segmentFiles(t, c.Dir, s.ID()))
	// keeps asserts that nothing was trimmed.
	keeps := func(why string) {
		t.Helper()
		j.sweep()
		if n := len(segmentFiles(t, c.Dir, s.ID())); n != all || s.First() != 1 {
			t.Fatalf("%s: %d segments from event %d, want %d from 1", why, n, s.First(), all)
		}
	}
	wants := func(want bool) {
		t.Helper()
		if j.WantsDump() != want {
			t.Errorf("wants a dump: %v, want %v", !want, want)
		}
	}
	keeps("not needed by nobody")
	wants(false)
	s.Ack(60)
	keeps("not covered")
	wants(true)
	clock.move(time.Hour)
	s.Ack(0)
	j.Covered(j.Positions())
	wants(false)
	keeps("acked no longer")
	s.Ack(second - 2)
	clock.move(time.Hour)
	keeps("its last event is not committed")
	s.Ack(second - 1)
	keeps("grace begins")
	clock.move(-time.Hour)
	keeps("the clock stepped back")
	clock.move(59 * time.Second)
	keeps("grace")
	clock.move(time.Second)
	j.sweep()
	if s.First() != second || len(segmentFiles(t, c.Dir, s.ID())) != all-1 {
		t.Fatalf("the first segment was not trimmed: first is %d", s.First())
	}
	s.Ack(60)
	j.sweep()
	clock.move(time.Minute)
	before := j.bytes.Load()
	j.sweep()
	if n := len(segmentFiles(t, c.Dir, s.ID())); n != 1 {
		t.Errorf("%d segments left, want the last one", n)
	}
	if got, want := j.bytes.Load(), before-int64(all-2)*2048; got != want {
		t.Errorf("%d bytes counted, want %d", got, want)
	}
	if _, _, err := s.Reader(0).Next(nil, 100); !errors.Is(err, ErrTrimmed) {
		t.Errorf("read what is trimmed: %v, want %v", err, ErrTrimmed)
	}
	if d := cmp.Diff(items(s.First(), int(s.First())-1, 61-int(s.First())), read(t, s, s.First()-1, 100)); d != "" {
		t.Error(d)
	}
	if err := s.Remove(); err == nil {
		t.Error("a stream that is being written was removed")
	}
}

func TestRemove(t *testing.T) {
	c := testConfig(t.TempDir())
	clock := newTestClock()
	c.Now, c.Grace = clock.now, time.Minute
	first := mustOpen(t, c, &disk{})
	mustAppend(t, first, testEvents(0, 5))
	if err := first.Release(); err != nil {
		t.Fatal(err)
	}
	j := mustOpen(t, c, &disk{})
	s := old(t, j)
	for range 2 {
		if err := s.Remove(); err != nil {
			t.Fatal(err)
		}
	}
	if old(t, j) != nil {
		t.Error("a removed stream is still to be shipped")
	}
	if got := j.Positions()[s.ID()]; got != 5 {
		t.Errorf("position %d: a dump must go on to cover it", got)
	}
	exists := func() bool { return slices.Contains(listDir(t, c.Dir), s.ID().String()) }
	j.sweep()
	clock.move(time.Hour)
	j.sweep()
	if !exists() {
		t.Fatal("deleted before it was covered")
	}
	if !j.WantsDump() {
		t.Error("wants no dump")
	}
	j.Covered(map[popup.StreamID]uint64{s.ID(): 5})
	j.sweep()
	if !exists() {
		t.Fatal("deleted without grace")
	}
	if j.WantsDump() {
		t.Error("wants a dump")
	}
	clock.move(time.Minute)
	j.sweep()
	if exists() {
		t.Fatal("not deleted")
	}
	if got := j.bytes.Load(); got != 2048 {
		t.Errorf("%d bytes counted, want those of the own stream", got)
	}
	if _, _, err := s.Reader(4).Next(nil, 100); !errors.Is(err, ErrTrimmed) || s.First() != 6 {
		t.Errorf("read what is removed: %v, first %d", err, s.First())
	}
}

func TestRunAdoptsAndAllocatesAhead(t *testing.T) { synctest.Test(t, testRun) }

func testRun(t *testing.T) {
	c := testConfig(t.TempDir())
	c.Now = nil
	a, b := mustOpen(t, c, &disk{}), mustOpen(t, c, &disk{})
	ctx, cancel := context.WithCancel(t.Context())
	var run sync.WaitGroup
	run.Go(func() { b.Run(ctx) })
	defer run.Wait()
	defer cancel()
	mustAppend(t, a, testEvents(0, 1))
	for n := 0; own(t, b).segs[0].used() < 1024; n++ {
		mustAppend(t, b, testEvents(n, 1))
	}
	spare := filepath.Join(c.Dir, own(t, b).ID().String(), spareName)
	eventually(t, "a spare segment", func() bool { _, err := os.Stat(spare); return err == nil })
	if err := a.Release(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the other journal's stream is adopted", func() bool { return old(t, b) != nil })
	b.mu.Lock()
	had := b.active.spare != nil
	b.mu.Unlock()
	for n := range 20 {
		mustAppend(t, b, testEvents(n, 1))
	}
	if !had || len(segmentFiles(t, c.Dir, own(t, b).ID())) < 2 {
		t.Error("the spare segment was not used")
	}
}
