package api_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/popupd/popupd/internal/apitest"
	"github.com/popupd/popupd/popup"
)

const explainPath = "/v1/admin/explain"

func TestExplain(t *testing.T) {
	p := newPlane(t)
	for _, spec := range []string{
		`{"key":"seen","status":"active","priority":2,"frequency":{"after_dismiss_sec":3600}}`,
		`{"key":"pro","status":"active","priority":1,"targeting":{"all":[{"attr":"plan","op":"eq","value":"PRO","ignore_case":true}],"none":[{"attr":"tags","op":"in","value":["x","y"]},{"attr":"app_version","op":"semver_lt","value":"3"}]}}`,
		`{"key":"everybody","status":"active"}`,
		`{"key":"later","status":"active","schedule":{"start_at":"2026-03-11T00:00:00Z"}}`,
		`{"key":"draft"}`,
	} {
		p.Want(201, "", "POST", "/v1/admin/popups", spec)
	}
	at := apitest.Noon.UnixMilli()
	u := p.table.Lock([]byte("u"))
	ev := popup.Event{User: []byte("u"), Popup: 1, Version: 1, Action: popup.Impression, AtMS: at - 5000}
	u.Serve(&ev, &popup.Frequency{AfterImpressionSec: 86400})
	ev.Action, ev.AtMS = popup.Dismiss, at-1000
	u.Act(&ev, &popup.Frequency{AfterDismissSec: 3600}, 0)
	u.Unlock()

	explain := func(query, body string) (e popup.Explanation) {
		t.Helper()
		p.Want(200, "", "POST", explainPath+query, body).Decode(t, &e)
		return e
	}
	e := explain("", `{"uid":"u","app_version":"dev","attributes":{"plan":"pro","n":5,"tags":["a","b"]}}`)
	if *e.Winner != "pro" || e.Revision != 5 || !e.At.Equal(apitest.Noon) || e.NextCursor != nil || e.Reason != nil {
		t.Errorf("winner %v, revision %d, at %v", *e.Winner, e.Revision, e.At)
	}
	got := ""
	for _, c := range e.Candidates {
		got += c.Key
		if c.BlockedBy != nil {
			got += " " + *c.BlockedBy
		}
		if c.EligibleAt != nil {
			got += " " + c.EligibleAt.Sub(e.At).String()
		}
		got += "\n"
	}
	if want := "seen cooldown_dismiss 59m59s\npro 0s\neverybody outranked 0s\nlater not_started 11h25m4s\ndraft not_active\n"; got != want {
		t.Errorf("candidates\n%swant\n%s", got, want)
	}
	if s := e.Candidates[0].State; s == nil || s.Impressions != 1 || s.LastAction != "dismiss" || e.Candidates[1].State != nil {
		t.Errorf("state %+v", s)
	}
	for _, g := range e.Candidates[1].Gates {
		if g.Gate != popup.TargetingGate {
			continue
		}
		if c := g.Conditions; len(c) != 3 || c[0].Actual != "pro" || !c[0].IgnoreCase || !c[0].Passes || fmt.Sprint(c[1].Actual) != "[a b]" || c[1].Holds || !c[1].Passes || c[1].Pointer != "/targeting/none/0" {
			t.Errorf("conditions %+v", c)
		} else if c := c[2]; c.Actual != "dev" || c.Note != "is no version, so it counts as missing" || c.Holds {
			t.Errorf("a version that is none: %+v", c)
		}
	}

	// In one page or in several the answer is the same, of one popup too, and at another time.
	first := explain("?limit=2", `{"uid":"u"}`)
	second := explain("?limit=4&cursor="+*first.NextCursor, `{"uid":"u"}`)
	if len(first.Candidates) != 2 || len(second.Candidates) != 3 || second.Candidates[0].Key != "everybody" || second.NextCursor != nil || *second.Winner != "everybody" {
		t.Errorf("pages of %d and %d, next %v", len(first.Candidates), len(second.Candidates), second.NextCursor)
	}
	if one := explain("", `{"uid":"u","popup":"draft"}`); len(one.Candidates) != 1 || one.Candidates[0].Key != "draft" {
		t.Errorf("of one popup: %+v", one.Candidates)
	}
	if e = explain("", `{"uid":"u","at":"2026-03-10T15:00:00+02:00"}`); *e.Winner != "everybody" {
		t.Errorf("within the wait: %s", *e.Winner)
	}
	if e = explain("", `{"uid":"u","at":"2026-03-10T18:00:00Z"}`); *e.Winner != "seen" {
		t.Errorf("after the wait: %s", *e.Winner)
	}
	if e = explain("", `{"uid":"u","at":"2026-03-10T12:34:00Z"}`); *e.Winner != "seen" || e.Candidates[0].State != nil {
		t.Errorf("before it was shown: %s", *e.Winner)
	}
	if e = explain("", `{"uid":"u","placements":["top","nowhere"]}`); e.Winner != nil || *e.Reason != "placement" {
		t.Errorf("elsewhere: %v because of %v", e.Winner, e.Reason)
	}
	if e = explain("", `{"uid":"u","at":"2099-12-31T23:59:59.999Z"}`); *e.Winner != "seen" || !e.At.Equal(*e.Candidates[3].EligibleAt) {
		t.Errorf("at the end of time: %s, %v", *e.Winner, e.Candidates[3].EligibleAt)
	}
	if n := len(p.store.audit); n != 5 {
		t.Errorf("%d lines of the audit trail", n)
	}
}

