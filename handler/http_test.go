package handler

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/quick"
	"time"

	"github.com/fasthttp/router"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
)

func TestPollAnswers(t *testing.T) {
	f := newServer(t, nil, `"placements":["default","home"],"variants":[{"key":"b","content":{"title":"<Hi> \"you\"","n":1e3}}]`).start()
	r := f.do("GET", "/v1/poll?uid=u&placement=home", "")
	if r.status != http.StatusOK {
		t.Fatalf("%d %s", r.status, r.body)
	}
	head := `{"popup":{"id":1,"key":"p1","version":1,"variant":"b","placement":"home","content":`
	if !strings.HasPrefix(r.body, head) || !strings.Contains(r.body, `},"token":"v1.`) {
		t.Errorf("body = %s", r.body)
	}
	wantHeader(t, r, map[string]string{
		"Content-Type": "application/json", "Cache-Control": "private, no-cache", "Access-Control-Allow-Origin": "*",
		"Access-Control-Expose-Headers": "Popup-Next-Poll, Popup-Triggers, Retry-After", "Server": "", "Vary": "", "Access-Control-Allow-Credentials": "",
	})
	if r.header.Get("Date") == "" {
		t.Error("no Date")
	}
	if next := r.header.Get("Popup-Next-Poll"); !strings.HasSuffix(r.body, `,"next_poll_sec":`+next+"}") {
		t.Errorf("Popup-Next-Poll = %q in the answer %s", next, r.body)
	}

	r = f.do("GET", "/v1/poll?uid=u&placement=home", "")
	if r.status != http.StatusNoContent || r.body != "" {
		t.Fatalf("second poll: %d %s", r.status, r.body)
	}
	wantHeader(t, r, map[string]string{
		"Content-Type": "", "Content-Length": "", "Cache-Control": "private, no-cache", "Access-Control-Allow-Origin": "*",
		"Access-Control-Expose-Headers": "Popup-Next-Poll, Popup-Triggers, Retry-After",
	})
	wantNextPoll(t, r)
	f.counts(1, "popupd_decisions_total", "outcome", "served")
	f.counts(1, "popupd_decisions_total", "outcome", "none")
	f.counts(2, "popupd_poll_duration_seconds")
}

func wantHeader(t *testing.T, r reply, want map[string]string) {
	t.Helper()
	for name, v := range want {
		if got := strings.Join(r.header.Values(name), "|"); got != v {
			t.Errorf("%s = %q, want %q", name, got, v)
		}
	}
}

