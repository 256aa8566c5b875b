//go:build linux

package e2e

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/popupd/popupd/internal/apitest"
)

// TestAPI holds what the running server answers against docs/openapi.yaml: the
// data plane's answers of every kind, and the control plane's common ones, each
// of which has tests of its own in console.
func TestAPI(t *testing.T) {
	checker, err := apitest.New()
	if err != nil {
		t.Fatal(err)
	}
	s := start(t, "-demo", "-identity", "off")
	checked := &http.Client{Transport: checker.Transport(t, nil)}
	do := func(want int, method, url, body string, header ...string) []byte {
		t.Helper()
		req, err := http.NewRequest(method, url, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		for i := 0; i < len(header); i += 2 {
			req.Header.Set(header[i], header[i+1])
		}
		resp, err := checked.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		answer, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		if resp.StatusCode != want {
			t.Errorf("%s %s answers %d, want %d: %s", method, url, resp.StatusCode, want, answer)
		}
		return answer
	}
	const asJSON, contentType = "application/json", "Content-Type"

	var p pollAnswer
	poll := do(200, "GET", s.dataURL+"/v1/poll?uid=api&placement=home&platform=ios&app_version=3.2.1&locale=zh-CN&country=CN&a.plan=pro", "")
	if err := json.Unmarshal(poll, &p); err != nil {
		t.Fatal(err)
	}
	do(200, "GET", s.dataURL+"/v1/poll?uid=api&placement=home", "")
	do(204, "GET", s.dataURL+"/v1/poll?uid=api&placement=home", "")
	do(204, "GET", s.dataURL+"/v1/poll?uid=api&placement=nowhere", "")
	do(204, "GET", s.dataURL+"/v1/poll?uid=prefetching&placement=home", "", "Sec-Purpose", "prefetch")
	do(400, "GET", s.dataURL+"/v1/poll?placement=home&uid=%00", "")
	do(200, "POST", s.dataURL+"/v1/poll", `{"uid":"api post","placements":["home","nowhere"],"attributes":{"plan":"pro","n":1}}`, contentType, asJSON)
	do(400, "POST", s.dataURL+"/v1/poll", `{"uid":"api post","placements":[]}`, contentType, asJSON)

	one := `{"token":"` + p.Token + `","action":"click"}`
	do(202, "POST", s.dataURL+"/v1/actions?uid=api", one, contentType, asJSON)
	do(202, "POST", s.dataURL+"/v1/actions", one, contentType, "text/plain")
	do(202, "POST", s.dataURL+"/v1/actions", "["+one+`,{"token":"v1.x","action":"click"}]`, contentType, asJSON)
	do(400, "POST", s.dataURL+"/v1/actions", `{"token":`, contentType, "text/plain")
	do(401, "POST", s.dataURL+"/v1/actions", `{"token":"v1.AAAA","action":"click"}`, contentType, asJSON)
	do(413, "POST", s.dataURL+"/v1/actions", strings.Repeat(" ", 64<<10+1), contentType, "text/plain")
	do(202, "POST", s.dataURL+"/v1/actions", "action=view&age_ms=5&token="+p.Token, contentType, "application/x-www-form-urlencoded")
	do(400, "POST", s.dataURL+"/v1/actions", "token=x", contentType, "application/x-www-form-urlencoded")
	do(415, "POST", s.dataURL+"/v1/actions", one, contentType, "application/xml")
	do(204, "OPTIONS", s.dataURL+"/v1/actions", "", "Origin", "https://example.com", "Access-Control-Request-Method", "POST")

	do(200, "GET", s.adminURL+"/readyz", "")
	do(200, "GET", s.adminURL+"/metrics", "")
	do(401, "GET", s.adminURL+"/v1/admin/popups", "")
	auth := []string{"Authorization", "Bearer " + adminToken}
	do(200, "GET", s.adminURL+"/v1/admin/popups", "", auth...)
	do(200, "GET", s.adminURL+"/v1/admin/users/api", "", auth...)
	do(200, "GET", s.adminURL+"/v1/admin/events", "", auth...)
	do(200, "GET", s.adminURL+"/v1/admin/events?format=csv", "", auth...)
	do(400, "GET", s.adminURL+"/v1/admin/events?after=x", "", auth...)
	do(200, "GET", s.adminURL+"/v1/admin/popups/welcome/stats?interval=day", "", auth...)
	do(422, "POST", s.adminURL+"/v1/admin/popups", `{"key":"Bad Key"}`, append(auth, contentType, asJSON)...)
	do(428, "PUT", s.adminURL+"/v1/admin/popups/welcome", `{"key":"welcome"}`, append(auth, contentType, asJSON)...)
}
