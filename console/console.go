// Package console is the control plane, the operators' side of popupd, on
// net/http: its listener, authentication, health, metrics and profiles.
//
// It listens on a private address. Everything below /v1/ and /debug/, and every route with a role,
// asks for a bearer token or a session whose role covers that of the route, of which only a few
// can be guessed; health, metrics and the API's description do not. A session begins with a
// token, is a cookie of one browser, and ends with the token. No change comes from another
// site's page.
//
// What operators work with are parts in packages of their own, as console/api. A
// part imports this package and lists its [Route]s, and whoever builds the server
// gives them to [New]. Nothing here knows a part, reads or changes popups or
// users, or asks a store. docs/openapi.yaml describes every route, and the tests
// hold every answer against it.
package console

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/popupd/popupd/internal/tracing"
	"github.com/popupd/popupd/popup"
)

// Config is what a [Server] works with. All fields are required unless they say otherwise.
type Config struct {
	// Routes are what the parts of the console answer.
	Routes []Route

	// Token is the first bearer token, of the role admin, which never ends.
	Token string
	// Tokens knows the others.
	Tokens Tokens
	// Sessions knows who is logged in to the console. Nobody can log in if it is nil.
	Sessions Sessions
	// Pages draws the page to log in at; nil if there are no pages.
	Pages Pages
	// SignOn lets people log in whom somebody else knows; nil if nobody is asked.
	SignOn SingleSignOn
	// Ready returns nil while this server may be sent polls, or the reason why
	// not: it restores its state, or it drains. It must not wait for a store.
	Ready func() error

	OpenAPI []byte // docs/openapi.yaml, served as it is
	Version string // of the program, for popupd_build_info

	Now        func() int64          // ms since the epoch, UTC; nil is the system's clock
	Log        *slog.Logger          // nil logs nothing
	Registerer prometheus.Registerer // nil registers no metrics
	Gatherer   prometheus.Gatherer   // what /metrics shows
	Tracer     *tracing.Tracer       // of requests below /v1/; nil traces none
}

// Validate reports what is missing, and fills in the clock and the logger.
func (c *Config) Validate() error {
	if c.Now == nil {
		c.Now = func() int64 { return time.Now().UnixMilli() }
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	switch {
	case c.Token == "":
		return errors.New("console: no admin token")
	case c.Tokens == nil:
		return errors.New("console: no named tokens")
	case c.Ready == nil:
		return errors.New("console: no readiness")
	case len(c.OpenAPI) == 0:
		return errors.New("console: no API description")
	case c.Gatherer == nil:
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
	handler http.Handler
	http    *http.Server
}

// New returns a server for c and registers its metrics together with those of
// the Go runtime, the process and the build. It does not listen yet.
func New(c Config) (*Server, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	s := &Server{config: c, guard: guard{popup.HashAdminToken(c.Token), c.Tokens, c.Sessions, c.SignOn, c.Now}, lockout: newLockout(c.Now), metrics: newMetrics(c.Registerer, c.Version)}
	for _, route := range s.routes() {
		if (needsToken(route.Path) || route.Role != "") && !route.Role.Valid() {
			return nil, fmt.Errorf("console: no role may call %s %s", route.Method, route.Path)
		}
	}
	s.handler = s.observe(sameOrigin(literalDots(s.mux())))
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
