//go:build unix

package cli

import (
	"io"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// A pipe is a file too: popupd -secret-file <(vault read …)
func TestSecretFromPipe(t *testing.T) {
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	go os.WriteFile(pipe, []byte("piped"), 0)
	if c, err := ParseServe([]string{"-secret-file", pipe}, nil, io.Discard); err != nil || c.Secret != "piped" || c.Exposed != nil {
		t.Errorf("pipe: %q, %q, %v", c.Secret, c.Exposed, err)
	}
}
