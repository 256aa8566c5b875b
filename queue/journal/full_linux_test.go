package journal

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"
)

// smallDisk returns the root of a file system of a megabyte.
func smallDisk(t *testing.T) (dir string) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "disk")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=1m"); err != nil {
		t.Skipf("mount a tmpfs: %v (needs root)", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, 0); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// TestDiskFull fills a real, small file system.
func TestDiskFull(t *testing.T) {
	eachWriter(t, func(t *testing.T, d *disk) {
		mount := smallDisk(t)
		ballast := filepath.Join(mount, "ballast")
		if err := os.WriteFile(ballast, make([]byte, 500<<10), 0o600); err != nil {
			t.Fatal(err)
		}
		c := testConfig(filepath.Join(mount, "journal"))
		clock := newTestClock()
		// A segment is greater than the disk: they are made smaller.
		c.MaxBytes, c.SegmentBytes, c.Now = 64<<20, 2<<20, clock.now
		j := mustOpen(t, c, d)
		var accepted []int
		n := 0
		// fill appends until the disk has been full for some calls.
		fill := func() {
			t.Helper()
			for refused := 0; refused < 20; n++ {
				err := j.Append(testEvents(n, 1))
				switch {
				case err == nil:
					accepted = append(accepted, n)
				case errors.Is(err, ErrFull):
					refused++
					clock.move(500 * time.Millisecond)
				default:
					t.Fatal(err)
				}
				if n > 20000 {
					t.Fatal("the disk does not become full")
				}
			}
			if got := holdings(t, j); !slices.Equal(got, accepted) {
				t.Fatalf("%d accepted, %d held", len(accepted), len(got))
			}
		}
		fill()
		before := len(accepted)
		if before < 1000 {
			t.Errorf("full after %d events", before)
		}
		if err := os.Remove(ballast); err != nil {
			t.Fatal(err)
		}
		clock.move(time.Second)
		fill()
		if len(accepted) < before+1000 {
			t.Errorf("%d events before there was room again, %d after", before, len(accepted)-before)
		}
		if err := j.Release(); err != nil {
			t.Fatal(err)
		}
		if got := holdings(t, mustOpen(t, c, d)); !slices.Equal(got, accepted) {
			t.Fatalf("the next start holds %d, %d were accepted", len(got), len(accepted))
		}
	})
}

// TestLeaveRoom: what is to be left of the disk is left, and while the disk is
// nearly full nothing that is committed and covered is kept for grace.
func TestLeaveRoom(t *testing.T) {
	eachWriter(t, func(t *testing.T, d *disk) {
		mount := smallDisk(t)
		c := testConfig(filepath.Join(mount, "journal"))
		clock := newTestClock()
		c.MaxBytes, c.SegmentBytes, c.Now, c.Grace = 64<<20, 128<<10, clock.now, time.Hour
		j := mustOpen(t, c, d)
		const leave = 300 << 10
		j.LeaveRoom(leave)
		if got := j.Pressure(); got > 0.1 {
			t.Errorf("pressure %v on an empty disk", got)
		}
		n := 0
		for ; n < 20000; n++ {
			if err := j.Append(testEvents(n, 1)); errors.Is(err, ErrFull) {
				break
			} else if err != nil {
				t.Fatal(err)
			}
		}
		if free := d.free(mount); free < leave || free > leave+128<<10 {
			t.Errorf("%d bytes of the disk are left, want %d and not many more", free, leave)
		}
		if got := j.Pressure(); got != 1 {
			t.Errorf("pressure %v on a full disk, want 1", got)
		}
		s := own(t, j)
		s.Ack(uint64(n))
		j.Covered(j.Positions())
		j.mu.Lock()
		j.syncRetiredLocked() // closes them
		j.mu.Unlock()
		j.sweep() // an hour before the grace is over
		if got := len(segmentFiles(t, c.Dir, s.ID())); got != 1 {
			t.Errorf("%d segments are left on a full disk, want the last one", got)
		}
		clock.move(retryMS * time.Millisecond)
		mustAppend(t, j, testEvents(n, 1))
		if got := j.Pressure(); got > 0.1 {
			t.Errorf("pressure %v after there is room again", got)
		}
	})
}

// TestFreeOfUnlimited: some file systems say that they have no blocks at all.
func TestFreeOfUnlimited(t *testing.T) {
	mount := t.TempDir()
	if err := syscall.Mount("ramfs", mount, "ramfs", 0, ""); err != nil {
		t.Skipf("mount a ramfs: %v (needs root)", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(mount, 0); err != nil {
			t.Error(err)
		}
	})
	if got := (&disk{}).free(mount); got < 1<<40 {
		t.Errorf("%d bytes are free, want very many", got)
	}
}
