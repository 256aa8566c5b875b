package decision

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/popupd/popupd/frequency"
	"github.com/popupd/popupd/popup"
	"github.com/popupd/popupd/snapshot"
)

// drawn is a catalog of random popups.
type drawn struct {
	specs    []map[string]any
	settings []byte
}

func drawCatalog(t *rapid.T) *drawn {
	c := &drawn{}
	sample := func(of string, values ...any) any { return rapid.SampledFrom(values).Draw(t, of) }
	for i := range rapid.IntRange(1, 6).Draw(t, "popups") {
		s := map[string]any{
			"key": fmt.Sprintf("p%d", i+1), "status": sample("status", "active", "active", "active", "active", "paused"),
			"priority": sample("priority", 0, 0, 1), "tags": sample("tags", []string{}, []string{"sale"}),
			"placements": sample("placements", []string{"home"}, []string{"home", "top"}, []string{"top"}),
			"frequency": map[string]any{
				"after_impression_sec": sample("after impression", 0, 60, 3600, 86400, -1), "after_click_sec": sample("after click", 60, 7200, -1),
				"after_dismiss_sec": sample("after dismiss", 0, 600), "max_impressions": sample("max", 0, 0, 0, 1, 3),
				"ignore_min_gap": sample("ignores", false, true), "confirm_sec": sample("confirm", 0, 0, 0, 30),
			},
		}
		if rapid.IntRange(0, 3).Draw(t, "scheduled") == 0 {
			s["schedule"] = drawSchedule(t)
		}
		if rapid.IntRange(0, 2).Draw(t, "targeted") == 0 {
			s["targeting"] = map[string]any{sample("group", "all", "any", "none").(string): []any{sample("condition",
				map[string]any{"attr": "plan", "op": "eq", "value": "pro"}, map[string]any{"attr": "plan", "op": "not_in", "value": []string{"free", "team"}},
				map[string]any{"attr": "signup", "op": "older_than", "value": "1d"}, map[string]any{"attr": "signup", "op": "newer_than", "value": "36h"})}}
		}
		if rapid.IntRange(0, 5).Draw(t, "rollout") == 0 {
			s["rollout"] = map[string]any{"percent": 50}
		}
		if rapid.IntRange(0, 5).Draw(t, "experiment") == 0 {
			s["variants"] = []any{map[string]any{"key": "a"}, map[string]any{"key": "none", "control": true}}
		}
		if rapid.IntRange(0, 9).Draw(t, "trigger") == 0 {
			s["trigger"] = "exit"
		}
		c.specs = append(c.specs, s)
	}
	caps := []any{}
	for i := range rapid.IntRange(0, 2).Draw(t, "caps") {
		caps = append(caps, map[string]any{"key": fmt.Sprint("cap", i), "max": sample("cap", 1, 2, 3), "per_sec": sample("per", 60, 3600, 86400), "tags": sample("cap's tags", []string{}, []string{"sale"})})
	}
	c.settings, _ = json.Marshal(map[string]any{
		"min_gap_sec": sample("gap", 0, 0, 600), "caps": caps, "holdout": map[string]any{"percent": sample("holdout", 0, 0, 0, 50)},
	})
	return c
}

func drawSchedule(t *rapid.T) map[string]any {
	s := map[string]any{}
	at := func(what string) string {
		return time.UnixMilli(startMS + rapid.Int64Range(-3*dayMS, 3*dayMS).Draw(t, what)).UTC().Format(time.RFC3339Nano)
	}
	if rapid.Bool().Draw(t, "starts") {
		s["start_at"] = at("start")
	} else if rapid.Bool().Draw(t, "ends") {
		s["end_at"] = at("end")
	}
	if rapid.Bool().Draw(t, "hours") {
		s["hours"] = [][2]string{{"09:00", "12:30"}}
		s["days"] = rapid.SampledFrom([][]string{{}, {"mon", "sat"}}).Draw(t, "days")
		s["timezone"] = rapid.SampledFrom([]string{"UTC", "America/New_York"}).Draw(t, "zone")
		s["user_time"] = rapid.Bool().Draw(t, "user time")
	}
	return s
}

