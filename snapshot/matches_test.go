package snapshot

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cespare/xxhash/v2"
	"pgregory.net/rapid"

	"github.com/popupd/popupd/popup"
)

// TestMatchIsLikeTheModel holds whole catalogs, and Gate of each popup, against
// the model below, which reads specs and knows nothing of positions or tables.
func TestMatchIsLikeTheModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		// Few kinds of popups for many popups, so that conditions are shared and
		// sets are longer than a word.
		n := rapid.SampledFrom([]int{0, 2, 20, 70, 200}).Draw(t, "popups")
		kinds := rapid.SliceOfN(rapid.Custom(drawSpec), 12, 12).Draw(t, "kinds")
		chosen := rapid.SliceOfN(rapid.IntRange(0, len(kinds)-1), n, n).Draw(t, "kind of each popup")
		specs, rows := make([]popup.Spec, len(chosen)), make([]popup.Row, len(chosen))
		for i, kind := range chosen {
			specs[i] = kinds[kind]
			specs[i].Key = fmt.Sprintf("p%d", i+1)
			rows[i] = popup.Row{ID: uint32(i + 1), Version: 1, Key: specs[i].Key, Spec: specs[i].Encode()}
		}
		first, broken := Compile(popup.Catalog{Revision: 1, Popups: rows}, nil)
		if len(broken) > 0 {
			t.Fatalf("broken: %s: %v", rows[broken[0].ID-1].Spec, broken[0].Err)
		}
		fewer := rapid.IntRange(0, n).Draw(t, "popups of the next revision")
		second, _ := Compile(popup.Catalog{Revision: 2, Popups: rows[:fewer]}, first)
		for range 8 {
			r := drawRequest(t)
			nowMS := nowMS + rapid.SampledFrom([]int64{-1, 0, 1, 9 * 3_600_000, 86_400_000}).Draw(t, "after noon")
			for _, p := range first.All() {
				i := p.ID
				if got, want := first.Gate(p, r, r.PlacementNames()[0], nowMS), modelGate(&specs[i-1], r, nowMS); got != want {
					t.Fatalf("Gate = %v, want %v: %s", got, want, rows[i-1].Spec)
				}
			}
			for name, c := range map[string]struct {
				s     *Snapshot
				specs []popup.Spec
			}{"first": {first, specs}, "second": {second, specs[:fewer]}} {
				got, reason := match(c.s, nil, r, nowMS)
				want, wantReason := modelMatch(c.specs, r, nowMS)
				if keys(got) != want || reason != wantReason {
					t.Fatalf("%s: matched %s, %v\nwant %s, %v", name, keys(got), reason, want, wantReason)
				}
			}
		}
	})
}

var (
	attrNames = []string{"plan", "plan", "plan", "platform", "uid", "app_version", "age", "ip"}
	texts     = []string{"a", "b", "ab", "ba", "5", "5.0", "1.2", "1.2.0", "1.2-rc.1", "1.2 (45)", "true"}
	// What a request has beside these.
	values = append([]string{"A", "Ba", "aB", "\u212a", "k", "TRUE", "2026-07-01", "2026-07-01T12:00:00Z", "2026-07-01T14:00:00.001+02:00", "2026-06-30T23:59:59.999Z", "2026-02-30",
		"10.1.2.3", "::ffff:10.1.2.3", "2001:db8::1", "10.1.2", strings.Repeat("ab", popup.MaxMatched/2), strings.Repeat("ab", popup.MaxMatched/2) + "a"}, texts...)
)

