package systemd

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

func TestIsJournal(t *testing.T) {
	create := func(name string) (*os.File, string) {
		f, err := os.Create(filepath.Join(t.TempDir(), name))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { f.Close() })
		var stat syscall.Stat_t
		if err := syscall.Fstat(int(f.Fd()), &stat); err != nil {
			t.Fatal(err)
		}
		return f, fmt.Sprintf("JOURNAL_STREAM=%d:%d", stat.Dev, stat.Ino)
	}
	journal, variable := create("journal")
	redirected, _ := create("redirected")
	closed, ofClosed := create("closed")
	closed.Close()
	for _, c := range []struct {
		environ []string
		file    *os.File
		want    bool
	}{
		{[]string{"HOME=/root", variable}, journal, true},
		{[]string{variable}, redirected, false}, // it was inherited
		{[]string{"HOME=/root"}, journal, false},
		{[]string{"JOURNAL_STREAM="}, journal, false},
		{[]string{"JOURNAL_STREAM=8"}, journal, false},
		{[]string{variable + "0"}, journal, false},
		{[]string{ofClosed}, closed, false},
	} {
		if got := IsJournal(c.environ, c.file); got != c.want {
			t.Errorf("%q: %s is the journal: %v, want %v", c.environ, filepath.Base(c.file.Name()), got, c.want)
		}
	}
}
