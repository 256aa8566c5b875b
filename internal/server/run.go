package server

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"slices"
	"syscall"
	"time"

	"github.com/popupd/popupd/internal/retry"
	"github.com/popupd/popupd/internal/systemd"
	"github.com/popupd/popupd/popup"
	"github.com/popupd/popupd/queue"
)

// The causes of an orderly end.
var (
	errTerminated  = errors.New("terminated") // by an orchestrator, whose load balancers must notice
	errInterrupted = errors.New("interrupted")
)

// untilSignal ends the server at the first SIGTERM or SIGINT. A second one ends
// the process at once, since by then the default handling is back.
func untilSignal(stop context.CancelCauseFunc) {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	if <-signals == syscall.SIGTERM {
		stop(errTerminated)
	} else {
		stop(errInterrupted)
	}
	signal.Stop(signals)
}

// run serves until ctx ends or a listener fails. Until the users' state is
// restored the data plane refuses connections: a balancer sends those elsewhere,
// which it does not do with an answer of 503.
func (s *server) run(ctx context.Context) error {
	served := make(chan error, 2)
	go func() { served <- s.console.Serve(s.admin) }()
	s.log.Info("bound", "plane", "data", "address", s.data.Addr().String())
	s.log.Info("listening", "plane", "control", "address", s.admin.Addr().String())

	parts := newParts(s.log)
	defer parts.stop()
	if s.config.Redis != "" { // before the restore, so that nothing falls between them
		parts.run("listen", s.listen)
	}
	parts.run("heartbeat", s.heartbeat)
	parts.run("live", s.live.Run)
	parts.run("watchdog", s.watchdog)
	s.tell(systemd.Status("Not ready: reads what is known of users"))
	caughtUp, err := s.users.Restore(ctx)
	switch {
	case ctx.Err() != nil: // told to end while still starting
		return nil
	case err != nil:
		return err
	}
	s.start(parts)
	if !caughtUp {
		s.users.Behind()
	}
	if !s.users.Ready() {
		s.tell(systemd.Status("Not ready: waits for the database"))
	}
	ready := s.users.Restored()
	for {
		select {
		case <-ready:
			ready = nil
			if err := s.servePolls(ctx, served); err != nil && ctx.Err() == nil {
				return err
			}
		case err := <-served:
			return err
		case <-ctx.Done():
			s.drain(context.Cause(ctx))
			return s.stop(parts)
		}
	}
}

// servePolls opens the data plane.
func (s *server) servePolls(ctx context.Context, served chan<- error) error {
	ln, err := s.listenData(ctx)
	if err != nil {
		return err
	}
	s.taking.Store(true)
	retry.Notify(s.beatNow)
	go func() { served <- s.polls.Serve(ln) }()
	s.log.Info("listening", "plane", "data", "address", ln.Addr().String())
	s.tell(systemd.Ready, systemd.Status("Serves polls at "+ln.Addr().String()))
	if s.config.Demo {
		s.greet()
	}
	return nil
}

// drain makes the server unready, and gives load balancers time to notice if it is
// an orchestrator that ends it.
func (s *server) drain(cause error) {
	s.draining.Store(true)
	retry.Notify(s.beatNow)
	s.polls.Drain()
	s.tell(systemd.Stopping, systemd.Status("Stops: serves on until load balancers have noticed, then commits what it can"))
	if errors.Is(cause, errTerminated) {
		time.Sleep(s.config.Drain)
	}
}

// start starts what runs behind the listeners.
func (s *server) start(p *parts) {
	p.run("journal", s.journal.Run)
	p.run("database", s.db.Run)
	p.run("popups", s.watcher.Run)
	p.run("tokens", s.tokens.Run)
	p.run("sessions", s.sessions.Run)
	if s.issuer != nil {
		p.run("issuer", s.issuer.Run)
	}
	s.startUsers(p)
	p.run("sample", s.sample.Run)
	p.run("why not", s.whyNot.Run)
	p.run("notices", s.notices.Run)
	p.run("lag", s.lag.Run)
	p.run("watch", s.watch.Run)
	p.run("shipper", s.shipper.Run)
	if s.config.Flush {
		p.run("flusher", s.consumer.Run)
		p.run("experiments", s.db.RunExperiments)
	}
	p.run("popup list", s.db.ReadPopupList)
	p.run("catch up", s.users.CatchUp)
}

// listen merges what other servers tell until ctx ends.
func (s *server) listen(ctx context.Context) error {
	return queue.Listen(ctx, queue.ListenConfig{
		Redis: s.redis, Prefix: s.config.RedisPrefix, Own: s.owns, OnEvent: s.users.Merge, OnFrame: s.users.Heard,
		OnSubscribed: s.users.Subscribed, OnMissed: s.users.Missed, Log: s.log,
	})
}

// shipped returns what tells of the events that other servers have shipped and nobody
// has committed, nil if there are none.
func (s *server) shipped() func(context.Context, func(*popup.Event), func(popup.StreamID, uint64, uint64)) error {
	if s.config.Redis == "" {
		return nil
	}
	return func(ctx context.Context, fn func(*popup.Event), onFrame func(popup.StreamID, uint64, uint64)) error {
		open, err := s.db.Orphans(ctx, -clockSkew)
		if err != nil {
			return err
		}
		return queue.Shipped(ctx, s.redis, s.config.RedisPrefix, slices.DeleteFunc(open, s.owns), fn, onFrame)
	}
}

// clockSkew is more than the clocks of a database's nodes are apart: a stream that one of
// them has just moved is open to all.
const clockSkew = time.Minute

const (
	shutdownTimeout = 5 * time.Second // for requests under way
	drainTimeout    = 5 * time.Second // for events on their way to the database
	tracesTimeout   = 2 * time.Second // for traces on their way to the collector
)

// stop ends the server in the order in which a request travels, and logs how
// long each step took.
func (s *server) stop(p *parts) error {
	ctx, cancel := context.WithTimeout(context.Background(), shutdownTimeout)
	defer cancel()
	last := time.Now()
	done := func(step string) {
		s.log.Info("stopping", "done", step, "took", time.Since(last).Round(time.Millisecond))
		last = time.Now()
	}
	errPolls := s.polls.Shutdown(ctx)
	done("data plane closed")
	errJournal := s.journal.Close()
	done("journal sealed")
	s.waitDrained()
	done("events shipped and committed")
	p.stop()
	done("parts stopped")
	ctx, cancel = context.WithTimeout(context.Background(), shutdownTimeout)
	defer cancel()
	return errors.Join(errPolls, errJournal, s.console.Shutdown(ctx))
}

// waitDrained waits until every event is committed, but not for long: the next
// start goes on with those that are not.
func (s *server) waitDrained() {
	deadline := time.After(drainTimeout)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !s.shipper.Drained() {
		select {
		case <-deadline:
			return
		case <-tick.C:
		}
	}
}
