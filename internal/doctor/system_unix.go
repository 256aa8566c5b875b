//go:build unix

package doctor

import (
	"fmt"
	"math"
	"os"

	"golang.org/x/sys/unix"
)

// freeBytes returns how much a user without privileges may still write below dir.
func freeBytes(dir string) (int64, error) {
	var stat unix.Statfs_t
	if err := unix.Statfs(dir, &stat); err != nil {
		return 0, fmt.Errorf("statfs %s: %w", dir, err)
	}
	return int64(min(uint64(stat.Bavail)*uint64(stat.Bsize), math.MaxInt64)), nil
}

// access returns why this user cannot read a path and, if needed, write it.
func access(path string, n need) error {
	mode := uint32(unix.R_OK)
	if n.write {
		mode |= unix.W_OK
	}
	if n.isDir {
		mode |= unix.X_OK
	}
	return unix.Faccessat(unix.AT_FDCWD, path, mode, unix.AT_EACCESS)
}

// terminalWidth returns the columns of a terminal, 0 if f is none.
func terminalWidth(f *os.File) int {
	size, err := unix.IoctlGetWinsize(int(f.Fd()), unix.TIOCGWINSZ)
	if err != nil {
		return 0
	}
	return int(size.Col)
}
