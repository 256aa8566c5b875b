package web

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"net/http"
)

// previewPolicy is the Content-Security-Policy of the preview's frame. The frame has no
// origin, and so no session: what an operator wrote can read nothing of the console and
// open, load or send nothing but images.
const previewPolicy = "default-src 'none'; script-src 'nonce-%[1]s' 'strict-dynamic'; style-src 'nonce-%[1]s'; img-src 'self' https:; " +
	"form-action 'none'; frame-ancestors 'self'; base-uri 'none'; require-trusted-types-for 'script'; trusted-types 'none'; sandbox allow-scripts"

// preview answers with the frame in which the editor shows a popup by the SDK. It is the
// same for everybody: what it shows comes from the page around it.
func (p *Pages) preview(w http.ResponseWriter, _ *http.Request) error {
	nonce := rand.Text()
	var b bytes.Buffer
	if err := p.shells.ExecuteTemplate(&b, "preview.html", view{Nonce: nonce, Assets: p.assets.path}); err != nil {
		return fmt.Errorf("render preview.html: %w", err)
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", fmt.Sprintf(previewPolicy, nonce))
	h.Set("X-Frame-Options", "SAMEORIGIN") // of all that the console answers, this alone may be in a frame
	_, _ = w.Write(b.Bytes())              // an error means that the client has gone
	return nil
}
