package popup

import (
	"encoding/json"
	"math"
	"slices"
	"strings"
	"time"
)

// Decode reads a spec from JSON. Absent members take their defaults; the
// read-only members id, version, updated_at, source, warnings and stats are accepted and ignored.
// Everything else is strict: unknown or repeated members, wrong types, trailing
// data and whatever [Spec.Validate] refuses come back as [FieldErrors].
//
// Lists of the result are never nil, times are UTC in whole milliseconds,
// values of conditions are string, bool, float64 or []any of these, and numbers
// inside content are [json.Number], so that they are served as they were written.
func Decode(data []byte) (Spec, error) {
	var d decoder
	return decodeAs(&d, data, d.spec, (*Spec).validateAll)
}

// DecodeStored is [Decode] for what a store holds, which a newer version may have
// written: members that are not known are ignored, and their JSON pointers returned. In
// a condition they are errors all the same: a condition that is understood in part would
// show a popup to users whom it excludes. It is held to [Spec.ValidateStored] only.
func DecodeStored(data []byte) (s Spec, ignored []string, err error) {
	d, validate := decoder{isStored: true}, (*Spec).validate
	if 16*len(data)+4096 <= MaxSpec { // escapes and defaults cannot make it too long
		validate = (*Spec).validateMembers
	}
	s, err = decodeAs(&d, data, d.spec, validate)
	return s, d.ignored, err
}

// decodeAs reads a document by d's method read, and validates it.
func decodeAs[T any](d *decoder, data []byte, read func(tree any) T, validate func(*T, *FieldErrors)) (T, error) {
	var none T
	tree, errs := parseTree(data)
	if len(errs) > 0 {
		return none, errs
	}
	v := read(tree)
	if len(d.errs) > 0 && d.errs[0].Pointer == "" {
		return none, d.errs
	}
	validate(&v, &d.errs)
	if err := d.errs.err(); err != nil {
		return none, err
	}
	return v, nil
}

// decoder turns a tree into a spec or settings. On a wrong type its methods note an error
// where they are in the tree, and return the zero value.
type decoder struct {
	path     path // of the value that is being read
	errs     FieldErrors
	isStored bool     // members that are not known are ignored
	ignored  []string // their pointers
}

// fail notes an error at the value that is being read.
func (d *decoder) fail(detail string) { d.errs.add(d.path.pointer(), detail) }

// object reads an object. It returns nil, which has no members, for anything else.
func (d *decoder) object(v any, known ...string) object {
	o, unknown := d.members(v, known)
	if d.isStored {
		d.ignored = append(d.ignored, unknown...)
	} else {
		d.refuse(unknown)
	}
	return o
}

// strictObject is object for what means something else without a member.
func (d *decoder) strictObject(v any, known ...string) object {
	o, unknown := d.members(v, known)
	d.refuse(unknown)
	return o
}

func (d *decoder) refuse(unknown []string) {
	for _, at := range unknown {
		d.errs.add(at, "is not a known field")
	}
}

// members reads an object, and returns the pointers of members that are not known.
func (d *decoder) members(v any, known []string) (o object, unknown []string) {
	o, ok := v.(object)
	if !ok {
		d.fail("must be an object")
	}
	for i := range o {
		if !slices.Contains(known, o[i].name) {
			unknown = append(unknown, d.path.pointer()+"/"+escapePointer(o[i].name))
		}
	}
	slices.Sort(unknown)
	return o, unknown
}

// require notes the members that o lacks.
func (d *decoder) require(o object, names ...string) {
	for _, name := range names {
		if _, ok := o.get(name); !ok {
			d.errs.add(d.path.pointer()+"/"+name, "is required")
		}
	}
}

// member reads the member of o with this name into dst; absent, dst keeps its default.
func member[T any](d *decoder, o object, name string, dst *T, read func(v any) T) {
	if v, ok := o.get(name); ok {
		d.path = append(d.path, step{name: name, index: -1})
		*dst = read(v)
		d.path = d.path[:len(d.path)-1]
	}
}

// list returns a reader of arrays whose elements read reads.
func list[T any](d *decoder, read func(v any) T) func(v any) []T {
	return func(v any) []T {
		values, ok := v.([]any)
		if !ok {
			d.fail("must be an array")
			return []T{}
		}
		out := make([]T, len(values))
		d.path = append(d.path, step{})
		for i, v := range values {
			d.path[len(d.path)-1].index = i
			out[i] = read(v)
		}
		d.path = d.path[:len(d.path)-1]
		return out
	}
}

