//go:build linux

package openloop

import (
	"fmt"
	"net/netip"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// state is what a connection is about. The sockets do not block.
type state uint8

const (
	closed     state = iota // no socket
	connecting              // out, if any, is written once it stands
	free
	busy   // waits for an answer
	ending // answered; waits for the server to close
)

type conn struct {
	index int32 // in generator.conns, and the data of its epoll events
	fd    int
	state state

	kind     Kind
	intended time.Duration // start of the request under way
	sent     time.Duration // when it was, or began to connect

	in  []byte // what has come of the answer
	out []byte // of a request that waits for the connection
}

// dial opens the socket and starts to connect, which on loopback is over when
// it returns, though connect(2) says EINPROGRESS.
func (c *conn) dial(epoll int, to netip.AddrPort, from netip.Addr) error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return os.NewSyscallError("socket", err)
	}
	c.fd = fd
	if from.IsValid() {
		// The port is chosen at connect(2), where one that is taken towards
		// another address will do, see ip(7).
		if err := unix.SetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_BIND_ADDRESS_NO_PORT, 1); err != nil {
			return os.NewSyscallError("setsockopt", err)
		}
		if err := unix.Bind(fd, &unix.SockaddrInet4{Addr: from.As4()}); err != nil {
			return fmt.Errorf("bind %v: %w", from, err)
		}
	}
	// One write a request: there is nothing for Nagle's algorithm to join, but
	// the second request of a connection must not wait for the first one's ACK.
	if err := unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1); err != nil {
		return os.NewSyscallError("setsockopt", err)
	}
	err = unix.Connect(fd, &unix.SockaddrInet4{Port: int(to.Port()), Addr: to.Addr().As4()})
	if err != nil && err != unix.EINPROGRESS {
		return os.NewSyscallError("connect", err)
	}
	if err := unix.EpollCtl(epoll, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLRDHUP, Fd: c.index}); err != nil {
		return os.NewSyscallError("epoll_ctl", err)
	}
	return nil
}

// awaitConnected asks for an event when the connection stands.
func (c *conn) awaitConnected(epoll int) error {
	return unix.EpollCtl(epoll, unix.EPOLL_CTL_MOD, c.fd, &unix.EpollEvent{Events: unix.EPOLLOUT, Fd: c.index})
}

// wait blocks until the outcome of connecting is known, 5 s at most.
func (c *conn) wait() error {
	polled := []unix.PollFd{{Fd: int32(c.fd), Events: unix.POLLOUT}}
	for {
		n, err := unix.Poll(polled, 5000)
		switch {
		case err == unix.EINTR:
		case err != nil:
			return os.NewSyscallError("poll", err)
		case n == 0:
			return unix.ETIMEDOUT
		default:
			return nil
		}
	}
}

// connected takes the outcome of connecting, and asks for answers from now on.
func (c *conn) connected(epoll int) error {
	code, err := unix.GetsockoptInt(c.fd, unix.SOL_SOCKET, unix.SO_ERROR)
	if err != nil {
		return os.NewSyscallError("getsockopt", err)
	}
	if code != 0 {
		return os.NewSyscallError("connect", unix.Errno(code))
	}
	return unix.EpollCtl(epoll, unix.EPOLL_CTL_MOD, c.fd, &unix.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLRDHUP, Fd: c.index})
}

// unanswered reports whether a request is under way.
func (c *conn) unanswered() bool {
	return c.state == busy || c.state == connecting && len(c.out) > 0
}

// write sends a request whole. unix.EAGAIN means that the connection does not
// stand yet: a request is far smaller than the buffer of a socket without one.
func (c *conn) write(request []byte) error {
	n, err := rawWrite(c.fd, request)
	if err != nil {
		return err
	}
	if n < len(request) {
		return fmt.Errorf("write: %d of %d bytes", n, len(request))
	}
	return nil
}

// read appends what has come to c.in. It returns false if that was nothing, and
// errClosed after the last byte.
func (c *conn) read() (bool, error) {
	if cap(c.in)-len(c.in) < 1024 {
		c.in = append(make([]byte, 0, max(4096, 2*cap(c.in))), c.in...)
	}
	n, err := rawRead(c.fd, c.in[len(c.in):cap(c.in)])
	switch {
	case err == unix.EAGAIN || err == unix.EINTR:
		return false, nil
	case err != nil:
		return false, os.NewSyscallError("read", err)
	case n == 0:
		return false, errClosed
	}
	c.in = c.in[:len(c.in)+n]
	return true, nil
}

func (c *conn) close() {
	if c.fd >= 0 {
		unix.Close(c.fd)
	}
	c.fd, c.state, c.in, c.out = -1, closed, c.in[:0], c.out[:0]
}
