package snapshot

import "github.com/popupd/popupd/popup"

// Apply puts a change in force on top of previous, which may be nil. It is [Compile] of all
// rows as they are after the change, but that broken only has rows of the change.
func Apply(previous *Snapshot, change popup.CatalogChange) (*Snapshot, []Broken) {
	isChanged := make(map[uint32]bool, len(change.Popups))
	for i := range change.Popups {
		isChanged[change.Popups[i].ID] = true
	}
	next := popup.Catalog{Revision: change.Revision, Settings: previous.Settings().Row()}
	if change.Settings != nil {
		next.Settings = *change.Settings
	}
	for _, p := range previous.All() {
		if !isChanged[p.ID] {
			next.Popups = append(next.Popups, p.Row())
		}
	}
	next.Popups = append(next.Popups, change.Popups...)
	s, broken := Compile(next, previous)
	if previous != nil {
		s.newest = max(s.newest, previous.newest)
		for id := range previous.broken {
			if !isChanged[id] {
				s.broken[id] = true
			}
		}
	}
	return s, broken
}
