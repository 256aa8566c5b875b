package netsock

import (
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// socket is a TCP connection that is registered with the runtime's poller when
// it first has to wait for something. One that asks once, and whose request is
// there when it is accepted, is never registered.
type socket struct {
	listener *listener
	peer     atomic.Pointer[net.TCPAddr] // nil until asked for
	arrived  atomic.Int64                // what Arrived returns next

	polled atomic.Pointer[polled] // nil until it is registered with the poller

	mu     sync.Mutex // fd must not be closed while it is used
	fd     int        // owned by polled.file from when it is registered
	closed bool
	read   time.Time // deadlines until it is registered
	write  time.Time
}

var _ Stamped = (*socket)(nil)

// Read reads what is there, or waits until something is.
func (s *socket) Read(b []byte) (int, error) {
	if len(b) == 0 {
		return 0, nil // which would be the end of the stream to read(2)
	}
	p := s.polled.Load()
	if p == nil {
		n, err := s.try(s.receive, b)
		if err != syscall.EAGAIN {
			return s.result("read", n, err)
		}
		if p, err = s.register(); err != nil {
			return s.result("read", 0, err)
		}
	}
	n, err := p.read(b)
	return s.result("read", n, err)
}

// Write writes all of b.
func (s *socket) Write(b []byte) (int, error) {
	p, done := s.polled.Load(), 0
	if p == nil {
		n, err := s.try(write, b)
		if n == len(b) || err != nil && err != syscall.EAGAIN {
			return s.result("write", n, err)
		}
		if p, err = s.register(); err != nil {
			return s.result("write", n, err)
		}
		done = n
	}
	n, err := p.write(b[done:])
	return s.result("write", done+n, err)
}

// receive reads from the descriptor, and records when the bytes arrived if Stamp
// has asked for that.
func (s *socket) receive(fd uintptr, b []byte) (int, error) {
	if s.listener.stamps.Load() <= 0 {
		if s.arrived.Load() != 0 {
			s.arrived.Store(0) // that was of an earlier read
		}
		return read(fd, b)
	}
	n, at, err := readStamped(fd, b)
	if n > 0 {
		s.listener.stamps.Add(-1)
		s.arrived.Store(at)
	}
	return n, err
}

// Arrived implements [Stamped].
func (s *socket) Arrived() int64 {
	if s.arrived.Load() == 0 {
		return 0
	}
	return s.arrived.Swap(0)
}

// try transfers what it can without waiting. It returns syscall.EAGAIN if that
// is nothing, or if the socket is registered.
func (s *socket) try(call func(fd uintptr, b []byte) (int, error), b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closed:
		return 0, net.ErrClosed
	case s.polled.Load() != nil:
		return 0, syscall.EAGAIN
	}
	return call(uintptr(s.fd), b)
}

// register registers the socket with the poller.
func (s *socket) register() (*polled, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, net.ErrClosed
	}
	if p := s.polled.Load(); p != nil {
		return p, nil
	}
	p, err := newPolled(s)
	if err != nil {
		return nil, err
	}
	s.polled.Store(p)
	return p, errors.Join(p.file.SetReadDeadline(s.read), p.file.SetWriteDeadline(s.write))
}

// Close closes the connection.
func (s *socket) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	err := net.ErrClosed
	if !s.closed {
		s.closed = true
		if p := s.polled.Load(); p != nil {
			err = p.file.Close()
		} else {
			err = closeDescriptor(s.fd)
		}
	}
	return s.failed("close", err)
}

// closeDescriptor is close(2), once: after EINTR the descriptor is gone, and may
// be another's.
func closeDescriptor(fd int) error {
	if _, _, errno := syscall.RawSyscall(syscall.SYS_CLOSE, uintptr(fd), 0, 0); errno != 0 && errno != syscall.EINTR {
		return errno
	}
	return nil
}

// CloseWrite tells the peer that no more will come.
func (s *socket) CloseWrite() error {
	p, err := s.register()
	if err != nil {
		return s.failed("shutdown", err)
	}
	if controlErr := p.raw.Control(func(fd uintptr) { err = syscall.Shutdown(int(fd), syscall.SHUT_WR) }); controlErr != nil {
		err = controlErr
	}
	return s.failed("shutdown", err)
}

// SetDeadline sets both deadlines.
func (s *socket) SetDeadline(t time.Time) error {
	return errors.Join(s.SetReadDeadline(t), s.SetWriteDeadline(t))
}

// SetReadDeadline sets the time after which Read does not wait but fails; none
// if it is zero.
func (s *socket) SetReadDeadline(t time.Time) error {
	return s.setDeadline(&s.read, (*os.File).SetReadDeadline, t)
}

// SetWriteDeadline does the same for Write.
func (s *socket) SetWriteDeadline(t time.Time) error {
	return s.setDeadline(&s.write, (*os.File).SetWriteDeadline, t)
}

func (s *socket) setDeadline(deadline *time.Time, set func(*os.File, time.Time) error, t time.Time) error {
	if s.postpone(deadline, t) {
		return nil
	}
	p, err := s.register()
	if err == nil {
		err = set(p.file, t)
	}
	return s.failed("set deadline", err)
}

// postpone keeps a deadline for when the socket is registered, and reports false
// if it is already, or if the deadline has passed and so must end a read now.
func (s *socket) postpone(deadline *time.Time, t time.Time) bool {
	if s.polled.Load() != nil || !t.IsZero() && time.Until(t) <= 0 {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || s.polled.Load() != nil {
		return false
	}
	*deadline = t
	return true
}

func (s *socket) result(op string, n int, err error) (int, error) {
	if err == nil || err == io.EOF {
		return n, err
	}
	return n, s.failed(op, err)
}

// failed turns an error into one of package net, which servers know.
func (s *socket) failed(op string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, os.ErrClosed):
		err = net.ErrClosed
	case errors.Is(err, os.ErrDeadlineExceeded):
		err = os.ErrDeadlineExceeded
	}
	if errno, ok := err.(syscall.Errno); ok {
		err = os.NewSyscallError(op, errno)
	}
	return &net.OpError{Op: op, Net: "tcp", Source: s.listener.addr, Err: err}
}

// LocalAddr returns the address that was listened on.
func (s *socket) LocalAddr() net.Addr { return s.listener.addr }

// RemoteAddr returns the address of the peer, a *net.TCPAddr. It asks the kernel
// when it is first called: most servers never call it. It is the zero address
// if the connection was reset before that.
func (s *socket) RemoteAddr() net.Addr {
	if peer := s.peer.Load(); peer != nil {
		return peer
	}
	peer := new(net.TCPAddr)
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed {
		address, _ := syscall.Getpeername(s.fd)
		switch address := address.(type) {
		case *syscall.SockaddrInet4:
			peer.IP, peer.Port = address.Addr[:], address.Port
		case *syscall.SockaddrInet6:
			peer.IP, peer.Port = address.Addr[:], address.Port
		}
	}
	s.peer.Store(peer)
	return peer
}
