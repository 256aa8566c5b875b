package datadir

import (
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// Addresses says which processes of one data directory run, and at which addresses they
// listen: a file of which each of them locks a byte for itself and one for each of its
// addresses, which has two. The locks end with the process, however it ends. Where the file
// system knows no locks, each seems to be alone.
type Addresses struct{ file *os.File }

// runs is what the byte of a process stands for, instead of an address. All have the same.
const runs = "runs"

// Addresses opens the file, and says that this process runs.
func (d *Dir) Addresses() (*Addresses, error) {
	f, err := os.OpenFile(d.Path("addresses"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("data directory: %w", err)
	}
	a := &Addresses{f}
	if _, err := a.lock(unix.F_RDLCK, of(runs)); err != nil {
		f.Close()
		return nil, err
	}
	return a, nil
}

// Close ends what was said.
func (a *Addresses) Close() error { return a.file.Close() }

// At reports whether another process listens on an address.
func (a *Addresses) At(address string) bool { return a.isLocked(of(address), 2) }

// Join says that this process listens on an address, unless two others do.
func (a *Addresses) Join(address string) (joined bool, err error) {
	for place := range int64(2) {
		if joined, err := a.lock(unix.F_WRLCK, of(address)+place); joined || err != nil {
			return joined, err
		}
	}
	return false, nil
}

// Others reports whether another process runs on the data directory.
func (a *Addresses) Others() bool { return a.isLocked(of(runs), 1) }

// Leave says that this process runs no more, and reports whether another one does. Of some that
// leave at once the last is told that there is none.
func (a *Addresses) Leave() (others bool) {
	lock := unix.Flock_t{Type: unix.F_UNLCK, Whence: io.SeekStart, Start: of(runs), Len: 1}
	_ = unix.FcntlFlock(a.file.Fd(), unix.F_OFD_SETLK, &lock) // no lock is in its way
	return a.Others()
}

// lock locks a byte, or reports false if another process has locked it.
func (a *Addresses) lock(kind int16, at int64) (locked bool, err error) {
	lock := unix.Flock_t{Type: kind, Whence: io.SeekStart, Start: at, Len: 1}
	switch err := unix.FcntlFlock(a.file.Fd(), unix.F_OFD_SETLK, &lock); {
	case errors.Is(err, unix.EAGAIN), errors.Is(err, unix.EACCES):
		return false, nil
	case errors.Is(err, unix.ENOLCK), errors.Is(err, unix.ENOTSUP), errors.Is(err, unix.EINVAL):
		return true, nil // a file system without locks
	case err != nil:
		return false, fmt.Errorf("lock in %s: %w", a.file.Name(), err)
	}
	return true, nil
}

// isLocked reports whether another process has locked one of some bytes.
func (a *Addresses) isLocked(at, bytes int64) bool {
	lock := unix.Flock_t{Type: unix.F_WRLCK, Whence: io.SeekStart, Start: at, Len: bytes} // which every other lock is in the way of
	err := unix.FcntlFlock(a.file.Fd(), unix.F_OFD_GETLK, &lock)
	return err == nil && lock.Type != unix.F_UNLCK
}

// of returns the first byte of what is told, an even one.
func of(what string) int64 {
	h := fnv.New64a()
	io.WriteString(h, what)
	return int64(h.Sum64() >> 2 &^ 1)
}
