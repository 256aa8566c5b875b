package console_test

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/popupd/popupd/console"
	"github.com/popupd/popupd/popup"
)

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
