package snapshot

import "slices"

// set is a set of popups by their position in a [place]: 64 positions a word,
// words without a popup left out. The many small sets of a large catalog take
// memory for what is in them, and one loop serves small and large ones.
type set []word

// word is positions 64*at to 64*at+63, the least significant bit first.
type word struct {
	at   uint32
	bits uint64
}

// newSet makes a set of positions, which it sorts. Where keep says no, the
// position's word is there, maybe empty, and its bit is not.
func newSet(positions []uint32, keep func(position uint32) bool) set {
	slices.Sort(positions)
	var s set
	for _, p := range positions {
		if n := len(s); n == 0 || s[n-1].at != p/64 {
			s = append(s, word{at: p / 64})
		}
		if keep(p) {
			s[len(s)-1].bits |= 1 << (p % 64)
		}
	}
	return slices.Clip(s)
}

// difference returns what is in one of s and o and not in both. They must have
// the same words; words in which they agree are left out.
func (s set) difference(o set) set {
	var d set
	for i := range s {
		if bits := s[i].bits ^ o[i].bits; bits != 0 {
			d = append(d, word{s[i].at, bits})
		}
	}
	return slices.Clip(d)
}

// effect is what an answer means to the popups of a place.
type effect struct {
	stopped set // by a condition of all or none
	met     set // a condition of any
}

// tally counts, for each position, the conditions that stop the popup and the
// conditions of any that it meets.
type tally struct{ stops, meets []int32 }

// add counts by for each popup that is affected if the condition holds, or if it does not.
func (t *tally) add(u *use, holds bool, by int32) {
	if !holds {
		count(t.stops, u.all, by)
		return
	}
	count(t.stops, u.none, by)
	count(t.meets, u.any, by)
}

func count(counts []int32, positions []uint32, by int32) {
	for _, p := range positions {
		counts[p] += by
	}
}

// effect returns what is counted of the popups of uses, with a word for each of them.
func (t *tally) effect(uses []*use) effect {
	var gates, choices []uint32
	for _, u := range uses {
		gates = append(append(gates, u.all...), u.none...)
		choices = append(choices, u.any...)
	}
	return effect{
		stopped: newSet(gates, func(p uint32) bool { return t.stops[p] > 0 }),
		met:     newSet(choices, func(p uint32) bool { return t.meets[p] > 0 }),
	}
}

// effectOf returns the effect of the answers that holds gives.
func (t *tally) effectOf(uses []*use, holds func(*condition) bool) effect {
	for _, u := range uses {
		t.add(u, holds(u.condition), 1)
	}
	e := t.effect(uses)
	for _, u := range uses {
		t.add(u, holds(u.condition), -1)
	}
	return e
}
