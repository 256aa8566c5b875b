package popup

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestRefusedAudienceConditions: a condition on audiences names keys, and compares nothing.
func TestRefusedAudienceConditions(t *testing.T) {
	const (
		key  = "must be the key of an audience, 1 to 64 of a-z, 0-9 and -, the first not -"
		list = "/value must be a list of 1 to 256 keys of audiences"
		op   = "/op must be in or not_in with the attribute audience"
	)
	for condition, want := range map[string]string{
		`"op":"in","value":["vip","new-users"]`:                 "",
		`"op":"not_in","value":["0"]`:                           "",
		`"op":"eq","value":"vip"`:                               op,
		`"op":"exists"`:                                         op,
		`"op":"matches","value":"vip"`:                          op,
		`"op":"in","value":["vip"],"ignore_case":true`:          "/ignore_case does not go with the attribute audience",
		`"op":"in","value":["vip","VIP"]`:                       "/value/1 " + key,
		`"op":"in","value":["-a"]`:                              "/value/0 " + key,
		`"op":"not_in","value":[7]`:                             "/value/0 " + key,
		`"op":"in","value":["` + strings.Repeat("a", 65) + `"]`: "/value/0 " + key,
		`"op":"in","value":"vip"`:                               "/value must be a list of 1 to 256 strings, numbers or bools",
	} {
		condition = `{"none":[{"attr":"audience",` + condition + `}]}`
		for at, decode := range map[string]func() error{
			"/targeting": func() error {
				_, err := Decode([]byte(`{"key":"k","targeting":` + condition + `}`))
				return err
			},
			"/rule": func() error { _, err := DecodeAudience([]byte(`{"rule":` + condition + `}`)); return err },
			"":      func() error { _, err := DecodeAudienceRule([]byte(condition)); return err },
		} {
			err, want := decode(), want
			if want != "" {
				want = at + "/none/0" + want
			}
			if got := message(err); got != want {
				t.Errorf("%s:\n got %s\nwant %s", condition, got, want)
			}
		}
	}
}

func message(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// TestStoredAudienceCondition: a popup that was stored when audience was an attribute like any
// other can still be read, and is held to the rule when it is changed.
func TestStoredAudienceCondition(t *testing.T) {
	const stored = `{"all":[{"attr":"audience","op":"eq","value":"vip"}],"any":[],"none":[]}`
	if _, _, err := DecodeStored([]byte(`{"key":"k","targeting":` + stored + `}`)); err != nil {
		t.Errorf("stored popup: %v", err)
	}
	if _, _, err := DecodeStoredAudienceRule([]byte(stored)); err != nil {
		t.Errorf("stored rule: %v", err)
	}
	if _, err := DecodeAudienceRule([]byte(stored)); err == nil {
		t.Error("a new rule is not held to it")
	}
}

func TestDecodeAudience(t *testing.T) {
	for body, want := range map[string]string{
		`[]`:                      "must be an object",
		`{}`:                      "/rule is required",
		`{"rule":null}`:           "/rule must be an object",
		`{"rule":{},"people":[]}`: "/people is not a known field",
		`{"rule":{"all":[{"attr":"a","op":"exists","x":1}]}}`: "/rule/all/0/x is not a known field",
		`{"rule":{"all":[{"attr":"plan","op":"gt"}]}}`:        "/rule/all/0/value must be a number",
		`{"rule":{"al":[]}}`:                                  "/rule/al is not a known field",
	} {
		if _, err := DecodeAudience([]byte(body)); message(err) != want {
			t.Errorf("%s:\n got %v\nwant %s", body, err, want)
		}
	}
	const rule = `{"all":[{"attr":"audience","op":"in","value":["b","a"]}],"any":[],"none":[{"attr":"audience","op":"not_in","value":["a"]}]}`
	got, err := DecodeAudience([]byte(`{"rule":` + rule + `}`))
	if err != nil {
		t.Fatal(err)
	}
	if encoded := string(got.Encode()); encoded != rule {
		t.Errorf("got  %s\nwant %s", encoded, rule)
	}
	want := []AudienceRef{{"/rule/all/0/value/0", "b"}, {"/rule/all/0/value/1", "a"}, {"/rule/none/0/value/0", "a"}}
	if d := cmp.Diff(want, got.Audiences("/rule")); d != "" {
		t.Errorf("audiences (-want +got):\n%s", d)
	}
	if empty := (Targeting{}).Encode(); string(empty) != `{"all":[],"any":[],"none":[]}` {
		t.Errorf("the empty rule is %s", empty)
	}
	_, ignored, err := DecodeStoredAudienceRule([]byte(`{"all":[],"since":"2030"}`))
	if err != nil || !slices.Equal(ignored, []string{"/since"}) {
		t.Errorf("ignored %v (%v), want /since", ignored, err)
	}
	var errs FieldErrors
	if _, _, err := DecodeStoredAudienceRule([]byte(`{"all":[{"attr":"a","op":"exists","unless":1}]}`)); !errors.As(err, &errs) {
		t.Error("a condition that is understood in part is read")
	}
}

func TestOrderAudiences(t *testing.T) {
	for _, c := range []struct{ rules, order, cycle string }{
		{"", "", ""},
		{"a b", "a b", ""},
		{"a:b,c b:c c", "c b a", ""},
		{"a:list b:a,list", "a b", ""},
		{"a:a b", "b", "a"},
		{"a:b b:c c:b d:a e f:e", "e f", "b c"},
		{"a:b,c b:d c:d d", "d b c a", ""},
		{"a:b b:a c:d d:c", "", "a b"},
	} {
		names := map[string][]string{}
		var keys []string
		for _, rule := range strings.Fields(c.rules) {
			key, of, _ := strings.Cut(rule, ":")
			keys = append(keys, key)
			if of != "" {
				names[key] = strings.Split(of, ",")
			}
		}
		order, cycle := OrderAudiences(keys, func(key string) []string { return names[key] })
		if got := strings.Join(order, " "); got != c.order || strings.Join(cycle, " ") != c.cycle {
			t.Errorf("%s: order %s, cycle %s, want %s and %s", c.rules, got, cycle, c.order, c.cycle)
		}
	}
}
