package snapshot

import (
	"math"

	"github.com/popupd/popupd/popup"
)

// holdout is the sticky share of users who are shown nothing.
type holdout struct {
	share uint64 // of rolloutSteps
	hash  stickyHash
}

func newHoldout(h popup.Holdout) holdout {
	return holdout{uint64(math.Round(h.Percent * rolloutSteps / 100)), newStickyHash(purposeHoldout, h.Salt)}
}

// InHoldout reports whether a user is shown nothing, whatever would fit. It does not allocate.
func (s *Snapshot) InHoldout(user []byte) bool {
	h := &s.Settings().holdout
	return h.share > 0 && h.hash.sum(user)%rolloutSteps < h.share
}
