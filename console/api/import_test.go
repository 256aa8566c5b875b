package api_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/popupd/popupd/internal/apitest"
	"github.com/popupd/popupd/popup"
)

const configurationPath, importPath = "/v1/admin/export", "/v1/admin/import"

// imported is the answer to an import.
type imported struct {
	DryRun   bool `json:"dry_run"`
	Revision int64
	Summary  struct{ Create, Update, Archive, Unchanged int }
	Objects  []popup.ObjectChange
	etag     string
}

func (p *plane) imports(query, body string, headers ...string) (got imported) {
	p.t.Helper()
	a := p.Want(200, "", "PUT", importPath+query, body, headers...)
	if err := json.Unmarshal(a.Body, &got); err != nil {
		p.t.Fatal(err)
	}
	got.etag = a.Header.Get("ETag")
	return got
}

func TestExportConfiguration(t *testing.T) {
	p := newPlane(t)
	empty := p.Want(200, "", "GET", configurationPath, "")
	if want := `{"revision":0,"popups":[],"settings":{"version":0,"updated_at":null,"min_gap_sec":0,"caps":[],"holdout":{"percent":0,"salt":""}}` + "\n" + `,"audiences":[]` + "\n}\n"; string(empty.Body) != want {
		t.Errorf("empty: %s", empty.Body)
	}
	for _, key := range []string{"b", "c", "a"} {
		p.create(key)
	}
	p.Want(200, "", "DELETE", popupsPath+"/c", "", "If-Match", "*")
	p.Want(200, "", "PUT", "/v1/admin/settings", `{"min_gap_sec":5}`, "If-Match", "*")
	a := p.Want(200, "", "GET", configurationPath, "")
	var got struct {
		Revision int64
		Popups   []json.RawMessage
		Settings struct{ Version, MinGapSec int }
	}
	if err := json.Unmarshal(a.Body, &got); err != nil {
		t.Fatal(err)
	}
	if got.Revision != 5 || len(got.Popups) != 2 || got.Settings.Version != 1 {
		t.Fatalf("exported %s", a.Body)
	}
	for i, key := range []string{"a", "b"} {
		if one := p.Want(200, "", "GET", popupsPath+"/"+key, ""); strings.TrimSpace(string(one.Body)) != string(got.Popups[i]) {
			t.Errorf("%s is exported as %s", key, got.Popups[i])
		}
	}
	again := p.Want(200, "", "GET", configurationPath, "")
	if string(again.Body) != string(a.Body) || again.Header.Get("ETag") != a.Header.Get("ETag") || a.Header.Get("ETag") == empty.Header.Get("ETag") {
		t.Errorf("the same once more is other; tags %q, %q, before %q", a.Header.Get("ETag"), again.Header.Get("ETag"), empty.Header.Get("ETag"))
	}
	back := p.imports("", string(a.Body), "If-Match", a.Header.Get("ETag"))
	if back.Summary.Unchanged != 3 || len(back.Objects) != 3 || back.Revision != 5 || back.etag != a.Header.Get("ETag") || p.watcher.changed != 5 {
		t.Errorf("sent back: %+v, %d changes in force", back, p.watcher.changed)
	}
	p.store.down = errors.New("away")
	p.Want(503, "store_unavailable", "GET", configurationPath, "")
}

