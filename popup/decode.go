package popup

import (
	"encoding/json"
	"maps"
	"math"
	"slices"
	"strconv"
	"time"
)

// Decode reads a spec from JSON. Absent members take their defaults; the
// read-only members id, version, updated_at and warnings are accepted and ignored.
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

// decoder turns a tree into a spec or settings. Its methods take the JSON pointer of the
// value they read; on a wrong type they note it and return the zero value.
type decoder struct {
	errs     FieldErrors
	isStored bool     // members that are not known are ignored
	ignored  []string // their pointers
}

// object is a JSON object and where it stands.
type object struct {
	at      string
	members map[string]any
}

func (d *decoder) object(at string, v any, known ...string) object {
	o, unknown := d.members(at, v, known)
	if d.isStored {
		d.ignored = append(d.ignored, unknown...)
	} else {
		d.refuse(unknown)
	}
	return o
}

// strictObject is object for what means something else without a member.
func (d *decoder) strictObject(at string, v any, known ...string) object {
	o, unknown := d.members(at, v, known)
	d.refuse(unknown)
	return o
}

func (d *decoder) refuse(unknown []string) {
	for _, at := range unknown {
		d.errs.add(at, "is not a known field")
	}
}

// members reads an object, and returns the pointers of members that are not known.
func (d *decoder) members(at string, v any, known []string) (o object, unknown []string) {
	m, ok := v.(map[string]any)
	if !ok {
		d.errs.add(at, "must be an object")
		return object{at: at}, nil
	}
	for name := range m {
		if !slices.Contains(known, name) {
			unknown = append(unknown, at+"/"+escapePointer(name))
		}
	}
	slices.Sort(unknown)
	return object{at: at, members: m}, unknown
}

// require notes the members that o lacks.
func (d *decoder) require(o object, names ...string) {
	for _, name := range names {
		if _, ok := o.members[name]; !ok {
			d.errs.add(o.at+"/"+name, "is required")
		}
	}
}

// member reads the member of o with this name into dst; absent, dst keeps its default.
func member[T any](o object, name string, dst *T, read func(at string, v any) T) {
	if v, ok := o.members[name]; ok {
		*dst = read(o.at+"/"+name, v)
	}
}

// list returns a reader of arrays whose elements read reads.
func list[T any](d *decoder, read func(at string, v any) T) func(at string, v any) []T {
	return func(at string, v any) []T {
		values, ok := v.([]any)
		if !ok {
			d.errs.add(at, "must be an array")
			return []T{}
		}
		out := make([]T, len(values))
		for i, v := range values {
			out[i] = read(at+"/"+strconv.Itoa(i), v)
		}
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
		Variants:   []Variant{defaultVariant()},
		Tags:       []string{},
	}
	o := d.object("", tree, "id", "version", "updated_at", "warnings", "key", "name", "status", "priority", "placements",
		"trigger", "schedule", "targeting", "rollout", "frequency", "goal", "variants", "tags")
	d.require(o, "key")
	member(o, "key", &s.Key, d.text)
	member(o, "name", &s.Name, d.text)
	member(o, "status", &s.Status, d.status)
	member(o, "priority", &s.Priority, d.priority)
	member(o, "placements", &s.Placements, list(d, d.text))
	member(o, "trigger", &s.Trigger, d.text)
	member(o, "schedule", &s.Schedule, d.schedule)
	member(o, "targeting", &s.Targeting, d.targeting)
	member(o, "rollout", &s.Rollout, d.rollout)
	member(o, "frequency", &s.Frequency, d.frequency)
	member(o, "goal", &s.Goal, d.goal)
	member(o, "variants", &s.Variants, list(d, d.variant))
	member(o, "tags", &s.Tags, list(d, d.text))
	return s
}

func (d *decoder) schedule(at string, v any) Schedule {
	s := Schedule{Timezone: "UTC", Days: []string{}, Hours: [][2]string{}}
	o := d.object(at, v, "start_at", "end_at", "timezone", "user_time", "days", "hours")
	member(o, "start_at", &s.StartAt, d.time)
	member(o, "end_at", &s.EndAt, d.time)
	member(o, "timezone", &s.Timezone, d.text)
	member(o, "user_time", &s.UserTime, d.flag)
	member(o, "days", &s.Days, list(d, d.text))
	member(o, "hours", &s.Hours, list(d, d.window))
	return s
}

func (d *decoder) window(at string, v any) [2]string {
	pair := list(d, d.text)(at, v)
	if len(pair) != 2 {
		d.errs.add(at, `must be a pair of times, ["HH:MM","HH:MM"]`)
		return [2]string{}
	}
	return [2]string(pair)
}

func (d *decoder) targeting(at string, v any) Targeting {
	t := Targeting{All: []Condition{}, Any: []Condition{}, None: []Condition{}}
	o := d.object(at, v, "all", "any", "none")
	member(o, "all", &t.All, list(d, d.condition))
	member(o, "any", &t.Any, list(d, d.condition))
	member(o, "none", &t.None, list(d, d.condition))
	return t
}

func (d *decoder) condition(at string, v any) Condition {
	var c Condition
	o := d.strictObject(at, v, "attr", "op", "value", "ignore_case")
	member(o, "attr", &c.Attr, d.text)
	member(o, "op", &c.Op, func(at string, v any) Op { return Op(d.text(at, v)) })
	member(o, "value", &c.Value, d.operand)
	member(o, "ignore_case", &c.IgnoreCase, d.flag)
	return c
}

