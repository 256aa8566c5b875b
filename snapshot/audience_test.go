package snapshot

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/popupd/popupd/audience"
	"github.com/popupd/popupd/popup"
)

var audienceKey = [16]byte{1, 2, 3}

// ruleRow returns a rule audience; rule is the members of its JSON.
func ruleRow(id uint32, key, rule string) popup.AudienceRow {
	return popup.AudienceRow{ID: id, Version: 1, Key: key, Rule: []byte("{" + rule + "}")}
}

// listRow returns a list audience, the list of which has a number.
func listRow(id uint32, key string, number uint64) popup.AudienceRow {
	return popup.AudienceRow{ID: id, Version: uint32(number), Key: key, List: number}
}

// listOf returns the list of an audience, loaded.
func listOf(t testing.TB, row popup.AudienceRow, users ...string) List {
	t.Helper()
	fingerprints := make([]uint64, len(users))
	for i, user := range users {
		fingerprints[i] = audience.Fingerprint(audienceKey, []byte(user))
	}
	set, err := audience.Build(fingerprints)
	if err != nil {
		t.Fatal(err)
	}
	return List{row, set}
}

// in writes a condition on audiences.
func in(op string, keys ...string) string {
	return fmt.Sprintf(`{"attr":"audience","op":%q,"value":["%s"]}`, op, strings.Join(keys, `","`))
}

// TestAudiences has users in lists and rules, and a rule that names a rule that names a list.
func TestAudiences(t *testing.T) {
	rows := []popup.AudienceRow{
		listRow(1, "vip", 7),
		ruleRow(2, "android", `"all":[{"attr":"platform","op":"eq","value":"android"}]`),
		ruleRow(3, "android-vip", `"all":[`+in("in", "android")+`],"any":[`+in("in", "vip")+`]`),
		ruleRow(4, "other", `"none":[`+in("in", "android-vip", "vip")+`]`),
	}
	targetings := map[string]string{ // by the users who fit: v is in vip, n is not; capitals are on android
		`"all":[` + in("in", "vip") + `]`:                                                 "vV",
		`"all":[` + in("in", "vip", "android") + `]`:                                      "vVN",
		`"all":[` + in("in", "vip") + `,` + in("in", "android") + `]`:                     "V",
		`"all":[` + in("not_in", "vip") + `]`:                                             "nN",
		`"none":[` + in("in", "vip") + `]`:                                                "nN",
		`"none":[` + in("not_in", "vip") + `]`:                                            "vV",
		`"any":[` + in("in", "android-vip") + `]`:                                         "V",
		`"any":[` + in("in", "vip") + `,` + in("not_in", "android") + `]`:                 "vVn",
		`"any":[` + in("in", "vip") + `,{"attr":"platform","op":"eq","value":"android"}]`: "vVN",
		`"all":[` + in("in", "other") + `]`:                                               "nN",
		`"all":[` + in("not_in", "other", "vip") + `]`:                                    "",
		`"all":[` + in("in", "other") + `],"none":[` + in("in", "android") + `]`:          "n",
	}
	var popups []popup.Row
	var want []string
	for targeting, fit := range targetings {
		popups = append(popups, row(uint32(len(popups)+1), `"targeting":{`+targeting+`}`))
		want = append(want, fit)
	}
	s, broken := Compile(popup.Catalog{Revision: 1, Popups: popups, Audiences: rows, AudienceKey: audienceKey}, nil)
	if len(broken) > 0 {
		t.Fatal(broken)
	}
	s = s.WithList(listOf(t, rows[0], "v", "V"))
	var m Matches
	for _, user := range []string{"v", "V", "n", "N"} {
		r := request(user)
		if user < "a" {
			r.Platform = []byte("android")
		}
		r.Attrs = []popup.Attr{{Name: []byte("audience"), Value: []byte("vip")}} // is no way in
		compareWithEach(t, s, s.All(), &m, r, nowMS)
		byFingerprint := *r
		byFingerprint.User, byFingerprint.Fingerprint = []byte("hash"), audience.Fingerprint(audienceKey, []byte(user))
		for i, p := range popups {
			fits := strings.Contains(want[i], user)
			for _, r := range []*popup.Request{r, &byFingerprint} {
				if got := s.Gate(s.Popup(p.ID), r, defaultPlacement, nowMS) == popup.Eligible; got != fits {
					t.Errorf("user %s, %s: %v, want %v", user, p.Spec, got, fits)
				}
			}
		}
	}
}