// TestProblems has all but bodies that are too large, which a client may not have
// sent whole when the answer comes: those are sent as bytes, see server_test.go.
func TestProblems(t *testing.T) {
	f := newServer(t, nil, "").start()
	shown := f.sees("u", "p1")
	act := func(token, action string) string { return fmt.Sprintf(`{"token":%q,"action":%q}`, token, action) }
	good := act(shown.Token, "click")
	for _, c := range []struct {
		method, target, contentType, body string
		status                            int
		code                              string
		allow                             string
	}{
		{"GET", "/v1/poll", "", "", 400, "invalid_uid", ""},
		{"GET", "/v1/poll?uid=", "", "", 400, "invalid_uid", ""},
		{"GET", "/v1/poll?uid=" + strings.Repeat("u", 129), "", "", 400, "invalid_uid", ""},
		{"GET", "/v1/poll?uid=%0a", "", "", 400, "invalid_uid", ""},
		{"GET", "/v1/poll?uid=%zz", "", "", 400, "invalid_query", ""},
		{"GET", "/v1/poll?uid=u" + attrs(33), "", "", 400, "too_many_attributes", ""},
		{"GET", "/v1/poll?uid=u&rid=short", "", "", 400, "invalid_rid", ""},
		{"GET", "/v1/poll?uid=u&prior_uid=u", "", "", 400, "invalid_prior_uid", ""},
		{"GET", "/v1/poll?uid=u&prior_uid=%0a", "", "", 400, "invalid_prior_uid", ""},
		{"HEAD", "/v1/poll?uid=u", "", "", 405, "", "GET, POST, OPTIONS"},
		{"PUT", "/v1/poll?uid=u", "", "", 405, "method_not_allowed", "GET, POST, OPTIONS"},
		{"PROPFIND", "/v1/poll?uid=u", "", "", 405, "method_not_allowed", "GET, POST, OPTIONS"},
		{"GET", "/v1/actions", "", "", 405, "method_not_allowed", "POST, OPTIONS"},
		{"HEAD", "/v1/actions", "", "", 405, "", "POST, OPTIONS"},
		{"DELETE", "/v1/actions", "", "", 405, "method_not_allowed", "POST, OPTIONS"},
		{"GET", "/", "", "", 404, "not_found", ""},
		{"GET", "/v1", "", "", 404, "not_found", ""},
		{"GET", "/v1/poll/", "", "", 404, "not_found", ""},
		{"GET", "/V1/poll?uid=u", "", "", 404, "not_found", ""},
		{"GET", "/v1%2fpoll?uid=u", "", "", 404, "not_found", ""},
		{"GET", "/v1/../v1/poll?uid=u", "", "", 404, "not_found", ""},
		{"OPTIONS", "/nothing", "", "", 404, "not_found", ""},
		{"POST", "/v1/actions", "application/json", "", 400, "malformed_json", ""},
		{"POST", "/v1/actions", "application/json", "{", 400, "malformed_json", ""},
		{"POST", "/v1/actions", "application/json", good + good, 400, "malformed_json", ""},
		{"POST", "/v1/actions", "application/json", "[" + good + "}", 400, "malformed_json", ""},
		{"POST", "/v1/actions", "application/json", "{}", 400, "malformed_action", ""},
		{"POST", "/v1/actions", "application/json", `{"token":"x","token":"y","action":"click"}`, 400, "malformed_action", ""},
		{"POST", "/v1/actions", "application/json", act(shown.Token, "impression"), 400, "unknown_action", ""},
		{"POST", "/v1/actions", "application/json", act("x", "smile"), 400, "unknown_action", ""},
		{"POST", "/v1/actions", "application/json", act("", "click"), 401, "invalid_token", ""},
		{"POST", "/v1/actions", "text/plain", act(shown.Token+"A", "click"), 401, "invalid_token", ""},
		{"POST", "/v1/actions", "application/json", "[" + strings.Repeat(good+",", 50) + good + "]", 400, "too_many_actions", ""},
		{"POST", "/v1/actions", "application/xml", good, 415, "unsupported_media_type", ""},
		{"POST", "/v1/actions", "multipart/form-data; boundary=x", good, 415, "unsupported_media_type", ""},
		{"POST", "/v1/actions", "application/x-www-form-urlencoded", "a=b", 400, "malformed_action", ""},
	} {
		name := fmt.Sprintf("%s %.40s %.40s", c.method, c.target, c.body)
		var header []string
		if c.contentType != "" {
			header = []string{"Content-Type", c.contentType}
		}
		r := f.do(c.method, c.target, c.body, header...)
		if r.status != c.status || r.code() != c.code {
			t.Errorf("%s: %d %s, want %d %s", name, r.status, r.body, c.status, c.code)
		}
		wantHeader(t, r, map[string]string{
			"Content-Type": "application/problem+json", "Cache-Control": "private, no-cache", "Access-Control-Allow-Origin": "*", "Allow": c.allow,
			"Access-Control-Expose-Headers": "Popup-Next-Poll, Popup-Triggers, Retry-After",
		})
		if strings.HasPrefix(c.target, "/v1/poll") && c.status != http.StatusNotFound {
			wantNextPoll(t, r)
		}
	}
	f.journaled("u impression 1")
	f.counts(9, "popupd_decisions_total", "outcome", "invalid")
	f.counts(7, "popupd_http_errors_total", "code", "not_found")
}

