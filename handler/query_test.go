package handler

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/popupd/popupd/popup"
)

func attrs(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "&a.n%d=v", i)
	}
	return b.String()
}

func TestParseQuery(t *testing.T) {
	type result struct {
		UID, Placement, Platform, AppVersion, Locale, Country, Sig string
		Attrs                                                      []string
		Problem                                                    problem
		PriorUID                                                   string
	}
	u := func(r result) result {
		if r.UID == "" {
			r.UID = "u"
		}
		return r
	}
	for _, c := range []struct {
		raw  string
		want result
	}{
		{"uid=u", u(result{})},
		{"uid=u&placement=home&platform=ios&app_version=3.2.1&locale=zh-CN&country=CN&sig=00&a.plan=pro",
			result{"u", "home", "ios", "3.2.1", "zh-CN", "CN", "00", []string{"plan=pro"}, noProblem, ""}},
		{"&&uid=u&&", u(result{})},
		{"uid=a%20b", u(result{UID: "a b"})},
		{"uid=a+b", u(result{UID: "a b"})},
		{"uid=%E7%94%A8", u(result{UID: "用"})},
		{"uid=%e7%94%a8", u(result{UID: "用"})},
		{"uid=a%2Bb%26c%3Dd", u(result{UID: "a+b&c=d"})},
		{"%75id=u", u(result{})},
		{"uid=a=b", u(result{UID: "a=b"})},
		{"uid=first&uid=second", u(result{UID: "first"})},
		{"uid=u&placement=", u(result{})},
		{"uid=u&prior_uid=", u(result{})},
		{"uid=u&rid=", u(result{})},
		{"uid=u&rid=aZ09_-aZ&rid=x", u(result{})},
		{"uid=u&prior_uid=v", u(result{PriorUID: "v"})},
		{"uid=u&prior_uid=v&prior_uid=u", u(result{PriorUID: "v"})},
		{"uid=u&placement", u(result{})},
		{"uid=u&UID=v&unknown=w&x", u(result{})},
		{"uid=u&broken%=1&unknown=%zz", u(result{})},
		{"uid=u&a.=1&a=2&b.c=3", u(result{})},
		{"uid=u&a.plan=pro&a.n=1&a.plan=free&a.plan=pro", u(result{Attrs: []string{"plan=pro", "n=1", "plan=free", "plan=pro"}})},
		{"uid=u&a.placement=x", u(result{Attrs: []string{"placement=x"}})},
		{"uid=u&a.%70lan=p%20ro", u(result{Attrs: []string{"plan=p ro"}})},
		{"uid=u&a.plan=", u(result{Attrs: []string{"plan="}})},
		{"uid=" + strings.Repeat("u", 128), u(result{UID: strings.Repeat("u", 128)})},

		{"", result{Problem: invalidUID}},
		{"uid=", result{Problem: invalidUID}},
		{"uid=&uid=u", result{Problem: invalidUID}},
		{"placement=home", result{Problem: invalidUID}},
		{"uid=" + strings.Repeat("u", 129), result{Problem: invalidUID}},
		{"uid=%00", result{Problem: invalidUID}},
		{"uid=a%0Ab", result{Problem: invalidUID}},
		{"uid=%ff", result{Problem: invalidUID}},
		{"uid=%C2%85", result{Problem: invalidUID}},
		{"uid=%", result{Problem: invalidQuery}},
		{"uid=%4", result{Problem: invalidQuery}},
		{"uid=%4g", result{Problem: invalidQuery}},
		{"uid=u&placement=%zz", result{Problem: invalidQuery}},
		{"uid=u&a.x=%", result{Problem: invalidQuery}},
		{"uid=u&prior_uid=u", result{Problem: invalidPriorUID}},
		{"uid=a+b&prior_uid=a%20b", result{Problem: invalidPriorUID}},
		{"uid=u&rid=1234567", result{Problem: invalidRID}},
		{"uid=u&rid=" + strings.Repeat("r", 65), result{Problem: invalidRID}},
		{"uid=u&rid=12345678%20", result{Problem: invalidRID}},
		{"uid=u&rid=1234567.", result{Problem: invalidRID}},
		{"uid=u&prior_uid=%00", result{Problem: invalidPriorUID}},
		{"uid=u&prior_uid=" + strings.Repeat("u", 129), result{Problem: invalidPriorUID}},
		{"prior_uid=v", result{Problem: invalidUID}},
		{"uid=u" + attrs(33), result{Problem: tooManyAttributes}},
		{"uid=u" + strings.Repeat("&a.n=", 33), result{Problem: tooManyAttributes}},
	} {
		var q pollRequest
		got := result{Problem: q.parseQuery([]byte(c.raw))}
		if got.Problem == noProblem {
			got = result{
				string(q.User), string(q.places[0]), string(q.Platform), string(q.AppVersion), string(q.Locale), string(q.Country),
				string(q.sig), nil, noProblem, string(q.PriorUser),
			}
			for _, a := range q.Attrs {
				got.Attrs = append(got.Attrs, string(a.Name)+"="+string(a.Value))
			}
		}
		if d := cmp.Diff(c.want, got, cmpopts.EquateEmpty()); d != "" {
			t.Errorf("%q (-want +got):\n%s", c.raw, d)
		}
	}
	var q pollRequest
	if p := q.parseQuery([]byte("tz=UTC&uid=u" + attrs(31) + "&a.n1=again")); p != noProblem || len(q.Attrs) != popup.MaxAttrs || string(q.Zone) != "UTC" {
		t.Errorf("%d attributes: %s, %d kept", popup.MaxAttrs, p.code(), len(q.Attrs))
	}
}

