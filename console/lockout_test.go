package console_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"
)

// from sends a request as if it came from this address.
func (p *plane) from(address, method, path string, headers ...string) answer {
	p.t.Helper()
	r := httptest.NewRequest(method, path, nil)
	r.RemoteAddr = address
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	p.server.ServeHTTP(w, r)
	return answer{w.Code, w.Header(), w.Body.Bytes()}
}

func TestGuessingIsLockedOut(t *testing.T) {
	p := newPlane(t)
	const guesser, other = "198.51.100.7:1000", "198.51.100.8:1000"
	right := []string{"Authorization", "Bearer " + token}
	guess := func(i int) answer {
		return p.from(guesser, "GET", popupsPath, "Authorization", fmt.Sprint("Bearer guess", i))
	}
	for i := range 9 {
		if a := guess(i); a.status != http.StatusUnauthorized {
			t.Fatalf("guess %d: %d, want 401", i+1, a.status)
		}
	}
	if a := p.from(guesser, "GET", popupsPath, right...); a.status != 200 {
		t.Fatalf("the right token after nine wrong ones: %d", a.status)
	}
	p.set(func() { p.now = p.now.Add(59 * time.Second) })
	a := guess(9)
	if a.status != http.StatusTooManyRequests || a.code() != "locked_out" || a.header.Get("Retry-After") != "300" {
		t.Fatalf("the tenth guess: %d %q, Retry-After %q; want 429 locked_out, 300", a.status, a.code(), a.header.Get("Retry-After"))
	}

	// Else guessing could go on: the right one would show.
	p.set(func() { p.now = p.now.Add(299*time.Second + time.Millisecond) })
	for _, path := range []string{popupsPath, "/debug/pprof/heap", "/v1/nothing"} {
		a := p.from("198.51.100.7:2000", "GET", path, right...) // another port, the same client
		if a.status != http.StatusTooManyRequests || a.header.Get("Retry-After") != "1" {
			t.Errorf("%s with the right token: %d, Retry-After %q; want 429, 1", path, a.status, a.header.Get("Retry-After"))
		}
	}
	if a := p.from(guesser, "GET", "/readyz"); a.status != 200 {
		t.Errorf("readyz: %d, want 200: it needs no token", a.status)
	}
	if a := p.from(other, "GET", popupsPath, right...); a.status != 200 {
		t.Errorf("another client: %d, want 200", a.status)
	}
	// What a proxy reports is not looked at: anybody could write it.
	if a := p.from(guesser, "GET", popupsPath, append(right, "X-Forwarded-For", other)...); a.status != 429 {
		t.Errorf("with X-Forwarded-For: %d, want 429", a.status)
	}

	p.set(func() { p.now = p.now.Add(999 * time.Millisecond) })
	if a := p.from(guesser, "GET", popupsPath, right...); a.status != 200 {
		t.Errorf("after the lock: %d, want 200", a.status)
	}
	if n := strings.Count(p.logged(), "\n"); n != 1 || !strings.Contains(p.logged(), "client=198.51.100.7/32") {
		t.Errorf("%d lines are logged, want one that names the client:\n%s", n, p.logged())
	}
	if strings.Contains(p.logged(), "guess0") || strings.Contains(p.logged(), token) {
		t.Errorf("a token is logged:\n%s", p.logged())
	}
}

// Nine guesses a minute go on for ever, and a request without a token is none.
func TestSlowGuessingIsNotLockedOut(t *testing.T) {
	p := newPlane(t)
	for i := range 5 {
		for range 9 {
			if a := p.from("[2001:db8::1]:1", "GET", popupsPath, "Authorization", "Bearer x"); a.status != 401 {
				t.Fatalf("minute %d: %d, want 401", i, a.status)
			}
		}
		for range 30 {
			if a := p.from("[2001:db8::1]:1", "GET", popupsPath); a.status != 401 {
				t.Fatalf("without a token: %d, want 401", a.status)
			}
		}
		p.set(func() { p.now = p.now.Add(time.Minute) })
	}
	// All of a /64 network is one client.
	for i := range 10 {
		a := p.from("[2001:db8::"+strconv.Itoa(i)+"]:1", "GET", popupsPath, "Authorization", "Basic x")
		if want := map[bool]int{false: 401, true: 429}[i == 9]; a.status != want {
			t.Errorf("guess %d of the network: %d, want %d", i+1, a.status, want)
		}
	}
}

func TestCrossOrigin(t *testing.T) {
	p := newPlane(t)
	p.create("a")
	host := strings.TrimPrefix(p.url, "http://")
	for _, c := range []struct {
		name    string
		headers []string
		allowed bool
	}{
		{"no browser", nil, true},
		{"same origin", []string{"Sec-Fetch-Site", "same-origin", "Origin", p.url}, true},
		{"same origin behind TLS", []string{"Origin", "https://" + host}, true}, // an older browser: the host alone is compared
		{"typed in", []string{"Sec-Fetch-Site", "none"}, true},
		{"cross-site", []string{"Sec-Fetch-Site", "cross-site", "Origin", "https://evil.example"}, false},
		{"cross-site, origin hidden", []string{"Sec-Fetch-Site", "cross-site", "Origin", "null"}, false},
		{"same site, another origin", []string{"Sec-Fetch-Site", "same-site", "Origin", "https://shop." + host}, false},
		{"older browser", []string{"Origin", "https://evil.example"}, false},
		{"older browser, origin hidden", []string{"Origin", "null"}, false},
		{"the port differs", []string{"Origin", p.url + "0"}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, op := range []string{"POST " + popupsPath + "/a/pause", "POST /v1/admin/reload", "DELETE /v1/admin/users/u", "POST /v1/nothing"} {
				method, path, _ := strings.Cut(op, " ")
				a := p.do(method, path, "", c.headers...)
				if refused := a.status == http.StatusForbidden; refused == c.allowed {
					t.Errorf("%s: %d, want 403: %v", op, a.status, !c.allowed)
				}
				if !c.allowed && (a.code() != "cross_origin" || a.header.Get("Content-Type") != "application/problem+json") {
					t.Errorf("%s: code %q as %s", op, a.code(), a.header.Get("Content-Type"))
				}
			}
			if a := p.do("GET", popupsPath, "", c.headers...); a.status != 200 {
				t.Errorf("reading: %d, want 200", a.status)
			}
			// Refused before the token is looked at: a page can't guess either.
			if a := p.do("POST", "/v1/admin/reload", "", append(c.headers, "Authorization", "Bearer x")...); !c.allowed && a.status != 403 {
				t.Errorf("with a wrong token: %d, want 403", a.status)
			}
		})
	}
	if n := len(p.store.audit); n != 1+1+4 { // created, paused once, four resets
		t.Errorf("%d entries in the audit trail, want 6: what was refused must change nothing", n)
	}
}
