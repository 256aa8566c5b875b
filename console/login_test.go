package console_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/popupd/popupd/console"
	"github.com/popupd/popupd/internal/apitest"
	"github.com/popupd/popupd/popup"
)

// members are the sessions of a plane.
type members struct {
	mu     sync.Mutex
	now    func() int64
	list   map[string]popup.ConsoleSession // by id
	down   error                           // of every change
	find   error                           // Find's answer
	used   []string
	change []string // actor, action and what of each change
}

func (m *members) Find(_ context.Context, id string) (popup.ConsoleSession, bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	s, ok := m.list[id]
	return s, ok && m.find == nil, m.find
}

func (m *members) Used(id string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.used = append(m.used, id)
}

func (m *members) Open(_ context.Context, c popup.Change, s popup.ConsoleSession, replaces string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.down == nil {
		m.endLocked(func(old popup.ConsoleSession) bool { return old.ID == replaces })
		m.list[s.ID] = s
		m.change = append(m.change, c.Actor+" "+c.Action+" "+string(s.Role))
	}
	return m.down
}

func (m *members) End(_ context.Context, c popup.Change, id string) error {
	return m.end(c, func(s popup.ConsoleSession) bool { return s.ID == id })
}

func (m *members) EndAll(_ context.Context, c popup.Change, name string) error {
	return m.end(c, func(s popup.ConsoleSession) bool { return s.Name == name })
}

func (m *members) Refused(_ context.Context, c popup.Change, why string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.change = append(m.change, c.Actor+" "+c.Action+" "+why)
	return m.down
}

func (m *members) end(c popup.Change, which func(popup.ConsoleSession) bool) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.down == nil {
		m.endLocked(which)
		m.change = append(m.change, c.Actor+" "+c.Action)
	}
	return m.down
}

func (m *members) endLocked(which func(popup.ConsoleSession) bool) {
	for id, s := range m.list {
		if which(s) {
			s.EndsMS = m.now()
			m.list[id] = s
		}
	}
}

// logInPage is what the page to log in at would show.
type logInPage struct{}

func (logInPage) LogIn(w http.ResponseWriter, _ *http.Request, l console.LogIn) error {
	w.WriteHeader(l.Status())
	code := ""
	if l.Problem != nil {
		code = l.Problem.Code
	}
	_, err := fmt.Fprintf(w, "page next=%s problem=%s oidc=%s", l.Next, code, l.OIDC)
	return err
}

func (logInPage) Problem(w http.ResponseWriter, _ *http.Request, p *console.Problem) error {
	if p.Code == "undrawn" {
		return errors.New("no template")
	}
	w.WriteHeader(p.Status)
	_, err := fmt.Fprint(w, "problem ", p.Code)
	return err
}

// A browser that wants a page and can't have it is told so by a page; what asks for the API is
// told as everywhere.
func TestProblemPages(t *testing.T) {
	p := newPlane(t)
	c := p.config
	c.Registerer = nil
	fails := func(err error) console.Endpoint {
		return func(http.ResponseWriter, *http.Request) error { return err }
	}
	c.Routes = append(c.Routes,
		console.Route{Method: "GET", Path: "/a", Endpoint: fails(console.Unavailable("store_unavailable", "x", errors.New("down")))},
		console.Route{Method: "GET", Path: "/b", Endpoint: fails(console.NewProblem(409, "undrawn", "x"))},
		console.Route{Method: "GET", Path: "/c", Role: popup.RoleAdmin, Endpoint: fails(nil)})
	server, err := console.New(c)
	if err != nil {
		t.Fatal(err)
	}
	p.server = server
	b := p.browser()
	b.logIn(p.tokens.add("ci", popup.RoleViewer))
	for _, c := range []struct {
		path   string
		status int
		want   string // empty: the problem itself
	}{
		{"/nothing", 404, "problem not_found"}, {"/a", 503, "problem store_unavailable"}, {"/b", 409, ""}, {"/c", 403, "problem role_required"}, {"/v1/nothing", 404, ""},
	} {
		a, _ := b.send("GET", c.path, "", asPage...)
		if a.Status != c.status || (string(a.Body) != c.want && c.want != "") || c.want == "" && a.Code() == "" || (c.status == 503) != (a.Header.Get("Retry-After") != "") {
			t.Errorf("%s: %d %s, want %d %s", c.path, a.Status, a.Body, c.status, c.want)
		}
		if a, _ := b.send("GET", c.path, ""); a.Status != c.status || a.Code() == "" {
			t.Errorf("%s as no page: %d %s", c.path, a.Status, a.Body)
		}
	}
	p.members.find = errors.New("no database")
	if a, _ := b.send("GET", "/c", "", asPage...); a.Status != 503 || string(a.Body) != "problem sessions_unavailable" {
		t.Errorf("without a database: %d %s", a.Status, a.Body)
	}
	if n := strings.Count(p.Logged(), "no template"); n != 1 {
		t.Errorf("a page that can't be drawn is logged %d times, want once", n)
	}
}

