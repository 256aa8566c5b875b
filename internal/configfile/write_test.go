package configfile

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/popupd/popupd/popup"
)

// served returns a popup as a server answers with it.
func served(t *testing.T, text string) []byte {
	t.Helper()
	spec, err := popup.Decode([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	b := spec.Encode()
	return append([]byte(`{"id":7,"version":3,"updated_at":"2026-11-29T17:00:00Z","source":"x",`), b[1:]...)
}

func TestYAMLOfPopup(t *testing.T) {
	text := served(t, `{"key":"spring-sale","name":"No: 1","status":"active","priority":-10,"placements":["home","no"],
		"schedule":{"start_at":"2026-12-24T18:00:00Z","hours":[["09:00","18:00"],["22:00","02:00"]]},
		"targeting":{"all":[{"attr":"platform","op":"in","value":["ios","android"]},{"attr":"age","op":"gte","value":18}],"none":[{"attr":"plan","op":"exists"}]},
		"frequency":{"after_click_sec":-1},
		"variants":[{"key":"a","weight":50,"content":{"title":"20 % off 🎉","body":"Two\nlines\n","link":"https://example.com/#x","no":"yes","price":1.50,"":{},"list":[{"a":[1,[2]]},"x\ty",""]},
			"translations":{"zh-Hans":{"title":"春"}}},{"key":"b","control":true}],
		"tags":["a, b","1.0","`+strings.Repeat("long ", 6)+`tag","`+strings.Repeat("longer", 7)+`"]}`)
	got, err := YAML(KindPopup, text)
	if err != nil {
		t.Fatal(err)
	}
	want := `kind: popup
key: spring-sale
name: "No: 1"
status: active
priority: -10
placements: [home, "no"]
schedule:
  start_at: "2026-12-24T18:00:00Z"
  hours: [["09:00", "18:00"], ["22:00", "02:00"]]
targeting:
  all:
    - attr: platform
      op: in
      value: [ios, android]
    - attr: age
      op: gte
      value: 18
  none:
    - attr: plan
      op: exists
frequency:
  after_click_sec: -1
variants:
  - key: a
    weight: 50
    content:
      "": {}
      body: |
        Two
        lines
      link: https://example.com/#x
      list:
        - a: [1, [2]]
        - "x\ty"
        - ""
      "no": "yes"
      price: 1.50
      title: "20 % off 🎉"
    translations:
      zh-Hans:
        title: 春
  - key: b
    control: true
tags:
  - a, b
  - "1.0"
  - long long long long long long tag
  - longerlongerlongerlongerlongerlongerlonger
`
	if d := cmp.Diff(want, string(got)); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	for _, write := range []func(string, []byte) ([]byte, error){YAML, JSON} {
		file, err := write(KindPopup, text)
		if err != nil {
			t.Fatal(err)
		}
		if c := read(t, string(file)); !Same(KindPopup, c.Popups[0].JSON, text) {
			t.Errorf("%s\nis read as %s", file, c.Popups[0].JSON)
		}
	}
}

func TestYAMLOfLittle(t *testing.T) {
	for _, c := range []struct{ kind, text, want string }{
		{KindPopup, string(served(t, `{"key":"a"}`)), "kind: popup\nkey: a\nstatus: draft\n"},
		{KindPopup, `{"key":"a","new":{"x":1},"status":"draft","schedule":{"new":1}}`, "kind: popup\nkey: a\nnew:\n  x: 1\nstatus: draft\nschedule:\n  new: 1\n"},
		{KindSettings, `{"version":2,"min_gap_sec":0,"caps":[],"holdout":{"percent":0,"salt":""}}`, "kind: settings\nmin_gap_sec: 0\ncaps: []\nholdout:\n  percent: 0\n  salt: \"\"\n"},
		{KindAudience, `{"key":"vip","version":1,"updated_by":"x","rule":{"all":[],"any":[{"attr":"plan","op":"exists"}],"none":[]}}`, "kind: audience\nkey: vip\nrule:\n  any:\n    - attr: plan\n      op: exists\n"},
		{KindAudience, `{"key":"vip","rule":{"all":[],"any":[],"none":[]}}`, "kind: audience\nkey: vip\nrule: {}\n"},
	} {
		got, err := YAML(c.kind, []byte(c.text))
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(c.want, string(got)); d != "" {
			t.Errorf("%s (-want +got):\n%s", c.text, d)
		}
	}
	for _, text := range []string{"", "[]", "{}{}", "{"} {
		if got, err := YAML(KindPopup, []byte(text)); err == nil {
			t.Errorf("%q is written as %q", text, got)
		}
	}
}

func TestSame(t *testing.T) {
	for _, c := range []struct {
		kind, a, b string
		want       bool
	}{
		{KindPopup, `{"key":"a"}`, `{"priority":0,"key":"a","version":7}`, true},
		{KindPopup, `{"key":"a"}`, `{"key":"a","priority":1}`, false},
		{KindPopup, `{"key":"a"}`, `{"key":"a","new":1}`, false}, // which this release does not know
		{KindPopup, `{"key":"a"}`, `{`, false},
		{KindSettings, `{}`, `{"caps":[],"version":1}`, true},
		{KindSettings, `{}`, `{"min_gap_sec":1}`, false},
		{KindAudience, `{"key":"a","rule":{}}`, `{"rule":{"all":[]},"key":"a"}`, true},
		{KindAudience, `{"key":"a","rule":{}}`, `{"key":"b","rule":{}}`, false},
	} {
		if got := Same(c.kind, []byte(c.a), []byte(c.b)); got != c.want {
			t.Errorf("%s and %s: %v", c.a, c.b, got)
		}
	}
}

// FuzzYAML wants that what is written is read as the same, whatever texts are in it.
func FuzzYAML(f *testing.F) {
	for _, text := range []string{"", "no", "1:30", "a: b", " a\n b\n", "a\n\n", "\u2028\u0085\ufeff\x7f", "a #b", "- x", "é\x1b", "\U0001F600", "a\r\nb", strings.Repeat("x", 1500), "'\"\\", "a\n b\nc", "\ufffe", "a,[b]"} {
		f.Add(text, "b")
		f.Add("a", text)
	}
	f.Fuzz(func(t *testing.T, name, text string) {
		content, err := json.Marshal(map[string]any{name: text, "list": []any{text, []any{text, name}, map[string]any{name: text}}, "o": map[string]any{name: []any{}}})
		if err != nil {
			t.Fatal(err)
		}
		one, err := popup.Decode([]byte(`{"key":"a","variants":[{"content":` + string(content) + `}]}`))
		if err != nil {
			t.Skip("is no popup")
		}
		file, err := YAML(KindPopup, one.Encode())
		if err != nil {
			t.Fatal(err)
		}
		c, err := Read("-", strings.NewReader(string(file)))
		if err != nil || !Same(KindPopup, c.Popups[0].JSON, one.Encode()) {
			t.Errorf("%q: %q\n%s\n%v", name, text, file, err)
		}
	})
}
