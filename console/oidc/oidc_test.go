package oidc_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/oauth2-proxy/mockoidc"

	"github.com/popupd/popupd/console/oidc"
)

func TestLogInByOIDC(t *testing.T) {
	d := newDeployment(t)
	if status, _, _ := d.get(d.console.URL + "/login?next=/users"); status != 200 || d.pages[0].OIDC != "/login/oidc?next=%2Fusers" {
		t.Errorf("the page to log in at: %d %+v", status, d.pages)
	}
	callback := d.ask(person{"email": "ann@example.com", "email_verified": true, "roles": []string{"staff", "publisher", "viewer"}})
	status, _, body := d.get(callback)
	if status != 200 || !strings.Contains(body, `content="0; url=/users"`) {
		t.Fatalf("callback: %d %s", status, body)
	}
	if status, _, body := d.get(d.console.URL + "/users"); status != 200 || body != "oidc:ann@example.com publisher" {
		t.Errorf("logged in: %d %s", status, body)
	}
	here, _ := url.Parse(d.console.URL + "/login/oidc/callback")
	for _, c := range d.browser.Jar.Cookies(here) {
		if c.Name != "popupd_session" {
			t.Errorf("the cookie %s is left", c.Name)
		}
	}

	// The code is good once, and so is what the browser kept.
	session := d.browser
	d.newBrowser()
	d.refused("another browser comes back", callback, 400, "oidc_failed")
	d.browser = session

	// It ends with what it began with.
	was := d.config
	for _, change := range []func(){func() { d.config.ClientID += "x" }, func() { d.config.Issuer += "/x" }, func() { d.config.RoleClaim = "groups" }} {
		change()
		d.start()
		if status, _, _ := d.get(d.console.URL + "/users"); status != http.StatusSeeOther {
			t.Errorf("asked elsewhere, or for something else: %d", status)
		}
		d.config = was
	}
	d.start()
	if status, _, _ := d.get(d.console.URL + "/users"); status != 200 {
		t.Errorf("as before: %d", status)
	}
	r, _ := http.NewRequest("POST", d.console.URL+"/logout/everywhere", nil)
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	if status := d.send(r); status != 204 {
		t.Errorf("log-out: %d", status)
	}
	want := []string{"oidc:ann@example.com log_in session", "oidc:ann@example.com log_out_everywhere sessions"}
	if got := d.audit(); !slices.Equal(got, want) {
		t.Errorf("audit %q, want %q", got, want)
	}
}

// Who has no role is told so, and so is who cannot prove anything.
func TestOIDCRefused(t *testing.T) {
	d := newDeployment(t)
	good := func(extra person) person {
		p := person{"email": "ann@example.com", "roles": "viewer"}
		maps.Copy(p, extra)
		return p
	}
	with := func(callback, name, value string) string {
		u, err := url.Parse(callback)
		if err != nil {
			t.Fatal(err)
		}
		q := u.Query()
		if q.Set(name, value); value == "" {
			q.Del(name)
		}
		u.RawQuery = q.Encode()
		return u.String()
	}
	past := time.Now().Add(-time.Hour).Unix()
	for _, c := range []struct {
		name   string
		person person
		tamper func(callback string) string
		status int
		code   string
	}{
		{"another state", good(nil), func(c string) string { return with(c, "state", "x") }, 400, "oidc_failed"},
		{"no state", good(nil), func(c string) string { return with(c, "state", "") }, 400, "oidc_failed"},
		{"it takes too long", good(nil), func(c string) string { d.newBrowser(); return c }, 400, "oidc_failed"},
		{"the person says no", good(nil), func(c string) string { return with(with(c, "error", "access_denied"), "code", "") }, 403, "oidc_failed"},
		{"another issuer", good(nil), func(c string) string { return with(c, "iss", "https://evil.example") }, 401, "oidc_failed"},
		{"another code", good(nil), func(c string) string { return with(c, "code", "guess") }, 401, "oidc_failed"},
		{"another nonce", good(person{"nonce": "x"}), nil, 401, "oidc_failed"},
		{"no nonce", good(person{"nonce": ""}), nil, 401, "oidc_failed"},
		{"expired", good(person{"exp": past}), nil, 401, "oidc_failed"},
		{"for another client", good(person{"aud": "other"}), nil, 401, "oidc_failed"},
		{"made for another client", good(person{"azp": "other"}), nil, 401, "oidc_failed"},
		{"of another issuer", good(person{"iss": "https://evil.example"}), nil, 401, "oidc_failed"},
		{"no name", person{"sub": "a b", "roles": "viewer"}, nil, 401, "oidc_failed"},
		{"no role", person{"email": "eve@example.com"}, nil, 403, "oidc_no_role"},
		{"a role that is none", person{"email": "eve@example.com", "roles": []any{"root", "Admin", 1, nil}}, nil, 403, "oidc_no_role"},
	} {
		d.newBrowser()
		callback := d.ask(c.person)
		if c.tamper != nil {
			callback = c.tamper(callback)
		}
		d.refused(c.name, callback, c.status, c.code)
		if c.name == "expired" {
			d.Advance(time.Minute) // so that nobody is locked out
		}
	}
	want := []string{"oidc:eve@example.com log_in_refused sessions", "oidc:eve@example.com log_in_refused sessions"}
	if got := d.audit(); !slices.Equal(got, want) {
		t.Errorf("audit %q, want %q", got, want)
	}
	for _, says := range []string{"its nonce is another one", "id token issued by a different provider", "refuses the code: status 401"} {
		if !strings.Contains(d.Logged(), says) {
			t.Errorf("the log does not say %q:\n%s", says, d.Logged())
		}
	}
}

