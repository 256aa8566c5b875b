package snapshot

import (
	"maps"

	"github.com/popupd/popupd/popup"
)

// Compact returns the same popups in as few parts as [Compile] makes of them, and s itself if
// they are: changes one by one leave an index in several parts, each of which costs a request
// something, and lists of users that are asked one by one cost it something each. It takes
// time for all popups of such an index, and all members of lists.
func Compact(s *Snapshot) *Snapshot {
	if s == nil {
		return nil
	}
	type split struct {
		placement, trigger string
		index              *index
	}
	var splits []split
	for name, p := range s.byPlacement {
		if p.load.isSplit() {
			splits = append(splits, split{name, popup.DefaultTrigger, p.load})
		}
		for trigger, x := range p.others {
			if x.isSplit() {
				splits = append(splits, split{name, trigger, x})
			}
		}
	}
	audiences := s.audiences.compacted()
	if len(splits) == 0 && !s.active.isSplit() && audiences == s.audiences {
		return s
	}
	active := s.active
	if active.isSplit() {
		active = active.rebuilt(plainSegments)
	}
	inParallel(len(splits), (&compiler{previous: s}).workers(), func(i int) {
		splits[i].index = splits[i].index.rebuilt(newSegments)
	})
	byPlacement := maps.Clone(s.byPlacement)
	for _, at := range splits {
		byPlacement[at.placement] = byPlacement[at.placement].with(at.trigger, at.index)
	}
	c := s.with(byPlacement, active)
	c.unchanged()
	c.audiences = audiences
	c.planAudiences(s)
	return c
}

// isSplit reports whether parts of the index were built at different times.
func (x *index) isSplit() bool {
	return x != nil && x.parts[0].build != x.parts[len(x.parts)-1].build
}

// rebuilt returns the index built at once.
func (x *index) rebuilt(compile func([]*Popup) []*segment) *index {
	return (*index)(nil).with(changes{in: appendLive(nil, x.parts)}, compile)
}
