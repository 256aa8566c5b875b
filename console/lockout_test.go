package console_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/popupd/popupd/internal/apitest"
)

// from sends a request as if it came from this address.
func (p *plane) from(address, method, path string, headers ...string) apitest.Answer {
	p.t.Helper()
	r := httptest.NewRequest(method, path, nil)
	r.RemoteAddr = address
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	p.server.ServeHTTP(w, r)
	return apitest.Answer{Status: w.Code, Header: w.Header(), Body: w.Body.Bytes()}
}

func TestGuessingIsLockedOut(t *testing.T) {
	p := newPlane(t)
	const guesser, other = "198.51.100.7:1000", "198.51.100.8:1000"
	right := []string{"Authorization", "Bearer " + token}
	guess := func(i int) apitest.Answer {
		return p.from(guesser, "GET", popupsPath, "Authorization", fmt.Sprint("Bearer guess", i))
	}
	for i := range 9 {
		if a := guess(i); a.Status != http.StatusUnauthorized {
			t.Fatalf("guess %d: %d, want 401", i+1, a.Status)
		}
	}
	if a := p.from(guesser, "GET", popupsPath, right...); a.Status != 200 {
		t.Fatalf("the right token after nine wrong ones: %d", a.Status)
	}
	p.Advance(59 * time.Second)
	a := guess(9)
	if a.Status != http.StatusTooManyRequests || a.Code() != "locked_out" || a.Header.Get("Retry-After") != "300" {
		t.Fatalf("the tenth guess: %d %q, Retry-After %q; want 429 locked_out, 300", a.Status, a.Code(), a.Header.Get("Retry-After"))
	}

	// Else guessing could go on: the right one would show.
	p.Advance(299*time.Second + time.Millisecond)
	for _, path := range []string{popupsPath, "/debug/pprof/heap", "/v1/nothing"} {
		a := p.from("198.51.100.7:2000", "GET", path, right...) // another port, the same client
		if a.Status != http.StatusTooManyRequests || a.Header.Get("Retry-After") != "1" {
			t.Errorf("%s with the right token: %d, Retry-After %q; want 429, 1", path, a.Status, a.Header.Get("Retry-After"))
		}
	}
	if a := p.from(guesser, "GET", "/readyz"); a.Status != 200 {
		t.Errorf("readyz: %d, want 200: it needs no token", a.Status)
	}
	if a := p.from(other, "GET", popupsPath, right...); a.Status != 200 {
		t.Errorf("another client: %d, want 200", a.Status)
	}
	// What a proxy reports is not looked at: anybody could write it.
	if a := p.from(guesser, "GET", popupsPath, append(right, "X-Forwarded-For", other)...); a.Status != 429 {
		t.Errorf("with X-Forwarded-For: %d, want 429", a.Status)
	}

	p.Advance(999 * time.Millisecond)
	if a := p.from(guesser, "GET", popupsPath, right...); a.Status != 200 {
		t.Errorf("after the lock: %d, want 200", a.Status)
	}
	if n := strings.Count(p.Logged(), "\n"); n != 1 || !strings.Contains(p.Logged(), "client=198.51.100.7/32") {
		t.Errorf("%d lines are logged, want one that names the client:\n%s", n, p.Logged())
	}
	if strings.Contains(p.Logged(), "guess0") || strings.Contains(p.Logged(), token) {
		t.Errorf("a token is logged:\n%s", p.Logged())
	}
}

// Nine guesses a minute go on for ever, and a request without a token is none.
func TestSlowGuessingIsNotLockedOut(t *testing.T) {
	p := newPlane(t)
	for i := range 5 {
		for range 9 {
			if a := p.from("[2001:db8::1]:1", "GET", popupsPath, "Authorization", "Bearer x"); a.Status != 401 {
				t.Fatalf("minute %d: %d, want 401", i, a.Status)
			}
		}
		for range 30 {
			if a := p.from("[2001:db8::1]:1", "GET", popupsPath); a.Status != 401 {
				t.Fatalf("without a token: %d, want 401", a.Status)
			}
		}
		p.Advance(time.Minute)
	}
	// All of a /64 network is one client.
	for i := range 10 {
		a := p.from("[2001:db8::"+strconv.Itoa(i)+"]:1", "GET", popupsPath, "Authorization", "Basic x")
		if want := map[bool]int{false: 401, true: 429}[i == 9]; a.Status != want {
			t.Errorf("guess %d of the network: %d, want %d", i+1, a.Status, want)
		}
	}
}

func TestCrossOrigin(t *testing.T) {
	p := newPlane(t)
	host := strings.TrimPrefix(p.URL, "http://")
	for _, c := range []struct {
		name    string
		headers []string
		allowed bool
	}{
		{"no browser", nil, true},
		{"same origin", []string{"Sec-Fetch-Site", "same-origin", "Origin", p.URL}, true},
		{"same origin behind TLS", []string{"Origin", "https://" + host}, true}, // an older browser: the host alone is compared
		{"typed in", []string{"Sec-Fetch-Site", "none"}, true},
		{"cross-site", []string{"Sec-Fetch-Site", "cross-site", "Origin", "https://evil.example"}, false},
		{"cross-site, origin hidden", []string{"Sec-Fetch-Site", "cross-site", "Origin", "null"}, false},
		{"same site, another origin", []string{"Sec-Fetch-Site", "same-site", "Origin", "https://shop." + host}, false},
		{"older browser", []string{"Origin", "https://evil.example"}, false},
		{"older browser, origin hidden", []string{"Origin", "null"}, false},
		{"the port differs", []string{"Origin", p.URL + "0"}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, op := range []string{"POST " + reloadPath, "DELETE /v1/nothing"} {
				method, path, _ := strings.Cut(op, " ")
				a := p.Send(method, path, "", c.headers...)
				if refused := a.Status == http.StatusForbidden; refused == c.allowed {
					t.Errorf("%s: %d, want 403: %v", op, a.Status, !c.allowed)
				}
				if !c.allowed && (a.Code() != "cross_origin" || a.Header.Get("Content-Type") != "application/problem+json") {
					t.Errorf("%s: code %q as %s", op, a.Code(), a.Header.Get("Content-Type"))
				}
			}
			if a := p.Send("GET", popupsPath, "", c.headers...); a.Status != 200 {
				t.Errorf("reading: %d, want 200", a.Status)
			}
			// Refused before the token is looked at: a page can't guess either.
			if a := p.Send("POST", reloadPath, "", append(c.headers, "Authorization", "Bearer x")...); !c.allowed && a.Status != 403 {
				t.Errorf("with a wrong token: %d, want 403", a.Status)
			}
		})
	}
	if p.reloads != 4 {
		t.Errorf("%d changes were made, want 4: what was refused must change nothing", p.reloads)
	}
}