// compile compiles the catalog; with only set, all popups but that one are paused.
func (c *drawn) compile(t *rapid.T, only string) *snapshot.Snapshot {
	var rows []popup.Row
	for i, s := range c.specs {
		key, status := s["key"].(string), s["status"]
		if only != "" && key != only {
			s["status"] = "paused"
		}
		spec, _ := json.Marshal(s)
		s["status"] = status
		rows = append(rows, popup.Row{ID: uint32(i + 1), Version: 1, Key: key, Spec: spec})
	}
	snap, broken := snapshot.Compile(popup.Catalog{Revision: 1, Popups: rows, Settings: popup.SettingsRow{Version: 1, Spec: c.settings}}, nil)
	for _, b := range broken {
		t.Fatal(b.Key, b.Err)
	}
	return snap
}

func drawPoll(t *rapid.T, nowMS int64) *popup.Request {
	r := &popup.Request{User: []byte(rapid.SampledFrom([]string{"u", "v", "w"}).Draw(t, "user"))}
	if rapid.IntRange(0, 3).Draw(t, "prior") == 0 {
		r.PriorUser = []byte("before")
	}
	for _, name := range rapid.SampledFrom([][]string{{"home"}, {"top"}, {"home", "top"}}).Draw(t, "placements") {
		r.Placements = append(r.Placements, []byte(name))
	}
	for _, plan := range rapid.SampledFrom([][]string{nil, {"pro"}, {"free"}, {"free", "pro"}}).Draw(t, "plan") {
		r.Attrs = append(r.Attrs, popup.Attr{Name: []byte("plan"), Value: []byte(plan)})
	}
	if rapid.Bool().Draw(t, "signed up") {
		at := startMS - rapid.Int64Range(0, 2*dayMS).Draw(t, "signup")
		r.Attrs = append(r.Attrs, popup.Attr{Name: []byte("signup"), Value: []byte(time.UnixMilli(at).UTC().Format(time.RFC3339Nano))})
	}
	if rapid.Bool().Draw(t, "zoned") {
		r.Zone = []byte("Asia/Tokyo")
	}
	if rapid.IntRange(0, 9).Draw(t, "exit") == 0 {
		r.Trigger = []byte("exit")
	}
	return r
}

// An explanation is what the poll then comes to, each popup is stopped by the first gate that
// is closed, and is returned at its EligibleAt, and not before, if it is the only one.
func TestExplainIsLikeThePoll(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := drawCatalog(t)
		snap := c.compile(t, "")
		users := frequency.New(frequency.Config{})
		users.SetMinGap(time.Duration(snap.Settings().MinGapSec) * time.Second)
		users.KeepImpressions(keptBy(snap))
		now := startMS
		var d Decision
		for range rapid.IntRange(0, 12).Draw(t, "polls") {
			now += rapid.SampledFrom([]int64{1, 99, 5000, minuteMS, 20 * minuteMS, dayMS / 2}).Draw(t, "step")
			r := drawPoll(t, now)
			if rapid.IntRange(0, 3).Draw(t, "as another") == 0 {
				r.User, r.PriorUser = []byte("before"), nil
			}
			d.Decide(snap, users, r, now, nil)
			for _, ev := range d.Events {
				if act := rapid.SampledFrom([]popup.Action{0, popup.View, popup.Click, popup.Dismiss, popup.Release}).Draw(t, "act"); act != 0 && ev.Action == popup.Impression {
					ev.Action, ev.AtMS = act, now+rapid.Int64Range(0, 5000).Draw(t, "after")
					u := users.Lock(r.User)
					u.Act(&ev, &snap.Popup(ev.Popup).Frequency, 0)
					u.Unlock()
				}
			}
		}
		now += rapid.SampledFrom([]int64{0, 1, 3000, 20 * minuteMS, dayMS}).Draw(t, "until the question")
		r := drawPoll(t, now)
		q := &Query{Request: *r, AtMS: now, Limit: 100}

		before := dumpOf(t, users)
		e, more := Explain(snap, users, q)
		if !slices.Equal(before, dumpOf(t, users)) {
			t.Fatal("explaining changed the table")
		}
		if more != 0 || len(e.Candidates) != len(c.specs) {
			t.Fatalf("%d candidates, more %d", len(e.Candidates), more)
		}
		known := users.Copy(nil, r.User, r.PriorUser, now)
		d.Decide(snap, users, r, now, nil)
		checkLikePoll(t, &e, &d, r, snap)
		for i := range e.Candidates {
			checkMoments(t, c, known, q, &e.Candidates[i])
		}
	})
}

