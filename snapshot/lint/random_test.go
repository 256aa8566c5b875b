package lint

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/popupd/popupd/decision"
	"github.com/popupd/popupd/frequency"
	"github.com/popupd/popupd/popup"
	"github.com/popupd/popupd/snapshot"
)

// source draws popups and requests. Its values are few, and close to one another, so that
// conditions often contradict each other, and often nearly.
type source struct{ *rand.Rand }

func newSource(t *testing.T) source {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	return source{rand.New(rand.NewPCG(seed, 0))}
}

func pick[T any](r source, values ...T) T { return values[r.IntN(len(values))] }

var (
	drawnTexts = []string{"a", "b", "ab", "ba", "aba", "5", "5.0", "05", "6", "1.2", "1.2.0", "1.2-rc.1", "1.2-0", "0-0", "1.2 (45)", "true", "false", "é",
		"A", "aB", "É", "2026-06-30", "2026-07-01T12:00:00Z", "2026-07-01T12:00:00.001Z", "10.0.0.1", "10.0.1.1", "11.0.0.1", "::1"}
	drawnNumbers = []float64{5, 6, 1.2, -1, 0}
	drawnOps     = []popup.Op{popup.Eq, popup.Neq, popup.In, popup.NotIn, popup.Gt, popup.Gte, popup.Lt, popup.Lte, popup.Contains, popup.Prefix,
		popup.Suffix, popup.Exists, popup.NotExists, popup.SemverEq, popup.SemverGt, popup.SemverGte, popup.SemverLt,
		popup.SemverLte, popup.Matches, popup.Before, popup.After, popup.OlderThan, popup.NewerThan, popup.InCIDR}
)

func (r source) value() any {
	switch r.IntN(6) {
	case 0:
		return r.IntN(2) == 0
	case 1, 2:
		return pick(r, drawnNumbers...)
	}
	return pick(r, drawnTexts...)
}

func (r source) condition(attrs []string) popup.Condition {
	c := popup.Condition{Attr: pick(r, attrs...), Op: pick(r, drawnOps...)}
	switch c.Op {
	case popup.Eq, popup.Neq:
		c.Value = r.value()
	case popup.In, popup.NotIn:
		var values []any
		for range 1 + r.IntN(3) {
			values = append(values, r.value())
		}
		c.Value = values
	case popup.Gt, popup.Gte, popup.Lt, popup.Lte:
		c.Value = pick(r, drawnNumbers...)
	case popup.Contains, popup.Prefix, popup.Suffix:
		c.Value = pick(r, append(drawnTexts, strings.Repeat("x", 129))...)
	case popup.SemverEq, popup.SemverGt, popup.SemverGte, popup.SemverLt, popup.SemverLte:
		c.Value = pick(r, "1.2", "1.2-rc.2", "5", "0-0", "0-1", "1.2.0.1")
	case popup.Matches:
		c.Value = pick(r, "a", "^a$", "(?i)b", "^[0-9]+")
	case popup.Before, popup.After:
		c.Value = pick(r, "2026-06-30", "2026-06-30T00:00:00.001Z", "2026-07-01T12:00:00Z", "0000-01-01T00:00:00+23:59")
	case popup.OlderThan, popup.NewerThan:
		c.Value = pick(r, "0s", "12h", "1d", "36h")
	case popup.InCIDR:
		network := func() any {
			return pick(r, "10.0.0.0/8", "10.0.0.0/7", "10.0.0.0/24", "10.0.0.1", "::/0", "0.0.0.0/0", "::1")
		}
		if c.Value = network(); r.IntN(2) == 0 {
			c.Value = []any{network(), network()}
		}
	}
	c.IgnoreCase = c.Op.TakesIgnoreCase() && r.IntN(3) == 0
	return c
}

// spec draws a popup, and says when it may be open.
func (r source) spec() popup.Spec {
	s, _ := popup.Decode([]byte(`{"key":"p","status":"active"}`))
	attrs := pick(r, []string{"plan"}, []string{"uid"}, []string{"app_version", "plan"}, []string{"uid", "plan", "platform", "path"})
	for _, group := range []*[]popup.Condition{&s.Targeting.All, &s.Targeting.All, &s.Targeting.Any, &s.Targeting.None} {
		for range r.IntN(3) {
			*group = append(*group, r.condition(attrs))
		}
	}
	s.Rollout.Percent = pick(r, 100.0, 100, 100, 50, 0.01, 0)
	if r.IntN(2) == 0 {
		s.Schedule = r.schedule()
	}
	return s
}

