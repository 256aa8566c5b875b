package handler

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/popupd/popupd/popup"
)

// names returns n different names as the elements of a JSON array.
func names(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `,"n%d"`, i)
	}
	return strings.TrimPrefix(b.String(), ",")
}

// members returns n different attributes as the members of a JSON object.
func members(n int) string { return strings.ReplaceAll(names(n), ",", ":1,") + ":1" }

func TestParseBody(t *testing.T) {
	type result struct {
		UID, Platform, AppVersion, Locale, Country, Sig string
		Placements, Attrs, Showing                      []string
		Problem                                         problem
		PriorUID                                        string
	}
	for _, c := range []struct {
		body string
		want result
	}{
		{`{"uid":"u"}`, result{UID: "u"}},
		{"\ufeff \n{ \"uid\" : \"u\" }\t", result{UID: "u"}},
		{`{"uid":"u","sig":"00","placements":["top","side"],"platform":"ios","app_version":"3.2.1","locale":"zh-CN","country":"CN","attributes":{"plan":"pro"},"showing":["a","b"]}`,
			result{"u", "ios", "3.2.1", "zh-CN", "CN", "00", []string{"top", "side"}, []string{"plan=pro"}, []string{"a", "b"}, noProblem, ""}},
		{`{"\u0075id":"\u7528\ud83d\ude00","attributes":{"a\nb":"\"\\"}}`, result{UID: "用😀", Attrs: []string{"a\nb=\"\\"}}},
		{`{"uid":"u","attributes":{"s":"","n":-1.50e+3,"yes":true,"no":false,"none":null,"uid":"x"}}`,
			result{UID: "u", Attrs: []string{"s=", "n=-1.50e+3", "yes=true", "no=false", "uid=x"}}},
		{`{"uid":"u","attributes":{"tags":["a","",null,7,true,"\u0062"],"none":[],"x":[null]}}`, result{UID: "u", Attrs: []string{"tags=a", "tags=", "tags=7", "tags=true", "tags=b"}}},
		{`{"uid":"u","attributes":{},"showing":[],"prior_uid":null}`, result{UID: "u"}},
		{`{"prior_uid":"","uid":"u"}`, result{UID: "u"}},
		{`{"prior_uid":"v","uid":"u"}`, result{UID: "u", PriorUID: "v"}},
		{`{"uid":"u","sig":null,"placements":null,"platform":null,"attributes":null,"showing":null}`, result{UID: "u"}},
		{`{"uid":"u","platform":"","UID":7,"placement":7,"timezone":[{"x":[]}],"tz":"UTC","trigger":"load","path":"/","":{}}`, result{UID: "u"}},
		{`{"uid":"u","placements":[` + names(8) + `]}`, result{UID: "u", Placements: []string{"n0", "n1", "n2", "n3", "n4", "n5", "n6", "n7"}}},
		{`{"uid":"` + strings.Repeat("u", 128) + `"}`, result{UID: strings.Repeat("u", 128)}},
		{`{"uid":"u"}` + strings.Repeat(" ", maxPollBody-len(`{"uid":"u"}`)), result{UID: "u"}},

		{``, result{Problem: malformedJSON}},
		{`{`, result{Problem: malformedJSON}},
		{`{"uid":"u",}`, result{Problem: malformedJSON}},
		{`{"uid":"u"}}`, result{Problem: malformedJSON}},
		{`{"uid":"u"`, result{Problem: malformedJSON}},
		{`{"uid":"u`, result{Problem: malformedJSON}},
		{`{"uid" "u"}`, result{Problem: malformedJSON}},
		{`{uid:"u"}`, result{Problem: malformedJSON}},
		{`{"uid":nil}`, result{Problem: malformedJSON}},
		{`{"uid":"u","x":nul}`, result{Problem: malformedJSON}},
		{`{"uid":"u","placements":["a"`, result{Problem: malformedJSON}},
		{`{"uid":"u","placements":["a",]}`, result{Problem: malformedJSON}},
		{`{"uid":"u","attributes":{"a":1,}}`, result{Problem: malformedJSON}},
		{`{"uid":"u","attributes":{"a":01}}`, result{Problem: malformedJSON}},
		{`{"uid":"u","attributes":{"a":+1}}`, result{Problem: malformedJSON}},
		{`{"uid":"u","attributes":{"a"}}`, result{Problem: malformedJSON}},
		{`{"uid":"u","showing":["a"}`, result{Problem: malformedJSON}},
		{`uid=u`, result{Problem: malformedJSON}},

		{`[]`, result{Problem: malformedPoll}},
		{`[{"uid":"u"}]`, result{Problem: malformedPoll}},
		{`"u"`, result{Problem: malformedPoll}},
		{`{"uid":7}`, result{Problem: malformedPoll}},
		{`{"uid":"u","locale":["de"]}`, result{Problem: malformedPoll}},
		{`{"uid":"u","country":true}`, result{Problem: malformedPoll}},
		{`{"uid":"u","uid":"v"}`, result{Problem: malformedPoll}},
		{`{"uid":"u","sig":"","sig":null}`, result{Problem: malformedPoll}},
		{`{"uid":"u","placements":["a"],"placements":["b"]}`, result{Problem: malformedPoll}},
		{`{"uid":"u","attributes":{},"attributes":{}}`, result{Problem: malformedPoll}},
		{`{"uid":"u","showing":[],"showing":[]}`, result{Problem: malformedPoll}},

		{`{}`, result{Problem: invalidUID}},
		{`{"uid":null}`, result{Problem: invalidUID}},
		{`{"uid":""}`, result{Problem: invalidUID}},
		{`{"uid":"\u0000"}`, result{Problem: invalidUID}},
		{"{\"uid\":\"\xff\"}", result{Problem: invalidUID}},
		{`{"uid":"` + strings.Repeat("u", 129) + `"}`, result{Problem: invalidUID}},

		{`{"uid":"u","prior_uid":"v","prior_uid":"v"}`, result{Problem: malformedPoll}},
		{`{"uid":"u","prior_uid":7}`, result{Problem: malformedPoll}},
		{`{"uid":"u","prior_uid":"u"}`, result{Problem: invalidPriorUID}},
		{`{"uid":"u","rid":"1234567"}`, result{Problem: invalidRID}},
		{`{"uid":"u","rid":12345678}`, result{Problem: malformedPoll}},
		{`{"uid":"u","prior_uid":"\n"}`, result{Problem: invalidPriorUID}},
		{`{"prior_uid":"u"}`, result{Problem: invalidUID}},

		{`{"uid":"u","placements":"top"}`, result{Problem: invalidPlacements}},
		{`{"uid":"u","placements":{}}`, result{Problem: invalidPlacements}},
		{`{"uid":"u","placements":[]}`, result{Problem: invalidPlacements}},
		{`{"uid":"u","placements":[7]}`, result{Problem: invalidPlacements}},
		{`{"uid":"u","placements":[null]}`, result{Problem: invalidPlacements}},
		{`{"uid":"u","placements":[""]}`, result{Problem: invalidPlacements}},
		{`{"uid":"u","placements":["a","b","a"]}`, result{Problem: invalidPlacements}},
		{`{"uid":"u","placements":["a","\u0061"]}`, result{Problem: invalidPlacements}},
		{`{"uid":"u","placements":[` + names(9) + `]}`, result{Problem: invalidPlacements}},

		{`{"uid":"u","attributes":[]}`, result{Problem: invalidAttribute}},
		{`{"uid":"u","attributes":"plan=pro"}`, result{Problem: invalidAttribute}},
		{`{"uid":"u","attributes":{"tags":["a",["b"]]}}`, result{Problem: invalidAttribute}},
		{`{"uid":"u","attributes":{"tags":["a",{}]}}`, result{Problem: invalidAttribute}},
		{`{"uid":"u","attributes":{"tags":["a"],"tags":"a"}}`, result{Problem: invalidAttribute}},
		{`{"uid":"u","attributes":{"x":1,"tags":["a"],"x":["a"]}}`, result{Problem: invalidAttribute}},
		{`{"uid":"u","attributes":{"tags":[` + names(33) + `]}}`, result{Problem: tooManyAttributes}},
		{`{"uid":"u","attributes":{"tags":["a"}}`, result{Problem: malformedJSON}},
		{`{"uid":"u","attributes":{"tags":["a",]}}`, result{Problem: malformedJSON}},
		{`{"uid":"u","attributes":{"tags":["a" "b"]}}`, result{Problem: malformedJSON}},
		{`{"uid":"u","attributes":{"tags":[nul]}}`, result{Problem: malformedJSON}},
		{`{"uid":"u","tz":8}`, result{Problem: malformedPoll}},
		{`{"uid":"u","tz":"UTC","tz":"UTC"}`, result{Problem: malformedPoll}},
		{`{"uid":"u","attributes":{"x":{}}}`, result{Problem: invalidAttribute}},
		{`{"uid":"u","attributes":{"x":1,"x":1}}`, result{Problem: invalidAttribute}},
		{`{"uid":"u","attributes":{` + members(33) + `}}`, result{Problem: tooManyAttributes}},

		{`{"uid":"u","showing":"x"}`, result{Problem: invalidShowing}},
		{`{"uid":"u","showing":[7]}`, result{Problem: invalidShowing}},
		{`{"uid":"u","showing":[` + names(17) + `]}`, result{Problem: invalidShowing}},

		{`{"uid":"u"}` + strings.Repeat(" ", maxPollBody), result{Problem: bodyTooLarge}},
	} {
		var q pollRequest
		got := result{Problem: q.parseBody([]byte(c.body))}
		if got.Problem == noProblem {
			got = result{
				string(q.User), string(q.Platform), string(q.AppVersion), string(q.Locale), string(q.Country), string(q.sig),
				texts(q.Placements), nil, texts(q.showing), noProblem, string(q.PriorUser),
			}
			for _, a := range q.Attrs {
				got.Attrs = append(got.Attrs, string(a.Name)+"="+string(a.Value))
			}
		}
		if d := cmp.Diff(c.want, got, cmpopts.EquateEmpty()); d != "" {
			t.Errorf("%.200q (-want +got):\n%s", c.body, d)
		}
	}
	var q pollRequest
	if p := q.parseBody([]byte(`{"uid":"u","attributes":{` + members(32) + `},"showing":[` + names(16) + `]}`)); p != noProblem || len(q.Attrs) != popup.MaxAttrs || len(q.showing) != maxShowing {
		t.Errorf("as much as there may be: %s, %d attributes, %d tokens", p.code(), len(q.Attrs), len(q.showing))
	}
}

