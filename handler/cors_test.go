package handler

import (
	"net/http"
	"strings"
	"testing"
)

func TestPreflight(t *testing.T) {
	f := newServer(t, nil, "").start()
	for path, method := range map[string]string{"/v1/poll": "GET", "/v1/actions": "POST"} {
		r := f.do("OPTIONS", path, "", "Origin", "https://shop.example", "Access-Control-Request-Method", method)
		if r.status != http.StatusNoContent || r.body != "" {
			t.Errorf("%s: %d %s", path, r.status, r.body)
		}
		wantHeader(t, r, map[string]string{
			"Allow": method + ", OPTIONS", "Access-Control-Allow-Methods": method, "Access-Control-Allow-Headers": "Content-Type",
			"Access-Control-Max-Age": "86400", "Access-Control-Allow-Origin": "*", "Access-Control-Expose-Headers": "",
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

func TestAllowedOrigins(t *testing.T) {
	f := newServer(t, func(c *Config) { c.AllowOrigins = []string{"https://a.example", "http://b.example:8000"} }, "").start()
	for _, c := range []struct{ origin, want string }{
		{"https://a.example", "https://a.example"},
		{"http://b.example:8000", "http://b.example:8000"},
		{"https://c.example", ""},
		{"null", ""},
		{"", ""},
	} {
		for _, r := range []reply{
			f.do("GET", "/v1/poll?uid=u", "", "Origin", c.origin),
			f.do("GET", "/v1/poll", "", "Origin", c.origin),
			f.do("OPTIONS", "/v1/actions", "", "Origin", c.origin),
		} {
			wantHeader(t, r, map[string]string{"Access-Control-Allow-Origin": c.want, "Vary": "Origin"})
		}
	}
}
