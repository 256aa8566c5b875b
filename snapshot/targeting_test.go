package snapshot

import (
	"fmt"
	"strings"
	"testing"

	"github.com/popupd/popupd/popup"
)

// attributed is the request of the operator table below.
var attributed = popup.Request{
	User: []byte("u-42"), Platform: []byte("ios"), AppVersion: []byte("3.2.1"), Locale: []byte("zh-CN"),
	Attrs: []popup.Attr{
		{Name: []byte("plan"), Value: []byte("pro")}, {Name: []byte("age"), Value: []byte("5")}, {Name: []byte("vip"), Value: []byte("true")},
		{Name: []byte("temp"), Value: []byte("-1.50e1")}, {Name: []byte("empty")}, {Name: []byte("sdk"), Value: []byte("v2.0.0-rc.1")},
		{Name: []byte("country"), Value: []byte("US")}, {Name: []byte("platform"), Value: []byte("fridge")},
		{Name: []byte("plan"), Value: []byte("second")}, {Name: []byte("inf"), Value: []byte("Inf")}, {Name: []byte("hex"), Value: []byte("0x10")},
		{Name: []byte("zeros"), Value: []byte("007")}, {Name: []byte("word"), Value: []byte("banana")},
		{Name: []byte("since"), Value: []byte("2026-06-30T12:00:00Z")}, {Name: []byte("day"), Value: []byte("2026-07-01")}, {Name: []byte("net"), Value: []byte("::ffff:10.1.2.3")},
		{Name: []byte("city"), Value: []byte("STRASSBURG")}, {Name: []byte("tags")}, {Name: []byte("tags"), Value: []byte("red")}, {Name: []byte("tags"), Value: []byte("7")}, {Name: []byte("tags"), Value: []byte("Blue")},
	},
	IP: []byte("2001:db8::1"), Zone: []byte("Europe/Berlin"),
}

