package persist

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
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
// impressions, states, lists of users, servers and sessions of the console that can matter no
// more, and takes users who were reset out of the events. Several servers may run it on one store.
func (db *DB) Run(ctx context.Context) error {
	tick := time.NewTicker(pingEvery)
	defer tick.Stop()
	old := oldRows{expiry: expiry{DB: db}}
	var nextSweep time.Time
	for {
		up := db.ping(ctx)
		if up {
			db.countErasures(ctx)
		}
		if up && !time.Now().Before(nextSweep) {
			finished, err := db.sweep(ctx, &old, time.Now().Add(sweepFor))
			if err != nil && ctx.Err() == nil {
				db.log.Warn("sweep store", "err", err)
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

// harmless are statements that change nothing, one for each privilege that flushes
// need. They are refused where statements do not work: by a Galera node outside of the
// primary component, by a replica, by a server that is read-only.
func harmless() []string {
	return []string{
		"UPDATE ingest_stream SET closed = closed WHERE 1 = 0",
		"INSERT INTO ingest_stream (stream_id, last_seq, removed, closed, host, updated_ms)" +
			" SELECT stream_id, last_seq, removed, closed, host, updated_ms FROM ingest_stream WHERE 1 = 0",
		"DELETE FROM ingest_stream WHERE 1 = 0",
	}
}

// ping sets popupd_mysql_up, and reports whether this server may write. A store
// whose schema is newer, or yet to be made, works.
func (db *DB) ping(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, pingTimeout)
	defer cancel()
	err := db.tryWrites(ctx)
	if err == nil {
		db.nodes.works()
	}
	if err == nil || errors.Is(err, ErrNewerSchema) || isNoTable(err) {
		db.metrics.up.Set(1)
	} else {
		db.metrics.up.Set(0)
	}
	return err == nil
}

func (db *DB) tryWrites(ctx context.Context) error {
	for _, statement := range harmless() {
		if _, err := db.write.ExecContext(ctx, statement); err != nil {
			return err
		}
	}
	return nil
}

// oldRows are the walks that remember where they stand.
type oldRows struct {
	walk
	expiry
}

// sweep goes on with the walks through old rows until they are finished or the
// time is up. Each gets on a little every time.
func (db *DB) sweep(ctx context.Context, old *oldRows, until time.Time) (finished bool, err error) {
	removed := true
	if db.retention > 0 {
		removed, err = db.removeOld(ctx, until)
	}
	erased, eraseErr := db.erase(ctx, &old.walk, until)
	expired, expireErr := old.expiry.run(ctx, until)
	unlisted, listErr := db.removeLists(ctx, until)
	loggedOut, sessionErr := db.removeSessions(ctx, until)
	return removed && erased && expired && unlisted && loggedOut, errors.Join(err, eraseErr, expireErr, listErr, sessionErr, db.removeOldServers(ctx))
}

// eventTable names the table of events among the metrics.
const eventTable = "event"

// retentionBatch is how many events are looked at, and deleted at most, in one
// transaction: some milliseconds, during which the stream's flusher waits.
const retentionBatch = 2000

// removeOld deletes events older than the retention until none is left or, after a
// batch, the time is up. It keeps statistics, users' state and the rows of dead_frame,
// of which it empties the bytes. Age is by the store's clock: that of a server which
// is years ahead must not delete everything.
func (db *DB) removeOld(ctx context.Context, until time.Time) (finished bool, err error) {
	if _, err := db.countExperiments(ctx, until); err != nil {
		return false, err
	}
	nowMS, err := db.storeNow(ctx)
	if err != nil {
		return false, err
	}
	cutoffMS := nowMS - db.retention.Milliseconds()
	if _, err := db.write.ExecContext(ctx, "UPDATE dead_frame SET bytes = NULL WHERE at_ms < ? AND bytes IS NOT NULL", cutoffMS); err != nil {
		return false, fmt.Errorf("empty old dead frames: %w", err)
	}
	streams, err := db.streams(ctx)
	if err != nil {
		return false, err
	}
	for _, s := range streams {
		after := uint64(0)
		for more := true; more; {
			after, more, err = db.removeBatch(ctx, s.no, after, cutoffMS)
			if errors.Is(err, errMoved) {
				break // another server is at it
			}
			if err != nil {
				return false, fmt.Errorf("remove old events of stream %d: %w", s.no, err)
			}
			if more && time.Now().After(until) {
				return false, nil
			}
		}
	}
	return true, nil
}

// errMoved means that somebody else has removed events of this stream.
var errMoved = errors.New("removed by another server")

// removeBatch looks at the next events of a stream and deletes those that are
// old. There may be more if it found any. A clock that was wrong for a while
// leaves young rows among old ones: they stay, and are walked over.
func (db *DB) removeBatch(ctx context.Context, no uint32, after uint64, cutoffMS int64) (last uint64, more bool, err error) {
	var removed uint64
	if err := db.read.QueryRowContext(ctx, "SELECT removed FROM ingest_stream WHERE stream_no = ?", no).Scan(&removed); err != nil {
		return 0, false, err
	}
	var old int64
	err = db.read.QueryRowContext(ctx, "SELECT COALESCE(MAX(seq), 0), COALESCE(SUM(at_ms < ?), 0) FROM"+
		" (SELECT seq, at_ms FROM event WHERE stream_no = ? AND seq > ?"+
		" AND seq <= (SELECT p.seq FROM experiment_progress p WHERE p.stream_no = ?) ORDER BY seq LIMIT ?) batch",
		cutoffMS, no, after, no, retentionBatch).Scan(&last, &old)
	if err != nil || old == 0 {
		return last, false, err
	}
	err = db.inTx(ctx, func(tx *sql.Tx) error {
		// First the stream's row, as flushers do: in one order nothing deadlocks.
		if err := exactly(1)(tx.ExecContext(ctx, "UPDATE ingest_stream SET removed = ? WHERE stream_no = ? AND removed = ?",
			removed+uint64(old), no, removed)); err != nil {
			return err
		}
		return exactly(old)(tx.ExecContext(ctx, "DELETE FROM event WHERE stream_no = ? AND seq > ? AND seq <= ? AND at_ms < ?",
			no, after, last, cutoffMS))
	})
	if err == nil {
		db.metrics.removed[eventTable].Add(float64(old))
	}
	return last, true, err
}

// exactly checks that a statement has changed n rows.
func exactly(n int64) func(sql.Result, error) error {
	return func(r sql.Result, err error) error {
		if err != nil {
			return err
		}
		got, err := r.RowsAffected()
		if err == nil && got != n {
			err = errMoved
		}
		return err
	}
}

// stream is a row of ingest_stream, as far as walks need it.
type stream struct {
	no   uint32
	last uint64
}

// streams lists the streams that may still have events.
func (db *DB) streams(ctx context.Context) ([]stream, error) {
	rows, err := db.read.QueryContext(ctx, "SELECT stream_no, last_seq FROM ingest_stream WHERE last_seq > removed ORDER BY stream_no")
	if err != nil {
		return nil, fmt.Errorf("list streams: %w", err)
	}
	list, err := collect(rows, func(r scanner) (s stream, err error) {
		err = r.Scan(&s.no, &s.last)
		return s, err
	})
	if err != nil {
		return nil, fmt.Errorf("list streams: %w", err)
	}
	return list, nil
}
