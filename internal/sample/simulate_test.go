package sample

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/popupd/popupd/audience"
	"github.com/popupd/popupd/popup"
	"github.com/popupd/popupd/snapshot"
)

const hourly = `"frequency":{"after_impression_sec":3600}`

func wins(s popup.Simulation) map[string][2]int {
	out := map[string][2]int{}
	for _, p := range s.Popups {
		out[p.Key] = [2]int{p.WinsBefore, p.WinsAfter}
	}
	return out
}

// A popup with a higher priority takes what it takes from the others, and starves those
// whose users all see it. Nothing in force changes.
func TestSimulate(t *testing.T) {
	pro := `"targeting":{"all":[{"attr":"plan","op":"eq","value":"pro"}]}`
	b := newBench(t, 10, hourly+`,"priority":1`, hourly+","+pro)
	inForce := b.config.Snapshots.Current()
	for range 4 { // every half hour
		for i := range 10 {
			r := popup.Request{User: fmt.Appendf(nil, "user %d", i)}
			if i < 5 {
				r.Attrs = []popup.Attr{{Name: []byte("plan"), Value: []byte("pro")}}
			}
			b.offer(&r)
		}
		b.pass(30 * time.Minute)
	}
	// As things are, p1 is shown at the first and third poll, p2 to five users in between.
	got := b.simulate(
		`{"popups":[{"key":"new","priority":9,"frequency":{"after_impression_sec":1800}}],"reach_days":1}`)
	if got.Polls != 40 || got.Users != 10 || got.AnsweredBefore != 30 || got.AnsweredAfter != 40 {
		t.Errorf("%+v", got)
	}
	if d := cmp.Diff(map[string][2]int{"new": {0, 40}, "p1": {20, 0}, "p2": {10, 0}}, wins(got)); d != "" {
		t.Errorf("wins (-want +got):\n%s", d)
	}
	for i, key := range []string{"new", "p1", "p2"} {
		if p := got.Popups[i]; p.Key != key || p.Starved != (key != "new") || (p.Reach != nil) != (key == "new") {
			t.Errorf("popup %d: %+v", i, p)
		}
	}
	if r := got.Popups[0].Reach; r.Users != 10 || r.Reached != 10 || r.Days != 1 || r.Share != 1 || r.ShareHigh < 0.999 || math.Abs(r.ShareLow-0.7225) > 0.001 {
		t.Errorf("reach %+v", r)
	}

	// Without a proposal both are the same; with a gap, fewer are answered.
	if got := b.simulate(`{}`); got.AnsweredBefore != 30 || got.AnsweredAfter != 30 || len(got.Popups) != 2 {
		t.Errorf("nothing proposed: %+v", got)
	}
	if got := b.simulate(`{"settings":{"min_gap_sec":86400}}`); got.AnsweredBefore != 30 || got.AnsweredAfter != 10 {
		t.Errorf("a gap of a day: %+v", got)
	}
	if got := b.simulate(`{"settings":{"caps":[{"key":"a","max":2,"per_sec":86400}]}}`); got.AnsweredAfter != 20 {
		t.Errorf("two a day: %+v", got)
	}
	if d := cmp.Diff(map[string][2]int{"p1": {20, 0}, "p2": {10, 10}}, wins(b.simulate(`{"popups":[{"key":"p1","status":"archived"}]}`))); d != "" {
		t.Errorf("p1 archived (-want +got):\n%s", d)
	}
	if b.config.Snapshots.Current() != inForce || len(inForce.All()) != 2 {
		t.Error("what is in force was changed")
	}
}

// Reach counts whom a popup would be shown to in time: not those whom another popup keeps
// from it, nor before it starts.
func TestReach(t *testing.T) {
	b := newBench(t, 10, `"priority":5,"frequency":{"after_impression_sec":0},"targeting":{"all":[{"attr":"vip","op":"exists"}]}`)
	for range 24 { // hourly, for a day
		b.pass(time.Hour)
		for i := range 20 {
			r := popup.Request{User: fmt.Appendf(nil, "user %d", i)}
			if i < 5 {
				r.Attrs = []popup.Attr{{Name: []byte("vip"), Value: []byte("1")}}
			}
			b.offer(&r)
		}
	}
	in3Days := time.UnixMilli(b.nowMS).UTC().Add(72 * time.Hour).Format(time.RFC3339)
	for body, want := range map[string]int{
		`{"popups":[{"key":"new"}],"reach_days":2}`:                                                         15,
		`{"popups":[{"key":"new","schedule":{"start_at":"` + in3Days + `"}}],"reach_days":2}`:               0,
		`{"popups":[{"key":"new","schedule":{"start_at":"` + in3Days + `"}}],"reach_days":4}`:               15,
		`{"popups":[{"key":"new","priority":9}],"settings":{"caps":[{"key":"a","max":1,"per_sec":86400}]}}`: 20,
		`{"popups":[{"key":"new","status":"paused"}]}`:                                                      0,
	} {
		got := b.simulate(body).Popups
		i := 0
		for got[i].Key != "new" {
			i++
		}
		if r := got[i].Reach; r.Users != 20 || r.Reached != want {
			t.Errorf("%s: %+v, want %d of 20", body, r, want)
		}
	}
}

