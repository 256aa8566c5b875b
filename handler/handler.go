// Package handler is the data plane: the public HTTP listener that answers
// polls and takes what users did with what they were shown.
//
// A poll goes one way: parse, load the snapshot once, decide, journal what was
// decided, answer. Nothing on that way waits for MySQL or Redis, takes a lock
// other than that of one user, or allocates (alloc_test.go), but for the few polls
// that package sample takes a copy of or that are traced. The bytes of a
// request are read where fasthttp left them; only what is percent-encoded or
// escaped is copied, by [pollRequest] and [reader], into memory that is used again.
//
// HTTP lives here and nothing else: which popup a user sees is package decision's
// to say, sockets are internal/netsock's, and no store is known but the [Journal].
package handler

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/fasthttp/router"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/valyala/fasthttp"

	"github.com/popupd/popupd/decision"
	"github.com/popupd/popupd/frequency"
	"github.com/popupd/popupd/internal/sample"
	"github.com/popupd/popupd/internal/tracing"
	"github.com/popupd/popupd/popup"
	"github.com/popupd/popupd/snapshot"
)

// Journal is where events become durable.
type Journal interface {
	// Append returns once the events survive the end of this process, however
	// it comes. After an error none of them will ever be counted. It encodes
	// the events before it returns and keeps nothing of them. It takes at most
	// maxAppend of them.
	Append(events []popup.Event) error
}

// LookUps has users looked up whom a table does not hold that is HeldOnly.
type LookUps interface {
	// LookUp waits, not for long, until the table holds these users, and reports whether it
	// does. It keeps nothing of their bytes. It may be called from many goroutines.
	LookUp(users ...[]byte) bool
}

// noLookUps are those of a table that holds everyone.
type noLookUps struct{}

func (noLookUps) LookUp(...[]byte) bool { return false }

// Config is what a [Server] is made of.
type Config struct {
	Snapshots *snapshot.Store // required, as are the next two
	Users     *frequency.Table
	Journal   Journal

	LookUps LookUps // required if Users is HeldOnly

	Secrets         [][]byte // sign tokens: the first signs, all are accepted
	AllowOrigins    []string // as ParseOrigins takes them
	Identity        Identity // empty: IdentityOff
	IdentitySecrets [][]byte // sign user ids: any of them will do

	NewIDsPerClient  float64        // new users a second and client address; 0: no limit
	ActionsPerClient float64        // actions and events, likewise
	TrustedProxies   []netip.Prefix // whose X-Forwarded-For says which address that is

	// ShedAfter is the queueing delay above which load is shed: when it has stayed
	// above that for 100 ms, requests that have waited for more than 20 ms, or for
	// more than ShedAfter, are answered with 503 until hardly any has. It works on
	// listeners that are a [netsock.Stamper]. 0: never; else MinShedAfter or more.
	ShedAfter time.Duration

	// IdleTimeout is how long a connection may be idle; it is shortened when
	// connections run short. 0: DefaultIdleTimeout; else MinIdleTimeout or more.
	IdleTimeout time.Duration

	// Demo has the demo shop served at /demo.
	Demo bool

	// PopupMetrics has what is served counted by popup too.
	PopupMetrics bool

	Sample *sample.Reservoir // keeps some of the polls; nil: none
	WhyNot *sample.WhyNot    // counts why popups are not shown; nil: not counted
	Tracer *tracing.Tracer   // takes the polls whose client asks for a trace; nil: none

	Ready      func() bool           // until it returns true polls and actions are answered with 503; nil: always ready
	Now        func() int64          // ms since the epoch, UTC; nil: the system's clock
	Log        *slog.Logger          // nil: nothing is logged
	Registerer prometheus.Registerer // nil: metrics are not registered
}