func TestOperators(t *testing.T) {
	for _, c := range []struct {
		condition string // attr op value
		want      bool
	}{
		{`plan eq "pro"`, true}, {`plan eq "Pro"`, false}, {`plan eq "second"`, true}, {`plan neq "pro"`, false}, {`plan neq "free"`, true},
		{`age eq 5`, true}, {`age eq "5"`, true}, {`age eq "5.0"`, false}, {`age eq 5.0`, true}, {`age neq 5`, false}, {`age eq 6`, false}, {`zeros eq 7`, true},
		{`vip eq true`, true}, {`vip eq "true"`, true}, {`vip eq false`, false}, {`vip neq false`, true}, {`plan eq 5`, false}, {`plan neq 5`, true},
		{`plan in ["pro","a","b"]`, true}, {`plan in ["free","pro"]`, true}, {`plan in ["free","basic","team"]`, false}, {`plan not_in ["free"]`, true}, {`plan not_in ["free","pro"]`, false},
		{`age in [5,1,2]`, true}, {`age in [1,5,"x"]`, true}, {`age in ["x",1,true]`, false}, {`vip in [1,true]`, true}, {`age not_in [5]`, false},
		{`age gt 4.9`, true}, {`age gt 5`, false}, {`age gte 5`, true}, {`age gte 5.1`, false}, {`age lt 5.1`, true}, {`age lt 5`, false}, {`age lte 5`, true}, {`age lte 4`, false},
		{`temp eq -15`, true}, {`temp lt 0`, true}, {`plan gt 0`, false}, {`plan lte 0`, false}, {`inf gt 0`, false}, {`hex gt 0`, false},
		{`word contains "nan"`, true}, {`word contains "nab"`, false}, {`word prefix "ban"`, true}, {`word prefix "an"`, false}, {`word suffix "ana"`, true}, {`word suffix "an"`, false},
		{`plan exists`, true}, {`plan not_exists`, false}, {`absent exists`, false}, {`absent not_exists`, true},
		{`app_version semver_gte "3.2"`, true}, {`app_version semver_gte "v3.2.1"`, true}, {`app_version semver_gte "3.2.2"`, false}, {`app_version semver_gte "3.2.1-beta"`, true},
		{`app_version semver_lt "3.10"`, true}, {`app_version semver_lt "3.2.1"`, false}, {`sdk semver_lt "2"`, true}, {`sdk semver_gte "2.0.0-rc.1"`, true}, {`sdk semver_gte "2"`, false},
		{`plan semver_gte "0"`, false}, {`plan semver_lt "999"`, false},
		{`uid eq "u-42"`, true}, {`uid suffix "2"`, true}, {`locale prefix "zh"`, true}, {`platform eq "ios"`, true}, {`app_version eq "3.2.1"`, true},
		{`app_version semver_eq "3.2.1+7"`, true}, {`app_version semver_eq "3.2"`, false}, {`app_version semver_gt "3.2.1"`, false}, {`app_version semver_gt "3.2.1-rc"`, true},
		{`app_version semver_lte "3.2.1"`, true}, {`app_version semver_lte "3.2.0.9"`, false}, {`plan semver_lte "999"`, false}, {`absent semver_eq "1"`, false},
		{`plan eq~ "PRO"`, true}, {`plan neq~ "PRO"`, false}, {`plan in~ ["x","pRO"]`, true}, {`plan not_in~ ["x","pRO"]`, false}, {`age in~ [5,"X"]`, true}, {`vip eq~ true`, true},
		{`city contains~ "aSSb"`, true}, {`city contains "aSSb"`, false}, {`city prefix~ "stra\u017f"`, true}, {`city suffix~ "BURG"`, true}, {`city suffix~ "strass"`, false}, {`city eq~ "straßburg"`, false},
		{`word matches "^b(an)+a$"`, true}, {`word matches "an"`, true}, {`word matches "^an"`, false}, {`word matches "(?i)BAN"`, true}, {`word matches "BAN"`, false}, {`absent matches ".*"`, false},
		{`since before "2026-07-01"`, true}, {`since before "2026-06-30T12:00:00Z"`, false}, {`since after "2026-06-30T12:00:00Z"`, false}, {`since after "2026-06-30"`, true}, {`since after "2026-06-30T13:00:00+01:30"`, true},
		{`day before "2026-07-01T00:00:00.001Z"`, true}, {`day after "2026-06-30T23:59:59.999Z"`, true}, {`plan before "2100-01-01"`, false}, {`plan after "1970-01-01"`, false}, {`absent before "2100-01-01"`, false},
		{`since older_than "1d"`, false}, {`since newer_than "1d"`, false}, {`since older_than "23h"`, true}, {`since newer_than "25h"`, true}, {`day newer_than "12h"`, false}, {`day older_than "0s"`, true}, {`plan older_than "0s"`, false},
		{`ip in_cidr "2001:db8::/32"`, true}, {`ip in_cidr ["10.0.0.0/8","2001:db8::1"]`, true}, {`ip in_cidr "0.0.0.0/0"`, false}, {`net in_cidr "10.1.0.0/16"`, true}, {`net in_cidr "::/0"`, false}, {`plan in_cidr "::/0"`, false},
		{`ip eq "2001:db8::1"`, true}, {`ip exists`, true},
		// Of a set, one member is enough; its negation is for all of them.
		{`tags eq "red"`, true}, {`tags eq "Blue"`, true}, {`tags eq 7`, true}, {`tags neq "red"`, false}, {`tags neq "green"`, true}, {`tags in ["green","Blue"]`, true}, {`tags not_in ["green","Blue"]`, false}, {`tags not_in ["green"]`, true},
		{`tags gt 6`, true}, {`tags lt 7`, false}, {`tags contains "lu"`, true}, {`tags matches "^B"`, true}, {`tags eq~ "blue"`, true}, {`tags exists`, true}, {`tags not_exists`, false}, {`tags suffix "x"`, false},
		// An a.NAME equal to a built-in attribute is ignored.
		{`country eq "US"`, false}, {`country exists`, false}, {`platform eq "fridge"`, false},
		// A missing attribute satisfies neq, not_in and not_exists only; an empty one is missing.
		{`absent eq "x"`, false}, {`absent neq "x"`, true}, {`absent in ["x"]`, false}, {`absent not_in ["x"]`, true}, {`absent gt -1`, false}, {`absent gte -1`, false},
		{`absent lt 1`, false}, {`absent lte 1`, false}, {`absent contains "x"`, false}, {`absent prefix "x"`, false}, {`absent suffix "x"`, false},
		{`absent semver_gte "0"`, false}, {`absent semver_lt "9"`, false},
		{`empty exists`, false}, {`empty not_exists`, true}, {`empty neq "x"`, true}, {`empty lt 1`, false},
	} {
		p := targeted(t, "all", c.condition)
		if got := gateOf(p, &attributed, defaultPlacement, nowMS) == popup.Eligible; got != c.want {
			t.Errorf("%s: %v, want %v", c.condition, got, c.want)
		}
		if matched, _ := match(mustCompile(t, p.Row()), nil, &attributed, nowMS); len(matched) == 1 != c.want {
			t.Errorf("%s: matched %d popups, want %v", c.condition, len(matched), c.want)
		}
	}
}