// TestUnusableAudiences: a popup that names an audience that can't be used is for nobody, in
// whichever way it names it.
func TestUnusableAudiences(t *testing.T) {
	rows := []popup.AudienceRow{
		listRow(1, "loaded", 1), listRow(2, "missing", 2),
		ruleRow(3, "all", `"all":[]`),
		ruleRow(4, "broken", `"all":[{"attr":"x"}]`),
		ruleRow(5, "on-missing", `"none":[`+in("in", "missing")+`]`),
		ruleRow(6, "on-unknown", `"any":[`+in("in", "all", "unknown")+`]`),
		ruleRow(7, "circle-a", `"any":[`+in("in", "circle-b")+`]`), ruleRow(8, "circle-b", `"any":[`+in("not_in", "circle-a")+`]`),
		ruleRow(9, "on-circle", `"any":[`+in("in", "circle-a")+`]`),
		ruleRow(10, "on-all", `"all":[`+in("in", "all")+`]`),
		{ID: 11, Version: 1, Key: "all", Rule: []byte(`{}`)}, // the key is taken
	}
	whys := map[string]string{
		"loaded": "", "all": "", "on-all": "",
		"unknown": "is not in the catalog", "missing": "has a list that is not loaded yet", "broken": "has a rule that is broken",
		"on-missing": "names missing, which has a list that is not loaded yet", "on-unknown": "names unknown, which is not in the catalog",
	}
	for _, key := range []string{"circle-a", "circle-b", "on-circle"} {
		whys[key] = "is in, or names, a circle of rules that name each other"
	}
	for key, why := range whys {
		for _, targeting := range []string{
			`"all":[` + in("in", key, "all") + `]`, `"all":[` + in("not_in", key) + `]`, `"none":[` + in("in", key) + `]`, `"none":[` + in("not_in", key) + `]`,
			`"any":[` + in("in", key) + `,{"attr":"uid","op":"exists"}]`, `"any":[` + in("not_in", key) + `,{"attr":"uid","op":"exists"}]`,
		} {
			rest := row(2, `"targeting":{"all":[`+in("in", "all")+`]}`)
			s, broken := Compile(popup.Catalog{Revision: 1, Popups: []popup.Row{row(1, `"targeting":{`+targeting+`}`), rest}, Audiences: rows, AudienceKey: audienceKey}, nil)
			var of []string
			for _, b := range broken {
				of = append(of, fmt.Sprint(b.IsAudience)+fmt.Sprint(b.ID))
			}
			if got, want := strings.Join(of, " "), "true4 true11 true7 true8 true9"; got != want {
				t.Fatalf("broken are %s, want %s", got, want)
			}
			s = s.WithList(listOf(t, rows[0], "u"))
			var m Matches
			compareWithEach(t, s, s.All(), &m, request("u"), nowMS)
			fits := s.Gate(s.Popup(1), request("u"), defaultPlacement, nowMS) == popup.Eligible
			if s.Gate(s.Popup(2), request("u"), defaultPlacement, nowMS) != popup.Eligible || fits && why != "" {
				t.Errorf("%s: fits %v, though it %s", targeting, fits, why)
			}
			unavailable := s.Unavailable()
			if why == "" && len(unavailable) > 0 || why != "" && (len(unavailable) != 1 || unavailable[0].Key != key || unavailable[0].Why != why || !slices.Equal(unavailable[0].Popups, []string{"p1"})) {
				t.Errorf("%s: unavailable %+v, want %s", key, unavailable, why)
			}
		}
	}
}

