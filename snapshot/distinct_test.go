package snapshot

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/popupd/popupd/popup"
)

// TestDistinctConditions holds each kind of index against each popup, with as many
// conditions of their own as popups: tables are long, and sets are kept in all ways.
func TestDistinctConditions(t *testing.T) {
	word := func(rng *rand.Rand, most int) string {
		var b strings.Builder
		for range 1 + rng.IntN(most) {
			b.WriteByte("abAB1"[rng.IntN(5)])
		}
		return b.String()
	}
	version := func(rng *rand.Rand) string {
		return fmt.Sprintf("%d.%d%s", rng.IntN(30), []int{rng.IntN(30), 65_530 + rng.IntN(10)}[rng.IntN(2)], []string{"", "-rc.1", "-rc.2"}[rng.IntN(3)])
	}
	day := func(rng *rand.Rand) string {
		return fmt.Sprintf("%d-%02d-%02dT0%d:00:00Z", []int{1969, 2026, 2026, 2026}[rng.IntN(4)], 1+rng.IntN(12), 1+rng.IntN(28), rng.IntN(10))
	}
	address := func(rng *rand.Rand) string {
		if rng.IntN(3) == 0 {
			return fmt.Sprintf("2001:db8:%x::%x", rng.IntN(16), rng.IntN(256))
		}
		return fmt.Sprintf("10.%d.%d.%d", rng.IntN(4), rng.IntN(256), rng.IntN(256))
	}
	network := func(rng *rand.Rand) string {
		if a := address(rng); strings.Contains(a, ":") {
			return fmt.Sprintf("%s/%d", a, 30+rng.IntN(99))
		} else {
			return fmt.Sprintf("%s/%d", a, 8+rng.IntN(25))
		}
	}
	pick := func(rng *rand.Rand, ops ...string) string { return ops[rng.IntN(len(ops))] }
	for _, kind := range []struct {
		name      string
		condition func(rng *rand.Rand) string
		value     func(rng *rand.Rand) string
	}{
		{"texts", func(rng *rand.Rand) string {
			return fmt.Sprintf("x %s [%q,%q,%d]", pick(rng, "in", "in~", "not_in", "not_in~"), word(rng, 4), word(rng, 4), rng.IntN(99))
		}, func(rng *rand.Rand) string { return word(rng, 4) }},
		{"numbers", func(rng *rand.Rand) string {
			return fmt.Sprintf("x %s %d", pick(rng, "gt", "gte", "lt", "lte", "eq"), rng.IntN(2000)-200)
		}, func(rng *rand.Rand) string { return pick(rng, "", "", "-") + fmt.Sprint(rng.IntN(1800)) }},
		{"few numbers", func(rng *rand.Rand) string {
			return fmt.Sprintf("x %s %d", pick(rng, "gt", "gte", "lt", "lte"), rng.IntN(3)-1)
		}, func(rng *rand.Rand) string { return pick(rng, "-0", "0", "-1", "1", "0.5", "-0.5") }},
		{"versions", func(rng *rand.Rand) string {
			return fmt.Sprintf("x semver_%s %q", pick(rng, "gt", "gte", "lt", "lte", "eq"), version(rng))
		}, version},
		{"times", func(rng *rand.Rand) string { return fmt.Sprintf("x %s %q", pick(rng, "before", "after"), day(rng)) }, day},
		{"ages", func(rng *rand.Rand) string {
			return fmt.Sprintf("x %s \"%dh\"", pick(rng, "older_than", "newer_than"), rng.IntN(6000))
		}, day},
		{"networks", func(rng *rand.Rand) string { return fmt.Sprintf("x in_cidr [%q,%q]", network(rng), network(rng)) }, address},
		{"prefixes", func(rng *rand.Rand) string {
			return fmt.Sprintf("x %s %q", pick(rng, "prefix", "prefix~"), word(rng, 6))
		}, func(rng *rand.Rand) string { return word(rng, 9) }},
		{"long prefixes", func(rng *rand.Rand) string {
			return fmt.Sprintf("x %s %q", pick(rng, "prefix", "prefix", "prefix~"), "/shop/items/"+pick(rng, "", "abbaabba")+word(rng, 6))
		}, func(rng *rand.Rand) string {
			return pick(rng, "/shop/items/", "/shop/items/", "/shop/items", "/shoq") + pick(rng, "", "abbaabba") + word(rng, 9)
		}},
		{"suffixes", func(rng *rand.Rand) string {
			return fmt.Sprintf("x %s %q", pick(rng, "suffix", "suffix~"), word(rng, 6))
		}, func(rng *rand.Rand) string { return word(rng, 9) }},
		{"substrings", func(rng *rand.Rand) string {
			return fmt.Sprintf("x %s %q", pick(rng, "contains", "contains~", "matches"), word(rng, 6)+pick(rng, "", "", "b"))
		}, func(rng *rand.Rand) string { return word(rng, 12) }},
		{"patterns", func(rng *rand.Rand) string {
			return fmt.Sprintf("x matches %q", pick(rng, "^", "", "(?i)")+word(rng, 5)+pick(rng, "[ab]+$", "1?", ".*b"))
		}, func(rng *rand.Rand) string { return word(rng, 12) }},
	} {
		t.Run(kind.name, func(t *testing.T) {
			for _, n := range []int{40, 40, 200, 200, 700, 2500} {
				seed := rand.Uint64()
				t.Logf("%d popups, seed %d", n, seed)
				rng := rand.New(rand.NewPCG(seed, 0))
				most := 1 + rng.IntN(3)
				groups := []string{"all", "all", "any", "none"}[:1+rng.IntN(4)]
				c, of := newCompiler(nil), changes{}
				for i := range n {
					var spec popup.Targeting
					for range 1 + rng.IntN(most) {
						condition := parseCondition(t, kind.condition(rng))
						list := map[string]*[]popup.Condition{"all": &spec.All, "any": &spec.Any, "none": &spec.None}[pick(rng, groups...)]
						*list = append(*list, condition)
					}
					targeting, err := c.compileTargeting(&spec)
					if err != nil {
						t.Fatal(err)
					}
					of.in = append(of.in, &Popup{
						ID: uint32(i + 1), Version: 1, Key: fmt.Sprintf("p%d", i+1), Status: popup.Active, Priority: i % 5, placements: []string{"default"}, trigger: popup.DefaultTrigger,
						schedule: noSchedule, targeting: targeting, rolloutShare: rolloutSteps, row: popup.Row{Spec: fmt.Append(nil, spec)},
					})
				}
				s := &Snapshot{}
				c.finish(s, of)
				var m Matches
				for range 20 {
					r := request("u")
					for range 1 + rng.IntN(2)*rng.IntN(3) {
						r.Attrs = append(r.Attrs, popup.Attr{Name: []byte("x"), Value: []byte(kind.value(rng))})
					}
					compareWithEach(t, s, s.All(), &m, r, nowMS)
				}
			}
		})
	}
}

