package experiment

import (
	"maps"
	"reflect"
	"slices"
	"time"

	"github.com/popupd/popupd/popup"
)

// Alpha is how often, at most, a difference is called in an experiment without any.
const Alpha = 0.05

// goals are those of every experiment. All comparisons for both are one family, whichever
// goal one looks at.
var goals = [...]popup.ExperimentGoal{popup.ClickGoal, popup.ConvertGoal}

// Result is what the users of an experiment say.
type Result struct {
	Since    time.Time   // when the version was made under which the first user was exposed; zero: nobody was
	Arms     []ArmResult // the one that the others are compared with first
	Mixed    uint64      // users who saw several variants, and are left out
	Level    float64     // of each interval: all of them together are right with 1 - Alpha
	Mismatch Mismatch
	Changes  []Change // within the run, oldest first
}

// ArmResult is what the users of one variant did.
type ArmResult struct {
	Variant string
	Control bool
	Goals   map[popup.ExperimentGoal]GoalResult
}

// GoalResult is an arm as one goal sees it. IsCompared is false of the first arm, and while
// there are too few users; then there is no lift.
type GoalResult struct {
	Arm
	IsCompared      bool
	Lift, Low, High float64
	IsDifferent     bool // from the first arm, with all comparisons taken together
}

// Mismatch says how the shares of the users stand against the weights.
type Mismatch struct {
	P      float64
	Status Status
	Since  time.Time // users of before, who came under other weights, are left out; zero: there are none
}

// Change is a version of the popup that changed the experiment while it ran.
type Change struct {
	Version uint32
	At      time.Time
	Fields  []string // weights, targeting, content, goal
}

// IsTest reports whether users of a version of a popup see one of several variants.
func IsTest(s *popup.Spec) bool { return len(weightsOf(s)) > 1 }

// Evaluate says how the variants of a popup compare by its revisions, newest first, and by
// what was counted. It returns false if the popup never had two variants.
func Evaluate(revisions []popup.Revision, counts []popup.ExperimentCount) (Result, bool) {
	latest := slices.IndexFunc(revisions, func(r popup.Revision) bool { return IsTest(&r.Spec) })
	if latest < 0 {
		return Result{}, false
	}
	var r Result
	r.addArms(&revisions[latest].Spec, counts)
	r.compare()
	firstVersion := uint32(0)
	for _, c := range counts {
		if firstVersion == 0 || c.Version < firstVersion {
			firstVersion = c.Version
		}
	}
	if i := slices.IndexFunc(revisions, func(r popup.Revision) bool { return r.Version == firstVersion }); i >= 0 {
		r.Since = revisions[i].CreatedAt
	}
	r.Changes = changesOf(revisions, firstVersion)
	r.Mismatch = mismatchOf(revisions[latest:], counts, firstVersion)
	return r, true
}

// WindowDays returns the window of a popup's goal in days, of which the last one may not be
// a whole one.
func WindowDays(s *popup.Spec) int { return int((s.Goal.WindowSec + 86_399) / 86_400) }

// addArms makes the arms of the variants that users see now or have seen.
func (r *Result) addArms(s *popup.Spec, counts []popup.ExperimentCount) {
	for _, v := range s.Variants {
		arm := ArmResult{Variant: v.Key, Control: v.Control, Goals: map[popup.ExperimentGoal]GoalResult{}}
		var exposed, clicked, converted uint64
		for _, c := range counts {
			if c.Variant != v.Key {
				continue
			}
			switch c.Outcome {
			case popup.Exposed:
				exposed += c.Users
			case popup.Mixed:
				r.Mixed += c.Users
			case popup.Clicked:
				clicked += c.Users
			case popup.Converted:
				converted += c.Users
			}
		}
		if v.Weight == 0 && exposed == 0 {
			continue
		}
		arm.Goals[popup.ClickGoal] = GoalResult{Arm: Arm{exposed, clicked}}
		arm.Goals[popup.ConvertGoal] = GoalResult{Arm: Arm{exposed, converted}}
		r.Arms = append(r.Arms, arm)
	}
	if i := slices.IndexFunc(r.Arms, func(a ArmResult) bool { return a.Control }); i > 0 {
		control := r.Arms[i]
		r.Arms = slices.Insert(slices.Delete(r.Arms, i, i+1), 0, control)
	}
}

