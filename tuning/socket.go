package tuning

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

// socket is a TCP connection that the runtime's poller does not hear of before
// there is something to wait for. One that asks once, and whose request is
// there when it is accepted, is never registered.
type socket struct {
	local net.Addr
	peer  syscall.Sockaddr

	watched atomic.Pointer[os.File] // nil until the poller knows of it; then fd is the file's

	mu     sync.Mutex // until watched: fd must not be closed while it is used
	fd     int
	closed bool
	read   time.Time // deadlines until watched
	write  time.Time
}

// Read reads what is there, or waits until something is.
func (s *socket) Read(b []byte) (int, error) {
	file := s.watched.Load()
	if file == nil {
		n, err := s.try(syscall.Read, b)
		switch {
		case n > 0 || err == nil && len(b) == 0:
			return n, nil
		case err == nil:
			return 0, io.EOF
		case err != syscall.EAGAIN:
			return 0, s.failed("read", err)
		}
		if file, err = s.watch(); err != nil {
			return 0, s.failed("read", err)
		}
	}
	n, err := file.Read(b)
	if err == io.EOF {
		return n, err
	}
	return n, s.failed("read", err)
}

// Write writes all of b.
func (s *socket) Write(b []byte) (int, error) {
	file, done := s.watched.Load(), 0
	if file == nil {
		n, err := s.try(syscall.Write, b)
		if n == len(b) || err != nil && err != syscall.EAGAIN {
			return n, s.failed("write", err)
		}
		if file, err = s.watch(); err != nil {
			return n, s.failed("write", err)
		}
		done = n
	}
	n, err := file.Write(b[done:])
	return done + n, s.failed("write", err)
}

// try transfers what can be without waiting; syscall.EAGAIN says that nothing
// can, or that the poller is watching.
func (s *socket) try(transfer func(fd int, b []byte) (int, error), b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for !s.closed && s.watched.Load() == nil {
		if n, err := transfer(s.fd, b); err != syscall.EINTR {
			return max(n, 0), err
		}
	}
	if s.closed {
		return 0, net.ErrClosed
	}
	return 0, syscall.EAGAIN
}

// watch has the poller know of the socket.
func (s *socket) watch() (*os.File, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, net.ErrClosed
	}
	file := s.watched.Load()
	if file != nil {
		return file, nil
	}
	file = os.NewFile(uintptr(s.fd), "socket")
	s.watched.Store(file)
	return file, errors.Join(file.SetReadDeadline(s.read), file.SetWriteDeadline(s.write))
}

// Close closes the connection.
func (s *socket) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	err := net.ErrClosed
	if !s.closed {
		s.closed = true
		if file := s.watched.Load(); file != nil {
			err = file.Close()
		} else {
			err = syscall.Close(s.fd)
		}
	}
	return s.failed("close", err)
}

// CloseWrite tells the peer that no more will come.
func (s *socket) CloseWrite() error {
	file, err := s.watch()
	if err != nil {
		return s.failed("shutdown", err)
	}
	raw, err := file.SyscallConn()
	if err != nil {
		return s.failed("shutdown", err)
	}
	if controlErr := raw.Control(func(fd uintptr) { err = syscall.Shutdown(int(fd), syscall.SHUT_WR) }); controlErr != nil {
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
	file, err := s.watch()
	if err == nil {
		err = set(file, t)
	}
	return s.failed("set deadline", err)
}

// postpone leaves a deadline for the time when there is something to wait for,
// if there has been nothing so far. One that has passed cannot be left.
func (s *socket) postpone(deadline *time.Time, t time.Time) bool {
	if s.watched.Load() != nil || !t.IsZero() && time.Until(t) <= 0 {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || s.watched.Load() != nil {
		return false
	}
	*deadline = t
	return true
}

// failed gives an error the words of package net, which servers know.
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
	return &net.OpError{Op: op, Net: "tcp", Source: s.local, Addr: s.RemoteAddr(), Err: err}
}

// LocalAddr returns the address that was listened on.
func (s *socket) LocalAddr() net.Addr { return s.local }

// RemoteAddr returns the address of the peer, a *net.TCPAddr.
func (s *socket) RemoteAddr() net.Addr {
	switch peer := s.peer.(type) {
	case *syscall.SockaddrInet4:
		return &net.TCPAddr{IP: peer.Addr[:], Port: peer.Port}
	case *syscall.SockaddrInet6:
		return &net.TCPAddr{IP: peer.Addr[:], Port: peer.Port}
	}
	return nil
}
