package apitest

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestDocument(t *testing.T) {
	c, err := New()
	if err != nil {
		t.Fatal(err)
	}
	if ops := c.Operations(func(string) bool { return true }); len(ops) < 20 {
		t.Errorf("only %d operations: %v", len(ops), ops)
	}
}

// A checker that finds nothing wrong would be of no use.
func TestCheck(t *testing.T) {
	c, err := New()
	if err != nil {
		t.Fatal(err)
	}
	json := http.Header{"Content-Type": {"application/json"}}
	problem := http.Header{"Content-Type": {"application/problem+json"}}
	for _, tc := range []struct {
		name, method, target, body string
		status                     int
		header                     http.Header
		answer                     string
		want                       string // part of the error; empty: no error
	}{
		{"as documented", "GET", "/livez", "", 200, json, `{"status":"ok"}`, ""},
		{"undocumented member", "GET", "/livez", "", 200, json, `{"status":"ok","x":1}`, "unsupported"},
		{"undocumented status", "GET", "/livez", "", 418, json, `{"status":"ok"}`, "status is not supported"},
		{"wrong media type", "GET", "/livez", "", 200, http.Header{"Content-Type": {"text/html"}}, "ok", "Content-Type"},
		{"missing header", "GET", "/v1/admin/popups/a", "", 401, problem, `{"title":"Unauthorized","status":401,"code":"unauthorized"}`, "WWW-Authenticate"},
		{"accepted though forbidden", "GET", "/v1/admin/audit?limit=0", "", 200, json, `{"items":[],"next_cursor":null}`, "limit"},
		{"undocumented path", "GET", "/secret", "", 200, json, `{}`, "not documented"},
		{"error at no path", "GET", "/secret", "", 404, problem, `{"title":"Not Found","status":404,"code":"not_found"}`, ""},
		{"other error at no path", "GET", "/secret", "", 404, problem, `{}`, "title"},
		{"nothing to show", "GET", "/v1/poll?uid=u&a.plan=pro", "", 204, http.Header{"Popup-Next-Poll": {"60"}, "Cache-Control": {"private, no-cache"}}, "", ""},
		{"wait too long", "GET", "/v1/poll?uid=u", "", 204, http.Header{"Popup-Next-Poll": {"301"}, "Cache-Control": {"private, no-cache"}}, "", "300"},
		{"one action", "POST", "/v1/actions", `{"token":"v1.x","action":"click"}`, 202, http.Header{"Content-Type": {"application/json"}, "Cache-Control": {"private, no-cache"}}, `{"accepted":1,"rejected":[]}`, ""},
		{"action without its document", "POST", "/v1/actions", `{"token":"v1.x","action":"click"}`, 202, http.Header{"Cache-Control": {"private, no-cache"}}, "", "Content-Type"},
		{"actions", "POST", "/v1/actions", `[{"token":"v1.x","action":"click"}]`, 202, http.Header{"Content-Type": {"application/json"}, "Cache-Control": {"private, no-cache"}}, `{"accepted":1,"rejected":[]}`, ""},
	} {
		r := httptest.NewRequest(tc.method, tc.target, strings.NewReader(tc.body))
		if tc.body != "" {
			r.Header.Set("Content-Type", "application/json")
		}
		err := c.Check(r, []byte(tc.body), tc.status, tc.header, []byte(tc.answer))
		switch {
		case tc.want == "" && err != nil:
			t.Errorf("%s: %v", tc.name, err)
		case tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want)):
			t.Errorf("%s: %v, want an error with %q", tc.name, err, tc.want)
		}
	}
}
