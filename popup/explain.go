package popup

import "time"

// Explanation says what a poll comes to and why, as it is sent to operators. Times are
// UTC, and nil where they are never or not known.
type Explanation struct {
	Revision    int64             `json:"revision"` // of the catalog
	At          time.Time         `json:"at"`       // when the poll takes place
	Winner      *string           `json:"winner"`   // key of the popup that is returned, of several the first; nil: none
	Winners     []ExplainedWinner `json:"winners"`  // all of them, in the order of selection
	Reason      *string           `json:"reason"`   // of none: the gate that stopped the best candidate
	NextPollSec int               `json:"next_poll_sec"`
	Candidates  []Candidate       `json:"candidates"` // a page of all popups that are not archived, from high to low priority, then by id
	NextCursor  *string           `json:"next_cursor"`
}

// ExplainedWinner is a popup that is returned.
type ExplainedWinner struct {
	Key       string `json:"key"`
	Variant   string `json:"variant"`
	Placement string `json:"placement"`
}

// Candidate is one popup in an [Explanation].
type Candidate struct {
	Key       string  `json:"key"`
	PopupID   uint32  `json:"popup_id"`
	Version   uint32  `json:"version"`
	Priority  int     `json:"priority"`
	Eligible  bool    `json:"eligible"`   // it is returned
	BlockedBy *string `json:"blocked_by"` // else why not: a [Reason]
	// EligibleAt is the first moment, from the time of the poll on, at which it would be
	// returned if no other popup were, and until which the user sees nothing else.
	EligibleAt *time.Time   `json:"eligible_at"`
	Gates      []Gate       `json:"gates"`                 // in the order of Reason
	State      *StateReport `json:"state"`                 // what is known of the user and the popup; nil: nothing
	PriorState *StateReport `json:"prior_state,omitempty"` // the same of the id that the user had before
}

// Gate is one thing that a popup has to pass to be returned.
type Gate struct {
	Gate       string               `json:"gate"` // StatusGate to MemoryGate
	Cap        string               `json:"cap,omitempty"`
	Open       bool                 `json:"open"`
	Reason     *string              `json:"reason"` // of a closed one: a [Reason]
	Wanted     string               `json:"wanted"`
	Actual     string               `json:"actual"`
	OpensAt    *time.Time           `json:"opens_at"` // of a closed one, if nothing else changes
	Conditions []ExplainedCondition `json:"conditions,omitempty"`
}

// The names of gates.
const (
	StatusGate         = "status"
	ScheduleGate       = "schedule"
	PlacementGate      = "placement"
	TriggerGate        = "trigger"
	TargetingGate      = "targeting"
	RolloutGate        = "rollout"
	HoldoutGate        = "holdout"
	ControlGate        = "control"
	CooldownGate       = "cooldown"
	MaxImpressionsGate = "max_impressions"
	MinGapGate         = "min_gap"
	CapGate            = "cap" // one for each cap that covers the popup
	RankGate           = "rank"
	MemoryGate         = "memory"
)

// ExplainedCondition is a condition of a popup with what the request says of its attribute.
type ExplainedCondition struct {
	Pointer string `json:"pointer"` // to it in the popup, as /targeting/all/0
	Condition
	Actual any    `json:"actual,omitempty"` // a string, a list of strings for a set, absent if it is missing
	Note   string `json:"note,omitempty"`   // why the operator cannot read what is there, as "is no number"
	Holds  bool   `json:"holds"`
	Passes bool   `json:"passes"` // it does not stop the popup by itself: it holds, or does not hold in none
}

// StateReport is a [State] as it is sent to operators. A wait that ends in the year 9999
// never does.
type StateReport struct {
	Impressions      uint32     `json:"impressions"`
	LastImpressionAt *time.Time `json:"last_impression_at"` // nil: not shown yet, or not known any more
	Acted            []string   `json:"acted"`              // what the user did with that impression
	LastAction       string     `json:"last_action"`
	LastActionAt     *time.Time `json:"last_action_at"`
	ClickUntil       *time.Time `json:"click_until"` // nil: no action asks for a wait
	NextAt           *time.Time `json:"next_at"`     // not returned before this
}

// Report returns the state as it is sent to operators.
func (s *State) Report() StateReport {
	return StateReport{
		Impressions: s.Seen(), LastImpressionAt: TimeOf(s.ServedAtMS), Acted: appendActed([]string{}, s.Acted),
		LastAction: s.Last.String(), LastActionAt: TimeOf(s.AtMS),
		ClickUntil: TimeOf(s.ClickUntilMS), NextAt: TimeOf(s.NextAtMS),
	}
}

// appendActed appends the names of the actions that acted has the bits of.
func appendActed(names []string, acted uint8) []string {
	for _, action := range []Action{Click, Dismiss, Convert, View, Release} {
		if acted&action.Bit() != 0 {
			names = append(names, action.String())
		}
	}
	return names
}

// Served is an impression of a user, or a control.
type Served struct {
	PopupID uint32
	Version uint32
	Variant string
	AtMS    int64
	Acted   uint8 // Action.Bit of what the user did with it, Unconfirmed, ControlBit, GoalBit
}

// Did returns what the user did with it, "goal" where a goal was counted for it.
func (s *Served) Did() []string {
	names := appendActed([]string{}, s.Acted)
	if s.Acted&GoalBit != 0 {
		names = append(names, Goal.String())
	}
	return names
}

// TimeOf returns a time of ms since the epoch, nil for 0, which stands for no time.
func TimeOf(ms int64) *time.Time {
	if ms == 0 {
		return nil
	}
	t := time.UnixMilli(ms).UTC()
	return &t
}

// Because returns what stops a popup as it is sent: nil for [Eligible].
func Because(r Reason) *string {
	if r == Eligible {
		return nil
	}
	name := r.String()
	return &name
}
