package api_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/popupd/popupd/internal/apitest"
	"github.com/popupd/popupd/popup"
)

func TestCreate(t *testing.T) {
	p := newPlane(t)
	a := p.Want(201, "", "POST", popupsPath, `{"key":"spring-sale","status":"active","placements":["home"]}`)
	if got, want := a.Header.Get("Location"), popupsPath+"/spring-sale"; got != want {
		t.Errorf("Location = %q, want %q", got, want)
	}
	if got := a.Header.Get("ETag"); got != `"1"` {
		t.Errorf("ETag = %s", got)
	}
	want := map[string]any{
		"id": 1.0, "version": 1.0, "updated_at": "2026-03-10T12:34:56Z", "source": "",
		"key": "spring-sale", "name": "", "status": "active", "priority": 0.0, "placements": []any{"home"}, "trigger": "load",
		"schedule":  map[string]any{"start_at": nil, "end_at": nil, "timezone": "UTC", "user_time": false, "days": []any{}, "hours": []any{}},
		"targeting": map[string]any{"all": []any{}, "any": []any{}, "none": []any{}},
		"rollout":   map[string]any{"percent": 100.0, "salt": ""},
		"frequency": map[string]any{"after_click_sec": 2592000.0, "after_dismiss_sec": 86400.0, "after_impression_sec": 86400.0, "max_impressions": 0.0, "ignore_min_gap": false, "confirm_sec": 0.0},
		"goal":      map[string]any{"event": "", "window_sec": 604800.0},
		"variants":  []any{map[string]any{"key": "a", "weight": 100.0, "control": false, "content": map[string]any{"title": "", "body": "", "image": "", "link": ""}, "translations": map[string]any{}}},
		"tags":      []any{}, "warnings": []any{},
	}
	if d := cmp.Diff(want, a.JSON(t)); d != "" {
		t.Errorf("created (-want +got):\n%s", d)
	}
	read := p.Want(200, "", "GET", popupsPath+"/spring-sale", "")
	delete(want, "warnings")
	if d := cmp.Diff(want, read.JSON(t)); d != "" || read.Header.Get("ETag") != `"1"` {
		t.Errorf("read %s %s, want what was created", read.Header.Get("ETag"), read.Body)
	}
	p.Want(409, "key_exists", "POST", popupsPath, `{"key":"spring-sale"}`)
}

// An answer is not HTML: what an operator writes comes back as it was written.
func TestContentIsNotEscaped(t *testing.T) {
	p := newPlane(t)
	a := p.Want(201, "", "POST", popupsPath, `{"key":"a","variants":[{"key":"a","content":{"body":"<b>1 & 2</b>","n":12345678901234567890}}]}`)
	if want := `{"body":"<b>1 & 2</b>","n":12345678901234567890}`; !strings.Contains(string(a.Body), want) {
		t.Errorf("answer %s, want it to contain %s", a.Body, want)
	}
}

