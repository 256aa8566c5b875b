//go:build linux

package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/popupd/popupd/internal/testbed"
)

const adminToken = "e2e-admin-token"

// server is a popupd of a test, whose failures end the test. Its two addresses
// stay the same when it is started again.
type server struct {
	*testbed.Popupd
	t        testing.TB
	dataURL  string // http://host:port of the data plane
	adminURL string // and of the control plane
}

// start runs popupd with a fresh data directory and waits until it is ready.
func start(t testing.TB, args ...string) *server {
	t.Helper()
	s := launch(t, args...)
	s.waitReady()
	return s
}

// launch is start without the wait.
func launch(t testing.TB, args ...string) *server {
	t.Helper()
	return launchWith(t, testbed.PopupdOptions{Flags: args})
}

// launchIn is launch on a data directory that is there already.
func launchIn(t testing.TB, data string, args ...string) *server {
	t.Helper()
	return launchWith(t, testbed.PopupdOptions{Data: data, Flags: args})
}

// launchWith runs a popupd until the test ends, on addresses that are free. Without
// a binary or a data directory it gets those of the test.
func launchWith(t testing.TB, o testbed.PopupdOptions) *server {
	t.Helper()
	if o.Binary == "" {
		o.Binary = binary
	}
	if o.Data == "" {
		o.Data = t.TempDir()
	}
	o.Token = adminToken
	s := &server{Popupd: bed.NewPopupd(o), t: t}
	t.Cleanup(func() {
		s.Close()
		if strings.Contains(s.Log(), "DATA RACE") {
			t.Error("popupd had a data race")
		}
		if t.Failed() {
			t.Logf("log of popupd:\n%s", tail(s.Log(), 8000))
		}
	})
	s.mustStart()
	s.dataURL, s.adminURL = "http://"+s.Address, "http://"+s.Admin
	return s
}

func tail(s string, n int) string { return s[max(0, len(s)-n):] }

// mustStart starts the process and waits until it has said where it listens.
func (s *server) mustStart() {
	s.t.Helper()
	if err := s.Start(); err != nil {
		s.t.Fatal(err)
	}
}

// mustSpawn starts the process and does not wait until it listens.
func (s *server) mustSpawn() {
	s.t.Helper()
	if err := s.Spawn(); err != nil {
		s.t.Fatal(err)
	}
}

// restart starts a server that has ended on the same data and addresses.
func (s *server) restart() {
	s.t.Helper()
	s.mustStart()
	s.waitReady()
}

// stop asks popupd to end, and waits for it.
func (s *server) stop() {
	if err := s.Stop(); err != nil {
		s.t.Error(err)
	}
}

// send sends a signal and does not wait. SIGTERM ends the process.
func (s *server) send(sig syscall.Signal) {
	if err := s.Signal(sig); err != nil {
		s.t.Error(err)
	}
}

func (s *server) waitReady() {
	s.t.Helper()
	if err := s.WaitReady(s.t.Context()); err != nil {
		s.t.Fatal(err)
	}
}

// eventually tries until there is no error, or fails the test with the last one.
func eventually(t testing.TB, within time.Duration, try func() error) {
	t.Helper()
	deadline := time.Now().Add(within)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		err := try()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("not within %v: %v", within, err)
		}
		<-tick.C
	}
}

var client = &http.Client{
	Timeout:   10 * time.Second,
	Transport: &http.Transport{MaxIdleConnsPerHost: 64, DisableCompression: true},
}

