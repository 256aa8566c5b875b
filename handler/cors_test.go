package handler

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/popupd/popupd/internal/netsock"
)

func TestPreflight(t *testing.T) {
	f := newServer(t, nil, "").start()
	for path, methods := range map[string]string{"/v1/poll": "GET, POST", "/v1/actions": "POST"} {
		r := f.do("OPTIONS", path, "", "Origin", "https://shop.example", "Access-Control-Request-Method", "POST")
		if r.status != http.StatusNoContent || r.body != "" {
			t.Errorf("%s: %d %s", path, r.status, r.body)
		}
		wantHeader(t, r, map[string]string{
			"Allow": methods + ", OPTIONS", "Access-Control-Allow-Methods": methods, "Access-Control-Allow-Headers": "Content-Type",
			"Access-Control-Max-Age": "86400", "Popup-Next-Poll": "", "Access-Control-Allow-Origin": "*", "Access-Control-Expose-Headers": "",
		})
	}
}

// A preflight allows the headers that it asks for, as wrappers of fetch add them.
func TestPreflightHeaders(t *testing.T) {
	f := newServer(t, nil, "").start()
	for asked, want := range map[string]string{
		"":                                     "Content-Type",
		"traceparent":                          "traceparent",
		"content-type,sentry-trace,baggage":    "content-type,sentry-trace,baggage",
		"X-Requested-With, traceparent\t,x":    "X-Requested-With, traceparent\t,x",
		strings.Repeat("a", maxAskedHeaders):   strings.Repeat("a", maxAskedHeaders),
		strings.Repeat("a", maxAskedHeaders+1): "Content-Type",
		"traceparent,":                         "Content-Type",
		"traceparent, ,x":                      "Content-Type",
		"x y":                                  "Content-Type",
		"<script>":                             "Content-Type",
		"x;y":                                  "Content-Type",
		"tr\u00e4ger":                          "Content-Type",
	} {
		for path, method := range map[string]string{"/v1/poll": "GET", "/v1/actions": "POST"} {
			r := f.do("OPTIONS", path, "", "Origin", "https://shop.example", "Access-Control-Request-Method", method, "Access-Control-Request-Headers", asked)
			if got := r.header.Values("Access-Control-Allow-Headers"); r.status != http.StatusNoContent || len(got) != 1 || got[0] != want {
				t.Errorf("%s, asked for %.50q: %d, allows %.50q, want %.50q", path, asked, r.status, got, want)
			}
		}
	}
}

// Only pages of the origins get answers, and may send credentials. For others nothing
// is decided or recorded.
func TestAllowedOrigins(t *testing.T) {
	const a, b, other = "https://a.example", "http://b.example:8000", "https://c.example"
	for _, c := range []struct {
		list   []string
		origin string
		status int
		named  string
	}{
		{[]string{"*"}, a, 200, "*"}, {[]string{"*"}, "null", 200, "*"}, {[]string{"*"}, "", 200, "*"},
		{[]string{a}, a, 200, a}, {[]string{a}, "", 200, a}, {[]string{a}, other, 403, a}, {[]string{a}, "null", 403, a},
		{[]string{a, b}, a, 200, a}, {[]string{a, b}, b, 200, b}, {[]string{a, b}, "", 200, ""},
		{[]string{a, b}, other, 403, ""}, {[]string{a, b}, "null", 403, ""}, {[]string{a, b}, a + ".c.example", 403, ""},
		{[]string{"https://*.a.example"}, "https://b.a.example", 200, "https://b.a.example"}, {[]string{"https://*.a.example"}, "", 200, ""},
		{[]string{"https://*.a.example"}, a, 403, ""}, {[]string{"https://*.a.example", a}, a, 200, a}, {[]string{"HTTPS://A.example:443"}, a, 200, a},
		{[]string{a, b}, "https://www.a.example", 403, ""}, {[]string{a, b}, "http://b.example", 403, ""}, {[]string{a, b}, a + ", " + b, 403, ""},
	} {
		f := newServer(t, func(config *Config) { config.AllowOrigins = c.list }, "").start()
		var header []string
		if c.origin != "" {
			header = []string{"Origin", c.origin}
		}
		poll := f.do("GET", "/v1/poll?uid=u", "", header...)
		token := ""
		if c.status == 403 {
			token = f.sees("v", "p1").Token
		} else if err := json.Unmarshal([]byte(poll.body), &struct{ Token *string }{&token}); err != nil {
			t.Fatal(err)
		}
		act := f.do("POST", "/v1/actions", fmt.Sprintf(`{"token":%q,"action":"click"}`, token), append(header, "Content-Type", "text/plain")...)
		broken := f.do("GET", "/v1/poll", "", header...)
		preflight := f.do("OPTIONS", "/v1/actions", "", header...)

		want := []int{c.status, 202, 400, 204}
		events := []string{"u impression 1", "u click 1"}
		if c.status == 403 {
			want, events = []int{403, 403, 403, 204}, []string{"v impression 1"}
		}
		credentials, vary := "true", "Origin"
		if c.list[0] == "*" {
			credentials, vary = "", ""
		}
		for i, r := range []reply{poll, act, broken, preflight} {
			if r.status != want[i] || r.status == 403 && r.code() != "origin_not_allowed" {
				t.Errorf("%q of %q, answer %d: %d %s, want %d", c.origin, c.list, i, r.status, r.body, want[i])
			}
			wantHeader(t, r, map[string]string{
				"Access-Control-Allow-Origin": c.named, "Access-Control-Allow-Credentials": credentials, "Vary": vary,
			})
		}
		f.journaled(events...)
		if c.status == 403 {
			f.counts(3, "popupd_http_errors_total", "code", "origin_not_allowed")
			f.counts(2, "popupd_decisions_total", "outcome", "unauthorized")
			f.sees("u", "p1")
		}
	}
}

