package api_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/popupd/popupd/audience"
	"github.com/popupd/popupd/persist"
	"github.com/popupd/popupd/popup"
)

const audiencesPath = "/v1/admin/audiences"

// noAudiences is a store without audiences: tests of them work on SQLite.
type noAudiences struct{}

var errNoAudiences = errors.New("this store has no audiences")

func (noAudiences) Audiences(context.Context) ([]popup.StoredAudience, error) { return nil, nil }
func (noAudiences) Audience(context.Context, string) (popup.StoredAudience, error) {
	return popup.StoredAudience{}, popup.ErrNotFound
}
func (noAudiences) AudienceKey(context.Context) (key [16]byte, err error) { return key, nil }
func (noAudiences) PutAudienceRule(context.Context, popup.AudienceChange, popup.Targeting) (popup.StoredAudience, error) {
	return popup.StoredAudience{}, errNoAudiences
}
func (noAudiences) PutAudienceList(context.Context, popup.AudienceChange, io.WriterTo, uint64) (popup.StoredAudience, error) {
	return popup.StoredAudience{}, errNoAudiences
}
func (noAudiences) WriteAudienceList(context.Context, uint64, io.Writer) error {
	return errNoAudiences
}
func (noAudiences) DeleteAudience(context.Context, popup.AudienceChange) error { return errNoAudiences }

func naming(key string) string {
	return `{"all":[{"attr":"audience","op":"in","value":["` + key + `"]}]}`
}

func TestAudienceRules(t *testing.T) {
	p, _ := newSQLitePlane(t)
	const pro = `{"rule":{"all":[{"attr":"plan","op":"eq","value":"pro"}]}}`
	a := p.Want(201, "", "PUT", audiencesPath+"/pro", pro, "X-Popupd-Actor", "maria")
	if a.Header.Get("ETag") != `"1"` || a.Header.Get("Location") != audiencesPath+"/pro" || a.JSON(t)["kind"] != "rule" {
		t.Errorf("created: %v %s", a.Header, a.Body)
	}
	p.Want(428, "precondition_required", "PUT", audiencesPath+"/pro", pro)
	p.Want(412, "audience_exists", "PUT", audiencesPath+"/pro", pro, "If-None-Match", "*")
	p.Want(412, "stale_version", "PUT", audiencesPath+"/pro", pro, "If-Match", `"2"`)
	p.Want(400, "invalid_if_none_match", "PUT", audiencesPath+"/pro", pro, "If-None-Match", `"1"`)
	p.Want(400, "invalid_parameter", "PUT", audiencesPath+"/PRO", pro)
	p.Want(404, "audience_not_found", "PUT", audiencesPath+"/none", pro, "If-Match", "*")
	p.Want(200, "", "PUT", audiencesPath+"/pro", string(a.Body), "If-Match", `"1"`) // what was answered may be sent
	p.Want(201, "", "PUT", audiencesPath+"/both", `{"rule":`+naming("pro")+`}`, "If-None-Match", "*")

	circle := p.Want(422, "invalid_fields", "PUT", audiencesPath+"/pro", `{"rule":`+naming("both")+`}`, "If-Match", "*")
	if !strings.Contains(string(circle.Body), `"pointer":"/rule/all/0/value/0"`) {
		t.Errorf("a circle: %s", circle.Body)
	}
	p.Want(422, "invalid_fields", "PUT", audiencesPath+"/x", `{"rule":{"some":[]}}`)
	p.Want(422, "invalid_fields", "PUT", audiencesPath+"/x", `{}`)
	p.Want(400, "malformed_json", "PUT", audiencesPath+"/x", `{`)
	p.Want(415, "unsupported_media_type", "PUT", audiencesPath+"/x", `a`, "Content-Type", "application/octet-stream")
	p.Want(415, "unsupported_media_type", "PUT", audiencesPath+"/x", `a`, "Content-Type", "text/plain; charset=utf-16")
	p.Want(415, "unsupported_media_type", "PUT", audiencesPath+"/x", `a`, "Content-Type", "text/plain", "Content-Encoding", "gzip")

	p.Want(422, "invalid_fields", "POST", popupsPath, `{"key":"sale","targeting":`+naming("none")+`}`)
	p.Want(201, "", "POST", popupsPath, `{"key":"sale","targeting":`+naming("both")+`}`)
	list := p.Want(200, "", "GET", audiencesPath, "").JSON(t)["items"].([]any)
	var got []string
	for _, item := range list {
		a := item.(map[string]any)
		got = append(got, fmt.Sprint(a["key"], " ", a["kind"], " ", a["version"], " ", a["updated_by"], " ", a["used_by"]))
	}
	want := []string{"both rule 1 admin map[audiences:[] popups:[sale]]", "pro rule 2 admin map[audiences:[both] popups:[]]"}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("list (-want +got):\n%s", d)
	}

	p.Want(428, "precondition_required", "DELETE", audiencesPath+"/both", "")
	inUse := p.Want(409, "audience_in_use", "DELETE", audiencesPath+"/both", "", "If-Match", "*")
	if !strings.Contains(string(inUse.Body), `"used_by":{"popups":["sale"],"audiences":[]}`) {
		t.Errorf("in use: %s", inUse.Body)
	}
	p.Want(200, "", "PUT", popupsPath+"/sale", `{}`, "If-Match", "*")
	p.Want(412, "stale_version", "DELETE", audiencesPath+"/both", "", "If-Match", `"2"`)
	p.Want(204, "", "DELETE", audiencesPath+"/both", "", "If-Match", `"1"`)
	p.Want(404, "audience_not_found", "DELETE", audiencesPath+"/both", "", "If-Match", "*")
	p.Want(404, "audience_not_found", "GET", audiencesPath+"/both", "")
}