func (r source) schedule() popup.Schedule {
	s := popup.Schedule{Timezone: pick(r, "UTC", "Europe/Berlin", "Asia/Kolkata", "America/St_Johns", "Australia/Lord_Howe", "Pacific/Apia"), UserTime: r.IntN(3) == 0}
	at := func(from int64) *time.Time {
		to := time.UnixMilli(from + r.Int64N(pick(r, int64(time.Minute), int64(24*time.Hour), int64(9*24*time.Hour))/1e6)).UTC()
		return &to
	}
	// Around the moments when Berlin's clocks change, too.
	base := pick(r, nowMS-86_400_000, nowMS, int64(1_792_886_400_000), 1_806_192_000_000)
	if r.IntN(3) > 0 {
		s.StartAt = at(base)
		base = s.StartAt.UnixMilli() + 1
	}
	if r.IntN(4) > 0 {
		s.EndAt = at(base)
	}
	for _, day := range []string{"mon", "tue", "wed", "thu", "fri", "sat", "sun"} {
		if r.IntN(6) == 0 {
			s.Days = append(s.Days, day)
		}
	}
	for range r.IntN(3) {
		from := r.IntN(24 * 60)
		to := (from + 1 + r.IntN(90)) % (24 * 60)
		s.Hours = append(s.Hours, [2]string{clock(from), clock(to)})
	}
	return s
}

func clock(minute int) string { return fmt.Sprintf("%02d:%02d", minute/60, minute%60) }

// request draws a request whose values are those of the popup's conditions, or close to them.
func (r source) request(s *popup.Spec) *popup.Request {
	text := func() []byte {
		switch r.IntN(8) {
		case 0:
			return nil
		case 1:
			return []byte(pick(r, drawnTexts...) + pick(r, drawnTexts...))
		case 2:
			return []byte(pick(r, drawnTexts...) + pick(r, drawnTexts...) + pick(r, drawnTexts...))
		case 3:
			return strconv.AppendFloat(nil, pick(r, drawnNumbers...)+pick(r, 0, 0.5, -0.5), 'f', 1, 64)
		case 4:
			return []byte(strings.Repeat("x", 128))
		}
		return []byte(pick(r, drawnTexts...))
	}
	req := &popup.Request{User: text(), Platform: text(), AppVersion: text(), Path: text(), Zone: []byte(pick(r, "", "UTC", "Pacific/Kiritimati", "Etc/GMT+12", "Asia/Kolkata", "Mars"))}
	if len(req.User) == 0 {
		req.User = []byte("u")
	}
	for range pick(r, 1, 1, 2, 3) {
		req.Attrs = append(req.Attrs, popup.Attr{Name: []byte("plan"), Value: text()})
	}
	return req
}

// with returns the popup compiled after a change.
func with(s popup.Spec, change func(*popup.Spec)) *snapshot.Popup {
	change(&s)
	compiled, broken := snapshot.Compile(popup.Catalog{Revision: 1, Popups: []popup.Row{{ID: 1, Version: 1, Key: s.Key, Spec: s.Encode()}}}, nil)
	if len(broken) > 0 {
		panic(broken[0].Err)
	}
	return compiled.Popup(1)
}

