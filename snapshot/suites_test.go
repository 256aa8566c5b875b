package snapshot

import (
	"encoding/json"
	"fmt"
	"os"
	"testing"

	"github.com/popupd/popupd/popup"
)

// suite is what another product's suite of tests says of conditions, in our words: a file
// of testdata/suites.
type suite struct {
	Source, Commit string
	Said           []struct {
		Case       string // as the suite numbers it
		Targeting  json.RawMessage
		Attributes map[string]any
		Want       bool
	}
	Unsaid []struct{ Case, Why string } // what our conditions do not say, or say otherwise on purpose
}

// TestOthersSuites: whatever our conditions can say of the cases of others has the same result.
func TestOthersSuites(t *testing.T) {
	for file, want := range map[string][2]int{"unleash": {148, 22}, "growthbook": {183, 52}} {
		text, err := os.ReadFile("testdata/suites/" + file + ".json")
		if err != nil {
			t.Fatal(err)
		}
		var s suite
		if err := json.Unmarshal(text, &s); err != nil {
			t.Fatal(err)
		}
		if got := [2]int{len(s.Said), len(s.Unsaid)}; got != want || s.Source == "" || len(s.Commit) != 40 {
			t.Errorf("%s, %s: %d cases are said and not, want %d", s.Source, s.Commit, got, want)
		}
		for _, u := range s.Unsaid {
			if u.Why == "" {
				t.Errorf("%s, case %s: no reason", file, u.Case)
			}
		}
		for _, c := range s.Said {
			r := row(1, `"targeting":`+string(c.Targeting))
			if _, err := popup.Decode(r.Spec); err != nil {
				t.Errorf("%s, case %s: %v: %s", file, c.Case, err, c.Targeting)
				continue
			}
			snap, req := mustCompile(t, r), requestOf(c.Attributes)
			if got := snap.Gate(snap.Popup(1), req, defaultPlacement, nowMS) == popup.Eligible; got != c.Want {
				t.Errorf("%s, case %s: %s of %v: %v, want %v", file, c.Case, c.Targeting, c.Attributes, got, c.Want)
			}
			if matched, _ := match(snap, nil, req, nowMS); len(matched) == 1 != c.Want {
				t.Errorf("%s, case %s: %s of %v: matched %d popups, want %v", file, c.Case, c.Targeting, c.Attributes, len(matched), c.Want)
			}
		}
	}
}

// requestOf returns a request with attributes as they are decoded from JSON, arrays as sets.
func requestOf(attributes map[string]any) *popup.Request {
	r := &popup.Request{User: []byte("u")}
	builtin := map[string]*[]byte{
		"uid": &r.User, "platform": &r.Platform, "app_version": &r.AppVersion, "locale": &r.Locale, "country": &r.Country, "path": &r.Path, "ip": &r.IP, "tz": &r.Zone,
	}
	for name, value := range attributes {
		values, isSet := value.([]any)
		if !isSet {
			values = []any{value}
		}
		for _, v := range values {
			if field := builtin[name]; field != nil {
				*field = fmt.Append(nil, v)
			} else {
				r.Attrs = append(r.Attrs, popup.Attr{Name: []byte(name), Value: fmt.Append(nil, v)})
			}
		}
	}
	return r
}
