// Package console is the operators' plane: the REST API that manages popups and
// users, health, metrics and profiles, on net/http.
//
// It listens on a private address. Everything below /v1/ and /debug/ asks for
// the bearer token, of which only a few can be guessed; health, metrics and the
// API's description do not. No change comes from another site's page.
// docs/openapi.yaml describes every route, and the package's tests hold every
// answer against it.
//
// What a change promises. A change is one transaction of the store: when the
// call answers with 2xx it is durable. It is then loaded on this server and the
// other servers are told, before the call answers. Should that second step fail,
// because the store went away just after its commit, the answer is still a success:
// repeating the request would only run into the popup that now exists. It then
// carries the header "Popupd-In-Force: false", the failure is logged, and the
// server's own poll of the store puts the change in force once the store is back.
package console

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/popupd/popupd/popup"
	"github.com/popupd/popupd/snapshot"
)

// Catalog keeps the popups. A change is one transaction: once it returns
// without an error it is durable. It blocks until the store answers or ctx
// ends; then the outcome of a change is not known. Errors it may name are
// [popup.ErrNotFound], [popup.ErrExists], [popup.ErrStale] and
// [popup.ErrArchived]; any other one means that the store can't be used now.
type Catalog interface {
	Create(ctx context.Context, c popup.Change, s popup.Spec) (popup.Popup, error)
	// Put replaces the popup s.Key if its version is the one given; 0 is any.
	Put(ctx context.Context, c popup.Change, version uint32, s popup.Spec) (popup.Popup, error)
	Popup(ctx context.Context, key string) (popup.Popup, error)
	// Popups returns at most limit popups with ids above after, by id; an empty status is all.
	Popups(ctx context.Context, status popup.Status, after uint32, limit int) ([]popup.Popup, error)
}

// Trail is the record of who changed what. It blocks and fails as a [Catalog].
type Trail interface {
	// Revisions returns every version of a popup, newest first.
	Revisions(ctx context.Context, key string) ([]popup.Revision, error)
	// Audit returns at most limit entries with ids below before, newest first.
	// A before of 0 starts at the newest.
	Audit(ctx context.Context, before int64, limit int) ([]popup.AuditEntry, error)
	// AuditUser records a change of one user.
	AuditUser(ctx context.Context, c popup.Change, uid string) error
}

// Statistics returns the counts of a popup for hours that start in [fromMS, toMS).
// It blocks and fails as a [Catalog].
type Statistics interface {
	Stats(ctx context.Context, id uint32, fromMS, toMS int64) ([]popup.Counts, error)
}

// Watcher puts changes of the catalog in force on this server.
type Watcher interface {
	// Changed reads the catalog anew and tells the other servers.
	Changed(ctx context.Context) error
	// Reload reads the catalog anew.
	Reload(ctx context.Context) error
}

// Users is what this server remembers of users. It answers from memory.
type Users interface {
	// States calls fn for every popup that is remembered of the user.
	States(user []byte, fn func(id uint32, s popup.State))
	// Reset forgets the user here and, by an event, everywhere. Once it returns
	// without an error the event survives the end of the process.
	Reset(user []byte) error
}

// Config is what a [Server] works with. All fields are required unless they say otherwise.
type Config struct {
	Catalog    Catalog
	Trail      Trail
	Statistics Statistics
	Watcher    Watcher
	Users      Users
	Snapshots  *snapshot.Store

	// Token is the bearer token that guards the API.
	Token string
	// Ready returns nil while this server may be sent polls, or the reason why
	// not: it restores its state, or it drains. It must not wait for a store.
	Ready func() error

	OpenAPI []byte // docs/openapi.yaml, served as it is
	Version string // of the program, for popupd_build_info

	Now        func() int64 // ms since the epoch, UTC; nil is the system's clock
	Log        *slog.Logger // nil is [slog.Default]
	Registerer prometheus.Registerer
	Gatherer   prometheus.Gatherer // what /metrics shows
}

// Validate reports what is missing, and fills in the clock and the logger.
func (c *Config) Validate() error {
	if c.Now == nil {
		c.Now = func() int64 { return time.Now().UnixMilli() }
	}
	if c.Log == nil {
		c.Log = slog.Default()
	}
	switch {
	case c.Catalog == nil || c.Trail == nil || c.Statistics == nil:
		return errors.New("console: no store")
	case c.Watcher == nil || c.Snapshots == nil:
		return errors.New("console: no snapshot")
	case c.Users == nil:
		return errors.New("console: no users")
	case c.Token == "":
		return errors.New("console: no admin token")
	case c.Ready == nil:
		return errors.New("console: no readiness")
	case len(c.OpenAPI) == 0:
		return errors.New("console: no API description")
	case c.Registerer == nil || c.Gatherer == nil:
		return errors.New("console: no metrics registry")
	}
	return nil
}

// Limits of the listener. pprof extends the write timeout by the time for which
// it is asked to observe.
const (
	headerTimeout  = 5 * time.Second
	readTimeout    = 15 * time.Second
	writeTimeout   = 30 * time.Second
	idleTimeout    = 60 * time.Second
	maxHeaderBytes = 16 << 10
)

// Server answers operators. Make one with [New].
type Server struct {
	config  Config
	guard   guard
	lockout *lockout
	metrics metrics
	routes  []route
	handler http.Handler
	http    *http.Server
}

// New returns a server for c and registers its metrics together with those of
// the Go runtime, the process and the build. It does not listen yet.
func New(c Config) (*Server, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	s := &Server{config: c, guard: newGuard(c.Token), lockout: newLockout(c.Now)}
	if err := s.metrics.register(c.Registerer, c.Version); err != nil {
		return nil, err
	}
	s.routes = s.table()
	s.handler = s.observe(sameOrigin(s.mux()))
	s.http = &http.Server{
		Handler:           s,
		ReadHeaderTimeout: headerTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		ErrorLog:          slog.NewLogLogger(c.Log.Handler(), slog.LevelWarn),
	}
	return s, nil
}

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }

// Serve answers connections of ln until [Server.Shutdown]; then it returns nil.
func (s *Server) Serve(ln net.Listener) error {
	if err := s.http.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// Shutdown stops accepting and waits for requests under way until ctx ends; it
// then closes their connections and returns ctx's error.
func (s *Server) Shutdown(ctx context.Context) error {
	err := s.http.Shutdown(ctx)
	if err != nil {
		s.http.Close()
	}
	return err
}
