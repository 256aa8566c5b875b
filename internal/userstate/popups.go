package userstate

import (
	"math/bits"
	"slices"
	"sync"
	"time"

	"github.com/popupd/popupd/frequency"
	"github.com/popupd/popupd/popup"
	"github.com/popupd/popupd/snapshot"
)

// setCaps has impressions kept for as long as the caps that cover their popups count
// them: those that only a short cap counts must not take the room of others. Of what is
// too new to be known here all are kept. It reports whether caps count for longer than
// before.
func (s *State) setCaps(next *snapshot.Snapshot) (longer bool) {
	last := s.capMS()
	s.caps.Store(next)
	longest := s.capMS()
	if longest == 0 {
		s.table.KeepImpressions(nil)
		return false
	}
	caps := next.Caps()
	s.table.KeepImpressions(func(id uint32) int64 {
		if p := next.Popup(id); p != nil {
			return longestOf(caps, p.Caps)
		}
		return longest
	})
	return longest > last
}

// capMS returns within how many ms caps count impressions, 0 without caps.
func (s *State) capMS() (ms int64) {
	caps := s.caps.Load().Caps()
	return longestOf(caps, 1<<len(caps)-1)
}

// longestOf returns within how many ms the longest cap of a set counts impressions.
func longestOf(caps []popup.Cap, of popup.CapSet) (ms int64) {
	for ; of != 0; of &= of - 1 {
		ms = max(ms, 1000*caps[bits.TrailingZeros16(uint16(of))].PerSec)
	}
	return ms
}

// SetPopups follows a change of the popups, in time proportional to it; next was compiled
// after the snapshot that was set before. Entries of a popup that has left the
// snapshot are of no more use, but for the gap, since only archiving, which is final,
// removes it. Impressions of one that is limited from now on, or has a goal that counts
// for longer, may have been swept, as may those that only a longer gap asks for: the
// database knows them.
func (s *State) SetPopups(next *snapshot.Snapshot) {
	last, changed := s.caps.Load(), next.Changed()
	if last == nil || last.Settings() != next.Settings() { // then caps may count for longer that are the same ones
		changed = next.All()
	}
	behind := slices.ContainsFunc(changed, func(p *snapshot.Popup) bool { return keepsMore(last, next, p) })
	gap := s.table.MinGap()
	s.table.SetMinGap(time.Duration(next.Settings().MinGapSec) * time.Second)
	behind = behind || s.table.MinGap() > gap
	if s.setCaps(next) {
		behind = true
	}
	keeps, seen := make(map[uint32]int64, len(changed)), make(map[uint32]int64, len(changed)+1)
	seen[0] = keptForCaps(s.capMS())
	for _, p := range changed {
		keeps[p.ID], seen[p.ID] = keptFor(p), keptForCaps(longestOf(next.Caps(), p.Caps))
		if s.archived.remove(p.ID) { // it has come back with a restored database
			s.known.forget()
			behind = true
		}
	}
	for _, p := range next.Removed() {
		keeps[p.ID], seen[p.ID] = notKept, notKept
		s.archived.add(p.ID)
	}
	s.known.setKeeps(keeps, seen)
	s.table.SetPolicy(func(id uint32) frequency.Retention {
		switch p := next.Popup(id); {
		case p != nil && p.Frequency.MaxImpressions > 0:
			return frequency.Retention{Keep: frequency.KeepForever}
		case p != nil:
			return frequency.Retention{GoalMS: p.GoalWindow.Milliseconds()}
		case s.archived.has(id):
			return frequency.Retention{Keep: frequency.Drop}
		}
		return frequency.Retention{} // also of a popup that is too new to be known here
	})
	if behind { // now that all that is read is kept
		s.Behind()
	}
}

// keepsMore reports whether more is to be kept of a popup of next than of what it was in
// last.
func keepsMore(last, next *snapshot.Snapshot, now *snapshot.Popup) bool {
	p := last.Popup(now.ID)
	return p != nil && (p.Frequency.MaxImpressions == 0 && now.Frequency.MaxImpressions > 0 || p.GoalWindow < now.GoalWindow ||
		longestOf(last.Caps(), p.Caps) < longestOf(next.Caps(), now.Caps))
}

// keptFor returns for how many ms after an impression the entries of a popup are kept.
func keptFor(p *snapshot.Popup) int64 {
	if p.Frequency.MaxImpressions > 0 {
		return forEver
	}
	return p.GoalWindow.Milliseconds()
}

// keptForCaps returns for how long impressions are kept that caps count for so many ms.
func keptForCaps(ms int64) int64 {
	if ms == 0 {
		return notKept
	}
	return ms
}

// archivedPopups are the ids of popups that have left the snapshot.
type archivedPopups struct {
	mu  sync.RWMutex // guards ids
	ids map[uint32]bool
}

func (a *archivedPopups) has(id uint32) bool {
	a.mu.RLock()
	defer a.mu.RUnlock()
	return a.ids[id]
}

func (a *archivedPopups) add(id uint32) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.ids[id] = true
}

// remove reports whether the popup was one of them.
func (a *archivedPopups) remove(id uint32) bool {
	if !a.has(id) {
		return false
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.ids, id)
	return true
}
