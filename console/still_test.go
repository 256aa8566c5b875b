package console_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/popupd/popupd/console"
	"github.com/popupd/popupd/popup"
)

// TestStillAdmittedByToken: who was let in stays so until the token ends or has another role. A path
// that is not below /v1/ asks for the role of its route, too.
func TestStillAdmittedByToken(t *testing.T) {
	p := newPlane(t)
	token := p.tokens.add("v", popup.RolePublisher)
	var let *http.Request
	c := p.config
	c.Registerer = nil
	c.Routes = []console.Route{{Method: "GET", Path: "/stays", Role: popup.RoleEditor, Endpoint: func(_ http.ResponseWriter, r *http.Request) error {
		let = r
		return nil
	}}}
	server, err := console.New(c)
	if err != nil {
		t.Fatal(err)
	}
	get := func(token string) int {
		r, w := httptest.NewRequest("GET", "/stays", nil), httptest.NewRecorder()
		if token != "" {
			r.Header.Set("Authorization", "Bearer "+token)
		}
		server.ServeHTTP(w, r)
		return w.Code
	}
	if code := get(""); code != http.StatusUnauthorized || let != nil {
		t.Fatalf("without a token: %d", code)
	}
	if code := get(token); code != http.StatusOK || let == nil {
		t.Fatalf("with a token: %d", code)
	}
	want := func(when string, want bool) {
		t.Helper()
		if got := console.StillAdmitted(let); got != want {
			t.Errorf("%s: still allowed = %v, want %v", when, got, want)
		}
	}
	want("at once", true)
	p.tokens.list[0].Role = popup.RoleViewer
	want("the token has a lesser role", false)
	p.tokens.list[0].Role = popup.RoleAdmin
	want("the token has another role", true)
	p.tokens.err = errors.New("away")
	want("nobody knows", true)
	p.tokens.err = nil
	p.Advance(2 * time.Hour)
	want("the token has expired", false)
	p.tokens.list = nil
	want("the token was deleted", false)
	if console.StillAdmitted(httptest.NewRequest("GET", "/stays", nil)) {
		t.Error("a request that was never let in is allowed")
	}
}
