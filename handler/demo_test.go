package handler

import (
	"net/http"
	"strings"
	"testing"
)

// TestDemo: the demo shop is served where it is asked for, and nowhere else.
func TestDemo(t *testing.T) {
	for _, demo := range []bool{true, false} {
		f := newServer(t, func(c *Config) { c.Demo = demo }).start()
		f.client.Transport = f.transport // files are no part of the API's description
		for path, want := range map[string]struct{ contentType, text string }{
			"/demo":           {"text/html; charset=utf-8", `<script defer src="sdk.js">`},
			"/demo/zh":        {"text/html; charset=utf-8", `<script defer src="../sdk.js">`},
			"/demo/ar":        {"text/html; charset=utf-8", `dir="rtl"`},
			"/demo/demo.js":   {"text/javascript; charset=utf-8", "popupd.init"},
			"/demo/style.css": {"text/css; charset=utf-8", "--popupd-accent"},
			"/demo/leaf.svg":  {"image/svg+xml", "<svg"},
		} {
			got := f.do("GET", path, "", "Accept-Encoding", "identity")
			if !demo {
				if got.status != http.StatusNotFound {
					t.Errorf("without demo: GET %s: %d, want 404", path, got.status)
				}
				continue
			}
			if got.status != http.StatusOK || got.header.Get("Content-Type") != want.contentType || !strings.Contains(got.body, want.text) {
				t.Errorf("GET %s: %d %q, %d bytes, want %q with %q", path, got.status, got.header.Get("Content-Type"), len(got.body), want.contentType, want.text)
			}
			if policy := got.header.Get("Content-Security-Policy"); !strings.HasPrefix(policy, "default-src 'self'") {
				t.Errorf("GET %s: Content-Security-Policy %q", path, policy)
			}
		}
	}
}
