package journal

import (
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"

	"github.com/popupd/popupd/internal/failpoint"
	"github.com/popupd/popupd/popup"
	"golang.org/x/sys/unix"
)

// writer puts frames into one segment file. It is not safe for concurrent use,
// except that sync may run beside writes.
type writer interface {
	// write encodes a frame of size bytes at off. When it returns nil the frame
	// survives the end of this process, though not of the machine. After an
	// error any part of it may be there.
	write(off int64, size int, stream popup.StreamID, first uint64, events []popup.Event) error
	// sync makes what was written before the call survive the machine.
	sync() error
	// cut takes everything from off on away, for good.
	cut(off int64) error
	// close ends the writing; the file stays.
	close() error
	// renamed tells the file's new name, for messages.
	renamed(path string)
}

// newWriter creates the segment file path with size bytes of room. Where the file
// system can reserve the room and map it, writing is a copy into memory that
// cannot run out of disk; elsewhere it is one write(2) a frame.
// When it fails nothing is left, unless removing it fails as well.
func (d *disk) newWriter(path string, size int64) (w writer, err error) {
	var f *os.File
	err = d.do("create", path, func() (err error) {
		f, err = os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
		return err
	})
	defer func() {
		if err != nil && f != nil {
			f.Close()
			err = errors.Join(err, d.remove(path))
		}
	}()
	if err != nil {
		return nil, err
	}
	file := segmentFile{disk: d, file: f, path: path}
	err = d.do("allocate", path, func() error {
		if d.noAlloc {
			return unix.EOPNOTSUPP
		}
		return retryEINTR(func() error { return unix.Fallocate(int(f.Fd()), 0, 0, size) })
	})
	switch {
	case isUnsupported(err):
		return &plainWriter{file, make([]byte, 0, MaxFrameSize)}, nil
	case err != nil:
		return nil, err
	}
	var mem []byte
	err = d.do("map", path, func() (err error) {
		if d.noMmap {
			return unix.ENODEV
		}
		mem, err = unix.Mmap(int(f.Fd()), 0, int(size), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
		return err
	})
	if err != nil {
		return &plainWriter{file, make([]byte, 0, MaxFrameSize)}, nil
	}
	return &mappedWriter{file, mem}, nil
}

// segmentFile is what both writers have in common.
type segmentFile struct {
	disk *disk
	file *os.File
	path string // for messages
}

// sync needs no msync: on Linux fdatasync writes dirty pages of shared mappings too.
func (s *segmentFile) sync() error {
	return s.disk.do("sync", s.path, func() error {
		return retryEINTR(func() error { return unix.Fdatasync(int(s.file.Fd())) })
	})
}

// cut shortens the file. If that is refused it wipes the header of the first frame
// to go, which ends a stream as well; only if both fail is the tail still there.
func (s *segmentFile) cut(off int64) error {
	err := s.disk.do("truncate", s.path, func() error { return s.file.Truncate(off) })
	if err != nil {
		if wipeErr := s.disk.do("wipe", s.path, func() error {
			_, err := s.file.WriteAt(make([]byte, frameHeader), off)
			return err
		}); wipeErr != nil {
			return errors.Join(err, wipeErr)
		}
	}
	return s.sync()
}

func (s *segmentFile) renamed(path string) { s.path = path }

func (s *segmentFile) close() error {
	return s.disk.do("close", s.path, s.file.Close)
}

// plainWriter writes each frame with one pwrite(2).
type plainWriter struct {
	segmentFile
	buf []byte
}

func (w *plainWriter) write(off int64, size int, stream popup.StreamID, first uint64, events []popup.Event) error {
	w.buf = AppendEvents(w.buf[:0], stream, first, events)
	if failpoint.Enabled {
		_, _ = unix.Pwrite(int(w.file.Fd()), w.buf[:size/2], off) // the whole frame follows
		failpoint.Reach(failpoint.JournalAppendTorn)
	}
	if w.disk.step != nil {
		return w.disk.do("write", w.path, func() error { return w.pwrite(off) })
	}
	return w.pwrite(off)
}

// pwrite takes a short write for a failure, even if the rest can be written: a
// file system that stops in the middle is full, or is not to be trusted.
func (w *plainWriter) pwrite(off int64) error {
	fd := int(w.file.Fd())
	var n int
	err := retryEINTR(func() (err error) {
		n, err = unix.Pwrite(fd, w.buf, off)
		return err
	})
	if err == nil && n < len(w.buf) {
		if _, err = unix.Pwrite(fd, w.buf[n:], off+int64(n)); err == nil { // it says why
			err = io.ErrShortWrite
		}
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", w.path, err)
	}
	return nil
}

// mappedWriter encodes each frame straight into the page cache.
type mappedWriter struct {
	segmentFile
	mem []byte
}

// write turns a SIGBUS (the disk cannot give us the page, or somebody has
// truncated the file) into an error.
func (w *mappedWriter) write(off int64, size int, stream popup.StreamID, first uint64, events []popup.Event) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		switch r := recover().(type) {
		case nil:
		case interface{ Addr() uintptr }: // see debug.SetPanicOnFault
			err = fmt.Errorf("write %s: memory fault at %#x", w.path, r.Addr())
		default:
			panic(r)
		}
	}()
	end := off + int64(size)
	if failpoint.Enabled {
		copy(w.mem[off:end], AppendEvents(nil, stream, first, events)[:size/2])
		failpoint.Reach(failpoint.JournalAppendTorn)
	}
	AppendEvents(w.mem[off:off:end], stream, first, events)
	if w.disk.step != nil {
		return w.disk.do("write", w.path, func() error { return nil })
	}
	return nil
}

func (w *mappedWriter) close() error {
	err := w.disk.do("unmap", w.path, func() error { return unix.Munmap(w.mem) })
	w.mem = nil
	return errors.Join(err, w.segmentFile.close())
}
