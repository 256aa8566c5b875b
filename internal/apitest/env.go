package apitest

import (
	"bytes"
	"log/slog"
	"sync"
	"time"
)

// Noon is the time at which an [Env] begins, which is not on the hour.
var Noon = time.Date(2026, 3, 10, 12, 34, 56, 0, time.UTC)

// Env is what a control plane under test is given: a clock that stands still, whether
// the server is ready, and a log. All of it may be set and read while requests are
// served. The zero value is ready, at [Noon].
type Env struct {
	mu     sync.Mutex
	passed time.Duration // since Noon
	ready  error
	log    bytes.Buffer
}

// Clock returns the time, ms since the epoch, UTC.
func (e *Env) Clock() int64 {
	e.mu.Lock()
	defer e.mu.Unlock()
	return Noon.Add(e.passed).UnixMilli()
}

// Advance lets time pass.
func (e *Env) Advance(d time.Duration) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.passed += d
}

// Readiness returns nil if the server is ready, or what SetReady has set.
func (e *Env) Readiness() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.ready
}

// SetReady says why the server is not ready; nil: it is.
func (e *Env) SetReady(err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.ready = err
}

// Logger returns a logger of which Logged returns the lines.
func (e *Env) Logger() *slog.Logger { return slog.New(slog.NewTextHandler((*envLog)(e), nil)) }

// Logged returns what was logged so far.
func (e *Env) Logged() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.log.String()
}

// envLog writes to the log of an Env.
type envLog Env

func (l *envLog) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.log.Write(b)
}
