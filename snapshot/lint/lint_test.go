package lint

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
	_ "time/tzdata" // the tests need no zones of the host

	"github.com/popupd/popupd/internal/storetest"
	"github.com/popupd/popupd/popup"
	"github.com/popupd/popupd/snapshot"
)

func TestMain(m *testing.M) { os.Exit(storetest.Main(m)) }

// nowMS is Wednesday, 2026-07-01T12:00:00Z.
const nowMS = 1_782_907_200_000

// check returns the warnings of a popup with these members, among others, as
// "pointer code" with ? behind what is probable.
func check(t *testing.T, members string, others ...string) string {
	t.Helper()
	s, err := popup.Decode([]byte(`{"key":"p","status":"active",` + members + `}`))
	if err != nil {
		t.Fatalf("%s: %v", members, err)
	}
	var rows []popup.Row
	for i, o := range others {
		key := fmt.Sprintf("o%d", i)
		rows = append(rows, popup.Row{ID: uint32(i + 1), Version: 1, Key: key, Spec: []byte(`{"key":"` + key + `","status":"active",` + o + `}`)})
	}
	snap, broken := snapshot.Compile(popup.Catalog{Revision: 1, Popups: rows}, nil)
	if len(broken) > 0 {
		t.Fatal(broken)
	}
	var out []string
	for _, w := range Check(&s, 99, snap, nowMS) {
		text := w.Pointer + " " + string(w.Code)
		if !w.Proved {
			text += "?"
		}
		if w.Detail == "" || !slices.Contains(popup.WarningCodes, w.Code) {
			t.Errorf("%s: warning %+v", members, w)
		}
		out = append(out, text)
	}
	return strings.Join(out, ", ")
}

// conditions writes groups of conditions, "attr op value", as targeting. An operator with a
// ~ after it ignores letter case.
func conditions(groups string) string {
	var out []string
	for group := range strings.SplitSeq(groups, " | ") {
		name, list, _ := strings.Cut(group, ": ")
		var in []string
		for c := range strings.SplitSeq(list, "; ") {
			part := strings.SplitN(c, " ", 3)
			op, folds := strings.CutSuffix(part[1], "~")
			text := fmt.Sprintf(`{"attr":%q,"op":%q,"ignore_case":%v`, part[0], op, folds)
			if len(part) == 3 {
				text += `,"value":` + part[2]
			}
			in = append(in, text+"}")
		}
		out = append(out, fmt.Sprintf(`%q:[%s]`, name, strings.Join(in, ",")))
	}
	return `"targeting":{` + strings.Join(out, ",") + `}`
}

