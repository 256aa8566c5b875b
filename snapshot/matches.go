package snapshot

import (
	"math/bits"

	"github.com/popupd/popupd/popup"
)

// Matches are the popups that fit a request, found as they are asked for. The
// zero value has none. It keeps its memory from one [Snapshot.Match] to the next.
type Matches struct {
	snapshot  *Snapshot
	here      *placement      // nil: nothing is ever shown there
	index     *placementIndex // of here and the request's trigger; nil: nothing waits for it there
	placement []byte
	user      []byte
	zone      []byte // of the user
	nowMS     int64

	fit      []uint64 // popups of index whose targeting the request matches
	met      []uint64 // those of which it meets a condition of any
	at       int      // word of fit that Next is at
	left     uint64   // bits of that word that Next has not looked at
	furthest popup.Reason
	value    value // scratch memory
}

// Match finds the popups that fit the request in one of its placements, by status,
// schedule, placement, trigger, targeting and rollout. m refers to both until [Matches.Release]. It
// does not allocate once m has served a placement of that many popups.
func (s *Snapshot) Match(m *Matches, r *popup.Request, placement []byte, nowMS int64) {
	m.snapshot, m.here, m.index, m.user, m.zone, m.nowMS = s, nil, nil, r.User, r.Zone, nowMS
	m.furthest, m.at, m.left, m.fit = popup.Eligible, 0, 0, m.fit[:0]
	if s == nil {
		return
	}
	m.placement = placement
	if m.here = s.byPlacement[string(placement)]; m.here == nil {
		return
	}
	if m.index = m.here.index(r.TriggerName()); m.index == nil {
		return
	}
	m.fit = append(m.fit, m.index.all...)
	if len(m.index.hasAny) > 0 {
		m.met = append(m.met[:0], m.index.all...)
		clear(m.met)
	}
	m.value.nowMS = nowMS
	m.index.target(m.fit, m.met, r, &m.value)
	m.left = m.fit[0]
}

// Next returns the next popup in selection order, nil after the last one.
// Schedule and rollout are looked at only here.
func (m *Matches) Next() *Popup {
	for m.at < len(m.fit) {
		if m.left == 0 {
			if m.at++; m.at < len(m.fit) {
				m.left = m.fit[m.at]
			}
			continue
		}
		i := m.at*64 + bits.TrailingZeros64(m.left)
		m.left &= m.left - 1
		reason := m.index.schedules[i].gate(m.nowMS, m.zone)
		if reason == popup.Eligible {
			p := m.index.popups[i]
			if p.inRollout(m.user) {
				return p
			}
			reason = popup.NotInRollout
		}
		m.furthest = max(m.furthest, reason)
	}
	return nil
}

// Reason returns the furthest gate that stopped a popup of the snapshot,
// [popup.Eligible] if none was stopped, once Next has returned nil.
func (m *Matches) Reason() popup.Reason {
	s := m.snapshot
	if s == nil {
		return popup.Eligible
	}
	if len(s.active) < len(s.popups) {
		m.furthest = max(m.furthest, popup.NotActive)
	}
	if m.furthest < popup.NotTargeted && m.index != nil {
		m.checkUntargeted()
	}
	if m.furthest < popup.WrongTrigger && m.here != nil {
		m.checkOtherTriggers()
	}
	if m.furthest < popup.WrongPlacement {
		m.checkOtherPlacements()
	}
	return m.furthest
}

// checkUntargeted finds the furthest gate of the popups that targeting stops: their
// targeting if one of them is open now, else their schedule.
func (m *Matches) checkUntargeted() {
	for _, w := range m.index.unscheduled {
		if w.bits&^m.fit[w.at] != 0 {
			m.furthest = popup.NotTargeted
			return
		}
	}
	for at, all := range m.index.all {
		for stopped := all &^ m.fit[at]; stopped != 0; stopped &= stopped - 1 {
			reason := m.index.schedules[at*64+bits.TrailingZeros64(stopped)].gate(m.nowMS, m.zone)
			if reason == popup.Eligible {
				m.furthest = popup.NotTargeted
				return
			}
			m.furthest = max(m.furthest, reason)
		}
	}
}

// checkOtherTriggers finds the furthest gate of the popups of the placement that wait
// for another trigger: the trigger if one of them is open now, else their schedule.
func (m *Matches) checkOtherTriggers() {
	if m.here.load != nil && m.here.load != m.index {
		m.checkOpen(m.here.load.popups, popup.WrongTrigger)
	}
	for _, x := range m.here.others {
		if x != m.index {
			m.checkOpen(x.popups, popup.WrongTrigger)
		}
	}
}

// checkOtherPlacements finds the furthest gate of the popups of other placements: their
// placement if one of them is open now, else their schedule.
func (m *Matches) checkOtherPlacements() {
	if m.here == nil || m.here.size < len(m.snapshot.active) {
		m.checkOpen(m.snapshot.active, popup.WrongPlacement)
	}
}

// checkOpen finds the furthest gate of popups that are stopped by gate unless their
// schedule stops them before.
func (m *Matches) checkOpen(popups []*Popup, gate popup.Reason) {
	for _, p := range popups {
		reason := p.schedule.gate(m.nowMS, m.zone)
		if reason == popup.Eligible {
			if gate == popup.WrongPlacement && p.isPlaced(m.placement) {
				continue
			}
			m.furthest = max(m.furthest, gate)
			return
		}
		m.furthest = max(m.furthest, reason)
	}
}

// Release forgets the request and the snapshot, and keeps the memory.
func (m *Matches) Release() {
	*m = Matches{fit: m.fit[:0], met: m.met[:0], value: value{buf: m.value.buf[:0]}}
}
