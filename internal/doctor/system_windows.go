package doctor

import (
	"fmt"
	"math"
	"os"

	"golang.org/x/sys/windows"
)

// freeBytes returns how much this user may still write below dir.
func freeBytes(dir string) (int64, error) {
	path, err := windows.UTF16PtrFromString(dir)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", dir, err)
	}
	var free uint64
	if err := windows.GetDiskFreeSpaceEx(path, &free, nil, nil); err != nil {
		return 0, fmt.Errorf("free space of %s: %w", dir, err)
	}
	return int64(min(free, math.MaxInt64)), nil
}

// access returns why this user cannot open a path. Who may write is not asked:
// access control lists tell that only when it is tried.
func access(path string, _ need) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return f.Close()
}

// terminalWidth returns the columns of a console, 0 if f is none.
func terminalWidth(f *os.File) int {
	var info windows.ConsoleScreenBufferInfo
	if err := windows.GetConsoleScreenBufferInfo(windows.Handle(f.Fd()), &info); err != nil {
		return 0
	}
	return int(info.Window.Right-info.Window.Left) + 1
}
