package netsock

import (
	"net"
	"os"
	"sync/atomic"
	"syscall"

	"golang.org/x/sys/unix"
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
	passed bool // others have the socket too
	closed atomic.Bool
	stamps atomic.Int64 // reads that are yet to be stamped
}

var (
	_ Stamper = (*listener)(nil)
	_ Ignorer = (*listener)(nil)
)

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

// Ignore implements [Ignorer]: packets with the flag SYN do not reach the socket. One that was
// passed stays as it is, since what waits in it outlives this process.
func (l *listener) Ignore() (ignores bool) {
	const flags, syn, whole = 13, 0x02, 0xffffffff // offset in the header of TCP, RFC 9293 3.1
	program := []unix.SockFilter{
		{Code: unix.BPF_LD | unix.BPF_B | unix.BPF_ABS, K: flags},
		{Code: unix.BPF_JMP | unix.BPF_JSET | unix.BPF_K, K: syn, Jt: 0, Jf: 1},
		{Code: unix.BPF_RET | unix.BPF_K, K: 0},
		{Code: unix.BPF_RET | unix.BPF_K, K: whole},
	}
	if l.passed {
		return false
	}
	err := l.raw.Control(func(fd uintptr) {
		ignores = unix.SetsockoptSockFprog(int(fd), unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &unix.SockFprog{Len: uint16(len(program)), Filter: &program[0]}) == nil
	})
	return err == nil && ignores
}

// Addr returns the address that is listened on.
func (l *listener) Addr() net.Addr { return l.addr }

// Stamp implements [Stamper]. A stamped read takes 0.3 us longer, which is why
// not every one is.
func (l *listener) Stamp(n int64) { l.stamps.Store(n) }