// checkLikePoll compares an explanation with what the poll came to.
func checkLikePoll(t *rapid.T, e *popup.Explanation, d *Decision, r *popup.Request, snap *snapshot.Snapshot) {
	var winners []string
	for _, w := range d.Winners {
		winners = append(winners, w.Popup.Key)
		if i := len(winners) - 1; i >= len(e.Winners) || e.Winners[i] != (popup.ExplainedWinner{Key: w.Popup.Key, Variant: string(w.Variant.Key), Placement: string(r.Placements[w.Placement])}) {
			t.Fatalf("the poll returns %s: explained %+v", w.Popup.Key, e.Winners)
		}
	}
	if len(e.Winners) != len(winners) || (e.Winner == nil) != (len(winners) == 0) || e.Winner != nil && *e.Winner != winners[0] {
		t.Fatalf("the poll returns %q: explained %+v", winners, e.Winners)
	}
	if e.NextPollSec != d.NextPollSec {
		t.Fatalf("next poll in %d s, explained %d", d.NextPollSec, e.NextPollSec)
	}
	furthest, withheld := popup.Eligible, snap.InHoldout(r.User)
	for i := range e.Candidates {
		c := &e.Candidates[i]
		p := snap.Popup(c.PopupID)
		withheld = withheld || p.Variant(r.User).Control
		if c.Eligible != slices.Contains(winners, c.Key) || c.Eligible != (c.BlockedBy == nil) {
			t.Fatalf("%s: eligible %v, blocked by %v, the poll returns %q", c.Key, c.Eligible, c.BlockedBy, winners)
		}
		if deref(c.BlockedBy) == popup.Outranked.String() && !isTaken(snap, d, p, r) {
			t.Fatalf("%s: outranked, though a placement of it is left", c.Key)
		}
		closed := slices.IndexFunc(c.Gates, func(g popup.Gate) bool { return !g.Open })
		if c.Eligible != (closed < 0) || !c.Eligible && *c.Gates[closed].Reason != *c.BlockedBy {
			t.Fatalf("%s: blocked by %v, gates %+v", c.Key, deref(c.BlockedBy), c.Gates)
		}
		for reason := range popup.NumReasons {
			if c.BlockedBy != nil && reason.String() == *c.BlockedBy {
				furthest = max(furthest, reason)
			}
		}
	}
	if len(winners) == 0 && (*e.Reason != d.Reason.String() || !withheld && furthest != d.Reason) {
		t.Fatalf("nothing is returned because of %v, explained %s, of the popups %v came furthest", d.Reason, *e.Reason, furthest)
	}
}

// isTaken reports whether every placement that the popup fits has another popup.
func isTaken(snap *snapshot.Snapshot, d *Decision, p *snapshot.Popup, r *popup.Request) bool {
	for i, name := range r.Placements {
		taken := slices.ContainsFunc(d.Winners, func(w Winner) bool { return w.Placement == i })
		if !taken && snap.Gate(p, r, name, d.Winners[0].ServedAtMS) != popup.WrongPlacement {
			return false
		}
	}
	return true
}

// checkMoments tries a popup before, at and after its EligibleAt.
func checkMoments(t *rapid.T, c *drawn, known *frequency.Table, q *Query, of *popup.Candidate) {
	alone := c.compile(t, of.Key)
	var d Decision
	returned := func(atMS int64) bool {
		d.Dry(alone, known, &q.Request, atMS)
		return len(d.Winners) > 0
	}
	at := popup.Never
	if of.EligibleAt != nil {
		at = of.EligibleAt.UnixMilli()
		if !returned(at) {
			t.Fatalf("%s is not returned %d ms after the poll: %v; gates %+v", of.Key, at-q.AtMS, d.Reason, of.Gates)
		}
		if at > q.AtMS && returned(at-1) {
			t.Fatalf("%s is returned before %d ms after the poll", of.Key, at-q.AtMS)
		}
	}
	for _, after := range []int64{0, 1, 1000, 10 * minuteMS, dayMS, 3 * dayMS, 32 * dayMS, 500 * dayMS, rapid.Int64Range(0, 4*dayMS).Draw(t, "another time")} {
		if when := q.AtMS + after; when < at && returned(when) {
			t.Fatalf("%s is returned %d ms after the poll, explained %v", of.Key, after, of.EligibleAt)
		}
	}
}

func deref(s *string) string {
	if s == nil {
		return "nothing"
	}
	return *s
}