func TestConditions(t *testing.T) {
	long := strings.Repeat("x", 200)
	for _, c := range []struct{ groups, want string }{
		// Alone.
		{`all: uid exists`, "/targeting/all/0 never_fails"},
		{`any: uid exists; plan exists`, "/targeting/any/0 never_fails, /targeting/any any_never_fails"},
		{`none: uid exists`, "/targeting/none/0 never_fails"},
		{`all: uid not_exists`, "/targeting/all/0 never_holds"},
		{`any: uid not_exists; plan exists`, "/targeting/any/0 never_holds"},
		{`none: uid eq "` + long + `"`, "/targeting/none/0 never_holds"},
		{`all: uid neq "` + long + `"`, "/targeting/all/0 never_fails"},
		{`all: uid prefix "` + long + `"`, "/targeting/all/0 never_holds"},
		{`all: app_version semver_lt "0.0.0-0"`, "/targeting/all/0 never_holds"},
		// Within all.
		{`all: plan eq "a"; plan eq "b"`, "/targeting/all/1 needs_set?"},
		{`all: plan in ["a","b"]; plan exists; plan in ["b","c"]; plan neq "b"`, "/targeting/all/3 needs_set?"},
		{`all: plan exists; plan not_exists`, "/targeting/all/1 contradiction"},
		{`all: plan not_exists; plan gte 0`, "/targeting/all/1 contradiction"},
		{`all: age gt 5; age lt 5`, "/targeting/all/1 needs_set?"},
		{`all: age gt 5; age lte 5`, "/targeting/all/1 needs_set?"},
		{`all: age gte 5; age lte 5; age neq 5`, "/targeting/all/2 needs_set?"},
		{`all: age eq 5; age gt 5`, "/targeting/all/1 needs_set?"},
		{`all: age in [1,5,"7"]; age gt 7`, "/targeting/all/1 needs_set?"},
		{`all: age eq 5; age eq 6`, "/targeting/all/1 needs_set?"},
		{`all: age gt 5; age prefix "pro"`, "/targeting/all/1 needs_set?"},
		{`all: vip eq true; vip eq false`, "/targeting/all/1 needs_set?"},
		{`all: app_version semver_gte "3"; app_version semver_lt "3.0"`, "/targeting/all/1 contradiction"},
		{`all: app_version eq "3.2.1"; app_version semver_gte "3.10"`, "/targeting/all/1 contradiction"},
		{`all: platform semver_gte "3"; platform contains "("`, "/targeting/all/1 contradiction"},
		// An app_version that is no version counts as missing.
		{`all: app_version contains "(45)"`, "/targeting/all/0 never_holds"},
		{`none: app_version suffix~ "\u00e9"`, "/targeting/none/0 never_holds"},
		{`all: app_version in ["dev","3.2.1"]`, "/targeting/all/0/value/0 version_format?"},
		{`all: app_version eq~ "dev"`, "/targeting/all/0 never_holds, /targeting/all/0/value version_format?"},
		{`all: app_version eq~ "3-\u212a"`, ""}, // the Kelvin sign is a k
		{`all: app_version not_in ["dev","debug"]`, "/targeting/all/0 never_fails, /targeting/all/0/value/0 version_format?"},
		{`any: app_version eq "dev"; plan exists`, "/targeting/any/0 never_holds, /targeting/any/0/value version_format?"},
		{`all: app_version not_exists | none: app_version eq "dev"`, "/targeting/none/0 never_holds, /targeting/none/0/value version_format?"},
		{`all: app_version contains "3.2"; app_version suffix "-beta"`, ""},
		{`all: plan prefix "ab"; plan prefix "b"`, "/targeting/all/1 needs_set?"},
		{`all: plan suffix "ab"; plan suffix "a"`, "/targeting/all/1 needs_set?"},
		{`all: plan prefix "ab"; plan eq "b"`, "/targeting/all/1 needs_set?"},
		// Beside none.
		{`all: platform eq "ios" | none: platform in ["ios","android"]`, "/targeting/none/0 contradiction"},
		{`all: plan eq "x" | none: plan exists`, "/targeting/none/0 contradiction"},
		{`all: plan prefix "ab" | none: plan contains "b"`, "/targeting/none/0 contradiction"},
		{`all: plan prefix "abc" | none: plan prefix "ab"`, "/targeting/none/0 contradiction"},
		{`all: plan suffix "abc" | none: plan suffix "bc"`, "/targeting/none/0 contradiction"},
		{`all: age gte 5 | none: age gt 4`, "/targeting/none/0 contradiction"},
		{`all: app_version semver_gte "3" | none: app_version semver_gte "2"`, "/targeting/none/0 contradiction"},
		{`none: plan exists; plan not_exists`, "/targeting/none/1 contradiction"},
		// Beside any.
		{`all: platform eq "ios" | any: platform eq "android"; platform eq "web"`,
			"/targeting/any/0 contradiction, /targeting/any/1 contradiction, /targeting/any any_never_holds"},
		{`all: platform eq "ios" | any: platform eq "android"; plan exists`, "/targeting/any/0 contradiction"},
		{`none: plan exists | any: plan eq "a"`, "/targeting/any/0 contradiction, /targeting/any any_never_holds"},
		{`any: country neq "US"; country neq "CN"`, "/targeting/any any_never_fails"},
		{`all: platform eq "ios" | any: platform exists; plan exists`, "/targeting/any any_never_fails"},
		{`all: plan eq "a"; plan eq "b" | any: uid not_exists`, "/targeting/all/1 needs_set?, /targeting/any/0 never_holds, /targeting/any any_never_holds"},
		{`all: platform eq "a"; platform eq "b" | any: uid not_exists`, "/targeting/all/1 contradiction, /targeting/any/0 never_holds"},
		{`all: plan eq "x" | any: plan eq "y"; plan exists`, "/targeting/any/0 needs_set?, /targeting/any any_never_fails"},
		// An attribute of one value, and one that may be a set.
		{`all: path gt 5; path lt 3`, "/targeting/all/1 contradiction"},
		{`all: path gte 5; path lte 5; path neq 5`, "/targeting/all/2 contradiction"},
		{`all: path in [1,5,"/7"]; path gt 7`, "/targeting/all/1 contradiction"},
		{`all: age gt 5; age lt 3; age neq 4`, "/targeting/all/1 needs_set?"},
		{`all: age gt 5 | none: age gt 5`, "/targeting/none/0 contradiction"},
		{`all: tag eq "a"; tag eq "b" | none: tag eq "a"`, "/targeting/none/0 contradiction"},
		{`all: tag neq "a"; tag eq "a"; tag eq "b"`, "/targeting/all/1 contradiction"},
		{`all: tag eq "a"; tag eq "b"; tag exists | none: tag eq "c"`, "/targeting/all/1 needs_set?"},
		// Versions.
		{`all: app_version semver_gt "3"; app_version semver_lte "3.0"`, "/targeting/all/1 contradiction"},
		{`all: app_version semver_eq "3"; app_version semver_gt "2"; app_version semver_lt "3"`, "/targeting/all/2 contradiction"},
		{`all: app_version semver_eq "3"; app_version semver_eq "3.0.1"`, "/targeting/all/1 contradiction"},
		{`all: app_version semver_gte "3"; app_version semver_lte "3" | none: app_version semver_eq "3.0.0"`, "/targeting/none/0 contradiction"},
		{`all: app_version semver_gte "3" | none: app_version semver_gt "2"`, "/targeting/none/0 contradiction"},
		{`all: app_version semver_lte "3" | none: app_version semver_lt "4"`, "/targeting/none/0 contradiction"},
		{`all: app_version semver_lt "0-0"`, "/targeting/all/0 never_holds"}, {`all: app_version semver_lte "0-0"`, ""},
		{`all: app_version semver_gte "3"; app_version semver_lte "3" | none: app_version semver_gt "3"; app_version semver_lt "3"`, ""},
		// Times and ages.
		{`all: path before "2026-01-01"; path after "2026-01-01"`, "/targeting/all/1 contradiction"},
		{`all: path before "2026-01-01T00:00:00.002Z"; path after "2026-01-01T01:00:00+01:00"`, ""},
		{`all: since after "2026-01-01" | none: since after "2025-01-01"`, "/targeting/none/0 contradiction"},
		{`all: since before "2026-01-01" | none: since before "2027-01-01"`, "/targeting/none/0 contradiction"},
		{`all: since after "2026-01-01" | none: since before "2026-01-01"`, ""},
		{`all: since after "9999-12-31T23:59:59.999-23:59"`, "/targeting/all/0 never_holds"}, {`all: since before "0000-01-01T00:00:00+23:59"`, "/targeting/all/0 never_holds"},
		{`all: path older_than "7d"; path newer_than "168h"`, "/targeting/all/1 contradiction"}, {`all: path older_than "7d"; path newer_than "8d"`, ""},
		{`all: since older_than "7d"; since newer_than "7d"`, "/targeting/all/1 needs_set?"},
		{`all: since older_than "7d" | none: since older_than "6d"`, "/targeting/none/0 contradiction"}, {`all: since newer_than "6d" | none: since newer_than "7d"`, "/targeting/none/0 contradiction"},
		{`all: since older_than "7d" | none: since newer_than "7d"`, ""}, {`all: path eq "2026-01-01"; path newer_than "1s"`, "/targeting/all/0/value path_format?"}, // clocks may be wrong
		{`all: path eq "/x"; path newer_than "1s"`, "/targeting/all/1 contradiction"},
		{`all: path before "2026-01-01"; path gt 5`, "/targeting/all/1 contradiction"}, {`all: path before "2026-01-01"; path contains "u"`, "/targeting/all/1 contradiction"},
		// Networks.
		{`all: ip in_cidr "10.0.0.0/8"; ip in_cidr ["11.0.0.0/8","::/0"]`, "/targeting/all/1 contradiction"}, {`all: ip in_cidr "10.0.0.0/8"; ip in_cidr ["10.1.0.0/16","::/0"]`, ""},
		{`all: ip in_cidr ["10.0.0.0/8","12.0.0.1"] | none: ip in_cidr ["10.0.0.0/7","12.0.0.0/24"]`, "/targeting/none/0 contradiction"}, {`all: ip in_cidr "10.0.0.0/8" | none: ip in_cidr ["10.0.0.0/9"]`, ""},
		{`all: ip in_cidr "::/0"; ip in_cidr "0.0.0.0/0"`, "/targeting/all/1 contradiction"}, {`all: ip in_cidr "10.0.0.0/8"; ip prefix "host"`, "/targeting/all/1 contradiction"},
		{`all: ip in_cidr "10.0.0.0/8"; ip eq "11.0.0.1"`, "/targeting/all/1 contradiction"}, {`all: ip in_cidr "10.0.0.0/8"; ip lt 11`, "/targeting/all/1 contradiction"},
		{`all: ip in_cidr "10.0.0.0/8" | none: ip in_cidr "10.0.0.0/8"`, "/targeting/none/0 contradiction"},
		{`all: app_version semver_gt "0-0"; app_version semver_lte "0-0"`, "/targeting/all/1 contradiction"},
		// Without regard to letter case.
		{`all: platform suffix~ "Ab" | none: platform suffix "b"`, ""}, {`all: platform prefix~ "Ab" | none: platform prefix "A"`, ""},
		{`all: platform eq~ "iOS"; platform eq "ios"`, ""}, {`all: platform eq~ "iOS"; platform eq "android"`, "/targeting/all/1 contradiction"},
		{`all: platform eq~ "iOS"; platform eq~ "android"`, "/targeting/all/1 contradiction"}, {`all: platform in~ ["a","b"]; platform in ["B","C"]; platform neq "b"`, ""},
		{`all: platform in~ ["a","b"] | none: platform in~ ["B","A"]`, "/targeting/none/0 contradiction"}, {`all: platform in~ ["a","b"] | none: platform in ["B","A"]`, ""},
		{`all: platform eq~ "ab"; platform prefix "B"`, "/targeting/all/1 contradiction"}, {`all: platform eq~ "ab"; platform suffix "B"; platform contains~ "aB"`, ""},
		{`all: platform eq~ "ab" | none: platform contains~ "B"`, "/targeting/none/0 contradiction"}, {`all: platform eq~ "ab" | none: platform contains "B"`, ""},
		{`all: platform prefix~ "Ab"; platform prefix "aBc"`, ""}, {`all: platform prefix~ "Ab"; platform prefix "aC"`, "/targeting/all/1 contradiction"},
		{`all: platform suffix "Ab" | none: platform suffix~ "B"`, "/targeting/none/0 contradiction"}, {`all: platform suffix~ "Ab" | none: platform suffix "B"`, ""},
		{`all: platform in~ [5,"x"]; platform gte 5; platform neq~ "X"`, ""}, {`all: platform in~ ["1E1"]; platform gt 10`, "/targeting/all/1 contradiction"}, {`all: platform eq~ "x"; platform eq 5`, "/targeting/all/1 contradiction"},
		{`all: uid eq~ "` + long + `"`, "/targeting/all/0 never_holds"}, {`all: uid contains~ "` + strings.Repeat("\u212a", 85) + `"`, ""}, // letters of one byte fit, too
		// Patterns are tried on texts that are named.
		{`all: path in ["/a","/b"]; path matches "^/c"`, "/targeting/all/1 contradiction"}, {`all: path in ["/a","/b"]; path matches "^/b"`, ""},
		// What can be.
		{`all: plan exists`, ""},
		{`all: plan neq "a"; plan neq "b"; plan not_in ["c"]; plan not_exists`, ""},
		{`all: age in [5,6]; age gte 5; age neq 5`, ""},
		{`all: age eq 5; age prefix "0"`, ""}, // 05
		{`all: age eq 5; age neq "5"`, ""},    // 5.0
		{`all: age gt 5; app_version semver_lt "3"`, ""},
		{`all: age gte 5; age lte 5`, ""},
		{`all: age neq 5; age gt 4 | none: age gt 6`, ""},
		{`all: app_version eq "3.2.1 (45)"; app_version prefix "3"`, "/targeting/all/0 never_holds, /targeting/all/0/value version_format?"},
		{`all: app_version semver_gte "3.2.1-rc.1"; app_version semver_lt "3.2.1"`, ""},
		{`all: plan prefix "ab"; plan prefix "a"; plan suffix "a"; plan contains "z" | none: plan contains "c"`, ""},
		{`none: plan gt 5; plan lte 5`, ""}, // no number
		{`all: platform eq "ios" | any: platform eq "ios"; platform eq "web"`, "/targeting/any/1 contradiction, /targeting/any any_never_fails"},
		{`any: platform eq "ios"; platform eq "web"`, ""},
	} {
		if got := check(t, conditions(c.groups)); got != c.want {
			t.Errorf("%s: %s\nwant %s", c.groups, got, c.want)
		}
	}
	var many []string
	for i := range popup.MaxAttrs + 1 {
		many = append(many, fmt.Sprintf(`n%d exists`, i))
	}
	if got, want := check(t, conditions("all: platform exists; "+strings.Join(many, "; "))), "/targeting too_many_attributes"; got != want {
		t.Errorf("33 attributes: %s, want %s", got, want)
	}
	if got := check(t, conditions("all: platform exists; "+strings.Join(many[1:], "; "))); got != "" {
		t.Errorf("32 attributes: %s", got)
	}
}

