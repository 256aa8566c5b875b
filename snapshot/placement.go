package snapshot

import (
	"maps"
	"slices"
	"strings"

	"github.com/popupd/popupd/popup"
)

// placement has the active popups of a placement, by the trigger that they wait for. It
// is immutable.
type placement struct {
	size     int                        // popups
	load     *placementIndex            // those of the default trigger; nil: none
	others   map[string]*placementIndex // by trigger
	triggers *Triggers                  // of others; nil: there are none
}

// index returns the popups that wait for a trigger, nil if there are none.
func (p *placement) index(trigger []byte) *placementIndex {
	if string(trigger) == popup.DefaultTrigger {
		return p.load
	}
	return p.others[string(trigger)]
}

// Triggers are what popups of a placement wait for beside the default trigger. A nil
// Triggers is none.
type Triggers struct {
	Header string // all of them, as the value of a header
	names  []string
}

// All returns the triggers, sorted. The caller must not change the slice.
func (t *Triggers) All() []string {
	if t == nil {
		return nil
	}
	return t.names
}

// Has reports whether the trigger is one of them.
func (t *Triggers) Has(name string) bool {
	_, found := slices.BinarySearch(t.All(), name)
	return found
}

// HasTriggers reports whether an active popup, in whichever placement, waits for another
// trigger than the default one.
func (s *Snapshot) HasTriggers() bool { return s != nil && s.hasTriggers }

// Triggers returns what active popups of the placement wait for beside the default
// trigger, nil if nothing.
func (s *Snapshot) Triggers(placement []byte) *Triggers {
	if !s.HasTriggers() {
		return nil
	}
	if p := s.byPlacement[string(placement)]; p != nil {
		return p.triggers
	}
	return nil
}

// placementIndex is the active popups of a placement and a trigger, compiled so that the
// cost of a request depends little on their number. It is immutable.
type placementIndex struct {
	popups      []*Popup   // in selection order; a popup's position is its index here
	schedules   []schedule // by position
	all         []uint64   // a bit for each position
	unscheduled set        // popups that are always open
	hasAny      set        // popups with conditions of any
	attributes  []*attributeIndex
}

// indexPlacements returns active popups, in selection order, by placement. Indexes of
// previous whose popups are the same are taken over.
func indexPlacements(active []*Popup, previous *Snapshot) map[string]*placement {
	type key struct{ placement, trigger string }
	popups := map[key][]*Popup{}
	for _, p := range active {
		for _, name := range p.placements {
			k := key{name, p.trigger}
			popups[k] = append(popups[k], p)
		}
	}
	placements := map[string]*placement{}
	for k, here := range popups {
		p := placements[k.placement]
		if p == nil {
			p = &placement{others: map[string]*placementIndex{}}
			placements[k.placement] = p
		}
		p.size += len(here)
		x := previous.index(k.placement, k.trigger)
		if x == nil || !slices.Equal(x.popups, here) {
			x = newPlacementIndex(here)
		}
		if k.trigger == popup.DefaultTrigger {
			p.load = x
		} else {
			p.others[k.trigger] = x
		}
	}
	for _, p := range placements {
		if names := slices.Sorted(maps.Keys(p.others)); len(names) > 0 {
			p.triggers = &Triggers{names: names, Header: strings.Join(names, ", ")}
		}
	}
	return placements
}

// index returns the popups of a placement and a trigger, nil if there are none.
func (s *Snapshot) index(name, trigger string) *placementIndex {
	if s == nil || s.byPlacement[name] == nil {
		return nil
	}
	return s.byPlacement[name].index([]byte(trigger))
}

func newPlacementIndex(popups []*Popup) *placementIndex {
	x := &placementIndex{popups: popups, all: make([]uint64, (len(popups)+63)/64)}
	var unscheduled, hasAny []uint32
	for i, p := range popups {
		position := uint32(i)
		x.schedules = append(x.schedules, p.schedule)
		x.all[i/64] |= 1 << (i % 64)
		if p.schedule.isOpen() {
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
// the request matches. met is scratch memory of the same size, all zero,
// and v knows the time.
func (x *placementIndex) target(fit, met []uint64, r *popup.Request, v *value) {
	for _, a := range x.attributes {
		a.apply(fit, met, r, v)
	}
	for _, w := range x.hasAny {
		fit[w.at] &^= w.bits &^ met[w.at]
	}
}