func TestBadBody(t *testing.T) {
	p := newPlane(t)
	p.create("a")
	big := `{"key":"b","name":"` + strings.Repeat("x", 1<<20) + `"}`
	for _, c := range []struct {
		name, body string
		headers    []string
		status     int
		code       string
		pointer    string // of one of the errors of a 422
	}{
		{"empty", "", []string{"Content-Type", "application/json"}, 400, "malformed_json", ""},
		{"not JSON", "key=b", nil, 400, "malformed_json", ""},
		{"cut off", `{"key":"b"`, nil, 400, "malformed_json", ""},
		{"two values", `{"key":"b"} {}`, nil, 400, "malformed_json", ""},
		{"a form", "key=b", []string{"Content-Type", "application/x-www-form-urlencoded"}, 415, "unsupported_media_type", ""},
		{"no type", `{"key":"b"}`, []string{"Content-Type", ""}, 415, "unsupported_media_type", ""},
		{"text", `{"key":"b"}`, []string{"Content-Type", "text/plain"}, 415, "unsupported_media_type", ""},
		{"bad type", `{"key":"b"}`, []string{"Content-Type", "application/json; ="}, 415, "unsupported_media_type", ""},
		{"too large", big, nil, 413, "body_too_large", ""},
		{"array", `[]`, nil, 422, "invalid_fields", ""},
		{"null", `null`, nil, 422, "invalid_fields", ""},
		{"unknown member", `{"key":"b","colour":"red"}`, nil, 422, "invalid_fields", "/colour"},
		{"unknown member below", `{"key":"b","frequency":{"after_clicks":1}}`, nil, 422, "invalid_fields", "/frequency/after_clicks"},
		{"member twice", `{"key":"b","key":"b"}`, nil, 422, "invalid_fields", "/key"},
		{"wrong type", `{"key":"b","priority":"high"}`, nil, 422, "invalid_fields", "/priority"},
		{"unknown language", `{"key":"b","variants":[{"key":"a","translations":{"xx":{}}}]}`, nil, 422, "invalid_fields", "/variants/0/translations/xx"},
		{"a language twice", `{"key":"b","variants":[{"key":"a","translations":{"zh":{},"zh-Hans":{}}}]}`, nil, 422, "invalid_fields", "/variants/0/translations/zh-Hans"},
		{"link in a translation", `{"key":"b","variants":[{"key":"a","translations":{"de":{"link":"javascript:x"}}}]}`, nil, 422, "invalid_fields", "/variants/0/translations/de/link"},
		{"bad value", `{"key":"b","frequency":{"after_click_sec":-2}}`, nil, 422, "invalid_fields", "/frequency/after_click_sec"},
		{"bad key", `{"key":"B"}`, nil, 422, "invalid_fields", "/key"},
		{"bad status", `{"key":"b","status":"on"}`, nil, 422, "invalid_fields", "/status"},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, r := range [][2]string{{"POST", popupsPath}, {"PUT", popupsPath + "/b"}} {
				a := p.Want(c.status, c.code, r[0], r[1], c.body, append([]string{"If-Match", "*"}, c.headers...)...)
				if c.status == 422 {
					wantPointer(t, a, c.pointer)
				}
			}
		})
	}
	a := p.Want(422, "invalid_fields", "POST", popupsPath, `{}`)
	wantPointer(t, a, "/key")
	a = p.Want(422, "invalid_fields", "POST", popupsPath, `{"key":"b","status":"archived"}`)
	wantPointer(t, a, "/status")
	a = p.Want(422, "invalid_fields", "PUT", popupsPath+"/a", `{"key":"b"}`, "If-Match", "*")
	wantPointer(t, a, "/key")
	if p.store.revision != 1 {
		t.Errorf("revision %d after bad requests, want 1", p.store.revision)
	}
}

func wantPointer(t *testing.T, a apitest.Answer, pointer string) {
	t.Helper()
	for _, e := range a.JSON(t)["errors"].([]any) {
		if e.(map[string]any)["pointer"] == pointer {
			return
		}
	}
	t.Errorf("no error at %q in %s", pointer, a.Body)
}

func TestGetUnknown(t *testing.T) {
	p := newPlane(t)
	for _, key := range []string{"none", "NONE", "-", strings.Repeat("a", 65), "a%00b", "%ff", "a%2Fb"} {
		p.Want(404, "popup_not_found", "GET", popupsPath+"/"+key, "")
	}
	p.Want(404, "not_found", "GET", popupsPath+"/", "")
}

