package snapshot

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/popupd/popupd/popup"
)

// audienceModel knows of each audience who is in it, by means as simple as can be.
type audienceModel struct {
	rows  map[string]popup.AudienceRow
	rules map[string]popup.Targeting
	lists map[string]map[string]bool // in force; nil: none has been loaded
}

// isUsable reports whether an audience, and all that it depends on, can be used.
func (m *audienceModel) isUsable(key string, path ...string) bool {
	if rule, ok := m.rules[key]; ok && !slices.Contains(path, key) {
		return m.areUsable(&rule, append(path, key)...)
	}
	return m.lists[key] != nil
}

// areUsable reports whether a targeting names no audience that can't be used.
func (m *audienceModel) areUsable(t *popup.Targeting, path ...string) bool {
	return !slices.ContainsFunc(t.Audiences(""), func(ref popup.AudienceRef) bool { return !m.isUsable(ref.Key, path...) })
}

// has reports whether a user is in an audience that can be used.
func (m *audienceModel) has(key string, r *popup.Request, nowMS int64) bool {
	if rule, ok := m.rules[key]; ok {
		return m.fits(&rule, r, nowMS)
	}
	return m.lists[key][string(r.User)]
}

func (m *audienceModel) fits(t *popup.Targeting, r *popup.Request, nowMS int64) bool {
	holds := func(c popup.Condition) bool {
		if c.Attr != popup.AudienceAttr {
			return modelHolds(&c, r, nowMS)
		}
		isIn := slices.ContainsFunc(c.Value.([]any), func(key any) bool { return m.has(key.(string), r, nowMS) })
		return isIn == (c.Op == popup.In)
	}
	return !slices.ContainsFunc(t.All, func(c popup.Condition) bool { return !holds(c) }) && !slices.ContainsFunc(t.None, holds) &&
		(len(t.Any) == 0 || slices.ContainsFunc(t.Any, holds))
}

// drawTargeting draws conditions of which some are on audiences.
func drawTargeting(t *rapid.T, keys []string) (of popup.Targeting) {
	for _, group := range []*[]popup.Condition{&of.All, &of.Any, &of.None} {
		for range rapid.IntRange(0, 2).Draw(t, "conditions") {
			if rapid.IntRange(0, 2).Draw(t, "on what") == 0 {
				*group = append(*group, drawCondition(t))
				continue
			}
			c := popup.Condition{Attr: popup.AudienceAttr, Op: rapid.SampledFrom([]popup.Op{popup.In, popup.In, popup.NotIn}).Draw(t, "op")}
			c.Value = rapid.SliceOfN(rapid.Map(rapid.SampledFrom(keys), func(key string) any { return key }), 1, 3).Draw(t, "audiences")
			*group = append(*group, c)
		}
	}
	return of
}

// TestAudiencesAreLikeTheModel changes popups, rules, lists and what has been loaded of them
// one after the other, and holds the index against each popup, each popup against the model,
// and the changes against a catalog that is compiled at once.
func TestAudiencesAreLikeTheModel(t *testing.T) {
	keysOf := []string{"a", "b", "c", "d", "e"}
	rapid.Check(t, func(t *rapid.T) {
		m := &audienceModel{map[string]popup.AudienceRow{}, map[string]popup.Targeting{}, map[string]map[string]bool{}}
		specs := map[uint32]popup.Spec{}
		var s *Snapshot
		var matches Matches
		number := uint64(0)
		rows := func() *[]popup.AudienceRow {
			list := slices.Collect(maps.Values(m.rows))
			slices.SortFunc(list, func(a, b popup.AudienceRow) int { return int(a.ID) - int(b.ID) })
			return &list
		}
		s, _ = Compile(popup.Catalog{AudienceKey: audienceKey}, nil)
		draw := func(what string, n int) int { return rapid.IntRange(0, n-1).Draw(t, what) }
		rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		for range 1 + draw("steps", 12) {
			number++
			change := popup.CatalogChange{Revision: int64(number)}
			key := keysOf[draw("key", len(keysOf))]
			switch step := draw("step", 9); {
			case step < 3: // popups
				for range 1 + draw("popups", 25) {
					spec := drawSpec(t)
					id := uint32(1 + draw("id", 90))
					spec.Key, spec.Targeting = fmt.Sprintf("p%d", id), drawTargeting(t, append(keysOf, "unknown")[:1+draw("known", 6)])
					change.Popups = append(slices.DeleteFunc(change.Popups, func(r popup.Row) bool { return r.ID == id }), popup.Row{ID: id, Version: uint32(number), Key: spec.Key, Spec: spec.Encode()})
					specs[id] = spec
				}
			case step == 3: // an audience goes
				delete(m.rows, key)
				delete(m.rules, key)
				delete(m.lists, key)
				change.Audiences = rows()
			case step < 6: // a rule, of a new audience if it was a list
				rule := drawTargeting(t, keysOf)
				row := popup.AudienceRow{ID: uint32(number), Version: uint32(number), Key: key, Rule: rule.Encode()}
				if _, ok := m.rules[key]; ok {
					row.ID = m.rows[key].ID
				}
				delete(m.lists, key)
				m.rows[key], m.rules[key] = row, rule
				change.Audiences = rows()
			case step < 8: // a list
				row := popup.AudienceRow{ID: uint32(number), Version: uint32(number), Key: key, List: number}
				if _, ok := m.rows[key]; ok && m.rows[key].Rule == nil {
					row.ID = m.rows[key].ID
				}
				delete(m.rules, key)
				m.rows[key] = row
				change.Audiences = rows()
			default: // a list has been loaded
				if toLoad := s.ListsToLoad(); len(toLoad) > 0 {
					row, users := toLoad[draw("which", len(toLoad))], []string{}
					m.lists[row.Key] = map[string]bool{}
					for _, user := range texts {
						if rng.IntN(2) == 0 {
							users = append(users, user)
							m.lists[row.Key][user] = true
						}
					}
					s = s.WithList(listOf(&testing.T{}, row, users...))
				}
			}
			s, _ = Apply(s, change)
			if rng.IntN(4) == 0 {
				s = Compact(s)
			}
			catalog := popup.Catalog{Revision: s.Revision, AudienceKey: audienceKey, Audiences: *rows()}
			for id, spec := range specs {
				catalog.Popups = append(catalog.Popups, popup.Row{ID: id, Version: 1, Key: spec.Key, Spec: spec.Encode()})
			}
			whole, _ := Compile(catalog, nil)
			for _, list := range s.Lists() {
				list.Row = whole.audiences.find(list.Row.Key).row
				whole = whole.WithList(list)
			}
			for range 6 {
				r, at := randomRequest(rng), nowMS+[]int64{0, 1, 9 * 3_600_000}[rng.IntN(3)]
				r.Zone = []byte([]string{"", "Asia/Tokyo"}[rng.IntN(2)])
				compareWithEach(t, s, s.All(), &matches, r, at)
				compareWithEach(t, whole, whole.All(), &matches, r, at)
				for id, spec := range specs {
					want := modelGateWith(m, &spec, r, at)
					for name, of := range map[string]*Snapshot{"changed": s, "compiled at once": whole} {
						if got := of.Gate(of.Popup(id), r, r.PlacementNames()[0], at); got != want {
							t.Fatalf("%s: popup %d: %v, want %v: %s\nrequest %+v\naudiences %+v", name, id, got, want, spec.Encode(), r, m)
						}
					}
				}
			}
		}
	})
}

