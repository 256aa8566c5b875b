package api_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/popupd/popupd/internal/apitest"
	"github.com/popupd/popupd/popup"
)

func (m *memory) AdminTokens(ctx context.Context) ([]popup.AdminToken, error) {
	unlock, err := m.lock(ctx)
	defer unlock()
	return slices.Clone(m.tokens), err
}

func (m *memory) CreateAdminToken(ctx context.Context, c popup.Change, t popup.AdminToken) error {
	unlock, err := m.lock(ctx)
	defer unlock()
	m.tokens = slices.DeleteFunc(m.tokens, func(old popup.AdminToken) bool { return old.Name == t.Name && old.Expired(m.now()) })
	switch {
	case err != nil:
		return err
	case slices.ContainsFunc(m.tokens, func(old popup.AdminToken) bool { return old.Name == t.Name }):
		return popup.ErrTokenExists
	case len(m.tokens) >= popup.MaxAdminTokens:
		return popup.ErrTooManyTokens
	}
	m.tokens = append(m.tokens, t)
	slices.SortFunc(m.tokens, func(a, b popup.AdminToken) int { return strings.Compare(a.Name, b.Name) })
	m.audit = append(m.audit, popup.AuditEntry{ID: int64(len(m.audit) + 1), At: m.time(), Actor: c.Actor, Action: c.Action, Object: "token:" + t.Name + " " + string(t.Role)})
	return nil
}

func (m *memory) DeleteAdminToken(ctx context.Context, c popup.Change, name string) (string, error) {
	unlock, err := m.lock(ctx)
	defer unlock()
	i := slices.IndexFunc(m.tokens, func(t popup.AdminToken) bool { return t.Name == name })
	switch {
	case err != nil:
		return "", err
	case i < 0:
		return "", popup.ErrNoSuchToken
	}
	t := m.tokens[i]
	m.tokens = slices.Delete(m.tokens, i, i+1)
	m.audit = append(m.audit, popup.AuditEntry{ID: int64(len(m.audit) + 1), At: m.time(), Actor: c.Actor, Action: c.Action, Object: "token:" + name + " " + string(t.Role)})
	return t.ID, nil
}

func (m *memory) AdminTokenUsed(context.Context, string, int64) error { return nil }

const tokensPath = "/v1/admin/tokens"

// bearer makes a token and returns the header that presents it.
func (p *plane) bearer(name string, role popup.Role) []string {
	p.t.Helper()
	a := p.Want(201, "", "POST", tokensPath, `{"name":"`+name+`","role":"`+string(role)+`"}`).JSON(p.t)
	return []string{"Authorization", "Bearer " + a["token"].(string)}
}

func TestTokens(t *testing.T) {
	t.Run("memory", func(t *testing.T) { testTokens(t, newPlane(t)) })
	t.Run("sqlite", func(t *testing.T) {
		p, _ := newSQLitePlane(t)
		testTokens(t, p)
	})
}

func testTokens(t *testing.T, p *plane) {
	if a := p.Want(200, "", "GET", tokensPath, ""); string(a.Body) != `{"items":[]}`+"\n" {
		t.Errorf("at first: %s", a.Body)
	}
	created := p.Want(201, "", "POST", tokensPath, `{"name":"ci","role":"publisher","expires_at":"2026-03-10T13:34:56+00:00"}`, "X-Popupd-Actor", "maria").JSON(t)
	token := created["token"].(string)
	want := map[string]any{
		"id": created["id"], "name": "ci", "role": "publisher", "token": token, "last_used_at": nil,
		"created_at": "2026-03-10T12:34:56Z", "created_by": "maria", "expires_at": "2026-03-10T13:34:56Z",
	}
	if d := cmp.Diff(want, created); d != "" {
		t.Errorf("created (-want +got):\n%s", d)
	}
	a := p.Want(200, "", "GET", tokensPath, "")
	delete(want, "token")
	if d := cmp.Diff([]any{want}, a.JSON(t)["items"]); d != "" {
		t.Errorf("listed (-want +got):\n%s", d)
	}
	for _, text := range []string{string(a.Body), p.Logged()} {
		if strings.Contains(text, "popupd_") || strings.Contains(text, token[len(token)-64:]) {
			t.Errorf("the token is shown again:\n%s", text)
		}
	}
	// It works on this server at once, and until its end.
	ci := []string{"Authorization", "Bearer " + token}
	p.Want(201, "", "POST", popupsPath, `{"key":"a","status":"active"}`, ci...)
	p.Want(403, "role_required", "GET", tokensPath, "", ci...)
	p.Want(403, "role_required", "DELETE", tokensPath+"?name=ci", "", ci...)
	p.Want(409, "name_exists", "POST", tokensPath, `{"name":"ci","role":"viewer"}`)
	p.Advance(time.Hour)
	if err := p.tokens.Read(t.Context()); err != nil { // as it does every 2 s
		t.Fatal(err)
	}
	p.Want(401, "token_expired", "GET", popupsPath, "", ci...)

	// Its name is free again; the new one lives for as long as any may.
	again := p.Want(201, "", "POST", tokensPath, `{"name":"ci","role":"admin","expires_at":null}`).JSON(t)
	if got := again["expires_at"]; got != "2027-03-11T13:34:56Z" {
		t.Errorf("ends at %v, want 366 days from now", got)
	}
	p.Want(401, "unauthorized", "GET", popupsPath, "", ci...)
	ci[1] = "Bearer " + again["token"].(string)
	p.Want(200, "", "GET", tokensPath, "", ci...)

	// It may end itself, and does so at once.
	p.Want(204, "", "DELETE", tokensPath+"?name=ci", "", ci...)
	p.Want(401, "unauthorized", "GET", popupsPath, "", ci...)
	p.Want(404, "token_not_found", "DELETE", tokensPath+"?name=ci", "")

	audit := p.Want(200, "", "GET", "/v1/admin/audit", "").JSON(t)
	var lines []string
	for i, actor := range members(audit, "actor") {
		lines = append(lines, actor+" "+members(audit, "action")[i]+" "+members(audit, "object")[i])
	}
	if d := cmp.Diff([]string{"ci delete_token token:ci admin", "admin create_token token:ci admin", "ci create a", "maria create_token token:ci publisher"}, lines); d != "" {
		t.Errorf("audit (-want +got):\n%s", d)
	}
}

