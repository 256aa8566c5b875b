package userstate

import (
	"maps"

	"github.com/popupd/popupd/frequency"
	"github.com/popupd/popupd/snapshot"
)

// SetPopups follows a change of the popups: entries of one that has left the
// snapshot are of no more use, since only archiving, which is final, removes it.
func (s *State) SetPopups(next *snapshot.Snapshot) {
	for _, p := range s.current {
		if next.Popup(p.ID) == nil {
			s.archived[p.ID] = true
		}
	}
	s.current = next.All()
	for _, p := range s.current {
		delete(s.archived, p.ID) // it has come back with a restored database
	}
	archived := maps.Clone(s.archived)
	s.table.SetPolicy(func(id uint32) frequency.Keep {
		switch p := next.Popup(id); {
		case p != nil && p.Frequency.MaxImpressions > 0:
			return frequency.KeepForever
		case archived[id]:
			return frequency.Drop
		}
		return frequency.KeepWhileWaiting // also of a popup that is too new to be known here
	})
}
