package persist

import (
	"context"
	"errors"
	"time"
)

// What Run does, and how often.
const (
	pingEvery   = 5 * time.Second
	pingTimeout = 3 * time.Second
	sweepEvery  = time.Minute     // between walks through old rows that were finished
	sweepFor    = 3 * time.Second // at a time, so that pings go on
)

// Run keeps the store in order until ctx ends, and then returns nil: it watches
// whether the store answers, deletes events that are older than the retention,
// and takes users who were reset out of the events. Several servers may run it
// on one store.
func (db *DB) Run(ctx context.Context) error {
	tick := time.NewTicker(pingEvery)
	defer tick.Stop()
	var w walk
	var nextSweep time.Time
	for {
		if db.watch(ctx) && !time.Now().Before(nextSweep) {
			finished, err := db.sweep(ctx, &w, time.Now().Add(sweepFor))
			if err != nil && ctx.Err() == nil {
				db.log.Warn("sweep store", "error", err)
			}
			if finished || err != nil {
				nextSweep = time.Now().Add(sweepEvery)
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// watch pings the store and tells the metric.
func (db *DB) watch(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, pingTimeout)
	defer cancel()
	if db.Ping(ctx) != nil {
		db.metrics.up.Set(0)
		return false
	}
	db.metrics.up.Set(1)
	return true
}

// sweep goes on with the walks through old rows until they are finished or the
// time is up. Each gets on a little every time.
func (db *DB) sweep(ctx context.Context, w *walk, until time.Time) (finished bool, err error) {
	removed := true
	if db.retention > 0 {
		removed, err = db.removeOld(ctx, db.now()-db.retention.Milliseconds(), until)
	}
	forgotten, forgetErr := db.forget(ctx, w, until)
	return removed && forgotten, errors.Join(err, forgetErr)
}
