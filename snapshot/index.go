package snapshot

import (
	"slices"

	"github.com/popupd/popupd/popup"
)

// index is the active popups of a placement and a trigger, or of all of them, in parts: a
// change leaves out of the large ones what has changed, and adds it in a small one
// (Bentley and Saxe 1980; Lucene's segments and live documents). It is immutable.
type index struct {
	parts []*part
	size  int // popups in force
}

// growth is how many times as large as what is merged the parts that were built together
// are at least, if they are left alone: a popup is compiled anew about growth times for each
// growth-fold of their number, and a request looks at log(size)/log(growth) parts.
const growth = 8

// with returns the index after changes; nil is an empty one. New segments are made by
// compile.
func (x *index) with(changes changes, compile func([]*Popup) []*segment) *index {
	merge := slices.Clone(changes.in)
	var kept [][]*part // from large to small
	for _, built := range x.builds() {
		whole := 0
		for i, p := range built {
			whole += len(p.segment.popups)
			built[i] = p.withoutAny(changes.out)
		}
		if 2*sizeOf(built) < whole { // half of them are gone
			merge = appendLive(merge, built)
			continue
		}
		kept = append(kept, built)
	}
	for n := len(kept) - 1; n >= 0 && len(merge) > 0 && sizeOf(kept[n]) < growth*len(merge); n-- {
		merge, kept = appendLive(merge, kept[n]), kept[:n]
	}
	if len(merge) > 0 {
		slices.SortFunc(merge, selectionOrder)
		var built []*part
		together := new(build)
		for _, s := range compile(merge) {
			built = append(built, newPart(s, together))
		}
		kept = append(kept, built)
	}
	out := &index{}
	for _, built := range kept {
		for _, p := range built {
			if p.size > 0 {
				out.parts, out.size = append(out.parts, p), out.size+p.size
			}
		}
	}
	if out.size == 0 {
		return nil
	}
	return out
}

// build is one for parts that were built together.
type build struct{ _ byte }

// builds returns the parts by when they were built.
func (x *index) builds() (builds [][]*part) {
	if x == nil {
		return nil
	}
	for i, p := range x.parts {
		if i == 0 || x.parts[i-1].build != p.build {
			builds = append(builds, nil)
		}
		last := &builds[len(builds)-1]
		*last = append(*last, p)
	}
	return builds
}

// appendLive appends the popups of parts that are in force.
func appendLive(popups []*Popup, parts []*part) []*Popup {
	for _, p := range parts {
		p.each(func(_ uint32, of *Popup) { popups = append(popups, of) })
	}
	return popups
}

// sizeOf returns how many popups of parts are in force.
func sizeOf(parts []*part) (size int) {
	for _, p := range parts {
		size += p.size
	}
	return size
}

// count returns how many popups are in force.
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
