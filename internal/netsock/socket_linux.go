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

// socket is a TCP connection that the runtime's poller does not hear of before
// there is something to wait for. One that asks once, and whose request is
// there when it is accepted, is never registered.
type socket struct {
	listener *Listener
	peer     atomic.Pointer[net.TCPAddr] // nil until asked for
	arrived  atomic.Int64                // what Arrived is to say

	watched atomic.Pointer[watched] // nil until the poller knows of it

	mu     sync.Mutex // fd must not be closed while it is used
	fd     int        // the file's from when it is watched
	closed bool
	read   time.Time // deadlines until watched
	write  time.Time
}

// Read reads what is there, or waits until something is.
func (s *socket) Read(b []byte) (int, error) {
	if len(b) == 0 {
		return 0, nil // which would be the end of the stream to read(2)
	}
	w := s.watched.Load()
	if w == nil {
		n, err := s.try(s.receive, b)
		if err != syscall.EAGAIN {
			return s.result("read", n, err)
		}
		if w, err = s.watch(); err != nil {
			return s.result("read", 0, err)
		}
	}
	n, err := w.read(b)
	return s.result("read", n, err)
}

// Write writes all of b.
func (s *socket) Write(b []byte) (int, error) {
	w, done := s.watched.Load(), 0
	if w == nil {
		n, err := s.try(write, b)
		if n == len(b) || err != nil && err != syscall.EAGAIN {
			return s.result("write", n, err)
		}
		if w, err = s.watch(); err != nil {
			return s.result("write", n, err)
		}
		done = n
	}
	n, err := w.write(b[done:])
	return s.result("write", done+n, err)
}

// receive reads from the descriptor, and notes when what it reads came in if
// Stamp has asked for that.
func (s *socket) receive(fd uintptr, b []byte) (int, error) {
	if s.listener.stamps.Load() <= 0 {
		if s.arrived.Load() != 0 {
			s.arrived.Store(0) // that was an earlier read's
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

// Arrived returns when the last of what Read has returned came in, in ns since
// the epoch by the system's clock, or 0 if nobody has asked for that with
// [Listener.Stamp]. It says so once.
func (s *socket) Arrived() int64 {
	if s.arrived.Load() == 0 {
		return 0
	}
	return s.arrived.Swap(0)
}

// try transfers what can be without waiting; syscall.EAGAIN says that nothing
// can, or that the poller is watching.
func (s *socket) try(call func(fd uintptr, b []byte) (int, error), b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closed:
		return 0, net.ErrClosed
	case s.watched.Load() != nil:
		return 0, syscall.EAGAIN
	}
	return call(uintptr(s.fd), b)
}

// watch has the poller know of the socket.
func (s *socket) watch() (*watched, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, net.ErrClosed
	}
	if w := s.watched.Load(); w != nil {
		return w, nil
	}
	w, err := newWatched(s)
	if err != nil {
		return nil, err
	}
	s.watched.Store(w)
	return w, errors.Join(w.file.SetReadDeadline(s.read), w.file.SetWriteDeadline(s.write))
}

// Close closes the connection.
func (s *socket) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	err := net.ErrClosed
	if !s.closed {
		s.closed = true
		if w := s.watched.Load(); w != nil {
			err = w.file.Close()
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
	w, err := s.watch()
	if err != nil {
		return s.failed("shutdown", err)
	}
	if controlErr := w.raw.Control(func(fd uintptr) { err = syscall.Shutdown(int(fd), syscall.SHUT_WR) }); controlErr != nil {
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
	w, err := s.watch()
	if err == nil {
		err = set(w.file, t)
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

func (s *socket) result(op string, n int, err error) (int, error) {
	if err == nil || err == io.EOF {
		return n, err
	}
	return n, s.failed(op, err)
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
	return &net.OpError{Op: op, Net: "tcp", Source: s.listener.addr, Err: err}
}

// LocalAddr returns the address that was listened on.
func (s *socket) LocalAddr() net.Addr { return s.listener.addr }

// RemoteAddr returns the address of the peer, a *net.TCPAddr. It asks the kernel
// the first time: most servers never want to know. Of a connection that was
// reset before that, nothing is known.
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
