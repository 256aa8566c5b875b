// Package server is a running popupd: it opens what the configuration names,
// wires the packages in the order of their flows, runs them and stops them in the
// order in which a request travels. It decides nothing about popups; each part
// does its work in the package it comes from.
package server

import (
	"context"
	"io"
	"log/slog"
	"net"
	"slices"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/rueidis"

	"github.com/popupd/popupd/console"
	"github.com/popupd/popupd/console/live"
	"github.com/popupd/popupd/console/oidc"
	"github.com/popupd/popupd/console/sessions"
	"github.com/popupd/popupd/console/tokens"
	"github.com/popupd/popupd/frequency"
	"github.com/popupd/popupd/handler"
	"github.com/popupd/popupd/internal/cli"
	"github.com/popupd/popupd/internal/datadir"
	"github.com/popupd/popupd/internal/netsock"
	"github.com/popupd/popupd/internal/notice"
	"github.com/popupd/popupd/internal/sample"
	"github.com/popupd/popupd/internal/systemd"
	"github.com/popupd/popupd/internal/tracing"
	"github.com/popupd/popupd/internal/userstate"
	"github.com/popupd/popupd/persist"
	"github.com/popupd/popupd/queue"
	"github.com/popupd/popupd/queue/journal"
	"github.com/popupd/popupd/snapshot"
	"github.com/popupd/popupd/snapshot/follow"
)

// Run serves until the process is told to end by SIGTERM or SIGINT, or something
// fails that waiting does not mend. It prints to stdout what -demo has to say.
//
// The environment tells of the service manager that has started it, if one has.
func Run(c cli.Serve, environ []string, stdout io.Writer, log *slog.Logger, level *slog.LevelVar) error {
	ctx, stop := context.WithCancelCause(context.Background())
	go untilSignal(stop)
	return serve(ctx, c, environ, stdout, log, level)
}

// serve is Run until ctx ends. It drains first if the cause is errTerminated.
func serve(ctx context.Context, c cli.Serve, environ []string, stdout io.Writer, log *slog.Logger, level *slog.LevelVar) error {
	s := &server{
		config: c, environ: environ, stdout: stdout, log: log, level: level, registry: prometheus.NewRegistry(),
		now: func() int64 { return time.Now().UnixMilli() }, started: time.Now(), beatNow: make(chan struct{}, 1),
	}
	defer s.close()
	if err := s.wire(ctx); err != nil {
		return err
	}
	return s.run(ctx)
}

// wire makes all parts, so that what can be wrong with the call is found before
// anything is served.
func (s *server) wire(ctx context.Context) error {
	for _, step := range []func(context.Context) error{s.open, s.wireEvents, s.wirePolls, s.wireNotices, s.wireLive, s.wireConsole} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// server holds the parts of a popupd.
type server struct {
	config   cli.Serve
	environ  []string // KEY=VALUE
	stdout   io.Writer
	log      *slog.Logger
	level    *slog.LevelVar // of log
	registry *prometheus.Registry
	now      func() int64 // ms since the epoch, UTC
	closers  []func()     // of what was opened, in that order
	draining atomic.Bool
	taking   atomic.Bool // the data plane takes connections
	started  time.Time
	beaten   atomic.Int64  // ns from started to the latest heartbeat
	beatNow  chan struct{} // cap 1: the state has changed, see heartbeat

	// open
	manager   *systemd.Notifier
	host      string // name of this one
	id        string // likewise, see serverID
	dir       *datadir.Dir
	keys      keys
	db        *persist.DB
	redis     rueidis.Client
	tracer    *tracing.Tracer // nil: nothing is traced
	addresses *datadir.Addresses
	data      *netsock.Bound
	admin     net.Listener

	// wireEvents
	popups   *snapshot.Store
	sample   *sample.Reservoir
	users    *userstate.State
	table    *frequency.Table
	journal  *journal.Journal
	shipper  *queue.Shipper
	consumer *queue.Consumer

	// wirePolls
	whyNot  *sample.WhyNot
	watcher *follow.Watcher
	polls   *handler.Server

	// wireNotices
	notices *notice.Sender
	lag     *notice.Lag
	watch   *notice.Watch

	// wireLive
	live *live.Hub

	// wireConsole
	tokens   *tokens.Cache
	sessions *sessions.Cache
	issuer   *oidc.Issuer // nil: people log in with tokens alone
	console  *console.Server
}

// onClose has close call fn, before what was opened earlier is closed.
func (s *server) onClose(fn func()) { s.closers = append(s.closers, fn) }

func (s *server) close() {
	for _, fn := range slices.Backward(s.closers) {
		fn()
	}
}
