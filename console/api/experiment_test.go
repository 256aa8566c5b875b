package api_test

import (
	"encoding/json"
	"math"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/popupd/popupd/popup"
)

type experiment struct {
	Goal, Status string
	WindowDays   int `json:"window_days"`
	Since        *string
	Level        float64
	Arms         []experimentArm
	SRM          struct {
		P      float64
		Status string
		Since  *string
	}
	MixedUsers uint64 `json:"mixed_users"`
	Changes    []struct {
		Version uint32
		Fields  []string
	}
}

type experimentArm struct {
	Variant           string
	Control, Baseline bool
	Users, Converted  uint64
	Rate              float64
	Lift              *float64
	LiftLow           *float64 `json:"lift_low"`
	LiftHigh          *float64 `json:"lift_high"`
	Different         bool
	Impressions       uint64
	Clicks            uint64
	CTR               float64
}

func (p *plane) experiment(query string) (e experiment) {
	p.t.Helper()
	p.Want(200, "", "GET", popupsPath+"/a/experiment"+query, "").Decode(p.t, &e)
	return e
}

func TestExperiment(t *testing.T) {
	p := newPlane(t)
	p.Want(201, "", "POST", popupsPath, `{"key":"a","goal":{"event":"purchase","window_sec":90000},"variants":[{"key":"a"},{"key":"none","weight":0},{"key":"c","control":true}]}`)
	if e := p.experiment(""); e.Status != "too_few" || e.Goal != "click" || e.WindowDays != 2 || e.Since != nil || len(e.Arms) != 2 ||
		e.SRM.P != 1 || e.SRM.Status != "ok" || e.Changes == nil || len(e.Changes) != 0 {
		t.Errorf("without users: %+v", e)
	}
	of := func(variant string, outcome popup.Outcome, users uint64) popup.ExperimentCount {
		return popup.ExperimentCount{Version: 1, Variant: variant, Outcome: outcome, Users: users}
	}
	within := func(converted uint64) []popup.ExperimentCount {
		return []popup.ExperimentCount{
			of("a", popup.Exposed, 5000), of("a", popup.Mixed, 10), of("a", popup.Clicked, 1500), of("a", popup.Converted, converted),
			of("c", popup.Exposed, 5000), of("c", popup.Mixed, 3), of("c", popup.Converted, 400),
		}
	}
	p.store.experiments = map[uint32]map[int][]popup.ExperimentCount{1: {2: within(460), 3: within(600)}}
	p.store.counts = map[uint32][]popup.Counts{1: {
		{Variant: "a", HourMS: p.store.now() / 3_600_000 * 3_600_000, Impressions: 6000, Clicks: 1530},
		{Variant: "a", HourMS: p.store.now() / 3_600_000 * 3_600_000, Impressions: 2000, Clicks: 470},
		{Variant: "a", HourMS: 0, Impressions: 100, Clicks: 100}, // before the experiment
	}}
	e := p.experiment("?goal=convert")
	want := experimentArm{Variant: "c", Control: true, Baseline: true, Users: 5000, Converted: 400, Rate: 0.08}
	if d := cmp.Diff(want, e.Arms[0]); d != "" {
		t.Errorf("baseline (-want +got):\n%s", d)
	}
	arm := e.Arms[1]
	if arm.Lift == nil || math.Abs(*arm.Lift-0.15) > 1e-9 || *arm.LiftLow >= 0 || *arm.LiftHigh <= 0.15 {
		t.Fatalf("lift of %+v", arm)
	}
	arm.Lift, arm.LiftLow, arm.LiftHigh = nil, nil, nil
	want = experimentArm{Variant: "a", Users: 5000, Converted: 460, Rate: 0.092, Impressions: 8000, Clicks: 2000, CTR: 0.25}
	if d := cmp.Diff(want, arm); d != "" {
		t.Errorf("the other arm (-want +got):\n%s", d)
	}
	if e.Status != "running" || e.MixedUsers != 13 || e.SRM.Status != "ok" || e.SRM.Since != nil || e.Since == nil || e.Level != 0.975 {
		t.Errorf("%+v", e)
	}
	if e := p.experiment("?goal=click"); e.Status != "too_few" { // nobody clicks on what is not shown
		t.Errorf("clicks: %+v", e)
	}
	if e := p.experiment("?goal=convert&window_days=3"); e.WindowDays != 3 || e.Status != "difference" || !e.Arms[1].Different || *e.Arms[1].LiftLow <= 0 {
		t.Errorf("a lift of 50 %%: %+v", e)
	}
	p.store.experiments[1][2] = append(within(460), of("a", popup.Exposed, 1000))
	if e := p.experiment(""); e.SRM.Status != "bad" {
		t.Errorf("6,010 to 5,003 users: %+v", e.SRM)
	}
}

