package journal

import (
	"fmt"
	"strconv"
	"strings"
)

// The names in a stream's directory. A segment is named by the sequence number
// of its first event.
const (
	lockName  = "lock"
	spareName = "spare" // the next segment, allocated but not yet named
	segSuffix = ".seg"
	badSuffix = ".bad" // added to the name of what is damaged, which is never deleted
	segDigits = 20     // of the greatest uint64
)

func segmentName(first uint64) string { return fmt.Sprintf("%0*d%s", segDigits, first, segSuffix) }

// parseSegmentName is the reverse of segmentName, with or without badSuffix.
func parseSegmentName(name string) (first uint64, bad, ok bool) {
	name, bad = strings.CutSuffix(name, badSuffix)
	digits, ok := strings.CutSuffix(name, segSuffix)
	if !ok || len(digits) != segDigits {
		return 0, false, false
	}
	first, err := strconv.ParseUint(digits, 10, 64)
	return first, bad, err == nil && first > 0
}

// segment is one file of a stream. Guarded by Journal.mu once the stream is known.
type segment struct {
	first uint64 // by its name
	path  string
	size  int64 // bytes on disk, with what is allocated and not yet used
	runs  []run // ascending; one, unless it is damaged
	marks []mark
	bad   bool  // damaged, its name ends in .bad
	dueMS int64 // since when it is counted and covered; 0: it is not

	resets bool // it was scanned, and there are some
}

// run is a piece of a segment in which frame follows frame. Sequence numbers
// between runs are lost.
type run struct {
	off, end    int64 // bytes
	first, last uint64
}

// mark remembers where a frame starts, so that a reader need not search a
// segment from its start.
type mark struct {
	first uint64 // of the frame
	off   int64
}

// markEvery is the least distance of two marks in bytes.
const markEvery = 256 << 10

// newSegment returns a segment to be written, with room for all its marks.
func newSegment(path string, first uint64, size int64) *segment {
	return &segment{
		first: first, path: path, size: size,
		runs:  []run{{first: first, last: first - 1}},
		marks: make([]mark, 0, size/markEvery+1),
	}
}

// last returns the last sequence number in the segment, first-1 if there is none.
func (g *segment) last() uint64 {
	if len(g.runs) == 0 {
		return g.first - 1
	}
	return g.runs[len(g.runs)-1].last
}

// used returns where the segment's last frame ends.
func (g *segment) used() int64 {
	if len(g.runs) == 0 {
		return 0
	}
	return g.runs[len(g.runs)-1].end
}

// add extends the segment by a frame at off; a new run starts where it does not
// follow the frame before.
func (g *segment) add(off, size int64, first, last uint64) {
	if n := len(g.runs); n > 0 && g.runs[n-1].end == off && g.runs[n-1].last+1 == first {
		g.runs[n-1].end, g.runs[n-1].last = off+size, last
	} else {
		g.runs = append(g.runs, run{off, off + size, first, last})
	}
	if n := len(g.marks); n == 0 || off-g.marks[n-1].off >= markEvery {
		g.marks = append(g.marks, mark{first, off})
	}
}

// near returns where to start to look for the frame of r that holds seq.
func (g *segment) near(r run, seq uint64) int64 {
	off := r.off
	for _, m := range g.marks {
		if m.first > seq {
			break
		}
		off = max(off, m.off)
	}
	return off
}
