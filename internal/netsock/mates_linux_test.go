package netsock

import (
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"testing"
)

// mates is one process of some, which are at addresses.
type mates struct {
	at   map[string]int
	here map[string]bool // at which this one is
}

// newMates returns processes that are mates.
func newMates(n int) []*mates {
	all, at := make([]*mates, n), make(map[string]int)
	for i := range all {
		all[i] = &mates{at, make(map[string]bool)}
	}
	return all
}

func (m *mates) At(address string) bool {
	if m.here[address] {
		return m.at[address] > 1
	}
	return m.at[address] > 0
}

func (m *mates) Join(address string) (bool, error) {
	if m.here[address] || m.at[address] == 2 {
		return m.here[address], nil
	}
	m.here[address] = true
	m.at[address]++
	return true, nil
}

// end is the end of a process that has listened.
func (m *mates) end(ln net.Listener) {
	ln.Close()
	m.at[ln.Addr().String()]--
}

// bind binds an address until the test ends.
func bind(t *testing.T, address string, m *mates) *Bound {
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
	m := newMates(4)
	first := listen(t, bind(t, "127.0.0.1:0", m[0]))
	goesTo(t, first)
	second := listen(t, bind(t, first.Addr().String(), m[1]))
	goesTo(t, second)
	m[0].end(first)
	goesTo(t, second)
	third := listen(t, bind(t, second.Addr().String(), m[2]))
	goesTo(t, third)
	m[2].end(third)
	goesTo(t, second)
	fourth := listen(t, bind(t, second.Addr().String(), m[3]))
	goesTo(t, fourth)
}

// A third mate listens when one of the two before has left, and no sooner: meanwhile the
// second gets what comes.
func TestThirdMate(t *testing.T) {
	for leaves := range 2 {
		m := newMates(3)
		lns := []net.Listener{listen(t, bind(t, "127.0.0.1:0", m[0]))}
		lns = append(lns, listen(t, bind(t, lns[0].Addr().String(), m[1])))
		third := bind(t, lns[0].Addr().String(), m[2])
		for range 2 {
			if ln, err := third.Listen(); !errors.Is(err, ErrCrowded) {
				t.Fatalf("%v, %v; want ErrCrowded", ln, err)
			}
			goesTo(t, lns[1])
		}
		m[leaves].end(lns[leaves])
		goesTo(t, lns[1-leaves])
		ln := listen(t, third)
		goesTo(t, ln)
		m[1-leaves].end(lns[1-leaves])
		goesTo(t, ln)
	}
}

// One that has bound the address before the other listened finds it shared then.
func TestMatesAtOnce(t *testing.T) {
	m := newMates(2)
	a := bind(t, "127.0.0.1:0", m[0])
	b := bind(t, a.Addr().String(), m[1])
	listen(t, a)
	goesTo(t, listen(t, b))
}

// One that is about to listen is a mate already, whoever listens first.
func TestMatesBefore(t *testing.T) {
	m := newMates(2)
	a := bind(t, "127.0.0.1:0", m[0])
	b := bind(t, a.Addr().String(), m[1])
	m[1].Join(a.Addr().String())
	goesTo(t, listen(t, a))
	goesTo(t, listen(t, b))
}

// Who is no mate gets the error of an address that is taken, whoever came first.
func TestNoMates(t *testing.T) {
	a := bind(t, "127.0.0.1:0", newMates(1)[0])
	b := bind(t, a.Addr().String(), newMates(1)[0])
	listen(t, a)
	if ln, err := b.Listen(); !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("bound before: %v, %v; want in use", ln, err)
	}
	for _, m := range []Mates{nil, newMates(1)[0]} {
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
	m := newMates(2)
	m[0].Join(stranger.Addr().String())
	if b, err := Bind(t.Context(), stranger.Addr().String(), m[1]); !errors.Is(err, syscall.EADDRINUSE) {
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
			b, err := BoundTo(passedBy(t, manager.(syscall.Conn)))
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
		{"SO_TIMESTAMPNS", syscall.SOL_SOCKET, syscall.SO_TIMESTAMPNS, 1},
		{"TCP_NODELAY", syscall.IPPROTO_TCP, syscall.TCP_NODELAY, 1},
		{"TCP_DEFER_ACCEPT", syscall.IPPROTO_TCP, syscall.TCP_DEFER_ACCEPT, 3}, // the kernel rounds up
	} {
		if value, err := syscall.GetsockoptInt(fd, want.level, want.option); err != nil || value < 1 || value > want.most {
			t.Errorf("%s is %d, %v; want 1 to %d", want.name, value, err, want.most)
		}
	}
}

// Two processes that are passed one socket take turns, and what waits is lost with neither. One
// that opens the address itself finds it taken.
func TestBoundToOne(t *testing.T) {
	manager, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer manager.Close()
	address := manager.Addr().String()
	var lns [2]net.Listener
	for i := range lns {
		b, err := BoundTo(passedBy(t, manager.(syscall.Conn)))
		if err != nil {
			t.Fatal(err)
		}
		lns[i] = listen(t, b)
	}
	if b, err := Bind(t.Context(), address, newMates(1)[0]); !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("opened beside it: %v, %v; want in use", b, err)
	}
	for range 20 {
		c, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		io.WriteString(c, "x")
	}
	if lns[0].(Ignorer).Ignore() {
		t.Error("one ignores those who want to connect to the other")
	}
	lns[0].Close()
	for range 20 {
		accepted, err := lns[1].Accept()
		if err != nil {
			t.Fatal(err)
		}
		accepted.Close()
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
		if b, err := BoundTo(fd); !errors.Is(err, errNotListening) {
			t.Errorf("%s: %v, %v", name, b, err)
		}
		if ln, err := ListenOn(fd); !errors.Is(err, errNotListening) {
			t.Errorf("%s: %v, %v", name, ln, err)
		}
		syscall.Close(fd)
	}
}
