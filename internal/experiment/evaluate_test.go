package experiment

import (
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/popupd/popupd/popup"
)

// specOf returns a popup with variants of these weights; that of c is a control.
func specOf(weights map[string]uint32) popup.Spec {
	s := popup.Spec{Goal: popup.GoalSpec{WindowSec: 604_800}}
	for _, key := range []string{"a", "b", "c"} {
		if w, ok := weights[key]; ok {
			s.Variants = append(s.Variants, popup.Variant{Key: key, Weight: w, Control: key == "c"})
		}
	}
	return s
}

// revisionsOf returns revisions, newest first, of specs, oldest first.
func revisionsOf(specs ...popup.Spec) []popup.Revision {
	revisions := make([]popup.Revision, len(specs))
	for i, s := range specs {
		revisions[len(specs)-1-i] = popup.Revision{Version: uint32(i + 1), CreatedAt: time.Unix(int64(i+1)*3600, 0).UTC(), Spec: s}
	}
	return revisions
}

func count(version uint32, variant string, outcome popup.Outcome, users uint64) popup.ExperimentCount {
	return popup.ExperimentCount{Version: version, Variant: variant, Outcome: outcome, Users: users}
}

// arm returns what Evaluate says of a variant.
func (r *Result) arm(t *testing.T, variant string, goal popup.ExperimentGoal) GoalResult {
	t.Helper()
	for _, a := range r.Arms {
		if a.Variant == variant {
			return a.Goals[goal]
		}
	}
	t.Fatalf("no arm %s in %+v", variant, r.Arms)
	return GoalResult{}
}

func TestEvaluate(t *testing.T) {
	revisions := revisionsOf(specOf(map[string]uint32{"a": 100, "b": 0, "c": 100}))
	counts := func(more uint64) []popup.ExperimentCount {
		return []popup.ExperimentCount{
			count(1, "a", popup.Exposed, 5000), count(1, "a", popup.Mixed, 10), count(1, "a", popup.Clicked, 1500),
			count(1, "a", popup.Converted, 460+more),
			count(1, "c", popup.Exposed, 5000), count(1, "c", popup.Mixed, 3), count(1, "c", popup.Converted, 400),
		}
	}
	r, ok := Evaluate(revisions, counts(0))
	if !ok || len(r.Arms) != 2 || r.Arms[0].Variant != "c" || !r.Arms[0].Control || r.Mixed != 13 {
		t.Fatalf("%v, %+v", ok, r)
	}
	a := r.arm(t, "a", popup.ConvertGoal)
	if a.Users != 5000 || a.Converted != 460 || math.Abs(a.Lift-0.15) > 1e-9 || a.Low > 0 || a.High < 0.15 || a.IsDifferent { // z is 2.1: enough for one look
		t.Errorf("460 conversions: %+v", a)
	}
	lift, _ := Compare(Arm{5000, 400}, Arm{5000, 460})
	if low, high := lift.Interval(0.025); math.Abs(low-a.Low) > 1e-9 || math.Abs(high-a.High) > 1e-9 || r.Level != 0.975 {
		t.Errorf("interval %v to %v at level %v, want %v to %v at 0.975: there are two comparisons", a.Low, a.High, r.Level, low, high)
	}
	if s := r.State(popup.ConvertGoal); s != Running {
		t.Errorf("state of conversions %s", s)
	}
	if s := r.State(popup.ClickGoal); s != TooFew { // nobody clicks on what is not shown
		t.Errorf("state of clicks %s", s)
	}
	if r.Mismatch.Status != OK || !r.Mismatch.Since.IsZero() {
		t.Errorf("mismatch %+v", r.Mismatch)
	}
	if d := r.Decisions(); d != nil {
		t.Errorf("decisions %+v", d)
	}
	r, _ = Evaluate(revisions, counts(150))
	if a := r.arm(t, "a", popup.ConvertGoal); a.Converted != 610 || !a.IsDifferent || a.Low <= 0 || r.State(popup.ConvertGoal) != Difference {
		t.Errorf("610 conversions: %+v", a)
	}
	if d := r.Decisions(); len(d) != 1 || d[0].Variant != "a" || d[0].Goal != popup.ConvertGoal {
		t.Errorf("decisions %+v", d)
	}
	if _, ok := Evaluate(revisionsOf(specOf(map[string]uint32{"a": 1})), nil); ok {
		t.Error("a popup with one variant has an experiment")
	}
}

