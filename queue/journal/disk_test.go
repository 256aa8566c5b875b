package journal

import (
	"errors"
	"os"
	"strings"
	"syscall"
	"testing"
)

// lockedDirs is a step of a disk that renames and removes no directory whose lock is
// held, as Windows does not while a file in it is open.
func lockedDirs(op, path string, do func() error) error {
	if info, err := os.Stat(path); err == nil && info.IsDir() && (op == "rename" || op == "remove") {
		lock, err := (&disk{}).lock(path)
		if errors.Is(err, errLocked) {
			return syscall.EACCES
		}
		if err != nil {
			return err
		}
		lock.Close()
	}
	return do()
}

// TestNoDirRename takes streams from their first event to their deletion on a disk
// that cannot rename directories with open files; one stream has a damaged segment.
func TestNoDirRename(t *testing.T) {
	c := testConfig(t.TempDir())
	d := &disk{noAlloc: true, noDirRename: true, step: lockedDirs}
	first := mustOpen(t, c, d)
	id := own(t, first).ID()
	for n := range 40 {
		mustAppend(t, first, testEvents(n, 1))
	}
	if err := first.Release(); err != nil {
		t.Fatal(err)
	}
	change(t, segmentFiles(t, c.Dir, id)[0], func(b []byte) []byte { b[50] ^= 1; return b })

	second := mustOpen(t, c, d)
	mustAppend(t, second, testEvents(40, 1))
	if err := second.Close(); err != nil {
		t.Fatal(err)
	}
	for _, s := range second.Streams() {
		s.Ack(s.Last())
		if err := s.Remove(); err != nil {
			t.Fatal(err)
		}
	}
	second.Covered(second.Positions())
	second.sweep()
	if got := listDir(t, c.Dir); len(got) != 1 || got[0] != id.String()+badSuffix {
		t.Errorf("left in the directory: %s, want %s%s", strings.Join(got, " "), id, badSuffix)
	}
}

// TestNoDirRenameFails leaves nothing behind when a stream cannot be started.
func TestNoDirRenameFails(t *testing.T) {
	c := testConfig(t.TempDir())
	d := &disk{noAlloc: true, noDirRename: true, step: func(op, path string, do func() error) error {
		if op == "create" {
			return syscall.EIO
		}
		return lockedDirs(op, path, do)
	}}
	if _, err := open(c, d); !errors.Is(err, syscall.EIO) {
		t.Errorf("open: %v, want %v", err, syscall.EIO)
	}
	if got := listDir(t, c.Dir); len(got) != 0 {
		t.Errorf("left in the directory: %s", strings.Join(got, " "))
	}
}

func TestUnlockTwice(t *testing.T) {
	dir := t.TempDir()
	lock, err := (&disk{}).lock(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := (&disk{}).lock(dir); !errors.Is(err, errLocked) {
		t.Errorf("a second lock: %v, want %v", err, errLocked)
	}
	for range 2 {
		if err := unlock(lock); err != nil {
			t.Errorf("unlock: %v", err)
		}
	}
	again, err := (&disk{}).lock(dir)
	if err != nil {
		t.Fatalf("lock after unlock: %v", err)
	}
	again.Close()
}
