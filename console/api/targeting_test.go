package api_test

import (
	"strings"
	"testing"
)

// Targeting that is wrong is refused with a pointer to each mistake, and what is in force
// stays as it is.
func TestBadTargeting(t *testing.T) {
	p := newPlane(t)
	p.create("a")
	before := p.snapshots.Current()
	const at = "/targeting/all/0"
	for _, c := range []struct{ condition, pointer string }{
		{`{"attr":"a","op":"sounds_like","value":"x"}`, at + "/op"},
		{`{"attr":"","op":"exists"}`, at + "/attr"},
		{`{"attr":"a","op":"eq","value":["x"]}`, at + "/value"},
		{`{"attr":"a","op":"in","value":"x"}`, at + "/value"},
		{`{"attr":"a","op":"gt","value":"5"}`, at + "/value"},
		{`{"attr":"a","op":"contains","value":5}`, at + "/value"},
		{`{"attr":"a","op":"semver_eq","value":3.2}`, at + "/value"},
		{`{"attr":"a","op":"matches","value":"(x"}`, at + "/value"},
		{`{"attr":"a","op":"matches","value":"(?=x)"}`, at + "/value"},
		{`{"attr":"a","op":"matches","value":"((a{20}){20}){20}"}`, at + "/value"},
		{`{"attr":"a","op":"matches","value":"` + strings.Repeat("x", 257) + `"}`, at + "/value"},
		{`{"attr":"a","op":"before","value":"yesterday"}`, at + "/value"},
		{`{"attr":"a","op":"older_than","value":"7 days"}`, at + "/value"},
		{`{"attr":"a","op":"in_cidr","value":["10.0.0.0/8","10.0.0.0/33"]}`, at + "/value/1"},
		{`{"attr":"a","op":"gt","value":5,"ignore_case":true}`, at + "/ignore_case"},
		{`{"attr":"a","op":"eq","value":"x","ignore_case":"yes"}`, at + "/ignore_case"},
		{`{"attr":"a","op":"eq","value":"x","ignore_accents":true}`, at + "/ignore_accents"},
		{strings.Repeat(`{"attr":"a","op":"exists"},`, 64) + `{"attr":"a","op":"exists"}`, "/targeting"},
	} {
		for _, r := range [][3]string{{"POST", popupsPath, "b"}, {"PUT", popupsPath + "/a", "a"}} {
			a := p.Want(422, "invalid_fields", r[0], r[1], `{"key":"`+r[2]+`","status":"active","targeting":{"all":[`+c.condition+`]}}`, "If-Match", "*")
			wantPointer(t, a, c.pointer)
		}
	}
	a := p.Want(422, "invalid_fields", "POST", popupsPath,
		`{"key":"b","schedule":{"user_time":1},"targeting":{"any":[{"attr":"a","op":"matches","value":"["}],"none":[{"attr":"a","op":"after","value":5}]},
		"variants":[{"translations":{"zh-Hant":{},"xx":{},"en-USA":{}}}]}`)
	for _, pointer := range []string{"/schedule/user_time", "/targeting/any/0/value", "/targeting/none/0/value", "/variants/0/translations/xx", "/variants/0/translations/en-USA"} {
		wantPointer(t, a, pointer)
	}
	if p.store.revision != 1 || p.snapshots.Current() != before {
		t.Errorf("revision %d after bad requests, want 1 and the same snapshot", p.store.revision)
	}
}

// Every operator goes through the API and is in force.
func TestEveryOperator(t *testing.T) {
	p := newPlane(t)
	a := p.Want(201, "", "POST", popupsPath, `{"key":"a","status":"active","schedule":{"user_time":true,"days":["mon"]},"targeting":{"all":[
		{"attr":"a","op":"eq","value":"x","ignore_case":true},{"attr":"b","op":"neq","value":5},{"attr":"c","op":"in","value":["x",true],"ignore_case":true},{"attr":"d","op":"not_in","value":["x"]},
		{"attr":"e","op":"gt","value":1},{"attr":"e","op":"gte","value":1},{"attr":"e","op":"lt","value":9},{"attr":"e","op":"lte","value":9},
		{"attr":"f","op":"contains","value":"x"},{"attr":"f","op":"prefix","value":"x"},{"attr":"f","op":"suffix","value":"x"},{"attr":"g","op":"exists"},{"attr":"h","op":"not_exists"},
		{"attr":"i","op":"semver_eq","value":"1"},{"attr":"j","op":"semver_gt","value":"1"},{"attr":"j","op":"semver_gte","value":"1"},{"attr":"j","op":"semver_lt","value":"2"},{"attr":"j","op":"semver_lte","value":"2"},
		{"attr":"k","op":"matches","value":"^x+$"},{"attr":"l","op":"before","value":"2026-01-31"},{"attr":"l","op":"after","value":"2026-01-01T09:00:00+08:00"},
		{"attr":"m","op":"older_than","value":"7d"},{"attr":"n","op":"newer_than","value":"36h"},{"attr":"ip","op":"in_cidr","value":["10.0.0.0/8","2001:db8::/32"]},{"attr":"o","op":"in_cidr","value":"::1"}]}}`)
	if warnings := a.JSON(t)["warnings"].([]any); len(warnings) != 0 {
		t.Errorf("warnings %v", warnings)
	}
	if p.snapshots.Current().Popup(1) == nil {
		t.Error("the popup is not in force")
	}
}