// TestEditorsAudiences: an editor may change the audiences that drafts alone depend on.
func TestEditorsAudiences(t *testing.T) {
	p, _ := newSQLitePlane(t)
	editor := p.bearer("ed", popup.RoleEditor)
	any := append([]string{"If-Match", "*"}, editor...)
	p.Want(201, "", "PUT", audiencesPath+"/a", `{"rule":{}}`, editor...)
	p.Want(201, "", "POST", popupsPath, `{"key":"sale","targeting":`+naming("a")+`}`, editor...)
	p.Want(200, "", "PUT", audiencesPath+"/a", `{"rule":{}}`, any...)
	p.Want(200, "", "POST", popupsPath+"/sale/activate", "")
	for _, contentType := range []string{"application/json", "text/plain"} {
		refused := p.Want(403, "role_required", "PUT", audiencesPath+"/a", `{"rule":{}}`, append(any, "Content-Type", contentType)...)
		if refused.JSON(t)["role"] != "publisher" {
			t.Errorf("%s: %s", contentType, refused.Body)
		}
	}
	p.Want(200, "", "PUT", audiencesPath+"/a", `{"rule":{}}`, "If-Match", "*")
}

// listOf returns the compiled list of the only audience.
func listOf(t *testing.T, db *persist.DB) (*audience.Set, audience.Key) {
	t.Helper()
	c, err := db.Rows(t.Context())
	if err != nil || len(c.Audiences) != 1 {
		t.Fatalf("%d audiences, %v", len(c.Audiences), err)
	}
	var b bytes.Buffer
	if err := db.WriteAudienceList(t.Context(), c.Audiences[0].List, &b); err != nil {
		t.Fatal(err)
	}
	set, err := audience.Read(&b)
	if err != nil {
		t.Fatal(err)
	}
	return set, c.AudienceKey
}

func TestUploadAudience(t *testing.T) {
	p, db := newSQLitePlane(t)
	for i, c := range []struct{ contentType, body string }{
		{"text/plain", "ann\nbob\n\n用户\nann\n"},
		{"text/plain; charset=utf-8", "\xef\xbb\xbfann\r\nbob\r\n用户\r\nann"},
		{"text/csv", "user_id,plan\nann,pro\n\"bob\",\"a, \"\"b\"\"\"\n用户,\nann,x\n"},
	} {
		status := 200
		headers := []string{"Content-Type", c.contentType, "If-Match", "*"}
		if i == 0 {
			status, headers = 201, headers[:2]
		}
		a := p.Want(status, "", "PUT", audiencesPath+"/vip", c.body, headers...).JSON(t)
		if got, want := fmt.Sprint(a["kind"], a["version"], a["members"], a["ids"], a["duplicates"]), fmt.Sprint("list", i+1, 3, 4, 1); got != want {
			t.Errorf("%q: %s, want %s", c.body, got, want)
		}
		set, key := listOf(t, db)
		for id, want := range map[string]bool{"ann": true, "bob": true, "用户": true, "user_id": false, "": false, "carol": false} {
			if set.Has(audience.Fingerprint(key, []byte(id))) != want {
				t.Errorf("%q: %q in the list: %v", c.body, id, !want)
			}
		}
	}
	a := p.Want(200, "", "PUT", audiencesPath+"/vip", "\n", "Content-Type", "text/plain", "If-Match", "*").JSON(t)
	if a["members"] != 0.0 {
		t.Errorf("of an empty file: %v", a)
	}
	audit := p.Want(200, "", "GET", "/v1/admin/audit?limit=1", "").JSON(t)["items"].([]any)[0].(map[string]any)
	if audit["object"] != "audience:vip" || audit["action"] != "update_audience" || audit["to_version"] != 4.0 {
		t.Errorf("audit: %v", audit)
	}
}

