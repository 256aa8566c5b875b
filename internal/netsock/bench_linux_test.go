package netsock

import (
	"io"
	"net"
	"strconv"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// BenchmarkConnection is a connection with one question and its answer over
// loopback, both ends in one goroutine: what each option of a listener is
// worth. TCP_FASTOPEN needs net.ipv4.tcp_fastopen=3.
func BenchmarkConnection(b *testing.B) {
	options := func(set map[int]int) func(string, string, syscall.RawConn) error {
		return func(_, _ string, c syscall.RawConn) (err error) {
			c.Control(func(fd uintptr) {
				for option, value := range set {
					if err == nil {
						err = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, option, value)
					}
				}
			})
			return err
		}
	}
	plain := net.ListenConfig{KeepAlive: -1}
	plain.SetMultipathTCP(false)
	deferred, fastOpen := plain, plain
	deferred.Control = options(map[int]int{syscall.TCP_DEFER_ACCEPT: deferAccept})
	fastOpen.Control = options(map[int]int{unix.TCP_FASTOPEN: 1024})
	var noMPTCP net.ListenConfig
	noMPTCP.SetMultipathTCP(false)
	fastDial := net.Dialer{Control: options(map[int]int{unix.TCP_FASTOPEN_CONNECT: 1})}
	for _, c := range []struct {
		name   string
		dialer net.Dialer
		config *net.ListenConfig // nil: Listen
	}{
		{"net", net.Dialer{}, &net.ListenConfig{}},
		{"noMPTCP", net.Dialer{}, &noMPTCP},
		{"noProbes", net.Dialer{}, &plain},
		{"fastOpen", fastDial, &fastOpen},
		{"deferred", net.Dialer{}, &deferred},
		{"ours", net.Dialer{}, nil},
	} {
		b.Run(c.name, func(b *testing.B) {
			ln := listenFor(b, c.config)
			var answer [6]byte
			for b.Loop() {
				theirs, err := c.dialer.DialContext(b.Context(), "tcp", ln.Addr().String())
				if err != nil {
					b.Fatal(err)
				}
				exchange(b, ln, theirs, answer[:])
			}
		})
	}
}

func listenFor(b *testing.B, config *net.ListenConfig) net.Listener {
	b.Helper()
	if config == nil {
		ln, err := Listen(b.Context(), "127.0.0.1:0")
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { ln.Close() })
		return ln
	}
	ln, err := config.Listen(b.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { ln.Close() })
	return ln
}

// exchange asks and answers on the connection that theirs is the client of.
func exchange(b *testing.B, ln net.Listener, theirs net.Conn, buf []byte) {
	theirs.(*net.TCPConn).SetLinger(0) // a benchmark runs out of ports in TIME_WAIT
	io.WriteString(theirs, "asks?")
	ours, err := ln.Accept()
	if err != nil {
		b.Error(err)
		return
	}
	if n, err := ours.Read(buf); n == 0 {
		b.Error(err)
	}
	io.WriteString(ours, "answer")
	if _, err := io.ReadFull(theirs, buf); err != nil {
		b.Error(err)
	}
	theirs.Close()
	ours.Close()
}

// BenchmarkListeners is what a second listener on the same port, by
// SO_REUSEPORT, is worth.
func BenchmarkListeners(b *testing.B) {
	config := net.ListenConfig{KeepAlive: -1, Control: func(network, address string, c syscall.RawConn) (err error) {
		c.Control(func(fd uintptr) { err = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, unix.SO_REUSEPORT, 1) })
		return err
	}}
	for _, listeners := range []int{1, 2} {
		b.Run(strconv.Itoa(listeners), func(b *testing.B) {
			address := "127.0.0.1:0"
			for range listeners {
				ln, err := config.Listen(b.Context(), "tcp", address)
				if err != nil {
					b.Fatal(err)
				}
				defer ln.Close()
				address = ln.Addr().String()
				go answerAll(ln)
			}
			b.RunParallel(func(pb *testing.PB) {
				var answer [6]byte
				for pb.Next() {
					c, err := net.Dial("tcp", address)
					if err != nil {
						b.Error(err)
						return
					}
					c.(*net.TCPConn).SetLinger(0)
					io.WriteString(c, "asks?")
					if _, err := io.ReadFull(c, answer[:]); err != nil {
						b.Error(err)
					}
					c.Close()
				}
			})
		})
	}
}

func answerAll(ln net.Listener) {
	for {
		c, err := ln.Accept()
		if err != nil {
			return
		}
		go func() {
			c.Read(make([]byte, 100))
			io.WriteString(c, "answer")
			c.Close()
		}()
	}
}
