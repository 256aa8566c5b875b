package journal

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/popupd/popupd/internal/failpoint"
	"github.com/popupd/popupd/popup"
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

// newWriter creates the segment file path with size bytes of room. On Linux, where
// the file system can reserve the room and map it, writing is a copy into memory
// that cannot run out of disk; elsewhere it is one write(2) a frame.
// When it fails nothing is left, unless removing it fails as well.
func (d *disk) newWriter(path string, size int64) (w writer, err error) {
	var f *os.File
	err = d.do("create", path, func() (err error) {
		f, err = createFile(path)
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
	if w, err = d.newMapped(file, size); w != nil || err != nil {
		return w, err
	}
	return &plainWriter{file, make([]byte, 0, MaxFrameSize)}, nil
}

// segmentFile is what both writers have in common.
type segmentFile struct {
	disk *disk
	file *os.File
	path string // for messages
}

func (s *segmentFile) sync() error {
	return s.disk.do("sync", s.path, func() error { return syncData(s.file) })
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

// plainWriter writes each frame with one write(2). It is portable.
type plainWriter struct {
	segmentFile
	buf []byte
}

func (w *plainWriter) write(off int64, size int, stream popup.StreamID, first uint64, events []popup.Event) error {
	w.buf = AppendEvents(w.buf[:0], stream, first, events)
	if failpoint.Enabled {
		_, _ = writeOnce(w.file, w.buf[:size/2], off) // the whole frame follows
		failpoint.Reach(failpoint.JournalAppendTorn)
	}
	if w.disk.step != nil {
		return w.disk.do("write", w.path, func() error { return w.writeAt(off) })
	}
	return w.writeAt(off)
}

// writeAt takes a short write for a failure, even if the rest can be written: a
// file system that stops in the middle is full, or is not to be trusted.
func (w *plainWriter) writeAt(off int64) error {
	n, err := writeOnce(w.file, w.buf, off)
	if err == nil && n < len(w.buf) {
		if _, err = writeOnce(w.file, w.buf[n:], off+int64(n)); err == nil { // it says why
			err = io.ErrShortWrite
		}
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", w.path, err)
	}
	return nil
}
