package snapshot

import (
	"math/bits"

	"github.com/popupd/popupd/popup"
)

// Matches are the popups that fit a request, found as they are asked for. The
// zero value has none. It keeps its memory from one [Snapshot.Match] to the next.
type Matches struct {
	snapshot *Snapshot
	here     *placement // nil: nothing is ever shown there
	index    *index     // of here and the request's trigger; nil: nothing waits for it there
	user     []byte
	zone     *zone // of the user; nil: not known, or nothing asks for it
	nowMS    int64

	cursors []cursor // of the parts of index in which popups may fit
	filters []filter
	value   value // of the attribute that is asked for
	scratch

	users   membership // of the user in audiences
	usersOf *Matches   // whose users is asked instead; nil: none

	skips     []skip // of the cursors that have one
	skipWords []skipWord

	open     int // popups of index that are open
	fits     int // those of them that have been found to fit in targeting
	furthest popup.Reason
}

// Match finds the popups that fit the request in one of its placements, by status,
// schedule, placement, trigger, targeting and rollout. m refers to both until [Matches.Release]. It
// does not allocate once m has served a placement of that many popups.
func (s *Snapshot) Match(m *Matches, r *popup.Request, placement []byte, nowMS int64) {
	if m.snapshot != nil {
		m.Release()
	}
	m.furthest, m.open, m.fits, m.nowMS = popup.Eligible, 0, 0, nowMS
	if s == nil {
		return
	}
	m.snapshot, m.user = s, r.User
	if len(s.users) > 0 {
		m.zone = s.users.find(r.Zone)
	}
	if m.here = s.byPlacement[string(placement)]; m.here == nil {
		return
	}
	if m.index = m.here.index(r.TriggerName()); m.index == nil {
		return
	}
	m.value.nowMS = nowMS
	for _, p := range m.index.parts {
		state := p.openAt(nowMS, m.zone)
		m.open, m.furthest = m.open+state.count, max(m.furthest, state.closed)
		if state.count == 0 {
			continue
		}
		n := len(m.cursors)
		if n < cap(m.cursors) {
			m.cursors = m.cursors[:n+1]
		} else {
			m.cursors = append(m.cursors, cursor{})
		}
		if !m.cursors[n].begin(p.segment, state.open, r, m) {
			m.cursors = m.cursors[:n]
		}
	}
	if len(m.cursors) > 1 {
		for i := range m.cursors {
			m.cursors[i].head = m.take(&m.cursors[i])
		}
	}
}

// Next returns the next popup in selection order, nil after the last one. Rollout is looked
// at only here.
func (m *Matches) Next() *Popup {
	switch len(m.cursors) {
	case 0:
		return nil
	case 1:
		return m.take(&m.cursors[0])
	}
	return m.first()
}

// first is Next of several cursors.
func (m *Matches) first() *Popup {
	var first *cursor
	for i := range m.cursors {
		c := &m.cursors[i]
		if c.head != nil && (first == nil || selectionOrder(c.head, first.head) < 0) {
			first = c
		}
	}
	if first == nil {
		return nil
	}
	p := first.head
	first.head = m.take(first)
	return p
}

// take returns the next popup of a cursor that fits in rollout, too.
func (m *Matches) take(c *cursor) *Popup {
	for {
		for ; c.i < c.words; c.i++ {
			for w := c.fit[c.i]; w != 0; w = c.fit[c.i] {
				if c.skip != nil {
					if w = c.skip.trim(c.segment, c.at[c.i], w); w == 0 {
						break
					}
				}
				c.fit[c.i] = w & (w - 1)
				m.fits++
				p := c.segment.popups[int(c.at[c.i])*64+bits.TrailingZeros64(w)]
				if p.inRollout(m.user) {
					return p
				}
				m.furthest = popup.NotInRollout
			}
		}
		if c.isWhole || !c.fill() {
			return nil
		}
		c.filter(m.filters[c.from:c.to])
	}
}

// Reason returns the furthest gate that stopped a popup of the snapshot,
// [popup.Eligible] if none was stopped, once Next has returned nil.
func (m *Matches) Reason() popup.Reason {
	s := m.snapshot
	if s == nil {
		return popup.Eligible
	}
	if s.active.count() < s.byID.size {
		m.furthest = max(m.furthest, popup.NotActive)
	}
	if m.open > m.fits {
		m.furthest = max(m.furthest, popup.NotTargeted)
	}
	if m.furthest < popup.WrongTrigger && m.here != nil {
		m.here.each(func(x *index) {
			if x != m.index {
				m.stopped(x, 0, popup.WrongTrigger)
			}
		})
	}
	if m.furthest < popup.WrongPlacement && s.active != nil {
		here := 0
		if m.here != nil {
			m.here.each(func(x *index) {
				open, _ := x.openAt(m.nowMS, m.zone)
				here += open
			})
		}
		m.stopped(s.active, here, popup.WrongPlacement)
	}
	return m.furthest
}

// stopped notes the furthest gate of the popups of an index: their schedule, or gate if more
// are open than those that pass it.
func (m *Matches) stopped(x *index, pass int, gate popup.Reason) {
	open, closed := x.openAt(m.nowMS, m.zone)
	m.furthest = max(m.furthest, closed)
	if open > pass {
		m.furthest = max(m.furthest, gate)
	}
}

// Release forgets the request and the snapshot, and keeps the memory. What is empty costs
// nothing here.
func (m *Matches) Release() {
	m.snapshot, m.here, m.index, m.zone, m.user = nil, nil, nil, nil, nil
	for i := range m.cursors {
		m.cursors[i].drop()
	}
	m.cursors = m.cursors[:0]
	if len(m.filters) > 0 {
		clear(m.filters)
		m.filters = m.filters[:0]
	}
	m.scratch.reset()
	if m.usersOf = nil; m.users.request != nil {
		m.users.release()
	}
	if len(m.skips) > 0 {
		clear(m.skips)
		m.skips = m.skips[:0]
	}
	m.value.release()
}