// A dry run tells what the import then does, in force when it answers.
func TestImport(t *testing.T) {
	p := newPlane(t)
	p.create("sale")
	p.create("old")
	body := `{"source":"repo","settings":{"min_gap_sec":5},"popups":[
		{"key":"sale","status":"paused","tags":["x"],"schedule":{"start_at":"2026-01-01T00:00:00Z"}},
		{"key":"old","status":"archived"},
		{"key":"new","status":"active","rollout":{"percent":0}}]}`
	viewer := p.bearer("v", popup.RoleViewer)
	dry := p.imports("?dry_run=1", body, viewer...)
	want := `settings update 0-1 [{"pointer":"/min_gap_sec","from":0,"to":5}] []
new create 0-1 [] [/rollout/percent]
old archive 1-2 [{"pointer":"/source","from":"","to":"repo"},{"pointer":"/status","from":"active","to":"archived"}] []
sale update 1-2 [{"pointer":"/source","from":"","to":"repo"},{"pointer":"/schedule/start_at","from":null,"to":"2026-01-01T00:00:00Z"},{"pointer":"/status","from":"active","to":"paused"},{"pointer":"/tags/0","to":"x"}] []
`
	told := func(i imported) (text string) {
		for _, o := range i.Objects {
			changes, _ := json.Marshal(o.Changes)
			var warnings []string
			for _, w := range o.Warnings {
				warnings = append(warnings, w.Pointer)
			}
			text += fmt.Sprintf("%s %s %d-%d %s %v\n", o.Key, o.Action, o.FromVersion, o.ToVersion, changes, warnings)
		}
		return text
	}
	if d := cmp.Diff(want, told(dry)); d != "" || !dry.DryRun || dry.Revision != 2 || p.store.revision != 2 {
		t.Errorf("dry run (-want +got), %+v, revision %d:\n%s", dry, p.store.revision, d)
	}
	p.Want(403, "role_required", "PUT", importPath, body, viewer...)
	p.Want(403, "role_required", "PUT", importPath+"?dry_run=0", body, p.bearer("pub", popup.RolePublisher)...)
	made := p.imports("", body, append(p.bearer("ci", popup.RoleAdmin), "If-Match", dry.etag)...)
	if d := cmp.Diff(want, told(made)); d != "" || made.DryRun || made.Revision != 6 {
		t.Errorf("import (-want +got), %+v:\n%s", made, d)
	}
	if s := p.snapshots.Current(); s.Revision != 6 || s.Len() != 2 || s.Settings().MinGapSec != 5 {
		t.Errorf("revision %d with %d popups in force", s.Revision, s.Len())
	}
	if got := p.Want(200, "", "GET", popupsPath+"/new", "").JSON(t); got["source"] != "repo" {
		t.Errorf("source %v", got["source"])
	}
	if last := p.store.audit[len(p.store.audit)-1]; last.Actor != "ci" {
		t.Errorf("actor %q", last.Actor)
	}
	p.Want(412, "stale_revision", "PUT", importPath, body, "If-Match", dry.etag)
	p.Want(412, "weak_etag", "PUT", importPath, body, "If-Match", "W/"+made.etag)
	if again := p.imports("", strings.Replace(body, "repo", "repo@2", 1), "If-Match", made.etag); again.Summary.Unchanged != 4 || p.store.revision != 6 {
		t.Errorf("once more: %+v", again)
	}
	if dry := p.imports("?dry_run=1", `{"source":"repo","prune":true}`); dry.Summary.Archive != 2 {
		t.Errorf("pruned: %+v", dry)
	}
}

func TestImportRefused(t *testing.T) {
	p := newPlane(t)
	p.create("sale")
	p.create("old")
	p.Want(200, "", "DELETE", popupsPath+"/old", "", "If-Match", "*")
	revision := p.store.revision
	for _, c := range []struct {
		status            int
		code, query, body string
		pointers          string
	}{
		{400, "malformed_json", "", `{"popups":[`, ""},
		{400, "malformed_json", "", ` `, ""},
		{400, "invalid_parameter", "?dry_run=maybe", `{}`, ""},
		{400, "invalid_parameter", "?dryrun=1", `{"popups":[{"key":"a"}]}`, ""},
		{400, "invalid_parameter", "?dry_run=0&dry_run=1", `{"popups":[{"key":"a"}]}`, ""},
		{400, "invalid_parameter", "?dry_run=1%zz", `{"popups":[{"key":"a"}]}`, ""},
		{422, "invalid_fields", "", `[]`, " "},
		{422, "invalid_fields", "", `{"popups":{},"source":1,"prune":2,"kind":"x","settings":[],"audiences":1}`, "/popups /source /prune /kind /settings /audiences"},
		{422, "invalid_fields", "", `{"popups":[{"key":"a","frequency":{"after_click_sec":-2}},{"key":"b","x":1},{"key":"c","key":"d"},{}],"settings":{"caps":[{"key":"d","max":99,"per_sec":1}]}}`,
			"/popups/0/frequency/after_click_sec /popups/1/x /popups/2/key /popups/3/key /settings/caps/0/max"},
		{422, "invalid_fields", "", `{"popups":[{"key":"a"},{"key":"b"},{"key":"a"}],"prune":true,"prune":true}`, "/prune /popups/2/key /source"},
		{422, "invalid_fields", "", `{"popups":[{"key":"a","source":"x\u0007"},{"key":"b","version":-1}],"source":"` + strings.Repeat("x", 513) + `"}`, "/popups/0/source /popups/1/version /source"},
		{422, "invalid_fields", "", `{"popups":[{"key":"none","status":"archived"}]}`, "/popups/0/status"},
		{409, "archived", "", `{"popups":[{"key":"sale","version":9},{"key":"old"}]}`, "/popups/1/key"},
		{412, "stale_version", "?dry_run=1", `{"popups":[{"key":"sale","version":9},{"key":"x","version":1}],"settings":{"version":1}}`, "/settings/version /popups/0/version /popups/1/version"},
		{413, "too_many_popups", "", `{"popups":[` + strings.Repeat(`{},`, 10_000) + `{}]}`, ""},
	} {
		a := p.Want(c.status, c.code, "PUT", importPath+c.query, c.body)
		var problem struct{ Errors popup.FieldErrors }
		if err := json.Unmarshal(a.Body, &problem); err != nil {
			t.Fatal(err)
		}
		var pointers []string
		for _, e := range problem.Errors {
			pointers = append(pointers, e.Pointer)
		}
		if got := strings.Join(pointers, " "); got != strings.TrimSpace(c.pointers) {
			t.Errorf("%s: errors at %s, want %s", c.body[:min(len(c.body), 100)], got, c.pointers)
		}
	}
	p.Want(415, "unsupported_media_type", "PUT", importPath, `{}`, "Content-Type", "text/yaml")
	p.Want(413, "body_too_large", "PUT", importPath, strings.Repeat(" ", 64<<20+1))
	p.store.down = errors.New("away")
	p.Want(503, "store_unavailable", "PUT", importPath, `{}`)
	if p.store.revision != revision {
		t.Error("something was changed")
	}
}

