package console_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"github.com/popupd/popupd/console"
	"github.com/popupd/popupd/docs"
	"github.com/popupd/popupd/internal/apitest"
	"github.com/popupd/popupd/popup"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	token      = "secret-token"
	popupsPath = "/v1/admin/popups"
	reloadPath = "/v1/admin/reload"
)

// plane is a console with a part that does next to nothing, behind a client
// that holds every answer against docs/openapi.yaml.
type plane struct {
	*apitest.Client
	apitest.Env
	t        testing.TB
	config   console.Config
	server   *console.Server
	registry *prometheus.Registry
	tokens   named
	members  members

	mu      sync.Mutex
	failing error // of the part
	reloads int
	callers []console.Caller // of reload
}

func newPlane(t testing.TB) *plane {
	p := &plane{t: t, registry: prometheus.NewRegistry()}
	p.members.now, p.members.list = p.Clock, map[string]popup.ConsoleSession{}
	p.config = console.Config{
		Routes: []console.Route{
			{Method: "GET", Path: popupsPath, Endpoint: p.list, Role: popup.RoleViewer},
			{Method: "POST", Path: reloadPath, Endpoint: p.reload, Role: popup.RolePublisher},
		},
		Token: token, Tokens: &p.tokens, Sessions: &p.members, Pages: logInPage{}, Ready: p.Readiness, OpenAPI: docs.OpenAPI, Version: "v0", Now: p.Clock, Log: p.Logger(),
		Registerer: p.registry, Gatherer: p.registry,
	}
	server, err := console.New(p.config)
	if err != nil {
		t.Fatal(err)
	}
	p.server = server
	p.Client = apitest.NewClient(t, server, token)
	return p
}

func (p *plane) list(w http.ResponseWriter, _ *http.Request) error {
	console.WriteJSON(w, http.StatusOK, map[string]any{"items": []string{}, "next_cursor": nil, "total": 0})
	return nil
}

func (p *plane) reload(w http.ResponseWriter, r *http.Request) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.failing != nil {
		return p.failing
	}
	p.reloads++
	p.callers = append(p.callers, console.CallerOf(r))
	console.WriteJSON(w, http.StatusOK, map[string]int{"revision": p.reloads})
	return nil
}

// fail has the part fail from now on.
func (p *plane) fail(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.failing = err
}

func TestConfigIsComplete(t *testing.T) {
	if _, err := console.New(console.Config{}); err == nil {
		t.Error("an empty config was accepted")
	}
	c := newPlane(t).config
	c.Registerer = nil
	for _, role := range []popup.Role{"", "root"} {
		c.Routes = []console.Route{{Method: "GET", Path: popupsPath, Endpoint: func(http.ResponseWriter, *http.Request) error { return nil }, Role: role}}
		if _, err := console.New(c); err == nil {
			t.Errorf("an operation for the role %q was accepted", role)
		}
	}
}

func TestServeAndShutdown(t *testing.T) {
	p := newPlane(t)
	ln := listen(t)
	done := make(chan error, 1)
	go func() { done <- p.server.Serve(ln) }()
	p.URL = "http://" + ln.Addr().String()
	p.Want(200, "", "GET", "/livez", "")
	if err := p.server.Shutdown(context.Background()); err != nil {
		t.Errorf("Shutdown: %v", err)
	}
	if err := <-done; err != nil {
		t.Errorf("Serve: %v", err)
	}
	p.CloseIdleConnections()
}

func TestShutdownDoesNotWaitForever(t *testing.T) {
	p := newPlane(t)
	entered, release := make(chan struct{}), make(chan struct{})
	defer close(release)
	blocked := p.config
	blocked.Registerer = nil
	blocked.Ready = func() error { close(entered); <-release; return nil }
	server, err := console.New(blocked)
	if err != nil {
		t.Fatal(err)
	}
	ln := listen(t)
	done := make(chan error, 1)
	go func() { done <- server.Serve(ln) }()
	go func() {
		res, err := http.Get("http://" + ln.Addr().String() + "/readyz")
		if err == nil {
			res.Body.Close()
		}
	}()
	<-entered
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := server.Shutdown(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Shutdown: %v, want %v", err, context.Canceled)
	}
	if err := <-done; err != nil {
		t.Errorf("Serve: %v", err)
	}
}

func listen(t testing.TB) net.Listener {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return ln
}
