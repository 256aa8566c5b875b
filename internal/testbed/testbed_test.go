package testbed

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/popupd/popupd/internal/stores"
	"github.com/popupd/popupd/internal/storetest"
)

func TestMain(m *testing.M) { os.Exit(storetest.Main(m)) }

// newTestbed returns a testbed whose leftovers fail the test.
func newTestbed(t *testing.T) *Testbed {
	t.Helper()
	r, err := New(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		r.Close()
		if _, err := os.Stat(r.Dir()); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s after Close: %v", r.Dir(), err)
		}
	})
	return r
}

func shell(script string) []string { return []string{"sh", "-c", script} }

func startsWith(prefix string) func(string) bool {
	return func(line string) bool { return strings.HasPrefix(line, prefix) }
}

func TestStartWaitsForTheLine(t *testing.T) {
	r := newTestbed(t)
	var seen []string
	p, err := r.Start(Program{
		Name: "greeter", Args: shell(`printf 'one\ntw'; echo o >&2; printf '%s\nnever\n' "$GREETING"; exec sleep 60`),
		Env: []string{"GREETING=ready 1"},
		Ready: func(line string) bool {
			seen = append(seen, line)
			return strings.HasPrefix(line, "ready")
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := strings.Join(seen, "|"), "one|two|ready 1"; got != want {
		t.Errorf("lines asked about: %q, want %q", got, want)
	}
	if syscall.Kill(p.Pid(), 0) != nil {
		t.Error("it does not run")
	}
	p.Stop()
	p.Stop()
	if syscall.Kill(p.Pid(), 0) == nil {
		t.Error("it runs after Stop")
	}
}

func TestStartTellsWhyItFailed(t *testing.T) {
	r := newTestbed(t)
	_, err := r.Start(Program{Name: "loser", Args: shell("echo bad luck >&2; exit 3"), Ready: startsWith("ready")})
	if want := "loser ended while starting:\nbad luck\n"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	if _, err := r.Start(Program{Name: "ghost", Args: []string{"no-such-binary"}}); err == nil || !strings.Contains(err.Error(), "start ghost") {
		t.Errorf("a binary that does not exist: %v", err)
	}
}

func TestWaitReturnsTheLogOfAFailure(t *testing.T) {
	r := newTestbed(t)
	for _, c := range []struct{ script, want string }{
		{"echo fine", ""},
		{"echo no; exit 2", "job: exit status 2\nno\n"},
	} {
		p, err := r.Start(Program{Name: "job", Args: shell(c.script)})
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		if err := p.Wait(t.Context()); err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("%s: got %q, want %q", c.script, got, c.want)
		}
	}
}

func TestCPU(t *testing.T) {
	r := newTestbed(t)
	p, err := r.Start(Program{
		Name: "worker (busy)", Args: shell("i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done; echo done; kill -STOP $$"), Ready: startsWith("done"),
	})
	if err != nil {
		t.Fatal(err)
	}
	alive, err := p.CPU()
	if err != nil || alive < 10*time.Millisecond {
		t.Errorf("CPU of a busy process: %v, %v", alive, err)
	}
	if rss, err := RSS(p.Pid()); err != nil || rss < 100<<10 {
		t.Errorf("RSS: %d, %v", rss, err)
	}
	p.Stop()
	if ended, err := p.CPU(); err != nil || ended < alive-10*time.Millisecond {
		t.Errorf("CPU after the end: %v, %v; before: %v", ended, err, alive)
	}
}

func TestInterruptedRunsLeaveNothing(t *testing.T) {
	ctx, interrupt := context.WithCancel(t.Context())
	r, err := New(ctx)
	if err != nil {
		t.Fatal(err)
	}
	p, err := r.Start(Program{Name: "sleeper", Args: []string{"sleep", "60"}})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(r.Dir(), "scratch"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	interrupt()
	<-p.Exited()
	if err := p.Wait(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Wait: %v", err)
	}
	r.Close() // as a deferred one does while the testbed may still be closing itself
	if _, err := os.Stat(r.Dir()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%s: %v", r.Dir(), err)
	}
	if _, err := r.Start(Program{Name: "late", Args: []string{"sleep", "60"}}); !errors.Is(err, errClosed) {
		t.Errorf("Start on a closed testbed: %v", err)
	}
}

func TestInterruptEndsTheWaitForReady(t *testing.T) {
	ctx, interrupt := context.WithCancel(t.Context())
	r, err := New(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	_, err = r.Start(Program{Name: "silent", Args: shell("echo up; exec sleep 60"), Ready: func(string) bool { interrupt(); return false }})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
}

func TestInterruptedBuildsLeaveNothing(t *testing.T) {
	scratch := t.TempDir()
	t.Setenv("TMPDIR", scratch)
	t.Setenv("GOCACHE", t.TempDir()) // there is all to compile
	ctx, interrupt := context.WithCancel(t.Context())
	r, err := New(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	built := make(chan error)
	go func() {
		_, err := r.Build("bench/rivals", "./bare")
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
	r.Close()
	if left, err := os.ReadDir(scratch); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestStores(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a MariaDB")
	}
	r := newTestbed(t)
	mysql, err := r.MySQL("0")
	skipMissing(t, err)
	redis, err := r.Redis("0")
	skipMissing(t, err)
	for name, pid := range map[string]int{"mariadbd": mysql.Pid(), "redis-server": redis.Pid()} {
		if got := field("/proc/"+itoa(pid)+"/status", "Cpus_allowed_list"); got != "0" {
			t.Errorf("%s runs on cores %q, want 0", name, got)
		}
	}
	if got, err := mysql.Query("SHOW DATABASES LIKE 'popupd'"); got != "popupd" || err != nil {
		t.Errorf("the database popupd: %q, %v", got, err)
	}
	p, err := r.Popupd(Options{MySQL: mysql.DSN("popupd"), Redis: redis.URL()})
	if err != nil {
		t.Fatal(err)
	}
	serveOne(t, p)
	if got, err := mysql.Query("SELECT COUNT(*) FROM popupd.event"); got != "1" || err != nil {
		t.Errorf("events after Drained: %s, %v; want 1", got, err)
	}
}

func skipMissing(t *testing.T, err error) {
	t.Helper()
	if _, missing := errors.AsType[*stores.MissingError](err); missing && os.Getenv("POPUPD_REQUIRE_STORES") != "1" {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
}
