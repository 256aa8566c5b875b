package snapshot

// Snapshot is the catalog of popups as of one revision, compiled. It is
// immutable and may be used from any goroutine. A nil Snapshot is an empty one.
type Snapshot struct {
	Revision int64

	popups []*Popup // in selection order: priority high to low, then id low to high
	active []*Popup // those of popups that may be served
	places map[string]*place
	byID   map[uint32]*Popup
}

// Popup returns the popup with this id, nil if there is none. Drafts and paused
// popups are found too, since actions on what they showed may come late;
// archived ones are not.
func (s *Snapshot) Popup(id uint32) *Popup {
	if s == nil {
		return nil
	}
	return s.byID[id]
}

// All returns every popup that is not archived, in selection order. The caller
// must not change the slice.
func (s *Snapshot) All() []*Popup {
	if s == nil {
		return nil
	}
	return s.popups
}
