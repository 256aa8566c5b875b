package api_test

import (
	"fmt"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/popupd/popupd/console"
	"github.com/popupd/popupd/internal/apitest"
	"github.com/popupd/popupd/popup"
)

// TestRoles: docs/openapi.yaml has the role of every operation that takes a token and, where a
// token may lack it, the answer; docs/security.md has a table of them.
func TestRoles(t *testing.T) {
	checker, err := apitest.New()
	if err != nil {
		t.Fatal(err)
	}
	roles, forbidden := checker.Roles()
	of := map[string]popup.Role{"GET /debug/pprof": popup.RoleAdmin, "GET /debug/pprof/{profile}": popup.RoleAdmin} // of console
	order := []string{}
	for _, r := range newPlane(t).api.Routes() {
		of[r.Method+" "+r.Path] = r.Role
		order = append(order, r.Method+" "+r.Path)
	}
	for op, documented := range roles {
		role := of[op]
		if documented != string(role) {
			t.Errorf("%s takes the role %q, its x-role is %q", op, role, documented)
		}
		if role != "" && role != popup.RoleViewer && !forbidden[op] {
			t.Errorf("%s takes the role %s and documents no 403", op, role)
		}
		delete(of, op)
	}
	for op := range of {
		t.Errorf("%s is not documented", op)
	}

	page, err := os.ReadFile("../../docs/security.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, role := range popup.Roles() {
		var ops []string
		for _, op := range append(order, "GET /debug/pprof/") {
			if documented := roles[strings.TrimSuffix(op, "/")]; documented == string(role) {
				ops = append(ops, "`"+op+"`")
			}
		}
		if row := fmt.Sprintf("| %s | %s |\n", role, strings.Join(ops, ", ")); !strings.Contains(string(page), row) {
			t.Errorf("docs/security.md lacks the row\n%s", row)
		}
	}
}

// Each operation is refused to the role below its own, and not to its own.
func TestRolesAreAskedFor(t *testing.T) {
	p := newPlane(t)
	tokens := map[popup.Role][]string{}
	for _, role := range popup.Roles() {
		tokens[role] = p.bearer("the-"+string(role), role)
	}
	for _, r := range p.api.Routes() {
		path := strings.NewReplacer("{key}", "none", "{uid}", "u", "{id}", "1").Replace(r.Path)
		if r.Path == "/v1/admin/import" {
			path += "?dry_run=1" // else it takes an admin, see TestImportTakesAdmin
		}
		for role, token := range tokens {
			a := p.Send(r.Method, path, "", token...)
			if forbidden := a.Status == 403; forbidden == role.Covers(r.Role) || forbidden && a.JSON(t)["role"] != string(r.Role) {
				t.Errorf("%s %s as %s: %d %s", r.Method, path, role, a.Status, a.Body)
			}
		}
	}
}

// An editor may do to drafts what takes a publisher once they are none.
func TestEditorChangesDraftsOnly(t *testing.T) {
	p := newPlane(t)
	editor, publisher := p.bearer("ed", popup.RoleEditor), p.bearer("pub", popup.RolePublisher)
	with := func(token []string, headers ...string) []string { return append(headers, token...) }
	any := []string{"If-Match", "*"}
	refused := func(method, path, body string, headers ...string) {
		t.Helper()
		before := len(p.store.audit)
		a := p.Want(403, "role_required", method, path, body, with(editor, headers...)...).JSON(t)
		if a["role"] != "publisher" || len(p.store.audit) != before {
			t.Errorf("%s %s: role %v; changed: %v", method, path, a["role"], len(p.store.audit) != before)
		}
	}
	p.Want(201, "", "POST", popupsPath, `{"key":"a"}`, editor...)
	p.Want(200, "", "PUT", popupsPath+"/a", `{"name":"A"}`, with(editor, any...)...)
	p.Want(200, "", "POST", popupsPath+"/a/rollback", `{"version":1}`, editor...)
	p.Want(200, "", "POST", popupsPath+"/a/preview", `{}`, editor...)
	for _, status := range []string{"active", "paused"} {
		refused("POST", popupsPath, `{"key":"b","status":"`+status+`"}`)
		refused("PUT", popupsPath+"/a", `{"status":"`+status+`"}`, any...)
	}
	refused("POST", popupsPath+"/a/activate", "")
	refused("POST", popupsPath+"/a/pause", "")

	for _, to := range []string{"activate", "pause"} {
		p.Want(200, "", "POST", popupsPath+"/a/"+to, "", publisher...)
		current := p.Want(200, "", "GET", popupsPath+"/a", "", editor...)
		refused("PUT", popupsPath+"/a", `{}`, any...)
		refused("PUT", popupsPath+"/a", string(current.Body), any...) // as it is
		refused("DELETE", popupsPath+"/a", "", any...)
		refused("POST", popupsPath+"/a/rollback", `{"version":1}`)
		p.Want(200, "", "POST", popupsPath+"/a/preview", `{}`, editor...)
	}
	p.Want(412, "stale_version", "PUT", popupsPath+"/a", `{}`, with(editor, "If-Match", `"1"`)...)
	p.Want(404, "popup_not_found", "PUT", popupsPath+"/none", `{}`, with(editor, any...)...)

	// A publisher can make it a draft again, which an editor may archive.
	p.Want(200, "", "PUT", popupsPath+"/a", `{}`, with(publisher, any...)...)
	p.Want(200, "", "DELETE", popupsPath+"/a", "", with(editor, any...)...)
}

// A popup that becomes active between the read and the write of an editor's change stays as
// it is.
func TestEditorLosesTheRace(t *testing.T) {
	p := newPlane(t)
	editor := p.bearer("ed", popup.RoleEditor)
	p.Want(201, "", "POST", popupsPath, `{"key":"a"}`, editor...)
	p.store.afterRead = func() {
		p.store.afterRead = nil
		p.Want(200, "", "POST", popupsPath+"/a/activate", "")
	}
	p.Want(403, "role_required", "PUT", popupsPath+"/a", `{"name":"A"}`, append(editor, "If-Match", "*")...)
	if a := p.Want(200, "", "GET", popupsPath+"/a", "").JSON(t); a["name"] != "" || a["status"] != "active" {
		t.Errorf("the popup is %v", a)
	}
}

func TestActorIsTheToken(t *testing.T) {
	p := newPlane(t)
	p.Want(202, "", "DELETE", "/v1/admin/users/u", "", append(p.bearer("ops", popup.RoleAdmin), "X-Popupd-Actor", "maria")...)
	if got := p.store.audit[len(p.store.audit)-1].Actor; got != "ops" {
		t.Errorf("actor %q, want the name of the token", got)
	}
	if c := console.CallerOf(httptest.NewRequest("GET", "/", nil)); c != (console.Caller{}) || c.Require(popup.RoleViewer, "x") == nil {
		t.Errorf("a request that nobody let in is from %+v", c)
	}
}