func TestTokensRefused(t *testing.T) {
	p := newPlane(t)
	for _, c := range []struct{ body, code, pointer string }{
		{`{`, "malformed_json", ""},
		{`{}`, "invalid_fields", "/name /role"},
		{`{"name":"CI","role":"root","expires_at":"2026-03-10T12:34:56Z"}`, "invalid_fields", "/name /role /expires_at"},
		{`{"name":"admin","role":"admin"}`, "invalid_fields", "/name"},
		{`{"name":"ci","role":"Admin"}`, "invalid_fields", "/role"},
		{`{"name":"ci","role":"viewer","expires_at":"2027-03-11T12:34:56.001Z"}`, "invalid_fields", "/expires_at"},
		{`{"name":"ci","role":"viewer","expires_at":"0001-01-01T00:00:00Z"}`, "invalid_fields", "/expires_at"},
		{`{"name":"ci","role":"viewer","expires_at":"tomorrow"}`, "invalid_fields", ""},
		{`{"name":"ci","role":"viewer","token":"popupd_x"}`, "invalid_fields", "/token"},
		{`{"name":7,"role":"viewer"}`, "invalid_fields", "/name"},
	} {
		status := map[string]int{"malformed_json": 400, "invalid_fields": 422}[c.code]
		a := p.Want(status, c.code, "POST", tokensPath, c.body)
		if c.code == "invalid_fields" {
			if got := strings.Join(pointers(t, a), " "); got != c.pointer {
				t.Errorf("%s: %q are wrong, want %q", c.body, got, c.pointer)
			}
		}
	}
	p.Want(415, "unsupported_media_type", "POST", tokensPath, `{"name":"ci","role":"viewer"}`, "Content-Type", "text/plain")
	for _, query := range []string{"", "?name=", "?name=CI", "?name=admin", "?name=a&name=b"} {
		p.Want(400, "invalid_parameter", "DELETE", tokensPath+query, "")
	}
	p.store.down = errors.New("no database")
	p.Want(503, "store_unavailable", "GET", tokensPath, "")
	p.Want(503, "store_unavailable", "POST", tokensPath, `{"name":"ci","role":"viewer"}`)
	p.Want(503, "store_unavailable", "DELETE", tokensPath+"?name=ci", "")
	p.store.down = nil
	for i := range popup.MaxAdminTokens {
		p.store.tokens = append(p.store.tokens, popup.AdminToken{Name: "t" + string(rune('0'+i)), ExpiresAt: apitest.Noon.Add(time.Hour)})
	}
	p.Want(409, "too_many_tokens", "POST", tokensPath, `{"name":"ci","role":"viewer"}`)
}

// pointers returns which members of a body are wrong.
func pointers(t *testing.T, a apitest.Answer) (list []string) {
	var p struct{ Errors popup.FieldErrors }
	t.Helper()
	a.Decode(t, &p)
	for _, e := range p.Errors {
		list = append(list, e.Pointer)
	}
	return list
}
