package decision

import (
	"math/bits"

	"github.com/popupd/popupd/popup"
	"github.com/popupd/popupd/snapshot"
)

// placements is a set of the placements of a request: bit i is the one with index i.
type placements uint8

// first returns the index of the first one of a set that is not empty.
func (p placements) first() int { return bits.TrailingZeros8(uint8(p)) }

// search goes through the popups that fit a request in one or several placements.
type search struct {
	matches  [popup.MaxRequestPlacements]snapshot.Matches
	n        int        // placements of the request
	open     placements // those for which no popup has been found
	hasBegun bool       // by beginAlone: the decision need not begin it

	// With several placements: the next popup of each, nil if there is none.
	heads [popup.MaxRequestPlacements]*snapshot.Popup
}

func (s *search) begin(snap *snapshot.Snapshot, r *popup.Request, nowMS int64) {
	names := r.PlacementNames()
	s.n, s.open = len(names), 1<<len(names)-1
	snap.Match(&s.matches[0], r, names[0], nowMS)
	if s.n > 1 {
		s.beginSeveral(snap, r, names, nowMS)
	}
}

func (s *search) beginSeveral(snap *snapshot.Snapshot, r *popup.Request, names [][]byte, nowMS int64) {
	s.heads[0] = s.matches[0].Next()
	for i, name := range names[1:] {
		s.matches[i+1].ShareUser(&s.matches[0])
		snap.Match(&s.matches[i+1], r, name, nowMS)
		s.heads[i+1] = s.matches[i+1].Next()
	}
}

// beginAlone begins a search among one popup, whatever else there is. It returns the furthest
// gate that stops the popup in the placements, [popup.Eligible] if it fits one of them.
func (s *search) beginAlone(snap *snapshot.Snapshot, p *snapshot.Popup, r *popup.Request, nowMS int64) popup.Reason {
	names := r.PlacementNames()
	s.releaseSeveral()
	s.n, s.open = max(len(names), 2), 1<<len(names)-1 // with two or more, next goes by heads
	furthest, fits := popup.Eligible, false
	for i, name := range names {
		if reason := snap.Gate(p, r, name, nowMS); reason == popup.Eligible {
			s.heads[i], fits = p, true
		} else {
			furthest = max(furthest, reason)
		}
	}
	if s.hasBegun = fits; fits {
		return popup.Eligible
	}
	return furthest
}

// next returns the next popup in selection order and the open placements that it
// fits, nil after the last one. It returns each popup once: all placements have
// the same order, so those that a popup fits come to it together.
func (s *search) next() (*snapshot.Popup, placements) {
	if s.n == 1 {
		return s.matches[0].Next(), 1
	}
	return s.merge()
}

// merge is next with several placements.
func (s *search) merge() (*snapshot.Popup, placements) {
	var first *snapshot.Popup
	var in placements
	for i, p := range s.heads[:s.n] {
		switch {
		case p == nil || s.open&(1<<i) == 0:
		case p == first:
			in |= 1 << i
		case first == nil || comesBefore(p, first):
			first, in = p, 1<<i
		}
	}
	for left := in; left != 0; left &= left - 1 {
		i := left.first()
		s.heads[i] = s.matches[i].Next()
	}
	return first, in
}

// comesBefore reports whether p is before o in selection order.
func comesBefore(p, o *snapshot.Popup) bool {
	if p.Priority != o.Priority {
		return p.Priority > o.Priority
	}
	return p.ID < o.ID
}

// reason returns the furthest gate that stopped a popup in any placement, once
// next has returned nil.
func (s *search) reason() popup.Reason {
	furthest := popup.Eligible
	for i := range s.n {
		furthest = max(furthest, s.matches[i].Reason())
	}
	return furthest
}

// releaseSeveral forgets the request and the snapshot, and keeps the memory. With a single
// placement there is nothing but matches[0] to forget.
func (s *search) releaseSeveral() {
	for i := range s.n {
		s.matches[i].Release()
	}
	s.heads = [popup.MaxRequestPlacements]*snapshot.Popup{}
}