// Nothing that is proved is refuted by the evaluator, for 10,000 popups.
func TestNoFalseAlarm(t *testing.T) {
	r := newSource(t)
	popups := 10_000
	if testing.Short() {
		popups = 2_000
	}
	proved, reachable := map[popup.WarningCode]int{}, 0
	for range popups {
		s := r.spec()
		if err := s.Validate(); err != nil {
			t.Fatalf("%v: %s", err, s.Encode())
		}
		timeless := with(s, func(s *popup.Spec) { s.Schedule = popup.Schedule{Timezone: "UTC"}; s.Rollout.Percent = 100 })
		list := Check(&s, 0, nil, nowMS)
		checks := make([]func(*popup.Request) bool, len(list)) // whether a request refutes a warning
		for i, w := range list {
			if w.Proved {
				proved[w.Code]++
				checks[i] = refutation(s, w, timeless)
			}
		}
		var wasReachable bool
		for range 40 {
			req := r.request(&s)
			wasReachable = wasReachable || gateOf(timeless, req, placement, nowMS) == popup.Eligible
			for i, refutes := range checks {
				if refutes != nil && refutes(req) {
					t.Fatalf("%+v is refuted by %+v of %s", list[i], req, s.Encode())
				}
			}
		}
		if wasReachable {
			reachable++
		}
	}
	t.Logf("%d of the popups fit a request that was tried; proved: %v", reachable, proved)
	for _, code := range []popup.WarningCode{popup.NeverHolds, popup.NeverFails, popup.Contradiction, popup.AnyNeverHolds, popup.AnyNeverFails,
		popup.NeverOpen, popup.AlreadyEnded, popup.NobodyInRollout} {
		if proved[code] == 0 {
			t.Errorf("no popup of %d was warned of for %s", popups, code)
		}
	}
}

// refutation returns what reports whether a request shows that a warning is false.
func refutation(s popup.Spec, w popup.Warning, timeless *snapshot.Popup) func(*popup.Request) bool {
	at := nowMS + rand.Int64N(1<<rand.IntN(40)) // what is proved is so at any later time
	fits := func(p *snapshot.Popup, req *popup.Request) bool {
		return gateOf(p, req, placement, at) == popup.Eligible
	}
	group, condition := conditionAt(s, w.Pointer)
	switch w.Code {
	case popup.NeverHolds, popup.NeverFails:
		alone := with(s, func(s *popup.Spec) {
			s.Targeting, s.Schedule, s.Rollout.Percent = popup.Targeting{All: []popup.Condition{*condition}}, popup.Schedule{Timezone: "UTC"}, 100
		})
		return func(req *popup.Request) bool { return fits(alone, req) == (w.Code == popup.NeverHolds) }
	case popup.Contradiction:
		if group != "any" {
			return func(req *popup.Request) bool { return fits(timeless, req) }
		}
		beside := with(s, func(s *popup.Spec) {
			s.Targeting.Any, s.Schedule, s.Rollout.Percent = []popup.Condition{*condition}, popup.Schedule{Timezone: "UTC"}, 100
		})
		return func(req *popup.Request) bool { return fits(beside, req) }
	case popup.AnyNeverHolds, popup.TooManyAttributes:
		return func(req *popup.Request) bool { return fits(timeless, req) }
	case popup.AnyNeverFails:
		without := with(s, func(s *popup.Spec) {
			s.Targeting.Any, s.Schedule, s.Rollout.Percent = nil, popup.Schedule{Timezone: "UTC"}, 100
		})
		return func(req *popup.Request) bool { return fits(without, req) != fits(timeless, req) }
	case popup.UserTimeUnused:
		same := with(s, func(s *popup.Spec) { s.Schedule.UserTime = false })
		given := with(s, func(*popup.Spec) {})
		return func(req *popup.Request) bool {
			return gateOf(same, req, placement, at) != gateOf(given, req, placement, at)
		}
	case popup.NeverOpen, popup.AlreadyEnded:
		first, last := int64(nowMS), s.Schedule.EndAt.UnixMilli()
		if s.Schedule.StartAt != nil {
			first = max(first, s.Schedule.StartAt.UnixMilli())
		}
		times := []int64{first, last - 1}
		for range 30 {
			times = append(times, first+rand.Int64N(max(last-first, 1)))
		}
		open := with(s, func(s *popup.Spec) { s.Targeting, s.Rollout.Percent = popup.Targeting{}, 100 })
		return func(req *popup.Request) bool {
			return slices.ContainsFunc(times, func(at int64) bool {
				return at >= nowMS && gateOf(open, &popup.Request{Zone: req.Zone}, placement, at) == popup.Eligible
			})
		}
	}
	always := with(s, func(s *popup.Spec) { s.Targeting, s.Schedule = popup.Targeting{}, popup.Schedule{Timezone: "UTC"} })
	return func(req *popup.Request) bool { return fits(always, req) }
}

