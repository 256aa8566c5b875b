package handler

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/popupd/popupd/popup"
)

// wantNextPoll fails the test unless an answer says when to poll again.
func wantNextPoll(t *testing.T, r reply) {
	t.Helper()
	if n, err := strconv.Atoi(r.header.Get("Popup-Next-Poll")); err != nil || n < 30 || n > 300 {
		t.Errorf("%d %s: Popup-Next-Poll = %q, want 30 to 300", r.status, r.body, r.header.Get("Popup-Next-Poll"))
	}
}

// Every answer that a poll may get says when to poll again. A page that finds
// nothing there may poll without end.
func TestEveryAnswerNamesTheNextPoll(t *testing.T) {
	const (
		host = " HTTP/1.1\r\nHost: popupd.test\r\nConnection: close\r\n"
		poll = "GET /v1/poll?uid=u"
	)
	post := func(contentType, body string) string {
		return fmt.Sprintf("POST /v1/poll%sContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s", host, contentType, len(body), body)
	}
	unready := func(c *Config) { c.Ready = func() bool { return false } }
	enforce := func(c *Config) { c.Identity, c.IdentitySecrets = IdentityEnforce, [][]byte{[]byte("id secret")} }
	listed := func(c *Config) { c.AllowOrigins = []string{"https://a.example", "https://b.example"} }
	journal := func(j Journal) func(*Config) { return func(c *Config) { c.Journal = j } }
	for _, c := range []struct {
		name   string
		change func(*Config)
		sent   string
		status int
		code   string
	}{
		{"served", nil, poll + host + "\r\n", 200, ""},
		{"served, origins listed", listed, poll + host + "Origin: https://b.example\r\n\r\n", 200, ""},
		{"nothing to show", nil, poll + "&placement=nowhere" + host + "\r\n", 204, ""},
		{"journal refuses", journal(refusing{}), poll + host + "\r\n", 204, ""},
		{"served to a POST", nil, post("application/json", `{"uid":"u"}`), 200, ""},
		{"nothing to show to a POST", nil, post("text/plain", `{"uid":"u","placements":["nowhere"]}`), 200, ""},
		{"body of a POST malformed", nil, post("text/plain", "{"), 400, "malformed_json"},
		{"body of a POST of another type", nil, post("text/html", `{"uid":"u"}`), 415, "unsupported_media_type"},
		{"body of a POST too large", nil, post("text/plain", `{"uid":"u"}`+strings.Repeat(" ", maxPollBody)), 413, "body_too_large"},
		{"prefetch", nil, poll + host + "Sec-Purpose: prefetch\r\n\r\n", 204, ""},
		{"no uid", nil, "GET /v1/poll" + host + "\r\n", 400, "invalid_uid"},
		{"broken query", nil, "GET /v1/poll?uid=%zz" + host + "\r\n", 400, "invalid_query"},
		{"too many attributes", nil, poll + attrs(33) + host + "\r\n", 400, "too_many_attributes"},
		{"ambiguous", nil, poll + host + "X: 1\r\n folded\r\n\r\n", 400, "bad_request"},
		{"not HTTP", nil, poll + host + "no colon\r\n\r\n", 400, "bad_request"},
		{"unsigned", enforce, poll + host + "\r\n", 401, "invalid_signature"},
		{"origin not allowed", listed, poll + host + "Origin: https://c.example\r\n\r\n", 403, "origin_not_allowed"},
		{"wrong method", nil, "DELETE /v1/poll?uid=u" + host + "\r\n", 405, "method_not_allowed"},
		{"too slow", nil, poll + host, 408, "request_timeout"},
		{"body too large", nil, poll + host + "Content-Length: 99999999\r\n\r\n", 413, "body_too_large"},
		{"header too large", nil, poll + host + "X: " + strings.Repeat("x", maxHeaderSize) + "\r\n\r\n", 431, "headers_too_large"},
		{"fault", journal(broken{}), poll + host + "\r\n", 500, "internal_error"},
		{"not ready", unready, poll + host + "\r\n", 503, "not_ready"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newServer(t, c.change, "")
			f.Server.limits.read = 100 * time.Millisecond
			r := overTCP(t, f.serveTCP(), c.sent)
			if r.status != c.status || r.code() != c.code {
				t.Errorf("%d %s, want %d %s", r.status, r.body, c.status, c.code)
			}
			wantNextPoll(t, r)
			wantHeader(t, r, map[string]string{"Cache-Control": "private, no-cache", "Access-Control-Expose-Headers": "Popup-Next-Poll, Popup-Triggers, Retry-After"})
		})
	}
}

// Pages that are answered with the same error at once do not come back at once.
func TestNextPollAfterErrorsIsSpread(t *testing.T) {
	f := newServer(t, nil).start()
	seen := make(map[string]bool)
	for range 100 {
		seen[f.do("GET", "/v1/poll", "").header.Get("Popup-Next-Poll")] = true
	}
	for _, sec := range []string{"60", "61", "62", "63", "64", "65", "66"} {
		if !seen[sec] {
			t.Errorf("none of 100 clients comes back after %s s: %v", sec, seen)
		}
	}
	if len(seen) != 7 {
		t.Errorf("next polls after %v s, want 60 to 66", seen)
	}
}

// Answers to anything else have no use for it.
func TestOtherAnswersNameNoPoll(t *testing.T) {
	f := newServer(t, func(c *Config) { c.AllowOrigins = []string{"https://a.example"} }, "").start()
	for _, r := range []reply{
		f.act("click", f.sees("u", "p1").Token), f.act("click", "x"),
		f.do("GET", "/v1/actions", ""), f.do("POST", "/v1/actions", "{}", "Origin", "https://b.example"),
		f.do("OPTIONS", "/v1/poll", ""), f.do("GET", "/nothing", ""), f.do("GET", "/v1/polls", ""),
	} {
		wantHeader(t, r, map[string]string{"Popup-Next-Poll": ""})
	}
}

// broken is a journal with a fault.
type broken struct{}

func (broken) Append([]popup.Event) error { panic("broken journal") }