func texts(list [][]byte) (out []string) {
	for _, b := range list {
		out = append(out, string(b))
	}
	return out
}

// What is read is what encoding/json reads.
func FuzzPollBody(f *testing.F) {
	f.Add([]byte(pollBody))
	f.Add([]byte(`{"uid":"\u7528","placements":["a","\u0062"],"attributes":{"n":-1.5e3,"t":true,"z":null},"showing":["v1.x"],"more":[{}]}`))
	f.Add([]byte(`{"uid":"u","attributes":{"tags":["a"]}}`))
	f.Add([]byte(`{"uid":"u","uid":"v"}`))
	f.Add([]byte(`{"uid":"u","tz":"UTC","attributes":{"tags":["a",1,true,null,""],"x":[]}}`))
	var q pollRequest // used again, as in the pool
	f.Fuzz(func(t *testing.T, body []byte) {
		p := q.parseBody(body)
		body = bytes.TrimPrefix(body, byteOrderMark)
		var want map[string]json.RawMessage
		err := json.Unmarshal(body, &want)
		if p != noProblem {
			if p == malformedJSON && err == nil && !deep(body) {
				t.Fatalf("encoding/json reads %q", body)
			}
			return
		}
		if err != nil {
			t.Fatalf("%q is read, encoding/json says %v", body, err)
		}
		for name, got := range map[string][]byte{
			"uid": q.User, "platform": q.Platform, "app_version": q.AppVersion, "locale": q.Locale, "country": q.Country, "sig": q.sig, "rid": q.rid, "prior_uid": q.PriorUser, "tz": q.Zone,
		} {
			same(t, body, name, want[name], string(bytes.ToValidUTF8(got, []byte("\ufffd"))), "")
		}
		same(t, body, "placements", want["placements"], texts(q.Placements), nil)
		same(t, body, "showing", want["showing"], texts(q.showing), nil)
		var attributes map[string]any
		if raw := want["attributes"]; raw != nil {
			d := json.NewDecoder(bytes.NewReader(raw))
			d.UseNumber()
			if err := d.Decode(&attributes); err != nil {
				t.Fatal(err)
			}
		}
		sameAttributes(t, body, q.Attrs, attributes)
	})
}