// Every problem is a document of RFC 9457 with a code of its own.
func TestProblemDocuments(t *testing.T) {
	codes := make(map[string]bool)
	for p := noProblem + 1; p < numProblems; p++ {
		r := reply{status: problems[p].status, body: string(p.body())}
		if r.code() != p.code() || p.code() == "" || codes[p.code()] {
			t.Errorf("problem %d: %s", p, r.body)
		}
		if !strings.Contains(r.body, `"title":"`+http.StatusText(r.status)+`"`) {
			t.Errorf("%s: title is not that of %d", r.body, r.status)
		}
		if (p.retryAfter() != "") != (r.status == http.StatusServiceUnavailable || r.status == http.StatusTooManyRequests) {
			t.Errorf("%s: Retry-After %q", p.code(), p.retryAfter())
		}
		codes[p.code()] = true
	}
}

func TestNotReady(t *testing.T) {
	ready := false
	f := newServer(t, func(c *Config) { c.Ready = func() bool { return ready } }, "").start()
	for _, r := range []reply{f.do("GET", "/v1/poll?uid=u", ""), f.act("click", "x")} {
		if r.status != http.StatusServiceUnavailable || r.code() != "not_ready" || r.header.Get("Retry-After") == "" {
			t.Errorf("not ready: %+v", r)
		}
	}
	f.counts(1, "popupd_decisions_total", "outcome", "shed")
	ready = true
	f.sees("u", "p1")
}

func TestActions(t *testing.T) {
	for _, contentType := range []string{"application/json", "text/plain", "Application/JSON; charset=utf-8", "text/plain;charset=UTF-8"} {
		f := newServer(t, nil, "").start()
		body := fmt.Sprintf(`{"action":"click","token":%q,"more":[{}]}`, f.sees("u", "p1").Token)
		r := f.do("POST", "/v1/actions?uid=u", body, "Content-Type", contentType)
		if r.status != http.StatusAccepted || r.body != acceptedOne {
			t.Errorf("%s: %d %s", contentType, r.status, r.body)
		}
		wantHeader(t, r, map[string]string{
			"Content-Type": "application/json", "Content-Length": fmt.Sprint(len(acceptedOne)), "Cache-Control": "private, no-cache", "Access-Control-Allow-Origin": "*",
		})
		f.journaled("u impression 1", "u click 1")
	}
}

// A body says itself what it is: UTF-8, with or without a byte order mark, as it is.
func TestBodyEncoding(t *testing.T) {
	f := newServer(t, nil, "").start()
	body := fmt.Sprintf(`{"token":%q,"action":"click"}`, f.sees("u", "p1").Token)
	for _, encoding := range []string{"gzip", "br", "identity, gzip", "x", ""} {
		r := f.do("POST", "/v1/actions", body, "Content-Encoding", encoding)
		if r.status != http.StatusUnsupportedMediaType || r.code() != "unsupported_content_encoding" || r.header.Get("Accept-Encoding") != "identity" {
			t.Errorf("Content-Encoding %q: %d %s", encoding, r.status, r.body)
		}
	}
	f.journaled("u impression 1")
	for _, sent := range []string{body, "\ufeff" + body, "\ufeff[" + body + "]", "\ufeff  " + body} {
		if r := f.do("POST", "/v1/actions", sent, "Content-Type", "text/plain", "Content-Encoding", "Identity"); r.status != http.StatusAccepted || r.body != acceptedOne {
			t.Errorf("%q: %d %s", sent, r.status, r.body)
		}
	}
	for _, sent := range []string{"\ufeff", "\ufeff\ufeff" + body, body + "\ufeff", "\xff\xfe" + body} {
		if r := f.do("POST", "/v1/actions", sent); r.status != http.StatusBadRequest || r.code() != "malformed_json" {
			t.Errorf("%q: %d %s", sent, r.status, r.body)
		}
	}
}

