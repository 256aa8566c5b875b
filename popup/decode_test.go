package popup

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
	_ "time/tzdata" // the tests need no zones of the host

	"github.com/google/go-cmp/cmp"
)

// documented is the popup of the API's documentation: every default, spelled out.
const documented = `{"key":"spring-sale","name":"","status":"draft","priority":0,"placements":["default"],"trigger":"load",
 "schedule":{"start_at":null,"end_at":null,"timezone":"UTC","user_time":false,"days":[],"hours":[]},
 "targeting":{"all":[],"any":[],"none":[]},
 "rollout":{"percent":100,"salt":""},
 "frequency":{"after_click_sec":2592000,"after_dismiss_sec":86400,"after_impression_sec":86400,"max_impressions":0,"ignore_min_gap":false,"confirm_sec":0},
 "goal":{"event":"","window_sec":604800},
 "variants":[{"key":"a","weight":100,"control":false,"content":{"title":"","body":"","image":"","link":""},"translations":{}}],
 "tags":[]
}`

// full has a value of its own in every field.
const full = `{"key":"full","name":"Volle Größe","status":"active","priority":-5,"placements":["home","cart_2"],"trigger":"scroll:50",
 "schedule":{"start_at":"2026-03-01T09:00:00+01:00","end_at":"2026-04-01T00:00:00.123456Z","timezone":"UTC","user_time":true,"days":["mon","sun"],"hours":[["22:00","02:00"],["12:00","24:00"]]},
 "targeting":{"all":[{"attr":"platform","op":"in","value":["ios","android",3,true],"ignore_case":true}],"any":[{"attr":"plan","op":"exists"},{"attr":"age","op":"gte","value":18.5}],
  "none":[{"attr":"app_version","op":"semver_lt","value":"3.2.1-rc.1"},{"attr":"ip","op":"in_cidr","value":["10.0.0.0/8","::1"]}]},
 "rollout":{"percent":33.33,"salt":"s1"},
 "frequency":{"after_click_sec":-1,"after_dismiss_sec":0,"after_impression_sec":315360000,"max_impressions":3,"ignore_min_gap":true,"confirm_sec":86400},
 "goal":{"event":"purchase.v_2-x","window_sec":7776000},
 "variants":[{"key":"a","weight":1,"control":true,"content":{}},{"key":"b","weight":99,"content":{"n":12345678901234567890,"<b>":[null,{"x":1.50}]}}],
 "tags":["q1"]}`

func mustDecode(t *testing.T, data string) Spec {
	t.Helper()
	s, err := Decode([]byte(data))
	if err != nil {
		t.Fatalf("Decode(%s): %v", data, err)
	}
	return s
}

func TestDecodeFillsInDefaults(t *testing.T) {
	want := mustDecode(t, documented)
	for _, sparse := range []string{
		`{"key":"spring-sale"}`,
		`{"key":"spring-sale","id":7,"version":"whatever","updated_at":null}`,
		`{"key":"spring-sale","schedule":{},"targeting":{},"rollout":{},"frequency":{},"goal":{},"variants":[{}]}`,
	} {
		if d := cmp.Diff(want, mustDecode(t, sparse)); d != "" {
			t.Errorf("%s (-want +got):\n%s", sparse, d)
		}
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, []byte(documented)); err != nil {
		t.Fatal(err)
	}
	if got := string(want.Encode()); got != sortedContent(compact.String()) {
		t.Errorf("Encode:\n%s\nwant\n%s", got, compact.String())
	}
}

// sortedContent puts the members of the default content in the order of Encode.
func sortedContent(s string) string {
	return strings.Replace(s, `{"title":"","body":"","image":"","link":""}`, `{"body":"","image":"","link":"","title":""}`, 1)
}

