package netsock

import (
	"cmp"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"unsafe"
)

// watched is a socket that the runtime's poller watches.
type watched struct {
	socket  *socket
	file    *os.File
	raw     syscall.RawConn // of file
	in, out transfer
}

// transfer is the read or the write under way. The poller calls step until it
// is done, and again whenever there may be more: one closure for all of them,
// since one for each would allocate.
type transfer struct {
	mu   sync.Mutex
	step func(fd uintptr) (done bool)
	buf  []byte
	n    int
	err  error
}

func newWatched(s *socket) (*watched, error) {
	w := &watched{socket: s, file: os.NewFile(uintptr(s.fd), "socket")}
	w.in.step, w.out.step = w.readSome, w.writeAll
	var err error
	w.raw, err = w.file.SyscallConn()
	return w, err
}

// read reads at least one byte.
func (w *watched) read(b []byte) (int, error) {
	w.in.mu.Lock()
	defer w.in.mu.Unlock()
	w.in.begin(b)
	err := w.raw.Read(w.in.step)
	return w.in.end(err)
}

// write writes all of b.
func (w *watched) write(b []byte) (int, error) {
	w.out.mu.Lock()
	defer w.out.mu.Unlock()
	w.out.begin(b)
	err := w.raw.Write(w.out.step)
	return w.out.end(err)
}

func (t *transfer) begin(b []byte) { t.buf, t.n, t.err = b, 0, nil }

// end takes the error of the wait: the deadline has come, or the file is closed,
// for which os has an error of its own.
func (t *transfer) end(waited error) (int, error) {
	t.buf = nil
	if waited != nil && !errors.Is(waited, os.ErrDeadlineExceeded) {
		waited = net.ErrClosed
	}
	return t.n, cmp.Or(t.err, waited)
}

func (w *watched) readSome(fd uintptr) bool {
	t := &w.in
	n, err := w.socket.receive(fd, t.buf)
	if err == syscall.EAGAIN {
		return false
	}
	t.n, t.err = n, err
	return true
}

func (w *watched) writeAll(fd uintptr) bool {
	t := &w.out
	for t.n < len(t.buf) {
		n, err := write(fd, t.buf[t.n:])
		if err == syscall.EAGAIN {
			return false
		}
		if t.n += n; err != nil {
			t.err = err
			return true
		}
	}
	return true
}

// read is read(2) of a descriptor that does not block, with io.EOF for its end.
func read(fd uintptr, b []byte) (int, error) {
	n, err := call(syscall.SYS_READ, fd, unsafe.Pointer(unsafe.SliceData(b)), len(b))
	if n == 0 && err == nil {
		err = io.EOF
	}
	return n, err
}

// readStamped is read, and says when the last of what it has read came in, by
// the system's clock: ns since the epoch, 0 if the kernel does not know.
func readStamped(fd uintptr, b []byte) (n int, at int64, err error) {
	// SCM_TIMESTAMPNS, see socket(7) on SO_TIMESTAMPNS.
	var control struct {
		syscall.Cmsghdr
		at syscall.Timespec
	}
	vector := syscall.Iovec{Base: unsafe.SliceData(b)}
	vector.SetLen(len(b))
	header := syscall.Msghdr{Iov: &vector, Iovlen: 1, Control: (*byte)(unsafe.Pointer(&control))}
	header.SetControllen(int(unsafe.Sizeof(control)))
	if n, err = call(syscall.SYS_RECVMSG, fd, unsafe.Pointer(&header), 0); err != nil {
		return n, 0, err
	}
	if n == 0 {
		return 0, 0, io.EOF
	}
	if uintptr(header.Controllen) == unsafe.Sizeof(control) && control.Level == syscall.SOL_SOCKET && control.Type == syscall.SCM_TIMESTAMPNS {
		at = control.at.Nano()
	}
	return n, at, nil
}

// write is write(2) of a descriptor that does not block: it may be short.
func write(fd uintptr, b []byte) (int, error) {
	return call(syscall.SYS_WRITE, fd, unsafe.Pointer(unsafe.SliceData(b)), len(b))
}

// call goes around the runtime. That has to be told only of calls that may
// block, and one on such a descriptor does not: told of every one, its monitor
// wakes each 20 us to see whether one has, and takes the processor away from it.
// On one core that is 5 to 8 % of the CPU, and being told 2 % more
// (bench/results/listener.md).
func call(trap, fd uintptr, data unsafe.Pointer, size int) (int, error) {
	for {
		n, _, errno := syscall.RawSyscall(trap, fd, uintptr(data), uintptr(size))
		switch errno {
		case 0:
			return int(n), nil
		case syscall.EINTR:
		default:
			return 0, errno
		}
	}
}
