package main

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/popupd/popupd/console"
	"github.com/popupd/popupd/handler"
	"github.com/popupd/popupd/queue"
)

const (
	shutdownTimeout = 5 * time.Second // for requests under way
	settleTimeout   = 5 * time.Second // for events on their way to the database
)

// stop ends the server in the order in which a request travels, and logs how
// long each step took.
func stop(server *handler.Server, journal *queue.Journal, shipper *queue.Shipper, p *parts, operators *console.Server, log *slog.Logger) error {
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
