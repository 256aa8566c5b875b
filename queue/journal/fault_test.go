package journal

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// faults makes steps of the disk fail: the at-th one, from 1, or all of some kinds.
type faults struct {
	mu     sync.Mutex
	err    error
	at     int
	kinds  []string
	after  bool // the step is done, and reported as failed all the same
	steps  int
	failed string // the step that failed last
}

func (f *faults) step(op, path string, do func() error) error {
	f.mu.Lock()
	f.steps++
	fail := f.steps == f.at || slices.Contains(f.kinds, op)
	if fail {
		f.failed = op + " " + filepath.Base(path)
	}
	err, after := f.err, f.after
	f.mu.Unlock()
	if strings.HasPrefix(op, "sync") {
		do = func() error { return nil } // see unsynced
	}
	if !fail {
		return do()
	}
	if after {
		if doErr := do(); doErr != nil {
			return doErr
		}
	}
	return err
}

func (f *faults) set(err error, kinds ...string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.err, f.kinds = err, kinds
}

// holdings are the numbers of the events that a journal holds, sorted. Each stream
// must be whole: 1, 2, 3...
func holdings(t testing.TB, j *Journal) (list []int) {
	t.Helper()
	for _, s := range j.Streams() {
		for i, it := range read(t, s, 0, 500) {
			if it.Seq != uint64(i+1) || it.User == "" {
				t.Fatalf("stream %s: item %d is %v", s.ID(), i, it)
			}
			var n int
			fmt.Sscanf(it.User, "user-%d", &n)
			list = append(list, n)
		}
	}
	slices.Sort(list)
	return list
}

// faultRun drives a journal through everything it does to the disk, and checks
// after each call that it holds exactly what it has accepted.
func faultRun(t *testing.T, f *faults, d *disk, interval time.Duration, old *dead) {
	t.Helper()
	d.step = f.step
	var inherited []int
	for n := range old.n {
		inherited = append(inherited, 100+n)
	}
	c := testConfig(copyDir(t, old.dir))
	clock := newTestClock()
	c.Now, c.Sync = clock.now, interval
	j, err := open(c, d)
	if err != nil { // the one fault: the next start must find everything
		if j, err = open(c, d); err != nil {
			t.Fatalf("open after a fault: %v", err)
		}
	}
	released := false
	defer func() {
		if !released {
			j.Release()
		}
	}()
	var accepted []int
	// holds compares with what a journal must hold; the old stream may be missing, whole.
	holds := func(j *Journal, when string) {
		t.Helper()
		got := holdings(t, j)
		if !slices.Equal(got, accepted) && !slices.Equal(got, append(slices.Clone(inherited), accepted...)) {
			t.Fatalf("%s: (-accepted +held)\n%s", when, cmp.Diff(accepted, got))
		}
	}
	// kept is what a start after a kill at this moment would find.
	kept := func(when string) {
		t.Helper()
		c := c
		c.Dir = copyDir(t, c.Dir)
		j, err := open(c, unsynced())
		if err != nil {
			t.Fatal(err)
		}
		holds(j, when)
		if err := j.Release(); err != nil {
			t.Fatal(err)
		}
	}
	next, had := 1000, ""
	for i := range 30 {
		count := 1 + i%3
		err := j.Append(testEvents(next, count))
		if err == nil {
			for n := range count {
				accepted = append(accepted, next+n)
			}
		}
		next += count
		holds(j, fmt.Sprintf("after append %d (%v)", i, err))
		if f.failed != had {
			had = f.failed
			kept(fmt.Sprintf("killed after append %d", i))
		}
		switch i % 5 {
		case 1:
			j.allocateSpare()
		case 3:
			j.mu.Lock()
			j.syncRetiredLocked()
			j.mu.Unlock()
		case 4:
			j.adopt(nil)
			for _, s := range j.Streams() {
				if s.Sealed() && i > 10 && s.ID() == old.id {
					s.Remove()
				}
			}
			j.Covered(j.Positions())
			j.sweep()
		}
		holds(j, fmt.Sprintf("after step %d", i))
		clock.move(600 * time.Millisecond)
	}
	for tries := 0; ; tries++ { // the fault may be in the first one
		clock.move(time.Second)
		if err = j.Append(testEvents(next, 1)); err == nil {
			accepted = append(accepted, next)
			break
		}
		if tries == 1 {
			t.Fatalf("the journal does not accept events again: %v", err)
		}
		next++
	}
	kept("killed at the end")
	j.Close()
	holds(j, "after close")
	kept("killed after close")
	j.Release()
	released = true
	again, err := open(c, unsynced())
	if err != nil {
		t.Fatal(err)
	}
	holds(again, "at the next start")
	if err := again.Release(); err != nil {
		t.Fatal(err)
	}
}

