//go:build linux

package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/popupd/popupd/internal/storetest"
	"github.com/popupd/popupd/internal/testbed"
)

// asMain makes the test binary the command itself, its value the uid that it
// has; as a client of the lab it is one by its arguments.
const asMain = "TIMEWAIT_TEST_MAIN"

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == clientMode {
		main()
		return
	}
	if uid, err := strconv.Atoi(os.Getenv(asMain)); err == nil {
		if err := syscall.Setuid(uid); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(3)
		}
		main()
		return
	}
	code := storetest.Main(m)
	if built.dir != "" {
		os.RemoveAll(built.dir)
	}
	os.Exit(code)
}

// built is the popupd that all tests share.
var built struct {
	once        sync.Once
	dir, binary string
	err         error
}

func popupd(t *testing.T) string {
	t.Helper()
	if testing.Short() {
		t.Skip("builds popupd")
	}
	needNamespaces(t)
	built.once.Do(func() {
		if built.dir, built.err = os.MkdirTemp("", "popupd-timewait-"); built.err != nil {
			return
		}
		built.binary = filepath.Join(built.dir, "popupd")
		if out, err := exec.Command("go", "build", "-o", built.binary, "../..").CombinedOutput(); err != nil {
			built.err = fmt.Errorf("build popupd: %w\n%s", err, out)
		}
	})
	if built.err != nil {
		t.Fatal(built.err)
	}
	return built.binary
}

func needNamespaces(t *testing.T) {
	t.Helper()
	if err := able(); err != nil {
		t.Skip(err)
	}
}

// start starts the command; its files are in the directory that is returned.
func start(t *testing.T, uid int, args ...string) (cmd *exec.Cmd, stderr *bytes.Buffer, dir string) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd, stderr, dir = exec.Command(self, args...), new(bytes.Buffer), t.TempDir()
	cmd.Env = append(os.Environ(), fmt.Sprint(asMain, "=", uid), "TMPDIR="+dir)
	cmd.Stderr = stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return cmd, stderr, dir
}

func TestNeedsRoot(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root to be somebody else")
	}
	cmd, stderr, _ := start(t, 65534)
	err := cmd.Wait()
	if cmd.ProcessState.ExitCode() != 1 || !strings.Contains(stderr.String(), "need root") || strings.Count(stderr.String(), "\n") != 1 {
		t.Errorf("without root: %v, stderr %q; want exit 1 and a line that says so", err, stderr)
	}
}

// within polls until ok, and fails the test after 30 s.
func within(t *testing.T, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(30 * time.Second)
	for !ok() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("not within 30 s: %s", what)
		}
	}
}

// of returns the namespaces that a lab has.
func of(t *testing.T, pid int) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(testbed.NetnsDir)
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if p, ok := owner(entry.Name()); ok && p == pid {
			names = append(names, entry.Name())
		}
	}
	return names
}

// running starts a lab and waits until client and server are at work. It
// returns their pids.
func running(t *testing.T) (cmd *exec.Cmd, stderr *bytes.Buffer, dir string, pids []int) {
	t.Helper()
	cmd, stderr, dir = start(t, 0, "-popupd", popupd(t), "-sysctl", "none", "-run", "^keep-alive", "-scale", "100")
	within(t, "client and server at work", func() bool {
		pids = nil
		for _, name := range of(t, cmd.Process.Pid) {
			out, _ := ip("netns", "pids", name)
			for field := range strings.FieldsSeq(out) {
				pid, err := strconv.Atoi(field)
				if err != nil {
					t.Fatal(err)
				}
				comm, _ := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid))
				if name := strings.TrimSpace(string(comm)); name == "popupd" || strings.HasPrefix(name, "timewait") {
					pids = append(pids, pid)
				}
			}
		}
		return len(pids) == 2
	})
	return cmd, stderr, dir, pids
}

func gone(pids []int) bool {
	for _, pid := range pids {
		if unix.Kill(pid, 0) == nil {
			return false
		}
	}
	return true
}

func TestInterrupted(t *testing.T) {
	for _, signal := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} {
		cmd, stderr, dir, pids := running(t)
		if err := cmd.Process.Signal(signal); err != nil {
			t.Fatal(err)
		}
		if err := cmd.Wait(); cmd.ProcessState.ExitCode() != 1 || !strings.HasSuffix(stderr.String(), "timewait: interrupted\n") {
			t.Errorf("%v: %v, stderr %q; want exit 1 and that it was interrupted", signal, err, stderr)
		}
		if left := of(t, cmd.Process.Pid); len(left) > 0 {
			t.Errorf("%v: left the namespaces %v", signal, left)
		}
		if !gone(pids) {
			t.Errorf("%v: left one of the processes %v", signal, pids)
		}
		if files, err := os.ReadDir(dir); err != nil || len(files) > 0 {
			t.Errorf("%v: left files: %v, %v", signal, files, err)
		}
	}
}

func TestKilled(t *testing.T) {
	cmd, _, _, pids := running(t)
	if swept, err := sweep(); err != nil || len(swept) > 0 {
		t.Fatalf("swept %v, %v while the lab runs", swept, err)
	}
	cmd.Process.Kill()
	cmd.Wait()
	within(t, "end of client and server", func() bool { return gone(pids) })
	if left := of(t, cmd.Process.Pid); len(left) != 2 {
		t.Fatalf("kill -9 leaves %v: the test tests nothing", left)
	}
	again, stderr, _ := start(t, 0, "-popupd", popupd(t), "-sysctl", "none", "-run", "^keep-alive", "-scale", "0.1")
	if err := again.Wait(); err != nil || !strings.Contains(stderr.String(), "removed what a killed run left") {
		t.Errorf("the next run: %v\n%s", err, stderr)
	}
	if left := of(t, cmd.Process.Pid); len(left) > 0 {
		t.Errorf("the next run left %v", left)
	}
}
