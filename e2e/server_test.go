package e2e

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

const adminToken = "e2e-admin-token"

// server is a running popupd. Its two addresses stay the same when it is
// started again.
type server struct {
	t      testing.TB
	binary string
	args   []string
	env    []string // besides the environment of the test
	data   string   // directory
	poll   string   // http://host:port of the data plane
	rest   string   // and of the control plane
	starts int

	mu     sync.Mutex
	cmd    *exec.Cmd
	exited chan struct{}
	ending bool     // cmd was told to end
	falls  []string // ends that nobody asked for
	logs   bytes.Buffer
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
	return launchIn(t, t.TempDir(), args...)
}

// launchIn is launch on a data directory that is there already.
func launchIn(t testing.TB, data string, args ...string) *server {
	t.Helper()
	s := &server{t: t, binary: binary, data: data, args: args}
	s.open()
	return s
}

// launchWith is launch with variables.
func launchWith(t testing.TB, env []string, args ...string) *server {
	t.Helper()
	s := &server{t: t, binary: binary, data: t.TempDir(), args: args, env: env}
	s.open()
	return s
}

// open runs the server for the first time and until the test ends, on addresses that are free.
func (s *server) open() {
	s.t.Helper()
	t := s.t
	t.Cleanup(func() {
		s.kill()
		if strings.Contains(s.log(), "DATA RACE") {
			t.Error("popupd had a data race")
		}
		if t.Failed() {
			s.mu.Lock()
			defer s.mu.Unlock()
			t.Logf("log of popupd:\n%s", tail(s.logs.String(), 8000))
		}
	})
	s.run("-listen", "127.0.0.1:0", "-admin-listen", "127.0.0.1:0")
}

func tail(s string, n int) string { return s[max(0, len(s)-n):] }

// run starts the process and waits until it has said where it listens.
func (s *server) run(listen ...string) {
	s.t.Helper()
	addresses, exited := s.spawn(listen...)
	for range 2 {
		select {
		case a := <-addresses:
			switch { // clients go on reading the addresses while it starts again
			case a[0] == "data" && s.poll == "":
				s.poll = "http://" + a[1]
			case a[0] == "control" && s.rest == "":
				s.rest = "http://" + a[1]
			}
		case <-exited:
			s.t.Fatalf("popupd ended:\n%s", s.log())
		case <-time.After(20 * time.Second):
			s.t.Fatalf("popupd does not listen:\n%s", s.log())
		}
	}
}

// spawn starts the process. It will say the planes and addresses at which it
// listens, and when it has ended.
func (s *server) spawn(listen ...string) (addresses <-chan [2]string, ended <-chan struct{}) {
	s.t.Helper()
	args := append([]string{"-data", s.data, "-admin-token", adminToken, "-log", "json", "-drain", "0s"}, listen...)
	cmd := exec.Command(s.binary, append(args, s.args...)...)
	cmd.Env = append(withoutOurs(os.Environ()), s.env...)
	stderr, err := cmd.StderrPipe()
	if err != nil {
		s.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	exited := make(chan struct{})
	s.mu.Lock()
	s.cmd, s.exited, s.ending = cmd, exited, false
	s.mu.Unlock()
	s.starts++

	said := make(chan [2]string, 2)
	go func() {
		defer close(exited)
		scanner := bufio.NewScanner(stderr)
		scanner.Buffer(nil, 1<<20)
		for scanner.Scan() {
			s.mu.Lock()
			s.logs.Write(scanner.Bytes())
			s.logs.WriteByte('\n')
			s.mu.Unlock()
			var line struct{ Msg, Plane, Address string }
			if json.Unmarshal(scanner.Bytes(), &line) == nil && line.Msg == "listening" {
				said <- [2]string{line.Plane, line.Address}
			}
		}
		cmd.Wait()
		s.mu.Lock()
		defer s.mu.Unlock()
		if !s.ending {
			s.falls = append(s.falls, cmd.ProcessState.String())
		}
	}()
	return said, exited
}

func (s *server) log() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.logs.String()
}

// withoutOurs drops the variables that popupd reads.
func withoutOurs(environ []string) []string {
	var kept []string
	for _, e := range environ {
		if !strings.HasPrefix(e, "POPUPD_") {
			kept = append(kept, e)
		}
	}
	return kept
}

