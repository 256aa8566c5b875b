package netsock

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"runtime"
	"syscall"
	"testing"
	"time"

	"golang.org/x/net/nettest"
)

// listen returns a listener that accepts connections which send nothing, too.
func listen(t testing.TB) *Listener {
	t.Helper()
	ln, err := Listen(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	if err := ln.raw.Control(func(fd uintptr) {
		err = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, syscall.TCP_DEFER_ACCEPT, 0)
	}); err != nil {
		t.Fatal(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return ln
}

// pair returns both ends of a connection; ours was accepted.
func pair(t testing.TB) (ours, theirs net.Conn) {
	t.Helper()
	ln := listen(t)
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

// TestConn asks of a socket what every net.Conn must do.
func TestConn(t *testing.T) {
	nettest.TestConn(t, func() (c1, c2 net.Conn, stop func(), err error) {
		ours, theirs := pair(t)
		return ours, theirs, func() { ours.Close(); theirs.Close() }, nil
	})
}

// A socket whose request and answer need no wait is not the poller's.
func TestWatchedOnlyToWait(t *testing.T) {
	ours, theirs := pair(t)
	io.WriteString(theirs, "question")
	// Nothing has told us that it is there: the peer has sent it, over loopback
	// that is the same.
	b := make([]byte, 100)
	if n, err := ours.Read(b); err != nil || string(b[:n]) != "question" {
		t.Fatalf("%q, %v", b[:n], err)
	}
	if n, err := ours.Write([]byte("answer")); n != 6 || err != nil {
		t.Fatal(n, err)
	}
	if ours.(*socket).watched.Load() != nil {
		t.Error("registered without need")
	}
	go io.WriteString(theirs, "another")
	if n, err := ours.Read(b); err != nil || string(b[:n]) != "another" {
		t.Fatalf("%q, %v", b[:n], err)
	}
}

// More than the buffers hold arrives whole, through the wait in the midst of it.
func TestWriteMoreThanFits(t *testing.T) {
	ours, theirs := pair(t)
	sent := bytes.Repeat([]byte("0123456789abcdef"), 1<<20)
	go func() {
		ours.Write(sent)
		ours.Close()
	}()
	got, err := io.ReadAll(theirs)
	if err != nil || !bytes.Equal(got, sent) {
		t.Errorf("%d of %d bytes, %v", len(got), len(sent), err)
	}
}

// A deadline set before the poller knows of the socket holds afterwards.
func TestDeadlineBeforeWait(t *testing.T) {
	ours, _ := pair(t)
	soon := time.Now().Add(20 * time.Millisecond)
	if err := ours.SetDeadline(soon); err != nil {
		t.Fatal(err)
	}
	var timeout interface{ Timeout() bool }
	if _, err := ours.Read(make([]byte, 1)); !errors.As(err, &timeout) || !timeout.Timeout() || !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("read: %v, want a timeout", err)
	}
	ours, _ = pair(t)
	if err := ours.SetDeadline(soon.Add(20 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	if _, err := ours.Write(make([]byte, 64<<20)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("write: %v, want a timeout", err)
	}
}

func TestErrors(t *testing.T) {
	ours, theirs := pair(t)
	theirs.Close()
	if n, err := ours.Read(make([]byte, 1)); n != 0 || err != io.EOF {
		t.Errorf("read after the peer closed: %d, %v; want EOF", n, err)
	}
	ours.Write([]byte("a")) // which the peer answers with a reset
	for _, err := ours.Write([]byte("b")); !errors.Is(err, syscall.EPIPE) && !errors.Is(err, syscall.ECONNRESET); _, err = ours.Write([]byte("b")) {
		if err != nil {
			t.Fatalf("write to nobody: %v", err)
		}
	}
	if err := ours.Close(); err != nil {
		t.Error(err)
	}
	b := make([]byte, 1)
	_, read := ours.Read(b)
	_, write := ours.Write(b)
	for _, err := range []error{read, write, ours.Close(), ours.SetDeadline(time.Now()), ours.(*socket).CloseWrite()} {
		if !errors.Is(err, net.ErrClosed) {
			t.Errorf("%v, want net.ErrClosed", err)
		}
	}
}

// A read that waits ends when the connection is closed, and says so as net does.
func TestCloseEndsRead(t *testing.T) {
	ours, _ := pair(t)
	read := make(chan error)
	go func() {
		_, err := ours.Read(make([]byte, 1))
		read <- err
	}()
	for ours.(*socket).watched.Load() == nil {
		runtime.Gosched()
	}
	if err := ours.Close(); err != nil {
		t.Error(err)
	}
	if err := <-read; !errors.Is(err, net.ErrClosed) {
		t.Errorf("the read under way: %v, want net.ErrClosed", err)
	}
	if _, err := ours.Write([]byte("x")); !errors.Is(err, net.ErrClosed) {
		t.Errorf("a write after it: %v, want net.ErrClosed", err)
	}
}

func TestCloseWrite(t *testing.T) {
	ours, theirs := pair(t)
	if err := ours.(*socket).CloseWrite(); err != nil {
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
}

func TestAddresses(t *testing.T) {
	for _, address := range []string{"127.0.0.1:0", "[::1]:0"} {
		ln, err := Listen(t.Context(), address)
		if errors.Is(err, syscall.EADDRNOTAVAIL) || errors.Is(err, syscall.EAFNOSUPPORT) {
			t.Logf("%s: %v", address, err)
			continue
		}
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

func TestListenerClosed(t *testing.T) {
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
	if _, err := net.Dial("tcp", ln.Addr().String()); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("dial: %v: the socket is still open", err)
	}
}

// The options are those that the comment of Listen promises, on a connection.
func TestOptions(t *testing.T) {
	ln, err := Listen(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	theirs, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer theirs.Close()
	io.WriteString(theirs, "x")
	ours, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer ours.Close()
	fd := ours.(*socket).fd
	for _, o := range []struct {
		name          string
		level, option int
		want          int
	}{
		{"TCP_NODELAY", syscall.IPPROTO_TCP, syscall.TCP_NODELAY, 1},
		{"SO_KEEPALIVE", syscall.SOL_SOCKET, syscall.SO_KEEPALIVE, 0},
		{"SO_PROTOCOL", syscall.SOL_SOCKET, syscall.SO_PROTOCOL, syscall.IPPROTO_TCP},
	} {
		if got, err := syscall.GetsockoptInt(fd, o.level, o.option); err != nil || got != o.want {
			t.Errorf("%s: %d, %v; want %d", o.name, got, err, o.want)
		}
	}
}

// As many reads as were asked to say when what they read came in, and no others.
func TestStamp(t *testing.T) {
	ours, theirs := pair(t)
	accepted := ours.(*socket)
	b := make([]byte, 100)
	read := func(want bool) {
		t.Helper()
		before := time.Now()
		time.AfterFunc(time.Millisecond, func() { io.WriteString(theirs, "question") })
		if n, err := ours.Read(b); err != nil || string(b[:n]) != "question" {
			t.Fatalf("%q, %v", b[:n], err)
		}
		at := time.Unix(0, accepted.Arrived())
		switch stamped := at.UnixNano() != 0; {
		case stamped != want:
			t.Errorf("stamped: %v, want %v", stamped, want)
		case stamped && (at.Before(before) || at.After(time.Now())):
			t.Errorf("came in at %v, want from %v to now", at, before)
		}
		if again := accepted.Arrived(); again != 0 {
			t.Errorf("said again: %v", again)
		}
	}
	read(false)
	accepted.listener.Stamp(2)
	read(true)
	read(true)
	read(false)

	// What waits in the buffer is as old as it is, watched by the poller or not.
	other, others := pair(t)
	for ours, theirs := range map[net.Conn]net.Conn{ours: theirs, other: others} {
		io.WriteString(theirs, "question")
		time.Sleep(20 * time.Millisecond)
		accepted := ours.(*socket)
		accepted.listener.Stamp(1)
		if _, err := ours.Read(b); err != nil {
			t.Fatal(err)
		}
		if waited := time.Since(time.Unix(0, accepted.Arrived())); waited < 20*time.Millisecond || waited > 10*time.Second {
			t.Errorf("it has waited for %v, want 20ms or a little more", waited)
		}
	}

	// Nobody has asked about the first; the second is not as old.
	accepted.listener.Stamp(1)
	for range 2 {
		io.WriteString(theirs, "question")
		if _, err := ours.Read(b); err != nil {
			t.Fatal(err)
		}
	}
	if at := accepted.Arrived(); at != 0 {
		t.Errorf("stamped with that of another: %v", time.Unix(0, at))
	}

	accepted.listener.Stamp(1)
	theirs.Close()
	if n, err := ours.Read(b); n != 0 || err != io.EOF {
		t.Errorf("at the end: %d, %v", n, err)
	}
	if at := accepted.Arrived(); at != 0 {
		t.Errorf("the end came in at %v", at)
	}
}

func TestStampAllocatesNothing(t *testing.T) {
	ours, theirs := pair(t)
	ours.(*socket).listener.Stamp(1 << 20)
	b, question := make([]byte, 100), []byte("question")
	if n := testing.AllocsPerRun(100, func() {
		theirs.Write(question)
		ours.Read(b)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