func TestFormats(t *testing.T) {
	for _, c := range []struct{ attr, op, value, want string }{
		{"a.plan", "exists", "", "/attr attribute_name?"}, {" plan", "exists", "", "/attr attribute_name?"}, {"plan ", "exists", "", "/attr attribute_name?"},
		{"AppVersion", "exists", "", "/attr attribute_name?"}, {"app-version", "exists", "", "/attr attribute_name?"}, {"Country", "exists", "", "/attr attribute_name?"},
		{"placement", "exists", "", "/attr attribute_name?"}, {"plan", "exists", "", ""}, {"a.", "exists", "", ""},
		{"country", "eq", `"cn"`, "/value country_format?"}, {"country", "neq", `"China"`, "/value country_format?"}, {"country", "in", `["CN","us"]`, "/value/1 country_format?"},
		{"country", "eq", `"CN"`, ""}, {"country", "prefix", `"c"`, ""},
		{"locale", "eq", `"zh_CN"`, "/value locale_format?"}, {"locale", "not_in", `["en","ZH"]`, "/value/1 locale_format?"}, {"locale", "eq", `"zh-cn"`, "/value locale_format?"},
		{"locale", "eq", `"zh-hans-CN"`, "/value locale_format?"}, {"locale", "eq", `"zh-Hans-CN"`, ""}, {"locale", "in", `["en","es-419","de-CH-1996","th-TH-u-nu-thai"]`, ""},
		{"platform", "eq", `"iOS"`, "/value platform_format?"}, {"platform", "eq", `"ios"`, ""}, {"platform", "eq", `"Fridge"`, ""},
		{"path", "eq", `"cart"`, "/value path_format?"}, {"path", "prefix", `"https://example.com/cart"`, "/value path_format?"}, {"path", "prefix", `"/cart"`, ""}, {"path", "contains", `"cart"`, ""},
		{"vip", "eq", `"True"`, "/value boolean_format?"}, {"vip", "neq", `"FALSE"`, "/value boolean_format?"}, {"vip", "eq", `"true"`, ""}, {"vip", "eq", `true`, ""},
		{"plan", "eq", `" pro"`, "/value value_spaces?"}, {"plan", "in", `["a","pro "]`, "/value/1 value_spaces?"}, {"plan", "contains", `" "`, ""},
		{"app_version", "neq", `"3.2.1 (45)"`, " never_fails, /targeting/all/0/value version_format?"}, {"app_version", "eq", `"3.2.1"`, ""},
		{"ip", "eq", `"2001:DB8::1"`, "/value address_format?"}, {"ip", "in", `["10.0.0.1","10.0.0.0/8"]`, "/value/1 address_format?"}, {"ip", "neq", `"2001:db8::1"`, ""},
		{"app_version", "gte", `3`, "/value version_as_number?"}, {"app_version", "eq", `3.1`, "/value version_as_number?"}, {"age", "gte", `3`, ""},
	} {
		want := c.want
		if want != "" {
			want = "/targeting/all/0" + want
		}
		condition := fmt.Sprintf(`{"attr":%q,"op":%q`, c.attr, c.op)
		if c.value != "" {
			condition += `,"value":` + c.value
		}
		if got := check(t, `"targeting":{"all":[`+condition+`}]}`); got != want {
			t.Errorf("%s %s %s: %s, want %s", c.attr, c.op, c.value, got, want)
		}
	}
}

