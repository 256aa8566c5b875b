package console_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/popupd/popupd/console"
	"github.com/popupd/popupd/internal/apitest"
	"github.com/popupd/popupd/popup"
)

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