func TestReplace(t *testing.T) {
	p := newPlane(t)
	p.Want(201, "", "POST", popupsPath, `{"key":"a","name":"first","status":"active","priority":5}`)

	p.Want(428, "precondition_required", "PUT", popupsPath+"/a", `{"key":"a"}`)
	p.Want(412, "stale_version", "PUT", popupsPath+"/a", `{"key":"a"}`, "If-Match", `"7"`)
	p.Want(404, "popup_not_found", "PUT", popupsPath+"/none", `{}`, "If-Match", `"1"`)

	a := p.Want(200, "", "PUT", popupsPath+"/a", `{"name":"second"}`, "If-Match", `"1"`)
	got := a.JSON(t)
	if a.Header.Get("ETag") != `"2"` || got["name"] != "second" || got["key"] != "a" {
		t.Errorf("replaced: %s %s", a.Header.Get("ETag"), a.Body)
	}
	if got["status"] != "draft" || got["priority"] != 0.0 {
		t.Errorf("status %v, priority %v: want the defaults, draft and 0", got["status"], got["priority"])
	}
	p.Want(412, "stale_version", "PUT", popupsPath+"/a", `{}`, "If-Match", `"1"`)

	// What GET answers may be sent back as it is.
	again := p.Want(200, "", "PUT", popupsPath+"/a", string(a.Body), "If-Match", `"2"`)
	if v := again.JSON(t)["version"]; v != 3.0 {
		t.Errorf("version %v, want 3", v)
	}
	p.Want(200, "", "PUT", popupsPath+"/a", `{}`, "If-Match", "*")

	p.Want(200, "", "PUT", popupsPath+"/a", `{"status":"archived"}`, "If-Match", `"4"`)
	if last := p.store.audit[len(p.store.audit)-1]; last.Action != "archive" {
		t.Errorf("audited as %q, want archive", last.Action)
	}
}

func TestIfMatch(t *testing.T) {
	p := newPlane(t)
	p.create("a")
	for _, c := range []struct {
		header string
		status int
		code   string
	}{
		{`"1"`, 200, ""},
		{`"9", "1"`, 200, ""},
		{` "9" ,"1"`, 200, ""},
		{`*`, 200, ""},
		{`"0"`, 412, "stale_version"},
		{`"01"`, 412, "stale_version"},
		{`""`, 412, "stale_version"},
		{`"4294967297"`, 412, "stale_version"},
		{`"abc"`, 412, "stale_version"},
		{`W/"2"`, 412, "weak_etag"},
		{`W/"1"`, 412, "weak_etag"},
		{`"9", W/"1"`, 412, "weak_etag"},
		{`W/"1", "1"`, 200, ""},
		{`, "1"`, 200, ""},
		{`,, "9" , ,"1",`, 200, ""},
		{`, "9"`, 412, "stale_version"},
		{`1`, 400, "invalid_if_match"},
		{`"1`, 400, "invalid_if_match"},
		{`"1" "2"`, 400, "invalid_if_match"},
		{`*, "1"`, 400, "invalid_if_match"},
		{`, *`, 400, "invalid_if_match"},
		{`,`, 400, "invalid_if_match"},
	} {
		// The popup is active already, so that nothing changes.
		a := p.Send("POST", popupsPath+"/a/activate", "", "If-Match", c.header)
		if a.Status != c.status || a.Code() != c.code {
			t.Errorf("If-Match: %s: %d %q, want %d %q", c.header, a.Status, a.Code(), c.status, c.code)
		}
	}
}

func TestArchive(t *testing.T) {
	p := newPlane(t)
	p.create("a")
	p.Want(428, "precondition_required", "DELETE", popupsPath+"/a", "")
	p.Want(412, "stale_version", "DELETE", popupsPath+"/a", "", "If-Match", `"2"`)
	a := p.Want(200, "", "DELETE", popupsPath+"/a", "", "If-Match", `"1"`)
	if got := a.JSON(t)["status"]; got != "archived" || a.Header.Get("ETag") != `"2"` {
		t.Errorf("archived: %s %s", a.Header.Get("ETag"), a.Body)
	}
	p.Want(200, "", "GET", popupsPath+"/a", "")
	for _, r := range [][3]string{
		{"PUT", "", `{}`}, {"DELETE", "", ""}, {"POST", "/activate", ""}, {"POST", "/pause", ""}, {"POST", "/rollback", `{"version":1}`},
	} {
		p.Want(409, "archived", r[0], popupsPath+"/a"+r[1], r[2], "If-Match", `"2"`)
	}
	p.Want(409, "key_exists", "POST", popupsPath, `{"key":"a"}`)
}

