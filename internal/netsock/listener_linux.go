package netsock

import (
	"net"
	"os"
	"sync/atomic"
	"syscall"
)

// listener accepts TCP connections with as few system calls as there can be.
// A connection of one request costs accept, read, write and close. One that
// package net accepts also costs an epoll_ctl, a getsockname, up to five
// setsockopt, and mostly a read in vain and its share of an epoll_wait.
// bench/results/listener.md has the figures.
type listener struct {
	file   *os.File
	raw    syscall.RawConn
	addr   net.Addr
	closed atomic.Bool
	stamps atomic.Int64 // reads that are yet to be stamped
}

var _ Stamper = (*listener)(nil)

// Accept returns the next connection. The errors are those of accept(2), and
// net.ErrClosed after Close.
func (l *listener) Accept() (net.Conn, error) {
	var (
		conn  uintptr
		errno syscall.Errno
	)
	if err := l.raw.Read(func(fd uintptr) bool {
		for {
			conn, _, errno = syscall.RawSyscall6(syscall.SYS_ACCEPT4, fd, 0, 0, syscall.SOCK_NONBLOCK|syscall.SOCK_CLOEXEC, 0, 0)
			if errno != syscall.EINTR && errno != syscall.ECONNABORTED { // the next may be well
				return errno != syscall.EAGAIN
			}
		}
	}); err != nil {
		if l.closed.Load() {
			err = net.ErrClosed // os has an error of its own for this
		}
		return nil, l.failed(err)
	}
	if errno != 0 {
		return nil, l.failed(os.NewSyscallError("accept4", errno))
	}
	return &socket{listener: l, fd: int(conn)}, nil
}

func (l *listener) failed(err error) error {
	return &net.OpError{Op: "accept", Net: "tcp", Addr: l.addr, Err: err}
}

// Close ends Accept and closes the socket.
func (l *listener) Close() error {
	if !l.closed.CompareAndSwap(false, true) {
		return net.ErrClosed
	}
	return l.file.Close()
}

// Addr returns the address that is listened on.
func (l *listener) Addr() net.Addr { return l.addr }

// Stamp implements [Stamper]. A stamped read takes 0.3 us longer, which is why
// not every one is.
func (l *listener) Stamp(n int64) { l.stamps.Store(n) }
