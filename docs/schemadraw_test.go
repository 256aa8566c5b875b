package docs_test

import (
	"encoding/json"
	"maps"
	"math"
	"slices"
	"strings"

	"pgregory.net/rapid"
)

// drawing draws documents from a schema: most of their values as it wants them, often at a
// limit, and some beside it.
type drawing struct {
	t    *rapid.T
	defs object
}

// junk is what no schema here takes in every place.
var junk = []any{
	nil, true, "", "x", "é", "\u0007", "2026-02-30", "holdout", "24:00", "10.0.0.0/8", "3.2.1", "7d", "99:99", json.Number("-1"), json.Number("1.5"), json.Number("1e3"), json.Number("2.0"),
	json.Number("9007199254740993"), json.Number("1e400"), []any{}, []any{"a", "a"}, []any{json.Number("1")}, object{}, object{"x": nil},
}

// values are what conditions compare with.
var values = []any{
	"pro", "3.2.1-beta.2+5", "v1", "1.2.3.4.5", "^a+$", "(", "2026-01-31", "2026-01-31T09:00:00Z", "2026-13-01", "36h", "1y", "10.0.0.0/8", "2001:db8::1", "10.0.0.0/40", strings.Repeat("x", 256), strings.Repeat("é", 129),
	json.Number("3"), json.Number("-0.5"), true, []any{"ios", json.Number("7"), false}, []any{"10.0.0.0/8"}, []any{"new-users"}, []any{""},
}

// fitting are values that go with operators, mostly.
var fitting = map[string][]any{
	"in": {[]any{"ios", json.Number("7"), false}, []any{"new-users"}}, "not_in": {[]any{"ios"}}, "gt": {json.Number("3")}, "lte": {json.Number("-0.5")},
	"contains": {"pro"}, "semver_eq": {"3.2.1-beta.2+5", "v1", strings.Repeat("1", 18), "1." + strings.Repeat("a", 70)}, "semver_lt": {"1.2.3.4"}, "matches": {"^a+$", "(", "(a{9}){99}"},
	"before": {"2026-01-31", "2026-02-30"}, "after": {"2026-01-31T09:00:00.5+02:00"}, "older_than": {"36h", "99999999999w"}, "newer_than": {"7d"},
	"in_cidr": {"10.0.0.0/8", "2001:db8::1", "10.0.0.0/40", []any{"10.0.0.0/8"}}, "eq": {"pro", json.Number("3")}, "neq": {true, strings.Repeat("é", 129)},
}

func (d drawing) one(of ...any) any { return rapid.SampledFrom(of).Draw(d.t, "one") }

// chance is true once in n times.
func (d drawing) chance(n int) bool { return rapid.IntRange(1, n).Draw(d.t, "chance") == 1 }

func (d drawing) value(schema any) any {
	s, ok := schema.(object)
	if !ok || d.chance(150) {
		return d.one(junk...)
	}
	if ref, ok := s["$ref"].(string); ok {
		name := strings.TrimPrefix(ref, "#/$defs/")
		if name == "ConditionValue" {
			return d.one(values...)
		}
		return d.value(d.defs[name])
	}
	if c, ok := s["const"]; ok {
		return c
	}
	if e, ok := s["enum"].([]any); ok {
		return d.one(e...)
	}
	switch kind := s["type"].(type) {
	case []any:
		return d.ofType(d.one(kind...), s)
	default:
		return d.ofType(kind, s)
	}
}

func (d drawing) ofType(kind any, s object) any {
	switch kind {
	case "string":
		return d.text(s)
	case "integer", "number":
		return d.number(s, kind == "integer")
	case "boolean":
		return rapid.Bool().Draw(d.t, "flag")
	case "array":
		return d.list(s)
	case "object":
		return d.object(s)
	case "null":
		return nil
	}
	return d.one(junk...)
}

func (d drawing) text(s object) any {
	pattern, _ := s["pattern"].(string)
	most := int(limit(s, "maxLength", 100))
	switch {
	case strings.HasPrefix(pattern, "^[^\\x00") || pattern == "":
		if d.chance(10) {
			return strings.Repeat("x", most+rapid.IntRange(0, 1).Draw(d.t, "over"))
		}
		if d.chance(15) {
			return d.one("", "Nowhere/At_All", "tab\there", "\u0080", strings.Repeat("é", most))
		}
		return d.one("a", "Größe", "UTC", "Europe/Berlin", "plan")
	default:
		return rapid.StringMatching(pattern).Draw(d.t, "text")
	}
}

func limit(s object, name string, otherwise float64) float64 {
	if n, ok := s[name].(json.Number); ok {
		otherwise, _ = n.Float64()
	}
	return otherwise
}

func (d drawing) number(s object, isWhole bool) any {
	least, most := limit(s, "minimum", -1000), limit(s, "maximum", 1000)
	n := rapid.SampledFrom([]float64{least, most, math.Round((least + most) / 3)}).Draw(d.t, "number")
	if d.chance(15) {
		n = rapid.SampledFrom([]float64{least - 1, most + 1, 0, 1}).Draw(d.t, "beside")
	}
	if !isWhole {
		n = min(n, most-1) + rapid.SampledFrom([]float64{0, 0.5, 0.01, 0.29, 0.57, 0.001}).Draw(d.t, "part")
	}
	b, _ := json.Marshal(n)
	return json.Number(b)
}

func (d drawing) list(s object) any {
	n := rapid.IntRange(int(limit(s, "minItems", 0)), 3).Draw(d.t, "length")
	list := []any{}
	for i := range n {
		item := s["items"]
		if first, ok := s["prefixItems"].([]any); ok && i < len(first) {
			item = first[i]
		}
		list = append(list, d.value(item))
	}
	if most := int(limit(s, "maxItems", 0)); d.chance(30) && len(list) > 0 {
		for len(list) <= most {
			list = append(list, list[0])
		}
	}
	return list
}

func (d drawing) object(s object) any {
	o := object{}
	properties, _ := s["properties"].(object)
	required, _ := s["required"].([]any)
	for _, name := range slices.Sorted(maps.Keys(properties)) {
		if slices.Contains(required, any(name)) && !d.chance(60) || name == "value" && !d.chance(6) || d.chance(4) {
			o[name] = d.value(properties[name])
		}
	}
	if d.chance(200) {
		o["unknown"] = true
	}
	op, _ := o["op"].(string)
	if values := fitting[op]; values != nil && !d.chance(5) {
		o["value"] = d.one(values...)
	}
	if names, ok := s["propertyNames"].(object); ok {
		for range rapid.IntRange(0, 2).Draw(d.t, "members") {
			tag := rapid.OneOf(rapid.SampledFrom([]string{"de", "zh-Hans", "zh", "pt_BR", "x", "en-Latn-US-x"}), rapid.StringMatching(names["pattern"].(string))).Draw(d.t, "tag")
			o[tag] = object{"title": "x"}
		}
	} else if s["additionalProperties"] == true && d.chance(2) {
		o["link"] = d.one("https://example.com", "/cart", "javascript:x", json.Number("1"))
	}
	return o
}