// Where letter case does not matter, an unusual one is not worth a word.
func TestFormatsInAnyCase(t *testing.T) {
	for groups, want := range map[string]string{
		`all: country eq~ "cn"`: "", `all: locale in~ ["ZH-hans-cn","EN"]`: "", `all: platform eq~ "iOS"`: "", `all: vip eq~ "True"`: "",
		`all: country eq~ "China"`: "/targeting/all/0/value country_format?", `all: locale eq~ "zh_cn"`: "/targeting/all/0/value locale_format?", `all: plan eq~ " Pro"`: "/targeting/all/0/value value_spaces?",
	} {
		if got := check(t, conditions(groups)); got != want {
			t.Errorf("%s: %s, want %s", groups, got, want)
		}
	}
}

func TestScheduleAndVariants(t *testing.T) {
	for _, c := range []struct{ members, want string }{
		{`"schedule":{"end_at":"2026-07-01T12:00:00Z"}`, "/schedule/end_at ended"},
		{`"schedule":{"end_at":"2026-07-01T12:00:00.001Z"}`, ""},
		{`"schedule":{"start_at":"2026-07-04T00:00:00Z","end_at":"2026-07-06T00:00:00Z","days":["mon","wed"]}`, "/schedule never_open"},
		{`"schedule":{"start_at":"2026-07-04T00:00:00Z","end_at":"2026-07-06T00:00:01Z","days":["mon","wed"]}`, ""},
		{`"schedule":{"start_at":"2026-07-04T00:00:00Z","end_at":"2026-07-06T00:00:00Z","days":["mon"],"timezone":"Asia/Tokyo"}`, ""},
		{`"schedule":{"end_at":"2026-07-01T18:00:00Z","hours":[["18:00","24:00"],["00:00","12:00"]]}`, "/schedule never_open"},
		{`"schedule":{"end_at":"2026-07-01T18:00:00.001Z","hours":[["18:00","24:00"]]}`, ""},
		{`"schedule":{"end_at":"2026-07-01T18:00:00Z","hours":[["20:00","12:01"]]}`, ""},
		// The hour that clocks leave out, and the one that comes twice.
		{`"schedule":{"start_at":"2027-03-27T22:00:00Z","end_at":"2027-03-28T22:00:00Z","hours":[["02:00","03:00"]],"timezone":"Europe/Berlin"}`, "/schedule never_open"},
		{`"schedule":{"start_at":"2027-03-27T22:00:00Z","end_at":"2027-03-28T22:00:00Z","hours":[["02:00","03:01"]],"timezone":"Europe/Berlin"}`, ""},
		{`"schedule":{"start_at":"2026-10-25T01:00:00Z","end_at":"2026-10-25T02:00:00Z","hours":[["02:00","02:01"]],"timezone":"Europe/Berlin"}`, ""},
		{`"schedule":{"start_at":"2026-08-01T00:00:00Z","end_at":"2026-08-01T00:30:00Z","hours":[["05:30","06:00"]],"timezone":"Asia/Kolkata"}`, ""},
		{`"schedule":{"start_at":"2026-08-01T00:00:00Z","end_at":"2026-08-01T00:30:00Z","hours":[["06:00","06:30"]],"timezone":"Asia/Kolkata"}`, "/schedule never_open"},
		{`"schedule":{"days":["sun"],"hours":[["02:00","02:01"]],"timezone":"Europe/Berlin"}`, ""},
		{`"schedule":{"user_time":true}`, "/schedule/user_time user_time_unused"}, {`"schedule":{"user_time":true,"days":["mon"]}`, ""},
		{`"schedule":{"start_at":"2026-07-03T12:00:00Z","end_at":"2026-07-05T10:00:00Z","days":["mon","wed"],"user_time":true}`, "/schedule never_open"},
		{`"schedule":{"start_at":"2026-07-03T12:00:00Z","end_at":"2026-07-05T10:00:00.001Z","days":["mon","wed"],"user_time":true}`, ""}, // in Kiritimati
		{`"schedule":{"start_at":"2026-07-02T11:59:59.999Z","end_at":"2026-07-05T10:00:00Z","days":["mon","wed"],"user_time":true}`, ""}, // at UTC-12
		{`"rollout":{"percent":0}`, "/rollout/percent empty_rollout"}, {`"rollout":{"percent":0.01}`, ""},
		{`"variants":[{"key":"a","control":true},{"key":"b","weight":0}]`, "/variants only_controls"}, {`"variants":[{"key":"a","control":true},{"key":"b","weight":1}]`, ""},
		{`"variants":[{"content":{"link":"www.example.com","image":" WWW.example.com/x.png"}}]`, "/variants/0/content/link link_format?, /variants/0/content/image link_format?"},
		{`"variants":[{"translations":{"de":{"link":"www.example.de"},"en":{"link":"https://www.example.com"}}}]`, "/variants/0/translations/de/link link_format?"},
		{`"status":"paused","rollout":{"percent":0}`, ""},
	} {
		members := c.members
		if strings.HasPrefix(members, `"status"`) {
			continue
		}
		if got := check(t, members); got != c.want {
			t.Errorf("%s: %s, want %s", members, got, c.want)
		}
	}
	s, err := popup.Decode([]byte(`{"key":"p","status":"archived","rollout":{"percent":0}}`))
	if err != nil {
		t.Fatal(err)
	}
	if got := Check(&s, 1, nil, nowMS); got == nil || len(got) != 0 {
		t.Errorf("archived: %v, want an empty list", got)
	}
}

