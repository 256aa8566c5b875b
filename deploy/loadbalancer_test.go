package deploy

import (
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/popupd/popupd/internal/storetest"
	"github.com/popupd/popupd/internal/testbed"
)

// edge is a balancer with the file of this directory, before backends s1, s2 and so on.
type edge struct {
	t        *testing.T
	balancer *testbed.Balancer
	backends []*backend
	client   *http.Client // speaks HTTP/2
	user     string       // who goes to s2
}

// TestLoadBalancers holds HAProxy and nginx, with the files of this directory, to what
// docs/operations.md says of them.
func TestLoadBalancers(t *testing.T) {
	if testing.Short() {
		t.Skip("starts HAProxy and nginx")
	}
	for _, program := range []string{"haproxy", "nginx"} {
		t.Run(program, func(t *testing.T) {
			t.Parallel() // it waits more than it works
			e := startEdge(t, program)
			e.user = e.userOf("s2")
			t.Run("file", func(t *testing.T) { checkFile(t, program, e.balancer.Conf) })
			t.Run("edge", func(t *testing.T) { e.with(t).checkEdge() })
			t.Run("users stay", func(t *testing.T) { e.with(t).checkUsersStay() })
			t.Run("a server that cuts", func(t *testing.T) { e.with(t).checkCut() })
			if program == "haproxy" { // nginx does not ask
				t.Run("a server that is not ready", func(t *testing.T) { e.with(t).checkUnready() })
			}
			t.Run("a server that refuses", func(t *testing.T) { e.with(t).checkRefused() })
		})
	}
}

func startEdge(t *testing.T, program string) *edge {
	e := &edge{t: t}
	for n := range 4 {
		e.backends = append(e.backends, startBackend(t, fmt.Sprint("s", n+1)))
	}
	e.balancer = storetest.StartBalancer(t, testbed.BalancerOptions{Program: program, Servers: e.servers(1, 2, 3), Check: 50 * time.Millisecond})
	e.client = e.newClient("h2")
	return e
}