func (d *decoder) spec(tree any) Spec {
	s := Spec{
		Status:     Draft,
		Placements: []string{DefaultPlacement},
		Trigger:    DefaultTrigger,
		Schedule:   Schedule{Timezone: "UTC", Days: []string{}, Hours: [][2]string{}},
		Targeting:  Targeting{All: []Condition{}, Any: []Condition{}, None: []Condition{}},
		Rollout:    Rollout{Percent: 100},
		Frequency:  Frequency{AfterClickSec: 2_592_000, AfterDismissSec: 86_400, AfterImpressionSec: 86_400},
		Goal:       defaultGoal(),
		Tags:       []string{},
	}
	o := d.object(tree, "id", "version", "updated_at", "source", "warnings", "stats", "key", "name", "status", "priority", "placements",
		"trigger", "schedule", "targeting", "rollout", "frequency", "goal", "variants", "tags")
	d.require(o, "key")
	member(d, o, "key", &s.Key, d.text)
	member(d, o, "name", &s.Name, d.text)
	member(d, o, "status", &s.Status, d.status)
	member(d, o, "priority", &s.Priority, d.priority)
	member(d, o, "placements", &s.Placements, list(d, d.text))
	member(d, o, "trigger", &s.Trigger, d.text)
	member(d, o, "schedule", &s.Schedule, d.schedule)
	member(d, o, "targeting", &s.Targeting, d.targeting)
	member(d, o, "rollout", &s.Rollout, d.rollout)
	member(d, o, "frequency", &s.Frequency, d.frequency)
	member(d, o, "goal", &s.Goal, d.goal)
	member(d, o, "variants", &s.Variants, list(d, d.variant))
	if _, ok := o.get("variants"); !ok {
		s.Variants = []Variant{d.variant(object{})}
	}
	member(d, o, "tags", &s.Tags, list(d, d.text))
	return s
}

func (d *decoder) schedule(v any) Schedule {
	s := Schedule{Timezone: "UTC", Days: []string{}, Hours: [][2]string{}}
	o := d.object(v, "start_at", "end_at", "timezone", "user_time", "days", "hours")
	member(d, o, "start_at", &s.StartAt, d.time)
	member(d, o, "end_at", &s.EndAt, d.time)
	member(d, o, "timezone", &s.Timezone, d.text)
	member(d, o, "user_time", &s.UserTime, d.flag)
	member(d, o, "days", &s.Days, list(d, d.text))
	member(d, o, "hours", &s.Hours, list(d, d.window))
	return s
}

func (d *decoder) window(v any) [2]string {
	pair := list(d, d.text)(v)
	if len(pair) != 2 {
		d.fail(`must be a pair of times, ["HH:MM","HH:MM"]`)
		return [2]string{}
	}
	return [2]string(pair)
}

func (d *decoder) targeting(v any) Targeting {
	t := Targeting{All: []Condition{}, Any: []Condition{}, None: []Condition{}}
	o := d.object(v, "all", "any", "none")
	member(d, o, "all", &t.All, list(d, d.condition))
	member(d, o, "any", &t.Any, list(d, d.condition))
	member(d, o, "none", &t.None, list(d, d.condition))
	return t
}

func (d *decoder) condition(v any) Condition {
	var c Condition
	o := d.strictObject(v, "attr", "op", "value", "ignore_case")
	member(d, o, "attr", &c.Attr, d.text)
	member(d, o, "op", &c.Op, func(v any) Op { return Op(d.text(v)) })
	member(d, o, "value", &c.Value, d.operand)
	member(d, o, "ignore_case", &c.IgnoreCase, d.flag)
	return c
}

func (d *decoder) rollout(v any) Rollout {
	r := Rollout{Percent: 100}
	o := d.object(v, "percent", "salt")
	member(d, o, "percent", &r.Percent, d.number)
	member(d, o, "salt", &r.Salt, d.text)
	return r
}

func (d *decoder) frequency(v any) Frequency {
	f := Frequency{AfterClickSec: 2_592_000, AfterDismissSec: 86_400, AfterImpressionSec: 86_400}
	o := d.object(v, "after_click_sec", "after_dismiss_sec", "after_impression_sec", "max_impressions", "ignore_min_gap", "confirm_sec")
	member(d, o, "after_click_sec", &f.AfterClickSec, d.whole)
	member(d, o, "after_dismiss_sec", &f.AfterDismissSec, d.whole)
	member(d, o, "after_impression_sec", &f.AfterImpressionSec, d.whole)
	member(d, o, "max_impressions", &f.MaxImpressions, d.count)
	member(d, o, "ignore_min_gap", &f.IgnoreMinGap, d.flag)
	member(d, o, "confirm_sec", &f.ConfirmSec, d.whole)
	return f
}