func drawSpec(t *rapid.T) popup.Spec {
	s, err := popup.Decode([]byte(`{"key":"p"}`))
	if err != nil {
		t.Fatal(err)
	}
	sample := func(what string, values ...string) string { return rapid.SampledFrom(values).Draw(t, what) }
	s.Status = popup.Status(sample("status", "active", "active", "active", "paused"))
	s.Priority = rapid.IntRange(0, 2).Draw(t, "priority")
	s.Placements = strings.Split(sample("placements", "default", "home", "default,home", "cart,home"), ",")
	s.Trigger = sample("trigger", "load", "load", "load", "exit", "scroll:50")
	at := func(what string) *time.Time {
		ms := rapid.SampledFrom([]int64{0, 0, -1, 1, 86_400_000}).Draw(t, what)
		if ms == 0 {
			return nil
		}
		at := time.UnixMilli(nowMS + ms).UTC()
		return &at
	}
	if s.Schedule.StartAt, s.Schedule.EndAt = at("start"), at("end"); s.Schedule.StartAt != nil && s.Schedule.EndAt != nil && !s.Schedule.StartAt.Before(*s.Schedule.EndAt) {
		s.Schedule.EndAt = nil
	}
	if rapid.IntRange(0, 3).Draw(t, "hours") == 0 {
		s.Schedule.Timezone = sample("zone", "UTC", "America/New_York", "Asia/Kolkata")
		s.Schedule.UserTime = rapid.Bool().Draw(t, "user time")
		s.Schedule.Days = []string{sample("day", "wed", "thu")}
		s.Schedule.Hours = [][2]string{{sample("from", "08:00", "22:00"), "12:00"}}
	}
	s.Rollout.Percent = rapid.SampledFrom([]float64{100, 100, 50, 0}).Draw(t, "percent")
	s.Rollout.Salt = sample("salt", "", "s")
	for _, group := range []*[]popup.Condition{&s.Targeting.All, &s.Targeting.Any, &s.Targeting.None} {
		*group = rapid.SliceOfN(rapid.Custom(drawCondition), 0, 2).Draw(t, "conditions")
	}
	return s
}

func drawCondition(t *rapid.T) popup.Condition {
	c := popup.Condition{Attr: rapid.SampledFrom(attrNames).Draw(t, "attr")}
	// More often what is compiled into tables than what is asked one by one.
	ops := []popup.Op{popup.Eq, popup.Neq, popup.In, popup.NotIn, popup.Eq, popup.Neq, popup.In, popup.NotIn, popup.In, popup.NotIn, popup.Gt, popup.Gte, popup.Lt, popup.Lte,
		popup.Contains, popup.Prefix, popup.Suffix, popup.Exists, popup.NotExists, popup.SemverEq, popup.SemverGt, popup.SemverGte, popup.SemverLt, popup.SemverLte,
		popup.Matches, popup.Before, popup.After, popup.OlderThan, popup.NewerThan, popup.InCIDR}
	c.Op = rapid.SampledFrom(ops).Draw(t, "op")
	text := rapid.Map(rapid.SampledFrom(append([]string{"bA", "K"}, texts[:6]...)), func(s string) any { return s })
	number := rapid.Map(rapid.SampledFrom([]float64{5, 1.2, -1}), func(f float64) any { return f })
	truth := rapid.Just[any](true)
	switch c.Op {
	case popup.Eq, popup.Neq:
		c.Value = rapid.OneOf(text, text, number, truth).Draw(t, "value")
	case popup.In, popup.NotIn:
		kind := rapid.SampledFrom([]*rapid.Generator[any]{text, number, rapid.OneOf(text, number, truth)}).Draw(t, "kind")
		c.Value = rapid.SliceOfN(kind, 1, 4).Draw(t, "values")
	case popup.Gt, popup.Gte, popup.Lt, popup.Lte:
		c.Value = number.Draw(t, "number")
	case popup.Contains, popup.Prefix, popup.Suffix:
		c.Value = text.Draw(t, "text")
	case popup.SemverEq, popup.SemverGt, popup.SemverGte, popup.SemverLt, popup.SemverLte:
		c.Value = rapid.SampledFrom([]string{"1.2", "1.2-rc.2", "5"}).Draw(t, "version")
	case popup.Matches:
		c.Value = rapid.SampledFrom([]string{"a", "^a", "b$", "(?i)^ba$", `^\d+(\.\d+)*$`, "(ab)+a?$"}).Draw(t, "pattern")
	case popup.Before, popup.After:
		c.Value = rapid.SampledFrom([]string{"2026-07-01", "2026-07-01T12:00:00Z", "2026-07-01T08:00:00.000-04:00", "2027-01-01"}).Draw(t, "time")
	case popup.OlderThan, popup.NewerThan:
		c.Value = rapid.SampledFrom([]string{"0s", "12h", "1d", "2w"}).Draw(t, "age")
	case popup.InCIDR:
		network := rapid.Map(rapid.SampledFrom([]string{"10.0.0.0/8", "10.1.2.3", "2001:db8::/32", "::/0", "0.0.0.0/0", "::ffff:10.1.0.0/112"}), func(s string) any { return s })
		c.Value = rapid.OneOf(network, rapid.Map(rapid.SliceOfN(network, 1, 3), func(list []any) any { return list })).Draw(t, "networks")
	}
	c.IgnoreCase = c.Op.TakesIgnoreCase() && rapid.IntRange(0, 3).Draw(t, "ignore case") == 0
	return c
}