// What a browser prefetches may never be seen: nothing is recorded.
func TestPrefetch(t *testing.T) {
	f := newServer(t, nil, "").start()
	prefetches := [][2]string{
		{"Sec-Purpose", "prefetch"}, {"Sec-Purpose", "prefetch;prerender"}, {"sec-purpose", "Prefetch ; anonymous-client-ip"},
		{"Purpose", "prefetch"}, {"PURPOSE", " prefetch"},
	}
	for _, p := range prefetches {
		r := f.do("GET", "/v1/poll?uid=u", "", p[:]...)
		if r.status != http.StatusNoContent {
			t.Errorf("%q: %d, want 204", p, r.status)
		}
		wantNextPoll(t, r)
	}
	f.journaled()
	f.counts(float64(len(prefetches)), "popupd_decisions_total", "outcome", "none")
	token := f.sees("u", "p1").Token
	r := f.do("POST", "/v1/actions", fmt.Sprintf(`{"token":%q,"action":"click"}`, token), "Content-Type", "text/plain", "Sec-Purpose", "prefetch")
	if r.status != http.StatusAccepted {
		t.Errorf("action: %d, want 202", r.status)
	}
	for i, p := range [][2]string{
		{"Sec-Purpose", "prefetched"}, {"Sec-Purpose", "preview"}, {"Sec-Purpose", ""}, {"Sec-Purposes", "prefetch"}, {"X-Purpose", "prefetch"}, {"Purposeful", "prefetch"}, {"Sec-P", "prefetch"},
	} {
		if r := f.do("GET", fmt.Sprintf("/v1/poll?uid=u%d", i), "", p[:]...); r.status != http.StatusOK {
			t.Errorf("%q: %d, want 200", p, r.status)
		}
	}
}

// Answers to what was not read as a request name the origin too, or pages could not
// tell them from a broken network: always if there is only one, else if it is known.
func TestUnreadRequestsNameTheOrigin(t *testing.T) {
	const a, b, other = "https://a.example", "https://b.example", "https://c.example"
	head := "GET /v1/poll?uid=u HTTP/1.1\r\nHost: popupd.test\r\nOrigin: "
	unread := map[int]string{
		http.StatusBadRequest:                  "GET /v1/poll?uid=u HTTP/1.1\r\nno colon\r\nOrigin: " + a + "\r\n\r\n",
		http.StatusRequestTimeout:              head + a + "\r\n",
		http.StatusRequestHeaderFieldsTooLarge: head + a + "\r\nCookie: " + strings.Repeat("x", maxHeaderSize) + "\r\n\r\n",
	}
	for _, c := range []struct {
		origins []string
		want    string            // of what was not read
		full    map[string]string // of 503, by the request's origin
	}{
		{[]string{"*"}, "*", map[string]string{a: "*", other: "*", "": "*"}},
		{[]string{a}, a, map[string]string{a: a, other: a, "": a}},
		{[]string{a, b}, "", map[string]string{a: a, b: b, other: "", "": ""}},
		{[]string{"https://*.example"}, "", map[string]string{a: a, other: other, "https://example": "", "": ""}},
	} {
		f := newServer(t, func(config *Config) { config.AllowOrigins = c.origins }, "")
		f.Server.limits.read = 100 * time.Millisecond
		address := f.serveTCP()
		for status, sent := range unread {
			r := overTCP(t, address, sent)
			if r.status != status || r.header.Get("Access-Control-Allow-Origin") != c.want {
				t.Errorf("origins %q: %d names %q, want %d and %q", c.origins, r.status, r.header.Get("Access-Control-Allow-Origin"), status, c.want)
			}
		}
		ln, err := netsock.Listen(t.Context(), "127.0.0.1:0") // accepts what has sent its request
		if err != nil {
			t.Fatal(err)
		}
		full := newListener(ln, f.Server)
		full.limit = 0
		ended := make(chan error)
		go func() {
			_, err := full.Accept()
			ended <- err
		}()
		for origin, want := range c.full {
			r := overTCP(t, ln.Addr().String(), head+origin+"\r\n\r\n")
			if r.code() != "too_many_connections" || r.header.Get("Access-Control-Allow-Origin") != want {
				t.Errorf("origins %q: %d to %q names %q, want %q", c.origins, r.status, origin, r.header.Get("Access-Control-Allow-Origin"), want)
			}
		}
		full.Close()
		<-ended
	}
}

// overTCP sends bytes on a new TCP connection and returns the answer, after which
// the connection must end.
func overTCP(t *testing.T, address, sent string) reply {
	t.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	io.WriteString(c, sent)
	got, err := io.ReadAll(c)
	if err != nil {
		t.Fatal(err)
	}
	return parseReply(t, string(got))
}
