package userstate

import (
	"maps"
	"math/bits"
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

// SetPopups follows a change of the popups: entries of one that has left the
// snapshot are of no more use, but for the gap, since only archiving, which is final,
// removes it. Impressions of one that is limited from now on, or has a goal that counts
// for longer, may have been swept, as may those that only a longer gap asks for: the
// database knows them.
func (s *State) SetPopups(next *snapshot.Snapshot) {
	behind, last := false, s.caps.Load().Caps()
	for _, p := range s.current {
		switch now := next.Popup(p.ID); {
		case now == nil:
			s.archived[p.ID] = true
		case p.Frequency.MaxImpressions == 0 && now.Frequency.MaxImpressions > 0, p.GoalWindow < now.GoalWindow,
			longestOf(last, p.Caps) < longestOf(next.Caps(), now.Caps):
			behind = true
		}
	}
	s.current = next.All()
	gap := s.table.MinGap()
	s.table.SetMinGap(time.Duration(next.Settings().MinGapSec) * time.Second)
	behind = behind || s.table.MinGap() > gap
	if s.setCaps(next) {
		behind = true
	}
	keeps, seen := make(map[uint32]int64, len(s.current)), make(map[uint32]int64)
	if longest := s.capMS(); longest > 0 {
		seen[0] = longest
	}
	for _, p := range s.current {
		keeps[p.ID] = p.GoalWindow.Milliseconds()
		if p.Caps != 0 {
			seen[p.ID] = longestOf(next.Caps(), p.Caps)
		}
		if p.Frequency.MaxImpressions > 0 {
			keeps[p.ID] = forEver
		}
		if s.archived[p.ID] { // it has come back with a restored database
			delete(s.archived, p.ID)
			s.known.forget()
			behind = true
		}
	}
	s.known.setKeeps(keeps, seen)
	archived := maps.Clone(s.archived)
	s.table.SetPolicy(func(id uint32) frequency.Retention {
		switch p := next.Popup(id); {
		case p != nil && p.Frequency.MaxImpressions > 0:
			return frequency.Retention{Keep: frequency.KeepForever}
		case p != nil:
			return frequency.Retention{GoalMS: p.GoalWindow.Milliseconds()}
		case archived[id]:
			return frequency.Retention{Keep: frequency.Drop}
		}
		return frequency.Retention{} // also of a popup that is too new to be known here
	})
	if behind { // now that all that is read is kept
		s.Behind()
	}
}