func TestRank(t *testing.T) {
	const always = `"priority":1,"frequency":{"after_impression_sec":0,"after_click_sec":0,"after_dismiss_sec":0,"ignore_min_gap":true}`
	const outranked = "/priority outranked?"
	ios, both := conditions(`all: platform eq "ios"`), conditions(`all: platform in ["ios","android"]`)
	for _, c := range []struct {
		members, other string
		want           string
	}{
		{`"priority":0`, always, outranked}, {`"priority":1`, always, ""}, {`"priority":0`, strings.Replace(always, "1", "-1", 1), ""},
		{`"status":"draft"`, always, outranked},
		{ios, always + "," + both, outranked}, {both, always + "," + ios, ""}, {ios, always + "," + conditions(`none: platform eq "web"`), outranked},
		{ios, always + "," + conditions(`any: platform eq "web"; platform exists`), outranked}, {ios, always + "," + conditions(`any: platform eq "web"; plan exists`), ""},
		{conditions(`any: plan eq "a"; plan eq "b"`), always + "," + conditions(`any: plan prefix "b"; plan eq "a"; plan eq "c"`), outranked},
		{conditions(`any: plan eq "a"; plan eq "z"`), always + "," + conditions(`any: plan eq "a"; plan eq "c"`), ""},
		{`"tags":["x"]`, always, outranked}, {`"priority":0`, always + `,"tags":["x"]`, ""},
		{`"frequency":{"ignore_min_gap":true}`, strings.Replace(always, "true", "false", 1), ""}, {`"priority":0`, strings.Replace(always, "true", "false", 1), outranked},
		{`"priority":0`, strings.Replace(always, `"after_click_sec":0`, `"after_click_sec":1`, 1), ""},
		{`"priority":0`, strings.Replace(always, `{`, `{"max_impressions":5,`, 1), ""}, {`"priority":0`, strings.Replace(always, `{`, `{"confirm_sec":5,`, 1), ""},
		{`"placements":["home"]`, always + `,"placements":["home"]`, outranked}, {`"placements":["home"]`, always, ""},
		{`"placements":["home"]`, always + `,"placements":["home","cart"]`, ""}, {`"placements":["home","cart"]`, always + `,"placements":["home"]`, ""},
		{`"priority":0`, always + `,"rollout":{"percent":50}`, ""}, {`"trigger":"exit"`, always, ""}, {`"trigger":"exit"`, always + `,"trigger":"exit"`, outranked},
		{`"rollout":{"percent":50,"salt":"s"}`, always + `,"rollout":{"percent":50,"salt":"s"}`, outranked},
		{`"priority":0`, always + `,"variants":[{"key":"a"},{"key":"b","control":true}]`, ""},
		{`"priority":0`, always + `,"variants":[{"key":"a"},{"key":"b","control":true,"weight":0}]`, outranked},
		{`"priority":0`, always + `,"schedule":{"start_at":"2026-07-01T12:00:00Z"}`, outranked}, {`"priority":0`, always + `,"schedule":{"start_at":"2026-07-01T12:00:00.001Z"}`, ""},
		{`"priority":0`, always + `,"schedule":{"end_at":"2027-01-01T00:00:00Z"}`, ""},
		{`"schedule":{"end_at":"2027-01-01T00:00:00Z"}`, always + `,"schedule":{"end_at":"2027-01-01T00:00:00Z"}`, outranked},
		{`"priority":0`, always + `,"schedule":{"days":["mon"]}`, ""}, {`"schedule":{"days":["mon"]}`, always + `,"schedule":{"days":["mon"]}`, outranked},
		{`"schedule":{"days":["mon"]}`, always + `,"schedule":{"days":["mon"],"timezone":"Asia/Tokyo"}`, ""},
		{`"schedule":{"days":["mon"]}`, always + `,"schedule":{"days":["mon"],"user_time":true}`, ""},
		{`"schedule":{"days":["mon"],"user_time":true}`, always + `,"schedule":{"days":["mon"],"user_time":true}`, outranked},
	} {
		if got := check(t, strings.Replace(c.members, `"status":"draft"`, `"name":"draft"`, 1), c.other); got != c.want {
			t.Errorf("%s below %s: %q, want %q", c.members, c.other, got, c.want)
		}
	}
	home, cart := always+`,"placements":["home"]`, always+`,"placements":["cart"]`
	if got := check(t, `"placements":["cart","home"]`, home, cart); got != outranked {
		t.Errorf("one popup a placement: %q", got)
	}
}

// Every code is documented, for readers and for programs.
func TestCodesAreDocumented(t *testing.T) {
	for file, form := range map[string]string{"../../docs/popups.md": "`%s`", "../../docs/openapi.yaml": "%s"} {
		page, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, code := range popup.WarningCodes {
			if !strings.Contains(string(page), fmt.Sprintf(form, code)) {
				t.Errorf("%s does not have %s", file, code)
			}
		}
	}
}

// Check takes no longer than an answer of the control plane may, whatever it is given.
func TestCheckIsQuick(t *testing.T) {
	var all []string
	for i := range popup.MaxConditions {
		var values []string
		for j := range popup.MaxValues {
			values = append(values, fmt.Sprintf(`"v%d"`, j+i))
		}
		all = append(all, `plan in [`+strings.Join(values, ",")+`]`)
	}
	start := time.Now()
	check(t, conditions("all: "+strings.Join(all, "; "))+`,"schedule":{"end_at":"2026-08-30T00:00:00Z","days":["mon"],"hours":[["05:00","05:01"]]}`)
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("took %v", took)
	}
}
