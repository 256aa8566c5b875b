//go:build linux

package e2e

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// marker is in all that hostile clients send.
const marker = "hAcKeR"

// hostile is what they send wherever they can: line breaks, escapes of terminals
// and of our own formats, NUL, marks that turn the direction of writing, bytes
// that are not UTF-8, and a lot of it.
var hostile = []string{
	marker + "\r\nlevel=ERROR msg=" + marker, marker + "\n{\"level\":\"ERROR\",\"msg\":\"" + marker + "\"}",
	marker + "\x1b[2J", marker + "\u009b31m", marker + "\x00", marker + "\u202e", marker + "\u2028", marker + "\xff\xfe", marker + "\xed\xa0\x80",
	marker + `"} 1` + "\n# TYPE x counter", marker + `\`, `{` + marker + `="x"}`, marker + "😀", marker + ";x=1&y", "../" + marker, marker + strings.Repeat("A", 64<<10),
}

// hostileRequests returns requests as bytes, with what is hostile in every place
// that a request has.
func hostileRequests(host string, paths []string) (requests []string) {
	headers := []string{"Authorization", "X-Popupd-Actor", "If-Match", "User-Agent", "Origin", "Sec-Fetch-Site", "Content-Type", "X-Forwarded-For", "Referer", "Cookie", "Accept-Encoding", "Transfer-Encoding"}
	for _, h := range hostile {
		escaped := url.QueryEscape(h)
		for _, path := range paths {
			for _, value := range []string{escaped, strings.NewReplacer("\n", "", "\r", "").Replace(h)} {
				for _, method := range []string{"GET", "POST", "DELETE", marker} {
					requests = append(requests, fmt.Sprintf("%s %s HTTP/1.1\r\nHost: %s\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", method, strings.ReplaceAll(path, "*", value), host))
				}
			}
		}
		for _, name := range headers { // as they are, so that line breaks inject headers
			requests = append(requests, fmt.Sprintf("GET %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n%s: %s\r\n\r\n", strings.ReplaceAll(paths[0], "*", "u"), host, name, h))
		}
		requests = append(requests,
			fmt.Sprintf("GET / HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", h), h+"\r\n\r\n", "GET / "+h+"\r\n\r\n",
			fmt.Sprintf("POST /v1/actions HTTP/1.1\r\nHost: %s\r\nConnection: close\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n%s", host, len(h), h))
		body, _ := json.Marshal([]map[string]string{{"token": h, "action": h}})
		requests = append(requests, fmt.Sprintf("POST /v1/actions HTTP/1.1\r\nHost: %s\r\nConnection: close\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n%s", host, len(body), body))
	}
	return requests
}

// scrape returns the values of each label of each metric, as "metric label".
func (s *server) scrape() map[string][]string {
	s.t.Helper()
	status, text, err := s.get(s.adminURL + "/metrics")
	if err != nil || status != http.StatusOK {
		s.t.Fatalf("metrics: %d, %v", status, err)
	}
	parser := expfmt.NewTextParser(model.LegacyValidation)
	families, err := parser.TextToMetricFamilies(bytes.NewReader(text))
	if err != nil {
		s.t.Fatalf("/metrics can't be parsed: %v", err)
	}
	labels := map[string][]string{}
	for name, family := range families {
		labels[name] = nil
		for _, m := range family.Metric {
			for _, l := range m.Label {
				if key := name + " " + l.GetName(); !slices.Contains(labels[key], l.GetValue()) {
					labels[key] = append(labels[key], l.GetValue())
				}
			}
		}
	}
	return labels
}

// TestHostileRequests sends what is hostile to both listeners: no line of the log
// and no label of a metric comes from it, and the server goes on.
func TestHostileRequests(t *testing.T) {
	s := start(t, "-demo", "-identity", "monitor", "-identity-secret", "x", "-new-ids-per-client", "1000")
	s.mustAsk("u")
	s.admin("GET", "/v1/admin/popups", "", "", nil)
	before := s.scrape()
	lines := func() []string { return strings.Split(strings.TrimSuffix(s.Log(), "\n"), "\n") }
	started := len(lines())

	if answered := s.attack(); answered < 1000 {
		t.Errorf("%d requests were answered, want most", answered)
	}

	// All that is logged is that someone was locked out, and that once.
	for range 20 {
		request(t, "GET", s.adminURL+"/v1/admin/popups", "", "Authorization", "Bearer "+marker)
	}
	eventually(t, 10*time.Second, func() error {
		if n := strings.Count(s.Log(), "too many wrong admin tokens"); n != 1 {
			return fmt.Errorf("%d lock-outs are logged, want 1", n)
		}
		return nil
	})
	log := lines()
	for _, line := range log {
		if !json.Valid([]byte(line)) {
			t.Errorf("not a line of the log: %.300q", line)
		}
	}
	if len(log) != started+1 || strings.Contains(s.Log(), marker) {
		t.Errorf("%d lines more than that are logged:\n%.2000s", len(log)-started-1, strings.Join(log[started:], "\n"))
	}

	s.checkLabels(before)
	if p := s.mustAsk("afterwards"); p == nil {
		t.Error("nothing is served afterwards")
	}
}

// attack sends all hostile requests to both listeners and returns how many were
// answered; none may be an error of the server.
func (s *server) attack() (answered int) {
	s.t.Helper()
	for listener, paths := range map[string][]string{
		s.dataURL: {"/v1/poll?uid=*", "/v1/poll?uid=u&placement=*&platform=*&app_version=*&locale=*&country=*&sig=*&a.*=*", "/*", "/v1/actions?uid=*"},
		s.adminURL: {
			"/v1/admin/popups?status=*&cursor=*&limit=*", "/v1/admin/popups/*", "/v1/admin/popups/*/stats?from=*", "/v1/admin/popups/*/rollback",
			"/v1/admin/users/*", "/debug/pprof/*", "/*", "/readyz?*", "/metrics?*",
		},
	} {
		host := strings.TrimPrefix(listener, "http://")
		for i, r := range hostileRequests(host, paths) {
			if i%2 == 0 && listener == s.adminURL { // half of them by someone with the token
				r = strings.Replace(r, "Connection: close", "Connection: close\r\nAuthorization: Bearer "+adminToken, 1)
			}
			status, err := sendRaw(s.t, host, r)
			if err != nil { // a connection that is cut in the middle of 64 KB is fine too
				continue
			}
			answered++
			if status >= 500 && status != http.StatusNotImplemented { // of a Transfer-Encoding
				s.t.Errorf("%.300q is answered with %d", r, status)
			}
		}
	}
	return answered
}

// sendRaw sends bytes on a connection of their own and returns the status of the answer.
func sendRaw(t testing.TB, host, request string) (status int, err error) {
	t.Helper()
	c, err := net.Dial("tcp", host)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(10 * time.Second))
	go io.WriteString(c, request)
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		return 0, err
	}
	return resp.StatusCode, nil
}

// checkLabels looks whether each label of each metric has the values that it had,
// or one of a few that are known.
func (s *server) checkLabels(before map[string][]string) {
	s.t.Helper()
	status := regexp.MustCompile(`^[1-5]\d\d$`)
	for key, values := range s.scrape() {
		known, had := before[key]
		if !had {
			s.t.Errorf("a new metric or label: %s", key)
		}
		for _, v := range values {
			if key == "popupd_admin_requests_total code" && status.MatchString(v) {
				continue
			}
			if !slices.Contains(known, v) || strings.Contains(v, marker) {
				s.t.Errorf("%s has a new value: %q", key, v)
			}
		}
	}
}