// What a newer version has stored is read without what is not known, but not in a
// condition, and nothing else is less strict.
func TestDecodeStored(t *testing.T) {
	const newer = `{"key":"k","audience":"exit","schedule":{"moon_time":true},"variants":[{"layout":{},"content":{"kind":"toast"}}]}`
	s, ignored, err := DecodeStored([]byte(newer))
	if want := []string{"/audience", "/schedule/moon_time", "/variants/0/layout"}; err != nil || !slices.Equal(slices.Sorted(slices.Values(ignored)), want) {
		t.Errorf("ignored %q, %v; want %q", ignored, err, want)
	}
	if d := cmp.Diff(mustDecode(t, `{"key":"k","variants":[{"content":{"kind":"toast"}}]}`), s); d != "" {
		t.Errorf("read (-want +got):\n%s", d)
	}
	if _, err := Decode([]byte(newer)); err == nil {
		t.Error("Decode takes it, too")
	}
	if s, _, err := DecodeStored([]byte(`{"key":"k","variants":[{"key":"holdout"}]}`)); err != nil || s.Variants[0].Key != HoldoutVariant {
		t.Errorf("a variant of a key that was not reserved: %v", err)
	}
	for _, broken := range []string{
		`{"key":"k","targeting":{"all":[{"attr":"plan","op":"eq","value":"pro","ignore_accents":true}]}}`,
		`{"key":"k","targeting":{"all":[{"attr":"plan","op":"sounds_like","value":"p.o"}]}}`,
		`{"key":"k","priority":"high"}`, `{"audience":"exit"}`, `{"key":"k","key":"k"}`, `[]`,
	} {
		if _, _, err := DecodeStored([]byte(broken)); err == nil {
			t.Errorf("DecodeStored takes %s", broken)
		}
	}
}

func TestDecodeFull(t *testing.T) {
	s := mustDecode(t, full)
	start := time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)
	end := time.Date(2026, 4, 1, 0, 0, 0, 123e6, time.UTC)
	want := Spec{
		Key: "full", Name: "Volle Größe", Status: Active, Priority: -5, Placements: []string{"home", "cart_2"}, Trigger: "scroll:50",
		Schedule: Schedule{StartAt: &start, EndAt: &end, Timezone: "UTC", UserTime: true, Days: []string{"mon", "sun"},
			Hours: [][2]string{{"22:00", "02:00"}, {"12:00", "24:00"}}},
		Targeting: Targeting{
			All:  []Condition{{"platform", In, []any{"ios", "android", 3.0, true}, true}},
			Any:  []Condition{{Attr: "plan", Op: Exists}, {Attr: "age", Op: Gte, Value: 18.5}},
			None: []Condition{{Attr: "app_version", Op: SemverLt, Value: "3.2.1-rc.1"}, {Attr: "ip", Op: InCIDR, Value: []any{"10.0.0.0/8", "::1"}}},
		},
		Rollout:   Rollout{33.33, "s1"},
		Frequency: Frequency{-1, 0, 315_360_000, 3, true, 86_400},
		Goal:      GoalSpec{"purchase.v_2-x", 7_776_000},
		Variants: []Variant{{"a", 1, true, map[string]any{}, map[string]map[string]any{}},
			{"b", 99, false, map[string]any{"n": json.Number("12345678901234567890"), "<b>": []any{nil, map[string]any{"x": json.Number("1.50")}}}, map[string]map[string]any{}}},
		Tags: []string{"q1"},
	}
	if d := cmp.Diff(want, s); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	again := mustDecode(t, string(s.Encode()))
	if d := cmp.Diff(s, again); d != "" {
		t.Errorf("after Encode and Decode (-want +got):\n%s", d)
	}
	if !bytes.Contains(s.Encode(), []byte(`"content":{"<b>":[null,{"x":1.50}],"n":12345678901234567890}`)) {
		t.Errorf("Encode changed the content: %s", s.Encode())
	}
}

