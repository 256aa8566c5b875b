package popup

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// Limits of a [Proposal].
const (
	MaxProposed      = 100 // popups
	MaxReachDays     = 30
	DefaultReachDays = 7
)

// What a simulation can run into.
var (
	ErrNoSample = errors.New("no polls are kept for simulations")
	ErrBusy     = errors.New("another simulation is running, or this one took too long")
)

// Proposal is what would be changed: popups that replace those of the same key or are new,
// and the settings, nil if they are to stay.
type Proposal struct {
	Popups    []Spec
	Settings  *Settings
	ReachDays int // how far ahead the reach of the proposed popups is estimated; 0: not at all
}

// Simulation is what a proposal would have done to a sample of recent polls.
type Simulation struct {
	From           time.Time        `json:"from"` // of the sample
	To             time.Time        `json:"to"`
	Users          int              `json:"users"`
	Polls          int              `json:"polls"`
	AnsweredBefore int              `json:"answered_before"` // polls with a popup, as things are
	AnsweredAfter  int              `json:"answered_after"`  // and as proposed
	Popups         []SimulatedPopup `json:"popups"`          // those that are proposed or were shown, in the order of selection
}

// SimulatedPopup is what becomes of one popup in a [Simulation].
type SimulatedPopup struct {
	Key        string `json:"key"`
	WinsBefore int    `json:"wins_before"` // times it was shown, as things are
	WinsAfter  int    `json:"wins_after"`
	Starved    bool   `json:"starved"` // it is not shown any more or, proposed as active, never
	Fit        *Fit   `json:"fit"`     // nil: it is not proposed, or as archived
	Reach      *Reach `json:"reach"`   // nil: it is not proposed, or no days are
}

// Fit is how much of the sample the targeting of a popup fits, in whichever placement and
// whatever else stops the popup.
type Fit struct {
	Polls int `json:"polls"`
	Users int `json:"users"` // with such a poll
}

// Reach is how many users of the sample would see a popup within some days.
type Reach struct {
	Days      int     `json:"days"`
	Users     int     `json:"users"`
	Reached   int     `json:"reached"`
	Share     float64 `json:"share"`      // of the users; 0 without users
	ShareLow  float64 `json:"share_low"`  // with ShareHigh: the 95 % interval of the share of all users
	ShareHigh float64 `json:"share_high"` // who poll like these
}

// DecodeProposal reads a proposal from JSON, its popups as [Decode] does, but that one
// without a status is active: a draft would change nothing.
func DecodeProposal(data []byte) (Proposal, error) {
	var d decoder
	return decodeAs(&d, data, d.proposal, (*Proposal).validate)
}

func (d *decoder) proposal(tree any) Proposal {
	p := Proposal{ReachDays: DefaultReachDays}
	o := d.object(tree, "popups", "settings", "reach_days")
	member(d, o, "popups", &p.Popups, list(d, d.proposedPopup))
	member(d, o, "settings", &p.Settings, d.proposedSettings)
	member(d, o, "reach_days", &p.ReachDays, func(v any) int { return int(d.count(v)) })
	return p
}

func (d *decoder) proposedPopup(v any) Spec {
	var own decoder
	s := own.spec(v)
	if o, ok := v.(object); ok {
		if _, ok := o.get("status"); !ok {
			s.Status = Active
		}
		s.validateAll(&own.errs)
	}
	d.errs.addWithin(d.path.pointer(), own.errs)
	return s
}

func (d *decoder) proposedSettings(v any) *Settings {
	if v == nil {
		return nil
	}
	var own decoder
	s := own.settings(v)
	s.validate(&own.errs)
	d.errs.addWithin(d.path.pointer(), own.errs)
	return &s
}

func (p *Proposal) validate(errs *FieldErrors) {
	if len(p.Popups) > MaxProposed {
		errs.add("/popups", fmt.Sprintf("must have at most %d elements", MaxProposed))
	}
	for i := range p.Popups {
		if slices.ContainsFunc(p.Popups[:i], func(s Spec) bool { return s.Key == p.Popups[i].Key }) {
			errs.add(index("/popups", i)+"/key", "occurs twice")
		}
	}
	if p.ReachDays > MaxReachDays {
		errs.add("/reach_days", fmt.Sprintf("must be 0 to %d", MaxReachDays))
	}
}
