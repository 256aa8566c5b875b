package netsock

import (
	"errors"
	"io"
	"net"
	"runtime"
	"syscall"
	"testing"
	"time"
)

// listenNow is Listen, with connections accepted before they have sent something.
func listenNow(t testing.TB) net.Listener {
	t.Helper()
	ln, err := Listen(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if controlErr := ln.(*listener).raw.Control(func(fd uintptr) {
		err = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, syscall.TCP_DEFER_ACCEPT, 0)
	}); controlErr != nil || err != nil {
		t.Fatal(controlErr, err)
	}
	return ln
}

// A socket whose request and answer need no wait is not registered with the poller.
func TestRegisteredOnlyToWait(t *testing.T) {
	ours, theirs := pair(t, listenNow)
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
	if ours.(*socket).polled.Load() != nil {
		t.Error("registered without need")
	}
	go io.WriteString(theirs, "another")
	if n, err := ours.Read(b); err != nil || string(b[:n]) != "another" {
		t.Fatalf("%q, %v", b[:n], err)
	}
}

// A read that waits is ended by Close.
func TestCloseEndsPolledRead(t *testing.T) {
	ours, _ := pair(t, listenNow)
	read := make(chan error)
	go func() {
		_, err := ours.Read(make([]byte, 1))
		read <- err
	}()
	for ours.(*socket).polled.Load() == nil {
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

func TestWriteToNobody(t *testing.T) {
	ours, theirs := pair(t, listenNow)
	theirs.Close()
	ours.Write([]byte("a")) // which the peer answers with a reset
	for _, err := ours.Write([]byte("b")); !errors.Is(err, syscall.EPIPE) && !errors.Is(err, syscall.ECONNRESET); _, err = ours.Write([]byte("b")) {
		if err != nil {
			t.Fatalf("write to nobody: %v", err)
		}
	}
}

// A listener that ignores who wants to connect takes those who are connecting already, whose
// request is yet to come, and Close resets none of them. Whoever comes later finds out after a
// second that nobody is there.
func TestIgnore(t *testing.T) {
	ln, err := Listen(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	early, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer early.Close()
	if !ln.(Ignorer).Ignore() {
		t.Fatal("it does not ignore")
	}
	late := make(chan error, 1)
	go func() {
		c, err := net.DialTimeout("tcp", ln.Addr().String(), 20*time.Second)
		if err == nil {
			c.Close()
		}
		late <- err
	}()
	select {
	case err := <-late:
		t.Errorf("who comes later is not ignored: %v", err)
	case <-time.After(100 * time.Millisecond):
	}
	io.WriteString(early, "question")
	ours, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer ours.Close()
	ln.Close()
	b := make([]byte, 100)
	if n, err := ours.Read(b); err != nil || string(b[:n]) != "question" {
		t.Fatalf("%q, %v", b[:n], err)
	}
	io.WriteString(ours, "answer")
	if n, err := early.Read(b); err != nil || string(b[:n]) != "answer" {
		t.Errorf("%q, %v", b[:n], err)
	}
	if err := <-late; !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("who comes later: %v, want refused", err)
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
	ours, theirs := pair(t, listenNow)
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

	// What waits in the buffer is as old as it is, registered with the poller or not.
	other, others := pair(t, listenNow)
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
	ours, theirs := pair(t, listenNow)
	ours.(*socket).listener.Stamp(1 << 20)
	b, question := make([]byte, 100), []byte("question")
	if n := testing.AllocsPerRun(100, func() {
		theirs.Write(question)
		ours.Read(b)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
