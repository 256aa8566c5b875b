//go:build linux

package e2e

import (
	"bytes"
	"context"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/popupd/popupd/internal/storetest"
	"github.com/popupd/popupd/internal/testbed"
)

// call runs popupd to its end.
func call(t *testing.T, env []string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, binary, args...)
	cmd.Dir = t.TempDir()
	cmd.Env = append(testbed.Environ(), env...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	if ctx.Err() != nil {
		t.Fatalf("popupd %q runs on", args)
	}
	return cmd.ProcessState.ExitCode(), out.String(), errs.String()
}

// TestRefusals: a mistake is one clear line and an exit code, and shows no password.
func TestRefusals(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	newer := filepath.Join(dir, "newer")
	if err := os.Mkdir(newer, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(newer, "format"), []byte("99\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	wrong := strings.Replace(storetest.MySQL(t), "root@", "root:hunter2@", 1)
	ports := []string{"-listen", "127.0.0.1:0", "-admin-listen", "127.0.0.1:0"}

	for _, c := range []struct {
		name string
		env  []string
		args []string
		code int
		says string
	}{
		{"unknown command", nil, []string{"start"}, 2, "start"},
		{"unknown flag", nil, []string{"-colour"}, 2, "colour"},
		{"unknown variable", []string{"POPUPD_COLOUR=red"}, nil, 2, "POPUPD_COLOUR"},
		{"unknown time zone", nil, append(ports, "-report-timezone", "Mars/Olympus"), 2, "Mars/Olympus"},
		{"unreadable DSN", nil, append(ports, "-mysql", "user:hunter2@nowhere"), 2, "-mysql"},
		{"unreadable URL", nil, append(ports, "-redis", "redis://user:hunter2@host:port"), 2, "-redis"},
		{"unreadable DSN in a variable", []string{"POPUPD_MYSQL=user:hunter2@nowhere"}, ports, 2, "-mysql"},
		{"URL without a scheme", []string{"POPUPD_REDIS=:hunter2@host:6379"}, ports, 2, "-redis"},
		{"sockets for nobody", []string{"LISTEN_FDS=1", "LISTEN_PID=me"}, ports, 1, "LISTEN_PID"},
		{"a service manager that is nowhere", []string{"NOTIFY_SOCKET=notify"}, ports, 1, "NOTIFY_SOCKET"},
		{"secret and its file", []string{"POPUPD_SECRET=hunter2"}, append(ports, "-secret-file", file), 2, "exclude"},
		{"empty secret file", nil, append(ports, "-admin-token-file", file), 1, "-admin-token-file"},
		{"unreadable address", nil, []string{"-listen", "nowhere", "-admin-listen", "127.0.0.1:0"}, 1, "nowhere"},
		{"wrong credentials", nil, append(ports, "-mysql", wrong), 1, "Access denied"},
		{"port in use", nil, []string{"-listen", taken.Addr().String(), "-admin-listen", "127.0.0.1:0"}, 1, "address already in use"},
		{"admin port in use", nil, []string{"-listen", "127.0.0.1:0", "-admin-listen", taken.Addr().String()}, 1, "address already in use"},
		{"data is a file", nil, append(ports, "-data", file), 1, "data directory"},
		{"data below a file", nil, append(ports, "-data", filepath.Join(file, "data")), 1, "data directory"},
		{"data of a newer version", nil, append(ports, "-data", newer), 1, "newer"},
	} {
		t.Run(c.name, func(t *testing.T) {
			code, _, stderr := call(t, c.env, c.args...)
			last := stderr[strings.LastIndexByte(strings.TrimRight(stderr, "\n"), '\n')+1:]
			if code != c.code || !strings.HasPrefix(last, "popupd: ") || !strings.Contains(last, c.says) {
				t.Errorf("exit code %d, stderr %q; want code %d and a last line that names %q", code, stderr, c.code, c.says)
			}
			for _, never := range []string{"hunter2", "goroutine ", "panic"} {
				if strings.Contains(stderr, never) {
					t.Errorf("stderr shows %q: %s", never, stderr)
				}
			}
		})
	}
	if entries, err := os.ReadDir(newer); err != nil || len(entries) != 1 {
		t.Errorf("the newer data directory was touched: %v, %v", entries, err)
	}
}

func TestVersionAndHelp(t *testing.T) {
	if code, stdout, _ := call(t, nil, "version"); code != 0 || !strings.HasPrefix(stdout, "popupd ") {
		t.Errorf("version: code %d, %q", code, stdout)
	}
	if code, stdout, _ := call(t, nil, "-help"); code != 0 || !strings.Contains(stdout, "-journal-sync") {
		t.Errorf("help: code %d, %q", code, stdout)
	}
}