// sameAttributes fails the test unless the values are those of the members, in any order
// of these. Text that is not UTF-8 is not compared.
func sameAttributes(t *testing.T, body []byte, got []popup.Attr, members map[string]any) {
	t.Helper()
	count := func(values []string) map[string]int {
		m := map[string]int{}
		for _, v := range values {
			if v = strings.ToValidUTF8(v, "\ufffd"); !strings.Contains(v, "\ufffd") {
				m[v]++
			}
		}
		return m
	}
	var have, want []string
	for _, a := range got {
		have = append(have, fmt.Sprintf("%s=%s", a.Name, a.Value))
	}
	for name, member := range members {
		values, isSet := member.([]any)
		if !isSet {
			values = []any{member}
		}
		for _, v := range values {
			if v != nil {
				want = append(want, fmt.Sprintf("%s=%v", name, v))
			}
		}
	}
	if d := cmp.Diff(count(want), count(have)); d != "" && !bytes.Contains(body, []byte("\\u")) {
		t.Fatalf("%q: attributes (-want +got):\n%s", body, d)
	}
}

// same fails the test unless a member is what encoding/json reads in it: none for
// null or if it is missing. Text that is not UTF-8 is not compared.
func same[T any](t *testing.T, body []byte, name string, raw json.RawMessage, got, none T) {
	t.Helper()
	want := none
	if raw != nil {
		if err := json.Unmarshal(raw, &want); err != nil {
			t.Fatalf("%q: %s: %v", body, name, err)
		}
	}
	if d := cmp.Diff(want, got, cmpopts.EquateEmpty()); d != "" && !strings.Contains(fmt.Sprint(want), "\ufffd") {
		t.Fatalf("%q: %s (-want +got):\n%s", body, name, d)
	}
}

// deep reports whether JSON may nest deeper than is read.
func deep(body []byte) bool {
	return bytes.Count(body, []byte("{"))+bytes.Count(body, []byte("[")) > maxNesting
}

func BenchmarkHotPollBody(b *testing.B) {
	var q pollRequest
	src := []byte(pollBody)
	b.ReportAllocs()
	for b.Loop() {
		if p := q.parseBody(src); p != noProblem {
			b.Fatal(p.code())
		}
	}
}
