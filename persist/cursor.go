package persist

import (
	"cmp"
	"encoding/base64"
	"encoding/binary"
	"hash/crc32"
	"math"
	"slices"

	"github.com/popupd/popupd/popup"
)

// cursor is what a reader of the events has read, as it goes to the reader and back:
//
//	version (1), first, total, number of runs, runs, number of positions, positions, CRC-32
//
// All but the first and the last are uvarints; numbers of streams are differences from the
// one before. Streams that are not named have not been read. Streams that have not moved
// for so long that they are most likely over are not named one by one, as there will be
// ever more of them: they are in runs, with the total of their last_seq. A total that has
// grown tells that one of them has moved after all.
type cursor struct {
	first     uint32 // stream to go on with
	runs      []run
	total     uint64
	positions []position // by stream
}

// run is a range of streams that were read to their ends, whatever numbers are missing in
// it: they were taken before the last one's, and never committed.
type run struct{ from, to uint32 }

// position is the seq up to which a stream was read.
type position struct {
	no  uint32
	seq uint64
}

const (
	cursorVersion = 1
	maxCursor     = 1 << 18 // bytes
)

func (c *cursor) encode() string {
	b := []byte{cursorVersion}
	b = binary.AppendUvarint(b, uint64(c.first))
	b = binary.AppendUvarint(b, c.total)
	b = binary.AppendUvarint(b, uint64(len(c.runs)))
	last := uint32(0)
	for _, r := range c.runs {
		b = binary.AppendUvarint(b, uint64(r.from-last))
		b = binary.AppendUvarint(b, uint64(r.to-r.from))
		last = r.to
	}
	b = binary.AppendUvarint(b, uint64(len(c.positions)))
	last = 0
	for _, p := range c.positions {
		b = binary.AppendUvarint(b, uint64(p.no-last))
		b = binary.AppendUvarint(b, p.seq)
		last = p.no
	}
	b = binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b))
	return base64.RawURLEncoding.EncodeToString(b)
}

// decodeCursor reads what encode wrote, or returns [popup.ErrCursor]. An empty text is
// the beginning.
func decodeCursor(text string) (c cursor, err error) {
	if text == "" {
		return c, nil
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || len(text) > maxCursor || len(b) < 1+crc32.Size || b[0] != cursorVersion {
		return c, popup.ErrCursor
	}
	sum := len(b) - crc32.Size
	if crc32.ChecksumIEEE(b[:sum]) != binary.BigEndian.Uint32(b[sum:]) {
		return c, popup.ErrCursor
	}
	r := uvarints{b: b[1:sum]}
	c.first, c.total = r.after(0), r.next()
	last := uint32(0)
	for n := r.next(); n > 0 && !r.wrong; n-- {
		from := r.after(last)
		last = r.after(from)
		c.runs = append(c.runs, run{from, last})
	}
	last = 0
	for n := r.next(); n > 0 && !r.wrong; n-- {
		last = r.after(last)
		c.positions = append(c.positions, position{last, r.next()})
	}
	if r.wrong || len(r.b) > 0 {
		return cursor{}, popup.ErrCursor
	}
	return c, nil
}

// uvarints reads numbers. After a wrong one all are 0.
type uvarints struct {
	b     []byte
	wrong bool
}

func (r *uvarints) next() uint64 {
	n, size := binary.Uvarint(r.b)
	if size <= 0 || r.wrong {
		r.wrong = true
		return 0
	}
	r.b = r.b[size:]
	return n
}

// after returns the number of a stream that is given as the difference from another.
func (r *uvarints) after(no uint32) uint32 {
	n := r.next()
	if n > math.MaxUint32-uint64(no) {
		r.wrong = true
		return 0
	}
	return no + uint32(n)
}

// inRun reports whether a stream is one of a run.
func (c *cursor) inRun(no uint32) bool {
	_, found := slices.BinarySearchFunc(c.runs, no, func(r run, no uint32) int {
		switch {
		case r.to < no:
			return -1
		case r.from > no:
			return 1
		}
		return 0
	})
	return found
}

// position returns the seq up to which a stream that is in no run was read.
func (c *cursor) position(no uint32) uint64 {
	i, found := slices.BinarySearchFunc(c.positions, no, func(p position, no uint32) int { return cmp.Compare(p.no, no) })
	if !found {
		return 0
	}
	return c.positions[i].seq
}