func TestActivateAndPause(t *testing.T) {
	p := newPlane(t)
	p.Want(201, "", "POST", popupsPath, `{"key":"a","name":"n"}`)
	for _, c := range []struct {
		action, ifMatch string
		status          int
		code, want      string
		version         float64
	}{
		{"activate", "", 200, "", "active", 2},
		{"activate", "", 200, "", "active", 2}, // as it is
		{"pause", `"1"`, 412, "stale_version", "", 0},
		{"pause", `"2"`, 200, "", "paused", 3},
		{"activate", `"3"`, 200, "", "active", 4},
	} {
		a := p.Want(c.status, c.code, "POST", popupsPath+"/a/"+c.action, "", "If-Match", c.ifMatch)
		if c.status != 200 {
			continue
		}
		if got := a.JSON(t); got["status"] != c.want || got["version"] != c.version || got["name"] != "n" {
			t.Errorf("%s: %s, want status %s, version %v", c.action, a.Body, c.want, c.version)
		}
	}
	p.Want(404, "popup_not_found", "POST", popupsPath+"/none/activate", "")
	p.Want(404, "popup_not_found", "POST", popupsPath+"/none/pause", "")
}

func TestRollback(t *testing.T) {
	p := newPlane(t)
	p.Want(201, "", "POST", popupsPath, `{"key":"a","name":"one","status":"active"}`)
	p.Want(200, "", "PUT", popupsPath+"/a", `{"name":"two","status":"paused"}`, "If-Match", `"1"`)
	a := p.Want(200, "", "POST", popupsPath+"/a/rollback", `{"version":1}`)
	if got := a.JSON(t); got["name"] != "one" || got["status"] != "paused" || got["version"] != 3.0 {
		t.Errorf("rolled back to %s, want version 3 with name one, still paused", a.Body)
	}
	p.Want(412, "stale_version", "POST", popupsPath+"/a/rollback", `{"version":2}`, "If-Match", `"2"`)
	p.Want(200, "", "POST", popupsPath+"/a/rollback", `{"version":2}`, "If-Match", `"3"`)

	for _, c := range []struct {
		body, code string
		status     int
		pointer    string
	}{
		{`{}`, "invalid_fields", 422, "/version"},
		{`null`, "invalid_fields", 422, "/version"},
		{`{"version":null}`, "invalid_fields", 422, "/version"},
		{`{"version":99}`, "invalid_fields", 422, "/version"},
		{`{"version":0}`, "invalid_fields", 422, "/version"},
		{`{"version":-1}`, "invalid_fields", 422, "/version"},
		{`{"version":1.5}`, "invalid_fields", 422, "/version"},
		{`{"version":"1"}`, "invalid_fields", 422, "/version"},
		{`{"version":1,"a/b~c":2}`, "invalid_fields", 422, "/a~1b~0c"},
		{`[1]`, "invalid_fields", 422, ""},
		{`{"version":1} {}`, "malformed_json", 400, ""},
		{`{`, "malformed_json", 400, ""},
	} {
		a := p.Want(c.status, c.code, "POST", popupsPath+"/a/rollback", c.body)
		if c.status == 422 {
			wantPointer(t, a, c.pointer)
		}
	}
	p.Want(415, "unsupported_media_type", "POST", popupsPath+"/a/rollback", `{"version":1}`, "Content-Type", "text/plain")
	p.Want(404, "popup_not_found", "POST", popupsPath+"/none/rollback", `{"version":1}`)
}

