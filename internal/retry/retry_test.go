package retry

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

func TestBackoff(t *testing.T) {
	b := Backoff{First: 100 * time.Millisecond, Most: time.Second}
	for range 100 {
		for i, want := range []time.Duration{100, 200, 400, 800, 1000, 1000} {
			want *= time.Millisecond
			if got := b.Next(); got > want || got < want*3/4 {
				t.Fatalf("pause %d is %v, want %v or up to a quarter less", i, got, want)
			}
		}
		b.Reset()
	}
}

func TestPause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		start := time.Now()
		if err := Pause(ctx, time.Minute); err != nil || time.Since(start) != time.Minute {
			t.Errorf("Pause of a minute took %v: %v", time.Since(start), err)
		}
		time.AfterFunc(time.Second, cancel)
		start = time.Now()
		if err := Pause(ctx, time.Minute); !errors.Is(err, context.Canceled) || time.Since(start) != time.Second {
			t.Errorf("Pause took %v after its context had ended: %v", time.Since(start), err)
		}
	})
}

func TestWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		wake := make(chan struct{}, 1)
		Notify(wake)
		Notify(wake) // two signals are one
		time.AfterFunc(time.Second, func() { Notify(wake) })
		start := time.Now()
		for i, want := range []time.Duration{0, time.Second, time.Second + time.Minute} {
			if err := Wait(t.Context(), time.Minute, wake); err != nil || time.Since(start) != want {
				t.Errorf("wait %d ended after %v, want %v: %v", i, time.Since(start), want, err)
			}
		}
	})
}

func TestEvery(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		start, calls := time.Now(), 0
		Every(ctx, time.Second, func() {
			if calls++; calls == 3 {
				cancel()
			}
		})
		if calls != 3 || time.Since(start) != 3*time.Second {
			t.Errorf("%d calls in %v, want 3 in 3s", calls, time.Since(start))
		}
	})
}

func TestGuard(t *testing.T) {
	if err := Guard(func() error { return io.EOF }); err != io.EOF {
		t.Errorf("Guard = %v, want what the function returns", err)
	}
	err := Guard(func() error { panic("boo") })
	if !errors.Is(err, ErrPanic) || !strings.Contains(err.Error(), "boo") || !strings.Contains(err.Error(), "TestGuard") {
		t.Errorf("Guard = %v, want the panic and its stack", err)
	}
}

// newOutage returns an outage and a function that reports an error, for a party if
// there is one, and returns what was logged.
func newOutage(eachCause bool) (*Outage, func(error, ...*Party) string) {
	var buf bytes.Buffer
	drop := func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.MessageKey {
			return a
		}
		return slog.Attr{}
	}
	log := slog.New(slog.NewTextHandler(&buf, &slog.HandlerOptions{ReplaceAttr: drop}))
	o := &Outage{Log: log, Begins: "begins", Ends: "ends", EachCause: eachCause}
	return o, func(err error, parties ...*Party) string {
		buf.Reset()
		if len(parties) == 0 {
			o.Report(err)
		}
		for _, p := range parties {
			p.Report(err)
		}
		return strings.TrimPrefix(strings.TrimSpace(buf.String()), "msg=")
	}
}

func TestOutage(t *testing.T) {
	o, report := newOutage(false)
	for i, c := range []struct {
		err  error
		want string
	}{
		{nil, ""}, {io.EOF, "begins"}, {io.EOF, ""}, {io.ErrClosedPipe, ""}, {nil, "ends"}, {nil, ""}, {io.EOF, "begins"},
	} {
		if got := report(c.err); got != c.want {
			t.Errorf("%d, %v: logged %q, want %q", i, c.err, got, c.want)
		}
	}
	if o.Ends = ""; report(nil) != "" {
		t.Error("an end that is not to be told was told")
	}
}

// TestOutageEachCause: each cause is logged once until all is well again, whatever
// stands around it.
func TestOutageEachCause(t *testing.T) {
	reset := func(port int) error {
		return fmt.Errorf("push from %d: %w", port, &net.OpError{Op: "read", Net: "tcp", Source: &net.TCPAddr{Port: port}, Err: syscall.ECONNRESET})
	}
	refused := errors.Join(fmt.Errorf("flush: %w", io.EOF), fmt.Errorf("read progress: %w", errors.New("too many connections")))
	_, report := newOutage(true)
	for i, c := range []struct {
		err  error
		want string
	}{
		{nil, ""}, {reset(1), "begins"}, {reset(2), ""}, {refused, "begins"}, {refused, ""}, {reset(3), ""}, {io.EOF, "begins"},
	} {
		if got := report(c.err); got != c.want {
			t.Errorf("%d, %v: logged %q, want %q", i, c.err, got, c.want)
		}
	}
	for i := range 100 {
		if report(fmt.Errorf("cause %d", i)) != "" && i >= maxCauses {
			t.Fatalf("cause %d is still logged", i)
		}
	}
	if report(nil) != "ends" || report(nil) != "" {
		t.Error("the end is not logged once")
	}
	if report(reset(4)) != "begins" {
		t.Error("after the end, a known cause is not logged")
	}
}

// TestOutageParties: what stops many is logged once, and over when all of them go on
// or have left.
func TestOutageParties(t *testing.T) {
	for _, eachCause := range []bool{false, true} {
		o, report := newOutage(eachCause)
		a, b := o.Party(o.Log), o.Party(o.Log)
		for i, c := range []struct {
			who  *Party
			err  error
			want string
		}{
			{a, io.EOF, "begins"}, {b, io.EOF, ""}, {a, io.EOF, ""}, {a, nil, ""}, {b, nil, "ends"},
			{b, io.EOF, "begins"}, {a, io.EOF, ""}, {a, nil, ""}, {a, io.EOF, ""}, {b, nil, ""}, {a, nil, "ends"},
		} {
			got := report(c.err, c.who)
			if got != c.want {
				t.Errorf("each cause %v, %d, %v: logged %q, want %q", eachCause, i, c.err, got, c.want)
			}
		}
		// One that fails for long hides no other cause, if each is to be told.
		report(io.ErrNoProgress, a)
		want := map[bool]string{true: "begins"}[eachCause]
		for range 2 {
			if got := report(io.EOF, b); got != want {
				t.Errorf("each cause %v: beside another one, logged %q, want %q", eachCause, got, want)
			}
			report(nil, b)
		}
		a.Leave()
		if got := report(io.ErrNoProgress, b); got != "begins" {
			t.Errorf("each cause %v: the cause of a party that left: logged %q", eachCause, got)
		}
	}
}