// What was changed since the first user was exposed is marked.
func TestExperimentChanges(t *testing.T) {
	p := newPlane(t)
	etag := p.Want(201, "", "POST", popupsPath, `{"key":"a","variants":[{"key":"a"},{"key":"b"}]}`).Header.Get("ETag")
	for _, doc := range []string{
		`{"key":"a","name":"renamed","variants":[{"key":"a"},{"key":"b"}]}`,
		`{"key":"a","variants":[{"key":"a","weight":300},{"key":"b","content":{"title":"x"}}]}`,
	} {
		etag = p.Want(200, "", "PUT", popupsPath+"/a", doc, "If-Match", etag).Header.Get("ETag")
	}
	p.store.experiments = map[uint32]map[int][]popup.ExperimentCount{1: {7: {{Version: 1, Variant: "a", Outcome: popup.Exposed, Users: 1}}}}
	e := p.experiment("")
	if len(e.Changes) != 1 || e.Changes[0].Version != 3 || !cmp.Equal(e.Changes[0].Fields, []string{"weights", "content"}) || e.SRM.Since == nil {
		t.Errorf("changes %+v, mismatch %+v", e.Changes, e.SRM)
	}
}

func TestExperimentRefusals(t *testing.T) {
	p := newPlane(t)
	p.Want(201, "", "POST", popupsPath, `{"key":"a","variants":[{"key":"a"},{"key":"b"}]}`)
	p.Want(201, "", "POST", popupsPath, `{"key":"single"}`)
	for _, query := range []string{"goal=dismiss", "window_days=0", "window_days=91", "window_days=x"} {
		p.Want(400, "invalid_parameter", "GET", popupsPath+"/a/experiment?"+query, "")
	}
	p.Want(404, "popup_not_found", "GET", popupsPath+"/none/experiment", "")
	p.Want(404, "no_experiment", "GET", popupsPath+"/single/experiment", "")
}

// The example of docs/experiments.md is what the API answers to these counts.
func TestExperimentExample(t *testing.T) {
	p := newPlane(t)
	p.Want(201, "", "POST", popupsPath, `{"key":"a","variants":[{"key":"a","weight":40},{"key":"b","weight":40},{"key":"c","weight":20,"control":true}]}`)
	p.store.experiments = map[uint32]map[int][]popup.ExperimentCount{1: {7: {
		{Version: 1, Variant: "a", Outcome: popup.Exposed, Users: 4012}, {Version: 1, Variant: "a", Outcome: popup.Converted, Users: 361},
		{Version: 1, Variant: "a", Outcome: popup.Mixed, Users: 3}, {Version: 1, Variant: "a", Outcome: popup.Clicked, Users: 1203},
		{Version: 1, Variant: "b", Outcome: popup.Exposed, Users: 3985}, {Version: 1, Variant: "b", Outcome: popup.Converted, Users: 478},
		{Version: 1, Variant: "b", Outcome: popup.Clicked, Users: 1410},
		{Version: 1, Variant: "c", Outcome: popup.Exposed, Users: 2003}, {Version: 1, Variant: "c", Outcome: popup.Converted, Users: 160},
	}}}
	hour := p.store.now() / 3_600_000 * 3_600_000
	p.store.counts = map[uint32][]popup.Counts{1: {
		{Variant: "a", HourMS: hour, Impressions: 9840, Clicks: 1310}, {Variant: "b", HourMS: hour, Impressions: 9702, Clicks: 1533},
		{Variant: "c", HourMS: hour},
	}}
	answer := p.Want(200, "", "GET", popupsPath+"/a/experiment?goal=convert", "").Body
	page, err := os.ReadFile("../../docs/experiments.md")
	if err != nil {
		t.Fatal(err)
	}
	_, example, _ := strings.Cut(string(page), "```json\n")
	example, _, _ = strings.Cut(example, "```")
	var want, got any
	if err := json.Unmarshal([]byte(example), &want); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(answer, &got); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got, cmpopts.EquateApprox(0, 6e-5)); d != "" {
		t.Errorf("docs/experiments.md (-page +answer):\n%s\nanswer %s", d, answer)
	}
}
