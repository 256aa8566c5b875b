package systemd

import (
	"fmt"
	"os"
	"syscall"
)

// IsJournal reports whether what is written to a file goes to systemd's journal: whether it is
// still what JOURNAL_STREAM names by device and inode, see systemd.exec(5). The variable alone
// says nothing, since processes inherit it whose output was redirected.
func IsJournal(environ []string, file *os.File) bool {
	stream := lookup(environ, "JOURNAL_STREAM")
	if stream == "" {
		return false
	}
	info, err := file.Stat()
	if err != nil {
		return false
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && stream == fmt.Sprintf("%d:%d", stat.Dev, stat.Ino)
}
