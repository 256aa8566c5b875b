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

// ErrTrimmed says that a reader is before [Stream.First]: what it wants is committed
// in MySQL and no longer on disk.
var ErrTrimmed = errors.New("journal: the events are no longer kept")

// Reader is a cursor over a stream's frames. It is for one goroutine; any number
// of readers may read one stream. It holds no file open.
type Reader struct {
	stream *Stream
	next   uint64 // the frame that holds this is the next one
	// Where that frame starts, when known: seg is nil otherwise.
	seg *segment
	off int64
}

// Reader returns a reader at the frame that holds event after+1.
func (s *Stream) Reader(after uint64) *Reader { return &Reader{stream: s, next: after + 1} }

// position is where to go on reading a stream: a piece of a file, or a gap
// up to and including gapTo.
type position struct {
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
		readable := r.stream.Last()
		if r.next > readable {
			err = io.EOF
			break
		}
		var at position
		if at, err = r.seek(readable); err != nil {
			break
		}
		if at.seg == nil {
			if dst = r.appendGap(dst, at.gapTo); len(dst) >= start+max {
				break
			}
			continue
		}
		if dst, err = r.read(dst, at, readable, start+max); err == nil {
			break
		}
		damage := errors.Is(err, ErrFrameDamaged) || errors.Is(err, fs.ErrNotExist)
		if len(dst) == start && damage && !inspected {
			inspected, r.seg = true, nil
			err = r.stream.inspect(at.seg, err)
		}
	}
	if len(dst) > start {
		return dst, r.next - 1, nil // an error, if any, comes up again
	}
	return dst, 0, err
}

// seek finds out where to read next.
func (r *Reader) seek(readable uint64) (position, error) {
	j := r.stream.journal
	j.mu.Lock()
	defer j.mu.Unlock()
	switch {
	case j.released:
		return position{}, ErrClosed
	case r.next < r.stream.firstLocked():
		return position{}, ErrTrimmed
	}
	for _, g := range r.stream.segs {
		if g.last() < r.next {
			continue
		}
		for _, x := range g.extents {
			switch {
			case x.last < r.next:
				continue
			case x.first > r.next:
				return position{gapTo: min(x.first-1, readable)}, nil
			}
			at := position{seg: g, path: g.path, off: r.off, end: x.end}
			if r.seg != g || r.off < x.off || r.off >= x.end {
				at.off = g.near(x, r.next)
			}
			return at, nil
		}
	}
	return position{gapTo: readable}, nil
}

// appendGap appends a gap frame that reaches to seq, or as far as one frame can.
func (r *Reader) appendGap(dst []byte, seq uint64) []byte {
	first, count := r.next, uint32(min(seq-r.next+1, math.MaxUint32))
	r.seg, r.next = nil, first+uint64(count)
	return AppendGap(dst, r.stream.id, first, count)
}

// read appends frames from the piece of a file at at until dst has upto bytes, at
// least one.
func (r *Reader) read(dst []byte, at position, readable uint64, upto int) ([]byte, error) {
	f, err := os.Open(at.path)
	if err != nil {
		return dst, err
	}
	defer f.Close()
	start, off := len(dst), at.off
	for {
		n := int(min(int64(max(upto-start, MaxFrameSize)), at.end-off))
		dst = slices.Grow(dst[:start], n)
		n, err := f.ReadAt(dst[start:start+n], off)
		if err != nil && err != io.EOF {
			return dst[:start], err
		}
		piece := dst[start : start+n]
		from, to, bad := r.pick(piece, readable, upto-start)
		off += int64(to)
		r.seg, r.off = at.seg, off
		if to > from {
			return dst[:start+copy(piece, piece[from:to])], nil
		}
		// A piece that ends within a frame is read on from there.
		if short := bad == nil || errors.Is(bad, ErrFrameShort); !short || to == 0 || off >= at.end {
			return dst[:start], fmt.Errorf("read %s at byte %d: %w (%v)", at.path, off, ErrFrameDamaged, bad)
		}
	}
}

// pick finds the frames from r.next to readable in a piece of a file: they are
// piece[from:to], of at most max bytes but at least one frame, and r.next moves
// behind them. Frames before r.next, on the way from the index entry, are stepped
// over. bad is what it stopped at, if that is not a frame that belongs there.
func (r *Reader) pick(piece []byte, readable uint64, max int) (from, to int, bad error) {
	for to < len(piece) && r.next <= readable {
		frame, size, err := ParseFrame(piece[to:])
		switch {
		case err != nil:
			return from, to, err
		case frame.Stream != r.stream.id || frame.First > r.next || to > from && frame.First < r.next:
			return from, to, fmt.Errorf("not event %d of stream %s", r.next, r.stream.id)
		case frame.Last() < r.next:
			to += size
			from = to
			continue
		case to > from && to-from+size > max:
			return from, to, nil
		}
		to += size
		r.next = frame.Last() + 1
	}
	return from, to, nil
}