func (s *server) get(url string) (int, []byte, error) {
	resp, err := client.Get(url)
	if err != nil {
		return 0, nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return resp.StatusCode, body, err
}

// pollAnswer is what a poll returned.
type pollAnswer struct {
	Popup struct {
		ID      uint32 `json:"id"`
		Key     string `json:"key"`
		Version uint32 `json:"version"`
		Variant string `json:"variant"`
	} `json:"popup"`
	Token       string `json:"token"`
	NextPollSec int    `json:"next_poll_sec"`
}

// ask polls once for the placement default, with more parameters if there are any.
// The popup is nil if there was none.
func (s *server) ask(user string, more ...string) (*pollAnswer, error) {
	query := strings.Join(append([]string{"uid=" + url.QueryEscape(user)}, more...), "&")
	status, body, err := s.get(s.dataURL + "/v1/poll?" + query)
	switch {
	case err != nil:
		return nil, err
	case status == http.StatusNoContent:
		return nil, nil
	case status != http.StatusOK:
		return nil, &statusError{status, string(body)}
	}
	p := new(pollAnswer)
	if err := json.Unmarshal(body, p); err != nil {
		return nil, fmt.Errorf("poll answers %q: %w", body, err)
	}
	return p, nil
}

// postedPoll is the body of a POST /v1/poll.
type postedPoll struct {
	User       string   `json:"uid"`
	RID        string   `json:"rid"`
	Placements []string `json:"placements"`
	Showing    []string `json:"showing"`
}

// pollAnswers is what a POST /v1/poll returned.
type pollAnswers struct {
	Popups   []*pollAnswer `json:"popups"`
	Withdraw []string      `json:"withdraw"`
}

// askPost polls once with POST.
func (s *server) askPost(q *postedPoll) (*pollAnswers, error) {
	body, _ := json.Marshal(q)
	resp, err := client.Post(s.dataURL+"/v1/poll", "text/plain", bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	switch {
	case err != nil:
		return nil, err
	case resp.StatusCode != http.StatusOK:
		return nil, &statusError{resp.StatusCode, string(answer)}
	}
	p := new(pollAnswers)
	if err := json.Unmarshal(answer, p); err != nil {
		return nil, fmt.Errorf("poll answers %q: %w", answer, err)
	}
	return p, nil
}

// statusError is an answer that is not what was asked for.
type statusError struct {
	status int
	body   string
}

func (r *statusError) Error() string { return fmt.Sprintf("answered %d: %s", r.status, r.body) }

// mustAsk is ask where an error ends the test.
func (s *server) mustAsk(user string) *pollAnswer {
	s.t.Helper()
	p, err := s.ask(user)
	if err != nil {
		s.t.Fatal(err)
	}
	return p
}

// act reports an action and returns the status.
func (s *server) act(token, action string) (int, error) { return s.actAgo(token, action, 0) }

// actAgo is act for what happened a while ago.
func (s *server) actAgo(token, action string, age time.Duration) (int, error) {
	body, _ := json.Marshal(map[string]any{"token": token, "action": action, "age_ms": age.Milliseconds()})
	resp, err := client.Post(s.dataURL+"/v1/actions", "text/plain", bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	if resp.StatusCode == http.StatusServiceUnavailable && resp.Header.Get("Retry-After") == "" {
		s.t.Error("a 503 to an action says nothing of when to try again")
	}
	_, err = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode, err
}

// mustAct is act where another status ends the test.
func (s *server) mustAct(token, action string, want int) {
	s.t.Helper()
	if status, err := s.act(token, action); err != nil || status != want {
		s.t.Fatalf("%s: %d, %v; want %d", action, status, err, want)
	}
}

// admin calls the control plane and decodes a 2xx answer into out, if any.
func (s *server) admin(method, path, body, ifMatch string, out any) int {
	s.t.Helper()
	req, err := http.NewRequest(method, s.adminURL+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+adminToken)
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	if ifMatch != "" {
		req.Header.Set("If-Match", ifMatch)
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
	if out != nil && resp.StatusCode < 300 {
		if err := json.Unmarshal(answer, out); err != nil {
			s.t.Fatalf("%s %s answers %q: %v", method, path, answer, err)
		}
	}
	if resp.StatusCode >= 400 {
		s.t.Logf("%s %s answers %d: %s", method, path, resp.StatusCode, answer)
	}
	return resp.StatusCode
}

// hasty gives up early: what the control plane does may hang on its database.
var hasty = &http.Client{Timeout: 3 * time.Second, Transport: client.Transport}

// forget resets a user and returns the status.
func (s *server) forget(user string) (int, error) {
	req, err := http.NewRequest(http.MethodDelete, s.adminURL+"/v1/admin/users/"+url.PathEscape(user), nil)
	if err != nil {
		return 0, err
	}
	req.Header.Set("Authorization", "Bearer "+adminToken)
	resp, err := hasty.Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode, err
}

// mustForget is forget where it ends the test that the user is not reset.
func (s *server) mustForget(user string) {
	s.t.Helper()
	if status, err := s.forget(user); err != nil || status != http.StatusAccepted {
		s.t.Fatalf("reset %s: %d, %v", user, status, err)
	}
}

// create makes an active popup with one variant.
func (s *server) create(key string, frequency string) {
	s.t.Helper()
	body := fmt.Sprintf(`{"key":%q,"status":"active","frequency":%s,"variants":[{"key":"a","content":{"title":%q}}]}`, key, frequency, key)
	if status := s.admin("POST", "/v1/admin/popups", body, "", nil); status != http.StatusCreated {
		s.t.Fatalf("create %s: %d", key, status)
	}
}

// configure replaces the settings.
func (s *server) configure(settings string) {
	s.t.Helper()
	if status := s.admin("PUT", "/v1/admin/settings", settings, "*", nil); status != http.StatusOK {
		s.t.Fatalf("settings %s: %d", settings, status)
	}
}
