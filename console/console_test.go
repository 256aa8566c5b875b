package console_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"github.com/popupd/popupd/console"
	"github.com/popupd/popupd/docs"
	"github.com/popupd/popupd/internal/apitest"
	"github.com/popupd/popupd/popup"
	"github.com/popupd/popupd/snapshot"
	"github.com/popupd/popupd/snapshot/follow"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const token = "secret-token"

// noon is a time that is not on the hour: 2026-03-10T12:34:56Z.
var noon = time.Date(2026, 3, 10, 12, 34, 56, 0, time.UTC)

// plane is a console on an in-memory store, behind a client that holds every
// answer against docs/openapi.yaml.
type plane struct {
	t      testing.TB
	url    string
	client *http.Client
	config console.Config
	server *console.Server

	store     *memory
	users     *people
	watcher   *watcher
	registry  *prometheus.Registry
	snapshots *snapshot.Store
	log       *bytes.Buffer

	mu    sync.Mutex
	now   time.Time
	ready error
}

// watcher loads the store's popups as follow.Watcher does; failing, if set,
// is what loading them comes to.
type watcher struct {
	inner *follow.Watcher

	mu      sync.Mutex
	failing error
	changed int
}

func (w *watcher) Changed(ctx context.Context) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.changed++
	if w.failing != nil {
		return w.failing
	}
	return w.inner.Reload(ctx)
}

func (w *watcher) Reload(ctx context.Context) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.failing != nil {
		return w.failing
	}
	return w.inner.Reload(ctx)
}

func newPlane(t testing.TB) *plane {
	p := &plane{t: t, now: noon}
	p.store = newMemory(p.clock)
	p.open(p.store)
	return p
}

// store is what a console and its watcher ask of the database.
type store interface {
	console.Catalog
	console.Trail
	console.Statistics
	follow.Source
}

// open starts a console on s.
func (p *plane) open(s store) {
	t := p.t
	p.registry, p.snapshots, p.log = prometheus.NewRegistry(), snapshot.NewStore(), &bytes.Buffer{}
	p.users = &people{states: map[string]map[uint32]popup.State{}}
	log := slog.New(slog.NewTextHandler(&lockedWriter{w: p.log, mu: &p.mu}, nil))
	p.watcher = &watcher{inner: follow.New(p.snapshots, follow.Config{
		Source: s, Now: p.clock, Log: log, Registerer: prometheus.NewRegistry(),
	})}
	p.config = console.Config{
		Catalog: s, Trail: s, Statistics: s, Watcher: p.watcher, Users: p.users, Snapshots: p.snapshots,
		Token: token, Ready: p.readiness, OpenAPI: docs.OpenAPI, Version: "v0", Now: p.clock, Log: log, Registerer: p.registry, Gatherer: p.registry,
	}
	server, err := console.New(p.config)
	if err != nil {
		t.Fatal(err)
	}
	p.server = server
	p.serve(server)
}

// serve puts h behind a checked client.
func (p *plane) serve(h http.Handler) {
	ts := httptest.NewServer(h)
	p.t.Cleanup(ts.Close)
	checker, err := apitest.New()
	if err != nil {
		p.t.Fatal(err)
	}
	p.url = ts.URL
	p.client = &http.Client{
		Transport:     checker.Transport(p.t, ts.Client().Transport),
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

func (p *plane) clock() int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.now.UnixMilli()
}

func (p *plane) readiness() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.ready
}

func (p *plane) set(change func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change()
}

// lockedWriter lets a test read what handlers log.
type lockedWriter struct {
	mu *sync.Mutex
	w  io.Writer
}

func (l *lockedWriter) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(b)
}

func (p *plane) logged() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.log.String()
}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// json decodes the answer's body.
func (a answer) json(t testing.TB) map[string]any {
	t.Helper()
	var v map[string]any
	unmarshal(t, a.body, &v)
	return v
}

// code is the code of a problem, or empty.
func (a answer) code() string {
	var p struct {
		Code string `json:"code"`
	}
	_ = json.Unmarshal(a.body, &p) // not a problem: no code
	return p.Code
}

// do sends a request with the token. Headers are pairs; a body is JSON unless
// they say otherwise.
func (p *plane) do(method, path, body string, headers ...string) answer {
	p.t.Helper()
	r, err := http.NewRequest(method, p.url+path, strings.NewReader(body))
	if err != nil {
		p.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+token)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(headers); i += 2 {
		if headers[i+1] == "" {
			r.Header.Del(headers[i])
			continue
		}
		r.Header.Set(headers[i], headers[i+1])
	}
	res, err := p.client.Do(r)
	if err != nil {
		p.t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	return answer{res.StatusCode, res.Header, b}
}

// want sends a request and fails the test unless it is answered with this
// status and, for a problem, this code.
func (p *plane) want(status int, code, method, path, body string, headers ...string) answer {
	p.t.Helper()
	a := p.do(method, path, body, headers...)
	if a.status != status || a.code() != code {
		p.t.Fatalf("%s %s: %d %q, want %d %q\n%s", method, path, a.status, a.code(), status, code, a.body)
	}
	return a
}

const popupsPath = "/v1/admin/popups"

// create makes an active popup and returns its id.
func (p *plane) create(key string) uint32 {
	p.t.Helper()
	a := p.want(201, "", "POST", popupsPath, `{"key":"`+key+`","status":"active"}`)
	return uint32(a.json(p.t)["id"].(float64))
}

func TestConfigIsComplete(t *testing.T) {
	if _, err := console.New(console.Config{}); err == nil {
		t.Error("an empty config was accepted")
	}
}

// A server that can't register its metrics says so instead of panicking.
func TestMetricsRegisteredTwice(t *testing.T) {
	p := newPlane(t)
	if _, err := console.New(p.config); err == nil {
		t.Error("a second server on the same registry was accepted")
	}
}

func TestServeAndShutdown(t *testing.T) {
	p := newPlane(t)
	ln := listen(t)
	done := make(chan error, 1)
	go func() { done <- p.server.Serve(ln) }()
	p.url = "http://" + ln.Addr().String()
	p.want(200, "", "GET", "/livez", "")
	if err := p.server.Shutdown(context.Background()); err != nil {
		t.Errorf("Shutdown: %v", err)
	}
	if err := <-done; err != nil {
		t.Errorf("Serve: %v", err)
	}
	p.client.CloseIdleConnections()
}

func TestShutdownDoesNotWaitForever(t *testing.T) {
	p := newPlane(t)
	entered, release := make(chan struct{}), make(chan struct{})
	defer close(release)
	blocked := p.config
	blocked.Registerer = prometheus.NewRegistry()
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

func unmarshal(t testing.TB, b []byte, v any) {
	t.Helper()
	if err := json.Unmarshal(b, v); err != nil {
		t.Fatalf("%v\n%s", err, b)
	}
}
