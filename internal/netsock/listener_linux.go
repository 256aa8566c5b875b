package netsock

import (
	"context"
	"errors"
	"fmt"
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

// deferAccept is for how many seconds the kernel keeps a connection that sends
// nothing to itself.
const deferAccept = 1

// Listen listens on a TCP address as net.Listen does. The listener is a
// [Stamper].
//
// Beside those of [ListenPortable] it has options that connections inherit
// (tcp(7)):
//   - TCP_DEFER_ACCEPT: a connection is accepted when its request is there, so
//     the first read is not in vain. One third of the CPU of a connection that
//     asks once.
//   - TCP_NODELAY: as net sets it, but once.
//   - SO_TIMESTAMPNS: the kernel notes when each packet arrives. Where it cannot,
//     there are no stamps.
//
// The backlog is net's: all that net.core.somaxconn allows.
func Listen(ctx context.Context, address string) (net.Listener, error) {
	config := listenConfig()
	config.Control = setOptions
	ln, err := config.Listen(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	defer ln.Close()
	// net does not let others accept on its descriptor, os does.
	file, err := ln.(*net.TCPListener).File()
	if err != nil {
		return nil, fmt.Errorf("listen %s: %w", address, err)
	}
	raw, err := file.SyscallConn()
	if err != nil {
		file.Close()
		return nil, fmt.Errorf("listen %s: %w", address, err)
	}
	return &listener{file: file, raw: raw, addr: ln.Addr()}, nil
}

func setOptions(_, _ string, c syscall.RawConn) error {
	var err error
	if controlErr := c.Control(func(fd uintptr) {
		_ = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_TIMESTAMPNS, 1)
		err = os.NewSyscallError("setsockopt", errors.Join(
			syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, syscall.TCP_NODELAY, 1),
			syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, syscall.TCP_DEFER_ACCEPT, deferAccept)))
	}); controlErr != nil {
		return controlErr
	}
	return err
}

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
