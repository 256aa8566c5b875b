package snapshot

import "github.com/popupd/popupd/popup"

// Snapshot is the catalog of popups as of one revision, compiled. It is
// immutable and may be used from any goroutine. A nil Snapshot is an empty one.
type Snapshot struct {
	Revision int64

	popups []*Popup // in selection order: priority high to low, then id low to high
	active []*Popup // those of popups that may be served
	byID   map[uint32]*Popup
}

// Match appends to dst every popup that fits the request by status, schedule,
// placement, targeting and rollout, in selection order. The reason is the
// furthest gate that stopped one of the others, [popup.Eligible] if none was
// stopped. It allocates only if dst must grow.
func (s *Snapshot) Match(dst []*Popup, r *popup.Request, nowMS int64) ([]*Popup, popup.Reason) {
	furthest := popup.Eligible
	if s == nil {
		return dst, furthest
	}
	if len(s.active) < len(s.popups) {
		furthest = popup.NotActive
	}
	var who subject
	who.init(r)
	for _, p := range s.active {
		reason := p.gate(&who, nowMS)
		if reason == popup.Eligible {
			dst = append(dst, p)
			continue
		}
		furthest = max(furthest, reason)
	}
	return dst, furthest
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
