//go:build linux

package e2e

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/popupd/popupd/internal/testbed"
)

// memoryGroup makes a cgroup (version 1) with a limit of memory, and returns its
// directory and a program that runs popupd in it.
func memoryGroup(t *testing.T, limit int) (dir, program string) {
	t.Helper()
	text, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		t.Skip(err)
	}
	for line := range strings.Lines(string(text)) {
		if field := strings.SplitN(strings.TrimSpace(line), ":", 3); len(field) == 3 && field[1] == "memory" {
			dir = filepath.Join("/sys/fs/cgroup/memory", field[2], fmt.Sprintf("popupd-test-%d", os.Getpid()))
		}
	}
	if dir == "" {
		t.Skip("there is no memory cgroup of version 1")
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Skipf("make a cgroup: %v (needs root)", err)
	}
	t.Cleanup(func() {
		eventually(t, 10*time.Second, func() error { return os.Remove(dir) }) // once its processes are gone
	})
	setLimit(t, dir, limit)
	program = filepath.Join(t.TempDir(), "popupd-in-cgroup")
	script := fmt.Sprintf("#!/bin/sh\necho $$ >'%s/cgroup.procs' && exec '%s' \"$@\"\n", dir, binary)
	if err := os.WriteFile(program, []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	return dir, program
}

func setLimit(t *testing.T, group string, limit int) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(group, "memory.limit_in_bytes"), []byte(strconv.Itoa(limit)), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestMemoryLimit floods a server with new users in a cgroup that has memory for few
// of them: it fills what -state-max gives it, and stays. Then its memory is taken away:
// what the kernel kills is like any that is killed.
func TestMemoryLimit(t *testing.T) {
	t.Parallel()
	const limit = 160 << 20
	group, program := memoryGroup(t, limit)
	st := startStores(t)
	s := launchWith(t, testbed.PopupdOptions{Binary: program, Flags: append(st.args(), "-state-max", "1MiB", "-journal-max", "64MiB")})
	s.waitReady()
	if log := s.Log(); !strings.Contains(log, "memory is limited") {
		t.Error("popupd does not see the limit of its cgroup")
	}
	once.create(s)
	h := newHistory(once)
	flood(s, h, "many", 60*time.Second, func() bool { return s.mustMetric("popupd_state_full_total") > 1000 })
	flood(s, h, "more", 60*time.Second, after(3*time.Second))
	v, err := s.resources()
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d MiB of anonymous memory under a limit of %d MiB", v.memory>>20, limit>>20)
	if v.memory > limit/2 || len(s.Crashes()) > 0 {
		t.Errorf("the server takes %d bytes of %d; it ended: %q", v.memory, limit, s.Crashes())
	}

	// As little as the kernel lets it be; whatever it wants next it cannot have.
	for left := limit; ; left -= 1 << 20 {
		if err := os.WriteFile(filepath.Join(group, "memory.limit_in_bytes"), []byte(strconv.Itoa(left)), 0o600); err != nil || left < 1<<20 {
			break
		}
	}
	l := startLoad(s, h, "killed", 1)
	var conns []net.Conn
	eventually(t, 30*time.Second, func() error {
		if len(s.Crashes()) > 0 {
			return nil
		}
		for range 200 { // each of them is memory
			if c, err := net.DialTimeout("tcp", strings.TrimPrefix(s.dataURL, "http://"), time.Second); err == nil {
				_, _ = fmt.Fprintf(c, "GET /v1/poll?uid=%s HTTP/1.1\r\n", strings.Repeat("x", 4000))
				conns = append(conns, c)
			}
		}
		return fmt.Errorf("the kernel does not kill, with %d connections", len(conns))
	})
	for _, c := range conns {
		c.Close()
	}
	l.stop()
	if crashes := s.Crashes(); crashes[0] != "signal: killed" {
		t.Errorf("the server ended by %q, want the kernel's kill", crashes)
	}
	setLimit(t, group, limit)
	s.restart()
	flood(s, h, "again", 20*time.Second, after(time.Second))
	l.check(t, openDB(t, st.dsn))
}
