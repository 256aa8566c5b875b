package snapshot

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
	_ "time/tzdata" // the tests need no zones of the host
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/popupd/popupd/internal/storetest"
	"github.com/popupd/popupd/popup"
)

func TestMain(m *testing.M) { os.Exit(storetest.Main(m)) }

// nowMS is Wednesday, 2026-07-01T12:00:00Z.
const nowMS = 1_782_907_200_000

// row returns version 1 of a popup named after its id, p7; members are further
// members of its spec. It is active unless they say otherwise.
func row(id uint32, members string) popup.Row {
	key := fmt.Sprintf("p%d", id)
	spec := `{"key":"` + key + `"`
	if !strings.Contains(members, `"status"`) {
		spec += `,"status":"active"`
	}
	if members != "" {
		spec += "," + members
	}
	return popup.Row{ID: id, Version: 1, UpdatedAtMS: nowMS, Key: key, Spec: []byte(spec + "}")}
}

func mustCompile(t testing.TB, rows ...popup.Row) *Snapshot {
	t.Helper()
	s, broken := Compile(popup.Catalog{Revision: 1, Popups: rows}, nil)
	for _, b := range broken {
		t.Fatalf("popup %d is broken: %v", b.ID, b.Err)
	}
	return s
}

func keys(popups []*Popup) string {
	var names []string
	for _, p := range popups {
		names = append(names, fmt.Sprintf("%s.%d", p.Key, p.Version))
	}
	return strings.Join(names, " ")
}

// match collects the matches after dst.
func match(s *Snapshot, dst []*Popup, r *popup.Request, nowMS int64) ([]*Popup, popup.Reason) {
	var m Matches
	s.Match(&m, r, r.PlacementNames()[0], nowMS)
	for p := m.Next(); p != nil; p = m.Next() {
		dst = append(dst, p)
	}
	return dst, m.Reason()
}

var defaultPlacement = []byte(popup.DefaultPlacement)

func request(user string) *popup.Request { return &popup.Request{User: []byte(user)} }

func TestMatchInSelectionOrder(t *testing.T) {
	s := mustCompile(t, row(3, `"priority":5`), row(9, ``), row(1, `"priority":-5`), row(2, `"priority":5`), row(4, `"priority":7,"status":"paused"`))
	if got, want := keys(s.All()), "p4.1 p2.1 p3.1 p9.1 p1.1"; got != want {
		t.Errorf("All: %s, want %s", got, want)
	}
	before := []*Popup{s.Popup(4)}
	got, reason := match(s, before, request("u"), nowMS)
	if want := "p4.1 p2.1 p3.1 p9.1 p1.1"; keys(got) != want || reason != popup.NotActive {
		t.Errorf("Match after p4: %s (%v), want %s (%v)", keys(got), reason, want, popup.NotActive)
	}
}

func TestReasonIsTheFurthestGate(t *testing.T) {
	gates := []struct {
		members string
		want    popup.Reason
	}{
		{``, popup.Eligible},
		{`"status":"draft"`, popup.NotActive},
		{`"schedule":{"start_at":"2026-07-01T12:00:00.001Z"},"placements":["cart"]`, popup.NotStarted},
		{`"schedule":{"end_at":"2026-07-01T12:00:00Z"},"placements":["cart"]`, popup.Ended},
		{`"schedule":{"days":["thu"]},"placements":["cart"]`, popup.OutsideHours},
		{`"placements":["cart","home"],"targeting":{"all":[{"attr":"uid","op":"eq","value":"x"}]}`, popup.WrongPlacement},
		{`"targeting":{"all":[{"attr":"uid","op":"eq","value":"x"}]},"rollout":{"percent":0}`, popup.NotTargeted},
		{`"rollout":{"percent":0}`, popup.NotInRollout},
	}
	var rows []popup.Row
	for i, g := range gates {
		r := row(uint32(i+1), g.members)
		rows = append(rows, r)
		s := mustCompile(t, r)
		matched, reason := match(s, nil, request("u"), nowMS)
		if reason != g.want || (len(matched) == 1) != (g.want == popup.Eligible) {
			t.Errorf("%s: %d matched, %v, want %v", g.members, len(matched), reason, g.want)
		}
		if got := s.Gate(s.Popup(r.ID), request("u"), defaultPlacement, nowMS); got != g.want {
			t.Errorf("%s: Gate = %v, want %v", g.members, got, g.want)
		}
		matched, reason = match(mustCompile(t, rows...), nil, request("u"), nowMS)
		if keys(matched) != "p1.1" || reason != g.want {
			t.Errorf("%d popups: matched %s, %v, want p1.1, %v", len(rows), keys(matched), reason, g.want)
		}
	}
}

