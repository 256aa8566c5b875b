package lint

import (
	"fmt"
	"strings"
	"testing"

	"github.com/popupd/popupd/audience"
	"github.com/popupd/popupd/popup"
	"github.com/popupd/popupd/snapshot"
)

// TestAudiences warns of audiences that can't be used or are empty, and of conditions that
// contradict each other: a user may be in several audiences.
func TestAudiences(t *testing.T) {
	const condition = `{"attr":"audience","op":%q,"value":[%q]}`
	vip, empty := popup.AudienceRow{ID: 1, Version: 1, Key: "vip", List: 1}, popup.AudienceRow{ID: 2, Version: 1, Key: "empty", List: 2}
	snap, broken := snapshot.Compile(popup.Catalog{Audiences: []popup.AudienceRow{
		vip, empty, {ID: 3, Version: 1, Key: "missing", List: 3},
		{ID: 4, Version: 1, Key: "ios", Rule: []byte(`{"all":[{"attr":"platform","op":"eq","value":"ios"}]}`)},
		{ID: 5, Version: 1, Key: "never", Rule: []byte(`{"all":[{"attr":"platform","op":"eq","value":"ios"}],"any":[{"attr":"platform","op":"eq","value":"web"}]}`)},
		{ID: 6, Version: 1, Key: "nor", Rule: []byte(`{"all":[` + fmt.Sprintf(condition, "in", "vip") + `],"none":[` + fmt.Sprintf(condition, "in", "vip") + `]}`)},
	}}, nil)
	if len(broken) > 0 {
		t.Fatal(broken)
	}
	for row, fingerprints := range map[*popup.AudienceRow][]uint64{&vip: {1}, &empty: nil} {
		set, err := audience.Build(fingerprints)
		if err != nil {
			t.Fatal(err)
		}
		snap = snap.WithList(snapshot.List{Row: *row, Set: set})
	}
	for targeting, want := range map[string]string{
		"all in vip, all in ios":         "",
		"all in vip, all not_in ios":     "",
		"all in vip, any in ios":         "",
		"any in vip, any not_in vip":     "",
		"all in vip, none in vip":        "/targeting/none/0 contradiction true",
		"all in vip, all not_in vip":     "/targeting/all/1 contradiction true",
		"all in vip, any not_in vip":     "/targeting/any/0 contradiction true; /targeting/any any_never_holds true",
		"none in gone":                   "/targeting/none/0/value/0 unusable_audience false",
		"any not_in missing, any in vip": "/targeting/any/0/value/0 unusable_audience false",
		"all in empty":                   "/targeting/all/0/value/0 empty_audience false",
		"all in never, all in nor":       "/targeting/all/0/value/0 empty_audience false; /targeting/all/1/value/0 empty_audience false",
	} {
		groups := map[string][]string{}
		for _, part := range strings.Split(targeting, ", ") {
			words := strings.Fields(part)
			groups[words[0]] = append(groups[words[0]], fmt.Sprintf(condition, words[1], words[2]))
		}
		spec, err := popup.Decode([]byte(fmt.Sprintf(`{"key":"k","status":"active","targeting":{"all":[%s],"any":[%s],"none":[%s]}}`,
			strings.Join(groups["all"], ","), strings.Join(groups["any"], ","), strings.Join(groups["none"], ","))))
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, w := range Check(&spec, 9, snap, nowMS) {
			got = append(got, fmt.Sprint(w.Pointer, " ", w.Code, " ", w.Proved))
		}
		if strings.Join(got, "; ") != want {
			t.Errorf("%s:\n got %s\nwant %s", targeting, strings.Join(got, "; "), want)
		}
	}
}
