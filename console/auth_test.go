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
			a := p.Send("GET", popupsPath, "", "Authorization", c.header)
			if a.Status != c.want {
				t.Fatalf("status %d, want %d", a.Status, c.want)
			}
			if c.want == 401 && !strings.HasPrefix(a.Header.Get("WWW-Authenticate"), `Bearer realm="popupd"`) {
				t.Errorf("WWW-Authenticate = %q", a.Header.Get("WWW-Authenticate"))
			}
		})
	}
	const want = `
		# HELP popupd_admin_auth_failures_total Requests on the admin listener without a token or session that is good.
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
		path = strings.Replace(path, "{profile}", "heap", 1)
		a := p.Send(method, path, "", "Authorization", "")
		if got := a.Status != http.StatusUnauthorized; got != open[path] {
			t.Errorf("%s without a token: %d", op, a.Status)
		}
	}
	for _, path := range []string{"/v1/", "/v1/admin/nothing", "/v1/admin/popups/a/b/c", "/debug/", "/debug/pprof/cmdline"} {
		p.Want(401, "unauthorized", "GET", path, "", "Authorization", "")
		p.Want(404, "not_found", "GET", path, "")
	}
	p.Want(401, "unauthorized", "PATCH", popupsPath, "", "Authorization", "")
	p.Want(404, "not_found", "GET", "/nothing", "", "Authorization", "")
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
		{"PATCH", popupsPath, "GET, HEAD"},
		{"GET", reloadPath, "POST"},
		{"POST", "/livez", "GET, HEAD"},
		{"DELETE", "/debug/pprof/heap", "GET, HEAD"},
	} {
		a := p.Want(405, "method_not_allowed", c.method, c.path, "")
		if got := a.Header.Get("Allow"); got != c.allow {
			t.Errorf("%s %s: Allow %q, want %q", c.method, c.path, got, c.allow)
		}
	}
}

func TestHeadersOfEveryAnswer(t *testing.T) {
	p := newPlane(t)
	for _, path := range []string{popupsPath, "/nothing", "/livez", "/metrics", "/openapi.yaml", "/debug/pprof/"} {
		a := p.Send("GET", path, "")
		for name, want := range map[string]string{
			"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Referrer-Policy": "same-origin",
		} {
			if got := a.Header.Get(name); got != want {
				t.Errorf("%s: %s = %q, want %q", path, name, got, want)
			}
		}
	}
}
