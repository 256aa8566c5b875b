package datadir

import (
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// Addresses says at which addresses the processes of one data directory listen: a file of
// which each of them locks a byte for each of its addresses. The locks end with the process,
// however it ends.
type Addresses struct{ file *os.File }

// Addresses opens the file.
func (d *Dir) Addresses() (*Addresses, error) {
	f, err := os.OpenFile(d.Path("addresses"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("data directory: %w", err)
	}
	return &Addresses{f}, nil
}

// Close ends what Join has said.
func (a *Addresses) Close() error { return a.file.Close() }

// At reports whether another process listens on an address. Where the file system knows no
// locks, none does.
func (a *Addresses) At(address string) bool {
	lock := of(address)
	lock.Type = unix.F_WRLCK // which every other lock is in the way of
	err := unix.FcntlFlock(a.file.Fd(), unix.F_OFD_GETLK, &lock)
	return err == nil && lock.Type != unix.F_UNLCK
}

// Join says that this process listens on an address.
func (a *Addresses) Join(address string) error {
	lock := of(address)
	lock.Type = unix.F_RDLCK
	err := unix.FcntlFlock(a.file.Fd(), unix.F_OFD_SETLK, &lock)
	if errors.Is(err, unix.ENOLCK) || errors.Is(err, unix.ENOTSUP) || errors.Is(err, unix.EINVAL) {
		return nil // a file system without locks
	}
	if err != nil {
		return fmt.Errorf("lock in %s: %w", a.file.Name(), err)
	}
	return nil
}

// of returns the byte of an address.
func of(address string) unix.Flock_t {
	h := fnv.New64a()
	io.WriteString(h, address)
	return unix.Flock_t{Whence: io.SeekStart, Start: int64(h.Sum64() >> 2), Len: 1}
}
