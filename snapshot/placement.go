package snapshot

import (
	"iter"
	"maps"
	"slices"
	"strings"

	"github.com/popupd/popupd/popup"
)

// placement has the active popups of a placement, by the trigger that they wait for. It
// is immutable.
type placement struct {
	load     *index            // of the default trigger; nil: there are none
	others   map[string]*index // by trigger
	triggers *Triggers         // of others; nil: there are none
}

// index returns the popups that wait for a trigger, nil if there are none.
func (p *placement) index(trigger []byte) *index {
	if p == nil {
		return nil
	}
	if string(trigger) == popup.DefaultTrigger {
		return p.load
	}
	return p.others[string(trigger)]
}

// with returns the placement with another index of a trigger, nil if nothing is left.
func (p *placement) with(trigger string, x *index) *placement {
	out := &placement{}
	if p != nil {
		*out = *p
	}
	switch {
	case trigger == popup.DefaultTrigger:
		out.load = x
	default:
		out.others = maps.Clone(out.others)
		if out.others == nil {
			out.others = map[string]*index{}
		}
		if out.others[trigger] = x; x == nil {
			delete(out.others, trigger)
		}
		out.triggers = nil
		if names := slices.Sorted(maps.Keys(out.others)); len(names) > 0 {
			out.triggers = &Triggers{names: names, Header: strings.Join(names, ", ")}
		}
	}
	if out.load == nil && len(out.others) == 0 {
		return nil
	}
	return out
}

// triggerCount returns 1 if popups wait for other triggers than the default one, else 0.
func (p *placement) triggerCount() int {
	if p == nil || p.triggers == nil {
		return 0
	}
	return 1
}

// Outranking returns the active popups of a placement, and of no other, that wait for a
// trigger and have a higher priority, those of each segment in selection order.
func (s *Snapshot) Outranking(placement, trigger string, priority int) iter.Seq[*Popup] {
	return func(yield func(*Popup) bool) {
		if s == nil {
			return
		}
		x := s.byPlacement[placement].index([]byte(trigger))
		if x == nil {
			return
		}
		for _, part := range x.parts {
			for i, p := range part.segment.popups {
				if p.Priority <= priority {
					break
				}
				if part.live[i/64]>>(i%64)&1 != 0 && len(p.placements) == 1 && !yield(p) {
					return
				}
			}
		}
	}
}

// each calls f for the popups of every trigger.
func (p *placement) each(f func(*index)) {
	if p.load != nil {
		f(p.load)
	}
	for _, x := range p.others {
		f(x)
	}
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
func (s *Snapshot) HasTriggers() bool { return s != nil && s.triggered > 0 }

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
