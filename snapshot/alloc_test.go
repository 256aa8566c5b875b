//go:build !race

package snapshot

import (
	"strings"
	"testing"

	"github.com/popupd/popupd/popup"
)

var goalName = []byte("purchase")

// TestHotPathDoesNotAllocate covers every gate, operator and kind of value.
func TestHotPathDoesNotAllocate(t *testing.T) {
	conditions := []string{
		`plan eq "pro"`, `plan in ["a","b","pro"]`, `age eq 5`, `age in [1,2,5]`, `temp lt 0`, `age gte 5`, `vip eq true`, `word contains "nan"`, `word prefix "b"`, `word suffix "a"`,
		`plan exists`, `absent not_exists`, `app_version semver_gte "3.2.1-beta.2"`, `sdk semver_lt "2"`, `plan neq 5`, `plan not_in [5]`, `hex neq 5`, `uid exists`, `absent neq "x"`,
		`sdk semver_eq "2.0.0-rc.1"`, `word matches "(an)+a$"`, `day after "2026-06-30"`, `since newer_than "2d"`, `tags contains "lu"`, `tags neq 8`, `ip in_cidr ["10.0.0.0/8","2001:db8::/32"]`, `plan not_in ["x"]`,
	}
	folding := []string{`plan eq~ "PRO"`, `city contains~ "assb"`, `tags suffix~ "UE"`, `long neq~ "x"`}
	var all []string
	for _, c := range conditions {
		all = append(all, conditionJSON(c))
	}
	var folded []string
	for _, c := range folding {
		folded = append(folded, conditionJSON(c))
	}
	s := mustCompile(t,
		row(9, `"targeting":{"all":[`+strings.Join(folded, ",")+`]},"schedule":{"user_time":true,"days":["wed"]}`),
		row(1, `"targeting":{"all":[`+strings.Join(all, ",")+`]},"schedule":{"timezone":"America/New_York","days":["wed"],"hours":[["00:00","24:00"]]},"rollout":{"percent":99.99}`),
		row(2, `"variants":[{"key":"a"},{"key":"b"}]`), row(3, `"rollout":{"percent":0}`), row(4, `"status":"paused"`), row(5, `"placements":["home"]`),
		row(8, `"status":"paused","goal":{"event":"purchase"}`), row(19, `"status":"paused","variants":[{"translations":{"zh":{},"en":{}}}]`),
		row(6, `"targeting":{"any":[`+conditionJSON(`word gt 5`)+`]}`), row(7, `"schedule":{"timezone":"Europe/Berlin","hours":[["03:00","04:00"]]}`),
	)
	long := attributed
	long.AppVersion = []byte("3.2.1-" + strings.Repeat("rc.", 15) + "1")
	long.User = []byte(strings.Repeat("u", popup.MaxUserID))
	long.Attrs = append(long.Attrs[:len(long.Attrs):len(long.Attrs)], popup.Attr{Name: []byte("long"), Value: []byte(strings.Repeat("9", 200))})
	dst := make([]*Popup, 0, 8)
	var m Matches
	every := func(r *popup.Request, nowMS int64) (found []*Popup, reason popup.Reason) {
		found = dst[:0]
		for s.Match(&m, r, r.PlacementNames()[0], nowMS); ; {
			p := m.Next()
			if p == nil {
				return found, m.Reason()
			}
			found = append(found, p)
		}
	}
	answer, foreign := make([]byte, 0, 1024), make([]byte, 0, 1024)
	for name, r := range map[string]*popup.Request{"all": &attributed, "long": &long, "bare": {User: []byte("u")}} {
		matched, _ := every(r, nowMS)
		if want := "p1.1 p2.1 p9.1"; name == "all" && keys(matched) != want {
			t.Fatalf("matched %q, want %q", keys(matched), want)
		}
		for what, f := range map[string]func(){
			"Match":             func() { every(r, nowMS) },
			"Goals":             func() { s.Goals(goalName) },
			"Match, far future": func() { every(r, popup.Never) },
			"Gate":              func() { s.Gate(s.Popup(1), r, r.PlacementNames()[0], nowMS) },
			"Variant":           func() { s.Popup(2).Variant(r.User) },
			"AppendPopup":       func() { answer = s.Popup(2).Variant(r.User).AppendPopup(answer[:0], r.PlacementNames()[0], r.Locale) },
			"AppendPopup, translated": func() {
				foreign = s.Popup(19).Variant(r.User).AppendPopup(foreign[:0], r.PlacementNames()[0], r.Locale)
			},
			"Current and Popup": func() { _ = s.Popup(99) },
		} {
			if got := testing.AllocsPerRun(100, f); got != 0 {
				t.Errorf("%s, request %s: %v allocations, want 0", what, name, got)
			}
		}
	}
	if !strings.Contains(string(answer), `"key":"p2"`) {
		t.Errorf("answer %s", answer)
	}
}
