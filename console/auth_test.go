package console_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime/pprof"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil"
)

func TestToken(t *testing.T) {
	p := newPlane(t)
	for _, c := range []struct {
		name, header string
		want         int
	}{
		{"right", "Bearer " + token, 200},
		{"scheme in another case", "bearer " + token, 200},
		{"more spaces", "Bearer   " + token, 200},
		{"none", "", 401},
		{"wrong", "Bearer secret-tokem", 401},
		{"start of it", "Bearer secret", 401},
		{"more than it", "Bearer " + token + "x", 401},
		{"empty", "Bearer ", 401},
		{"no scheme", token, 401},
		{"another scheme", "Basic " + token, 401},
		{"nothing but a scheme", "Bearer", 401},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := p.do("GET", popupsPath, "", "Authorization", c.header)
			if a.status != c.want {
				t.Fatalf("status %d, want %d", a.status, c.want)
			}
			if c.want == 401 && !strings.HasPrefix(a.header.Get("WWW-Authenticate"), `Bearer realm="popupd"`) {
				t.Errorf("WWW-Authenticate = %q", a.header.Get("WWW-Authenticate"))
			}
		})
	}
	const want = `
		# HELP popupd_admin_auth_failures_total Requests on the admin listener without the right token.
		# TYPE popupd_admin_auth_failures_total counter
		popupd_admin_auth_failures_total 8
	`
	if err := testutil.GatherAndCompare(p.registry, strings.NewReader(want), "popupd_admin_auth_failures_total"); err != nil {
		t.Error(err)
	}
}

// Whatever is below a guarded prefix asks for the token before it says whether
// it exists.
func TestWhatNeedsTheToken(t *testing.T) {
	p := newPlane(t)
	open := map[string]bool{"/livez": true, "/readyz": true, "/metrics": true, "/openapi.yaml": true}
	for _, op := range p.server.Operations() {
		method, path, _ := strings.Cut(op, " ")
		path = strings.NewReplacer("{key}", "a", "{uid}", "u", "{profile}", "heap").Replace(path)
		a := p.do(method, path, "", "Authorization", "")
		if got := a.status != http.StatusUnauthorized; got != open[path] {
			t.Errorf("%s without a token: %d", op, a.status)
		}
	}
	for _, path := range []string{"/v1/", "/v1/admin/nothing", "/v1/admin/popups/a/b/c", "/debug/", "/debug/pprof/cmdline"} {
		p.want(401, "unauthorized", "GET", path, "", "Authorization", "")
		p.want(404, "not_found", "GET", path, "")
	}
	p.want(401, "unauthorized", "PATCH", popupsPath, "", "Authorization", "")
	p.want(404, "not_found", "GET", "/nothing", "", "Authorization", "")
}

// No spelling of a profile's path and no method gets around the token.
func TestProfilesNeedTheToken(t *testing.T) {
	p := newPlane(t)
	n := 0
	names := []string{"", "cmdline", "profile?seconds=1", "symbol", "trace?seconds=1", "none", "%68eap", "heap/", "../pprof/heap", "./heap", "/heap", "?debug=1"}
	for _, profile := range pprof.Profiles() {
		names = append(names, profile.Name(), profile.Name()+"?debug=2")
	}
	for _, name := range names {
		for _, method := range []string{"GET", "HEAD", "POST", "OPTIONS"} {
			for _, header := range []string{"", "Bearer", "Bearer " + token[1:]} {
				r := httptest.NewRequest(method, "/debug/pprof/"+name, nil)
				n++
				r.RemoteAddr = fmt.Sprintf("192.0.2.%d:1", n%250) // so that none is locked out
				if header != "" {
					r.Header.Set("Authorization", header)
				}
				w := httptest.NewRecorder()
				p.server.ServeHTTP(w, r)
				// The mux redirects a path that is not clean before it looks behind it.
				if redirected := w.Code == http.StatusTemporaryRedirect && strings.HasPrefix(w.Header().Get("Location"), "/debug/pprof"); !redirected &&
					w.Code != http.StatusUnauthorized {
					t.Errorf("%s /debug/pprof/%s with %q: %d %.100s", method, name, header, w.Code, w.Body)
				}
			}
		}
	}
}

func TestMethodNotAllowed(t *testing.T) {
	p := newPlane(t)
	for _, c := range []struct{ method, path, allow string }{
		{"PATCH", popupsPath, "GET, HEAD, POST"},
		{"POST", popupsPath + "/a", "GET, HEAD, PUT, DELETE"},
		{"GET", popupsPath + "/a/activate", "POST"},
		{"OPTIONS", "/v1/admin/audit", "GET, HEAD"},
		{"POST", "/livez", "GET, HEAD"},
		{"DELETE", "/debug/pprof/heap", "GET, HEAD"},
	} {
		a := p.want(405, "method_not_allowed", c.method, c.path, "")
		if got := a.header.Get("Allow"); got != c.allow {
			t.Errorf("%s %s: Allow %q, want %q", c.method, c.path, got, c.allow)
		}
	}
}

func TestHeadersOfEveryAnswer(t *testing.T) {
	p := newPlane(t)
	for _, path := range []string{popupsPath, popupsPath + "/none", "/nothing", "/livez", "/metrics", "/openapi.yaml", "/debug/pprof/"} {
		a := p.do("GET", path, "")
		for name, want := range map[string]string{
			"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Referrer-Policy": "no-referrer",
		} {
			if got := a.header.Get(name); got != want {
				t.Errorf("%s: %s = %q, want %q", path, name, got, want)
			}
		}
	}
}

func TestActor(t *testing.T) {
	p := newPlane(t)
	for _, c := range []struct{ name, sent, want string }{
		{"absent", "", "admin"},
		{"given", "maria", "maria"},
		{"spaces around", "  maria lee ", "maria lee"},
		{"another script", "李雷", "李雷"},
		{"only spaces", "   ", "admin"},
		{"tab inside", "a\tb", "ab"},
		{"line separator", "a\u2028b", "ab"},
		{"not UTF-8", "a\xffb", "ab"},
		{"long", strings.Repeat("x", 100), strings.Repeat("x", 64)},
		{"long, cut between characters", strings.Repeat("é", 100), strings.Repeat("é", 32)},
		{"long, cut at a space", strings.Repeat("x", 63) + " y", strings.Repeat("x", 63)},
	} {
		t.Run(c.name, func(t *testing.T) {
			p.want(202, "", "DELETE", "/v1/admin/users/u", "", "X-Popupd-Actor", c.sent)
			if got := p.store.audit[len(p.store.audit)-1].Actor; got != c.want {
				t.Errorf("actor %q, want %q", got, c.want)
			}
		})
	}
}
