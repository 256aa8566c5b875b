package handler

import (
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
