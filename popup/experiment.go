package popup

// ExperimentGoal is what users of an experiment are to do.
type ExperimentGoal string

// The goals that every experiment has.
const (
	ClickGoal   ExperimentGoal = "click"
	ConvertGoal ExperimentGoal = "convert" // a conversion, or the event of [GoalSpec]
)

// ExperimentDecision is the first time that a variant was told apart from the one that it
// is compared with. Lifts are shares: 0.1 is 10 % more.
type ExperimentDecision struct {
	PopupID                 uint32
	Key                     string // of the popup
	Goal                    ExperimentGoal
	Variant                 string
	AtMS                    int64 // by the store's clock
	Lift, LiftLow, LiftHigh float64
}

// Outcome is what a user of an experiment is counted for.
type Outcome string

// A user is either Exposed, with Clicked and Converted beside it, or Mixed.
const (
	Exposed   Outcome = "exposed"   // to one variant only
	Clicked   Outcome = "clicked"   // after the exposure
	Converted Outcome = "converted" // after the exposure, or reached the popup's goal
	Mixed     Outcome = "mixed"     // exposed to two variants: nothing else of the user is counted
)

// MaxExperimentDays is the longest window of a goal.
const MaxExperimentDays = MaxGoalWindow / 86_400

// ExperimentCount is how many users of a popup's experiment have one outcome within a window.
type ExperimentCount struct {
	Version uint32 // of the popup when they were exposed first
	Variant string // to which they were exposed first
	Outcome Outcome
	Users   uint64
}
