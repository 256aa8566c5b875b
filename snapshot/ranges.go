package snapshot

import (
	"slices"
)

// rangeIndex finds the popups whose ranges a value lies in. The ends of all ranges cut the
// order of values into elementary intervals; the rank of a value is that of its interval,
// from 0, which is how many cuts are not after it. From one rank to the next few popups
// change: their sets are kept at some ranks only, the bases, with what changes after them.
type rangeIndex struct {
	// The cuts, by what the ranges are of.
	numbers   cuts[number]
	versions  cuts[versionCut]
	moments   cuts[moment] // times, or ages
	addresses cuts[address]

	bases    []postings
	baseRank []uint32 // of each base
	baseOf   []uint32 // the last base at or before each rank
	changed  []uint32 // positions that are in one of two neighbouring sets only, by rank
	from     []uint32 // changed[from[r]:from[r+1]] are those between ranks r-1 and r
	size     int      // words of a bitmap

	// If a popup's range is what several conditions have in common: ranges by position. The
	// members of a set may then pass the conditions one each, and none lie in the range.
	spans []span
}

// span is a popup with the ranks from (included) to to (excluded) that its range covers.
type span struct{ position, from, to uint32 }

// newRangeIndex indexes conditions for a segment of size words; boundsOf calls add for
// the ranges of a condition, a nil end is open. Where each popup must pass all of its
// conditions, isAll, its range is what they have in common, else all of them.
func newRangeIndex[T cutPoint[T]](uses []use, size int, isAll bool, boundsOf func(c *condition, add func(from, to *T))) (*rangeIndex, cuts[T]) {
	type bounds struct {
		position uint32
		from, to *T
	}
	ranges := make([]bounds, 0, len(uses))
	points := make([]T, 0, 2*len(uses))
	for _, u := range uses {
		boundsOf(u.condition, func(from, to *T) {
			ranges = append(ranges, bounds{u.position, from, to})
			for _, end := range []*T{from, to} {
				if end != nil {
					points = append(points, *end)
				}
			}
		})
	}
	ends := newCuts(points)
	spans, isCombined := make([]span, 0, len(ranges)), false
	last := uint32(len(ends.keys)) + 1
	for start := 0; start < len(ranges); {
		first, position := len(spans), ranges[start].position
		for ; start < len(ranges) && ranges[start].position == position; start++ {
			r, s := &ranges[start], span{position, 0, last}
			if r.from != nil {
				s.from = ends.rank(*r.from)
			}
			if r.to != nil {
				s.to = ends.rank(*r.to)
			}
			spans = append(spans, s)
		}
		switch own := spans[first:]; {
		case len(own) == 1:
		case isAll:
			own[0], isCombined = common(own), true
			spans = spans[:first+1]
		default:
			spans = spans[:first+len(merged(own))]
		}
	}
	x := &rangeIndex{size: size}
	if isCombined {
		x.spans = spans
	}
	x.build(spans, last)
	return x, ends
}

// common returns the ranks that are in all of the spans.
func common(spans []span) span {
	s := spans[0]
	for _, o := range spans[1:] {
		s.from, s.to = max(s.from, o.from), min(s.to, o.to)
	}
	return s
}

// merged returns the same ranks in spans that neither overlap nor touch.
func merged(spans []span) []span {
	slices.SortFunc(spans, func(a, b span) int { return int(a.from) - int(b.from) })
	out := spans[:1]
	for _, s := range spans[1:] {
		if last := &out[len(out)-1]; s.from <= last.to {
			last.to = max(last.to, s.to)
		} else {
			out = append(out, s)
		}
	}
	return out
}

// basePerChange is how many bytes of a base come on a change: bases that are large are
// further apart.
const basePerChange = 32

// build makes the bases and changes of ranks 0 to n-1.
func (x *rangeIndex) build(spans []span, n uint32) {
	changes := inverted{n: int(n)}
	for _, s := range spans {
		if s.from >= s.to {
			continue
		}
		changes.add(s.from, s.position)
		if s.to < n {
			changes.add(s.to, s.position)
		}
	}
	x.from = make([]uint32, n+1)
	x.changed = make([]uint32, 0, len(changes.of))
	x.baseOf = make([]uint32, n)
	now := newSparseBitmap(x.size)
	pending := 0
	for rank, positions := range changes.positions() {
		for _, p := range positions {
			now.flip(p)
		}
		x.changed = append(x.changed, positions...)
		x.from[rank+1] = uint32(len(x.changed))
		if pending += len(positions); rank == 0 || pending > 0 && pending*basePerChange > now.bytes() {
			x.bases, x.baseRank = append(x.bases, now.postings()), append(x.baseRank, uint32(rank))
			pending = 0
		}
		x.baseOf[rank] = uint32(len(x.bases)) - 1
	}
}

// find returns the popups whose range covers the rank.
func (x *rangeIndex) find(rank uint32, s *scratch) *postings {
	base := x.baseOf[rank]
	changed := x.changed[x.from[x.baseRank[base]+1]:x.from[rank+1]]
	p := &x.bases[base]
	switch {
	case len(changed) == 0:
		return p
	case p.dense != nil:
		dense := s.bitmap(x.size)
		copy(dense, p.dense)
		for _, position := range changed {
			dense[position/64] ^= 1 << (position % 64)
		}
		return s.keep(postings{dense: dense})
	default:
		sparse := append(s.words(len(p.sparse)+len(changed)), p.sparse...)
		for _, position := range changed {
			var i int
			sparse, i = withWord(sparse, position/64)
			sparse[i].bits ^= 1 << (position % 64)
		}
		return s.keep(postings{sparse: sparse})
	}
}

// findSet returns the popups of spans all of whose conditions a set of values passes, each
// by any of its members: lower ends are passed by the one with the greatest rank if by any,
// upper ends by the one with the least.
func (x *rangeIndex) findSet(least, greatest uint32, s *scratch) *postings {
	dense := s.bitmap(x.size)
	clear(dense)
	for _, o := range x.spans {
		if greatest >= o.from && least < o.to {
			setBit(dense, o.position)
		}
	}
	return s.keep(postings{dense: dense})
}
