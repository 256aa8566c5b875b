package api_test

import (
	"context"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"github.com/popupd/popupd/console"
	"github.com/popupd/popupd/console/api"
	"github.com/popupd/popupd/console/tokens"
	"github.com/popupd/popupd/decision"
	"github.com/popupd/popupd/docs"
	"github.com/popupd/popupd/frequency"
	"github.com/popupd/popupd/internal/apitest"
	"github.com/popupd/popupd/popup"
	"github.com/popupd/popupd/snapshot"
	"github.com/popupd/popupd/snapshot/follow"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const token = "secret-token"

// plane is an API in its console on an in-memory store, behind a client that
// holds every answer against docs/openapi.yaml.
type plane struct {
	*apitest.Client
	apitest.Env
	t      testing.TB
	api    *api.API
	server http.Handler

	store     *memory
	users     *people
	table     *frequency.Table // what explanations know of users
	events    site
	previews  previews
	simulator simulator
	watcher   *watcher
	snapshots *snapshot.Store
	tokens    *tokens.Cache
	level     slog.LevelVar
	zone      *time.Location // nil: UTC
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
	p := &plane{t: t}
	p.store = newMemory(p.Clock)
	p.open(p.store)
	return p
}

// store is what an API and its watcher ask of the database.
type store interface {
	api.Catalog
	api.Trail
	api.Statistics
	api.WhyNot
	api.History
	api.Exporter
	api.Configurations
	api.Audiences
	tokens.Store
	follow.Source
}

// open starts an API on s.
func (p *plane) open(s store) {
	p.snapshots = snapshot.NewStore()
	p.table = frequency.New(frequency.Config{})
	p.users = &people{states: map[string]map[uint32]popup.State{}}
	log := p.Logger()
	p.watcher = &watcher{inner: follow.New(p.snapshots, follow.Config{
		Source: s, Now: p.Clock, Log: log, Registerer: prometheus.NewRegistry(),
	})}
	p.tokens = tokens.New(s, p.Clock, log)
	if err := p.tokens.Read(p.t.Context()); err != nil {
		p.t.Fatal(err)
	}
	a, err := api.New(api.Config{
		Catalog: s, Trail: s, Statistics: s, WhyNot: s, History: s, Exporter: s, Configurations: s, Watcher: p.watcher, Users: p.users, Events: &p.events, Previews: &p.previews, Simulator: &p.simulator, Explainer: decision.Explainer{Snapshots: p.snapshots, Users: p.table}, Tokens: p.tokens, Audiences: s, Snapshots: p.snapshots,
		ReportZone: p.zone, Ready: p.Readiness, Now: p.Clock, Log: log, LogLevel: &p.level,
	})
	if err != nil {
		p.t.Fatal(err)
	}
	p.api = a
	p.server = p.console(log)
	p.Client = apitest.NewClient(p.t, p.server, token)
}

// console returns the API in a console that logs to log.
func (p *plane) console(log *slog.Logger) http.Handler {
	server, err := console.New(console.Config{
		Routes: p.api.Routes(), Token: token, Tokens: p.tokens, Ready: p.Readiness, OpenAPI: docs.OpenAPI, Now: p.Clock, Log: log, Gatherer: prometheus.NewRegistry(),
	})
	if err != nil {
		p.t.Fatal(err)
	}
	return server
}

const popupsPath = "/v1/admin/popups"

// create makes an active popup and returns its id.
func (p *plane) create(key string) uint32 {
	p.t.Helper()
	a := p.Want(201, "", "POST", popupsPath, `{"key":"`+key+`","status":"active"}`)
	return uint32(a.JSON(p.t)["id"].(float64))
}

func TestConfigIsComplete(t *testing.T) {
	if _, err := api.New(api.Config{}); err == nil {
		t.Error("an empty config was accepted")
	}
}

// Every operation is documented, every one documented exists, and all need the token.
func TestOperations(t *testing.T) {
	p := newPlane(t)
	var routed []string
	for _, r := range p.api.Routes() {
		routed = append(routed, r.Method+" "+r.Path)
		p.Want(401, "unauthorized", r.Method, strings.NewReplacer("{key}", "a", "{uid}", "u").Replace(r.Path), "", "Authorization", "")
	}
	slices.Sort(routed)
	checker, err := apitest.New()
	if err != nil {
		t.Fatal(err)
	}
	documented := checker.Operations(func(string) bool { return true })
	documented = slices.DeleteFunc(documented, func(op string) bool { return !strings.Contains(op, " /v1/admin/") && op != "POST /v1/events" })
	if d := cmp.Diff(documented, routed); d != "" {
		t.Errorf("operations (-documented +routed):\n%s", d)
	}
}

func TestMethodNotAllowed(t *testing.T) {
	p := newPlane(t)
	for _, c := range []struct{ method, path, allow string }{
		{"PATCH", popupsPath, "GET, HEAD, POST"},
		{"POST", popupsPath + "/a", "GET, HEAD, PUT, DELETE"},
		{"GET", popupsPath + "/a/activate", "POST"},
		{"OPTIONS", "/v1/admin/audit", "GET, HEAD"},
	} {
		a := p.Want(405, "method_not_allowed", c.method, c.path, "")
		if got := a.Header.Get("Allow"); got != c.allow {
			t.Errorf("%s %s: Allow %q, want %q", c.method, c.path, got, c.allow)
		}
	}
}