// A dry run tells of warnings among the popups as they would be.
func TestDryRunWarnings(t *testing.T) {
	p := newPlane(t)
	p.create("sale")
	dry := p.imports("?dry_run=1", `{"popups":[{"key":"sale","status":"active"},{"key":"above","status":"active","priority":9,"tags":["x"],"frequency":{"after_impression_sec":0,"after_click_sec":0,"after_dismiss_sec":0}},
		{"key":"below","status":"active","tags":["x"]}],"settings":{"caps":[{"key":"a","max":1,"per_sec":60,"tags":["x"]},{"key":"b","max":2,"per_sec":60,"tags":["y"]}]}}`)
	var got []string
	for _, o := range dry.Objects {
		for _, w := range o.Warnings {
			got = append(got, o.Key+" "+string(w.Code))
		}
	}
	if d := cmp.Diff([]string{"settings unknown_tag", "below outranked"}, got); d != "" {
		t.Errorf("warnings (-want +got):\n%s", d)
	}
}

// A dry run has the rules of the import among those that popups name.
func TestImportAudiences(t *testing.T) {
	p := newPlane(t)
	body := `{"popups":[{"key":"sale","status":"active","targeting":{"all":[{"attr":"audience","op":"in","value":["vip"]}]}}],"audiences":[{"key":"vip","rule":{"all":[{"attr":"plan","op":"eq","value":"pro"}]}}]}`
	for _, query := range []string{"?dry_run=1", ""} {
		got := p.imports(query, body)
		if len(got.Objects) != 2 || got.Objects[0].Kind != popup.AudienceObject || got.Objects[0].Action != popup.ImportCreate || len(got.Objects[1].Warnings) > 0 {
			t.Errorf("%q: %+v", query, got)
		}
	}
	if rows, _ := p.snapshots.Current().Audiences(); len(rows) != 1 || rows[0].Key != "vip" {
		t.Errorf("audiences in force: %+v", rows)
	}
	p.Want(422, "invalid_fields", "PUT", importPath, strings.Replace(body, `["vip"]`, `["none"]`, 1))
}

// One import at a time is read on a server: the next one waits for it, and not forever.
func TestImportsOneAtATime(t *testing.T) {
	p := newPlane(t)
	next := make(chan apitest.Answer, 1)
	p.store.importing = func() {
		ended, end := context.WithCancel(t.Context())
		end()
		r := httptest.NewRequestWithContext(ended, "PUT", importPath+"?dry_run=1", strings.NewReader(`{}`))
		r.Header.Set("Authorization", "Bearer "+token)
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		p.server.ServeHTTP(w, r)
		if w.Code != 503 || !strings.Contains(w.Body.String(), `"busy"`) {
			t.Errorf("one that waits no longer: %d %s", w.Code, w.Body)
		}
		go func() { next <- p.Send("PUT", importPath+"?dry_run=1", `{}`) }()
		select {
		case a := <-next:
			t.Errorf("one meanwhile: %d %s", a.Status, a.Body)
			next <- a
		case <-time.After(50 * time.Millisecond): // it waits
		}
	}
	p.imports("", `{}`)
	if a := <-next; a.Status != 200 {
		t.Errorf("the one after it: %d %s", a.Status, a.Body)
	}
}

func TestImportNotInForce(t *testing.T) {
	p := newPlane(t)
	p.watcher.failing = errors.New("away")
	a := p.Want(200, "", "PUT", importPath, `{"popups":[{"key":"a"}]}`)
	if a.Header.Get("Popupd-In-Force") != "false" {
		t.Error("the answer does not say that it is not in force")
	}
}
