package handler

import (
	"compress/gzip"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/popupd/popupd/sdk"
)

// TestSDK: pages get the script, and get it again only when it has changed.
func TestSDK(t *testing.T) {
	f := newServer(t, nil).start()
	f.client.Transport = f.transport // files are no part of the API's description
	immutable := "/sdk-" + sdk.Hash(sdk.Script) + ".js"
	for _, c := range []struct{ path, contentType, cacheControl, body string }{
		{scriptPath, "text/javascript; charset=utf-8", "public, max-age=3600", string(sdk.Script)},
		{immutable, "text/javascript; charset=utf-8", "public, max-age=31536000, immutable", string(sdk.Script)},
		{typesPath, "text/plain; charset=utf-8", "public, max-age=3600", string(sdk.Types)},
	} {
		t.Run(c.path, func(t *testing.T) {
			plain := f.do("GET", c.path, "", "Accept-Encoding", "identity")
			if plain.status != http.StatusOK || plain.body != c.body {
				t.Errorf("%d, %d bytes, want %d", plain.status, len(plain.body), len(c.body))
			}
			for name, want := range map[string]string{
				"Content-Type": c.contentType, "Cache-Control": c.cacheControl, "Vary": "Accept-Encoding", "X-Content-Type-Options": "nosniff",
				"Access-Control-Allow-Origin": "*", "Cross-Origin-Resource-Policy": "cross-origin", "Content-Encoding": "", "Popup-Next-Poll": "",
			} {
				if got := plain.header.Get(name); got != want {
					t.Errorf("%s %q, want %q", name, got, want)
				}
			}
			zipped := f.do("GET", c.path, "", "Accept-Encoding", "br, gzip")
			r, err := gzip.NewReader(strings.NewReader(zipped.body))
			if err != nil {
				t.Fatal(err)
			}
			if got, err := io.ReadAll(r); err != nil || string(got) != c.body {
				t.Errorf("gzipped: %d bytes, %v", len(got), err)
			}
			if head := f.do("HEAD", c.path, "", "Accept-Encoding", "identity"); head.status != http.StatusOK || head.body != "" {
				t.Errorf("HEAD: %d, %d bytes", head.status, len(head.body))
			}
			etag := plain.header.Get("ETag")
			for sent, want := range map[string]int{etag: http.StatusNotModified, `"other", ` + strings.TrimPrefix(etag, "W/"): http.StatusNotModified, `"other"`: http.StatusOK} {
				r := f.do("GET", c.path, "", "If-None-Match", sent, "Accept-Encoding", "identity")
				if r.status != want || want == http.StatusNotModified && r.body != "" {
					t.Errorf("If-None-Match %s: %d, %d bytes, want %d", sent, r.status, len(r.body), want)
				}
			}
			if r := f.do("POST", c.path, ""); r.status != http.StatusMethodNotAllowed || r.header.Get("Allow") != "GET, HEAD, OPTIONS" {
				t.Errorf("POST: %d, Allow %q", r.status, r.header.Get("Allow"))
			}
		})
	}
	if got := f.do("GET", scriptPath, "").header.Get("Content-Location"); got != immutable {
		t.Errorf("Content-Location %q, want %q", got, immutable)
	}
	f.journaled()
}
