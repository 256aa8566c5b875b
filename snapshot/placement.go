package snapshot

import (
	"slices"

	"github.com/popupd/popupd/popup"
)

// place is a placement with the active popups that may be shown in it, compiled
// so that what a request costs depends little on how many they are. It is immutable.
type place struct {
	popups    []*Popup   // in selection order, which gives them their positions
	schedules []schedule // by position
	all       []uint64   // a bit for each position
	always    set        // popups without a schedule
	choosy    set        // popups with conditions of any
	questions []*question
}

// newPlaces returns the places of active popups, in selection order. Those of
// previous in which nothing changed are taken over.
func newPlaces(active []*Popup, previous *Snapshot) map[string]*place {
	popups := map[string][]*Popup{}
	for _, p := range active {
		for _, name := range p.placements {
			popups[name] = append(popups[name], p)
		}
	}
	places := make(map[string]*place, len(popups))
	for name, here := range popups {
		if previous != nil {
			if last := previous.places[name]; last != nil && slices.Equal(last.popups, here) {
				places[name] = last
				continue
			}
		}
		places[name] = newPlace(here)
	}
	return places
}

func newPlace(popups []*Popup) *place {
	pl := &place{popups: popups, all: make([]uint64, (len(popups)+63)/64)}
	var always, choosy []uint32
	for i, p := range popups {
		position := uint32(i)
		pl.schedules = append(pl.schedules, p.schedule)
		pl.all[i/64] |= 1 << (i % 64)
		if p.schedule == noSchedule {
			always = append(always, position)
		}
		if len(p.targeting.any) > 0 {
			choosy = append(choosy, position)
		}
	}
	every := func(uint32) bool { return true }
	pl.always, pl.choosy = newSet(always, every), newSet(choosy, every)
	t := &tally{stops: make([]int32, len(popups)), meets: make([]int32, len(popups))}
	for _, uses := range usesByAttribute(popups) {
		pl.questions = append(pl.questions, newQuestion(uses, t))
	}
	return pl
}

// usesByAttribute collects the conditions of popups, each once, by the
// attribute they are about.
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
// lets the request through. met is memory of the same size, all zero.
func (pl *place) target(fit, met []uint64, r *popup.Request) {
	for _, q := range pl.questions {
		q.ask(fit, met, r)
	}
	for _, w := range pl.choosy {
		fit[w.at] &^= w.bits &^ met[w.at]
	}
}

func (q *question) ask(fit, met []uint64, r *popup.Request) {
	var v value
	v.find(r, q.attr, q.name)
	if len(v.text) == 0 {
		q.missing.apply(fit, met)
		return
	}
	if t := &q.texts; t.flips != nil {
		t.other.applyFlipped(t.flips[string(v.text)], fit, met)
	}
	if t := &q.numbers; t.flips != nil {
		var flip *effect
		if n, ok := v.asNumber(); ok {
			flip = t.flips[n]
		}
		t.other.applyFlipped(flip, fit, met)
	}
	for i := range q.checks {
		c := &q.checks[i]
		if c.condition.holds(&v) {
			c.yes.apply(fit, met)
		} else {
			c.no.apply(fit, met)
		}
	}
}

func (e *effect) apply(fit, met []uint64) {
	for _, w := range e.stopped {
		fit[w.at] &^= w.bits
	}
	for _, w := range e.met {
		met[w.at] |= w.bits
	}
}

// applyFlipped applies e with what flip, nil for nothing, turns round in it.
// The words of flip are among those of e.
func (e *effect) applyFlipped(flip *effect, fit, met []uint64) {
	if flip == nil {
		e.apply(fit, met)
		return
	}
	rest := flip.stopped
	for _, w := range e.stopped {
		if len(rest) > 0 && rest[0].at == w.at {
			w.bits ^= rest[0].bits
			rest = rest[1:]
		}
		fit[w.at] &^= w.bits
	}
	rest = flip.met
	for _, w := range e.met {
		if len(rest) > 0 && rest[0].at == w.at {
			w.bits ^= rest[0].bits
			rest = rest[1:]
		}
		met[w.at] |= w.bits
	}
}
