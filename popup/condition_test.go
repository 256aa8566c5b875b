package popup

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
)

// TestRefusedConditions: what is wrong with a condition is said where it is wrong, in words
// that say what would be right.
func TestRefusedConditions(t *testing.T) {
	const (
		ops = "must be eq, neq, in, not_in, gt, gte, lt, lte, contains, prefix, suffix, exists, not_exists, " +
			"semver_eq, semver_gt, semver_gte, semver_lt, semver_lte, matches, before, after, older_than, newer_than or in_cidr"
		scalar   = "/value must be a string, a number, true or false"
		list     = "/value must be a list of 1 to 256 strings, numbers or bools"
		version  = `/value must be a version as in "3.2.1", a string`
		moment   = `/value must be a time as in "2026-01-31T09:00:00Z" (RFC 3339) or a date as in "2026-01-31", a string`
		age      = `/value must be an age as in "7d" or "36h", a whole number of s, m (minutes), h, d or w, at most 100 years`
		network  = `must be a network or an address as in "10.0.0.0/8" or "2001:db8::1", a string`
		pattern  = "/value must be a regular expression (RE2): "
		noCase   = "only with eq, neq, in, not_in, contains, prefix and suffix"
		tooLarge = "/value is too large to be compared exactly: write it as a string"
	)
	long := strings.Repeat("x", MaxValue+1)
	for _, c := range []struct{ condition, want string }{
		{`"x"`, " must be an object"}, {`null`, " must be an object"},
		{`{"op":"exists"}`, "/attr must not be empty"}, {`{"attr":"` + long + `","op":"exists"}`, "/attr must have at most 64 bytes"}, {`{"attr":"a\u0007","op":"exists"}`, "/attr must not have control characters"},
		{`{"attr":"a"}`, "/op " + ops}, {`{"attr":"a","op":"EQ","value":"x"}`, "/op " + ops}, {`{"attr":"a","op":"regex","value":"x"}`, "/op " + ops}, {`{"attr":"a","op":7}`, "/op must be a string"},
		{`{"attr":"a","op":"exists","not":true}`, "/not is not a known field"},

		{`{"attr":"a","op":"eq"}`, scalar}, {`{"attr":"a","op":"eq","value":null}`, scalar}, {`{"attr":"a","op":"neq","value":["x"]}`, scalar}, {`{"attr":"a","op":"eq","value":{}}`, scalar},
		{`{"attr":"a","op":"eq","value":""}`, "/value must not be empty: use exists or not_exists"}, {`{"attr":"a","op":"eq","value":"` + long + `"}`, "/value must have at most 256 bytes, none of them control characters"},
		{`{"attr":"a","op":"eq","value":12345678901234567890}`, tooLarge}, {`{"attr":"a","op":"gt","value":1e400}`, "/value is too large a number"},
		{`{"attr":"a","op":"in","value":"x"}`, list}, {`{"attr":"a","op":"in"}`, list}, {`{"attr":"a","op":"not_in","value":[]}`, list}, {`{"attr":"a","op":"in","value":[` + strings.Repeat(`"x",`, MaxValues) + `"x"]}`, list},
		{`{"attr":"a","op":"in","value":["x",null]}`, "/value/1 must be a string, a number, true or false"}, {`{"attr":"a","op":"in","value":[["x"]]}`, "/value/0 must be a string, a number, true or false"},
		{`{"attr":"a","op":"gt","value":"5"}`, "/value must be a number"}, {`{"attr":"a","op":"lte","value":null}`, "/value must be a number"}, {`{"attr":"a","op":"gte","value":[5]}`, "/value must be a number"},
		{`{"attr":"a","op":"contains","value":5}`, "/value must be a string"}, {`{"attr":"a","op":"prefix","value":["x"]}`, "/value must be a string"}, {`{"attr":"a","op":"suffix","value":""}`, "/value must not be empty: use exists or not_exists"},
		{`{"attr":"a","op":"exists","value":true}`, "/value must be absent with exists"}, {`{"attr":"a","op":"not_exists","value":null}`, "/value must be absent with not_exists"},
		{`{"attr":"a","op":"semver_gte","value":3}`, version}, {`{"attr":"a","op":"semver_eq","value":"^3.2"}`, version}, {`{"attr":"a","op":"semver_lt","value":null}`, version},
		{`{"attr":"a","op":"before","value":"yesterday"}`, moment}, {`{"attr":"a","op":"after","value":1782907200}`, moment}, {`{"attr":"a","op":"after","value":"2026-02-30"}`, moment},
		{`{"attr":"a","op":"older_than","value":7}`, age}, {`{"attr":"a","op":"newer_than","value":"7 days"}`, age}, {`{"attr":"a","op":"newer_than","value":"101y"}`, age}, {`{"attr":"a","op":"newer_than","value":"40000d"}`, age},
		{`{"attr":"a","op":"in_cidr","value":"10.0.0.0/33"}`, "/value " + network}, {`{"attr":"a","op":"in_cidr","value":["::1","office"]}`, "/value/1 " + network}, {`{"attr":"a","op":"in_cidr","value":null}`, "/value " + network},
		{`{"attr":"a","op":"in_cidr","value":[]}`, "/value must be a network or a list of 1 to 256"},
		{`{"attr":"a","op":"matches","value":5}`, "/value must be a string"}, {`{"attr":"a","op":"matches","value":""}`, "/value must have 1 to 256 bytes, none of them control characters"},
		{`{"attr":"a","op":"matches","value":"(x"}`, pattern + "missing closing ) in (x"}, {`{"attr":"a","op":"matches","value":"x(?=y)"}`, pattern + "invalid or unsupported Perl syntax in (?="},
		{`{"attr":"a","op":"matches","value":"(x)\\1"}`, pattern + `invalid escape sequence in \1`}, {`{"attr":"a","op":"matches","value":"x{1001}"}`, pattern + "invalid repeat count in {1001}"},
		{`{"attr":"a","op":"matches","value":"(x{30}){30}"}`, "/value is too costly: with its repetitions written out it has more than 500 instructions"},
		{`{"attr":"a","op":"matches","value":"` + strings.Repeat(`\\pL`, 9) + `"}`, "/value is too costly: its character classes have more than 2048 ranges"},
		{`{"attr":"a","op":"gt","value":5,"ignore_case":true}`, "/ignore_case does not go with gt: " + noCase}, {`{"attr":"a","op":"eq","value":"x","ignore_case":"yes"}`, "/ignore_case must be true or false"},
		{`{"attr":"a","op":"matches","value":"x","ignore_case":true}`, "/ignore_case does not go with matches: " + noCase},
	} {
		_, err := Decode([]byte(`{"key":"k","targeting":{"none":[{"attr":"a","op":"exists"},` + c.condition + `]}}`))
		var errs FieldErrors
		if !errors.As(err, &errs) || len(errs) != 1 {
			t.Errorf("%s: %v, want one error", c.condition, err)
			continue
		}
		if got, want := errs[0].Pointer+" "+errs[0].Detail, "/targeting/none/1"+c.want; got != want {
			t.Errorf("%s:\n got %s\nwant %s", c.condition, got, want)
		}
	}
}

// TestTooManyConditions counts those of all three lists.
func TestTooManyConditions(t *testing.T) {
	build := func(n int) []byte {
		lists := map[string][]any{}
		for i := range n {
			name := []string{"all", "any", "none"}[i%3]
			lists[name] = append(lists[name], map[string]any{"attr": fmt.Sprint("a", i), "op": "exists"})
		}
		b, err := json.Marshal(map[string]any{"key": "k", "targeting": lists})
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	if _, err := Decode(build(MaxConditions)); err != nil {
		t.Errorf("%d conditions: %v", MaxConditions, err)
	}
	_, err := Decode(build(MaxConditions + 1))
	if want := "/targeting has 65 conditions, at most 64 are allowed"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}
