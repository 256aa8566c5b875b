package snapshot

import "slices"

// set is a set of popups by their position in a [placementIndex]: 64 positions a word,
// words without a popup left out. The many small sets of a large catalog take
// memory for what is in them, and one loop serves small and large ones.
type set []word

// word is positions 64*at to 64*at+63, the least significant bit first.
type word struct {
	at   uint32
	bits uint64
}

// newSet makes a set of those positions that keep accepts; it sorts positions. The
// words of the others are there too, maybe empty.
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

// effect is what a value of an attribute does to the popups of a placement.
type effect struct {
	stopped set // by a condition of all or none
	met     set // a condition of any
}

func (e *effect) apply(fit, met []uint64) {
	for _, w := range e.stopped {
		fit[w.at] &^= w.bits
	}
	for _, w := range e.met {
		met[w.at] |= w.bits
	}
}

// applyWith applies e with the bits of delta inverted; nil inverts none. The words of
// delta are among those of e.
func (e *effect) applyWith(delta *effect, fit, met []uint64) {
	if delta == nil {
		e.apply(fit, met)
		return
	}
	rest := delta.stopped
	for _, w := range e.stopped {
		if len(rest) > 0 && rest[0].at == w.at {
			w.bits ^= rest[0].bits
			rest = rest[1:]
		}
		fit[w.at] &^= w.bits
	}
	rest = delta.met
	for _, w := range e.met {
		if len(rest) > 0 && rest[0].at == w.at {
			w.bits ^= rest[0].bits
			rest = rest[1:]
		}
		met[w.at] |= w.bits
	}
}