// targeted returns a popup with one condition, written as: attr op value. An operator
// with a ~ after it ignores letter case.
func targeted(t *testing.T, group, condition string) *Popup {
	t.Helper()
	return mustCompile(t, row(1, `"targeting":{"`+group+`":[`+conditionJSON(condition)+`]}`)).Popup(1)
}

func conditionJSON(s string) string {
	part := strings.SplitN(s, " ", 3)
	op, ignoresCase := strings.CutSuffix(part[1], "~")
	out := `{"attr":"` + part[0] + `","op":"` + op + `"`
	if ignoresCase {
		out += `,"ignore_case":true`
	}
	if len(part) == 3 {
		out += `,"value":` + part[2]
	}
	return out + "}"
}

// TestAppVersionThatIsNone: it counts as missing, in every index. Other attributes need be no
// versions.
func TestAppVersionThatIsNone(t *testing.T) {
	for _, version := range []string{"dev", "3.2.1 (45)", "3..2", "latest-3.2", " 3.2", "", strings.Repeat("1", 65)} {
		r := popup.Request{User: []byte("u"), AppVersion: []byte(version), Platform: []byte("dev"), Attrs: []popup.Attr{{Name: []byte("sdk"), Value: []byte("dev")}}}
		for condition, want := range map[string]bool{
			`app_version exists`: false, `app_version not_exists`: true,
			`app_version eq "dev"`: false, `app_version neq "dev"`: true, `app_version neq "3.2.1"`: true, `app_version eq~ "DEV"`: false, `app_version neq~ "DEV"`: true,
			`app_version in ["dev","3.2.1 (45)"]`: false, `app_version not_in ["dev","3.2.1 (45)"]`: true,
			`app_version prefix "3.2"`: false, `app_version suffix "v"`: false, `app_version contains "."`: false, `app_version matches ".*"`: false,
			`app_version semver_gte "0"`: false, `app_version semver_lt "9"`: false, `app_version gte 0`: false, `app_version lt 1e9`: false,
			`platform exists`: true, `platform eq "dev"`: true, `platform semver_lt "9"`: false, `sdk exists`: true, `sdk neq "dev"`: false, `sdk prefix "de"`: true, `sdk semver_gte "0"`: false,
		} {
			for group, want := range map[string]bool{"all": want, "any": want, "none": !want} {
				p := targeted(t, group, condition)
				if got := gateOf(p, &r, defaultPlacement, nowMS) == popup.Eligible; got != want {
					t.Errorf("%q: %s %s: %v, want %v", version, group, condition, got, want)
				}
				matched, _ := match(mustCompile(t, p.Row()), nil, &r, nowMS)
				if got := len(matched) == 1; got != want {
					t.Errorf("%q: %s %s: matched %v, want %v", version, group, condition, got, want)
				}
			}
		}
	}
}

// TestExplainedValues: explain says what was sent, and if that cannot be compared why not.
func TestExplainedValues(t *testing.T) {
	r := popup.Request{
		User: []byte("u"), AppVersion: []byte("3.2.1 (45)"), Country: []byte("DE"),
		Attrs: []popup.Attr{{Name: []byte("age"), Value: []byte("young")}, {Name: []byte("tags"), Value: []byte("a")}, {Name: []byte("tags"), Value: []byte("7")}, {Name: []byte("tags"), Value: []byte("b")}},
	}
	for _, c := range []struct{ group, condition, want string }{
		{"all", `app_version semver_gte "3"`, `app_version semver_gte "3": it is "3.2.1 (45)", which is no version, so it counts as missing`},
		{"none", `app_version neq "3.2.1"`, `not app_version neq "3.2.1": it is "3.2.1 (45)", which is no version, so it counts as missing`},
		{"all", `app_version exists`, `app_version exists: it is "3.2.1 (45)", which is no version, so it counts as missing`},
		{"all", `age lt 18`, `age lt 18: it is "young", which is no number`},
		{"all", `age newer_than "1d"`, `age newer_than "1d": it is "young", which is no time of RFC 3339`},
		{"all", `age in_cidr "10.0.0.0/8"`, `age in_cidr "10.0.0.0/8": it is "young", which is no address`},
		{"all", `age semver_eq "1"`, `age semver_eq "1": it is "young", which is no version`},
		{"all", `tags before "2026-07-01"`, `tags before "2026-07-01": it is ["a","7","b"], which has no time of RFC 3339`},
		{"all", `tags gt 7`, `tags gt 7: it is ["a","7","b"]`},
		{"all", `country eq "CN"`, `country eq "CN": it is "DE"`},
		{"all", `locale eq "zh"`, `locale eq "zh": it is missing`},
	} {
		gates := (*Snapshot)(nil).AppendGates(nil, targeted(t, c.group, c.condition), &r, nowMS)
		if got := gates[4].Actual; gates[4].Gate != popup.TargetingGate || got != c.want {
			t.Errorf("%s %s:\n got %s\nwant %s", c.group, c.condition, got, c.want)
		}
	}
}

