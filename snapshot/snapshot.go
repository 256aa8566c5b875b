// Package snapshot compiles the popups of the catalog into an immutable
// [Snapshot], matches requests against it, and keeps it up to date.
package snapshot

import "github.com/popupd/popupd/popup"

// Snapshot is an immutable set of compiled popups.
type Snapshot struct {
	Revision int64
}

// Broken is a row that could not be compiled.
type Broken struct {
	ID, Version uint32
	Key         string
	Err         error
}

// Compile compiles rows.
func Compile(rows []popup.Row, revision int64, previous *Snapshot) (*Snapshot, []Broken) {
	return &Snapshot{Revision: revision}, nil
}

// Match appends every popup that fits, in selection order.
func (s *Snapshot) Match(dst []*Popup, r *popup.Request, nowMS int64) ([]*Popup, popup.Reason) {
	return dst, popup.Eligible
}

// Popup returns the popup with this id, nil if there is none.
func (s *Snapshot) Popup(id uint32) *Popup { return nil }

// All returns every popup in selection order.
func (s *Snapshot) All() []*Popup { return nil }

// Popup is a compiled popup.
type Popup struct {
	ID, Version uint32
	Key         string
	Status      popup.Status
	Priority    int
	Frequency   popup.Frequency
}

// Gate returns the first gate that stops the popup.
func (p *Popup) Gate(r *popup.Request, nowMS int64) popup.Reason { return popup.Eligible }

// Variant returns the user's variant.
func (p *Popup) Variant(user []byte) *Variant { return nil }

// Variant is a compiled variant.
type Variant struct {
	Key     []byte
	Control bool
}

// AppendPopup appends the answer.
func (v *Variant) AppendPopup(dst, placement []byte) []byte { return dst }
