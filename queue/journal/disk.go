package journal

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// disk is the file system as the journal uses it. Every step that can fail goes
// through do, so that a test can make it fail, before or after it was done.
type disk struct {
	step    func(op, path string, do func() error) error // nil: just do it
	noMmap  bool                                         // as on a file system without mmap
	noAlloc bool                                         // as on one without fallocate
}

// errLocked says that another process, or another journal, holds the lock.
var errLocked = errors.New("locked")

// do runs one step and names it in its error.
func (d *disk) do(op, path string, f func() error) error {
	var err error
	if d.step != nil {
		err = d.step(op, path, f)
	} else {
		err = f()
	}
	if err == nil {
		return nil
	}
	var pathErr *fs.PathError
	var linkErr *os.LinkError
	switch { // these name the path once more
	case errors.As(err, &pathErr):
		err = pathErr.Err
	case errors.As(err, &linkErr):
		err = linkErr.Err
	}
	return fmt.Errorf("%s %s: %w", op, path, err)
}

func (d *disk) mkdir(path string) error {
	return d.do("make directory", path, func() error { return os.Mkdir(path, 0o700) })
}

func (d *disk) rename(from, to string) error {
	return d.do("rename", from, func() error { return os.Rename(from, to) })
}

// remove deletes a file; that it is gone already is no error.
func (d *disk) remove(path string) error {
	return d.do("remove", path, func() error {
		if err := os.Remove(path); !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return nil
	})
}

func (d *disk) removeAll(path string) error {
	return d.do("remove", path, func() error { return os.RemoveAll(path) })
}

// syncDir makes the names in a directory survive a power failure.
func (d *disk) syncDir(path string) error {
	return d.do("sync directory", path, func() error {
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		defer f.Close()
		return f.Sync()
	})
}

// truncate sets the size of a file.
func (d *disk) truncate(path string, size int64) error {
	return d.do("truncate", path, func() error { return os.Truncate(path, size) })
}

// free returns how many bytes the file system of dir has left; very many if it
// does not say.
func (d *disk) free(dir string) int64 {
	var s unix.Statfs_t
	if err := retryEINTR(func() error { return unix.Statfs(dir, &s) }); err != nil || s.Blocks == 0 {
		return math.MaxInt64
	}
	return int64(min(s.Bavail, math.MaxInt64/uint64(s.Bsize)) * uint64(s.Bsize))
}

// lock opens dir's lock file, made if need be, and locks it. It returns
// errLocked when somebody else has it. Closing the file gives the lock back.
func (d *disk) lock(dir string) (*os.File, error) {
	path := filepath.Join(dir, lockName)
	var f *os.File
	err := d.do("lock", path, func() (err error) {
		if f, err = os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600); err != nil {
			return err
		}
		err = retryEINTR(func() error { return unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB) })
		if errors.Is(err, unix.EWOULDBLOCK) {
			return errLocked
		}
		if err != nil {
			return err
		}
		// Its last owner may have removed the stream between open and flock.
		named, err := os.Stat(path)
		if err != nil {
			return err
		}
		held, err := f.Stat()
		if err == nil && !os.SameFile(named, held) {
			err = errLocked
		}
		return err
	})
	if err != nil && f != nil {
		f.Close()
		return nil, err
	}
	return f, err
}

// retryEINTR repeats a system call that a signal interrupted; the runtime's own
// preemption signals do that.
func retryEINTR(f func() error) error {
	for {
		if err := f(); !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}

// isFull reports whether err says that there is no room on the disk.
func isFull(err error) bool {
	return errors.Is(err, unix.ENOSPC) || errors.Is(err, unix.EDQUOT)
}

// isUnsupported reports whether err says that the file system cannot do this at all.
func isUnsupported(err error) bool {
	for _, e := range []error{unix.EOPNOTSUPP, unix.ENOSYS, unix.ENODEV, unix.EINVAL, unix.EPERM} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}