// A popup that was broken in the database stays as it is until it is mended;
// archiving it is the other way out.
func TestBrokenInTheStore(t *testing.T) {
	p := newPlane(t)
	p.create("a")
	p.store.find("a").Frequency.AfterClickSec = -2
	a := p.Want(422, "invalid_fields", "POST", popupsPath+"/a/pause", "")
	wantPointer(t, a, "/frequency/after_click_sec")
	if p.store.revision != 1 {
		t.Errorf("revision %d, want 1: nothing was changed", p.store.revision)
	}
}

// A popup that runs against rules that came later may be paused and archived, and is
// held to them by every other change.
func TestStoredBeforeTheRules(t *testing.T) {
	p := newPlane(t)
	p.create("a")
	p.Want(200, "", "POST", popupsPath+"/a/pause", "")
	stored := p.store.find("a")
	stored.Status, stored.Schedule.Timezone = popup.Active, "Factory"
	stored.Variants[0].Content["link"] = "javascript:alert(1)"
	before := string(stored.Encode())

	refused := func(a apitest.Answer) {
		t.Helper()
		wantPointer(t, a, "/schedule/timezone")
		wantPointer(t, a, "/variants/0/content/link")
	}
	refused(p.Want(422, "invalid_fields", "PUT", popupsPath+"/a", before, "If-Match", "*"))
	p.Want(200, "", "POST", popupsPath+"/a/pause", "")
	refused(p.Want(422, "invalid_fields", "POST", popupsPath+"/a/activate", ""))
	p.Want(200, "", "DELETE", popupsPath+"/a", "", "If-Match", "*")
}

// Of many clients who saw the same version one changes it.
func TestConcurrentReplace(t *testing.T) {
	p := newPlane(t)
	p.create("a")
	const clients = 16
	var read sync.WaitGroup // everyone reads before anyone writes
	read.Add(clients)
	p.store.afterRead = func() { read.Done(); read.Wait() }
	var won, lost atomic.Int32
	var wg sync.WaitGroup
	for i := range clients {
		wg.Go(func() {
			switch a := p.Send("PUT", popupsPath+"/a", fmt.Sprintf(`{"name":"%d"}`, i), "If-Match", `"1"`); a.Status {
			case 200:
				won.Add(1)
			case 412:
				lost.Add(1)
			default:
				t.Errorf("%d %s", a.Status, a.Body)
			}
		})
	}
	wg.Wait()
	if won.Load() != 1 || lost.Load() != clients-1 {
		t.Errorf("%d won and %d lost, want 1 and %d", won.Load(), lost.Load(), clients-1)
	}
}

// A change without a precondition is made on top of what others do meanwhile,
// unless they never stop.
func TestWithoutPrecondition(t *testing.T) {
	for _, c := range []struct {
		name, ifMatch string
		interrupted   int // how often the popup changes between read and write
		status        int
		code          string
	}{
		{"none", "", 1, 200, ""},
		{"any", "*", 1, 200, ""},
		{"version", `"1"`, 1, 412, "stale_version"},
		{"often", "", 9, 200, ""},
		{"without end", "", 1000, 412, "stale_version"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := newPlane(t)
			p.create("a")
			left := c.interrupted
			p.store.afterRead = func() {
				if left--; left < 0 {
					return
				}
				spec := p.store.find("a").Spec
				spec.Name += "x"
				if _, err := p.store.Put(context.Background(), popup.Change{}, 0, spec); err != nil {
					t.Error(err)
				}
			}
			a := p.Want(c.status, c.code, "POST", popupsPath+"/a/pause", "", "If-Match", c.ifMatch)
			if got, want := a.JSON(t)["name"], strings.Repeat("x", c.interrupted); c.status == 200 && got != want {
				t.Errorf("name %q, want %q: the others' changes are kept", got, want)
			}
		})
	}
}

// members returns one member of each item of a page.
func members(page map[string]any, name string) []string {
	var out []string
	for _, item := range page["items"].([]any) {
		out = append(out, fmt.Sprint(item.(map[string]any)[name]))
	}
	return out
}