func TestDecodeRefuses(t *testing.T) {
	long := strings.Repeat("x", 300)
	conditions := strings.TrimSuffix(strings.Repeat(`{"attr":"a","op":"exists"},`, MaxConditions), ",")
	values := strings.TrimSuffix(strings.Repeat(`"v",`, MaxValues+1), ",")
	variants := strings.TrimSuffix(strings.Repeat(`{},`, MaxVariants+1), ",")
	one := func(member string) string { return `{"key":"k",` + member + `}` }
	all := func(condition string) string { return one(`"targeting":{"all":[` + condition + `]}`) }
	for _, c := range []struct{ pointer, doc string }{
		{"", ``}, {"", `[`}, {"", `null`}, {"", `[]`}, {"", `{"key":"k"} {}`}, {"", `{"key":"k"}x`}, {"", "{\"key\":\"\xff\"}"},
		{"", one(`"variants":[{"content":{"x":` + strings.Repeat("[", 40) + strings.Repeat("]", 40) + `}}]`)},
		{"", strings.Repeat("[", 100_000)},

		{"/key", `{}`}, {"/key", `{"key":5}`}, {"/key", `{"key":""}`}, {"/key", `{"key":"A"}`}, {"/key", `{"key":"-a"}`}, {"/key", `{"key":"a_b"}`},
		{"/key", `{"key":"` + long[:65] + `"}`}, {"/key", `{"key":"a","key":"b"}`}, {"/Key", `{"key":"a","Key":"b"}`},
		{"/a~1b~0c", one(`"a/b~c":1`)},
		{"/name", one(`"name":null`)}, {"/name", one(`"name":"` + long + `"`)}, {"/name", one(`"name":"a\nb"`)},
		{"/status", one(`"status":"live"`)}, {"/status", one(`"status":1`)},
		{"/priority", one(`"priority":"1"`)}, {"/priority", one(`"priority":1.5`)}, {"/priority", one(`"priority":1000001`)}, {"/priority", one(`"priority":-1e15`)}, {"/priority", one(`"priority":1e999`)},
		{"/placements", one(`"placements":[]`)}, {"/placements", one(`"placements":"home"`)}, {"/placements/1", one(`"placements":["a","B"]`)},
		{"/placements/1", one(`"placements":["a","a"]`)}, {"/placements/0", one(`"placements":[7]`)}, {"/placements/0", one(`"placements":["_a"]`)},
		{"/placements", one(`"placements":[` + values + `]`)},

		{"/schedule", one(`"schedule":[]`)}, {"/schedule/start", one(`"schedule":{"start":null}`)},
		{"/schedule/start_at", one(`"schedule":{"start_at":"2026-01-01"}`)}, {"/schedule/start_at", one(`"schedule":{"start_at":1}`)},
		{"/schedule/start_at", one(`"schedule":{"start_at":"1969-12-31T23:59:59Z"}`)}, {"/schedule/end_at", one(`"schedule":{"end_at":"9999-12-31T23:59:59-01:00"}`)},
		{"/schedule/end_at", one(`"schedule":{"start_at":"2026-01-01T00:00:00Z","end_at":"2026-01-01T01:00:00+01:00"}`)},
		{"/schedule/timezone", one(`"schedule":{"timezone":""}`)}, {"/schedule/timezone", one(`"schedule":{"timezone":"Local"}`)}, {"/schedule/timezone", one(`"schedule":{"timezone":"Mars/Olympus"}`)},
		{"/schedule/timezone", one(`"schedule":{"timezone":"../UTC"}`)},
		{"/schedule/days/0", one(`"schedule":{"days":["Mon"]}`)}, {"/schedule/days/1", one(`"schedule":{"days":["mon","mon"]}`)}, {"/schedule/days", one(`"schedule":{"days":[` + values + `]}`)},
		{"/schedule/hours/0", one(`"schedule":{"hours":["09:00"]}`)}, {"/schedule/hours/0", one(`"schedule":{"hours":[["09:00"]]}`)}, {"/schedule/hours/0/1", one(`"schedule":{"hours":[["09:00",5]]}`)},
		{"/schedule/hours/0/0", one(`"schedule":{"hours":[["24:00","01:00"]]}`)}, {"/schedule/hours/0/1", one(`"schedule":{"hours":[["09:00","24:01"]]}`)},
		{"/schedule/hours/0/1", one(`"schedule":{"hours":[["09:00","09:00"]]}`)}, {"/schedule/hours/0/0", one(`"schedule":{"hours":[["9:00","10:00"]]}`)}, {"/schedule/hours/0/0", one(`"schedule":{"hours":[["09:60","11:00"]]}`)},
		{"/schedule/hours", one(`"schedule":{"hours":[` + strings.TrimSuffix(strings.Repeat(`["01:00","02:00"],`, MaxWindows+1), ",") + `]}`)},

		{"/targeting", one(`"targeting":{"all":[` + conditions + `],"none":[{"attr":"a","op":"exists"}]}`)},
		{"/targeting/all/0", all(`"x"`)}, {"/targeting/all/0/attr", all(`{"op":"exists"}`)}, {"/targeting/all/0/attr", all(`{"attr":"` + long[:65] + `","op":"exists"}`)},
		{"/targeting/all/0/op", all(`{"attr":"a"}`)}, {"/targeting/all/0/op", all(`{"attr":"a","op":"like","value":"x"}`)}, {"/targeting/all/0/not", all(`{"attr":"a","op":"exists","not":true}`)},
		{"/targeting/all/1/value", all(`{"attr":"a","op":"exists"},{"attr":"a","op":"eq"}`)},
		{"/targeting/any/0/value", one(`"targeting":{"any":[{"attr":"a","op":"eq","value":["x"]}]}`)}, {"/targeting/none/0/value", one(`"targeting":{"none":[{"attr":"a","op":"neq","value":{}}]}`)},
		{"/targeting/all/0/value", all(`{"attr":"a","op":"eq","value":""}`)}, {"/targeting/all/0/value", all(`{"attr":"a","op":"eq","value":null}`)}, {"/targeting/all/0/value", all(`{"attr":"a","op":"eq","value":"` + long + `"}`)},
		{"/targeting/all/0/value", all(`{"attr":"a","op":"eq","value":9007199254740993}`)}, {"/targeting/all/0/value", all(`{"attr":"a","op":"gt","value":1e999}`)},
		{"/targeting/all/0/value", all(`{"attr":"a","op":"in","value":"x"}`)}, {"/targeting/all/0/value", all(`{"attr":"a","op":"in","value":[]}`)}, {"/targeting/all/0/value/1", all(`{"attr":"a","op":"not_in","value":["x",null]}`)},
		{"/targeting/all/0/value/0", all(`{"attr":"a","op":"in","value":[["x"]]}`)}, {"/targeting/all/0/value", all(`{"attr":"a","op":"in","value":[` + values + `]}`)},
		{"/targeting/all/0/value", all(`{"attr":"a","op":"gt","value":"5"}`)}, {"/targeting/all/0/value", all(`{"attr":"a","op":"contains","value":5}`)}, {"/targeting/all/0/value", all(`{"attr":"a","op":"prefix","value":""}`)},
		{"/targeting/all/0/value", all(`{"attr":"a","op":"exists","value":true}`)}, {"/targeting/all/0/value", all(`{"attr":"a","op":"semver_gte","value":3.2}`)}, {"/targeting/all/0/value", all(`{"attr":"a","op":"semver_lt","value":"three"}`)},
		{"/schedule/user_time", one(`"schedule":{"user_time":"yes"}`)}, {"/targeting/all/0/ignore_case", all(`{"attr":"a","op":"eq","value":"x","ignore_case":1}`)},
		{"/targeting/all/0/ignore_case", all(`{"attr":"a","op":"gt","value":1,"ignore_case":true}`)}, {"/targeting/all/0/ignore_case", all(`{"attr":"a","op":"matches","value":"x","ignore_case":true}`)},
		{"/targeting/all/0/value", all(`{"attr":"a","op":"semver_eq","value":1}`)}, {"/targeting/all/0/value", all(`{"attr":"a","op":"semver_gt","value":"x"}`)}, {"/targeting/all/0/value", all(`{"attr":"a","op":"semver_lte"}`)},
		{"/targeting/all/0/value", all(`{"attr":"a","op":"matches","value":5}`)}, {"/targeting/all/0/value", all(`{"attr":"a","op":"matches","value":""}`)}, {"/targeting/all/0/value", all(`{"attr":"a","op":"matches","value":"(x"}`)},
		{"/targeting/all/0/value", all(`{"attr":"a","op":"matches","value":"(?=x)"}`)}, {"/targeting/all/0/value", all(`{"attr":"a","op":"matches","value":"` + long[:257] + `"}`)}, {"/targeting/all/0/value", all(`{"attr":"a","op":"matches","value":"a\n\u0007"}`)},
		{"/targeting/all/0/value", all(`{"attr":"a","op":"matches","value":"(a{30}){30}"}`)}, {"/targeting/all/0/value", all(`{"attr":"a","op":"matches","value":"` + strings.Repeat(`\\pL`, 9) + `"}`)},
		{"/targeting/all/0/value", all(`{"attr":"a","op":"before","value":1767225600}`)}, {"/targeting/all/0/value", all(`{"attr":"a","op":"after","value":"2026-02-30"}`)}, {"/targeting/all/0/value", all(`{"attr":"a","op":"after","value":["2026-02-20"]}`)},
		{"/targeting/all/0/value", all(`{"attr":"a","op":"older_than","value":7}`)}, {"/targeting/all/0/value", all(`{"attr":"a","op":"newer_than","value":"7"}`)}, {"/targeting/all/0/value", all(`{"attr":"a","op":"newer_than","value":"101y"}`)},
		{"/targeting/all/0/value", all(`{"attr":"a","op":"in_cidr","value":10}`)}, {"/targeting/all/0/value", all(`{"attr":"a","op":"in_cidr","value":"10.0.0.0/33"}`)}, {"/targeting/all/0/value", all(`{"attr":"a","op":"in_cidr","value":[]}`)},
		{"/targeting/all/0/value/1", all(`{"attr":"a","op":"in_cidr","value":["10.0.0.0/8","home"]}`)}, {"/targeting/all/0/value", all(`{"attr":"a","op":"in_cidr","value":[` + values + `]}`)},

		{"/rollout/percent", one(`"rollout":{"percent":-0.01}`)}, {"/rollout/percent", one(`"rollout":{"percent":100.01}`)}, {"/rollout/percent", one(`"rollout":{"percent":0.005}`)}, {"/rollout/percent", one(`"rollout":{"percent":"50"}`)},
		{"/rollout/salt", one(`"rollout":{"salt":"` + long + `"}`)}, {"/rollout/salt", one(`"rollout":{"salt":"a\u0000b"}`)},
		{"/frequency/after_click_sec", one(`"frequency":{"after_click_sec":-2}`)}, {"/frequency/after_dismiss_sec", one(`"frequency":{"after_dismiss_sec":315360001}`)}, {"/frequency/after_impression_sec", one(`"frequency":{"after_impression_sec":0.5}`)},
		{"/frequency/after_impression_sec", one(`"frequency":{"after_impression_sec":9223372036854775808}`)},
		{"/frequency/max_impressions", one(`"frequency":{"max_impressions":-1}`)}, {"/frequency/max_impressions", one(`"frequency":{"max_impressions":65536}`)}, {"/frequency/max_impressions", one(`"frequency":{"max_impressions":4294967296}`)}, {"/frequency/ignore_min_gap", one(`"frequency":{"ignore_min_gap":0}`)},
		{"/variants/0/key", one(`"variants":[{"key":"holdout"}]`)}, {"/goal/event", one(`"goal":{"event":"Purchase"}`)}, {"/goal/event", one(`"goal":{"event":".a"}`)}, {"/goal/event", one(`"goal":{"event":"` + strings.Repeat("a", 65) + `"}`)},
		{"/goal/event", one(`"goal":{"event":null}`)}, {"/goal/window_sec", one(`"goal":{"window_sec":0}`)}, {"/goal/window_sec", one(`"goal":{"window_sec":7776001}`)}, {"/goal/windows", one(`"goal":{"windows":1}`)},
		{"/frequency/confirm_sec", one(`"frequency":{"confirm_sec":-1}`)}, {"/frequency/confirm_sec", one(`"frequency":{"confirm_sec":86401}`)}, {"/frequency/confirm_sec", one(`"frequency":{"confirm_sec":1.5}`)}, {"/frequency/confirm_sec", one(`"frequency":{"confirm_sec":"5"}`)},
		{"/variants", one(`"variants":[]`)}, {"/variants", one(`"variants":[` + variants + `]`)}, {"/variants/1/key", one(`"variants":[{"key":"a"},{}]`)}, {"/variants/0/key", one(`"variants":[{"key":"A"}]`)},
		{"/variants/0/weight", one(`"variants":[{"weight":1000001}]`)}, {"/variants/0/weight", one(`"variants":[{"weight":-1}]`)}, {"/variants", one(`"variants":[{"weight":0}]`)},
		{"/variants/0/content", one(`"variants":[{"content":"x"}]`)}, {"/variants/0/content", one(`"variants":[{"content":null}]`)}, {"/variants/0/content", one(`"variants":[{"content":{"x":"` + strings.Repeat("x", MaxContent) + `"}}]`)},
		{"/variants/0/content/title", one(`"variants":[{"content":{"title":"\ud800"}}]`)}, {"/variants/0/content/x/1", one(`"variants":[{"content":{"x":["\ud83d\ude00","a\udc00b"]}}]`)},
		{"/variants/0/content/\ufffd", one(`"variants":[{"content":{"\ud800":1,"\udbff":2}}]`)}, {"/name", one(`"name":"\ud83d\ud83d\ude00"`)}, {"", `"\ud800"`},
		{"/variants/0/content/x/0/y", one(`"variants":[{"content":{"x":[{"y":1,"y":1}]}}]`)},
		{"/tags/0", one(`"tags":[""]`)}, {"/tags/1", one(`"tags":["a","a"]`)}, {"/tags", one(`"tags":[` + values + `]`)},
	} {
		_, err := Decode([]byte(c.doc))
		var errs FieldErrors
		if !errors.As(err, &errs) || len(errs) != 1 || errs[0].Pointer != c.pointer || errs[0].Detail == "" {
			t.Errorf("Decode(%.200s)\n got %#v\nwant one error at %q", c.doc, err, c.pointer)
		}
	}
}