// browser sends requests as a browser does, and keeps the cookie.
type browser struct {
	*plane
	cookie  string
	address string
	header  http.Header // of every request
}

func (p *plane) browser() *browser {
	return &browser{plane: p, address: "198.51.100.7:1000", header: http.Header{"Sec-Fetch-Site": {"same-origin"}, "Accept": {"*/*"}}}
}

// send sends a request; headers are pairs, of which an empty value removes one.
func (b *browser) send(method, path, body string, headers ...string) (apitest.Answer, *http.Cookie) {
	b.t.Helper()
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.RemoteAddr, r.Header = b.address, b.header.Clone()
	if b.cookie != "" {
		r.Header.Set("Cookie", "popupd_session="+b.cookie)
	}
	if body != "" {
		r.Header.Set("Content-Type", map[bool]string{true: "application/json", false: "application/x-www-form-urlencoded"}[strings.HasPrefix(body, "{")])
	}
	for i := 0; i < len(headers); i += 2 {
		if r.Header.Del(headers[i]); headers[i+1] != "" {
			r.Header.Set(headers[i], headers[i+1])
		}
	}
	w := httptest.NewRecorder()
	b.server.ServeHTTP(w, r)
	var given *http.Cookie
	for _, c := range w.Result().Cookies() {
		if c.Name == "popupd_session" {
			if b.cookie = c.Value; c.MaxAge < 0 {
				b.cookie = ""
			}
			given = c
		}
	}
	return apitest.Answer{Status: w.Code, Header: w.Header(), Body: w.Body.Bytes()}, given
}

// want fails the test unless a request is answered with a status and, for a problem, its code.
func (b *browser) want(status int, code, method, path string, headers ...string) apitest.Answer {
	b.t.Helper()
	a, _ := b.send(method, path, "", headers...)
	if a.Status != status || a.Code() != code {
		b.t.Errorf("%s %s: %d %q, want %d %q\n%s", method, path, a.Status, a.Code(), status, code, a.Body)
	}
	return a
}

// logIn logs in with a token, as the dialog of a page does, and returns the cookie.
func (b *browser) logIn(token string) *http.Cookie {
	b.t.Helper()
	a, c := b.send("POST", "/login", `{"token":"`+token+`"}`)
	if a.Status != http.StatusNoContent || c == nil || c.Value == "" {
		b.t.Fatalf("log-in: %d %s, cookie %v", a.Status, a.Body, c)
	}
	return c
}

var asPage = []string{"Accept", "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8", "Sec-Fetch-Mode", "navigate"}

