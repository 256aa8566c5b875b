package api_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestRevisions(t *testing.T) {
	p := newPlane(t)
	p.create("a")
	p.Want(200, "", "POST", popupsPath+"/a/pause", "", "X-Popupd-Actor", "maria")
	p.Want(200, "", "POST", popupsPath+"/a/activate", "")
	a := p.Want(200, "", "GET", popupsPath+"/a/revisions", "").JSON(t)
	if d := cmp.Diff([]string{"3", "2", "1"}, members(a, "version")); d != "" {
		t.Errorf("versions (-want +got):\n%s", d)
	}
	if d := cmp.Diff([]string{"admin", "maria", "admin"}, members(a, "actor")); d != "" {
		t.Errorf("actors (-want +got):\n%s", d)
	}
	second := a["items"].([]any)[1].(map[string]any)
	if second["spec"].(map[string]any)["status"] != "paused" || second["created_at"] != "2026-03-10T12:34:56Z" {
		t.Errorf("version 2: %v", second)
	}
	var pages []string
	for cursor := ""; ; {
		a := p.Want(200, "", "GET", popupsPath+"/a/revisions?limit=2"+cursor, "").JSON(t)
		pages = append(pages, strings.Join(members(a, "version"), " "))
		next, more := a["next_cursor"].(string)
		if !more {
			break
		}
		cursor = "&cursor=" + next
	}
	if d := cmp.Diff([]string{"3 2", "1"}, pages); d != "" {
		t.Errorf("pages (-want +got):\n%s", d)
	}
	p.Want(404, "popup_not_found", "GET", popupsPath+"/none/revisions", "")
}

func TestAudit(t *testing.T) {
	p := newPlane(t)
	p.create("a")
	p.Want(200, "", "PUT", popupsPath+"/a", `{}`, "If-Match", "*", "X-Popupd-Actor", "maria")
	p.Want(200, "", "POST", popupsPath+"/a/activate", "")
	p.Want(200, "", "POST", popupsPath+"/a/pause", "")
	p.Want(200, "", "POST", popupsPath+"/a/rollback", `{"version":1}`)
	p.Want(202, "", "DELETE", "/v1/admin/users/u-1", "")
	p.Want(200, "", "DELETE", popupsPath+"/a", "", "If-Match", "*")

	a := p.Want(200, "", "GET", "/v1/admin/audit", "").JSON(t)
	if d := cmp.Diff([]string{"archive", "reset", "rollback", "pause", "activate", "update", "create"}, members(a, "action")); d != "" {
		t.Errorf("actions (-want +got):\n%s", d)
	}
	want := map[string]any{"id": 2.0, "at": "2026-03-10T12:34:56Z", "actor": "maria", "action": "update", "object": "a", "from_version": 1.0, "to_version": 2.0}
	if d := cmp.Diff(want, a["items"].([]any)[5]); d != "" {
		t.Errorf("the update (-want +got):\n%s", d)
	}
	if got := members(a, "object")[1]; got != "user:u-1" {
		t.Errorf("object of the reset %q, want user:u-1", got)
	}

	first := p.Want(200, "", "GET", "/v1/admin/audit?limit=4", "").JSON(t)
	second := p.Want(200, "", "GET", "/v1/admin/audit?limit=4&cursor="+first["next_cursor"].(string), "").JSON(t)
	if d := cmp.Diff([]string{"activate", "update", "create"}, members(second, "action")); d != "" {
		t.Errorf("second page (-want +got):\n%s", d)
	}
	if second["next_cursor"] != nil {
		t.Errorf("next_cursor of the last page: %v", second["next_cursor"])
	}

	reset := p.Want(200, "", "GET", "/v1/admin/audit?object=user:u-1", "").JSON(t)
	if d := cmp.Diff([]string{"reset"}, members(reset, "action")); d != "" {
		t.Errorf("of a user (-want +got):\n%s", d)
	}
}
