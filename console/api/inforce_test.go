package api_test

import (
	"context"
	"errors"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestStoreDown(t *testing.T) {
	p := newPlane(t)
	p.create("a")
	p.store.down = errors.New("dial tcp 10.0.0.1:3306: connection refused")
	for _, r := range []struct{ method, path, body string }{
		{"GET", popupsPath, ""},
		{"POST", popupsPath, `{"key":"b"}`},
		{"GET", popupsPath + "/a", ""},
		{"PUT", popupsPath + "/a", `{}`},
		{"DELETE", popupsPath + "/a", ""},
		{"POST", popupsPath + "/a/activate", ""},
		{"POST", popupsPath + "/a/pause", ""},
		{"GET", popupsPath + "/a/revisions", ""},
		{"POST", popupsPath + "/a/rollback", `{"version":1}`},
		{"GET", popupsPath + "/a/stats", ""},
		{"GET", "/v1/admin/audit", ""},
		{"DELETE", "/v1/admin/users/u", ""},
		{"POST", "/v1/admin/reload", ""},
	} {
		a := p.Want(503, "store_unavailable", r.method, r.path, r.body, "If-Match", `"1"`)
		if a.Header.Get("Retry-After") == "" {
			t.Errorf("%s %s: no Retry-After", r.method, r.path)
		}
		if strings.Contains(string(a.Body), "10.0.0.1") {
			t.Errorf("%s %s tells where the store is: %s", r.method, r.path, a.Body)
		}
	}
	if !strings.Contains(p.Logged(), "connection refused") {
		t.Error("the cause is not in the log")
	}
	p.Want(200, "", "GET", "/readyz", "")
	p.Want(200, "", "GET", "/v1/admin/users/u", "")
}

func TestChangeIsInForce(t *testing.T) {
	p := newPlane(t)
	for i, r := range []struct{ method, path, body string }{
		{"POST", popupsPath, `{"key":"a"}`},
		{"PUT", popupsPath + "/a", `{}`},
		{"POST", popupsPath + "/a/activate", ""},
		{"POST", popupsPath + "/a/pause", ""},
		{"POST", popupsPath + "/a/rollback", `{"version":1}`},
		{"DELETE", popupsPath + "/a", ""},
	} {
		a := p.Send(r.method, r.path, r.body, "If-Match", "*")
		if a.Status >= 300 {
			t.Fatalf("%s %s: %d %s", r.method, r.path, a.Status, a.Body)
		}
		if got := p.snapshots.Current().Revision; got != int64(i+1) {
			t.Errorf("%s %s was answered with revision %d in force, want %d", r.method, r.path, got, i+1)
		}
		if h := a.Header.Get("Popupd-In-Force"); h != "" {
			t.Errorf("%s %s: Popupd-In-Force %q", r.method, r.path, h)
		}
	}
}

// A change that is stored but can't be loaded is a success that says so.
func TestChangeIsStoredButNotInForce(t *testing.T) {
	p := newPlane(t)
	p.watcher.failing = errors.New("store went away")
	a := p.Want(201, "", "POST", popupsPath, `{"key":"a"}`)
	if got := a.Header.Get("Popupd-In-Force"); got != "false" {
		t.Errorf("Popupd-In-Force = %q, want false", got)
	}
	if !strings.Contains(p.Logged(), "store went away") {
		t.Error("the failure is not in the log")
	}
	p.Want(200, "", "GET", popupsPath+"/a", "")
	a = p.Want(200, "", "POST", popupsPath+"/a/activate", "")
	if got := a.Header.Get("Popupd-In-Force"); got != "false" {
		t.Errorf("Popupd-In-Force = %q, want false", got)
	}
}

// A client that goes away does not cut a change off.
func TestClientGoesAway(t *testing.T) {
	p := newPlane(t)
	gone, cancel := context.WithCancel(context.Background())
	cancel()
	for _, c := range []struct {
		method, path, body string
		status             int
	}{
		{"POST", popupsPath, `{"key":"a"}`, 201},
		{"POST", popupsPath + "/a/activate", "", 200},
		{"DELETE", "/v1/admin/users/u", "", 202},
		{"GET", popupsPath + "/a", "", 503},
	} {
		r := httptest.NewRequestWithContext(gone, c.method, c.path, strings.NewReader(c.body))
		r.Header.Set("Authorization", "Bearer "+token)
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		p.server.ServeHTTP(w, r)
		if w.Code != c.status || w.Header().Get("Popupd-In-Force") != "" {
			t.Errorf("%s %s: %d, in force %q", c.method, c.path, w.Code, w.Header().Get("Popupd-In-Force"))
		}
	}
	if got := p.snapshots.Current().Revision; got != 2 {
		t.Errorf("revision %d in force, want 2", got)
	}
}

func TestReload(t *testing.T) {
	p := newPlane(t)
	p.create("a")
	p.store.revision = 41
	if got := p.Want(200, "", "POST", "/v1/admin/reload", "").JSON(t)["revision"]; got != 41.0 {
		t.Errorf("revision %v, want 41", got)
	}
	if p.watcher.changed != 1 {
		t.Errorf("other servers told %d times, want once, of the change", p.watcher.changed)
	}
}
