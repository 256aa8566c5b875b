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
	first   uint64 // by its name
	path    string
	size    int64    // bytes on disk, with what is allocated and not yet used
	extents []extent // ascending; one, unless it is damaged
	index   []indexEntry
	bad     bool  // damaged, its name ends in .bad
	dueMS   int64 // since when it is committed and covered; 0: it is not
}

// extent is a piece of a segment in which frame follows frame. Sequence numbers
// between extents are lost.
type extent struct {
	off, end    int64 // bytes
	first, last uint64
}

// indexEntry remembers where a frame starts, so that a reader need not search a
// segment from its start.
type indexEntry struct {
	first uint64 // of the frame
	off   int64
}

// indexEvery is the least distance of two index entries in bytes.
const indexEvery = 256 << 10

// newSegment returns a segment to be written, with room for its whole index.
func newSegment(path string, first uint64, size int64) *segment {
	return &segment{
		first: first, path: path, size: size,
		extents: []extent{{first: first, last: first - 1}},
		index:   make([]indexEntry, 0, size/indexEvery+1),
	}
}

// last returns the last sequence number in the segment, first-1 if there is none.
func (g *segment) last() uint64 {
	if len(g.extents) == 0 {
		return g.first - 1
	}
	return g.extents[len(g.extents)-1].last
}

// used returns where the segment's last frame ends.
func (g *segment) used() int64 {
	if len(g.extents) == 0 {
		return 0
	}
	return g.extents[len(g.extents)-1].end
}

// add extends the segment by a frame at off; a new extent starts where it does not
// follow the frame before.
func (g *segment) add(off, size int64, first, last uint64) {
	if n := len(g.extents); n > 0 && g.extents[n-1].end == off && g.extents[n-1].last+1 == first {
		g.extents[n-1].end, g.extents[n-1].last = off+size, last
	} else {
		g.extents = append(g.extents, extent{off, off + size, first, last})
	}
	if n := len(g.index); n == 0 || off-g.index[n-1].off >= indexEvery {
		g.index = append(g.index, indexEntry{first, off})
	}
}

// near returns the offset from which to look for the frame of x that holds seq.
func (g *segment) near(x extent, seq uint64) int64 {
	off := x.off
	for _, e := range g.index {
		if e.first > seq {
			break
		}
		off = max(off, e.off)
	}
	return off
}