// TestBrokenUpload: nothing is changed by an upload that can't be.
func TestBrokenUpload(t *testing.T) {
	p, db := newSQLitePlane(t)
	p.Want(201, "", "PUT", audiencesPath+"/vip", "ann\n", "Content-Type", "text/plain")
	list := []string{"Content-Type", "text/plain", "If-Match", "*"}
	broken := p.Want(422, "invalid_lines", "PUT", audiencesPath+"/vip", "bob\n\x01\n"+strings.Repeat("a\tb\n", 150), list...).JSON(t)
	lines := broken["lines"].([]any)
	if first := lines[0].(map[string]any); len(lines) != 100 || broken["broken_lines"] != 151.0 || first["line"] != 2.0 {
		t.Errorf("%d lines told, %v in all, the first %v", len(lines), broken["broken_lines"], first)
	}
	p.Want(412, "stale_version", "PUT", audiencesPath+"/vip", "bob\n", "Content-Type", "text/plain", "If-Match", `"9"`)
	set, key := listOf(t, db)
	if set.Len() != 1 || !set.Has(audience.Fingerprint(key, []byte("ann"))) {
		t.Errorf("the list has %d members", set.Len())
	}
	if a := p.Want(200, "", "GET", audiencesPath+"/vip", ""); a.Header.Get("ETag") != `"1"` || a.JSON(t)["upload"] != nil {
		t.Errorf("read: %s %s", a.Header.Get("ETag"), a.Body)
	}
}

// readFunc is a body that something is done for when it is read.
type readFunc func([]byte) (int, error)

func (f readFunc) Read(p []byte) (int, error) { return f(p) }

// TestUploadWhileTheAudienceChanges: an upload of whoever does not care for the version is
// stored, also if it takes so long that the audience is changed meanwhile.
func TestUploadWhileTheAudienceChanges(t *testing.T) {
	p, _ := newSQLitePlane(t)
	for _, c := range []struct {
		match, meanwhile string
		status           int
	}{{"*", "PUT", 200}, {`"3"`, "PUT", 412}, {"*", "DELETE", 404}} {
		p.Send("PUT", audiencesPath+"/vip", "ann\n", "Content-Type", "text/plain")
		body := func(b []byte) (int, error) {
			p.Send(c.meanwhile, audiencesPath+"/vip", `{"rule":{}}`, "If-Match", "*")
			return copy(b, "bob\n"), io.EOF
		}
		r := httptest.NewRequest("PUT", audiencesPath+"/vip", readFunc(body))
		r.Header.Set("Authorization", "Bearer "+token)
		r.Header.Set("Content-Type", "text/plain")
		r.Header.Set("If-Match", c.match)
		w := httptest.NewRecorder()
		p.server.ServeHTTP(w, r)
		if w.Code != c.status {
			t.Errorf("If-Match: %s, %s meanwhile: %d, want %d: %s", c.match, c.meanwhile, w.Code, c.status, w.Body)
		}
	}
}

// TestUploadOverHTTP sends uploads over a connection: one that is too long, one that is under
// way while others are refused, and one whose client goes away.
func TestUploadOverHTTP(t *testing.T) {
	p, db := newSQLitePlane(t)
	server := httptest.NewServer(p.server)
	defer server.Close()
	send := func(ctx context.Context, body io.Reader, length int64) (*http.Response, error) {
		r, err := http.NewRequestWithContext(ctx, "PUT", server.URL+audiencesPath+"/vip", body)
		if err != nil {
			t.Fatal(err)
		}
		r.ContentLength = length
		r.Header.Set("Authorization", "Bearer "+token)
		r.Header.Set("Content-Type", "text/plain")
		return server.Client().Do(r)
	}
	status := func(response *http.Response, err error) int {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		return response.StatusCode
	}
	nothing, never := io.Pipe()
	defer never.Close()
	const tenGB = 10 << 30
	if got := status(send(t.Context(), nothing, tenGB)); got != 413 {
		t.Errorf("of 10 GB: %d, want 413", got)
	}

	body, input := io.Pipe()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	done := make(chan error, 1)
	go func() {
		response, err := send(ctx, body, -1)
		if err == nil {
			response.Body.Close()
		}
		done <- err
	}()
	if _, err := io.WriteString(input, strings.Repeat("some-user\n", 100_000)); err != nil {
		t.Fatal(err)
	}
	under := func() map[string]any {
		upload, _ := p.Want(200, "", "GET", audiencesPath, "").JSON(t)["upload"].(map[string]any)
		return upload
	}
	wait(t, "progress", func() bool {
		u := under()
		return u != nil && u["lines"].(float64) > 50_000 && u["bytes"].(float64) > 500_000
	})
	p.Want(503, "upload_running", "PUT", audiencesPath+"/other", "ann\n", "Content-Type", "text/plain")
	cancel()
	input.CloseWithError(context.Canceled) // the client waits for what it reads
	<-done
	wait(t, "the upload ends with its client", func() bool { return under() == nil })
	if list, err := db.Audiences(t.Context()); err != nil || len(list) != 0 {
		t.Errorf("%d audiences, %v; want none", len(list), err)
	}
	p.Want(201, "", "PUT", audiencesPath+"/other", "ann\n", "Content-Type", "text/plain")
}

// wait waits until ok, for what a server does meanwhile.
func wait(t *testing.T, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for until := time.Now().Add(10 * time.Second); !ok(); <-tick.C {
		if time.Now().After(until) {
			t.Fatalf("waited too long for: %s", what)
		}
	}
}