// again starts a server that has ended on the same data and addresses.
func (s *server) again() {
	s.t.Helper()
	s.run(s.listen()...)
	s.waitReady()
}

// listen returns the arguments that give the server its addresses again.
func (s *server) listen() []string {
	return []string{"-listen", strings.TrimPrefix(s.poll, "http://"), "-admin-listen", strings.TrimPrefix(s.rest, "http://")}
}

// expectEnd says that the process will end by itself.
func (s *server) expectEnd() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ending = true
}

// kill is kill -9, and waits for the end.
func (s *server) kill() { s.signal(syscall.SIGKILL) }

// stop asks politely, and waits for the end.
func (s *server) stop() { s.signal(syscall.SIGTERM) }

// send sends a signal and does not wait. SIGTERM ends the process.
func (s *server) send(sig syscall.Signal) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ending = s.ending || sig == syscall.SIGTERM
	s.cmd.Process.Signal(sig)
}

func (s *server) signal(sig syscall.Signal) {
	s.mu.Lock()
	cmd, exited := s.cmd, s.exited
	s.ending = true
	s.mu.Unlock()
	if cmd == nil {
		return // it could not be started
	}
	cmd.Process.Signal(sig)
	select {
	case <-exited:
	case <-time.After(30 * time.Second):
		cmd.Process.Kill()
		s.t.Errorf("popupd did not end within 30 s of %v", sig)
	}
}

// fallen returns how processes ended that nobody had told to.
func (s *server) fallen() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.falls
}

// pid returns the id of the process that was started last.
func (s *server) pid() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.cmd.Process.Pid
}

func (s *server) waitReady() {
	s.t.Helper()
	eventually(s.t, 30*time.Second, func() error {
		status, _, err := s.get(s.rest + "/readyz")
		if err == nil && status != http.StatusOK {
			err = fmt.Errorf("readyz answers %d", status)
		}
		return err
	})
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

// shown is what a poll returned.
type shown struct {
	Popup struct {
		ID      uint32 `json:"id"`
		Key     string `json:"key"`
		Version uint32 `json:"version"`
		Variant string `json:"variant"`
	} `json:"popup"`
	Token       string `json:"token"`
	NextPollSec int    `json:"next_poll_sec"`
}

// ask polls once for the placement default. The popup is nil if there was none.
func (s *server) ask(user string) (*shown, error) {
	status, body, err := s.get(s.poll + "/v1/poll?uid=" + url.QueryEscape(user))
	switch {
	case err != nil:
		return nil, err
	case status == http.StatusNoContent:
		return nil, nil
	case status != http.StatusOK:
		return nil, &refused{status, string(body)}
	}
	p := new(shown)
	if err := json.Unmarshal(body, p); err != nil {
		return nil, fmt.Errorf("poll answers %q: %w", body, err)
	}
	return p, nil
}

// refused is an answer that is not what was asked for.
type refused struct {
	status int
	body   string
}

func (r *refused) Error() string { return fmt.Sprintf("answered %d: %s", r.status, r.body) }

// mustAsk is ask where an error ends the test.
func (s *server) mustAsk(user string) *shown {
	s.t.Helper()
	p, err := s.ask(user)
	if err != nil {
		s.t.Fatal(err)
	}
	return p
}

// act reports an action and returns the status.
func (s *server) act(token, action string) (int, error) {
	body, _ := json.Marshal(map[string]string{"token": token, "action": action})
	resp, err := client.Post(s.poll+"/v1/actions", "text/plain", bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode, err
}

// admin calls the control plane and decodes a 2xx answer into out, if any.
func (s *server) admin(method, path, body, ifMatch string, out any) int {
	s.t.Helper()
	req, err := http.NewRequest(method, s.rest+path, strings.NewReader(body))
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

// create makes an active popup with one variant.
func (s *server) create(key string, frequency string) {
	s.t.Helper()
	body := fmt.Sprintf(`{"key":%q,"status":"active","frequency":%s,"variants":[{"key":"a","content":{"title":%q}}]}`, key, frequency, key)
	if status := s.admin("POST", "/v1/admin/popups", body, "", nil); status != http.StatusCreated {
		s.t.Fatalf("create %s: %d", key, status)
	}
}
