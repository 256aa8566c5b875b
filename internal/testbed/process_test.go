//go:build unix

package testbed

import (
	"errors"
	"strings"
	"syscall"
	"testing"
	"time"
)

func shell(script string) []string { return []string{"sh", "-c", script} }

func startsWith(prefix string) func(string) bool {
	return func(line string) bool { return strings.HasPrefix(line, prefix) }
}

func TestStartWaitsForTheLine(t *testing.T) {
	b := newTestbed(t)
	var seen []string
	p, err := b.Start(Program{
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
	p.Kill()
	p.Kill()
	if syscall.Kill(p.Pid(), 0) == nil {
		t.Error("it runs after Kill")
	}
}

func TestStdoutMayBeDropped(t *testing.T) {
	b := newTestbed(t)
	p, err := b.Start(Program{Name: "greeter", Args: shell("echo hello; echo up >&2"), StderrOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Wait(t.Context()); err != nil || p.Log() != "up\n" {
		t.Errorf("log %q, %v; want what is on stderr", p.Log(), err)
	}
}

func TestStartTriesTheProbe(t *testing.T) {
	b := newTestbed(t)
	tries := 0
	_, err := b.Start(Program{Name: "sleeper", Args: shell("echo up; exec sleep 60"), Ready: startsWith("up"), Probe: func() error {
		if tries++; tries < 3 {
			return errors.New("not yet")
		}
		return nil
	}})
	if err != nil || tries != 3 {
		t.Errorf("got %v after %d tries, want 3", err, tries)
	}
	_, err = b.Start(Program{Name: "loser", Args: shell("exit 3"), Probe: func() error { return errors.New("never") }})
	if want := "loser ended while starting:\n"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestStartTellsWhyItFailed(t *testing.T) {
	b := newTestbed(t)
	_, err := b.Start(Program{Name: "loser", Args: shell("echo bad luck >&2; exit 3"), Ready: startsWith("ready")})
	if want := "loser ended while starting:\nbad luck\n"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	if _, err := b.Start(Program{Name: "missing", Args: []string{"no-such-binary"}}); err == nil || !strings.Contains(err.Error(), "start missing") {
		t.Errorf("a binary that does not exist: %v", err)
	}
}

func TestWaitReturnsTheLogOfAFailure(t *testing.T) {
	b := newTestbed(t)
	for _, c := range []struct{ script, want string }{
		{"echo fine", ""},
		{"echo no; exit 2", "job: exit status 2\nno\n"},
	} {
		p, err := b.Start(Program{Name: "job", Args: shell(c.script)})
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

func TestRestartKeepsTheLogAndWaitsAgain(t *testing.T) {
	b := newTestbed(t)
	p, err := b.Start(Program{Name: "greeter", Args: shell("echo up; exec sleep 60"), Ready: startsWith("up")})
	if err != nil {
		t.Fatal(err)
	}
	first := p.Pid()
	if err := p.Restart(); err != nil {
		t.Fatal(err)
	}
	if got := p.Log(); got != "up\nup\n" || p.Pid() == first || p.Starts() != 2 {
		t.Errorf("log %q, pid %d after %d, %d starts", got, p.Pid(), first, p.Starts())
	}
}

func TestOnlyEndsThatNobodyAskedForAreCrashes(t *testing.T) {
	b := newTestbed(t)
	p, err := b.Start(Program{Name: "sleeper", Args: []string{"sleep", "60"}})
	if err != nil {
		t.Fatal(err)
	}
	for _, end := range []struct {
		name  string
		end   func()
		crash string
	}{
		{"Kill", p.Kill, ""},
		{"Stop", func() { p.Stop() }, ""},
		{"SIGTERM", func() { p.Signal(syscall.SIGTERM) }, ""},
		{"an end that was expected", func() { p.ExpectEnd(); syscall.Kill(p.Pid(), syscall.SIGKILL) }, ""},
		{"an end by itself", func() { syscall.Kill(p.Pid(), syscall.SIGKILL) }, "signal: killed"},
	} {
		if err := p.Restart(); err != nil {
			t.Fatal(err)
		}
		end.end()
		<-p.Exited()
		if got := strings.Join(p.Crashes(), ", "); got != end.crash {
			t.Errorf("%s: crashes %q, want %q", end.name, got, end.crash)
		}
	}
}

func TestCPU(t *testing.T) {
	b := newTestbed(t)
	p, err := b.Start(Program{
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
	p.Kill()
	if ended, err := p.CPU(); err != nil || ended < alive-10*time.Millisecond {
		t.Errorf("CPU after the end: %v, %v; before: %v", ended, err, alive)
	}
}