// TestEachStepFails fails every step of the disk once, before it was done and after.
func TestEachStepFails(t *testing.T) {
	dead := kill(t, 22)
	for name, newDisk := range writers {
		if name == "allocated" {
			continue // in between the other two in everything
		}
		for _, interval := range []time.Duration{0, background} {
			t.Run(fmt.Sprintf("%s, sync %v", name, interval), func(t *testing.T) {
				var count faults
				faultRun(t, &count, newDisk(), interval, dead)
				if count.steps < 60 {
					t.Fatalf("only %d steps", count.steps)
				}
				seen := map[string]bool{}
				stride := 1
				if testing.Short() || underRace {
					stride = 7
				}
				for at := 1; at <= count.steps; at += stride {
					for _, after := range []bool{false, true} {
						f := &faults{at: at, after: after, err: syscall.EIO}
						if (at+len(name))%3 == 0 {
							f.err = syscall.ENOSPC
						}
						t.Run(fmt.Sprintf("step %d, after %v", at, after), func(t *testing.T) {
							faultRun(t, f, newDisk(), interval, dead)
							if t.Failed() {
								t.Logf("failed step: %s, %v", f.failed, f.err)
							}
						})
						seen[strings.Fields(f.failed + " ?")[0]] = true
					}
				}
				for _, op := range []string{"create", "allocate", "write", "sync", "rename", "remove", "truncate", "lock", "read", "close"} {
					if stride == 1 && !seen[op] {
						t.Errorf("no step of kind %q was made to fail", op)
					}
				}
			})
		}
	}
}

// TestKindsFail fails some kinds of steps from some moment on, then heals the disk.
func TestKindsFail(t *testing.T) {
	for _, kinds := range [][]string{
		{"sync"}, {"write"}, {"allocate"}, {"create"}, {"make directory"}, {"rename"}, {"remove"}, {"truncate"}, {"sync directory"},
		{"sync", "truncate"}, {"write", "truncate"}, {"sync", "truncate", "remove", "rename"},
		{"sync", "truncate", "wipe"}, {"write", "truncate", "wipe", "sync"},
	} {
		eachWriter(t, func(t *testing.T, d *disk) {
			for _, interval := range []time.Duration{0, background} {
				t.Run(fmt.Sprintf("%v, sync %v", kinds, interval), func(t *testing.T) {
					f := &faults{}
					d := &disk{noMmap: d.noMmap, noAlloc: d.noAlloc, noDirRename: d.noDirRename, step: f.step}
					c := testConfig(memoryDir(t))
					clock := newTestClock()
					c.Now, c.Sync = clock.now, interval
					j := mustOpen(t, c, d)
					var accepted []int
					refused := 0
					for i := range 60 {
						switch i {
						case 7:
							f.set(syscall.EIO, kinds...)
						case 40:
							f.set(nil)
							clock.move(time.Second)
						}
						if err := j.Append(testEvents(i, 1)); err == nil {
							accepted = append(accepted, i)
						} else {
							refused++
							if i >= 40 {
								t.Fatalf("append %d on a disk that is well again: %v", i, err)
							}
						}
						j.mu.Lock()
						j.syncRetiredLocked()
						j.mu.Unlock()
						if got := holdings(t, j); !slices.Equal(got, accepted) {
							t.Fatalf("after append %d: (-accepted +held)\n%s", i, cmp.Diff(accepted, got))
						}
						clock.move(300 * time.Millisecond)
					}
					c.Dir = copyDir(t, c.Dir)
					again := mustOpen(t, c, &disk{})
					if got := holdings(t, again); !slices.Equal(got, accepted) {
						t.Fatalf("the next start: (-accepted +held)\n%s", cmp.Diff(accepted, got))
					}
					t.Logf("%d refused, %d streams", refused, len(j.Streams()))
				})
			}
		})
	}
}
