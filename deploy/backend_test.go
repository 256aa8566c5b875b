package deploy

import (
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
)

// backend stands for a popupd behind a balancer. It answers with its name, and keeps
// what it was asked.
type backend struct {
	name        string
	address     string
	server      *httptest.Server
	mu          sync.Mutex
	cuts        bool // it reads requests and ends the connection
	unready     bool // it answers as usual, and 503 at /readyz
	asked       []*http.Request
	connections int
}

func startBackend(t *testing.T, name string) *backend {
	t.Helper()
	b := &backend{name: name}
	b.server = httptest.NewUnstartedServer(b)
	b.server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			b.mu.Lock()
			defer b.mu.Unlock()
			b.connections++
		}
	}
	b.server.Start()
	b.address = b.server.Listener.Addr().String()
	t.Cleanup(b.stop)
	return b
}

// stop has connections to it refused.
func (b *backend) stop() {
	b.server.CloseClientConnections()
	b.server.Close()
}

func (b *backend) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	b.mu.Lock()
	cuts, unready := b.cuts, b.unready
	if r.URL.Path != "/readyz" {
		b.asked = append(b.asked, r)
	}
	b.mu.Unlock()
	switch {
	case r.URL.Path == "/readyz" && unready:
		w.WriteHeader(http.StatusServiceUnavailable)
	case r.URL.Path == "/readyz":
	case cuts:
		panic(http.ErrAbortHandler)
	default:
		_, _ = w.Write([]byte(b.name))
	}
}

// behave changes what the backend does, and forgets what it was asked.
func (b *backend) behave(cuts, unready bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.cuts, b.unready, b.asked = cuts, unready, nil
}

// requests returns what the backend was asked, as method and path.
func (b *backend) requests() (asked []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, r := range b.asked {
		asked = append(asked, r.Method+" "+r.URL.Path)
	}
	return asked
}

// forwarded returns whom the latest request is said to come from.
func (b *backend) forwarded() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.asked) == 0 {
		return ""
	}
	return strings.Join(b.asked[len(b.asked)-1].Header["X-Forwarded-For"], " + ")
}
