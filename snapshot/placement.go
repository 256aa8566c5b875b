package snapshot

import (
	"slices"

	"github.com/popupd/popupd/popup"
)

// placementIndex is a placement with the active popups that may be shown in it,
// compiled so that the cost of a request depends little on their number. It is immutable.
type placementIndex struct {
	popups      []*Popup   // in selection order; a popup's position is its index here
	schedules   []schedule // by position
	all         []uint64   // a bit for each position
	unscheduled set        // popups that are always open
	hasAny      set        // popups with conditions of any
	attributes  []*attributeIndex
}

// indexPlacements returns the indexes of active popups, in selection order, by
// placement. Those of previous whose popups are the same are taken over.
func indexPlacements(active []*Popup, previous *Snapshot) map[string]*placementIndex {
	popups := map[string][]*Popup{}
	for _, p := range active {
		for _, name := range p.placements {
			popups[name] = append(popups[name], p)
		}
	}
	indexes := make(map[string]*placementIndex, len(popups))
	for name, here := range popups {
		if previous != nil {
			if last := previous.byPlacement[name]; last != nil && slices.Equal(last.popups, here) {
				indexes[name] = last
				continue
			}
		}
		indexes[name] = newPlacementIndex(here)
	}
	return indexes
}

func newPlacementIndex(popups []*Popup) *placementIndex {
	x := &placementIndex{popups: popups, all: make([]uint64, (len(popups)+63)/64)}
	var unscheduled, hasAny []uint32
	for i, p := range popups {
		position := uint32(i)
		x.schedules = append(x.schedules, p.schedule)
		x.all[i/64] |= 1 << (i % 64)
		if p.schedule == noSchedule {
			unscheduled = append(unscheduled, position)
		}
		if len(p.targeting.any) > 0 {
			hasAny = append(hasAny, position)
		}
	}
	every := func(uint32) bool { return true }
	x.unscheduled, x.hasAny = newSet(unscheduled, every), newSet(hasAny, every)
	counts := &conditionCounts{stopping: make([]int32, len(popups)), met: make([]int32, len(popups))}
	for _, uses := range usesByAttribute(popups) {
		x.attributes = append(x.attributes, newAttributeIndex(uses, counts))
	}
	return x
}

// use is a condition with the positions of the popups that have it.
type use struct {
	condition      *condition
	all, any, none []uint32
}

// usesByAttribute returns the conditions of popups, each once, grouped by the
// attribute that they test.
func usesByAttribute(popups []*Popup) [][]*use {
	type subject struct {
		attr attribute
		name string
	}
	uses := map[*condition]*use{}
	groups := map[subject]int{}
	var out [][]*use
	find := func(c *condition) *use {
		u := uses[c]
		if u == nil {
			u = &use{condition: c}
			uses[c] = u
			about := subject{c.attr, c.name}
			i, known := groups[about]
			if !known {
				i = len(out)
				groups[about], out = i, append(out, nil)
			}
			out[i] = append(out[i], u)
		}
		return u
	}
	for i, p := range popups {
		position := uint32(i)
		for _, c := range p.targeting.all {
			u := find(c)
			u.all = append(u.all, position)
		}
		for _, c := range p.targeting.any {
			u := find(c)
			u.any = append(u.any, position)
		}
		for _, c := range p.targeting.none {
			u := find(c)
			u.none = append(u.none, position)
		}
	}
	return out
}

// target leaves in fit, which has a bit for each popup, those whose targeting
// the request matches. met is scratch memory of the same size, all zero.
func (x *placementIndex) target(fit, met []uint64, r *popup.Request) {
	for _, a := range x.attributes {
		a.apply(fit, met, r)
	}
	for _, w := range x.hasAny {
		fit[w.at] &^= w.bits &^ met[w.at]
	}
}
