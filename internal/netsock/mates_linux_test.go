package netsock

import (
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"testing"
)

// mates are processes at addresses.
type mates map[string]int

func (m mates) At(address string) bool { return m[address] > 0 }

func (m mates) Join(address string) error { m[address]++; return nil }

// bind binds an address until the test ends.
func bind(t *testing.T, address string, m Mates) *Bound {
	t.Helper()
	b, err := Bind(t.Context(), address, m)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return b
}

// listen listens on what was bound until the test ends.
func listen(t *testing.T, b *Bound) net.Listener {
	t.Helper()
	ln, err := b.Listen()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	return ln
}

// goesTo fails the test unless new connections go to a listener.
func goesTo(t *testing.T, ln net.Listener) {
	t.Helper()
	for range 20 { // by chance they would not
		c, err := net.Dial("tcp", ln.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		io.WriteString(c, "x")
		accepted, err := ln.Accept() // for ever if it goes elsewhere
		if err != nil {
			t.Fatal(err)
		}
		accepted.Close()
	}
}

// Of mates at one address the last to come gets the new connections, and when one leaves
// another goes on.
func TestMates(t *testing.T) {
	m := make(mates)
	first := listen(t, bind(t, "127.0.0.1:0", m))
	goesTo(t, first)
	second := listen(t, bind(t, first.Addr().String(), m))
	goesTo(t, second)
	first.Close()
	goesTo(t, second)
	third := listen(t, bind(t, second.Addr().String(), m))
	goesTo(t, third)
	third.Close()
	goesTo(t, second)
}

// One that has bound the address before the other listened finds it shared then.
func TestMatesAtOnce(t *testing.T) {
	m := make(mates)
	a := bind(t, "127.0.0.1:0", m)
	b := bind(t, a.Addr().String(), m)
	listen(t, a)
	goesTo(t, listen(t, b))
}

// Who is no mate gets the error of an address that is taken, whoever came first.
func TestNoMates(t *testing.T) {
	a := bind(t, "127.0.0.1:0", make(mates))
	b := bind(t, a.Addr().String(), make(mates))
	listen(t, a)
	if ln, err := b.Listen(); !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("bound before: %v, %v; want in use", ln, err)
	}
	for _, m := range []Mates{nil, make(mates)} {
		if c, err := Bind(t.Context(), a.Addr().String(), m); !errors.Is(err, syscall.EADDRINUSE) {
			t.Errorf("bound after: %v, %v; want in use", c, err)
		}
	}
}

// An address that a stranger has is not shared, even if it was a mate's.
func TestMatesAndStranger(t *testing.T) {
	stranger, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer stranger.Close()
	if b, err := Bind(t.Context(), stranger.Addr().String(), mates{stranger.Addr().String(): 1}); !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("%v, %v; want in use", b, err)
	}
}

// passedBy returns a descriptor as a service manager passes it: of what ln listens on.
func passedBy(t *testing.T, ln syscall.Conn) int {
	t.Helper()
	raw, err := ln.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	fd := -1
	if err := raw.Control(func(of uintptr) { fd, err = duplicate(int(of)) }); err != nil {
		t.Fatal(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return fd
}

// A socket that was passed has what Bind sets, takes what has waited in it, and stays with
// who has passed it.
func TestBoundTo(t *testing.T) {
	for _, address := range []string{"127.0.0.1:0", "[::1]:0", ":0"} {
		manager, err := net.Listen("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		defer manager.Close()
		early, err := net.Dial("tcp", manager.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer early.Close()
		io.WriteString(early, "early")
		for range 2 { // one process after the other
			b, err := BoundTo(passedBy(t, manager.(syscall.Conn)), make(mates))
			if err != nil {
				t.Fatal(err)
			}
			if got, want := b.Addr().String(), manager.Addr().String(); got != want {
				t.Errorf("bound to %s, want %s", got, want)
			}
			ln, err := b.Listen()
			if err != nil {
				t.Fatal(err)
			}
			ln.(Stamper).Stamp(1)
			checkOptions(t, ln)
			c, err := ln.Accept()
			if err != nil {
				t.Fatal(err)
			}
			text := make([]byte, 5)
			if _, err := io.ReadFull(c, text); err != nil || string(text) != "early" {
				t.Errorf("%s: %q, %v", address, text, err)
			}
			c.Close()
			ln.Close()
			if early, err = net.Dial("tcp", manager.Addr().String()); err != nil { // while nobody accepts
				t.Fatal(err)
			}
			defer early.Close()
			io.WriteString(early, "early")
		}
	}
}

// checkOptions looks at the options of a listener.
func checkOptions(t *testing.T, ln net.Listener) {
	t.Helper()
	fd := passedBy(t, ln.(*listener).file)
	defer syscall.Close(fd)
	for _, want := range []struct {
		name                string
		level, option, most int
	}{
		{"SO_REUSEPORT", syscall.SOL_SOCKET, 15, 1},
		{"SO_TIMESTAMPNS", syscall.SOL_SOCKET, syscall.SO_TIMESTAMPNS, 1},
		{"TCP_NODELAY", syscall.IPPROTO_TCP, syscall.TCP_NODELAY, 1},
		{"TCP_DEFER_ACCEPT", syscall.IPPROTO_TCP, syscall.TCP_DEFER_ACCEPT, 3}, // the kernel rounds up
	} {
		if value, err := syscall.GetsockoptInt(fd, want.level, want.option); err != nil || value < 1 || value > want.most {
			t.Errorf("%s is %d, %v; want 1 to %d", want.name, value, err, want.most)
		}
	}
}

// ListenOn takes what has waited, too.
func TestListenOn(t *testing.T) {
	manager, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer manager.Close()
	ln, err := ListenOn(passedBy(t, manager.(syscall.Conn)))
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	goesTo(t, ln)
}

func TestPassedRefuses(t *testing.T) {
	udp, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer udp.Close()
	local, err := net.Listen("unix", t.TempDir()+"/socket")
	if err != nil {
		t.Fatal(err)
	}
	defer local.Close()
	file, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	ours, theirs := pair(t, listenPortable)
	for name, fd := range map[string]int{
		"a UDP socket":             passedBy(t, udp.(syscall.Conn)),
		"a Unix socket":            passedBy(t, local.(syscall.Conn)),
		"a file":                   passedBy(t, file),
		"a connection":             passedBy(t, ours.(syscall.Conn)),
		"an end of one":            passedBy(t, theirs.(syscall.Conn)),
		"nothing":                  1 << 20,
		"a socket that is no more": -1,
	} {
		if b, err := BoundTo(fd, nil); !errors.Is(err, errNotListening) {
			t.Errorf("%s: %v, %v", name, b, err)
		}
		if ln, err := ListenOn(fd); !errors.Is(err, errNotListening) {
			t.Errorf("%s: %v, %v", name, ln, err)
		}
		syscall.Close(fd)
	}
}