// modelGateWith is modelGate with audiences.
func modelGateWith(m *audienceModel, s *popup.Spec, r *popup.Request, nowMS int64) popup.Reason {
	plain := *s
	plain.Targeting = popup.Targeting{}
	reason := modelGate(&plain, r, nowMS)
	if (reason == popup.Eligible || reason > popup.NotTargeted) && (!m.areUsable(&s.Targeting) || !m.fits(&s.Targeting, r, nowMS)) {
		return popup.NotTargeted
	}
	return reason
}

// TestAudiencesOfManyPopups holds the index against each popup where popups are more than a
// batch, or than a segment.
func TestAudiencesOfManyPopups(t *testing.T) {
	for _, n := range []int{200, 1500, 5000} {
		seed := rand.Uint64()
		t.Logf("%d popups, seed %d", n, seed)
		rng := rand.New(rand.NewPCG(seed, 0))
		var audiences []popup.AudienceRow
		for i := range 40 {
			key := fmt.Sprintf("a%d", i)
			if i%2 == 0 {
				audiences = append(audiences, listRow(uint32(i+1), key, 1))
			} else {
				audiences = append(audiences, ruleRow(uint32(i+1), key, `"any":[`+in("in", fmt.Sprintf("a%d", rng.IntN(i)))+`,{"attr":"plan","op":"eq","value":"p`+fmt.Sprint(i)+`"}]`))
			}
		}
		var popups []popup.Row
		for i := range n {
			condition := func() string {
				if rng.IntN(3) == 0 {
					return conditionJSON(fmt.Sprintf(`plan in ["p%d","p%d"]`, rng.IntN(40), rng.IntN(40)))
				}
				return in([]string{"in", "in", "not_in"}[rng.IntN(3)], fmt.Sprintf("a%d", rng.IntN(38+2*rng.IntN(2))), fmt.Sprintf("a%d", rng.IntN(38)))
			}
			groups := fmt.Sprintf(`"all":[%s]`, condition())
			if rng.IntN(2) == 0 {
				groups += fmt.Sprintf(`,"any":[%s,%s]`, condition(), condition())
			}
			if rng.IntN(2) == 0 {
				groups += fmt.Sprintf(`,"none":[%s]`, condition())
			}
			popups = append(popups, row(uint32(i+1), `"targeting":{`+groups+`}`))
		}
		s, _ := Compile(popup.Catalog{Popups: popups, Audiences: audiences, AudienceKey: audienceKey}, nil)
		for i, list := range s.ListsToLoad() {
			var users []string
			for user := range 30 {
				if rng.IntN(3) == 0 {
					users = append(users, fmt.Sprint(user))
				}
			}
			if i != 19 { // of the last one nothing is loaded
				s = s.WithList(listOf(t, list, users...))
			}
		}
		var m Matches
		for user := range 30 {
			r := request(fmt.Sprint(user))
			r.Attrs = []popup.Attr{{Name: []byte("plan"), Value: fmt.Appendf(nil, "p%d", rng.IntN(40))}}
			compareWithEach(t, s, s.All(), &m, r, nowMS)
		}
	}
}
