//go:build linux

package e2e

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// mount puts an empty file system of this kind at a new directory, until the
// test ends.
func mount(t testing.TB, kind, options string) (dir string) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), kind)
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if os.Getuid() != 0 {
		t.Skipf("only root can mount a %s", kind)
	}
	if err := syscall.Mount(kind, dir, kind, 0, options); err != nil {
		t.Skipf("mount a %s: %v", kind, err)
	}
	t.Cleanup(func() { // after the server, which was started later, has ended
		if err := syscall.Unmount(dir, 0); err != nil {
			t.Error(err)
			_ = syscall.Unmount(dir, syscall.MNT_DETACH)
		}
	})
	return dir
}

// ballast takes all the room that is left in dir, until it is removed.
func ballast(t testing.TB, dir string) (path string) {
	t.Helper()
	path = filepath.Join(dir, "ballast")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for block := make([]byte, 64<<10); len(block) > 0; {
		if _, err := f.Write(block); err != nil {
			block = block[:len(block)/2]
		}
	}
	return path
}