// A HEAD takes no code, and without its cookie a callback asks nobody.
func TestOIDCCallbackOnce(t *testing.T) {
	d := newDeployment(t)
	callback := d.ask(person{"email": "ann@example.com", "roles": "admin"})
	if status, _, _ := d.do(http.MethodHead, callback); status != http.StatusMethodNotAllowed {
		t.Errorf("HEAD: %d, want 405", status)
	}
	if status, _, body := d.get(callback); status != 200 {
		t.Errorf("after a HEAD: %d %s", status, body)
	}
	if status, _, body := d.get(d.console.URL + "/users"); status != 200 || body != "oidc:ann@example.com admin" {
		t.Errorf("%d %s", status, body)
	}
}

// Failures count as guesses: whoever makes the server ask the issuer, or the audit trail grow,
// does so ten times a minute at most.
func TestOIDCLockout(t *testing.T) {
	d := newDeployment(t)
	for i := range 12 {
		d.newBrowser()
		status, code := 403, "oidc_no_role"
		if i >= 9 {
			status, code = 429, "locked_out"
		}
		d.refused(fmt.Sprint("try ", i+1), d.ask(person{"email": "eve@example.com"}), status, code)
	}
	if n := len(d.audit()); n != 10 {
		t.Errorf("%d lines in the audit trail, want 10", n)
	}
	r, _ := http.NewRequest("GET", d.console.URL+"/users", nil)
	r.Header.Set("Authorization", "Bearer secret-token")
	if status := d.send(r); status != 200 {
		t.Errorf("tokens do not work: %d", status)
	}
}

func TestOIDCNamesAndRoles(t *testing.T) {
	d := newDeployment(t)
	long := strings.Repeat("a", 251) + "@example.com"
	for _, c := range []struct {
		name, claim string
		person      person
		want        string
	}{
		{"a role", "roles", person{"email": "ann@example.com", "roles": "editor"}, "oidc:ann@example.com editor"},
		{"the highest of a list", "groups", person{"email": "ann@example.com", "groups": []string{"viewer", "admin", "editor"}}, "oidc:ann@example.com admin"},
		{"a claim within others", "realm_access.roles", person{"email": "ann@example.com", "realm_access": map[string]any{"roles": []string{"viewer"}}}, "oidc:ann@example.com viewer"},
		{"a claim with dots", "https://example.com/role", person{"email": "ann@example.com", "https://example.com/role": "viewer"}, "oidc:ann@example.com viewer"},
		{"not verified", "roles", person{"email": "boss@example.com", "email_verified": false, "roles": "viewer"}, "oidc:sub-1 viewer"},
		{"verified as a text", "roles", person{"email": "ann@example.com", "email_verified": "true", "roles": "viewer"}, "oidc:ann@example.com viewer"},
		{"no address", "roles", person{"roles": "viewer"}, "oidc:sub-1 viewer"},
		{"too long an address", "roles", person{"email": long, "roles": "viewer"}, "oidc:sub-1 viewer"},
		{"line ends in an address", "roles", person{"email": "a\nb", "roles": "viewer"}, "oidc:sub-1 viewer"},
	} {
		d.config.RoleClaim = c.claim
		d.start()
		d.newBrowser()
		if status, _, body := d.get(d.ask(c.person)); status != 200 {
			t.Errorf("%s: %d %s", c.name, status, body)
		}
		if status, _, body := d.get(d.console.URL + "/users"); status != 200 || body != c.want {
			t.Errorf("%s: %d %s, want %s", c.name, status, body, c.want)
		}
	}
}

