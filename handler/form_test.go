package handler

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// readForm returns the one report of a form.
func readForm(body string) (report, problem) {
	a := newActionScratch(nil)
	if p := a.parseForm([]byte(body)); p != noProblem {
		return report{}, p
	}
	return report{Token: string(a.items[0].token), Action: string(a.items[0].action), AgeMS: a.items[0].ageMS}, noProblem
}

func TestReadForm(t *testing.T) {
	good := report{Token: "t", Action: "click"}
	for _, c := range []struct {
		body string
		want report
		p    problem
	}{
		{"token=t&action=click", good, noProblem},
		{"&action=click&&token=t&", good, noProblem},
		{"token=t&action=click&x=1&=&y", good, noProblem},
		{"%74oken=%74&action=c%6Cick", good, noProblem},
		{"token=a+b%2B%26&action=x%3D=", report{Token: "a b+&", Action: "x=="}, noProblem},
		{"token=t&action=click&%zz=1&x=%zz", good, noProblem},
		{"token&action", report{}, noProblem},
		{"token=t;action=click&action=", report{Token: "t;action=click"}, noProblem},

		{"token=t&action=click&age_ms=%3250", report{Token: "t", Action: "click", AgeMS: 250}, noProblem},
		{"token=t&action=click&age_ms=-1", report{}, malformedAction}, {"token=t&action=click&age_ms=1.0", report{}, malformedAction},
		{"token=t&action=click&age_ms=", report{}, malformedAction}, {"token=t&action=click&age_ms", report{}, malformedAction},
		{"token=t&action=click&age_ms=+5", report{}, malformedAction}, {"age_ms=1&token=t&action=click&age_ms=1", report{}, malformedAction},
		{"token=t&action=click&age_ms=%", report{}, malformedAction},

		{"", report{}, malformedAction}, {"token=t", report{}, malformedAction}, {"action=click", report{}, malformedAction},
		{"Token=t&action=click", report{}, malformedAction}, {`{"token":"t","action":"click"}`, report{}, malformedAction},
		{"token=t&action=click&token=t", report{}, malformedAction}, {"token=&action=click&token=t", report{}, malformedAction},
		{"token&action=click&token=t", report{}, malformedAction}, {"token=t&action=click&%61ction=click", report{}, malformedAction},
		{"token=%zz&action=click", report{}, malformedAction}, {"token=%7&action=click", report{}, malformedAction},
		{"token=t&action=click%", report{}, malformedAction},
	} {
		got, p := readForm(c.body)
		if p != c.p {
			t.Errorf("%s: problem %q, want %q", c.body, p.code(), c.p.code())
		}
		if d := cmp.Diff(c.want, got); d != "" {
			t.Errorf("%s (-want +got):\n%s", c.body, d)
		}
	}
}

// modelForm reads a form with net/url.
func modelForm(body string) (r report, p problem) {
	age := ""
	fields := map[string]*string{"token": &r.Token, "action": &r.Action, "age_ms": &age}
	seen := make(map[string]int)
	for pair := range strings.SplitSeq(body, "&") {
		name, value, _ := strings.Cut(pair, "=")
		name, err := url.QueryUnescape(name)
		if err != nil || fields[name] == nil {
			continue
		}
		value, err = url.QueryUnescape(value)
		if err != nil {
			return report{}, malformedAction
		}
		*fields[name] = value
		seen[name]++
	}
	if age != "" {
		r.AgeMS = modelAge(age)
	}
	if seen["token"] != 1 || seen["action"] != 1 || seen["age_ms"] > 1 || seen["age_ms"] == 1 && !isDigits(age) {
		return report{}, malformedAction
	}
	return r, noProblem
}

func FuzzReadForm(f *testing.F) {
	f.Add("token=v1.t&action=click")
	f.Add("action=dismiss&token=%76%31.t+&x=%zz")
	f.Add("token=a&token=b&action=click")
	f.Add("token=a&action=release&age_ms=9%30")
	f.Add("%74oken=%F0%9F%98%80&&action=%")
	f.Fuzz(func(t *testing.T, body string) {
		got, p := readForm(body)
		if want, wantProblem := modelForm(body); p != wantProblem || got != want {
			t.Fatalf("%q: %+v %q, net/url reads %+v %q", body, got, p.code(), want, wantProblem.code())
		}
	})
}

// A form is one action, and is answered as JSON is.
func TestFormAction(t *testing.T) {
	const form = "application/x-www-form-urlencoded"
	f := newServer(t, nil, "").start()
	token := f.sees("u", "p1").Token
	for _, c := range []struct {
		contentType, body string
		status            int
		code              string
	}{
		{form, url.Values{"token": {token}, "action": {"click"}}.Encode(), 202, ""},
		{"Application/X-WWW-Form-URLEncoded; charset=UTF-8", "action=click&token=" + token, 202, ""}, // a repeat
		{form, "token=" + token, 400, "malformed_action"},
		{form, "action=click&token=%zz", 400, "malformed_action"},
		{form, fmt.Sprintf(`{"token":%q,"action":"click"}`, token), 400, "malformed_action"},
		{form, "", 400, "malformed_action"},
		{form, "action=smile&token=" + token, 400, "unknown_action"},
		{form, "action=click&token=", 401, "invalid_token"},
		{form, "action=click&token=" + token + "A", 401, "invalid_token"},
		{"application/x-www-form", "action=click&token=" + token, 415, "unsupported_media_type"},
		{"application/json", "action=click&token=" + token, 400, "malformed_json"},
	} {
		r := f.do("POST", "/v1/actions", c.body, "Content-Type", c.contentType)
		if r.status != c.status || r.code() != c.code || c.status == http.StatusAccepted && r.body != acceptedOne {
			t.Errorf("%s %q: %d %s, want %d %s", c.contentType, c.body, r.status, r.body, c.status, c.code)
		}
	}
	f.journaled("u impression 1", "u click 1", "u click 1")
	f.counts(1, "popupd_actions_total", "action", "click", "result", "counted")
	f.counts(1, "popupd_actions_total", "action", "click", "result", "repeated")
	f.counts(6, "popupd_actions_total", "action", "unknown", "result", "malformed")
}
