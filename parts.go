package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"

	"github.com/popupd/popupd/console"
	"github.com/popupd/popupd/handler"
	"github.com/popupd/popupd/queue"
	"github.com/popupd/popupd/queue/journal"
)

const restartPause = time.Second

// parts are the goroutines behind the listeners. One that fails or panics is
// logged and started again: what it works on is on disk or can be asked for
// again, and polls go on meanwhile.
type parts struct {
	ctx    context.Context
	cancel context.CancelFunc
	wg     sync.WaitGroup
	log    *slog.Logger
}

func newParts(log *slog.Logger) *parts {
	ctx, cancel := context.WithCancel(context.Background())
	return &parts{ctx: ctx, cancel: cancel, log: log}
}

// run starts a part. It is done when it returns nil.
func (p *parts) run(name string, part func(context.Context) error) {
	p.wg.Go(func() {
		for {
			err := guarded(p.ctx, part)
			if err == nil || p.ctx.Err() != nil {
				return
			}
			p.log.Error("a part failed and is started again", "part", name, "err", err)
			select {
			case <-p.ctx.Done():
				return
			case <-time.After(restartPause):
			}
		}
	})
}

// stop ends all parts and waits for them. It may be called again.
func (p *parts) stop() {
	p.cancel()
	p.wg.Wait()
}

func guarded(ctx context.Context, part func(context.Context) error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v\n%s", r, debug.Stack())
		}
	}()
	return part(ctx)
}

const (
	shutdownTimeout = 5 * time.Second // for requests under way
	settleTimeout   = 5 * time.Second // for events on their way to the database
)

// stop ends the server in the order in which a request travels, and logs how
// long each step took.
func stop(server *handler.Server, journal *journal.Journal, shipper *queue.Shipper, p *parts, operators *console.Server, log *slog.Logger) error {
	ctx, cancel := context.WithTimeout(context.Background(), shutdownTimeout)
	defer cancel()
	last := time.Now()
	done := func(step string) {
		log.Info("stopping", "done", step, "took", time.Since(last).Round(time.Millisecond))
		last = time.Now()
	}
	errPolls := server.Shutdown(ctx)
	done("data plane closed")
	errJournal := journal.Close()
	done("journal sealed")
	settle(shipper)
	done("events settled")
	p.stop()
	done("parts stopped")
	ctx, cancel = context.WithTimeout(context.Background(), shutdownTimeout)
	defer cancel()
	return errors.Join(errPolls, errJournal, operators.Shutdown(ctx))
}

// settle waits until every event is counted, but not for long: the next start
// goes on with those that are not.
func settle(s *queue.Shipper) {
	deadline := time.After(settleTimeout)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !s.Drained() {
		select {
		case <-deadline:
			return
		case <-tick.C:
		}
	}
}