// compare compares all arms but the first with that one, for both goals.
func (r *Result) compare() {
	comparisons := len(goals) * (len(r.Arms) - 1)
	r.Level = 1 - Alpha/float64(comparisons)
	var p []float64
	for _, goal := range goals {
		for _, arm := range r.Arms[1:] {
			g := arm.Goals[goal]
			lift, ok := Compare(r.Arms[0].Goals[goal].Arm, g.Arm)
			if !ok {
				p = append(p, 1)
				continue
			}
			p = append(p, lift.P())
			g.IsCompared, g.Lift = true, lift.Estimate()
			g.Low, g.High = lift.Interval(1 - r.Level)
			arm.Goals[goal] = g
		}
	}
	rejected := Holm(p, Alpha)
	for i, goal := range goals {
		for k, arm := range r.Arms[1:] {
			g := arm.Goals[goal]
			g.IsDifferent = rejected[i*(len(r.Arms)-1)+k]
			arm.Goals[goal] = g
		}
	}
}

// State is how far an experiment has come for one goal.
type State string

// An experiment is TooFew until an arm can be compared.
const (
	TooFew     State = "too_few"
	Running    State = "running"
	Difference State = "difference" // an arm is different from the first one
)

// State returns how far the experiment has come.
func (r *Result) State(goal popup.ExperimentGoal) State {
	state := TooFew
	for _, arm := range r.Arms {
		switch g := arm.Goals[goal]; {
		case g.IsDifferent:
			return Difference
		case g.IsCompared:
			state = Running
		}
	}
	return state
}

// Decisions returns the differences that are called now.
func (r *Result) Decisions() (list []popup.ExperimentDecision) {
	for _, goal := range goals {
		for _, arm := range r.Arms {
			if g := arm.Goals[goal]; g.IsDifferent {
				list = append(list, popup.ExperimentDecision{Goal: goal, Variant: arm.Variant, Lift: g.Lift, LiftLow: g.Low, LiftHigh: g.High})
			}
		}
	}
	return list
}

// mismatchOf holds users by the variant of their first exposure against the weights of the
// newest revision: those who came under these, also if they saw another variant later.
func mismatchOf(revisions []popup.Revision, counts []popup.ExperimentCount, firstVersion uint32) Mismatch {
	weights := weightsOf(&revisions[0].Spec)
	since := revisions[0]
	for _, r := range revisions[1:] {
		if !maps.Equal(weightsOf(&r.Spec), weights) {
			break
		}
		since = r
	}
	keys := slices.Sorted(maps.Keys(weights))
	users, shares := make([]uint64, len(keys)), make([]float64, len(keys))
	for i, key := range keys {
		shares[i] = float64(weights[key])
		for _, c := range counts {
			if c.Variant == key && c.Version >= since.Version && (c.Outcome == popup.Exposed || c.Outcome == popup.Mixed) {
				users[i] += c.Users
			}
		}
	}
	m := Mismatch{P: MismatchP(users, shares)}
	m.Status = MismatchStatus(m.P)
	if firstVersion != 0 && firstVersion < since.Version {
		m.Since = since.CreatedAt
	}
	return m
}

// changesOf returns what changed since the version under which the first user was exposed;
// 0: nobody was.
func changesOf(revisions []popup.Revision, firstVersion uint32) (changes []Change) {
	if firstVersion == 0 {
		return nil
	}
	for i := len(revisions) - 2; i >= 0; i-- {
		before, now := &revisions[i+1].Spec, &revisions[i].Spec
		var fields []string
		for _, f := range []struct {
			name    string
			changed bool
		}{
			{"weights", !maps.Equal(weightsOf(before), weightsOf(now))},
			{"targeting", !reflect.DeepEqual(before.Targeting, now.Targeting) || before.Rollout != now.Rollout},
			{"content", !reflect.DeepEqual(contentOf(before), contentOf(now))},
			{"goal", before.Goal != now.Goal},
		} {
			if f.changed {
				fields = append(fields, f.name)
			}
		}
		if fields != nil && revisions[i].Version > firstVersion {
			changes = append(changes, Change{Version: revisions[i].Version, At: revisions[i].CreatedAt, Fields: fields})
		}
	}
	return changes
}

// weightsOf returns the weights of the variants that get users.
func weightsOf(s *popup.Spec) map[string]uint32 {
	weights := map[string]uint32{}
	for _, v := range s.Variants {
		if v.Weight > 0 {
			weights[v.Key] = v.Weight
		}
	}
	return weights
}

// contentOf returns what users of each variant see, which is nothing of a control.
func contentOf(s *popup.Spec) map[string]popup.Variant {
	content := map[string]popup.Variant{}
	for _, v := range s.Variants {
		v.Weight = 0
		content[v.Key] = v
	}
	return content
}