// The cookie of a session is for this origin, no script and no other site, and lasts as long as
// the session may, which is no longer than the token lives.
func TestLogInGivesACookie(t *testing.T) {
	p := newPlane(t)
	ci := p.tokens.add("ci", popup.RolePublisher) // for an hour
	c := p.browser().logIn(token)
	if c.Path != "/" || c.Domain != "" || !c.HttpOnly || c.SameSite != http.SameSiteStrictMode || c.Secure || c.MaxAge != 12*60*60 {
		t.Errorf("cookie %s", c.Raw)
	}
	for header, secure := range map[string]bool{"https": true, "HTTPS, http": true, "http": false, "http, https": false} {
		b := p.browser()
		b.header.Set("X-Forwarded-Proto", header)
		if c := b.logIn(ci); c.Secure != secure || c.MaxAge != 60*60 {
			t.Errorf("by %s: cookie %s", header, c.Raw)
		}
	}
	if want := []string{"admin log_in admin", "ci log_in publisher"}; !slices.Equal(p.members.change[:2], want) {
		t.Errorf("audit %q, want %q", p.members.change, want)
	}
	if len(p.members.list) != 5 {
		t.Errorf("%d sessions, want 5", len(p.members.list))
	}
	if text := p.Logged(); strings.Contains(text, c.Value[17:]) || strings.Contains(text, token) || !strings.Contains(text, "logged in") {
		t.Errorf("logged:\n%s", text)
	}
}

// What is presented to log in counts as it would as a bearer token, and says so as a page to who
// came from one.
func TestLogInRefused(t *testing.T) {
	p := newPlane(t)
	ci := p.tokens.add("ci", popup.RoleViewer)
	b := p.browser()
	for _, c := range []struct {
		name, body string
		status     int
		code       string
	}{
		{"wrong", `{"token":"guess"}`, 401, "unauthorized"},
		{"another secret", `{"token":"` + wrong(ci) + `"}`, 401, "unauthorized"},
		{"empty", `{"token":" "}`, 422, "invalid"},
		{"none", `{}`, 422, "invalid"},
		{"no JSON", `{"token"`, 400, "malformed"},
		{"no form", "token=%zz", 400, "malformed"},
		{"large", `{"token":"` + strings.Repeat("x", 9000) + `"}`, 413, "too_large"},
		{"wrong in a form", "token=guess", 401, "unauthorized"},
	} {
		a, cookie := b.send("POST", "/login", c.body)
		if a.Status != c.status || a.Code() != c.code || cookie != nil {
			t.Errorf("%s: %d %q, cookie %v; want %d %q", c.name, a.Status, a.Code(), cookie, c.status, c.code)
		}
		if c.name == "large" || !strings.HasPrefix(c.body, "token=") {
			continue
		}
		a, _ = b.send("POST", "/login", c.body+"&next=/users", asPage...)
		next := map[bool]string{true: "/users", false: "/popups"}[c.code != "malformed"]
		if want := "page next=" + next + " problem=" + c.code + " oidc="; a.Status != c.status || string(a.Body) != want {
			t.Errorf("%s as a page: %d %s, want %s", c.name, a.Status, a.Body, want)
		}
	}
	if a, _ := b.send("POST", "/login", "token="+token, "Content-Type", "text/plain"); a.Status != 415 {
		t.Errorf("as text/plain: %d, want 415", a.Status)
	}
	p.Advance(2 * time.Hour)
	if a, _ := b.send("POST", "/login", `{"token":"`+ci+`"}`); a.Code() != "token_expired" {
		t.Errorf("expired: %d %q", a.Status, a.Code())
	}
	for i := range 12 {
		a, _ := b.send("POST", "/login", `{"token":"guess"}`)
		if want := map[bool]int{true: 429, false: 401}[i >= 9]; a.Status != want {
			t.Fatalf("guess %d: %d, want %d", i+1, a.Status, want)
		}
	}
	if a, cookie := b.send("POST", "/login", "token="+token, asPage...); a.Status != 429 || cookie != nil || a.Header.Get("Retry-After") != "300" || !strings.Contains(string(a.Body), "problem=locked_out") {
		t.Errorf("the right one after ten guesses: %d %s", a.Status, a.Body)
	}
	if len(p.members.list) != 0 {
		t.Errorf("sessions %v", p.members.list)
	}
}

