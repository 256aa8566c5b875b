package journal

import (
	"errors"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// gate stops the first sync in the middle, until it is told its result.
type gate struct {
	syncs   int // one at a time
	entered chan struct{}
	result  chan error
}

func newGate() *gate { return &gate{entered: make(chan struct{}, 1), result: make(chan error)} }

func (g *gate) step(op, path string, do func() error) error {
	if op == "sync" {
		if g.syncs++; g.syncs == 1 {
			g.entered <- struct{}{}
			return <-g.result
		}
	}
	return do()
}

// TestSyncReachesEverything: what a sync covers may be in several segments, whose
// names are new too.
func TestSyncReachesEverything(t *testing.T) {
	for _, interval := range []time.Duration{0, background} {
		synced := map[string]bool{}
		c := testConfig(t.TempDir())
		c.Sync = interval
		j := mustOpen(t, c, &disk{step: func(op, path string, do func() error) error {
			if strings.HasPrefix(op, "sync") {
				synced[path] = true
			}
			return do()
		}})
		s := own(t, j)
		clear(synced)
		for n := range 50 {
			mustAppend(t, j, testEvents(n, 1))
		}
		j.mu.Lock()
		j.syncRetiredLocked()
		j.mu.Unlock()
		files := segmentFiles(t, c.Dir, s.ID())
		for _, path := range append(files, filepath.Dir(files[0])) {
			if !synced[path] {
				t.Errorf("sync %v: %s was not synced", interval, path)
			}
		}
		if j.active.synced != 50 || len(files) < 3 {
			t.Errorf("sync %v: synced to %d, in %d segments", interval, j.active.synced, len(files))
		}
	}
}

// TestRefusedStaysRefused: the sync fails while others wait for it, and the next
// start does not count what they were refused.
func TestRefusedStaysRefused(t *testing.T) {
	eachWriter(t, func(t *testing.T, d *disk) {
		f := &faults{}
		c := testConfig(t.TempDir())
		c.Sync = 0
		var syncs int
		entered, leave := make(chan struct{}, 1), make(chan struct{})
		d.step = func(op, path string, do func() error) error {
			if op == "sync" {
				if syncs++; syncs == 2 { // one at a time
					entered <- struct{}{}
					<-leave
				}
			}
			return f.step(op, path, do)
		}
		j := mustOpen(t, c, d)
		s := own(t, j)
		mustAppend(t, j, testEvents(0, 1))
		errs := make(chan error)
		go func() { errs <- j.Append(testEvents(1, 1)) }()
		<-entered
		const waiters = 8
		for n := range waiters {
			go func() { errs <- j.Append(testEvents(10+n, 1)) }()
		}
		eventually(t, "all have written and wait", func() bool {
			j.mu.Lock()
			defer j.mu.Unlock()
			return j.active.next == waiters+3
		})
		if s.Last() != 1 {
			t.Errorf("last is %d: what is not synced may not be shipped", s.Last())
		}
		f.set(syscall.EIO, "sync")
		close(leave)
		for range waiters + 1 {
			if err := <-errs; !errors.Is(err, syscall.EIO) {
				t.Errorf("append: %v, want %v", err, syscall.EIO)
			}
		}
		f.set(nil)
		if !s.Sealed() || s.Last() != 1 {
			t.Errorf("the stream is sealed: %v, last %d", s.Sealed(), s.Last())
		}
		c.Dir = copyDir(t, c.Dir)
		if d := cmp.Diff(items(1, 0, 1), read(t, old(t, mustOpen(t, c, &disk{})), 0, 1000)); d != "" {
			t.Errorf("the next start (-want +got):\n%s", d)
		}
	})
}

// TestWriteFailsDuringSync: the sync succeeds, but its stream has ended meanwhile.
func TestWriteFailsDuringSync(t *testing.T) {
	c := testConfig(t.TempDir())
	c.Sync = 0
	g := newGate()
	j := mustOpen(t, c, &disk{step: func(op, path string, do func() error) error {
		if op == "write" && g.syncs == 1 {
			return syscall.EIO
		}
		return g.step(op, path, do)
	}})
	s := own(t, j)
	errs := make(chan error)
	go func() { errs <- j.Append(testEvents(0, 1)) }()
	<-g.entered
	if err := j.Append(testEvents(1, 1)); !errors.Is(err, syscall.EIO) {
		t.Errorf("write: %v", err)
	}
	g.result <- nil
	if err := <-errs; !errors.Is(err, syscall.EIO) {
		t.Errorf("sync: %v, want the error that ended the stream", err)
	}
	if s.Last() != 0 || len(holdings(t, j)) != 0 {
		t.Errorf("last is %d: refused events are there", s.Last())
	}
	c.Dir = copyDir(t, c.Dir)
	if got := holdings(t, mustOpen(t, c, &disk{})); len(got) != 0 {
		t.Errorf("the next start has %v", got)
	}
}

// TestRollWaitsForSync: with Sync = 0 what may have to be cut is in one segment.
func TestRollWaitsForSync(t *testing.T) {
	for _, result := range []error{nil, syscall.EIO} {
		c := testConfig(t.TempDir())
		c.Sync = 0
		clock := newTestClock()
		c.Now = clock.now
		g := newGate()
		j := mustOpen(t, c, &disk{step: g.step})
		clock.move(time.Minute)
		s := own(t, j)
		first, second := make(chan error), make(chan error)
		go func() { first <- j.Append(testEvents(0, 1)) }()
		<-g.entered
		go func() { second <- j.Append(testEvents(1, 35)) }() // more than the rest of the segment
		select {
		case err := <-second:
			t.Fatalf("the second append did not wait: %v", err)
		case <-time.After(20 * time.Millisecond):
		}
		if n := len(segmentFiles(t, c.Dir, s.ID())); n != 1 {
			t.Fatalf("%d segments before the sync", n)
		}
		g.result <- result
		if err := <-first; !errors.Is(err, result) {
			t.Errorf("first: %v, want %v", err, result)
		}
		if err := <-second; err != nil {
			t.Errorf("second: %v", err)
		}
		want := 36
		if result != nil {
			want = 35
		}
		if got := holdings(t, j); len(got) != want {
			t.Errorf("%d events held, want %d", len(got), want)
		}
	}
}

// TestGroupCommit: many that wait for stable storage share one sync.
func TestGroupCommit(t *testing.T) {
	c := testConfig(t.TempDir())
	c.Sync, c.SegmentBytes = 0, 64<<10
	g := newGate()
	j := mustOpen(t, c, &disk{step: g.step})
	var appends sync.WaitGroup
	append1 := func(n int) {
		appends.Go(func() {
			if err := j.Append(testEvents(n, 1)); err != nil {
				t.Error(err)
			}
		})
	}
	append1(0)
	<-g.entered
	const waiters = 50
	for n := range waiters {
		append1(1 + n)
	}
	eventually(t, "all have written", func() bool {
		j.mu.Lock()
		defer j.mu.Unlock()
		return j.active.next == waiters+2
	})
	g.result <- nil
	appends.Wait()
	if g.syncs != 2 || own(t, j).Last() != waiters+1 {
		t.Errorf("%d syncs for %d events, want 2", g.syncs, own(t, j).Last())
	}
}
