package netsock

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"syscall"
	"testing"
	"time"

	"golang.org/x/net/nettest"
)

// each runs a test on the listener of this system, and on that of the others.
func each(t *testing.T, test func(t *testing.T, listen func(testing.TB) net.Listener)) {
	for _, c := range []struct {
		name   string
		listen func(testing.TB) net.Listener
	}{
		{"native", listenNow},
		{"portable", listenPortable},
	} {
		t.Run(c.name, func(t *testing.T) { test(t, c.listen) })
	}
}

func listenPortable(t testing.TB) net.Listener {
	t.Helper()
	ln, err := ListenPortable(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return ln
}

// pair returns both ends of a connection; ours was accepted.
func pair(t testing.TB, listen func(testing.TB) net.Listener) (ours, theirs net.Conn) {
	t.Helper()
	ln := listen(t)
	t.Cleanup(func() { ln.Close() })
	theirs, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	ours, err = ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ours.Close(); theirs.Close() })
	return ours, theirs
}

// TestConn asks of a connection what every net.Conn must do.
func TestConn(t *testing.T) {
	each(t, func(t *testing.T, listen func(testing.TB) net.Listener) {
		nettest.TestConn(t, func() (c1, c2 net.Conn, stop func(), err error) {
			ours, theirs := pair(t, listen)
			return ours, theirs, func() { ours.Close(); theirs.Close() }, nil
		})
	})
}

// More than the buffers hold arrives whole, through the wait in the midst of it.
func TestWriteMoreThanFits(t *testing.T) {
	each(t, func(t *testing.T, listen func(testing.TB) net.Listener) {
		ours, theirs := pair(t, listen)
		sent := bytes.Repeat([]byte("0123456789abcdef"), 1<<20)
		go func() {
			ours.Write(sent)
			ours.Close()
		}()
		got, err := io.ReadAll(theirs)
		if err != nil || !bytes.Equal(got, sent) {
			t.Errorf("%d of %d bytes, %v", len(got), len(sent), err)
		}
	})
}

// A deadline set before the first wait holds in it.
func TestDeadlineBeforeWait(t *testing.T) {
	each(t, func(t *testing.T, listen func(testing.TB) net.Listener) {
		ours, _ := pair(t, listen)
		soon := time.Now().Add(20 * time.Millisecond)
		if err := ours.SetDeadline(soon); err != nil {
			t.Fatal(err)
		}
		var timeout interface{ Timeout() bool }
		if _, err := ours.Read(make([]byte, 1)); !errors.As(err, &timeout) || !timeout.Timeout() || !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("read: %v, want a timeout", err)
		}
		ours, _ = pair(t, listen)
		if err := ours.SetDeadline(soon.Add(20 * time.Millisecond)); err != nil {
			t.Fatal(err)
		}
		if _, err := ours.Write(make([]byte, 64<<20)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("write: %v, want a timeout", err)
		}
	})
}

func TestErrors(t *testing.T) {
	each(t, func(t *testing.T, listen func(testing.TB) net.Listener) {
		ours, theirs := pair(t, listen)
		theirs.Close()
		if n, err := ours.Read(make([]byte, 1)); n != 0 || err != io.EOF {
			t.Errorf("read after the peer closed: %d, %v; want EOF", n, err)
		}
		if err := ours.Close(); err != nil {
			t.Error(err)
		}
		b := make([]byte, 1)
		_, read := ours.Read(b)
		_, write := ours.Write(b)
		for _, err := range []error{read, write, ours.Close(), ours.SetDeadline(time.Now()), ours.(closeWriter).CloseWrite()} {
			if !errors.Is(err, net.ErrClosed) {
				t.Errorf("%v, want net.ErrClosed", err)
			}
		}
	})
}

// closeWriter is what the handler looks for in a connection.
type closeWriter interface{ CloseWrite() error }

func TestCloseWrite(t *testing.T) {
	each(t, func(t *testing.T, listen func(testing.TB) net.Listener) {
		ours, theirs := pair(t, listen)
		if err := ours.(closeWriter).CloseWrite(); err != nil {
			t.Fatal(err)
		}
		if n, err := theirs.Read(make([]byte, 1)); n != 0 || err != io.EOF {
			t.Errorf("%d, %v; want EOF", n, err)
		}
		io.WriteString(theirs, "still read")
		b := make([]byte, 100)
		if n, err := ours.Read(b); err != nil || string(b[:n]) != "still read" {
			t.Errorf("%q, %v", b[:n], err)
		}
	})
}

func TestAddresses(t *testing.T) {
	for _, listen := range []func(context.Context, string) (net.Listener, error){Listen, ListenPortable} {
		for _, address := range []string{"127.0.0.1:0", "[::1]:0"} {
			if probe, err := net.Listen("tcp", address); err != nil {
				t.Logf("not on this host: %v", err)
				continue
			} else {
				probe.Close()
			}
			ln, err := listen(t.Context(), address)
			if err != nil {
				t.Fatal(err)
			}
			defer ln.Close()
			theirs, err := net.Dial("tcp", ln.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer theirs.Close()
			io.WriteString(theirs, "x") // or it would wait for TCP_DEFER_ACCEPT
			ours, err := ln.Accept()
			if err != nil {
				t.Fatal(err)
			}
			defer ours.Close()
			if got, want := ours.RemoteAddr().String(), theirs.LocalAddr().String(); got != want {
				t.Errorf("peer %s, want %s", got, want)
			}
			if got, want := ours.LocalAddr().String(), theirs.RemoteAddr().String(); got != want {
				t.Errorf("own address %s, want %s", got, want)
			}
		}
	}
}

func TestListenerClosed(t *testing.T) {
	each(t, func(t *testing.T, listen func(testing.TB) net.Listener) {
		ln := listen(t)
		accepted := make(chan error)
		go func() {
			_, err := ln.Accept()
			accepted <- err
		}()
		if err := ln.Close(); err != nil {
			t.Error(err)
		}
		if err := <-accepted; !errors.Is(err, net.ErrClosed) {
			t.Errorf("accept: %v, want net.ErrClosed", err)
		}
		if err := ln.Close(); !errors.Is(err, net.ErrClosed) {
			t.Errorf("second close: %v, want net.ErrClosed", err)
		}
		if c, err := net.Dial("tcp", ln.Addr().String()); err == nil {
			c.Close()
			t.Error("the socket is still open")
		}
	})
}

func TestExhausted(t *testing.T) {
	for _, errno := range exhausted {
		err := fmt.Errorf("serve: %w", &net.OpError{Op: "accept", Net: "tcp", Err: os.NewSyscallError("accept4", errno)})
		if !Exhausted(err) {
			t.Errorf("%v is not seen to pass", err)
		}
	}
	for _, err := range []error{net.ErrClosed, syscall.EINVAL} {
		if Exhausted(err) {
			t.Errorf("%v does not pass by itself", err)
		}
	}
}

func TestDescriptorLimit(t *testing.T) {
	limit, ok := DescriptorLimit()
	if ok && limit < 3 { // the standard streams alone are as many
		t.Errorf("limit %d", limit)
	}
}