// Server is the data plane. Its methods may be called from any goroutine.
type Server struct {
	snapshots  *snapshot.Store
	users      *frequency.Table
	lookUps    LookUps
	journal    Journal
	ready      func() bool
	now        func() int64
	log        *slog.Logger
	metrics    *metrics
	byPopup    *popupCounters // nil: not counted by popup
	sample     *sample.Reservoir
	whyNot     *sample.WhyNot
	tracer     *tracing.Tracer // nil: nothing is traced
	identity   Identity
	limits     limits
	clients    *clients
	actionRate *clientRate // nil: no limit
	overload   *overload   // nil: nothing is rejected
	start      time.Time   // durations are measured from it

	origins  origins
	answers  *answers
	nextPoll [][]byte // by seconds

	repeats  *repeats
	previews previews

	polls   sync.Pool // of *pollScratch
	reports sync.Pool // of *actionScratch

	eventReports sync.Pool // of *eventScratch
	reported     *reportedGoals

	router *router.Router
	http   *fasthttp.Server

	draining atomic.Bool

	mu        sync.Mutex // guards what follows
	closed    bool
	listeners []*listener
}

// New returns a server that serves nothing yet. It returns an error if the
// configuration makes no sense.
func New(c Config) (*Server, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	s := &Server{
		snapshots: c.Snapshots, users: c.Users, lookUps: c.LookUps, journal: c.Journal,
		ready: c.Ready, now: c.Now, log: c.Log, identity: c.Identity, sample: c.Sample, whyNot: c.WhyNot, tracer: c.Tracer,
		limits: defaultLimits, clients: newClients(c.TrustedProxies), actionRate: newClientRate(c.ActionsPerClient, maxActions), start: time.Now(), nextPoll: newNextPoll(), repeats: newRepeats(), reported: newReportedGoals(),
	}
	if s.lookUps == nil {
		s.lookUps = noLookUps{}
	}
	if s.ready == nil {
		s.ready = func() bool { return true }
	}
	if s.now == nil {
		s.now = func() int64 { return time.Now().UnixMilli() }
	}
	if s.sample == nil {
		s.sample = new(sample.Reservoir) // which keeps nothing
	}
	if s.whyNot == nil {
		s.whyNot = new(sample.WhyNot) // which counts nothing
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	s.limits.idle = cmp.Or(c.IdleTimeout, DefaultIdleTimeout)
	var err error
	if s.origins, err = newOrigins(c.AllowOrigins); err != nil {
		return nil, err
	}
	s.answers = newAnswers(&s.origins)
	if err := s.newPools(c); err != nil {
		return nil, err
	}
	if s.metrics, err = newMetrics(c.Registerer, s.connections); err != nil {
		return nil, err
	}
	if c.PopupMetrics {
		if s.byPopup, err = newPopupCounters(c.Registerer); err != nil {
			return nil, fmt.Errorf("register metrics: %w", err)
		}
	}
	s.overload = newOverload(s, c.ShedAfter)
	s.router = s.newRouter(c.Demo)
	s.http = s.newHTTP()
	return s, nil
}

// check returns what makes no sense in the configuration, as far as that is not
// found out on the way.
func (c *Config) check() error {
	if c.Snapshots == nil || c.Users == nil || c.Journal == nil {
		return errors.New("snapshots, users and a journal are required")
	}
	if err := checkRate(c.NewIDsPerClient); err != nil {
		return fmt.Errorf("new ids per client: %w", err)
	}
	if err := checkRate(c.ActionsPerClient); err != nil {
		return fmt.Errorf("actions per client: %w", err)
	}
	if c.ShedAfter != 0 && c.ShedAfter < MinShedAfter {
		return fmt.Errorf("shed after %v: want 0, or %v or more", c.ShedAfter, MinShedAfter)
	}
	if c.IdleTimeout != 0 && c.IdleTimeout < MinIdleTimeout {
		return fmt.Errorf("idle timeout %v: want %v or more", c.IdleTimeout, MinIdleTimeout)
	}
	return nil
}

// newPools checks the secrets and makes the pools of memory that is bound to them.
func (s *Server) newPools(c Config) error {
	if _, err := newKeyring(c.Secrets); err != nil {
		return err
	}
	secrets, identitySecrets := slices.Clone(c.Secrets), slices.Clone(c.IdentitySecrets)
	keys := func() *keyring {
		k, err := newKeyring(secrets)
		if err != nil {
			panic(err) // checked above
		}
		return k
	}
	switch s.identity {
	case "":
		s.identity = IdentityOff
	case IdentityOff:
	case IdentityMonitor, IdentityEnforce:
		if len(identitySecrets) == 0 || slices.ContainsFunc(identitySecrets, func(s []byte) bool { return len(s) == 0 }) {
			return fmt.Errorf("identity %s needs a secret", s.identity)
		}
	default:
		return fmt.Errorf("identity %q: want off, monitor or enforce", s.identity)
	}
	newSigners := func() (all signers) {
		if s.identity != IdentityOff {
			for _, secret := range identitySecrets {
				all = append(all, newMAC(secret))
			}
		}
		return all
	}
	newIDRate := newClientRate(c.NewIDsPerClient, 1)
	s.polls.New = func() any {
		return &pollScratch{keys: keys(), identity: newSigners(), newUsers: newUsers{rate: newIDRate}, draw: sample.Draw(rand.Uint64() | 1)}
	}
	s.reports.New = func() any { return newActionScratch(keys()) }
	s.eventReports.New = func() any {
		return &eventScratch{
			identity: newSigners(), items: make([]siteEvent, 0, maxEvents),
			events: make([]popup.Event, 0, maxEvents), keys: make([]uint64, 0, maxEvents),
		}
	}
	return nil
}

// The paths of the data plane.
const (
	pollPath    = "/v1/poll"
	actionsPath = "/v1/actions"
	eventsPath  = "/v1/events"
	readyPath   = "/readyz"
)

// newRouter returns the routes. Each path of pages has its methods and OPTIONS, and
// answers all others itself, since the router's own 405 allocates.
func (s *Server) newRouter(demo bool) *router.Router {
	r := router.New()
	r.RedirectTrailingSlash = false
	r.RedirectFixedPath = false
	r.HandleMethodNotAllowed = false
	r.HandleOPTIONS = false
	r.NotFound = func(ctx *fasthttp.RequestCtx) { s.fail(ctx, notFound) }
	r.GET(readyPath, s.readiness)
	r.ANY(readyPath, func(ctx *fasthttp.RequestCtx) {
		s.fail(ctx, methodNotAllowed)
		ctx.Response.Header.Set(fasthttp.HeaderAllow, fasthttp.MethodGet)
	})
	type route struct {
		path    string
		methods []string
		handle  fasthttp.RequestHandler
	}
	routes := []route{
		{pollPath, []string{fasthttp.MethodGet, fasthttp.MethodPost}, s.poll},
		{actionsPath, []string{fasthttp.MethodPost}, s.actions},
		{eventsPath, []string{fasthttp.MethodPost}, s.siteEvents},
	}
	files := s.origins.newFiles()
	if demo {
		maps.Copy(files, s.origins.newDemo())
	}
	for path, file := range files {
		routes = append(routes, route{path, fileMethods, file.serve})
	}
	for _, route := range routes {
		preflight, wrong := s.origins.newPreflight(route.methods), s.origins.newMethodNotAllowed(route.methods)
		for _, method := range route.methods {
			r.Handle(method, route.path, route.handle)
		}
		r.OPTIONS(route.path, preflight.send)
		r.ANY(route.path, func(ctx *fasthttp.RequestCtx) {
			s.metrics.errors[methodNotAllowed].Inc()
			wrong.send(ctx)
			s.nameNextPoll(ctx)
		})
	}
	return r
}

// fail answers with a problem.
func (s *Server) fail(ctx *fasthttp.RequestCtx, p problem) {
	s.metrics.errors[p].Inc()
	s.answers.problems[p].send(ctx)
	s.nameNextPoll(ctx)
}

// nameNextPoll says in the answer to a poll that was not decided when to poll
// again: a page that finds no time in an answer may poll again at once.
func (s *Server) nameNextPoll(ctx *fasthttp.RequestCtx) {
	if isPoll(ctx) {
		s.setNextPoll(ctx)
	}
}

func (s *Server) setNextPoll(ctx *fasthttp.RequestCtx) {
	ctx.Response.Header.SetCanonical(nextPollName, s.nextPoll[decision.DefaultNextPoll(rand.Uint64())])
}

var nextPollName = []byte(nextPollHeader)

func isPoll(ctx *fasthttp.RequestCtx) bool { return string(ctx.URI().PathOriginal()) == pollPath }