// TestAudienceOfOldConditions: a condition that was stored when audience was an attribute like
// any other is broken.
func TestAudienceOfOldConditions(t *testing.T) {
	for _, condition := range []string{
		`"op":"eq","value":"vip"`, `"op":"exists"`, `"op":"in","value":["vip"],"ignore_case":true`, `"op":"in","value":["VIP"]`, `"op":"not_in","value":[7]`,
	} {
		_, broken := Compile(popup.Catalog{Revision: 1, Popups: []popup.Row{row(1, `"targeting":{"none":[{"attr":"audience",`+condition+`}]}`)}}, nil)
		if len(broken) != 1 {
			t.Errorf("%s: broken %v", condition, broken)
		}
	}
}

// TestListsInForce: the list before stays in force until its successor has been loaded.
func TestListsInForce(t *testing.T) {
	first, second := listRow(1, "vip", 1), listRow(1, "vip", 2)
	rule := ruleRow(2, "no-vip", `"none":[`+in("in", "vip")+`]`)
	s, _ := Compile(popup.Catalog{
		Revision: 1, Popups: []popup.Row{row(1, `"targeting":{"all":[`+in("in", "vip")+`]}`), row(2, `"targeting":{"all":[`+in("in", "no-vip")+`]}`)},
		Audiences: []popup.AudienceRow{first, rule}, AudienceKey: audienceKey,
	}, nil)
	toLoad := func(want ...popup.AudienceRow) {
		t.Helper()
		if got := s.ListsToLoad(); !slices.EqualFunc(got, want, func(a, b popup.AudienceRow) bool { return sameAudience(&a, &b) }) {
			t.Fatalf("to load are %+v, want %+v", got, want)
		}
	}
	fits := func(want string) {
		t.Helper()
		var got []string
		for _, user := range []string{"a", "b"} {
			found, _ := match(s, nil, request(user), nowMS)
			got = append(got, user+": "+keys(found))
		}
		if strings.Join(got, ", ") != want {
			t.Fatalf("got %s, want %s", strings.Join(got, ", "), want)
		}
	}
	toLoad(first)
	fits("a: , b: ")
	s = s.WithList(listOf(t, first, "a"))
	toLoad()
	fits("a: p1.1, b: p2.1")
	s, _ = Apply(s, popup.CatalogChange{Revision: 2, Audiences: &[]popup.AudienceRow{second, rule}})
	toLoad(second)
	fits("a: p1.1, b: p2.1")
	if same := s.WithList(listOf(t, first, "b")); same != s {
		t.Error("a list comes into force that is not the newest one")
	}
	s = s.WithList(listOf(t, second, "b"))
	toLoad()
	fits("a: p2.1, b: p1.1")
	if lists := s.Lists(); len(lists) != 1 || lists[0].Row.List != 2 {
		t.Errorf("lists in force: %+v", lists)
	}
	s, _ = Apply(s, popup.CatalogChange{Revision: 3, Popups: []popup.Row{row(3, `"status":"draft"`)}})
	fits("a: p2.1, b: p1.1")
	again := listRow(3, "vip", 3) // deleted, and another one made
	s, _ = Apply(s, popup.CatalogChange{Revision: 4, Audiences: &[]popup.AudienceRow{again, rule}})
	toLoad(again)
	fits("a: , b: ")
	s = s.WithList(listOf(t, again, "a"))
	fits("a: p1.1, b: p2.1")
	s, _ = Compile(popup.Catalog{Revision: 5, Audiences: []popup.AudienceRow{again}, AudienceKey: [16]byte{9}}, s)
	toLoad(again) // its fingerprints are under another key
}