// Who fits the targeting is counted whatever else stops the popup, and in whichever placement.
func TestFit(t *testing.T) {
	b := newBench(t, 10, `"priority":5`)
	for range 3 {
		for i := range 10 {
			r := popup.Request{User: fmt.Appendf(nil, "user %d", i), Platform: []byte("web")}
			if i < 4 {
				r.Platform = []byte("ios")
			}
			b.offer(&r)
		}
		b.pass(time.Minute)
	}
	const ios = `"targeting":{"all":[{"attr":"platform","op":"eq","value":"ios"}]}`
	for spec, want := range map[string]popup.Fit{
		``:  {Polls: 30, Users: 10},
		ios: {Polls: 12, Users: 4},
		ios + `,"status":"draft","rollout":{"percent":0},"placements":["other"],"schedule":{"end_at":"2001-01-01T00:00:00Z"}`: {Polls: 12, Users: 4},
		`"targeting":{"none":[{"attr":"audience","op":"in","value":["none"]}]}`:                                               {}, // there is no such audience: it is for nobody
	} {
		if spec != "" {
			spec = "," + spec
		}
		got := b.simulate(`{"popups":[{"key":"new"` + spec + `}],"reach_days":0}`).Popups
		i := slices.IndexFunc(got, func(p popup.SimulatedPopup) bool { return p.Key == "new" })
		if got[i].Fit == nil || *got[i].Fit != want || got[i].Reach != nil {
			t.Errorf("%s: fit %+v, reach %+v, want %+v", spec, got[i].Fit, got[i].Reach, want)
		}
	}
	got := b.simulate(`{"popups":[{"key":"p1","status":"archived"}]}`).Popups
	if len(got) != 1 || got[0].Fit != nil || got[0].Reach == nil {
		t.Errorf("archived: %+v", got)
	}
	if got := b.simulate(`{}`).Popups; len(got) != 1 || got[0].Fit != nil {
		t.Errorf("nothing proposed: %+v", got)
	}
}

// TestSimulateAudiences: who is in a list is known of polls without the users' ids.
func TestSimulateAudiences(t *testing.T) {
	b := newBench(t, 10, "")
	key := audience.Key{1}
	set, err := audience.Build([]uint64{audience.Fingerprint(key, []byte("user 1")), audience.Fingerprint(key, []byte("user 2"))})
	if err != nil {
		t.Fatal(err)
	}
	vip := popup.AudienceRow{ID: 1, Version: 1, Key: "vip", List: 7}
	s, _ := snapshot.Compile(popup.Catalog{Audiences: []popup.AudienceRow{vip}, AudienceKey: key}, nil)
	b.config.Snapshots.Set(s.WithList(snapshot.List{Row: vip, Set: set}))
	for i := range 10 {
		b.poll(fmt.Sprint("user ", i))
	}
	for op, want := range map[string]int{"in": 2, "not_in": 8} {
		got := b.simulate(`{"popups":[{"key":"new","targeting":{"all":[{"attr":"audience","op":"` + op + `","value":["vip"]}]}}]}`)
		if got.AnsweredAfter != want || got.Popups[0].Reach.Reached != want {
			t.Errorf("%s: %d polls are answered, %d users reached, want %d", op, got.AnsweredAfter, got.Popups[0].Reach.Reached, want)
		}
	}
}

// Who is hashed is in a rollout by chance, as anybody: half of many in one of 50 %.
func TestRolloutIsDrawnAnew(t *testing.T) {
	b := newBench(t, 10)
	for i := range 2000 {
		b.poll(fmt.Sprint("user ", i))
	}
	got := b.simulate(`{"popups":[{"key":"half","rollout":{"percent":50}}]}`)
	if n := got.Popups[0].WinsAfter; n < 900 || n > 1100 {
		t.Errorf("%d of 2000 see a rollout of 50 %%", n)
	}
}

func TestOneSimulationAtATime(t *testing.T) {
	b := newBench(t, 10)
	b.simulating.Lock() // as one that is under way
	if _, err := b.Simulate(t.Context(), popup.Proposal{}); err != popup.ErrBusy {
		t.Errorf("a second one: %v, want %v", err, popup.ErrBusy)
	}
	b.simulating.Unlock()
	if _, err := b.Simulate(t.Context(), proposal(t, `{}`)); err != nil {
		t.Error(err)
	}
}

// A simulation ends when its client goes, or when it takes too long, and says which.
func TestSimulationEnds(t *testing.T) {
	gone := errors.New("gone")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(gone)
	p := pacer{ctx: ctx, since: time.Now().Add(-time.Hour)}
	var err error
	for range 16 {
		err = p.step()
	}
	if err != gone {
		t.Errorf("%v, want %v", err, gone)
	}
}

// A proposal that the compiler refuses is named by its place.
func TestProposalIsNamedByItsPlace(t *testing.T) {
	b := newBench(t, 10, hourly)
	var fields popup.FieldErrors
	_, err := b.Simulate(t.Context(), popup.Proposal{ReachDays: 1, Popups: []popup.Spec{{Key: "p1"}, {Key: "bad", Status: "odd"}}})
	if !errors.As(err, &fields) || fields[len(fields)-1].Pointer != "/popups/1" {
		t.Errorf("%v", err)
	}
}

func TestWilson(t *testing.T) {
	for _, c := range []struct {
		k, n             int
		share, low, high float64
	}{ // by statsmodels' proportion_confint(method="wilson")
		{0, 0, 0, 0, 1},
		{0, 10, 0, 0, 0.277533},
		{10, 10, 1, 0.722467, 1},
		{3, 20, 0.15, 0.052369, 0.360420},
		{500, 1000, 0.5, 0.469066, 0.530934},
	} {
		share, low, high := wilson(c.k, c.n)
		if math.Abs(share-c.share)+math.Abs(low-c.low)+math.Abs(high-c.high) > 1e-5 {
			t.Errorf("%d of %d: %v [%v, %v], want %v [%v, %v]", c.k, c.n, share, low, high, c.share, c.low, c.high)
		}
	}
}
