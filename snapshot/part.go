package snapshot

import (
	"math"
	"math/bits"
	"slices"
	"sync/atomic"

	"github.com/popupd/popupd/popup"
)

// part is a segment without the popups that are no longer in force.
type part struct {
	segment *segment
	build   *build
	live    []uint64 // a bit for each position
	size    int      // of live
	state   atomic.Pointer[openState]
	local   *[localStates]atomic.Pointer[openState] // by the user's distance from UTC; nil: state is the same for all
}

// localStates are those for users whose zone is so many quarters of an hour from UTC-12:00,
// up to UTC+14:00, then one for all at other distances.
const localStates = 26*4 + 2

func newPart(s *segment, build *build) *part {
	n := len(s.popups)
	p := &part{segment: s, build: build, live: complement(newBitmap(n), n), size: n}
	if s.users != nil {
		p.local = new([localStates]atomic.Pointer[openState])
	}
	return p
}

// withoutAny returns the part without those of the popups that it has.
func (p *part) withoutAny(popups []*Popup) *part {
	var positions []uint32
	for _, of := range popups {
		if position, ok := p.find(of); ok {
			positions = append(positions, position)
		}
	}
	if len(positions) == 0 {
		return p
	}
	return p.without(positions)
}

// without returns the part without the popups at these positions, which it has.
func (p *part) without(positions []uint32) *part {
	rest := &part{segment: p.segment, build: p.build, live: slices.Clone(p.live), size: p.size - len(positions)}
	for _, position := range positions {
		rest.live[position/64] &^= 1 << (position % 64)
	}
	if p.local != nil {
		rest.local = new([localStates]atomic.Pointer[openState])
	}
	if s := p.state.Load(); s != nil {
		rest.state.Store(s.without(rest, positions))
	}
	return rest
}

// find returns the position of a popup, if it is in the part.
func (p *part) find(of *Popup) (position uint32, ok bool) {
	i, found := slices.BinarySearchFunc(p.segment.popups, of, selectionOrder)
	if !found || p.segment.popups[i] != of || p.live[i/64]>>(i%64)&1 == 0 {
		return 0, false
	}
	return uint32(i), true
}

// each calls f for the popups that are in force, in selection order.
func (p *part) each(f func(position uint32, popup *Popup)) {
	for at, left := range p.live {
		for ; left != 0; left &= left - 1 {
			position := at*64 + bits.TrailingZeros64(left)
			f(uint32(position), p.segment.popups[position])
		}
	}
}

// openState is which popups of a part are open, for as long as that does not change.
type openState struct {
	fromMS, untilMS int64    // [fromMS, untilMS]
	offset          int64    // of the user, seconds east of UTC, if it is for one
	open            []uint64 // a bit for each position
	count           int      // of open
	closedBy        [popup.OutsideHours + 1]int
	closed          popup.Reason // the furthest gate that closes a popup, Eligible if all are open
}

// openAt returns what is open at nowMS for a user in a time zone, nil is one that is not
// known. It allocates when that has changed.
func (p *part) openAt(nowMS int64, user *zone) *openState {
	if s := p.state.Load(); s != nil && s.fromMS <= nowMS && nowMS <= s.untilMS && (p.local == nil || user == nil) {
		return s
	}
	return p.changedAt(nowMS, user)
}

// changedAt is openAt for what the state at hand does not hold.
func (p *part) changedAt(nowMS int64, user *zone) *openState {
	if p.local != nil && user != nil {
		return p.localAt(nowMS, user)
	}
	s := p.newState(nowMS, nil)
	p.state.Store(s)
	return s
}

func (p *part) localAt(nowMS int64, user *zone) *openState {
	offset := user.offsetAt(floorDiv(nowMS, 1000))
	slot := (offset + 12*3600) / 900
	if offset%900 != 0 || slot < 0 || slot > localStates-2 {
		slot = localStates - 1
	}
	if s := p.local[slot].Load(); s != nil && s.fromMS <= nowMS && nowMS <= s.untilMS && s.offset == offset {
		return s
	}
	s := p.newState(nowMS, user)
	s.offset = offset
	p.local[slot].Store(s)
	return s
}

func (p *part) newState(nowMS int64, user *zone) *openState {
	s := &openState{fromMS: math.MinInt64, untilMS: math.MaxInt64, open: make([]uint64, len(p.live))}
	p.each(func(position uint32, of *Popup) {
		from, until := of.schedule.steady(nowMS, user)
		s.fromMS, s.untilMS = max(s.fromMS, from), min(s.untilMS, until)
		if reason := of.schedule.gateIn(nowMS, user); reason != popup.Eligible {
			s.closedBy[reason]++
			return
		}
		setBit(s.open, position)
		s.count++
	})
	s.closed = s.furthest()
	return s
}

// without returns the state without the popups at some positions.
func (s *openState) without(p *part, positions []uint32) *openState {
	rest := *s
	rest.open = slices.Clone(s.open)
	for _, position := range positions {
		if rest.open[position/64]>>(position%64)&1 != 0 {
			rest.open[position/64] &^= 1 << (position % 64)
			rest.count--
		} else {
			rest.closedBy[p.segment.popups[position].schedule.gateIn(s.fromMS, nil)]--
		}
	}
	rest.closed = rest.furthest()
	return &rest
}

// furthest returns the furthest gate that closes a popup.
func (s *openState) furthest() popup.Reason {
	for reason := popup.OutsideHours; reason > popup.NotActive; reason-- {
		if s.closedBy[reason] > 0 {
			return reason
		}
	}
	return popup.Eligible
}