// newClient returns a client that speaks h2, or http/1.1 with a connection for each request.
func (e *edge) newClient(protocol string) *http.Client {
	transport := &http.Transport{
		TLSClientConfig:   &tls.Config{RootCAs: e.balancer.Roots, NextProtos: []string{protocol}},
		ForceAttemptHTTP2: protocol == "h2", DisableKeepAlives: protocol != "h2",
	}
	e.t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{
		Transport: transport, Timeout: 10 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

func (e *edge) with(t *testing.T) *edge {
	other := *e
	other.t = t
	return &other
}

// servers returns the addresses of backends, with holes for those that are not given.
func (e *edge) servers(numbers ...int) []string {
	list := make([]string, len(e.backends))
	for _, n := range numbers {
		list[n-1] = e.backends[n-1].address
	}
	return list
}

// send returns the status and the body of the answer.
func (e *edge) send(method, url, body string) (*http.Response, string) {
	e.t.Helper()
	req, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		e.t.Fatal(err)
	}
	req.Header.Set("X-Forwarded-For", "203.0.113.9") // as a client may claim
	resp, err := e.client.Do(req)
	if err != nil {
		e.t.Fatal(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		e.t.Fatal(err)
	}
	return resp, string(answer)
}

// ask is send over TLS to a path.
func (e *edge) ask(method, path, body string) (status int, answer string) {
	e.t.Helper()
	resp, answer := e.send(method, "https://"+e.balancer.HTTPS+path, body)
	return resp.StatusCode, answer
}

// checkFile has the program itself read its file, which it must do without a warning.
func checkFile(t *testing.T, program, conf string) {
	args := map[string][]string{"haproxy": {"-c", "-V", "-f", conf}, "nginx": {"-t", "-e", "stderr", "-g", "user root;", "-c", conf}}[program]
	path, err := testbed.LookPath(program)
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(path, args...).CombinedOutput()
	if text := strings.ToLower(string(out)); err != nil || strings.Contains(text, "warn") || strings.Contains(text, "deprecated") {
		t.Errorf("%s %v: %v\n%s", program, args, err, out)
	}
}

func (e *edge) checkEdge() {
	t := e.t
	resp, name := e.send(http.MethodGet, "https://"+e.balancer.HTTPS+"/v1/poll?uid=u", "")
	if resp.Proto != "HTTP/2.0" || resp.StatusCode != http.StatusOK {
		t.Errorf("got %s over %s, want 200 over HTTP/2.0", resp.Status, resp.Proto)
	}
	for _, b := range e.backends {
		if b.name == name && b.forwarded() != "127.0.0.1" {
			t.Errorf("X-Forwarded-For is %q, want the client alone: 127.0.0.1", b.forwarded())
		}
	}
	old := e.with(t)
	old.client = e.newClient("http/1.1")
	if resp, _ := old.send(http.MethodGet, "https://"+e.balancer.HTTPS+"/v1/poll?uid=u", ""); resp.Proto != "HTTP/1.1" || resp.StatusCode != http.StatusOK {
		t.Errorf("got %s over %s, want 200 over HTTP/1.1", resp.Status, resp.Proto)
	}
	resp, _ = e.send(http.MethodGet, "http://"+e.balancer.HTTP+"/v1/poll?uid=u", "")
	if got := resp.Header.Get("Location"); resp.StatusCode != http.StatusPermanentRedirect || !strings.HasPrefix(got, "https://") || !strings.HasSuffix(got, "/v1/poll?uid=u") {
		t.Errorf("without TLS: %s to %q, want 308 to https", resp.Status, got)
	}
	for _, path := range []string{"/", "/metrics", "/livez", "/readyz", "/debug/pprof/", "/v1/admin/popups", "/v1/poll/", "/live"} {
		if status, _ := e.ask(http.MethodGet, path, ""); status != http.StatusNotFound {
			t.Errorf("%s: %d, want 404", path, status)
		}
	}
	for _, path := range []string{"/sdk.js", "/sdk-0123.js", "/sdk.d.ts"} {
		if status, _ := e.ask(http.MethodGet, path, ""); status != http.StatusOK {
			t.Errorf("%s: %d, want 200", path, status)
		}
	}
	for size, want := range map[int]int{64 << 10: http.StatusOK, 64<<10 + 1: http.StatusRequestEntityTooLarge} {
		if status, _ := e.ask(http.MethodPost, "/v1/actions?uid=u", strings.Repeat("x", size)); status != want {
			t.Errorf("a body of %d bytes: %d, want %d", size, status, want)
		}
	}
	connections := 0
	for range 200 {
		e.ask(http.MethodPost, "/v1/poll?uid=u", "{}")
	}
	for _, b := range e.backends {
		b.mu.Lock()
		connections += b.connections
		b.mu.Unlock()
	}
	if connections > 100 { // HAProxy's checks are among them
		t.Errorf("%d connections to the servers for some 200 requests", connections)
	}
}

// users are how many users are looked at.
const users = 1000

// where returns which backend each user goes to, by GET, POST and with an action.
func (e *edge) where() []string {
	e.t.Helper()
	servers := make([]string, users)
	for n := range servers {
		path := fmt.Sprintf("?uid=user-%d", n)
		_, servers[n] = e.ask(http.MethodGet, "/v1/poll"+path, "")
		if n%10 == 0 {
			_, posted := e.ask(http.MethodPost, "/v1/poll"+path, "{}")
			_, acted := e.ask(http.MethodPost, "/v1/actions"+path, "{}")
			if posted != servers[n] || acted != servers[n] {
				e.t.Fatalf("user %d: poll %q, posted poll %q, action %q: want one server", n, servers[n], posted, acted)
			}
		}
	}
	return servers
}

// reload has the balancer take other servers, and waits until it does.
func (e *edge) reload(changed *backend, in bool, numbers ...int) {
	e.t.Helper()
	if err := e.balancer.Reload(e.servers(numbers...)); err != nil {
		e.t.Fatal(err)
	}
	e.until(func() bool {
		changed.behave(false, false)
		for n := range 100 {
			e.ask(http.MethodGet, fmt.Sprintf("/v1/poll?uid=user-%d", n), "")
		}
		return (len(changed.requests()) > 0) == in
	})
}

func (e *edge) until(done func() bool) {
	e.t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	for !done() {
		if time.Now().After(deadline) {
			e.t.Fatal("not within 10 s")
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// checkUsersStay: each user has one server. Where one goes, its users alone move, and
// come back with it; where one is added, it takes its share from all, and nobody moves
// between the others.
func (e *edge) checkUsersStay() {
	t := e.t
	before := e.where()
	count := make(map[string]int)
	for _, name := range before {
		count[name]++
	}
	if len(count) != 3 {
		t.Fatalf("users go to %v, want three servers", count)
	}
	for name, n := range count {
		if n < users*20/100 || n > users*48/100 {
			t.Errorf("%d of %d users go to %s: %v", n, users, name, count)
		}
	}
	e.reload(e.backends[1], false, 1, 3)
	without := e.where()
	e.reload(e.backends[1], true, 1, 2, 3)
	if again := e.where(); moved(before, again) != 0 {
		t.Errorf("%d users are elsewhere once the server is back", moved(before, again))
	}
	e.reload(e.backends[3], true, 1, 2, 3, 4)
	more := e.where()
	for n := range users {
		if before[n] != "s2" && without[n] != before[n] {
			t.Fatalf("user %d moved from %s to %s when s2 was removed", n, before[n], without[n])
		}
		if more[n] != "s4" && more[n] != before[n] {
			t.Fatalf("user %d moved from %s to %s when s4 was added", n, before[n], more[n])
		}
	}
	t.Logf("%v; moved when one of three is removed: %.1f %%; when a fourth is added: %.1f %%",
		count, 100*float64(moved(before, without))/users, 100*float64(moved(before, more))/users)
	e.reload(e.backends[3], false, 1, 2, 3)
}

func moved(before, after []string) (n int) {
	for i := range before {
		if before[i] != after[i] {
			n++
		}
	}
	return n
}

// userOf returns a user who goes to a backend.
func (e *edge) userOf(name string) string {
	e.t.Helper()
	for n := range users {
		uid := fmt.Sprint("user-", n)
		if _, server := e.ask(http.MethodGet, "/v1/poll?uid="+uid, ""); server == name {
			return uid
		}
	}
	e.t.Fatalf("nobody goes to %s", name)
	return ""
}

// checkCut: what a server may have read is sent again only if it counts once.
func (e *edge) checkCut() {
	cut := e.backends[1]
	e.client = e.newClient("http/1.1") // a client of HTTP/2 is told by HAProxy to try again, and does
	for _, c := range []struct {
		method, path string
		again        bool
	}{
		{http.MethodGet, "/v1/poll", false},
		{http.MethodPost, "/v1/poll", false},
		{http.MethodPost, "/v1/actions", true},
		{http.MethodPost, "/v1/events", true},
	} {
		for _, b := range e.backends {
			b.behave(b == cut, false)
		}
		e.until(func() bool { // nginx leaves alone for a second whom it has seen fail
			status, name := e.ask(c.method, c.path+"?uid="+e.user, "{}")
			if len(cut.requests()) == 0 {
				return false
			}
			if c.again != (status == http.StatusOK && name != "s2") {
				e.t.Errorf("%s %s: %d %s; is it to be sent again: %v", c.method, c.path, status, name, c.again)
			}
			return true
		})
		if n := len(cut.requests()); n != 1 {
			e.t.Errorf("%s %s was sent %d times to the server that cut it", c.method, c.path, n)
		}
	}
	cut.behave(false, false)
}

// checkUnready: a server that is not ready gets no requests.
func (e *edge) checkUnready() {
	b := e.backends[1]
	b.behave(false, true)
	e.until(func() bool {
		status, name := e.ask(http.MethodGet, "/v1/poll?uid="+e.user, "")
		if status != http.StatusOK {
			e.t.Fatalf("poll: %d", status)
		}
		return name != "s2"
	})
	b.behave(false, false)
	e.until(func() bool { _, name := e.ask(http.MethodGet, "/v1/poll?uid="+e.user, ""); return name == "s2" })
}

// checkRefused: what no server has got goes to another one, from the first request on.
func (e *edge) checkRefused() {
	e.backends[1].stop()
	polls := [][2]string{{http.MethodGet, "/v1/poll"}, {http.MethodPost, "/v1/poll"}}
	for _, first := range polls {
		time.Sleep(2100 * time.Millisecond) // nginx tries it again
		for n := range 300 {
			for _, c := range [][2]string{first, polls[0], polls[1], {http.MethodPost, "/v1/actions"}} {
				if status, name := e.ask(c[0], fmt.Sprintf("%s?uid=user-%d", c[1], n), "{}"); status != http.StatusOK || name == "s2" {
					e.t.Fatalf("%s %s of user %d: %d %s", c[0], c[1], n, status, name)
				}
			}
		}
	}
}
