//go:build !linux

package systemd

import "os"

// IsJournal reports false, since only Linux has systemd's journal.
func IsJournal([]string, *os.File) bool { return false }