// An event is the goal of popups that are active or paused.
func TestGoals(t *testing.T) {
	const purchase = `"goal":{"event":"purchase"}`
	s := mustCompile(t, row(1, purchase), row(2, `"status":"paused","goal":{"event":"purchase","window_sec":5}`), row(3, `"status":"draft",`+purchase),
		row(4, `"status":"archived",`+purchase), row(5, `"goal":{"event":"visit"}`), row(6, `"goal":{"window_sec":5}`))
	for name, want := range map[string]string{"purchase": "p1.1 p2.1", "visit": "p5.1", "": "", "purchas": "", "purchase2": ""} {
		if got := keys(s.Goals([]byte(name))); got != want {
			t.Errorf("%q is the goal of %q, want %q", name, got, want)
		}
	}
	for id, want := range map[uint32]time.Duration{1: 7 * 24 * time.Hour, 2: 5 * time.Second, 6: 0} {
		if got := s.Popup(id).GoalWindow; got != want {
			t.Errorf("the goal of p%d counts for %v, want %v", id, got, want)
		}
	}
	if got := (*Snapshot)(nil).Goals([]byte("purchase")); got != nil {
		t.Errorf("an empty snapshot has goals of %v", got)
	}
}

func TestEmptySnapshot(t *testing.T) {
	for name, s := range map[string]*Snapshot{"nil": nil, "new": NewStore().Current(), "compiled": mustCompile(t)} {
		if got, reason := match(s, nil, request("u"), nowMS); len(got) != 0 || reason != popup.Eligible {
			t.Errorf("%s: Match = %v, %v", name, got, reason)
		}
		if s.Popup(1) != nil || len(s.All()) != 0 {
			t.Errorf("%s: popups in an empty snapshot", name)
		}
	}
}

func TestDefaultPlacement(t *testing.T) {
	s := mustCompile(t, row(1, ``), row(2, `"placements":["home"]`), row(3, `"placements":["home","default"]`))
	for placement, want := range map[string]string{"": "p1.1 p3.1", "default": "p1.1 p3.1", "home": "p2.1 p3.1", "hom": "", "home2": ""} {
		r := request("u")
		if placement != "" {
			r.Placements = [][]byte{[]byte(placement)}
		}
		if got, _ := match(s, nil, r, nowMS); keys(got) != want {
			t.Errorf("placement %q: %q, want %q", placement, keys(got), want)
		}
	}
}

func TestAnswer(t *testing.T) {
	r := row(7, `"variants":[{"key":"b-2","content":{"title":"<b>é\n</b>","n":12345678901234567890}}]`)
	r.Version = 3
	v := mustCompile(t, r).Popup(7).Variant([]byte("u"))
	got := string(v.AppendPopup([]byte("x"), []byte("home"), nil))
	want := `x{"id":7,"key":"p7","version":3,"variant":"b-2","placement":"home","content":{"n":12345678901234567890,"title":"<b>é\n</b>"}}`
	if got != want {
		t.Errorf("AppendPopup\n got %s\nwant %s", got, want)
	}
	if !json.Valid([]byte(got[1:])) {
		t.Error("not JSON")
	}
}

func TestCompileTakesOverWhatDidNotChange(t *testing.T) {
	first := mustCompile(t, row(1, ``), row(2, ``), row(3, ``))
	changed, restored := row(2, `"priority":1`), row(3, `"name":"another database's version 1"`)
	changed.Version = 2
	second, broken := Compile(popup.Catalog{Revision: 2, Popups: []popup.Row{row(1, ``), changed, restored}}, first)
	if len(broken) != 0 || second.Revision != 2 {
		t.Fatalf("broken %v, revision %d", broken, second.Revision)
	}
	if second.Popup(1) != first.Popup(1) {
		t.Error("an unchanged popup was compiled again")
	}
	if second.Popup(2) == first.Popup(2) || second.Popup(2).Version != 2 {
		t.Error("a changed popup was not compiled again")
	}
	if second.Popup(3) == first.Popup(3) {
		t.Error("a popup with another spec under the same version was taken over")
	}
	if third, _ := Compile(popup.Catalog{Revision: 3, Popups: []popup.Row{changed}}, second); keys(third.All()) != "p2.2" {
		t.Errorf("after two popups were archived: %s", keys(third.All()))
	}
}