func TestActionArray(t *testing.T) {
	f := newServer(t, nil, "", "").start()
	u1, u2, v1 := f.sees("u", "p1"), f.sees("u", "p2"), f.sees("v", "p1")
	f.events.take()
	forged := u1.Token[:len(u1.Token)-2] + "AA"
	body := fmt.Sprintf(`[{"token":%q,"action":"click"},{"token":%q,"action":"dismiss"},{"token":%q,"action":"click"},7,
		{"token":%q,"action":"smile"},{"token":%q,"action":"click"},{"token":%q,"action":"convert"}]`,
		u1.Token, u2.Token, forged, u1.Token, u1.Token, v1.Token)
	r := f.do("POST", "/v1/actions", body, "Content-Type", "text/plain")
	const want = `{"accepted":4,"rejected":[{"index":2,"code":"invalid_token"},{"index":3,"code":"malformed_action"},{"index":4,"code":"unknown_action"}]}`
	if r.status != http.StatusAccepted || r.body != want {
		t.Errorf("%d %s\nwant 202 %s", r.status, r.body, want)
	}
	wantHeader(t, r, map[string]string{"Content-Type": "application/json", "Cache-Control": "private, no-cache"})
	events, appends := f.events.take()
	if len(events) != 4 || appends != 1 {
		t.Errorf("%d events in %d appends, want 4 in 1", len(events), appends)
	}
	for result, n := range map[string]float64{"counted": 1, "repeated": 1, "forged": 1} {
		f.counts(n, "popupd_actions_total", "action", "click", "result", result)
	}
	f.counts(2, "popupd_actions_total", "action", "unknown", "result", "malformed")

	r = f.do("POST", "/v1/actions", "[]", "Content-Type", "application/json")
	if r.status != http.StatusAccepted || r.body != `{"accepted":0,"rejected":[]}` {
		t.Errorf("empty array: %d %s", r.status, r.body)
	}
	f.journaled()
}

// The longest array fits in one request, each action of another user.
func TestFiftyActions(t *testing.T) {
	f := newServer(t, nil, "").start()
	var items []string
	for i := range maxActions {
		user := fmt.Sprintf("%0128d", i)
		items = append(items, fmt.Sprintf(`{"token":%q,"action":"click"}`, f.sees(user, "p1").Token))
	}
	f.events.take()
	r := f.do("POST", "/v1/actions", "["+strings.Join(items, ",")+"]", "Content-Type", "application/json")
	if r.status != http.StatusAccepted || r.body != `{"accepted":50,"rejected":[]}` {
		t.Fatalf("%d %s", r.status, r.body)
	}
	events, appends := f.events.take()
	if len(events) != maxActions || appends != 1 {
		t.Fatalf("%d events in %d appends", len(events), appends)
	}
	for i, e := range events {
		if want := fmt.Sprintf("%0128d", i); string(e.User) != want {
			t.Errorf("event %d is of user %s", i, e.User)
		}
	}
}

func sign(secret, uid string) string {
	m := hmac.New(sha256.New, []byte(secret))
	m.Write([]byte(uid))
	return hex.EncodeToString(m.Sum(nil))
}

func TestIdentity(t *testing.T) {
	good, bad, another := "&sig="+sign("id secret", "u"), "&sig="+sign("another", "u"), "&sig="+sign("id secret", "v")
	for _, c := range []struct {
		mode   Identity
		query  string
		status int
		counts string
	}{
		{IdentityOff, "", 200, ""}, {"", bad, 200, ""},
		{IdentityMonitor, "", 200, "missing"}, {IdentityMonitor, bad, 200, "wrong"}, {IdentityMonitor, good, 200, "valid"},
		{IdentityEnforce, "", 401, "missing"}, {IdentityEnforce, bad, 401, "wrong"}, {IdentityEnforce, "&sig=zz", 401, "wrong"},
		{IdentityMonitor, another, 200, "wrong"}, {IdentityEnforce, another, 401, "wrong"},
		{IdentityEnforce, good, 200, "valid"},
		{IdentityEnforce, "&sig=" + strings.ToUpper(good[5:]), 200, "valid"},
		{IdentityEnforce, bad + good, 401, "wrong"}, // the first of them counts
		{IdentityEnforce, "&sig=" + sign("older", "u"), 200, "valid"},
	} {
		f := newServer(t, func(cfg *Config) {
			cfg.Identity, cfg.IdentitySecrets = c.mode, [][]byte{[]byte("id secret"), []byte("older")}
		}, "").start()
		r := f.do("GET", "/v1/poll?uid=u"+c.query, "")
		if r.status != c.status || c.status == 401 && r.code() != "invalid_signature" {
			t.Errorf("%s%s: %d %s, want %d", c.mode, c.query, r.status, r.body, c.status)
		}
		if c.counts != "" {
			f.counts(1, "popupd_identity_total", "signature", c.counts)
		}
		if c.status == 401 {
			f.counts(1, "popupd_decisions_total", "outcome", "unauthorized")
		}
	}
}

