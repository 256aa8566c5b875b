package persist

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/popupd/popupd/popup"
)

// A decision is stored once, as it was when it was found.
func TestDecisions(t *testing.T) {
	eachStore(t, func(t *testing.T, s *store) {
		p := mustCreate(t, s, `{"key":"a","variants":[{"key":"a"},{"key":"b"}]}`)
		d := popup.ExperimentDecision{PopupID: p.ID, Key: "a", Goal: popup.ClickGoal, Variant: "b", Lift: 0.1, LiftLow: 0.01, LiftHigh: 0.25}
		again := d
		again.Lift = 0.2
		other := d
		other.Goal = popup.ConvertGoal
		nobodys := d
		nobodys.PopupID = 99
		for _, step := range []struct {
			popup.ExperimentDecision
			isNew bool
		}{{d, true}, {again, false}, {other, true}, {nobodys, false}} {
			isNew, err := s.insertDecision(t.Context(), s.write, step.ExperimentDecision)
			if err != nil || isNew != step.isNew {
				t.Errorf("%+v: new %v, %v; want %v", step.ExperimentDecision, isNew, err, step.isNew)
			}
		}
		got, err := s.ExperimentDecisions(t.Context(), 0)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]popup.ExperimentDecision{d, other}, got, cmpopts.IgnoreFields(d, "AtMS")); diff != "" {
			t.Errorf("decisions (-want +got):\n%s", diff)
		}
		if len(got) == 0 || got[0].AtMS == 0 {
			t.Fatalf("decisions without a time: %+v", got)
		}
		if later, err := s.ExperimentDecisions(t.Context(), got[len(got)-1].AtMS+1); err != nil || len(later) != 0 {
			t.Errorf("decisions of later: %+v, %v", later, err)
		}
	})
}