func drawRequest(t *rapid.T) *popup.Request {
	text := func(what string) []byte {
		return []byte(rapid.SampledFrom(append([]string{""}, values...)).Draw(t, what))
	}
	r := &popup.Request{
		User:     []byte(rapid.SampledFrom(texts).Draw(t, "user")),
		Platform: text("platform"), AppVersion: text("app version"), IP: text("ip"),
		Zone: []byte(rapid.SampledFrom([]string{"", "Asia/Tokyo", "America/New_York", "Mars/Olympus", "utc"}).Draw(t, "zone of the user")),
	}
	if placement := rapid.SampledFrom([]string{"", "default", "home", "cart", "nowhere"}).Draw(t, "placement"); placement != "" {
		r.Placements = [][]byte{[]byte(placement)}
	}
	r.Trigger = []byte(rapid.SampledFrom([]string{"", "load", "exit", "delay:5"}).Draw(t, "trigger"))
	for range rapid.IntRange(0, 4).Draw(t, "attributes") {
		r.Attrs = append(r.Attrs, popup.Attr{Name: []byte(rapid.SampledFrom(attrNames).Draw(t, "name")), Value: text("value")})
	}
	return r
}

func modelMatch(specs []popup.Spec, r *popup.Request, nowMS int64) (fit string, furthest popup.Reason) {
	order := make([]int, len(specs))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return specs[b].Priority - specs[a].Priority })
	var names []string
	for _, i := range order {
		reason := modelGate(&specs[i], r, nowMS)
		if reason == popup.Eligible {
			names = append(names, specs[i].Key+".1")
		}
		furthest = max(furthest, reason)
	}
	return strings.Join(names, " "), furthest
}

func modelGate(s *popup.Spec, r *popup.Request, nowMS int64) popup.Reason {
	placement, trigger := "default", "load"
	if len(r.Placements) > 0 {
		placement = string(r.Placements[0])
	}
	if len(r.Trigger) > 0 {
		trigger = string(r.Trigger)
	}
	holds := func(c popup.Condition) bool { return modelHolds(&c, r, nowMS) }
	t, salt := &s.Targeting, s.Rollout.Salt
	if salt == "" {
		salt = s.Key
	}
	switch {
	case s.Status != popup.Active:
		return popup.NotActive
	case s.Schedule.StartAt != nil && nowMS < s.Schedule.StartAt.UnixMilli():
		return popup.NotStarted
	case s.Schedule.EndAt != nil && nowMS >= s.Schedule.EndAt.UnixMilli():
		return popup.Ended
	case !modelOpen(&s.Schedule, string(r.Zone), nowMS):
		return popup.OutsideHours
	case !slices.Contains(s.Placements, placement):
		return popup.WrongPlacement
	case s.Trigger != trigger:
		return popup.WrongTrigger
	case slices.ContainsFunc(t.All, func(c popup.Condition) bool { return !holds(c) }), slices.ContainsFunc(t.None, holds),
		len(t.Any) > 0 && !slices.ContainsFunc(t.Any, holds):
		return popup.NotTargeted
	case float64(xxhash.Sum64String("rollout\x00"+salt+"\x00"+string(r.User))%10_000) >= s.Rollout.Percent*100:
		return popup.NotInRollout
	}
	return popup.Eligible
}

// modelOpen knows schedules of one day and one window.
func modelOpen(s *popup.Schedule, user string, nowMS int64) bool {
	if len(s.Days) == 0 {
		return true
	}
	name := s.Timezone
	if s.UserTime && strings.Contains("Asia/Tokyo America/New_York", user) && user != "" {
		name = user
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		panic(err)
	}
	now := time.UnixMilli(nowMS).In(zone)
	from, to, clock := s.Hours[0][0], s.Hours[0][1], now.Format("15:04")
	today := strings.ToLower(now.Format("Mon")) == s.Days[0]
	if from < to {
		return today && from <= clock && clock < to
	}
	yesterday := strings.ToLower(now.AddDate(0, 0, -1).Format("Mon")) == s.Days[0]
	return today && from <= clock || yesterday && clock < to
}
