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