func TestIsArchived(t *testing.T) {
	first, _ := Compile(popup.Catalog{Revision: 1, Popups: []popup.Row{row(2, ``), row(3, `"priority":"x"`), row(4, ``)}}, nil)
	second, _ := Compile(popup.Catalog{Revision: 2, Popups: []popup.Row{row(2, `"status":"archived"`), row(4, `"priority":"x"`), {ID: 5, Archived: true}}}, first)
	for _, c := range []struct {
		name string
		s    *Snapshot
		id   uint32
		want bool
	}{
		{"no row, though later ones", first, 1, true},
		{"in force", first, 2, false},
		{"broken", first, 3, false},
		{"newer than the snapshot", first, 5, false},
		{"archived by its spec", second, 2, true},
		{"broken, with the last good version in force", second, 4, false},
		{"the newest", second, 5, true},
		{"newer than the newest", second, 6, false},
		{"before the first snapshot", NewStore().Current(), 1, false},
		{"no snapshot", nil, 1, false},
	} {
		if got := c.s.IsArchived(c.id); got != c.want {
			t.Errorf("%s: popup %d is archived: %v, want %v", c.name, c.id, got, c.want)
		}
	}
}

func TestBrokenRows(t *testing.T) {
	good := mustCompile(t, row(1, ``), row(2, ``), row(5, ``))
	type list = []popup.Row
	change := func(r popup.Row, f func(*popup.Row)) popup.Row { r.Version = 2; f(&r); return r }
	for name, c := range map[string]struct {
		rows   list
		want   string
		broken int
	}{
		"not JSON keeps the last good":   {list{change(row(1, ``), func(r *popup.Row) { r.Spec = []byte(`{`) }), row(2, ``)}, "p1.1 p2.1", 1},
		"no spec":                        {list{change(row(1, ``), func(r *popup.Row) { r.Spec = nil }), row(2, ``)}, "p1.1 p2.1", 1},
		"unknown field is ignored":       {list{change(row(1, `"colour":"red"`), func(*popup.Row) {}), row(2, ``)}, "p1.2 p2.1", 0},
		"unknown field of a condition":   {list{change(row(1, `"targeting":{"none":[{"attr":"plan","op":"eq","value":"pro","ignore_accents":true}]}`), func(*popup.Row) {}), row(2, ``)}, "p1.1 p2.1", 1},
		"without a good one is left out": {list{row(2, ``), row(3, `"priority":"x"`)}, "p2.1", 1},
		"another key under the same id":  {list{change(row(1, ``), func(r *popup.Row) { r.Key = "other" })}, "", 1},
		"id 0":                           {list{row(0, ``), row(2, ``)}, "p2.1", 1},
		"version 0":                      {list{change(row(4, ``), func(r *popup.Row) { r.Version = 0 })}, "", 1},
		"the same row twice":             {list{row(2, ``), row(2, ``)}, "p2.1", 1},
		"the same key twice":             {list{row(2, ``), change(row(2, ``), func(r *popup.Row) { r.ID = 3 })}, "p2.1", 1},
		"archived is not broken":         {list{row(1, ``), change(row(2, `"status":"archived"`), func(*popup.Row) {})}, "p1.1", 0},
	} {
		t.Run(name, func(t *testing.T) {
			s, broken := Compile(popup.Catalog{Revision: 2, Popups: c.rows}, good)
			if got := keys(s.All()); got != c.want {
				t.Errorf("in force: %q, want %q", got, c.want)
			}
			if len(broken) != c.broken {
				t.Fatalf("%d broken, want %d: %v", len(broken), c.broken, broken)
			}
			for _, b := range broken {
				if b.Err == nil {
					t.Errorf("broken without an error: %+v", b)
				}
			}
			again, _ := Compile(popup.Catalog{Revision: 3, Popups: c.rows}, s)
			if d := cmp.Diff(keys(s.All()), keys(again.All())); d != "" {
				t.Errorf("after another reload (-first +second):\n%s", d)
			}
		})
	}
}

