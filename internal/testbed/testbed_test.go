//go:build unix

package testbed

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// childVariable makes the test binary another program that has a testbed.
const childVariable = "TESTBED_CHILD"

func TestMain(m *testing.M) {
	if os.Getenv(childVariable) != "" {
		child()
		return
	}
	goleak.VerifyTestMain(m)
}

// child starts a program, prints its pid and the directory, and waits to be
// killed.
func child() {
	b, err := New(context.Background())
	if err != nil {
		fmt.Println(err)
		return
	}
	p, err := b.Start(Program{Name: "sleeper", Args: []string{"sleep", "60"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(p.Pid(), b.Dir())
	select {}
}

// newTestbed returns a testbed whose leftovers fail the test.
func newTestbed(t *testing.T) *Testbed {
	t.Helper()
	b, err := New(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		b.Close()
		if _, err := os.Stat(b.Dir()); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s after Close: %v", b.Dir(), err)
		}
	})
	return b
}

func TestAKilledProgramLeavesNothing(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("needs Linux")
	}
	t.Setenv("TMPDIR", t.TempDir())
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childVariable+"=1")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	var pid int
	var dir string
	if err == nil {
		_, err = fmt.Sscan(line, &pid, &dir)
	}
	newTestbed(t) // while the other runs
	if _, err := os.Stat(dir); err != nil {
		t.Errorf("the directory of a program that runs: %v", err)
	}
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	if err != nil {
		t.Fatalf("%q: %v", line, err)
	}
	for deadline := time.Now().Add(10 * time.Second); alive(pid); runtime.Gosched() {
		if time.Now().After(deadline) {
			t.Fatalf("process %d outlived its parent", pid)
		}
	}
	if _, err := os.Stat(dir); err != nil {
		t.Errorf("the directory of a killed program: %v; want it there, or this test proves nothing", err)
	}
	newTestbed(t)
	if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the directory of a killed program, after the next New: %v; want it gone", err)
	}
}

// alive reports whether a process runs. One that has ended and that nobody has
// waited for, as in a container without an init, does not.
func alive(pid int) bool {
	if syscall.Kill(pid, 0) != nil {
		return false
	}
	b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return false
	}
	_, rest, _ := strings.Cut(string(b), ") ")
	return !strings.HasPrefix(rest, "Z")
}

func TestInterruptedRunsLeaveNothing(t *testing.T) {
	ctx, interrupt := context.WithCancel(t.Context())
	b, err := New(ctx)
	if err != nil {
		t.Fatal(err)
	}
	p, err := b.Start(Program{Name: "sleeper", Args: []string{"sleep", "60"}})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(b.Dir(), "scratch"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	interrupt()
	<-p.Exited()
	if err := p.Wait(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Wait: %v", err)
	}
	b.Close() // as a deferred one does while the testbed may still be closing itself
	if _, err := os.Stat(b.Dir()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%s: %v", b.Dir(), err)
	}
	if _, err := b.Start(Program{Name: "late", Args: []string{"sleep", "60"}}); !errors.Is(err, errClosed) {
		t.Errorf("Start on a closed testbed: %v", err)
	}
	if err := p.Restart(); !errors.Is(err, errClosed) {
		t.Errorf("Restart on a closed testbed: %v", err)
	}
}

func TestInterruptEndsTheWaitForReady(t *testing.T) {
	ctx, interrupt := context.WithCancel(t.Context())
	b, err := New(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	_, err = b.Start(Program{Name: "silent", Args: shell("echo up; exec sleep 60"), Ready: func(string) bool { interrupt(); return false }})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
}

func TestInterruptedBuildsLeaveNothing(t *testing.T) {
	scratch := t.TempDir()
	t.Setenv("TMPDIR", scratch)
	t.Setenv("GOCACHE", t.TempDir()) // there is all to compile
	ctx, interrupt := context.WithCancel(t.Context())
	b, err := New(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	built := make(chan error)
	go func() {
		_, err := b.Build("bench/rivals", "./bare")
		built <- err
	}()
	for work := []string(nil); len(work) == 0; runtime.Gosched() { // until it compiles
		if work, err = filepath.Glob(filepath.Join(scratch, "*", "go-build*")); err != nil {
			t.Fatal(err)
		}
	}
	interrupt()
	if err := <-built; !errors.Is(err, context.Canceled) {
		t.Errorf("Build: %v", err)
	}
	b.Close()
	if left, err := os.ReadDir(scratch); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}
