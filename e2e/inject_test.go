//go:build linux

package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// inject has system calls of the server fail, as strace's -e inject describes it,
// until stop is called.
func inject(t testing.TB, s *server, faults ...string) (stop func()) {
	t.Helper()
	strace, err := exec.LookPath("strace")
	if err != nil {
		t.Skip("strace is not installed; install it: apt-get install strace")
	}
	pid := s.Pid()
	var calls []string
	args := []string{"-f", "-qqq", "-o", "/dev/null", "-p", fmt.Sprint(pid)}
	for _, f := range faults {
		call, _, _ := strings.Cut(f, ":")
		calls = append(calls, call)
		args = append(args, "-e", "inject="+f)
	}
	args = append(args, "-e", "trace="+strings.Join(calls, ","))
	cmd := exec.Command(strace, args...)
	said, err := os.Create(filepath.Join(t.TempDir(), "strace")) // a file can be read while it is written
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { said.Close() })
	cmd.Stderr = said
	// No parent-death signal: it comes when the thread that forked ends, which threads
	// of this program do. strace ends with the server, and that with this program.
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	stopped := false
	stop = func() {
		if !stopped {
			stopped = true
			cmd.Process.Signal(syscall.SIGTERM) // it lets go of the server
			cmd.Wait()
		}
	}
	t.Cleanup(stop)
	eventually(t, 10*time.Second, func() error {
		threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", pid))
		if err != nil || len(threads) == 0 {
			return fmt.Errorf("no threads of %d, %v", pid, err)
		}
		for _, file := range threads {
			if text, err := os.ReadFile(file); err == nil && strings.Contains(string(text), "TracerPid:\t0\n") {
				says, _ := os.ReadFile(said.Name())
				return fmt.Errorf("strace has not attached: %s", says)
			}
		}
		return nil
	})
	return stop
}

// TestSystemCallsFail has the disk fail under a journal that is mapped, and under one
// on a file system that reserves no room, where each frame is a write. The stream ends,
// another begins when the disk is well again, and what was acknowledged is committed,
// also after a kill; what was refused is not.
func TestSystemCallsFail(t *testing.T) {
	t.Parallel()
	const mapped, plain = false, true
	st := startStores(t)
	for n, c := range []struct {
		name   string
		plain  bool
		sync   string
		faults []string
		says   string // the log
	}{
		{"allocate, no room", mapped, "200ms", []string{"fallocate:error=ENOSPC"}, "journal refuses events"},
		{"allocate, broken", mapped, "200ms", []string{"fallocate:error=EIO"}, "journal ends its stream"},
		{"sync, broken", mapped, "200ms", []string{"fdatasync:error=EIO"}, "journal ends its stream"},
		{"sync before the answer, broken", mapped, "always", []string{"fdatasync:error=EIO"}, "journal ends its stream"},
		{"sync and truncate, broken", mapped, "always", []string{"fdatasync:error=EIO", "ftruncate:error=EIO"}, "journal cannot take back refused events yet"},
		{"write, no room", plain, "200ms", []string{"pwrite64:error=ENOSPC"}, "journal ends its stream"},
		{"write, broken", plain, "200ms", []string{"pwrite64:error=EIO"}, "journal ends its stream"},
		{"write, short", plain, "200ms", []string{"pwrite64:retval=7"}, "journal ends its stream"},
		{"write, sync and truncate, broken", plain, "always", []string{"pwrite64:error=EIO", "fdatasync:error=EIO", "ftruncate:error=EIO"}, "journal ends its stream"},
	} {
		if testing.Short() && c.sync != "always" {
			continue
		}
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			if c.plain {
				dir = mount(t, "ramfs", "")
			}
			name := fmt.Sprint("calls_", n)
			dsn := st.mysql.CreateDatabase(t, name)
			s := launchIn(t, filepath.Join(dir, "data"),
				"-mysql", dsn, "-redis", st.redis.URL(), "-redis-prefix", name, "-journal-max", "2MiB", "-journal-sync", c.sync)
			s.waitReady()
			once.create(s)
			h := newHistory(once)
			more := func(name string, n float64) {
				t.Helper()
				n += s.mustMetric("popupd_journal_events_total")
				flood(s, h, name, 30*time.Second, func() bool { return s.mustMetric("popupd_journal_events_total") >= n })
			}
			more("before", 200)
			heal := inject(t, s, c.faults...)
			alarm := s.mustMetric("popupd_journal_errors_total")
			flood(s, h, "during", 30*time.Second, func() bool {
				return strings.Contains(s.Log(), c.says) && s.mustMetric("popupd_journal_errors_total") > alarm
			})
			flood(s, h, "and-on", 30*time.Second, after(time.Second))
			heal()
			s.waitShown(h, "healed", 10*time.Second)
			more("healthy", 200)
			s.Kill()
			s.restart()
			more("again", 50)
			s.checkHistory(t, h, dsn)
		})
	}
}

// after returns a function that is false for so long.
func after(d time.Duration) func() bool {
	deadline := time.Now().Add(d)
	return func() bool { return time.Now().After(deadline) }
}