// conditionAt returns the condition that a JSON pointer leads to.
func conditionAt(s popup.Spec, pointer string) (group string, c *popup.Condition) {
	part := strings.Split(pointer, "/")
	if len(part) != 4 || part[1] != "targeting" {
		return "", nil
	}
	i, _ := strconv.Atoi(part[3])
	return part[2], &map[string][]popup.Condition{"all": s.Targeting.All, "any": s.Targeting.Any, "none": s.Targeting.None}[part[2]][i]
}

// A popup that is said to be outranked is shown to nobody who polls no more than ten
// times a second, in whichever placements.
func TestOutrankedAreNotShown(t *testing.T) {
	r := newSource(t)
	names := []string{"default", "home", "cart"}
	outranked := 0
	for range 500 {
		attrs := pick(r, []string{"plan"}, []string{"platform", "plan"})
		var specs []popup.Spec
		for i := range 4 {
			s, _ := popup.Decode(fmt.Appendf(nil, `{"key":"p%d","status":"active","frequency":{"after_impression_sec":0,"after_click_sec":0,"after_dismiss_sec":0}}`, i))
			s.Priority = r.IntN(3)
			s.Placements = pick(r, names[:1], names[:1], names[1:2], names[:2])
			s.Frequency.IgnoreMinGap = r.IntN(2) == 0
			s.Frequency.AfterImpressionSec = pick(r, int64(0), 0, 0, 1)
			s.Trigger = pick(r, "load", "load", "load", "exit")
			s.Rollout = popup.Rollout{Percent: pick(r, 100.0, 100, 50), Salt: pick(r, "", "s")}
			s.Targeting = popup.Targeting{}
			if r.IntN(2) == 0 {
				s.Targeting.All = []popup.Condition{r.condition(attrs)}
			}
			if r.IntN(4) == 0 {
				s.Targeting.Any = []popup.Condition{r.condition(attrs), r.condition(attrs)}
			}
			if r.IntN(8) == 0 {
				s.Variants = append(s.Variants, popup.Variant{Key: "c", Weight: 100, Control: true})
			}
			specs = append(specs, s)
		}
		var rows []popup.Row
		for i := range specs {
			rows = append(rows, popup.Row{ID: uint32(i + 1), Version: 1, Key: specs[i].Key, Spec: specs[i].Encode()})
		}
		snap, broken := snapshot.Compile(popup.Catalog{Revision: 1, Popups: rows}, nil)
		if len(broken) > 0 {
			t.Fatal(broken)
		}
		never := map[string]bool{}
		for i := range specs {
			for _, w := range Check(&specs[i], uint32(i+1), snap, nowMS) {
				if w.Code == popup.AlwaysOutranked {
					never[specs[i].Key] = true
					outranked++
				}
			}
		}
		if len(never) == 0 {
			continue
		}
		users := frequency.New(frequency.Config{MinGap: pick(r, 0, time.Second)})
		var d decision.Decision
		for at := range int64(60) {
			req := r.request(&specs[0])
			req.User = fmt.Append(nil, "u", r.IntN(4))
			req.Trigger = []byte(pick(r, "load", "exit"))
			for _, i := range r.Perm(len(names))[:1+r.IntN(len(names))] {
				req.Placements = append(req.Placements, []byte(names[i]))
			}
			d.Decide(snap, users, req, nowMS+at*150, nil)
			for _, w := range d.Winners {
				if never[w.Popup.Key] {
					t.Fatalf("%s is shown in %s, of %+v", w.Popup.Key, req.Placements, specs)
				}
			}
		}
	}
	t.Logf("%d popups were said to be outranked", outranked)
	if outranked == 0 {
		t.Error("no popup was said to be outranked")
	}
}

// gateOf returns the gate that stops a popup that names no audience.
func gateOf(p *snapshot.Popup, r *popup.Request, placement []byte, atMS int64) popup.Reason {
	return (*snapshot.Snapshot)(nil).Gate(p, r, placement, atMS)
}
