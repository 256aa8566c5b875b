package journal

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/popupd/popupd/popup"
)

// scanned is what one segment file turned out to hold.
type scanned struct {
	segment
	times   appendTimes
	dirtEnd int64 // end of the last byte outside of frames that is not zero; 0: there is none
	unused  int   // whole frames that are not part of the stream: they follow its end, or repeat
}

// clean reports whether the file is one extent, and perhaps zeroes behind it.
func (s *scanned) clean() bool {
	return len(s.extents) == 1 && s.extents[0].off == 0 && s.extents[0].first == s.first && s.dirtEnd == 0
}

// torn reports whether what is wrong with a last segment is what a kill leaves:
// part of one frame behind the whole ones.
func (s *scanned) torn() bool {
	return s.unused == 0 && s.dirtEnd-s.used() <= MaxFrameSize
}

// limits say which frames of a file are of the stream that is being read.
type limits struct {
	next uint64 // nothing before this sequence number
	last uint64 // nothing after it
	stop bool   // the first bad frame is the end: the file is the last one of its stream

	nowMS int64 // the present: no event was appended after it
}

// admit reports whether a frame is part of stream id and may follow event next-1.
func (l limits) admit(f *Frame, id popup.StreamID, next uint64) bool {
	if f.Stream != id || f.Last() > l.last {
		return false
	}
	return f.First == next || f.First > next && !l.stop
}

// scan reads a segment file. Its frames may be anything: damaged ones are
// stepped over by looking for the next whole one. It returns [ErrFrameVersion]
// if it meets a frame of a newer version, or an I/O error.
func (d *disk) scan(path string, first uint64, id popup.StreamID, lim limits) (*scanned, error) {
	s := &scanned{segment: segment{first: first, path: path}}
	var f *os.File
	err := d.do("open", path, func() (err error) {
		f, err = os.Open(path)
		return err
	})
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	s.size = info.Size()
	err = d.do("read", path, func() error {
		return s.read(&window{file: f, size: s.size}, id, lim)
	})
	return s, err
}

func (s *scanned) read(w *window, id popup.StreamID, lim limits) error {
	next, ended := lim.next, false
	if lim.stop {
		next = max(next, s.first)
	}
	for off := int64(0); ; {
		b, err := w.at(off)
		if err != nil {
			return err
		}
		if len(b) == 0 {
			return nil
		}
		f, size, err := ParseFrame(b)
		if errors.Is(err, ErrFrameVersion) {
			return fmt.Errorf("at byte %d: %w", off, err)
		}
		if err == nil {
			if !ended && lim.admit(&f, id, next) {
				s.add(off, int64(size), f.First, f.Last())
				s.note(&f, lim.nowMS)
				next = f.Last() + 1
			} else {
				s.unused++
				s.dirtEnd = off + int64(size)
				ended = lim.stop
			}
			off += int64(size)
			continue
		}
		ended = lim.stop
		skip, err := s.skip(w, off)
		if err != nil {
			return err
		}
		off = skip
	}
}

// note looks at a frame's events for the time. An event of the future says nothing:
// its server's clock was wrong.
func (s *scanned) note(f *Frame, nowMS int64) {
	ev := new(popup.Event)
	for seq, rest := f.First, f.Payload; len(rest) > 0; seq++ {
		var err error
		if rest, err = popup.DecodeEvent(ev, rest); err != nil {
			return // nobody can read it
		}
		if ev.AtMS <= nowMS {
			s.times.noteEvent(seq, ev.AtMS)
		}
	}
}

// skip returns where, after off, a frame may start again: the file's end if nowhere.
func (s *scanned) skip(w *window, off int64) (int64, error) {
	for at := off; ; {
		b, err := w.at(at)
		if err != nil || len(b) == 0 {
			return at, err
		}
		from := 0
		if at == off {
			from = 1 // a frame was looked for there already
		}
		n, found := len(b), false
		if i := bytes.Index(b[from:], frameMagic[:]); i >= 0 {
			n, found = from+i, true
		} else if at+int64(len(b)) < w.size {
			n -= len(frameMagic) - 1 // a magic may lie across the border
		}
		if dirt := bytes.TrimRight(b[:n], "\x00"); len(dirt) > 0 {
			s.dirtEnd = at + int64(len(dirt))
		}
		at += int64(n)
		if found {
			return at, nil
		}
	}
}

// window reads a file in pieces, so that a huge file is no huge allocation.
type window struct {
	file io.ReaderAt
	size int64
	buf  []byte
	off  int64 // of buf in the file
}

const windowSize = 1 << 20

// at returns the bytes from off on: at least MaxFrameSize of them, or up to the
// end of the file. They are valid until the next call.
func (w *window) at(off int64) ([]byte, error) {
	end := min(off+MaxFrameSize, w.size)
	if off < w.off || end > w.off+int64(len(w.buf)) {
		if w.buf == nil {
			w.buf = make([]byte, 0, min(windowSize, w.size))
		}
		n, err := w.file.ReadAt(w.buf[:min(int64(cap(w.buf)), max(w.size-off, 0))], off)
		if err != nil && err != io.EOF {
			return nil, err
		}
		w.buf, w.off = w.buf[:n], off
		if err == io.EOF {
			w.size = off + int64(n) // shorter than it was when it was opened
		}
	}
	if off >= w.off+int64(len(w.buf)) {
		return nil, nil
	}
	return w.buf[off-w.off:], nil
}