func TestDecodeTellsEveryError(t *testing.T) {
	_, err := Decode([]byte(`{"key":"k","nmae":1,"priority":"x","rollout":{"percent":101},"variants":[{"weight":[]},{"key":"b","contents":{}}]}`))
	var errs FieldErrors
	errors.As(err, &errs)
	got := make(map[string]bool)
	for _, e := range errs {
		got[e.Pointer] = true
	}
	want := map[string]bool{"/nmae": true, "/priority": true, "/rollout/percent": true, "/variants/0/weight": true, "/variants/1/contents": true}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("pointers (-want +got):\n%s", d)
	}
	var many strings.Builder
	many.WriteString(`{"key":"k"`)
	for i := range 10_000 {
		fmt.Fprintf(&many, `,"x%d":1`, i)
	}
	_, err = Decode([]byte(many.String() + "}"))
	if errors.As(err, &errs); len(errs) != maxFieldErrors {
		t.Errorf("10,000 unknown fields gave %d errors, want %d", len(errs), maxFieldErrors)
	}
}

func TestLimitsAreAllowed(t *testing.T) {
	conditions := strings.TrimSuffix(strings.Repeat(`{"attr":"a","op":"exists"},`, MaxConditions), ",")
	for _, doc := range []string{
		`{"key":"` + strings.Repeat("k", 64) + `","targeting":{"none":[` + conditions + `]}}`,
		`{"key":"0","rollout":{"percent":0.01},"priority":1e6,"variants":[{"weight":0},{"key":"b","weight":1000000.0}]}`,
		`{"key":"k","variants":[{"content":{"x":"` + strings.Repeat("x", MaxContent-8) + `"}}]}`,
		`{"key":"k","schedule":{"hours":[["00:00","24:00"],["18:00","00:00"]],"timezone":"America/New_York"},"status":"archived"}`,
		`{"key":"k","frequency":{"max_impressions":65535}}`,
		`{"key":"k","variants":[{"content":{"\ud83d\ude00":"\ud83d\ude00\uD83D\uDE00","x":"\\ud800 \\\\\uffff","y":"\ufffd","z":"�"}}]}`,
	} {
		mustDecode(t, doc)
	}
	s := mustDecode(t, documented)
	for hundredths := range 10_001 {
		s.Rollout.Percent = float64(hundredths) / 100
		if err := s.Validate(); err != nil {
			t.Fatalf("percent %v: %v", s.Rollout.Percent, err)
		}
	}
}