// parseCondition reads a condition as a popup has it.
func parseCondition(t *testing.T, text string) popup.Condition {
	spec, err := popup.Decode([]byte(`{"key":"p","targeting":{"all":[` + conditionJSON(text) + `]}}`))
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return spec.Targeting.All[0]
}

// TestSelectiveConditions has popups that each require several conditions that few popups
// have, and of which the first, the second or the third one has the fewest.
func TestSelectiveConditions(t *testing.T) {
	for _, of := range [][3]int{{600, 400, 250}, {400, 600, 250}, {400, 250, 600}} { // values of each attribute
		conditions := func(i int) string {
			return fmt.Sprintf(`"targeting":{"all":[%s,%s,%s]}`, conditionJSON(fmt.Sprintf(`x eq "%d"`, i%of[0])),
				conditionJSON(fmt.Sprintf(`y eq "%d"`, i%of[1])), conditionJSON(fmt.Sprintf(`z eq "%d"`, i%of[2])))
		}
		var rows []popup.Row
		for i := range 4000 {
			rows = append(rows, row(uint32(i+1), conditions(i)))
		}
		s := mustCompile(t, rows...)
		var m Matches
		for i := 0; i < 4000; i += 37 {
			r := request("u")
			for j, name := range []string{"x", "y", "z"} {
				r.Attrs = append(r.Attrs, popup.Attr{Name: []byte(name), Value: fmt.Append(nil, i%of[j])})
			}
			compareWithEach(t, s, s.All(), &m, r, nowMS)
		}
	}
}
