package journal

import (
	"errors"
	"fmt"
	"os"
	"runtime/debug"

	"golang.org/x/sys/unix"

	"github.com/popupd/popupd/internal/failpoint"
	"github.com/popupd/popupd/popup"
)

// syncData makes what is in a file survive the machine. It needs no msync: on
// Linux fdatasync writes the dirty pages of shared mappings too.
func syncData(f *os.File) error {
	return retryEINTR(func() error { return unix.Fdatasync(int(f.Fd())) })
}

// newMapped allocates size bytes for the file and maps them. It returns nil, and the
// file is to be written with write(2), where the file system cannot do that.
func (d *disk) newMapped(s segmentFile, size int64) (writer, error) {
	err := d.do("allocate", s.path, func() error {
		if d.noAlloc {
			return unix.EOPNOTSUPP
		}
		return retryEINTR(func() error { return unix.Fallocate(int(s.file.Fd()), 0, 0, size) })
	})
	if isUnsupported(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var mem []byte
	err = d.do("map", s.path, func() (err error) {
		if d.noMmap {
			return unix.ENODEV
		}
		mem, err = unix.Mmap(int(s.file.Fd()), 0, int(size), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
		return err
	})
	if err != nil {
		return nil, nil
	}
	return &mappedWriter{s, mem}, nil
}

// isUnsupported reports whether err says that the file system cannot do this at all.
func isUnsupported(err error) bool {
	for _, e := range []error{unix.EOPNOTSUPP, unix.ENOSYS, unix.ENODEV, unix.EINVAL, unix.EPERM} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
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
