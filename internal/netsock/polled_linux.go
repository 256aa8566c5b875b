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

// polled is a socket that is registered with the runtime's poller.
type polled struct {
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

func newPolled(s *socket) (*polled, error) {
	p := &polled{socket: s, file: os.NewFile(uintptr(s.fd), "socket")}
	p.in.step, p.out.step = p.readSome, p.writeAll
	var err error
	p.raw, err = p.file.SyscallConn()
	return p, err
}

// read reads at least one byte.
func (p *polled) read(b []byte) (int, error) {
	p.in.mu.Lock()
	defer p.in.mu.Unlock()
	p.in.begin(b)
	err := p.raw.Read(p.in.step)
	return p.in.end(err)
}

// write writes all of b.
func (p *polled) write(b []byte) (int, error) {
	p.out.mu.Lock()
	defer p.out.mu.Unlock()
	p.out.begin(b)
	err := p.raw.Write(p.out.step)
	return p.out.end(err)
}

func (t *transfer) begin(b []byte) { t.buf, t.n, t.err = b, 0, nil }

// end takes the error of the wait, which is that the deadline has come or that
// the file is closed, for which os has an error of its own.
func (t *transfer) end(waited error) (int, error) {
	t.buf = nil
	if waited != nil && !errors.Is(waited, os.ErrDeadlineExceeded) {
		waited = net.ErrClosed
	}
	return t.n, cmp.Or(t.err, waited)
}

func (p *polled) readSome(fd uintptr) bool {
	t := &p.in
	n, err := p.socket.receive(fd, t.buf)
	if err == syscall.EAGAIN {
		return false
	}
	t.n, t.err = n, err
	return true
}

func (p *polled) writeAll(fd uintptr) bool {
	t := &p.out
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

// readStamped is read, and returns when the last of the bytes arrived by the
// system's clock, in ns since the epoch, or 0 if the kernel does not know.
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

// call makes a system call without telling Go's scheduler. The scheduler needs to
// know only of calls that may block, and one on such a descriptor does not. When
// it is told of every call, its monitor wakes each 20 us to see whether one
// blocks: on one core that is 5 to 8 % of the CPU, and telling it is 2 % more
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