func TestExplainBadInput(t *testing.T) {
	p := newPlane(t)
	p.create("a")
	many := make([]string, 33)
	for i := range many {
		many[i] = fmt.Sprintf(`"n%d":1`, i)
	}
	const id = "must be 1 to 128 bytes of UTF-8 without control characters"
	for body, want := range map[string]string{
		`[]`:                                   " must be an object",
		`{}`:                                   "/uid " + id,
		`{"uid":""}`:                           "/uid " + id,
		`{"uid":"a\u0000"}`:                    "/uid " + id,
		`{"uid":7}`:                            "/uid must be a string",
		`{"uid":"u","sig":"x","UID":"v","":1}`: "/sig is not a known field; /UID is not a known field; / is not a known field",
		`{"uid":"u","uid":"v"}`:                "/uid occurs twice",
		`{"uid":"u","prior_uid":"u"}`:          "/prior_uid must be another id than uid",
		`{"uid":"u","prior_uid":"\n"}`:         "/prior_uid " + id,
		`{"uid":"u","placements":"home"}`:      "/placements must be an array",
		`{"uid":"u","placements":[]}`:          "/placements must have 1 to 8 names",
		`{"uid":"u","placements":["a","a"]}`:   "/placements/1 must not be empty, nor be there before",
		`{"uid":"u","placements":[""]}`:        "/placements/0 must not be empty, nor be there before",
		`{"uid":"u","placement":"a","placements":["b"]}`:                 "/placements cannot be given together with placement",
		`{"uid":"u","placements":["1","2","3","4","5","6","7","8","9"]}`: "/placements must have 1 to 8 names",
		`{"uid":"u","trigger":"scroll"}`:                                 "/trigger must be load, exit, scroll:PERCENT, delay:SECONDS or event:NAME",
		`{"uid":"u","tz":"Mars/Olympus","ip":"10.1"}`:                    "/tz must be the IANA name of a time zone, such as Europe/Berlin; /ip must be an IPv4 or IPv6 address",
		`{"uid":"u","at":5}`:                                             "/at must be a string",
		`{"uid":"u","at":"tomorrow"}`:                                    "/at must be an RFC 3339 time, as 2026-12-24T18:00:00Z",
		`{"uid":"u","at":"2024-01-01T00:00:00Z"}`:                        "/at must lie in the years 2025 to 2099",
		`{"uid":"u","at":"2099-12-31T23:00:00-01:00"}`:                   "/at must lie in the years 2025 to 2099",
		`{"uid":"u","attributes":{"a/b":{}}}`:                            "/attributes/a~1b must be a string, a number, true, false or an array of these",
		`{"uid":"u","attributes":{"a":[[1]]}}`:                           "/attributes/a must be a string, a number, true, false or an array of these",
		`{"uid":"u","attributes":[]}`:                                    "/attributes must be an object",
		`{"uid":"u","attributes":{` + strings.Join(many, ",") + `}}`:     "/attributes must have at most 32 values",
	} {
		var problem struct{ Errors popup.FieldErrors }
		p.Want(422, "invalid_fields", "POST", explainPath, body).Decode(t, &problem)
		var got []string
		for _, e := range problem.Errors {
			got = append(got, e.Pointer+" "+e.Detail)
		}
		if strings.Join(got, "; ") != want {
			t.Errorf("%s:\n got %q\nwant %s", body, got, want)
		}
	}
	if a := p.Want(400, "malformed_json", "POST", explainPath, " "); !strings.Contains(string(a.Body), "The body is empty.") {
		t.Errorf("no body: %s", a.Body)
	}
	p.Want(400, "malformed_json", "POST", explainPath, `{"uid":`)
	p.Want(400, "invalid_parameter", "POST", explainPath+"?limit=0", `{"uid":"u"}`)
	p.Want(400, "invalid_parameter", "POST", explainPath+"?cursor=x", `{"uid":"u"}`)
	p.Want(404, "popup_not_found", "POST", explainPath, `{"uid":"u","popup":"b"}`)
	p.Want(415, "unsupported_media_type", "POST", explainPath, `{"uid":"u"}`, "Content-Type", "text/plain")
}

// The pages of an explanation have every popup once.
func TestExplainManyPopups(t *testing.T) {
	p := newPlane(t)
	for i := range 2000 {
		s, _ := popup.Decode(fmt.Appendf(nil, `{"key":"p%d","status":"active","targeting":{"all":[{"attr":"n","op":"gt","value":%d}]}}`, i, i))
		p.store.popups = append(p.store.popups, popup.Popup{ID: uint32(i + 1), Version: 1, Spec: s})
	}
	p.Want(200, "", "POST", "/v1/admin/reload", "")
	seen, cursor := 0, ""
	for {
		var e popup.Explanation
		p.Want(200, "", "POST", explainPath+"?limit=500"+cursor, `{"uid":"u","attributes":{"n":1000}}`).Decode(t, &e)
		seen += len(e.Candidates)
		if e.NextCursor == nil {
			break
		}
		cursor = "&cursor=" + *e.NextCursor
	}
	if seen != 2000 {
		t.Errorf("%d popups on all pages, want 2000", seen)
	}
}