// An issuer asks for its groups where that is what the role is read from, and it has such a scope.
func TestOIDCScopes(t *testing.T) {
	d := newDeployment(t)
	for claim, want := range map[string]string{"groups": "openid email profile groups", "roles": "openid email profile", "email": "openid email profile"} {
		d.config.RoleClaim = claim
		address, f, err := oidc.New(d.config).Begin(t.Context(), "http://console.example/login/oidc/callback")
		u, parseErr := url.Parse(address)
		if err := errors.Join(err, parseErr); err != nil {
			t.Fatal(err)
		}
		q := u.Query()
		if q.Get("scope") != want || q.Get("code_challenge_method") != "S256" || q.Get("code_challenge") == "" || q.Get("nonce") != f.Nonce || q.Get("state") != f.State ||
			f.Nonce == f.State || q.Get("redirect_uri") != "http://console.example/login/oidc/callback" || strings.Contains(address, f.Verifier) {
			t.Errorf("%s: %s", claim, address)
		}
	}
}

// An issuer that is away is told as such, and asked again. The start does not wait for it.
func TestOIDCIssuerAway(t *testing.T) {
	d := newDeployment(t)
	ln, err := net.Listen("tcp", "127.0.0.1:0") // an address at which nobody listens
	if err != nil {
		t.Fatal(err)
	}
	address := ln.Addr().String()
	if err := ln.Close(); err != nil {
		t.Fatal(err)
	}
	d.config.Issuer = "http://" + address + mockoidc.IssuerBase
	d.start()
	d.refused("away", d.console.URL+"/login/oidc", 503, "oidc_unavailable")

	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var log strings.Builder
	d.config.Log = slog.New(slog.NewTextHandler(&log, nil))
	issuer, done := oidc.New(d.config), make(chan error, 1)
	go func() { done <- issuer.Run(ctx) }()
	if _, _, err := issuer.Begin(t.Context(), "http://console.example"); err == nil || !strings.Contains(err.Error(), "oidc_unavailable") {
		t.Errorf("away: %v", err)
	}
	back, err := mockoidc.NewServer(nil)
	if err != nil {
		t.Fatal(err)
	}
	if ln, err = net.Listen("tcp", address); err != nil {
		t.Fatal(err)
	}
	if err := back.Start(ln, nil); err != nil {
		t.Fatal(err)
	}
	defer back.Server.Close()
	if err := <-done; err != nil || strings.Count(log.String(), "\n") != 2 || !strings.Contains(log.String(), "issuer") {
		t.Errorf("%v; logged\n%s", err, log.String())
	}
	if _, _, err := issuer.Begin(t.Context(), "http://console.example"); err != nil {
		t.Errorf("back: %v", err)
	}
}

// An issuer that fails is no guess of the person; one that refuses the code is.
func TestOIDCIssuerFails(t *testing.T) {
	d := newDeployment(t)
	callback := d.ask(person{"email": "ann@example.com", "roles": "viewer"})
	d.issuer.QueueError(&mockoidc.ServerError{Code: 500, Error: mockoidc.InternalServerError, Description: "x"})
	d.refused("the issuer fails", callback, 503, "oidc_unavailable")
	d.newBrowser()
	callback = d.ask(person{"email": "ann@example.com", "roles": "viewer"})
	d.issuer.QueueError(&mockoidc.ServerError{Code: 401, Error: mockoidc.InvalidClient, Description: "the secret is sEcReT"})
	d.refused("another secret", callback, 401, "oidc_failed")
	if strings.Contains(d.Logged(), "sEcReT") || !strings.Contains(d.Logged(), "invalid_client") {
		t.Errorf("logged:\n%s", d.Logged())
	}
	if got := d.audit(); len(got) != 0 {
		t.Errorf("audit %q", got)
	}
}

func TestParseIssuer(t *testing.T) {
	for issuer, good := range map[string]bool{
		"https://login.example.com": true, "https://login.example.com/realms/popupd/": true, "http://127.0.0.1:8080/oidc": true,
		"": false, "login.example.com": false, "ftp://login.example.com": false, "https://": false, "https://a:b@login.example.com": false,
		"https://login.example.com?x=1": false, "https://login.example.com#x": false, "https://%zz": false,
	} {
		if err := oidc.ParseIssuer(issuer); (err == nil) != good {
			t.Errorf("%q: %v", issuer, err)
		}
	}
}