// A session may what its token may, until the token or the session ends.
func TestSessionFollowsItsToken(t *testing.T) {
	p := newPlane(t)
	ci := p.tokens.add("ci", popup.RoleViewer)
	b := p.browser()
	b.want(401, "unauthorized", "GET", popupsPath)
	b.logIn(ci)
	b.want(200, "", "GET", popupsPath)
	b.want(403, "role_required", "POST", reloadPath)
	if n := len(p.tokens.used); n != 3 || len(p.members.used) != 2 {
		t.Errorf("uses of the token %d, of the session %v", n, p.members.used)
	}
	p.tokens.list[0].Role = popup.RolePublisher
	b.want(200, "", "POST", reloadPath)
	if got := p.callers[0]; got.Token != "ci" || got.Actor() != "ci" || got.Role != popup.RolePublisher || got.Session != p.members.used[0] {
		t.Errorf("the caller is %+v", got)
	}

	p.tokens.err = errors.New("no database")
	b.want(503, "tokens_unavailable", "GET", popupsPath)
	p.tokens.err = nil
	list := p.tokens.list
	p.tokens.list = nil
	b.want(401, "session_ended", "GET", popupsPath)
	p.tokens.list = list
	b.want(200, "", "GET", popupsPath)
	list[0].ExpiresAt = apitest.Noon // somebody has changed it in the database
	b.want(401, "session_ended", "GET", popupsPath)
	list[0].ExpiresAt = apitest.Noon.Add(time.Hour)
	b.want(200, "", "GET", popupsPath)
	p.Advance(time.Hour)
	b.want(401, "session_ended", "GET", popupsPath)
}

// A session ends after two hours without a request that somebody has asked for, and after
// twelve at the latest.
func TestSessionEnds(t *testing.T) {
	p := newPlane(t)
	b := p.browser()
	b.logIn(token)
	p.Advance(2*time.Hour - time.Millisecond)
	b.want(200, "", "GET", popupsPath, "Popupd-Background", "1")
	b.want(200, "", "GET", popupsPath, "Accept", "text/event-stream")
	if len(p.members.used) != 0 {
		t.Errorf("what runs in the background counts: %v", p.members.used)
	}
	p.Advance(time.Millisecond)
	b.want(401, "session_ended", "GET", popupsPath)

	b = p.browser()
	b.logIn(token)
	b.want(200, "", "GET", popupsPath)
	if len(p.members.used) != 1 {
		t.Errorf("uses %v, want one", p.members.used)
	}
	for id, s := range p.members.list {
		s.SeenMS = s.EndsMS - 1
		p.members.list[id] = s
	}
	p.Advance(12*time.Hour - time.Millisecond)
	b.want(200, "", "GET", popupsPath)
	p.Advance(time.Millisecond)
	b.want(401, "session_ended", "GET", popupsPath)
}

// Sessions of -admin-token end with it: another one is another token.
func TestSessionsOfTheAdminToken(t *testing.T) {
	p := newPlane(t)
	b := p.browser()
	b.logIn(token)
	b.want(200, "", "POST", reloadPath)
	if got := p.callers[0]; got.Token != "" || got.Actor() != "admin" || got.Role != popup.RoleAdmin || got.Session == "" {
		t.Errorf("the caller is %+v", got)
	}
	c := p.config
	c.Registerer, c.Token = nil, "another-token"
	server, err := console.New(c)
	if err != nil {
		t.Fatal(err)
	}
	p.server = server
	b.want(401, "session_ended", "GET", popupsPath)
}

// What was a cookie of ours once is no guess; what never was is, and counts for itself alone.
func TestCookiesAreGuessed(t *testing.T) {
	p := newPlane(t)
	old, b := p.browser(), p.browser()
	old.logIn(token)
	stale := old.cookie
	old.want(204, "", "POST", "/logout")
	b.logIn(token)
	good := b.cookie
	for range 20 {
		b.cookie = stale
		b.want(401, "session_ended", "GET", popupsPath)
	}
	for i := range 12 { // of one id
		b.cookie = wrong(good)
		b.want(map[bool]int{false: 401, true: 429}[i >= 9], map[bool]string{false: "unauthorized", true: "locked_out"}[i >= 9], "GET", popupsPath)
	}
	b.cookie = good
	b.want(429, "locked_out", "GET", popupsPath)
	b.address = "198.51.100.8:1"
	b.want(200, "", "GET", popupsPath)
	for i := range 12 { // made up
		b.cookie, _ = popup.NewSessionSecret()
		if i%2 == 0 {
			b.cookie = "x"
		}
		b.want(map[bool]int{false: 401, true: 429}[i >= 9], map[bool]string{false: "unauthorized", true: "locked_out"}[i >= 9], "GET", popupsPath)
	}
	b.want(429, "locked_out", "POST", "/logout") // else it would tell
	b.want(200, "", "GET", "/login", asPage...)
	b.cookie = good
	b.want(200, "", "GET", popupsPath)
	b.logIn(token)
	for _, want := range []string{`token="session unknown"`, `token="session of admin"`} {
		if !strings.Contains(p.Logged(), want) {
			t.Errorf("the log lacks %s:\n%s", want, p.Logged())
		}
	}
	if strings.Contains(p.Logged(), good[17:]) {
		t.Errorf("a cookie is logged:\n%s", p.Logged())
	}
}

