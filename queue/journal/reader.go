package journal

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"slices"
)

// ErrTrimmed says that a reader stands before [Stream.First]: what it wants is
// counted in MySQL and no longer on disk.
var ErrTrimmed = errors.New("journal: the events are no longer kept")

// Reader is a cursor over a stream's frames. It is for one goroutine; any number
// of readers may stand in one stream. It holds no file open.
type Reader struct {
	stream *Stream
	next   uint64 // the frame that holds this is the next one
	// Where that frame starts, when known: seg is nil otherwise.
	seg *segment
	off int64
}

// Reader returns a reader at the frame that holds event after+1.
func (s *Stream) Reader(after uint64) *Reader { return &Reader{stream: s, next: after + 1} }

// spot is a place in a stream to go on reading from: a piece of a file, or a gap
// up to and including gapTo.
type spot struct {
	seg      *segment
	path     string
	off, end int64
	gapTo    uint64
}

// Next appends whole consecutive frames to dst, as they are on disk: at least
// one, and then as many as fit in max bytes. It returns dst with them, and the
// sequence number of the last event in them. Where events are lost to damage
// there is a frame that declares it (Frame.Gap).
//
// It returns [io.EOF] when there is nothing more now, [ErrTrimmed], or an I/O
// error, after which it may be called again.
func (r *Reader) Next(dst []byte, max int) (frames []byte, last uint64, err error) {
	start, inspected := len(dst), false
	for err == nil {
		visible := r.stream.Last()
		if r.next > visible {
			err = io.EOF
			break
		}
		var sp spot
		if sp, err = r.seek(visible); err != nil {
			break
		}
		if sp.seg == nil {
			if dst = r.declare(dst, sp.gapTo); len(dst) >= start+max {
				break
			}
			continue
		}
		if dst, err = r.read(dst, sp, visible, start+max); err == nil {
			break
		}
		damage := errors.Is(err, ErrFrameDamaged) || errors.Is(err, fs.ErrNotExist)
		if len(dst) == start && damage && !inspected {
			inspected, r.seg = true, nil
			err = r.stream.inspect(sp.seg, err)
		}
	}
	if len(dst) > start {
		return dst, r.next - 1, nil // an error, if any, comes up again
	}
	return dst, 0, err
}

// seek finds out where to read next.
func (r *Reader) seek(visible uint64) (spot, error) {
	j := r.stream.journal
	j.mu.Lock()
	defer j.mu.Unlock()
	switch {
	case j.released:
		return spot{}, ErrClosed
	case r.next < r.stream.firstLocked():
		return spot{}, ErrTrimmed
	}
	for _, g := range r.stream.segs {
		if g.last() < r.next {
			continue
		}
		for _, run := range g.runs {
			switch {
			case run.last < r.next:
				continue
			case run.first > r.next:
				return spot{gapTo: min(run.first-1, visible)}, nil
			}
			sp := spot{seg: g, path: g.path, off: r.off, end: run.end}
			if r.seg != g || r.off < run.off || r.off >= run.end {
				sp.off = g.near(run, r.next)
			}
			return sp, nil
		}
	}
	return spot{gapTo: visible}, nil
}

// declare appends a gap frame that reaches to seq, or as far as one frame can.
func (r *Reader) declare(dst []byte, seq uint64) []byte {
	f := Frame{Stream: r.stream.id, First: r.next, Gap: true, Count: math.MaxUint32}
	if n := seq - r.next + 1; n < math.MaxUint32 {
		f.Count = uint32(n)
	}
	r.seg, r.next = nil, f.Last()+1
	return AppendFrame(dst, &f)
}

// read appends frames from the piece of a file at sp until dst has upto bytes, at
// least one.
func (r *Reader) read(dst []byte, sp spot, visible uint64, upto int) ([]byte, error) {
	f, err := os.Open(sp.path)
	if err != nil {
		return dst, err
	}
	defer f.Close()
	start, off := len(dst), sp.off
	for {
		n := int(min(int64(max(upto-start, MaxFrameSize)), sp.end-off))
		dst = slices.Grow(dst[:start], n)
		n, err := f.ReadAt(dst[start:start+n], off)
		if err != nil && err != io.EOF {
			return dst[:start], err
		}
		piece := dst[start : start+n]
		from, to := 0, 0 // what of the piece is wanted
		var bad error
		for to < len(piece) && r.next <= visible {
			frame, size, err := ParseFrame(piece[to:])
			if err == nil && (frame.Stream != r.stream.id || frame.First > r.next || to > from && frame.First < r.next) {
				err = fmt.Errorf("not event %d of stream %s", r.next, r.stream.id)
			}
			if err != nil {
				bad = err
				break
			}
			if frame.Last() < r.next { // on the way from the mark
				to += size
				from = to
				continue
			}
			if to > from && start+to-from+size > upto {
				break
			}
			to += size
			r.next = frame.Last() + 1
		}
		off += int64(to)
		r.seg, r.off = sp.seg, off
		if to > from {
			return dst[:start+copy(piece, piece[from:to])], nil
		}
		if short := bad == nil || errors.Is(bad, ErrFrameShort); !short || to == 0 || off >= sp.end {
			return dst[:start], fmt.Errorf("read %s at byte %d: %w (%v)", sp.path, off, ErrFrameDamaged, bad)
		}
	}
}