// What is read agrees with net/url, where that reads anything.
func FuzzQuery(f *testing.F) {
	f.Add("uid=u&placement=home&a.plan=pro")
	f.Add("uid=%E7%94%A8+1&a.%70=%20&sig")
	f.Add("%zz=1&uid=%")
	f.Add("uid=u&prior_uid=v")
	f.Add("uid=u&a.t=1&a.t=2&a.t=&tz=UTC")
	var q pollRequest // used again, as in the pool
	f.Fuzz(func(t *testing.T, raw string) {
		p := q.parseQuery([]byte(raw))
		want, err := url.ParseQuery(raw)
		if err != nil || p == tooManyAttributes {
			return
		}
		if p == invalidQuery {
			t.Fatalf("net/url reads %q as %v", raw, want)
		}
		uid, prior := want.Get("uid"), want.Get("prior_uid")
		valid := popup.ValidUserID([]byte(uid)) && (prior == "" || prior != uid && popup.ValidUserID([]byte(prior))) && (want.Get("rid") == "" || validRID([]byte(want.Get("rid"))))
		if valid != (p == noProblem) {
			t.Fatalf("%q: %s, uid %q and prior_uid %q valid is %v", raw, p.code(), uid, prior, valid)
		}
		for name, got := range map[string][]byte{
			"uid": q.User, "platform": q.Platform, "app_version": q.AppVersion, "locale": q.Locale, "country": q.Country, "sig": q.sig, "rid": q.rid, "prior_uid": q.PriorUser, "tz": q.Zone,
		} {
			if string(got) != want.Get(name) {
				t.Fatalf("%q: %s = %q, want %q", raw, name, got, want.Get(name))
			}
		}
		got := url.Values{}
		for _, a := range q.Attrs {
			got.Add("a."+string(a.Name), string(a.Value))
		}
		for name, values := range want {
			if strings.HasPrefix(name, "a.") && len(name) > 2 && p == noProblem && !slices.Equal(got[name], values) {
				t.Fatalf("%q: %s = %q, want %q", raw, name, got[name], values)
			}
		}
	})
}

func BenchmarkHotQuery(b *testing.B) {
	for name, raw := range map[string]string{
		"plain":   "uid=u-12345678&placement=home&platform=ios&app_version=3.2.1&locale=zh-CN&country=CN&a.plan=pro",
		"escaped": "uid=u%2D12345678&placement=home&platform=ios&app_version=3.2.1&locale=zh%2DCN&country=CN&a.plan=pro+plus",
	} {
		b.Run(name, func(b *testing.B) {
			var q pollRequest
			src := []byte(raw)
			b.ReportAllocs()
			for b.Loop() {
				if p := q.parseQuery(src); p != noProblem {
					b.Fatal(p.code())
				}
			}
		})
	}
}