// Of several cookies none is taken, since a neighbouring host may have planted one. A header
// goes before them, unless a proxy has asked for it.
func TestSeveralCookies(t *testing.T) {
	p := newPlane(t)
	mine, other := p.browser(), p.browser()
	mine.logIn(token)
	other.logIn(p.tokens.add("eve", popup.RoleViewer))
	b := p.browser()
	for _, c := range []struct {
		name   string
		header []string
		status int
		code   string
	}{
		{"one", []string{"Cookie", "a=b; popupd_session=" + mine.cookie + "; c=d"}, 200, ""},
		{"in quotes", []string{"Cookie", `popupd_session="` + mine.cookie + `"`}, 200, ""},
		{"the same twice", []string{"Cookie", "popupd_session=" + mine.cookie + "; popupd_session=" + mine.cookie}, 200, ""},
		{"two", []string{"Cookie", "popupd_session=" + mine.cookie + "; popupd_session=" + other.cookie}, 401, "several_sessions"},
		{"rubbish first", []string{"Cookie", "popupd_session=x; popupd_session=" + mine.cookie}, 401, "several_sessions"},
		{"another name", []string{"Cookie", "popupd_session2=" + mine.cookie}, 401, "unauthorized"},
		{"another case", []string{"Cookie", "POPUPD_SESSION=" + mine.cookie}, 401, "unauthorized"},
		{"empty", []string{"Cookie", "popupd_session="}, 401, "unauthorized"},
		{"empty, and one", []string{"Cookie", "popupd_session=; popupd_session=" + mine.cookie}, 200, ""},
		{"beside a bearer token", []string{"Cookie", "popupd_session=x", "Authorization", "Bearer " + token}, 200, ""},
		{"beside a wrong one", []string{"Cookie", "popupd_session=" + mine.cookie, "Authorization", "Bearer x"}, 401, "unauthorized"},
		{"beside a proxy's password", []string{"Cookie", "popupd_session=" + mine.cookie, "Authorization", "Basic eDp5"}, 200, ""},
	} {
		if a, _ := b.send("GET", popupsPath, "", c.header...); a.Status != c.status || a.Code() != c.code {
			t.Errorf("%s: %d %q, want %d %q", c.name, a.Status, a.Code(), c.status, c.code)
		}
	}
}

