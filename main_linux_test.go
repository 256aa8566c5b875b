package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestLogOfJournal: where stderr is systemd's journal, the line that says why popupd ends
// begins with its priority, and nowhere else.
func TestLogOfJournal(t *testing.T) {
	for _, c := range []struct {
		args, want string
		isJournal  bool
	}{
		{"-log=text", "popupd: ", false},
		{"-log=json", `{"time"`, false},
		{"-log=text", "<3>time=", true},
		{"-log=json", `<3>{"time"`, true},
	} {
		stderr, err := os.Create(filepath.Join(t.TempDir(), "stderr"))
		if err != nil {
			t.Fatal(err)
		}
		defer stderr.Close()
		var stat syscall.Stat_t
		if err := syscall.Fstat(int(stderr.Fd()), &stat); err != nil {
			t.Fatal(err)
		}
		stream := fmt.Sprintf("JOURNAL_STREAM=%d:%d", stat.Dev, stat.Ino)
		if !c.isJournal {
			stream += "0"
		}
		code := run("serve", []string{c.args, "-colour=red"}, []string{stream}, io.Discard, stderr)
		text, err := os.ReadFile(stderr.Name())
		if err != nil {
			t.Fatal(err)
		}
		if line := string(text); code != 2 || !strings.HasPrefix(line, c.want) || strings.Count(line, "\n") != 1 {
			t.Errorf("%s, the journal: %v: exit code %d, %q; want 2, %s…", c.args, c.isJournal, code, line, c.want)
		}
	}
}