// Any bytes in the content are a valid JSON answer, since the spec was JSON.
func TestTokenOfAnyUser(t *testing.T) {
	f := newServer(t, nil, "").start()
	i := 0
	err := quick.Check(func(raw string) bool {
		i++
		user := fmt.Sprintf("%d", i) + strings.Map(func(r rune) rune {
			if r < 0xa0 && (r < ' ' || r >= 0x7f) || r == 0xfffd {
				return -1
			}
			return r
		}, raw)
		if len(user) > 128 {
			return true
		}
		var escaped strings.Builder
		for _, b := range []byte(user) {
			fmt.Fprintf(&escaped, "%%%02x", b)
		}
		f.does("click", f.sees(escaped.String(), "p1").Token)
		return string(f.events.events[len(f.events.events)-1].User) == user
	}, nil)
	if err != nil {
		t.Error(err)
	}
}

func TestNewErrors(t *testing.T) {
	base := newServer(t, nil)
	for name, change := range map[string]func(*Config){
		"no snapshots":       func(c *Config) { c.Snapshots = nil },
		"no users":           func(c *Config) { c.Users = nil },
		"no journal":         func(c *Config) { c.Journal = nil },
		"no secret":          func(c *Config) { c.Secrets = nil },
		"empty secret":       func(c *Config) { c.Secrets = [][]byte{nil} },
		"origin with a path": func(c *Config) { c.AllowOrigins = []string{"https://a.example/"} },
		"origin without one": func(c *Config) { c.AllowOrigins = []string{"a.example"} },
		"unknown identity":   func(c *Config) { c.Identity = "maybe" },
		"identity unkeyed":   func(c *Config) { c.Identity = IdentityEnforce },
		"identity key empty": func(c *Config) { c.Identity, c.IdentitySecrets = IdentityMonitor, [][]byte{[]byte("x"), nil} },
		"negative rate":      func(c *Config) { c.NewIDsPerClient = -1 },
		"negative actions":   func(c *Config) { c.ActionsPerClient = -1 },
		"metrics twice":      func(c *Config) { c.Registerer = base.registry },
	} {
		c := base.config
		c.Registerer = prometheus.NewRegistry()
		change(&c)
		if _, err := New(c); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestNewDefaults(t *testing.T) {
	c := newServer(t, nil).config
	c.Ready, c.Now, c.Log, c.Registerer = nil, nil, nil, nil
	before := time.Now().UnixMilli()
	s, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	if now := s.now(); now < before || now > time.Now().UnixMilli() {
		t.Errorf("now = %d, want the system's clock", now)
	}
	ctx := newContext(t, get("/v1/poll?uid=u")(nil, 0))
	s.handle(ctx)
	if got := ctx.Response.StatusCode(); got != http.StatusNoContent {
		t.Errorf("poll: %d, want 204", got)
	}
}

// The routes are those that the API's description has.
func TestRoutesAreDocumented(t *testing.T) {
	api, err := checker()
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	f := newServer(t, nil)
	files := f.origins.newFiles()
	for method, paths := range f.router.List() {
		for _, path := range paths {
			if method != router.MethodWild && files[path] == nil {
				got = append(got, method+" "+path)
			}
		}
	}
	slices.Sort(got)
	want := api.Operations(func(tag string) bool { return tag == "data" })
	if !slices.Equal(got, want) {
		t.Errorf("routes  %q\ndocuments %q", got, want)
	}
}

func TestMetricNames(t *testing.T) {
	f := newServer(t, nil)
	problems, err := testutil.GatherAndLint(f.registry)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
}