// A cookie counts where a page of this origin has sent the request. A browser that does not say
// makes no change; a link that was followed may show a page.
func TestCookieOfAnotherOrigin(t *testing.T) {
	p := newPlane(t)
	b := p.browser()
	b.logIn(token)
	for _, c := range []struct {
		name          string
		headers       []string
		reads, writes bool
	}{
		{"a page of ours", []string{"Sec-Fetch-Site", "same-origin"}, true, true},
		{"an older browser, or plain HTTP", []string{"Sec-Fetch-Site", "", "Origin", "http://example.com"}, true, true},
		{"the same behind TLS", []string{"Sec-Fetch-Site", "", "Origin", "https://example.com"}, true, true},
		{"no browser", []string{"Sec-Fetch-Site", ""}, true, false},
		{"a hidden origin", []string{"Sec-Fetch-Site", "", "Origin", "null"}, false, false},
		{"typed in", []string{"Sec-Fetch-Site", "none", "Sec-Fetch-Mode", "navigate"}, true, false},
		{"another port", []string{"Sec-Fetch-Site", "same-site", "Sec-Fetch-Mode", "no-cors"}, false, false},
		{"another port, older browser", []string{"Sec-Fetch-Site", "", "Origin", "http://example.com:8080"}, false, false},
		{"another site", []string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "no-cors"}, false, false},
		{"a link of another site", []string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate"}, true, false},
		{"a form of another port", []string{"Sec-Fetch-Site", "same-site", "Sec-Fetch-Mode", "navigate"}, true, false},
	} {
		for _, op := range []struct {
			method, path string
			allowed      bool
			ok           int
		}{
			{"GET", popupsPath, c.reads, 200}, {"HEAD", popupsPath, c.reads, 200}, {"POST", reloadPath, c.writes, 200},
		} {
			a, _ := b.send(op.method, op.path, "", c.headers...)
			if want := map[bool]int{true: op.ok, false: 403}[op.allowed]; a.Status != want || op.method != "HEAD" && want == 403 && a.Code() != "cross_origin" {
				t.Errorf("%s: %s %s: %d %q, want %d", c.name, op.method, op.path, a.Status, a.Code(), want)
			}
		}
		if !c.writes {
			for _, path := range []string{"/logout", "/logout/everywhere"} {
				if a, cookie := b.send("POST", path, "", c.headers...); a.Status != 403 || cookie != nil {
					t.Errorf("%s: POST %s: %d, cookie %v; want 403", c.name, path, a.Status, cookie)
				}
			}
		}
	}
	// Nor does another site's page log somebody in.
	if a, cookie := p.browser().send("POST", "/login", "token="+token, "Sec-Fetch-Site", "cross-site", "Origin", "https://evil.example"); a.Status != 403 || cookie != nil {
		t.Errorf("log-in by another site: %d, cookie %v", a.Status, cookie)
	}
}

// Logging in gives a session that nobody knew before, and ends the one that the browser had.
func TestSessionIsNotFixed(t *testing.T) {
	p := newPlane(t)
	b := p.browser()
	b.cookie, _ = popup.NewSessionSecret()
	planted := b.cookie
	first := b.logIn(token).Value
	second := b.logIn(token).Value
	if first == planted || second == first {
		t.Errorf("cookies %s, %s, %s", planted, first, second)
	}
	b.cookie = first
	b.want(401, "session_ended", "GET", popupsPath)
	b.cookie = second
	b.want(200, "", "GET", popupsPath)
	// Who knows the id of another's session does not end it by logging in.
	eve := p.browser()
	eve.cookie = wrong(second)
	eve.logIn(p.tokens.add("eve", popup.RoleViewer))
	b.want(200, "", "GET", popupsPath)
}

func TestLogOut(t *testing.T) {
	p := newPlane(t)
	ci := p.tokens.add("ci", popup.RoleViewer)
	here, there, other := p.browser(), p.browser(), p.browser()
	login := func() {
		here.logIn(ci)
		there.logIn(ci)
		other.logIn(token)
	}
	login()
	for _, method := range []string{"GET", "HEAD"} { // changes nothing
		here.want(405, "method_not_allowed", method, "/logout")
		here.want(405, "method_not_allowed", method, "/logout/everywhere")
	}
	cookie := here.cookie
	a, given := here.send("POST", "/logout", "")
	if a.Status != 204 || given == nil || given.MaxAge != -1 || given.Path != "/" {
		t.Errorf("log-out: %d, cookie %v", a.Status, given)
	}
	here.cookie = cookie
	here.want(401, "session_ended", "GET", popupsPath)
	there.want(200, "", "GET", popupsPath)

	here.logIn(ci)
	a, _ = here.send("POST", "/logout/everywhere", "", asPage...)
	if a.Status != 303 || a.Header.Get("Location") != "/login" {
		t.Errorf("log-out everywhere: %d to %s", a.Status, a.Header.Get("Location"))
	}
	there.want(401, "session_ended", "GET", popupsPath)
	other.want(200, "", "GET", popupsPath)
	here.want(401, "unauthorized", "POST", "/logout/everywhere")
	a, _ = here.send("POST", "/logout", "", asPage...) // twice is no mistake
	if a.Status != 303 || a.Header.Get("Location") != "/login" {
		t.Errorf("log-out again: %d to %s", a.Status, a.Header.Get("Location"))
	}

	// A bearer token ends the sessions of its name, too.
	login()
	if a, _ := p.browser().send("POST", "/logout/everywhere", "", "Authorization", "Bearer "+token); a.Status != 204 {
		t.Errorf("by a bearer token: %d", a.Status)
	}
	other.want(401, "session_ended", "GET", popupsPath)
	there.want(200, "", "GET", popupsPath)
	if want := []string{"ci log_out", "ci log_in viewer", "ci log_out_everywhere"}; !slices.Equal(p.members.change[3:6], want) {
		t.Errorf("audit %q, want %q", p.members.change, want)
	}
}