func (d *decoder) rollout(at string, v any) Rollout {
	r := Rollout{Percent: 100}
	o := d.object(at, v, "percent", "salt")
	member(o, "percent", &r.Percent, d.number)
	member(o, "salt", &r.Salt, d.text)
	return r
}

func (d *decoder) frequency(at string, v any) Frequency {
	f := Frequency{AfterClickSec: 2_592_000, AfterDismissSec: 86_400, AfterImpressionSec: 86_400}
	o := d.object(at, v, "after_click_sec", "after_dismiss_sec", "after_impression_sec", "max_impressions", "ignore_min_gap", "confirm_sec")
	member(o, "after_click_sec", &f.AfterClickSec, d.whole)
	member(o, "after_dismiss_sec", &f.AfterDismissSec, d.whole)
	member(o, "after_impression_sec", &f.AfterImpressionSec, d.whole)
	member(o, "max_impressions", &f.MaxImpressions, d.count)
	member(o, "ignore_min_gap", &f.IgnoreMinGap, d.flag)
	member(o, "confirm_sec", &f.ConfirmSec, d.whole)
	return f
}

func (d *decoder) goal(at string, v any) GoalSpec {
	g := defaultGoal()
	o := d.object(at, v, "event", "window_sec")
	member(o, "event", &g.Event, d.text)
	member(o, "window_sec", &g.WindowSec, d.whole)
	return g
}

func defaultGoal() GoalSpec { return GoalSpec{WindowSec: 604_800} }

func (d *decoder) variant(at string, v any) Variant {
	out := defaultVariant()
	o := d.object(at, v, "key", "weight", "control", "content", "translations")
	member(o, "key", &out.Key, d.text)
	member(o, "weight", &out.Weight, d.count)
	member(o, "control", &out.Control, d.flag)
	member(o, "content", &out.Content, d.content)
	member(o, "translations", &out.Translations, d.translations)
	return out
}

func defaultVariant() Variant {
	return Variant{
		Key: "a", Weight: 100,
		Content:      map[string]any{"title": "", "body": "", "image": "", "link": ""},
		Translations: map[string]map[string]any{},
	}
}

// translations reads translations by their tags, and spells those as usual that are valid.
func (d *decoder) translations(at string, v any) map[string]map[string]any {
	out := map[string]map[string]any{}
	m, ok := v.(map[string]any)
	if !ok {
		d.errs.add(at, "must be an object")
		return out
	}
	for _, tag := range slices.Sorted(maps.Keys(m)) {
		at := at + "/" + escapePointer(tag)
		spelling, _, _ := parseTag(tag)
		if _, twice := out[spelling]; twice {
			d.errs.add(at, "is another spelling of "+spelling+", which is there, too")
		}
		out[spelling] = d.content(at, m[tag])
	}
	return out
}

func (d *decoder) content(at string, v any) map[string]any {
	m, ok := v.(map[string]any)
	if !ok {
		d.errs.add(at, "must be an object")
	}
	return m
}

func (d *decoder) text(at string, v any) string {
	s, ok := v.(string)
	if !ok {
		d.errs.add(at, "must be a string")
	}
	return s
}

func (d *decoder) flag(at string, v any) bool {
	b, ok := v.(bool)
	if !ok {
		d.errs.add(at, "must be true or false")
	}
	return b
}

func (d *decoder) status(at string, v any) Status { return Status(d.text(at, v)) }

// number reads a number; what does not fit a float64 is refused.
func (d *decoder) number(at string, v any) float64 {
	n, ok := v.(json.Number)
	if !ok {
		d.errs.add(at, "must be a number")
		return 0
	}
	f, err := n.Float64()
	if err != nil {
		d.errs.add(at, "is too large a number")
		return 0
	}
	return f
}

// maxExact is 2^53: below it every whole number has a float64 of its own.
const maxExact = 1 << 53

func (d *decoder) whole(at string, v any) int64 {
	f := d.number(at, v)
	if f != math.Trunc(f) || math.Abs(f) >= maxExact {
		d.errs.add(at, "must be a whole number")
		return 0
	}
	return int64(f)
}

func (d *decoder) priority(at string, v any) int {
	return int(min(max(d.whole(at, v), -MaxPriority-1), MaxPriority+1)) // Validate refuses the ends
}

func (d *decoder) count(at string, v any) uint32 {
	n := d.whole(at, v)
	if n < 0 {
		d.errs.add(at, "must not be negative")
		return 0
	}
	return uint32(min(n, math.MaxUint32)) // Validate refuses the end
}

// time reads an RFC 3339 time or null.
func (d *decoder) time(at string, v any) *time.Time {
	if v == nil {
		return nil
	}
	s, ok := v.(string)
	var t time.Time
	if !ok || t.UnmarshalText([]byte(s)) != nil {
		d.errs.add(at, `must be null or a time as in "2026-01-31T09:00:00Z" (RFC 3339)`)
		return nil
	}
	t = t.UTC().Truncate(time.Millisecond)
	return &t
}

// operand reads the value of a condition. Of what no operator takes it leaves something that
// validation refuses, which knows what the operator wants.
func (d *decoder) operand(at string, v any) any {
	switch v := v.(type) {
	case string, bool:
		return v
	case json.Number:
		f := d.number(at, v)
		if math.Abs(f) >= maxExact && f == math.Trunc(f) {
			d.errs.add(at, "is too large to be compared exactly: write it as a string")
			return nil
		}
		return f
	case []any:
		return list(d, d.operand)(at, v)
	}
	return struct{}{} // null would be a missing value
}
