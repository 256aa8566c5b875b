//go:build linux

package e2e

import (
	"bytes"
	"errors"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/popupd/popupd/internal/storetest"
	"github.com/popupd/popupd/internal/testbed"
)

// TestSystemCalls: what popupd asks of the kernel while it does its work is what its unit lets
// it ask.
func TestSystemCalls(t *testing.T) {
	t.Parallel()
	storetest.Need(t, "strace", "strace")
	storetest.Need(t, "systemd-analyze", "systemd")
	st := startStores(t)
	trace := filepath.Join(t.TempDir(), "trace")
	wrapper := filepath.Join(t.TempDir(), "popupd")
	script := "#!/bin/sh\nexec strace -D -f -e signal=none -o " + trace + ` "` + binary + `" "$@"` + "\n"
	if err := os.WriteFile(wrapper, []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	s := launchWith(t, testbed.PopupdOptions{
		Binary: wrapper, Flags: append(st.args(), "-sample", "10"), Sockets: []testbed.Socket{passed(t, "data"), passed(t, "admin")},
	})
	s.waitReady()
	s.create("one", `{"after_impression_sec":86400}`)
	p := s.mustAsk("somebody")
	if p == nil {
		t.Fatal("nothing to show")
	}
	s.mustAct(p.Token, "click", 202)
	s.mustForget("somebody")
	for _, path := range []string{"/metrics", "/v1/admin/popups/one/stats", "/v1/admin/export", "/v1/admin/events", "/debug/pprof/goroutine"} {
		if status := s.admin("GET", path, "", "", nil); status != 200 {
			t.Errorf("%s: %d", path, status)
		}
	}
	s.waitDrained()
	s.stop()

	var text []byte
	eventually(t, 10*time.Second, func() (err error) { // strace writes on for a moment
		if text, err = os.ReadFile(trace); err == nil && !bytes.Contains(text, []byte("+++ exited with 0 +++")) {
			err = errors.New("the trace does not end")
		}
		return err
	})
	used := make(map[string]bool)
	for _, call := range regexp.MustCompile(`(?m)^\d+ +([a-z0-9_]+)\(`).FindAllSubmatch(text, -1) {
		used[string(call[1])] = true
	}
	if !used["accept4"] || !used["futex"] {
		t.Fatalf("traced only %q", slices.Sorted(maps.Keys(used)))
	}
	allowed := allowedCalls(t, "../deploy/systemd/popupd.service")
	for call := range used {
		if !allowed[call] && call != "execve" { // which the service manager does
			t.Errorf("the unit does not allow %s", call)
		}
	}
	t.Logf("%d system calls: %q", len(used), slices.Sorted(maps.Keys(used)))
}

// allowedCalls returns the system calls that the lines SystemCallFilter= of a unit allow, one line
// after the other (systemd.exec(5)).
func allowedCalls(t *testing.T, unit string) map[string]bool {
	t.Helper()
	text, err := os.ReadFile(unit)
	if err != nil {
		t.Fatal(err)
	}
	allowed := make(map[string]bool)
	for line := range strings.Lines(string(text)) {
		filter, ok := strings.CutPrefix(strings.TrimSpace(line), "SystemCallFilter=")
		if !ok {
			continue
		}
		filter, deny := strings.CutPrefix(filter, "~")
		for _, name := range strings.Fields(filter) {
			for _, call := range callsOf(t, name) {
				allowed[call] = !deny
			}
		}
	}
	return allowed
}

// callsOf returns the system calls of a set, whose name begins with @, or the one of that name.
func callsOf(t *testing.T, name string) (calls []string) {
	t.Helper()
	if !strings.HasPrefix(name, "@") {
		return []string{name}
	}
	out, err := exec.Command("systemd-analyze", "syscall-filter", "--no-pager", name).Output()
	if err != nil {
		t.Fatalf("systemd-analyze syscall-filter %s: %v", name, err)
	}
	for line := range strings.Lines(string(out)) {
		member := strings.TrimSpace(line)
		if member == "" || member == name || strings.HasPrefix(member, "#") {
			continue
		}
		calls = append(calls, callsOf(t, member)...)
	}
	return calls
}
