//go:build linux

package e2e

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// reply is what came back to a request.
type reply struct {
	status int
	header http.Header
	body   string
}

// request sends a request to the data plane on a connection of its own. Of header, each
// two are a name and a value.
func (s *server) request(method, target, body string, header ...string) reply {
	s.t.Helper()
	req, err := http.NewRequest(method, s.dataURL+target, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	req.Close = true
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := client.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return reply{resp.StatusCode, resp.Header, string(answer)}
}

// cut sends a request on a kept-alive connection that is reset once the server has
// answered, and returns what the client has not seen.
func (s *server) cut(method, target, body string) string {
	s.t.Helper()
	conn, err := net.Dial("tcp", s.Address)
	if err != nil {
		s.t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.(*net.TCPConn).SetLinger(0); err != nil { // Close resets it
		s.t.Fatal(err)
	}
	if err := conn.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		s.t.Fatal(err)
	}
	answers := bufio.NewReader(conn)
	exchange := func(method, target, body string) string {
		req, err := http.NewRequest(method, s.dataURL+target, strings.NewReader(body))
		if err != nil {
			s.t.Fatal(err)
		}
		req.Header.Set("Content-Type", "text/plain")
		if err := req.Write(conn); err != nil {
			s.t.Fatal(err)
		}
		resp, err := http.ReadResponse(answers, req)
		if err != nil {
			s.t.Fatal(err)
		}
		answer, err := io.ReadAll(resp.Body)
		if err != nil {
			s.t.Fatal(err)
		}
		return string(answer)
	}
	exchange("GET", "/v1/poll?uid=other&placement=none", "")
	return exchange(method, target, body)
}

// TestLostAnswers: a poll whose answer nobody saw, for whatever reason, costs its user
// nothing: the next one shows the popup.
func TestLostAnswers(t *testing.T) {
	t.Parallel()
	d := newDeployment(t, startStores(t), "lost", "-allow-origins", "https://shop.example")
	s := d.server()
	s.create("one", "{}")
	s.post(`{"key":"confirmed","status":"active","frequency":{"confirm_sec":1,"max_impressions":1},"placements":["confirmed"],"variants":[{"key":"a","content":{}}]}`)

	t.Run("a page of another origin", func(t *testing.T) {
		r := s.request("GET", "/v1/poll?uid=origin", "", "Origin", "https://www.shop.example")
		if r.status != http.StatusForbidden || !strings.Contains(r.body, `"origin_not_allowed"`) {
			t.Errorf("answered %d %s, want 403 origin_not_allowed", r.status, r.body)
		}
		r = s.request("GET", "/v1/poll?uid=origin", "", "Origin", "https://shop.example")
		if r.status != http.StatusOK || r.header.Get("Access-Control-Allow-Credentials") != "true" {
			t.Errorf("answered %d, Access-Control-Allow-Credentials %q; want 200 and true", r.status, r.header.Get("Access-Control-Allow-Credentials"))
		}
	})
	t.Run("a prefetch", func(t *testing.T) {
		if r := s.request("GET", "/v1/poll?uid=prefetch", "", "Sec-Purpose", "prefetch"); r.status != http.StatusNoContent || r.header.Get("Popup-Next-Poll") == "" {
			t.Errorf("answered %d, Popup-Next-Poll %q; want 204 and when to come again", r.status, r.header.Get("Popup-Next-Poll"))
		}
		s.mustShow("prefetch", "one")
	})
	t.Run("a page that never shows it", func(t *testing.T) {
		const at = "placement=confirmed"
		s.mustShow("confirms", "confirmed", at)
		var seen *pollAnswer
		eventually(t, 5*time.Second, func() (err error) {
			if seen, err = s.ask("confirms", at); err == nil && seen == nil {
				err = fmt.Errorf("nothing is shown")
			}
			return err
		})
		s.mustAct(seen.Token, "view", accepted)
		s.staysAway("confirms", 1200*time.Millisecond, at) // past confirm_sec
	})
	t.Run("a connection that breaks", func(t *testing.T) {
		const poll = "/v1/poll?uid=cut&rid=0123456789abcdef"
		lost := s.cut("GET", poll, "")
		if again := s.request("GET", poll, ""); lost == "" || again.status != http.StatusOK || again.body != lost {
			t.Errorf("answered %s, then %d %s; want the same", lost, again.status, again.body)
		}
		if other := s.request("GET", "/v1/poll?uid=cut&rid=fedcba9876543210", ""); other.status != http.StatusNoContent {
			t.Errorf("another request is answered %d, want 204", other.status)
		}
	})
	t.Run("a POST on a connection that breaks", func(t *testing.T) {
		const poll = `{"uid":"posts","rid":"0123456789abcdef","placements":["default","confirmed"]}`
		lost := s.cut("POST", "/v1/poll", poll)
		again := s.request("POST", "/v1/poll", poll, "Content-Type", "text/plain")
		if strings.Count(lost, `"token"`) != 2 || again.status != http.StatusOK || again.body != lost {
			t.Errorf("answered %s, then %d %s; want two popups, and the same", lost, again.status, again.body)
		}
	})
	s.waitDrained()
	d.wantRows("impressions", 4+1+2, "SELECT COUNT(*) FROM event WHERE action = 1")
	if err := checkInvariants(d.db); err != nil {
		t.Error(err)
	}
}
