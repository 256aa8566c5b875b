package snapshot

import (
	"time"

	"github.com/popupd/popupd/popup"
)

// Popup is a compiled popup. It is immutable.
type Popup struct {
	ID, Version uint32
	Key         string
	Status      popup.Status
	Priority    int
	Tags        []string
	Frequency   popup.Frequency
	Caps        popup.CapSet  // of the settings in force that cover it
	GoalWindow  time.Duration // how long after an exposure its goal counts; 0: it has none
	Ignored     []string      // pointers of members of the row's spec that this version does not know

	trigger      string
	goal         string // name of the event that is its goal; empty: none
	placements   []string
	schedule     schedule
	targeting    targeting
	rolloutShare uint64 // users in the rollout, of rolloutSteps
	rollout      stickyHash
	variants     []Variant // those with a weight, by key
	row          popup.Row // what it was compiled from
}

// Row returns the row that the popup was compiled from. Its Spec must not be changed.
func (p *Popup) Row() popup.Row { return p.row }

// Gate returns the first gate that stops a popup from being shown in a placement
// to whoever asks, at nowMS: status, schedule, placement, trigger, targeting or rollout.
// [popup.Eligible] if none does. A popup that
// names an audience that can't be used is for nobody. It allocates only for conditions that
// ignore letter case or name audiences. [Snapshot.Match] finds the same for many popups in a
// fraction of the time.
func (s *Snapshot) Gate(p *Popup, r *popup.Request, placement []byte, nowMS int64) popup.Reason {
	if p.Status != popup.Active {
		return popup.NotActive
	}
	if reason := p.schedule.gate(nowMS, r.Zone); reason != popup.Eligible {
		return reason
	}
	switch {
	case !p.isPlaced(placement):
		return popup.WrongPlacement
	case string(r.TriggerName()) != p.trigger:
		return popup.WrongTrigger
	case !s.Targets(p, r, nowMS):
		return popup.NotTargeted
	case !p.inRollout(r.User):
		return popup.NotInRollout
	}
	return popup.Eligible
}

// IsOver reports whether the popup is to leave the screen, too: it is not active, or
// has ended. Outside its hours it may stay there.
func (p *Popup) IsOver(nowMS int64) bool {
	return p.Status != popup.Active || nowMS >= p.schedule.endMS
}

// inRollout reports whether the user is in the rollout.
func (p *Popup) inRollout(user []byte) bool {
	return p.rolloutShare >= rolloutSteps || p.rollout.sum(user)%rolloutSteps < p.rolloutShare
}

func (p *Popup) isPlaced(placement []byte) bool {
	for _, known := range p.placements {
		if known == string(placement) {
			return true
		}
	}
	return false
}
