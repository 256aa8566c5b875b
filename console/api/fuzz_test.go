package api_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// FuzzPopup: whatever is sent as a popup is stored or refused, and what was
// stored can be read, sent back and served.
func FuzzPopup(f *testing.F) {
	f.Add([]byte(`{"key":"a"}`), true)
	f.Add([]byte(`{}`), false)
	f.Add([]byte(`{"key":"a","schedule":{"start_at":"9999-12-31T23:59:59.9999Z","hours":[["22:00","24:00"]]}}`), false)
	f.Add([]byte(`{"key":"a","targeting":{"all":[{"attr":"plan","op":"in","value":[1e308,"x",true]}]}}`), true)
	f.Add([]byte(`{"key":"a","variants":[{"key":"a","content":{"n":1e999,"s":"\ud800"}}]}`), true)
	f.Add([]byte(" [\"\xff\"]"), true)
	p := newPlane(f)
	f.Fuzz(func(t *testing.T, body []byte, create bool) {
		clear(p.store.revisions)
		p.store.popups = nil
		send := func(method, path string, body []byte) *httptest.ResponseRecorder {
			r := httptest.NewRequest(method, path, strings.NewReader(string(body)))
			r.Header.Set("Authorization", "Bearer "+token)
			r.Header.Set("Content-Type", "application/json")
			r.Header.Set("If-Match", "*")
			w := httptest.NewRecorder()
			p.server.ServeHTTP(w, r)
			if w.Code >= http.StatusInternalServerError {
				t.Fatalf("%s %s %q: %d %s", method, path, body, w.Code, w.Body)
			}
			return w
		}
		var w *httptest.ResponseRecorder
		if create {
			w = send("POST", popupsPath, body)
		} else {
			send("POST", popupsPath, []byte(`{"key":"a"}`))
			w = send("PUT", popupsPath+"/a", body)
		}
		if w.Code >= 300 {
			return
		}
		if broken := p.snapshots.Current(); broken.Revision != p.store.revision {
			t.Fatalf("revision %d in force, want %d", broken.Revision, p.store.revision)
		}
		path := popupsPath + "/" + p.store.popups[0].Key
		read := send("GET", path, nil)
		if !strings.HasPrefix(w.Body.String(), strings.TrimSuffix(read.Body.String(), "}\n")+`,"warnings":[`) {
			t.Fatalf("stored %s, read %s", w.Body, read.Body)
		}
		if again := send("PUT", path, w.Body.Bytes()); again.Code != http.StatusOK && again.Code != http.StatusConflict {
			t.Fatalf("sent back %s: %d %s", w.Body, again.Code, again.Body)
		}
	})
}

// FuzzRequest: no path, query or header leads to a fault of the server.
func FuzzRequest(f *testing.F) {
	f.Add("GET", popupsPath+"?limit=1&cursor=x", `"1"`, "")
	f.Add("POST", popupsPath+"/a/rollback", `W/"1", *`, `{"version":1}`)
	f.Add("GET", popupsPath+"/a/stats?from=2026-01-01T00:00:00Z&interval=day", "", "")
	f.Add("DELETE", "/v1/admin/users/%2e%2e", "", "")
	p := newPlane(f)
	p.create("a")
	f.Fuzz(func(t *testing.T, method, target, ifMatch, body string) {
		r, err := http.NewRequest(method, "http://popupd"+target, strings.NewReader(body))
		if err != nil || strings.HasPrefix(r.URL.Path, "/debug/") {
			t.Skip()
		}
		r.Header.Set("Authorization", "Bearer "+token)
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("If-Match", ifMatch)
		w := httptest.NewRecorder()
		p.server.ServeHTTP(w, r)
		if w.Code >= http.StatusInternalServerError {
			t.Fatalf("%s %s: %d %s", method, target, w.Code, w.Body)
		}
	})
}