func FuzzCompile(f *testing.F) {
	f.Add([]byte(`{"key":"k","status":"active"}`), []byte("u"), []byte("1.2"), int64(nowMS))
	f.Add([]byte(`{"key":"k","status":"active","schedule":{"timezone":"Europe/Berlin","days":["sun"],"hours":[["22:00","03:00"]]},
		"targeting":{"all":[{"attr":"app_version","op":"semver_gte","value":"1"}],"any":[{"attr":"n","op":"in","value":[1,"x",true]}]}}`), []byte("u"), []byte("1"), int64(-1))
	f.Add([]byte(`{"key":"k","status":"active","variants":[{"translations":{"zh-Hans":{"title":"你好"},"ar":{"dir":"rtl","n":null}}}]}`), []byte("u"), []byte("zh_cn"), int64(nowMS))
	for condition, value := range map[string]string{
		`{"attr":"n","op":"in","value":["a",5],"ignore_case":true}`: "A", `{"attr":"ip","op":"in_cidr","value":["10.0.0.0/8","::1"]}`: "::ffff:10.0.0.1", `{"attr":"n","op":"older_than","value":"1d"}`: "2026-06-30T11:59:59.999Z",
		`{"attr":"n","op":"before","value":"2026-07-01"}`: "2026-07-01T00:30:00+01:00", `{"attr":"n","op":"matches","value":"(?i)^a+b?$"}`: "aAB", `{"attr":"n","op":"contains","value":"\u212a","ignore_case":true}`: "kk",
		`{"attr":"n","op":"semver_lte","value":"1.2"}`: "1.2.0-rc.1", `{"attr":"n","op":"newer_than","value":"0s"}`: "9999-12-31T23:59:59.999-23:59",
	} {
		f.Add([]byte(`{"key":"k","status":"active","schedule":{"user_time":true,"days":["wed"]},"targeting":{"all":[`+condition+`],"none":[`+condition+`]}}`), []byte("u"), []byte(value), int64(nowMS))
	}
	f.Fuzz(func(t *testing.T, data, user, value []byte, now int64) {
		spec, err := popup.Decode(data)
		if err != nil {
			return
		}
		r := popup.Row{ID: 1, Version: 1, Key: spec.Key, Spec: data}
		s, broken := Compile(popup.Catalog{Revision: 1, Popups: []popup.Row{r}}, nil)
		if len(broken) > 0 {
			t.Fatalf("accepted %s\nbut can't compile it: %v", data, broken[0].Err)
		}
		if spec.Status == popup.Archived {
			return
		}
		p := s.Popup(1)
		for _, placement := range p.placements {
			if answer := p.Variant(user).AppendPopup(nil, []byte(placement), value); !json.Valid(answer) {
				t.Fatalf("the answer is not JSON: %s", answer)
			}
		}
		req := popup.Request{User: user, AppVersion: value, Platform: value, IP: value, Zone: value,
			Attrs: []popup.Attr{{Name: []byte("n"), Value: user}, {Name: []byte("n"), Value: value}}}
		for _, group := range [][]popup.Condition{spec.Targeting.All, spec.Targeting.Any, spec.Targeting.None} {
			for _, c := range group {
				checkCondition(t, &c, &req, now)
			}
		}
		req.Trigger, req.Placements = []byte(p.trigger), [][]byte{[]byte(p.placements[0])}
		matched, _ := match(s, nil, &req, now)
		if fits := gateOf(p, &req, req.Placements[0], now) == popup.Eligible; fits != (len(matched) == 1) {
			t.Fatalf("Gate says that it fits: %v, Match does not", fits)
		}
		if encoded := spec.Encode(); len(encoded) > 0 {
			r.Spec = encoded
			again, _ := Compile(popup.Catalog{Revision: 1, Popups: []popup.Row{r}}, nil)
			if got, want := again.Gate(again.Popup(1), &req, defaultPlacement, now), gateOf(p, &req, defaultPlacement, now); got != want {
				t.Fatalf("gate %v, after Encode %v", want, got)
			}
		}
	})
}

// checkCondition holds one condition against the model, as far as the model goes: letter
// case of what is no text, and times that package time does not have, are not its business.
func checkCondition(t *testing.T, c *popup.Condition, r *popup.Request, now int64) {
	t.Helper()
	values := modelValues(c.Attr, r)
	isTime := c.Op == popup.Before || c.Op == popup.After || c.Op == popup.OlderThan || c.Op == popup.NewerThan
	if isTime && (now < 0 || now > popup.Never) || slices.ContainsFunc(values, func(v string) bool {
		return !utf8.ValidString(v) || isTime && strings.ContainsAny(v, "tz ,")
	}) {
		return
	}
	compiled, err := compileCondition(c)
	if err != nil {
		t.Fatalf("%+v: %v", c, err)
	}
	if got, want := compiled.matches(r, &value{nowMS: now}), modelHolds(c, r, now); got != want {
		t.Fatalf("%+v of %q: %v, want %v", *c, values, got, want)
	}
}