// TestExplainAudiences: of each condition it is told in which of the audiences the user is, and
// why nobody is.
func TestExplainAudiences(t *testing.T) {
	vip := listRow(1, "vip", 1)
	s, _ := Compile(popup.Catalog{
		Popups: []popup.Row{
			row(1, `"targeting":{"all":[`+in("in", "vip", "new", "ios")+`],"none":[`+in("in", "ios")+`]}`),
			row(2, `"targeting":{"all":[`+in("in", "ios")+`],"none":[`+in("in", "gone")+`]}`),
		},
		Audiences: []popup.AudienceRow{vip, ruleRow(2, "new", `"all":[]`), ruleRow(3, "ios", `"all":[{"attr":"platform","op":"eq","value":"ios"}]`)}, AudienceKey: audienceKey,
	}, nil)
	s = s.WithList(listOf(t, vip, "u"))
	for i, want := range []string{
		`as wanted [new vip]:true <nil>:true`,
		`is for nobody: the audience gone is not in the catalog <nil>:false <nil>:false names gone, which is not in the catalog`,
	} {
		gates := s.AppendGates(nil, s.Popup(uint32(i+1)), request("u"), nowMS)
		g := gates[slices.IndexFunc(gates, func(g popup.Gate) bool { return g.Gate == popup.TargetingGate })]
		got := g.Actual
		for _, c := range g.Conditions {
			got += fmt.Sprintf(" %v:%v", c.Actual, c.Passes)
			if c.Note != "" {
				got += " " + c.Note
			}
		}
		if got != want || g.Open != (i == 0) {
			t.Errorf("popup %d: open %v\n got %s\nwant %s", i+1, g.Open, got, want)
		}
	}
	gates := s.AppendGates(nil, s.Popup(2), request("u"), nowMS)
	stopped := stoppedBy(gates[4].Conditions[:1], false)
	if want := `audience in ["ios"]: the user is in none of them`; stopped != want {
		t.Errorf("stopped by %s, want %s", stopped, want)
	}
}

// TestUsesIPByRule: a request needs its address for the rule of an audience that a popup names,
// too.
func TestUsesIPByRule(t *testing.T) {
	office := ruleRow(1, "office", `"all":[{"attr":"ip","op":"in_cidr","value":"10.0.0.0/8"}]`)
	staff := ruleRow(2, "staff", `"all":[`+in("in", "office")+`]`)
	for _, c := range []struct {
		members string
		want    bool
	}{{``, false}, {`"targeting":{"all":[` + in("in", "staff") + `]}`, true}, {`"status":"paused","targeting":{"all":[` + in("in", "staff") + `]}`, false}} {
		s, _ := Compile(popup.Catalog{Revision: 1, Popups: []popup.Row{row(1, c.members)}, Audiences: []popup.AudienceRow{staff, office}}, nil)
		if s.UsesIP() != c.want {
			t.Errorf("%s: %v", c.members, s.UsesIP())
		}
	}
}

// TestCompactLists: lists are joined once they have stopped to change, and only then.
func TestCompactLists(t *testing.T) {
	rows := []popup.AudienceRow{listRow(1, "a", 1), listRow(2, "b", 2), listRow(3, "c", 3)}
	s, _ := Compile(popup.Catalog{Popups: []popup.Row{row(1, `"targeting":{"all":[`+in("in", "a", "b")+`]}`)}, Audiences: rows, AudienceKey: audienceKey}, nil)
	if s = s.WithList(listOf(t, rows[0], "u")); Compact(s) != s {
		t.Error("a joint of one list")
	}
	s = s.WithList(listOf(t, rows[1], "v"))
	joined := Compact(s)
	if joined == s || Compact(joined) != joined || joined.ListBytes() <= s.ListBytes() || s.ListBytes() == 0 {
		t.Errorf("joined: %v, again: %v, %d and %d bytes", joined != s, Compact(joined) != joined, s.ListBytes(), joined.ListBytes())
	}
	rows = slices.Clone(rows)
	rows[1].Version, rows[1].List = 2, 4
	next, _ := Apply(joined, popup.CatalogChange{Revision: 2, Audiences: &rows})
	next = next.WithList(listOf(t, rows[1], "w"))
	for user, want := range map[string]bool{"u": true, "v": false, "w": true} {
		for what, of := range map[string]*Snapshot{"replaced": next, "compacted": Compact(next)} {
			var m Matches
			if got := m.all(of, request(user)) == 1; got != want {
				t.Errorf("%s: %s fits: %v, want %v", what, user, got, want)
			}
		}
	}
	none := []popup.AudienceRow{rows[0]}
	if next, _ = Apply(Compact(next), popup.CatalogChange{Revision: 3, Audiences: &none}); Compact(next).audiences.joint != nil {
		t.Error("lists that are gone are kept")
	}
}