// A version that leaves one variant ends the experiment, whose result stays.
func TestEvaluateWhatIsOver(t *testing.T) {
	revisions := revisionsOf(specOf(map[string]uint32{"a": 1, "b": 1}), specOf(map[string]uint32{"a": 0, "b": 1}))
	r, ok := Evaluate(revisions, []popup.ExperimentCount{count(1, "a", popup.Exposed, 100), count(1, "b", popup.Exposed, 100)})
	if !ok || len(r.Arms) != 2 || r.Mismatch.P != 1 {
		t.Errorf("%v, %+v", ok, r)
	}
	if d := cmp.Diff([]Change{{Version: 2, At: revisions[0].CreatedAt, Fields: []string{"weights"}}}, r.Changes); d != "" {
		t.Errorf("changes (-want +got):\n%s", d)
	}
}

// Changes of before the first user are none of the experiment's. Users of before a change
// of weights are not held against the weights of after it.
func TestEvaluateChanges(t *testing.T) {
	equal := specOf(map[string]uint32{"a": 100, "b": 100})
	draft := equal
	draft.Rollout.Percent = 10
	renamed, half := equal, equal
	renamed.Name = "renamed"
	half.Rollout.Percent = 50
	last := specOf(map[string]uint32{"a": 300, "b": 100})
	last.Rollout.Percent, last.Goal.Event = 50, "purchase"
	last.Variants[1].Content = map[string]any{"title": "x"}
	revisions := revisionsOf(draft, equal, renamed, half, last, last)
	r, _ := Evaluate(revisions, []popup.ExperimentCount{
		count(2, "a", popup.Exposed, 6000), count(2, "b", popup.Exposed, 5000),
		count(5, "a", popup.Exposed, 2000), count(5, "b", popup.Exposed, 500), count(5, "b", popup.Mixed, 500),
		count(6, "a", popup.Exposed, 1000),
	})
	at := func(version int) time.Time { return revisions[len(revisions)-version].CreatedAt }
	if d := cmp.Diff([]Change{{4, at(4), []string{"targeting"}}, {5, at(5), []string{"weights", "content", "goal"}}}, r.Changes); d != "" {
		t.Errorf("changes (-want +got):\n%s", d)
	}
	p := MismatchP([]uint64{3000, 1000}, []float64{3, 1})
	if !r.Since.Equal(at(2)) {
		t.Errorf("since %v, want %v", r.Since, at(2))
	}
	if r.Mismatch.P != p || !r.Mismatch.Since.Equal(at(5)) {
		t.Errorf("mismatch %+v, want %v since version 5", r.Mismatch, p)
	}
	r, _ = Evaluate(revisions, nil)
	if len(r.Changes) != 0 || !r.Since.IsZero() || !r.Mismatch.Since.IsZero() || r.Mismatch.P != 1 {
		t.Errorf("without users: changes %v, mismatch %+v", r.Changes, r.Mismatch)
	}
}

func TestWindowDays(t *testing.T) {
	for sec, want := range map[int64]int{1: 1, 86_400: 1, 86_401: 2, 604_800: 7, popup.MaxGoalWindow: popup.MaxExperimentDays} {
		if got := WindowDays(&popup.Spec{Goal: popup.GoalSpec{WindowSec: sec}}); got != want {
			t.Errorf("window of %d s: %d days, want %d", sec, got, want)
		}
	}
}