func TestTriggers(t *testing.T) {
	s := mustCompile(t,
		row(1, `"placements":["default","home"],"trigger":"scroll:50"`), row(2, `"trigger":"exit"`), row(3, `"trigger":"exit"`), row(4, ""),
		row(5, `"status":"paused","trigger":"event:paused"`), row(6, `"placements":["loads"]`))
	for placement, want := range map[string]string{"default": "exit, scroll:50", "home": "scroll:50", "loads": "", "nowhere": ""} {
		got := s.Triggers([]byte(placement))
		if all := strings.Join(got.All(), ", "); all != want || got != nil && got.Header != want {
			t.Errorf("%s: triggers %q, want %q", placement, all, want)
		}
	}
	if none := mustCompile(t, row(1, "")); !s.HasTriggers() || none.HasTriggers() {
		t.Error("a snapshot does not know whether it has triggers")
	}
	// A popup that changes its trigger alone is found under the new one.
	changed := row(2, `"trigger":"delay:5"`)
	changed.Version++
	next, _ := Compile(popup.Catalog{Revision: 2, Popups: []popup.Row{changed}}, s)
	for trigger, want := range map[string]string{"exit": "", "delay:5": "p2.2"} {
		got, _ := match(next, nil, &popup.Request{User: []byte("u"), Trigger: []byte(trigger)}, nowMS)
		if keys(got) != want {
			t.Errorf("%s: %q, want %q", trigger, keys(got), want)
		}
	}
}

// A snapshot knows whether an active popup is targeted by the client's address, after
// changes too.
func TestUsesIP(t *testing.T) {
	const byAddress = `"targeting":{"none":[{"attr":"ip","op":"in_cidr","value":"10.0.0.0/8"}],"any":[{"attr":"ip","op":"exists"}]}`
	s := mustCompile(t, row(1, byAddress), row(2, `"targeting":{"all":[{"attr":"a.ip","op":"exists"}]}`))
	if !s.UsesIP() || (*Snapshot)(nil).UsesIP() {
		t.Error("after Compile")
	}
	for i, step := range []struct {
		members string
		want    bool
	}{{`"status":"paused",` + byAddress, false}, {byAddress, true}, {byAddress + `,"name":"same"`, true}, {``, false}} {
		changed := row(1, step.members)
		changed.Version = uint32(i + 2)
		s, _ = Apply(s, popup.CatalogChange{Revision: int64(i + 2), Popups: []popup.Row{changed}})
		if s.UsesIP() != step.want {
			t.Errorf("%s: %v, want %v", step.members, s.UsesIP(), step.want)
		}
	}
}

func TestOutranking(t *testing.T) {
	s := mustCompile(t, row(1, `"priority":5`), row(2, `"priority":4,"trigger":"exit"`), row(3, `"priority":3,"placements":["default","home"]`),
		row(4, `"priority":2`), row(5, `"priority":9,"status":"paused"`), row(6, `"priority":8,"placements":["home"]`))
	s, _ = Apply(s, popup.CatalogChange{Popups: []popup.Row{{ID: 1, Version: 2, Archived: true}, row(7, `"priority":6`)}})
	for _, c := range []struct {
		placement, trigger string
		priority           int
		want               string
	}{
		{"default", "load", 1, "p4.1 p7.1"}, {"default", "load", 2, "p7.1"}, {"default", "exit", 3, "p2.1"}, {"default", "exit", 4, ""},
		{"home", "load", 0, "p6.1"}, {"none", "load", 0, ""},
	} {
		got := slices.SortedFunc(s.Outranking(c.placement, c.trigger, c.priority), func(a, b *Popup) int { return int(a.ID) - int(b.ID) })
		if keys(got) != c.want {
			t.Errorf("above %d of %s on %s: %s, want %s", c.priority, c.placement, c.trigger, keys(got), c.want)
		}
	}
	for range (*Snapshot)(nil).Outranking("default", "load", 0) {
		t.Error("a popup in an empty snapshot")
	}
}

// gateOf returns the gate that stops a popup that names no audience.
func gateOf(p *Popup, r *popup.Request, placement []byte, atMS int64) popup.Reason {
	return (*Snapshot)(nil).Gate(p, r, placement, atMS)
}