func TestAllAnyNone(t *testing.T) {
	const yes, no = `plan eq "pro"`, `plan eq "free"`
	list := func(conditions ...string) string {
		var out []string
		for _, c := range conditions {
			out = append(out, conditionJSON(c))
		}
		return "[" + strings.Join(out, ",") + "]"
	}
	for _, c := range []struct {
		all, any, none string
		want           bool
	}{
		{list(), list(), list(), true},
		{list(yes, yes), list(), list(), true}, {list(yes, no), list(), list(), false},
		{list(), list(no, yes), list(), true}, {list(), list(no, no), list(), false},
		{list(), list(), list(no, no), true}, {list(), list(), list(no, yes), false},
		{list(yes), list(yes), list(no), true}, {list(yes), list(yes), list(yes), false}, {list(yes), list(no), list(no), false}, {list(no), list(yes), list(no), false},
	} {
		p := mustCompile(t, row(1, `"targeting":{"all":`+c.all+`,"any":`+c.any+`,"none":`+c.none+`}`)).Popup(1)
		if got := gateOf(p, &attributed, defaultPlacement, nowMS) == popup.Eligible; got != c.want {
			t.Errorf("all %s any %s none %s: %v, want %v", c.all, c.any, c.none, got, c.want)
		}
	}
}

func TestEveryOperatorIsCompiled(t *testing.T) {
	if len(tests) != 24 {
		t.Errorf("%d operators, want 24", len(tests))
	}
	for op := range tests {
		value := `"1"`
		switch op {
		case popup.In, popup.NotIn:
			value = `["1"]`
		case popup.Gt, popup.Gte, popup.Lt, popup.Lte:
			value = `1`
		case popup.Exists, popup.NotExists:
			value = ``
		case popup.Before, popup.After:
			value = `"2026-07-01"`
		case popup.OlderThan, popup.NewerThan:
			value = `"7d"`
		case popup.InCIDR:
			value = `"10.0.0.0/8"`
		}
		targeted(t, "all", strings.TrimSpace("a "+string(op)+" "+value))
	}
}

// A regular expression is tried on values of up to 1,024 bytes.
func TestMatchesBoundsTheValue(t *testing.T) {
	for n, want := range map[int]bool{popup.MaxMatched: true, popup.MaxMatched + 1: false} {
		r := popup.Request{User: []byte("u"), Path: []byte(strings.Repeat("a", n))}
		if got := gateOf(targeted(t, "all", `path matches "^a+$"`), &r, defaultPlacement, nowMS) == popup.Eligible; got != want {
			t.Errorf("%d bytes: %v, want %v", n, got, want)
		}
	}
}

func TestParseNumber(t *testing.T) {
	for s, want := range map[string]float64{"0": 0, "-0": 0, "+1": 1, "1.25": 1.25, "1e3": 1000, "1E-2": 0.01, "00012": 12, strings.Repeat("9", 32): 1e32, "9e99": 9e99} {
		if got, ok := parseNumber([]byte(s)); !ok || got != want {
			t.Errorf("%q: %v, %v, want %v", s, got, ok, want)
		}
	}
	for _, s := range []string{"", "-", "+", ".", ".5", "5.", "1e", "1e+", "1e100", "1_000", "0x1", "Inf", "NaN", "1 ", " 1", "1,5", "--1", "1e1.5", strings.Repeat("9", 33)} {
		if got, ok := parseNumber([]byte(s)); ok {
			t.Errorf("%q is taken for the number %v", s, got)
		}
	}
}

func TestLongList(t *testing.T) {
	const values = 64
	var list []string
	for i := range values {
		list = append(list, fmt.Sprintf("%q", fmt.Sprint("u-", 2*i)))
	}
	p := targeted(t, "all", "uid in ["+strings.Join(list, ",")+"]")
	for i := range 2*values + 2 {
		r := popup.Request{User: fmt.Append(nil, "u-", i)}
		want := i%2 == 0 && i < 2*values
		if got := gateOf(p, &r, defaultPlacement, nowMS) == popup.Eligible; got != want {
			t.Errorf("uid %s: %v, want %v", r.User, got, want)
		}
	}
}
