package popup

// Reason is the gate that stopped a popup from being shown. The order is the
// order in which gates are tried, so of two candidates the one with the greater
// reason came further.
type Reason uint8

// The closed list of reasons: explain, stats and metrics use no other.
const (
	Eligible Reason = iota // nothing stopped it
	NotActive
	NotStarted
	Ended
	OutsideHours
	WrongPlacement
	WrongTrigger
	NotTargeted
	NotInRollout
	InHoldout
	InControl
	CooldownClick
	CooldownDismiss
	CooldownImpression
	MaxImpressionsSeen
	MinGap
	CapFull
	Outranked
	StateFull
	NumReasons // how many there are, for tables indexed by Reason
)

var reasonNames = [NumReasons]string{
	Eligible:           "eligible",
	NotActive:          "not_active",
	NotStarted:         "not_started",
	Ended:              "ended",
	OutsideHours:       "outside_hours",
	WrongPlacement:     "placement",
	WrongTrigger:       "trigger",
	NotTargeted:        "targeting",
	NotInRollout:       "rollout",
	InHoldout:          "holdout",
	InControl:          "control",
	CooldownClick:      "cooldown_click",
	CooldownDismiss:    "cooldown_dismiss",
	CooldownImpression: "cooldown_impression",
	MaxImpressionsSeen: "max_impressions",
	MinGap:             "min_gap",
	CapFull:            "cap",
	Outranked:          "outranked",
	StateFull:          "state_full",
}

// String returns the reason's name in explain, stats and metrics.
func (r Reason) String() string {
	if r < NumReasons {
		return reasonNames[r]
	}
	return "unknown"
}
