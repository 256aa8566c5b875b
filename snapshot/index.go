package snapshot

import (
	"slices"

	"github.com/popupd/popupd/popup"
)

// index is the active popups of a placement and a trigger, or of all of them, in parts: a
// change leaves out of the large ones what has changed, and adds it in a small one
// (Bentley and Saxe 1980; Lucene's segments and live documents). It is immutable.
type index struct {
	parts []*part // from large to small
	size  int     // popups in force
}

// growth is how many times as large as what is merged a part is at least, if it is left
// alone: a popup is compiled anew about growth times for each doubling that often, and a
// request looks at log(size)/log(growth) parts.
const growth = 8

// with returns the index after changes; nil is an empty one. New segments are built by build.
func (x *index) with(changes changes, build func([]*Popup) *segment) *index {
	out := &index{}
	if x != nil {
		for _, p := range x.parts {
			var positions []uint32
			for _, of := range changes.out {
				if position, ok := p.find(of); ok {
					positions = append(positions, position)
				}
			}
			if len(positions) > 0 {
				p = p.without(positions)
			}
			if p.size > 0 {
				out.parts = append(out.parts, p)
			}
		}
	}
	merge := slices.Clone(changes.in)
	for i := len(out.parts) - 1; i >= 0; i-- {
		p := out.parts[i]
		isWorn := 2*p.size < len(p.segment.popups)
		if !isWorn && (len(merge) == 0 || p.size >= growth*len(merge)) {
			continue
		}
		p.each(func(_ uint32, of *Popup) { merge = append(merge, of) })
		out.parts = slices.Delete(out.parts, i, i+1)
	}
	if len(merge) > 0 {
		slices.SortFunc(merge, selectionOrder)
		out.parts = append(out.parts, newPart(build(merge)))
		slices.SortStableFunc(out.parts, func(a, b *part) int { return b.size - a.size })
	}
	if len(out.parts) == 0 {
		return nil
	}
	for _, p := range out.parts {
		out.size += p.size
	}
	return out
}

func (x *index) count() int {
	if x == nil {
		return 0
	}
	return x.size
}

// openAt returns how many popups are open, and the furthest gate that closes others.
func (x *index) openAt(nowMS int64, user *zone) (open int, closed popup.Reason) {
	for _, p := range x.parts {
		s := p.openAt(nowMS, user)
		open += s.count
		closed = max(closed, s.closed)
	}
	return open, closed
}
