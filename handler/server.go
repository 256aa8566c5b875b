package handler

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"runtime/debug"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/popupd/popupd/decision"
	"github.com/popupd/popupd/internal/netsock"
)

// Limits of a request in bytes.
const (
	maxHeaderSize = 16 << 10 // request line and headers
	maxBodySize   = 64 << 10
)

func (s *Server) newHTTP() *fasthttp.Server {
	return &fasthttp.Server{
		Handler:            s.handle,
		ErrorHandler:       s.refuse,
		ConnState:          connState,
		Logger:             debugLogger{s.log},
		ReadBufferSize:     maxHeaderSize,
		MaxRequestBodySize: maxBodySize,
		// The listener sends connections away before this, with an answer; a
		// worker is free a little later than its connection is closed.
		Concurrency:                  maxConnections() + 1024,
		LazyRequestTime:              true,
		NoDefaultServerHeader:        true,
		NoDefaultContentType:         true,
		DisablePreParseMultipartForm: true,
		SecureErrorLogMessage:        true,
		CloseOnShutdown:              true,
	}
}

// Serve answers the requests that come in at ln until Shutdown, and then
// returns nil. It closes ln.
func (s *Server) Serve(ln net.Listener) error {
	l := newListener(ln, s)
	if closed := s.begin(l); closed {
		l.Close()
		return nil
	}
	if err := s.http.Serve(l); err != nil {
		return fmt.Errorf("serve %s: %w", ln.Addr(), err)
	}
	return nil
}

// begin takes note of a listener; with the first one looking out for overload
// begins. It reports whether the server is shut down already.
func (s *Server) begin(l *listener) (closed bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return true
	}
	if s.overload != nil && len(s.listeners) == 0 {
		go s.overload.run(s.stamp)
	}
	s.listeners = append(s.listeners, l)
	return false
}

// connections returns how many connections are open.
func (s *Server) connections() float64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	open := int64(0)
	for _, l := range s.listeners {
		open += l.open.Load()
	}
	return float64(open)
}

// stamp has the next n reads of each listener's connections take note of when
// what they read came in.
func (s *Server) stamp(n int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, l := range s.listeners {
		if l, ok := l.Listener.(netsock.Stamper); ok {
			l.Stamp(n)
		}
	}
}

// Drain prepares for Shutdown: from now on /readyz answers 503, so that load balancers
// go elsewhere, and each answer ends its connection, so that Shutdown finds none that
// a client is about to use. Polls and actions are served as before.
func (s *Server) Drain() { s.draining.Store(true) }

// Shutdown stops accepting connections, closes those that are idle, and waits
// for the requests under way, also of clients that are connecting: a load balancer
// that does not ask for /readyz sends requests to the last. If ctx ends first it returns its error, and the
// connections that are left go on: from then on the journal must refuse. It is
// called once.
func (s *Server) Shutdown(ctx context.Context) error {
	s.mu.Lock()
	s.closed = true // there will be no more listeners
	s.mu.Unlock()
	ignores := false
	for _, l := range s.listeners {
		if l, ok := l.Listener.(netsock.Ignorer); ok && l.Ignore() {
			ignores = true
		}
	}
	if ignores {
		time.Sleep(s.limits.connect)
	}
	for _, l := range s.listeners {
		l.Close()
	}
	if s.overload != nil && len(s.listeners) > 0 {
		s.overload.close()
	}
	if err := s.http.ShutdownWithContext(ctx); err != nil && !errors.Is(err, net.ErrClosed) {
		return fmt.Errorf("shut down data plane: %w", err)
	}
	return nil
}

// handle is the outermost handler. It looks at where a request comes from, once,
// and names that in the answer.
func (s *Server) handle(ctx *fasthttp.RequestCtx) {
	origin, admitted := s.origins.admit(&ctx.Request.Header)
	s.answer(ctx, admitted)
	if origin != nil {
		ctx.Response.Header.SetCanonical(headerAllowOrigin, origin)
	}
	if s.draining.Load() {
		ctx.SetConnectionClose()
	}
}

// readiness tells load balancers whether to send polls here, and nothing of why not:
// this listener is public. It counts as no error.
func (s *Server) readiness(ctx *fasthttp.RequestCtx) {
	if s.draining.Load() || !s.ready() {
		s.answers.problems[notReady].send(ctx)
		return
	}
	s.answers.ready.send(ctx)
}

// answer answers a request. What it refuses by itself is neither decided nor recorded.
func (s *Server) answer(ctx *fasthttp.RequestCtx, admitted bool) {
	defer s.recover(ctx)
	ambiguous, prefetch := readLines(&ctx.Request.Header)
	switch {
	case ambiguous:
		s.fail(ctx, badRequest)
		ctx.SetConnectionClose()
	case !admitted && !ctx.IsOptions(): // a preflight records nothing, and its answer allows no such page
		if isPoll(ctx) {
			s.metrics.decisions[unauthorized].Inc()
		}
		s.fail(ctx, originNotAllowed)
	case prefetch && ctx.IsGet() && isPoll(ctx):
		s.metrics.decisions[none].Inc()
		s.answers.none[decision.DefaultNextPoll(rand.Uint64())].send(ctx)
	default:
		s.router.Handler(ctx)
	}
}

// recover answers a request that panicked: a panic that gets past it would end the process.
func (s *Server) recover(ctx *fasthttp.RequestCtx) {
	if v := recover(); v != nil {
		s.log.Error("panic in a request", "panic", v, "stack", string(debug.Stack()))
		ctx.Response.Reset()
		s.fail(ctx, internalError)
	}
}

// refuse answers what could not be read as a request; the connection is closed after it.
func (s *Server) refuse(ctx *fasthttp.RequestCtx, err error) {
	p := badRequest
	if _, small := errors.AsType[*fasthttp.ErrSmallBuffer](err); small {
		p = headersTooLarge
	} else if errors.Is(err, fasthttp.ErrBodyTooLarge) {
		p = bodyTooLarge
	} else if t, ok := errors.AsType[timeout](err); ok && t.Timeout() {
		p = requestTimeout
	}
	if c, ok := ctx.Conn().(*conn); ok && p != requestTimeout && !errors.Is(err, io.ErrUnexpectedEOF) {
		c.linger.Store(true)
	}
	s.metrics.errors[p].Inc()
	s.answers.problems[p].send(ctx)
	s.setNextPoll(ctx) // it may have been a poll
}

// timeout is an error of a connection past its deadline.
type timeout interface {
	error
	Timeout() bool
}

// debugLogger is where fasthttp reports broken connections and requests: an
// attacker could fill a log with them.
type debugLogger struct{ log *slog.Logger }

func (l debugLogger) Printf(format string, args ...any) {
	if l.log.Enabled(context.Background(), slog.LevelDebug) {
		l.log.Debug(fmt.Sprintf(format, args...))
	}
}
