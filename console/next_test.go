package console_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/popupd/popupd/console"
)

func TestLocalPath(t *testing.T) {
	for next, want := range map[string]string{
		"/users?uid=a%20b&x=/#top": "/users?uid=a%20b&x=/#top",
		"/":                        "/",
		"/a:b@c":                   "/a:b@c",
		"":                         "/popups",
		"users":                    "/popups",
		"https://evil.example":     "/popups",
		"//evil.example":           "/popups",
		"///evil.example":          "/popups",
		`/\evil.example`:           "/popups",
		`\/evil.example`:           "/popups",
		"/\t/evil.example":         "/popups",
		"/\n/evil.example":         "/popups",
		" /users":                  "/popups",
		"/users\r\nSet-Cookie: a":  "/popups",
		"javascript:alert(1)":      "/popups",
		"/users/é":                 "/popups",
		"/%zz":                     "/popups",
		"/login":                   "/popups", // it would go round in circles
		"/logout/everywhere":       "/popups",
	} {
		if got := console.LocalPath(next); got != want {
			t.Errorf("%q: %q, want %q", next, got, want)
		}
	}
}

// FuzzLocalPath: whatever is given, the browser stays at this server.
func FuzzLocalPath(f *testing.F) {
	for _, next := range []string{"/users?uid=1", "//evil.example", `/\evil.example`, "/\t/evil.example", "https://evil.example", "/..//evil.example", "/login"} {
		f.Add(next)
	}
	here := &url.URL{Scheme: "http", Host: "console.example"}
	f.Fuzz(func(t *testing.T, next string) {
		got := console.LocalPath(next)
		// What browsers do before they read an address (WHATWG URL).
		read := strings.NewReplacer("\t", "", "\n", "", "\r", "", `\`, "/").Replace(strings.TrimFunc(got, func(c rune) bool { return c <= ' ' }))
		if read != got || !strings.HasPrefix(got, "/") || strings.HasPrefix(got, "//") {
			t.Fatalf("%q: %q, which a browser reads as %q", next, got, read)
		}
		u, err := here.Parse(got)
		if err != nil || u.Host != here.Host || u.Scheme != here.Scheme {
			t.Fatalf("%q: %q leads to %v, %v", next, got, u, err)
		}
	})
}