// Without the database nobody can log in. Who logs out is told that the session goes on.
func TestSessionsUnavailable(t *testing.T) {
	p := newPlane(t)
	b := p.browser()
	b.logIn(token)
	cookie := b.cookie
	p.members.down = errors.New("no database")
	if a, c := b.send("POST", "/login", `{"token":"`+token+`"}`); a.Status != 503 || a.Code() != "sessions_unavailable" || c != nil || a.Header.Get("Retry-After") == "" {
		t.Errorf("log-in: %d %q, cookie %v", a.Status, a.Code(), c)
	}
	if a, c := b.send("POST", "/login", "token="+token, asPage...); a.Status != 503 || !strings.Contains(string(a.Body), "problem=sessions_unavailable") || c != nil || a.Header.Get("Retry-After") == "" {
		t.Errorf("log-in as a page: %d %s, cookie %v", a.Status, a.Body, c)
	}
	b.want(200, "", "GET", popupsPath)
	for _, path := range []string{"/logout", "/logout/everywhere"} {
		b.cookie = cookie
		b.want(503, "sessions_unavailable", "POST", path)
		if b.cookie != "" {
			t.Errorf("%s leaves the cookie", path)
		}
	}
	b.cookie, p.members.find = cookie, errors.New("no database")
	b.want(503, "sessions_unavailable", "GET", popupsPath)
	b.want(503, "sessions_unavailable", "POST", "/logout")
	if n := strings.Count(p.Logged(), "no database"); n != 4 {
		t.Errorf("%d failures are logged, want 4:\n%s", n, p.Logged())
	}
}

// A browser that wants a page is sent to log in, and from there on to the page alone.
func TestPagesSendToLogIn(t *testing.T) {
	p := newPlane(t)
	c := p.config
	c.Registerer = nil
	c.Routes = append(c.Routes, console.Route{Method: "GET", Path: "/users", Role: popup.RoleViewer, Endpoint: func(w http.ResponseWriter, r *http.Request) error {
		_, err := fmt.Fprint(w, "users of ", console.CallerOf(r).Actor())
		return err
	}})
	server, err := console.New(c)
	if err != nil {
		t.Fatal(err)
	}
	p.server = server
	b := p.browser()
	b.want(401, "unauthorized", "GET", "/users?uid=a")
	b.want(401, "unauthorized", "GET", popupsPath, asPage...)
	for _, method := range []string{"GET", "HEAD"} {
		a, _ := b.send(method, "/users?uid=a&x=%2F", "", asPage...)
		if want := "/login?next=%2Fusers%3Fuid%3Da%26x%3D%252F"; a.Status != 303 || a.Header.Get("Location") != want {
			t.Errorf("%s: %d to %q, want %q", method, a.Status, a.Header.Get("Location"), want)
		}
	}
	if a := b.want(200, "", "GET", "/login?next=%2Fusers%3Fuid%3Da", asPage...); string(a.Body) != "page next=/users?uid=a problem= oidc=" {
		t.Errorf("%s", a.Body)
	}
	a, _ := b.send("POST", "/login", "token="+token+"&next=%2Fusers%3Fuid%3Da", asPage...)
	if a.Status != 303 || a.Header.Get("Location") != "/users?uid=a" || a.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("logged in: %d to %q", a.Status, a.Header.Get("Location"))
	}
	if a := b.want(200, "", "GET", "/users?uid=a", asPage...); string(a.Body) != "users of admin" {
		t.Errorf("%s", a.Body)
	}
	if a, _ := b.send("GET", "/login?next=/users", "", asPage...); a.Status != 303 || a.Header.Get("Location") != "/users" {
		t.Errorf("logged in already: %d to %q", a.Status, a.Header.Get("Location"))
	}

	// A link of another site comes without the cookie: a page of ours leads to log in, with it.
	b.cookie = ""
	for _, site := range []string{"cross-site", ""} {
		a := b.want(200, "", "GET", `/users?uid="><script>`, append([]string{"Sec-Fetch-Site", site}, asPage...)...)
		if want := `content="0; url=/login?next=%2Fusers%3Fuid%3D%22%3E%3Cscript%3E"`; !strings.Contains(string(a.Body), want) || strings.Contains(string(a.Body), "<script") ||
			!strings.Contains(a.Header.Get("Content-Security-Policy"), "default-src 'none'") {
			t.Errorf("from %q: %s", site, a.Body)
		}
	}
}

