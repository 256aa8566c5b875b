package journal

import (
	"errors"
	"os"
	"syscall"

	"golang.org/x/sys/windows"
)

func newDisk() *disk { return &disk{noDirRename: true} }

// fullErrors say that there is no room. ENOSPC is our own, see Journal.newWriter.
var fullErrors = []error{syscall.ENOSPC, windows.ERROR_DISK_FULL, windows.ERROR_HANDLE_DISK_FULL, windows.ERROR_DISK_QUOTA_EXCEEDED}

// createFile makes a file that is to be written, and must not be there. It can be
// renamed while it is open, as package os does not allow: a spare becomes a segment.
func createFile(path string) (*os.File, error) {
	name, err := windows.UTF16PtrFromString(path)
	if err != nil {
		return nil, err
	}
	handle, err := windows.CreateFile(name, windows.GENERIC_READ|windows.GENERIC_WRITE,
		windows.FILE_SHARE_READ|windows.FILE_SHARE_WRITE|windows.FILE_SHARE_DELETE, nil,
		windows.CREATE_NEW, windows.FILE_ATTRIBUTE_NORMAL, 0)
	if err != nil {
		return nil, &os.PathError{Op: "create", Path: path, Err: err}
	}
	return os.NewFile(uintptr(handle), path), nil
}

// writeOnce writes b at off.
func writeOnce(f *os.File, b []byte, off int64) (n int, err error) { return f.WriteAt(b, off) }

// syncDirectory does nothing: directories cannot be synced here, NTFS logs names.
func syncDirectory(string) error { return nil }

// lockFile locks f until it is closed, or returns errLocked.
func lockFile(f *os.File) error {
	err := windows.LockFileEx(windows.Handle(f.Fd()), windows.LOCKFILE_EXCLUSIVE_LOCK|windows.LOCKFILE_FAIL_IMMEDIATELY,
		0, 1, 0, &windows.Overlapped{})
	if errors.Is(err, windows.ERROR_LOCK_VIOLATION) || errors.Is(err, windows.ERROR_IO_PENDING) {
		return errLocked
	}
	return err
}

// freeBytes returns how many bytes dir's disk has for us; ok is false if it does
// not say.
func freeBytes(dir string) (n uint64, ok bool) {
	name, err := windows.UTF16PtrFromString(dir)
	if err != nil {
		return 0, false
	}
	err = windows.GetDiskFreeSpaceEx(name, &n, nil, nil)
	return n, err == nil
}