func TestValidateSpecsWrittenInGo(t *testing.T) {
	s := Spec{
		Key: "k", Status: Active, Placements: []string{DefaultPlacement}, Trigger: DefaultTrigger, Schedule: Schedule{Timezone: "UTC"},
		Targeting: Targeting{All: []Condition{{Attr: "age", Op: Gte, Value: 18}}},
		Goal:      GoalSpec{WindowSec: 1},
		Variants:  []Variant{{Key: "a", Weight: 1}},
	}
	if err := s.Validate(); err != nil {
		t.Fatal(err)
	}
	again := mustDecode(t, string(s.Encode()))
	if again.Variants[0].Content == nil || again.Targeting.All[0].Value != 18.0 {
		t.Errorf("after Encode and Decode: %+v", again)
	}
	s.Variants[0].Content = map[string]any{"f": func() {}}
	var errs FieldErrors
	if err := s.Validate(); !errors.As(err, &errs) || errs[0].Pointer != "/variants/0/content" {
		t.Errorf("content that is no JSON: %v", err)
	}
	s.Variants[0].Content = nil
	s.Targeting.All[0].Value = "18"
	if got, want := s.Validate().Error(), "/targeting/all/0/value must be a number"; got != want {
		t.Errorf("error %q, want %q", got, want)
	}
}