func (d *decoder) goal(v any) GoalSpec {
	g := defaultGoal()
	o := d.object(v, "event", "window_sec")
	member(d, o, "event", &g.Event, d.text)
	member(d, o, "window_sec", &g.WindowSec, d.whole)
	return g
}

func defaultGoal() GoalSpec { return GoalSpec{WindowSec: 604_800} }

func (d *decoder) variant(v any) Variant {
	out := Variant{Key: "a", Weight: 100}
	o := d.object(v, "key", "weight", "control", "content", "translations")
	member(d, o, "key", &out.Key, d.text)
	member(d, o, "weight", &out.Weight, d.count)
	member(d, o, "control", &out.Control, d.flag)
	member(d, o, "content", &out.Content, d.content)
	member(d, o, "translations", &out.Translations, d.translations)
	if _, ok := o.get("content"); !ok {
		out.Content = map[string]any{"title": "", "body": "", "image": "", "link": ""}
	}
	if out.Translations == nil {
		out.Translations = map[string]map[string]any{}
	}
	return out
}

// translations reads translations by their tags, and spells those as usual that are valid.
func (d *decoder) translations(v any) map[string]map[string]any {
	out := map[string]map[string]any{}
	o, ok := v.(object)
	if !ok {
		d.fail("must be an object")
		return out
	}
	d.path = append(d.path, step{index: -1})
	slices.SortFunc(o, func(a, b namedValue) int { return strings.Compare(a.name, b.name) })
	for _, m := range o {
		tag := m.name
		d.path[len(d.path)-1].name = tag
		spelling, _, _ := parseTag(tag)
		if _, twice := out[spelling]; twice {
			d.fail("is another spelling of " + spelling + ", which is there, too")
		}
		out[spelling] = d.content(m.value)
	}
	d.path = d.path[:len(d.path)-1]
	return out
}

func (d *decoder) content(v any) map[string]any {
	o, ok := v.(object)
	if !ok {
		d.fail("must be an object")
		return nil
	}
	return o.plain()
}

func (d *decoder) text(v any) string {
	s, ok := v.(string)
	if !ok {
		d.fail("must be a string")
	}
	return s
}

func (d *decoder) flag(v any) bool {
	b, ok := v.(bool)
	if !ok {
		d.fail("must be true or false")
	}
	return b
}

func (d *decoder) status(v any) Status { return Status(d.text(v)) }

// number reads a number; what does not fit a float64 is refused.
func (d *decoder) number(v any) float64 {
	n, ok := v.(json.Number)
	if !ok {
		d.fail("must be a number")
		return 0
	}
	f, err := n.Float64()
	if err != nil {
		d.fail("is too large a number")
		return 0
	}
	return f
}

// maxExact is 2^53: below it every whole number has a float64 of its own.
const maxExact = 1 << 53

func (d *decoder) whole(v any) int64 {
	f := d.number(v)
	if f != math.Trunc(f) || math.Abs(f) >= maxExact {
		d.fail("must be a whole number")
		return 0
	}
	return int64(f)
}

func (d *decoder) priority(v any) int {
	return int(min(max(d.whole(v), -MaxPriority-1), MaxPriority+1)) // Validate refuses the ends
}

func (d *decoder) count(v any) uint32 {
	n := d.whole(v)
	if n < 0 {
		d.fail("must not be negative")
		return 0
	}
	return uint32(min(n, math.MaxUint32)) // Validate refuses the end
}

// time reads an RFC 3339 time or null.
func (d *decoder) time(v any) *time.Time {
	if v == nil {
		return nil
	}
	s, ok := v.(string)
	var t time.Time
	if !ok || t.UnmarshalText([]byte(s)) != nil {
		d.fail(`must be null or a time as in "2026-01-31T09:00:00Z" (RFC 3339)`)
		return nil
	}
	t = t.UTC().Truncate(time.Millisecond)
	return &t
}

// operand reads the value of a condition. Of what no operator takes it leaves something that
// validation refuses, which knows what the operator wants.
func (d *decoder) operand(v any) any {
	switch v := v.(type) {
	case string, bool:
		return v
	case json.Number:
		f := d.number(v)
		if math.Abs(f) >= maxExact && f == math.Trunc(f) {
			d.fail("is too large to be compared exactly: write it as a string")
			return nil
		}
		return f
	case []any:
		return list(d, d.operand)(v)
	}
	return struct{}{} // null would be a missing value
}
