//go:build linux

package e2e

import (
	"encoding/json"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"
)

// TestFatalLineIsJSON: with -log json the line that says why popupd ends is JSON as
// all the others are, also where the call could not be read.
func TestFatalLineIsJSON(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for _, c := range []struct {
		name string
		env  []string
		args []string
		code int
		says string
	}{
		{"unknown flag", []string{"POPUPD_LOG=json"}, []string{"-colour"}, 2, "colour"},
		{"flag after the mistake", nil, []string{"-colour", "-log", "json"}, 2, "colour"},
		{"port in use", nil, []string{"-log", "json", "-data", t.TempDir(), "-listen", taken.Addr().String(), "-admin-listen", "127.0.0.1:0"}, 1, "address already in use"},
	} {
		t.Run(c.name, func(t *testing.T) {
			code, _, stderr := call(t, c.env, c.args...)
			if code != c.code {
				t.Errorf("exit code %d, want %d", code, c.code)
			}
			lines := strings.Split(strings.TrimSpace(stderr), "\n")
			var last struct {
				Level, Err string
				ExitCode   int `json:"exit_code"`
			}
			for _, line := range lines {
				if err := json.Unmarshal([]byte(line), &last); err != nil {
					t.Errorf("not JSON: %s", line)
				}
			}
			if last.Level != "ERROR" || !strings.Contains(last.Err, c.says) || last.ExitCode != c.code {
				t.Errorf("the last line is %+v, want one that names %q", last, c.says)
			}
		})
	}
}

// TestOneWarningForOneCause: while Redis is away, a server with streams of former
// starts says once what that stops, and not once for each stream.
func TestOneWarningForOneCause(t *testing.T) {
	t.Parallel()
	s := launch(t, "-redis", "redis://127.0.0.1:1/0")
	s.waitReady()
	once.create(s)
	const starts = 4
	for i := range starts {
		if s.mustAsk(fmt.Sprint("user", i)) == nil {
			t.Fatal("no popup")
		}
		s.Kill()
		s.restart()
	}
	started := strings.LastIndex(s.Log(), `"bound"`)
	interrupted := []string{"shipping is interrupted", "committing is interrupted"}
	eventually(t, 10*time.Second, func() error {
		for _, says := range interrupted {
			if !strings.Contains(s.Log()[started:], says) {
				return fmt.Errorf("the log does not say %q", says)
			}
		}
		return nil
	})
	s.stop() // which takes longer than the first attempts of all streams
	for _, says := range interrupted {
		if n := strings.Count(s.Log()[started:], says); n != 1 {
			t.Errorf("%q is logged %d times, want once", says, n)
		}
	}
}
