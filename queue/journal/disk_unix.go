//go:build unix

package journal

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

func newDisk() *disk { return &disk{} }

// fullErrors say that there is no room.
var fullErrors = []error{unix.ENOSPC, unix.EDQUOT}

// createFile makes a file that is to be written, and must not be there.
func createFile(path string) (*os.File, error) {
	return os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
}

// writeOnce writes as much of b at off as one call takes, unlike [os.File.WriteAt],
// which goes on after a short write.
func writeOnce(f *os.File, b []byte, off int64) (n int, err error) {
	err = retryEINTR(func() (err error) {
		n, err = unix.Pwrite(int(f.Fd()), b, off)
		return err
	})
	return n, err
}

// syncDirectory syncs the names in a directory.
func syncDirectory(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	return f.Sync()
}

// lockFile locks f until it is closed, or returns errLocked.
func lockFile(f *os.File) error {
	err := retryEINTR(func() error { return unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB) })
	if errors.Is(err, unix.EWOULDBLOCK) {
		return errLocked
	}
	return err
}

// freeBytes returns how many bytes dir's file system has for us; ok is false if it
// does not say.
func freeBytes(dir string) (n uint64, ok bool) {
	var s unix.Statfs_t
	if err := retryEINTR(func() error { return unix.Statfs(dir, &s) }); err != nil || s.Blocks == 0 {
		return 0, false
	}
	size := uint64(s.Bsize)
	return min(uint64(s.Bavail), 1<<62/size) * size, true
}