func TestSpecSize(t *testing.T) {
	s := mustDecode(t, documented)
	list := make([]any, MaxValues)
	for i := range list {
		list[i] = strings.Repeat("x", MaxValue)
	}
	for range MaxConditions {
		s.Targeting.All = append(s.Targeting.All, Condition{Attr: "a", Op: In, Value: list})
	}
	var errs FieldErrors
	if err := s.Validate(); !errors.As(err, &errs) || errs[0].Pointer != "" {
		t.Errorf("a spec of %d bytes: %v", len(s.Encode()), err)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(documented))
	f.Add([]byte(full))
	f.Add([]byte(`{"key":"k","variants":[{"content":{"\ud800":1}}]}`))
	f.Add([]byte(`{"key":"k","variants":[{"content":{"\ud83d\ude00":"\\ud800"}}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := Decode(data)
		if err != nil {
			var errs FieldErrors
			if !errors.As(err, &errs) || len(errs) == 0 {
				t.Fatalf("error %#v is no FieldErrors", err)
			}
			return
		}
		encoded := s.Encode()
		again, err := Decode(encoded)
		if err != nil {
			t.Fatalf("accepted %s\nbut not its encoding %s: %v", data, encoded, err)
		}
		if d := cmp.Diff(s, again); d != "" {
			t.Fatalf("after Encode and Decode (-want +got):\n%s", d)
		}
		if twice := again.Encode(); !bytes.Equal(encoded, twice) {
			t.Fatalf("encoded %s\nthen    %s", encoded, twice)
		}
	})
}

func BenchmarkDecode(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Decode([]byte(full)); err != nil {
			b.Fatal(err)
		}
	}
}
