package persist

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/popupd/popupd/internal/failpoint"
	"github.com/popupd/popupd/popup"
)

// flusher applies batches of events, one at a time, on a connection of its own.
type flusher struct {
	*DB
	pool *sql.DB // of one connection; on SQLite the one that writes

	mu        sync.Mutex // held for a whole flush; guards all below
	writer    writer
	session   *serverSession // of the connection last used; nil on SQLite
	lockWaits int            // in a row

	orphanedSessions []serverSession // without a connection, maybe with locks
}

func (f *flusher) init(db *DB) {
	f.DB = db
	f.writer.init(db)
}

// Flush commits a batch: its events, what follows from them for users' state and
// statistics, its gaps, and the stream's progress, in one transaction. It returns
// the new last_seq, which is b.Last. After an error nothing is known but that
// the batch was applied as a whole or not at all: the caller reads [DB.Progress]
// and goes on from there. [ErrConflict] says that the stream stood elsewhere.
func (db *DB) Flush(ctx context.Context, b *popup.Batch) (last uint64, err error) {
	f := &db.flusher
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := checkContiguous(b); err != nil {
		f.metrics.errors[classOther].Inc()
		return 0, fmt.Errorf("flush stream %s: %w", b.Stream, err)
	}
	ctx, span := db.tracer.Start(ctx, "flush")
	span.SetText("popupd.stream", b.Stream.String())
	span.Set("popupd.events", len(b.Events))
	span.Set("popupd.gaps", len(b.Gaps))
	attempts, err := f.flush(ctx, b)
	span.Set("popupd.attempts", attempts)
	span.End(err)
	if err != nil {
		return 0, fmt.Errorf("flush stream %s from %d to %d: %w", b.Stream, b.After, b.Last, err)
	}
	return b.Last, nil
}

// flush tries until the outcome is settled or the caller has to look. Trying
// again is always safe: the compare-and-set refuses what was applied.
func (f *flusher) flush(ctx context.Context, b *popup.Batch) (attempts int, err error) {
	const deadlocksAllowed = 2
	deadlocks, bisect := 0, false
	for {
		start := time.Now()
		attempts++
		err := f.try(ctx, b, bisect)
		if err == nil {
			f.lockWaits = 0
			f.report(b, time.Since(start))
			return attempts, nil
		}
		c := classOf(err)
		f.metrics.errors[c].Inc()
		switch {
		case c == classDeadlock && deadlocks < deadlocksAllowed:
			deadlocks++
			continue
		case c == classData && !bisect:
			bisect = true
			continue
		case errors.As(err, new(refusedError)): // at most once: now nothing is prepared for a while
			f.log.Warn("the store takes no prepared statements: rows go as literals, which costs it more", "err", err)
			continue
		case c == classLockWait:
			if f.lockWaits++; f.lockWaits >= 2 {
				f.killOrphanedSessions(ctx)
			}
		}
		return attempts, err
	}
}

// try makes one attempt. Whatever goes wrong, a panic too, the connection is not
// used again: BEGIN would commit what was done of the batch.
func (f *flusher) try(ctx context.Context, b *popup.Batch, bisect bool) error {
	conn, err := f.pool.Conn(ctx)
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	done := false
	defer func() {
		if !done {
			f.abandon(conn)
		}
		_ = conn.Close() // to the pool
	}()
	if err := f.identify(ctx, conn); err != nil {
		return err
	}
	if err := f.apply(ctx, conn, b, bisect); err != nil {
		return err
	}
	failpoint.Reach(failpoint.FlushCommitBefore)
	if _, err := conn.ExecContext(ctx, "COMMIT"); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	done = true
	failpoint.Reach(failpoint.FlushCommitDone)
	return nil
}

// apply does everything between BEGIN and COMMIT.
func (f *flusher) apply(ctx context.Context, conn *sql.Conn, b *popup.Batch, bisect bool) error {
	if _, err := conn.ExecContext(ctx, f.dialect.begin); err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	r, err := conn.ExecContext(ctx, "UPDATE ingest_stream SET last_seq = ?, closed = 0, host = ?, updated_ms = "+f.dialect.now+
		" WHERE stream_id = ? AND last_seq = ?", b.Last, f.host, b.Stream.String(), b.After)
	if err != nil {
		return fmt.Errorf("move progress: %w", err)
	}
	if n, err := r.RowsAffected(); err != nil {
		return fmt.Errorf("move progress: %w", err)
	} else if n != 1 {
		return ErrConflict
	}
	failpoint.Reach(failpoint.FlushProgressMoved)
	return f.writer.write(ctx, conn, b, bisect)
}

// abandon rolls back and drops the connection: what state the session is in is
// not worth finding out. A session that does not confirm the rollback may live
// on and hold the progress row.
func (f *flusher) abandon(conn *sql.Conn) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	if _, err := conn.ExecContext(ctx, "ROLLBACK"); err != nil && f.session != nil {
		f.orphan(*f.session)
	}
	f.session = nil
	_ = conn.Raw(func(any) error { return driver.ErrBadConn }) // closes the driver's connection
}

// takenMS returns when a server took the first of these events, as nearly as they say
// it: an action may be reported long after it happened, an impression never is.
func takenMS(events []popup.Event) int64 {
	for i := range events {
		if a := events[i].Action; a == popup.Impression || a == popup.Control {
			return events[i].AtMS
		}
	}
	return events[0].AtMS
}

// report counts what a committed batch was.
func (f *flusher) report(b *popup.Batch, took time.Duration) {
	m := &f.metrics
	m.flushSeconds.Observe(took.Seconds())
	if len(b.Events) > 0 {
		m.flushLag.Observe(max(0, float64(f.now()-takenMS(b.Events))/1000))
	}
	for _, g := range b.Gaps {
		m.gaps.Add(float64(g.Last - g.First + 1))
		f.log.Error("events were lost to damage on disk", "stream", b.Stream.String(), "first", g.First, "last", g.Last)
	}
	for _, r := range f.writer.refused {
		f.log.Error("the store refused an event: moved to dead_frame", "stream", b.Stream.String(), "seq", r.event.Seq, "reason", r.reason)
	}
	m.dead.Add(float64(len(f.writer.refused)))
	m.flushed.Add(float64(len(b.Events) - len(f.writer.refused)))
}

// checkContiguous reports whether every seq of the batch belongs to exactly one
// event or gap, on which the meaning of progress depends.
func checkContiguous(b *popup.Batch) error {
	if b.Last <= b.After {
		return fmt.Errorf("batch of nothing, %d to %d", b.After+1, b.Last)
	}
	next, events, gaps := b.After+1, b.Events, b.Gaps
	for next <= b.Last {
		switch {
		case len(events) > 0 && events[0].Seq == next:
			next++
			events = events[1:]
		case len(gaps) > 0 && gaps[0].First == next && gaps[0].Last >= next && gaps[0].Last <= b.Last:
			next = gaps[0].Last + 1
			gaps = gaps[1:]
		default:
			return fmt.Errorf("batch %d to %d: nothing has seq %d", b.After+1, b.Last, next)
		}
	}
	if len(events)+len(gaps) > 0 {
		return errors.New("batch: events or gaps outside of its range, or out of order")
	}
	return nil
}