// A browser whose cookie is none any more, or one of several, is not left without a way on.
func TestPagesOfStaleCookies(t *testing.T) {
	p := newPlane(t)
	c := p.config
	c.Registerer = nil
	c.Routes = append(c.Routes, console.Route{Method: "GET", Path: "/users", Role: popup.RoleViewer, Endpoint: func(http.ResponseWriter, *http.Request) error { return nil }})
	server, err := console.New(c)
	if err != nil {
		t.Fatal(err)
	}
	p.server = server
	b := p.browser()
	b.logIn(token)
	good := b.cookie
	b.cookie, _ = popup.NewSessionSecret()
	for i := range 12 { // after ten it is locked out
		a, _ := b.send("GET", "/users", "", asPage...)
		if a.Status != 303 || a.Header.Get("Location") != "/login?next=%2Fusers" || a.Header.Get("Retry-After")+a.Header.Get("WWW-Authenticate") != "" {
			t.Errorf("request %d: %d, %v", i, a.Status, a.Header)
		}
	}
	if a := b.want(200, "", "GET", "/login", asPage...); a.Header.Get("Retry-After")+a.Header.Get("WWW-Authenticate") != "" {
		t.Errorf("the page to log in at: %v", a.Header)
	}
	b.want(429, "locked_out", "GET", popupsPath)
	b.cookie = ""
	for _, path := range []string{"/users?uid=a", "/login?next=/users%3Fuid=a"} {
		a, _ := b.send("GET", path, "", append([]string{"Cookie", "popupd_session=x; popupd_session=" + good}, asPage...)...)
		if want := "page next=/users?uid=a problem=several_sessions oidc="; a.Status != 401 || string(a.Body) != want {
			t.Errorf("%s: %d %s, want %s", path, a.Status, a.Body, want)
		}
	}
}

// An answer that goes on and on can tell that its session has ended.
func TestStillAdmitted(t *testing.T) {
	p := newPlane(t)
	ended := make(chan bool, 2)
	c := p.config
	c.Registerer = nil
	b := p.browser()
	c.Routes = []console.Route{{Method: "GET", Path: "/live", Role: popup.RoleViewer, Endpoint: func(w http.ResponseWriter, r *http.Request) error {
		ended <- !console.StillAdmitted(r)
		p.Advance(3 * time.Hour)
		ended <- !console.StillAdmitted(r)
		return nil
	}}}
	server, err := console.New(c)
	if err != nil {
		t.Fatal(err)
	}
	p.server = server
	b.logIn(token)
	b.want(200, "", "GET", "/live")
	if before, after := <-ended, <-ended; before || !after {
		t.Errorf("ended before the end: %v, after it: %v", before, after)
	}
	if console.StillAdmitted(httptest.NewRequest("GET", "/", nil)) {
		t.Error("a request that nobody let in is let in")
	}
}
