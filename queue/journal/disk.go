package journal

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"syscall"
)

// disk is the file system as the journal uses it. What differs between systems is in
// disk_unix.go and disk_windows.go, and in mapped_linux.go and mapped_other.go.
// Every step that can fail goes
// through do, so that a test can make it fail, before or after it was done.
type disk struct {
	step    func(op, path string, do func() error) error // nil: just do it
	noMmap  bool                                         // as on a file system without mmap
	noAlloc bool                                         // as on one without fallocate

	noDirRename bool // as on a system where a directory with open files cannot be renamed
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
	return d.do("sync directory", path, func() error { return syncDirectory(path) })
}

// truncate sets the size of a file.
func (d *disk) truncate(path string, size int64) error {
	return d.do("truncate", path, func() error { return os.Truncate(path, size) })
}

// free returns how many bytes the file system of dir has left; very many if it
// does not say.
func (d *disk) free(dir string) int64 {
	n, ok := freeBytes(dir)
	if !ok || n > math.MaxInt64 {
		return math.MaxInt64
	}
	return int64(n)
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
		if err := lockFile(f); err != nil {
			return err
		}
		// Its last owner may have removed the stream between open and lock.
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

// unlock closes a lock file; that it is closed already is no error.
func unlock(lock *os.File) error {
	if err := lock.Close(); !errors.Is(err, os.ErrClosed) {
		return err
	}
	return nil
}

// retryEINTR repeats a system call that a signal interrupted; the runtime's own
// preemption signals do that.
func retryEINTR(f func() error) error {
	for {
		if err := f(); !errors.Is(err, syscall.EINTR) {
			return err
		}
	}
}

// isFull reports whether err says that there is no room on the disk.
func isFull(err error) bool {
	return slices.ContainsFunc(fullErrors, func(e error) bool { return errors.Is(err, e) })
}
