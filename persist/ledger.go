package persist

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/popupd/popupd/popup"
)

// reasonGap is dead_frame.reason of what was lost before it came here.
const reasonGap = "gap"

// Register makes a stream known and open, committed at least up to first-1, and
// returns its last committed seq. first is the first seq that its journal still has:
// what is missing between the last committed one and first becomes a gap row. A
// stream's row is missing, or behind, only if it is new or the store was restored
// to the past.
func (db *DB) Register(ctx context.Context, s popup.StreamID, first uint64) (last uint64, err error) {
	var gap uint64
	// Another server may register or flush the stream between the two statements.
	for range 3 {
		err = db.inTx(ctx, func(tx *sql.Tx) (err error) {
			last, gap, err = db.register(ctx, tx, s, max(first, 1))
			return err
		})
		if !isDuplicate(err) && !errors.Is(err, ErrConflict) {
			break
		}
	}
	if err != nil {
		return 0, fmt.Errorf("register stream %s: %w", s, err)
	}
	if gap > 0 {
		db.metrics.gaps.Add(float64(gap))
		db.log.Error("events are in neither the journal nor the store: declared as lost", "stream", s.String(), "events", gap, "last", last)
	}
	return last, nil
}

// register returns the stream's progress and how many events before first are lost.
func (db *DB) register(ctx context.Context, tx *sql.Tx, s popup.StreamID, first uint64) (last, gap uint64, err error) {
	var no uint32
	var from uint64
	err = tx.QueryRowContext(ctx, "SELECT stream_no, last_seq FROM ingest_stream WHERE stream_id = ?", s.String()).Scan(&no, &from)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		last = first - 1
		no, err = db.insertStream(ctx, tx, s, last)
	case err == nil:
		last = max(from, first-1)
		err = db.reopenStream(ctx, tx, no, from, last)
	}
	if err != nil || last == from {
		return last, 0, err
	}
	return last, last - from, db.insertGap(ctx, tx, no, from+1, last)
}

func (db *DB) insertStream(ctx context.Context, tx *sql.Tx, s popup.StreamID, last uint64) (no uint32, err error) {
	r, err := tx.ExecContext(ctx, "INSERT INTO ingest_stream (stream_id, last_seq, removed, closed, host, updated_ms)"+
		" VALUES (?, ?, 0, 0, ?, "+db.dialect.now+")", s.String(), last, db.host)
	if err != nil {
		return 0, err
	}
	id, err := r.LastInsertId()
	return uint32(id), err
}

// reopenStream moves a stream's progress as a flush does, by compare-and-set.
func (db *DB) reopenStream(ctx context.Context, tx *sql.Tx, no uint32, from, to uint64) error {
	r, err := tx.ExecContext(ctx, "UPDATE ingest_stream SET last_seq = ?, closed = 0, host = ?, updated_ms = "+db.dialect.now+
		" WHERE stream_no = ? AND last_seq = ?", to, db.host, no, from)
	if err != nil {
		return err
	}
	if n, err := r.RowsAffected(); err != nil || n != 1 {
		return errors.Join(ErrConflict, err)
	}
	return nil
}

func (db *DB) insertGap(ctx context.Context, tx *sql.Tx, no uint32, first, last uint64) error {
	_, err := tx.ExecContext(ctx, "INSERT INTO dead_frame (stream_no, first_seq, last_seq, bytes, reason, at_ms)"+
		" VALUES (?, ?, ?, NULL, ?, "+db.dialect.now+")", no, first, last, reasonGap)
	if err != nil {
		return fmt.Errorf("insert gap: %w", err)
	}
	return nil
}

// Progress returns the last committed seq of a stream; known is false if the
// stream was never registered.
func (db *DB) Progress(ctx context.Context, s popup.StreamID) (last uint64, known bool, err error) {
	err = db.read.QueryRowContext(ctx, "SELECT last_seq FROM ingest_stream WHERE stream_id = ?", s.String()).Scan(&last)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return 0, false, nil
	case err != nil:
		return 0, false, fmt.Errorf("read progress of stream %s: %w", s, err)
	}
	return last, true, nil
}

// CloseStream marks a stream as committed to its end. It is a hint: whoever
// registers or flushes the stream opens it again.
func (db *DB) CloseStream(ctx context.Context, s popup.StreamID) error {
	_, err := db.write.ExecContext(ctx, "UPDATE ingest_stream SET closed = 1, updated_ms = "+db.dialect.now+" WHERE stream_id = ?", s.String())
	if err != nil {
		return fmt.Errorf("close stream %s: %w", s, err)
	}
	return nil
}

// forgottenAfter is longer than a list lives in Redis: a stream that has not
// moved since has nothing there to commit.
const forgottenAfter = 8 * 24 * time.Hour

// Orphans returns the open streams that have not moved for this long, but for
// those of servers that are long gone. Only the store's clock matters: of a cluster
// that of its nodes, which are assumed to be within a few seconds of each other.
func (db *DB) Orphans(ctx context.Context, idle time.Duration) ([]popup.StreamID, error) {
	now := db.dialect.now
	rows, err := db.read.QueryContext(ctx, "SELECT stream_id FROM ingest_stream WHERE closed = 0 AND updated_ms <= "+now+" - ?"+
		" AND updated_ms > "+now+" - ? ORDER BY stream_no", idle.Milliseconds(), forgottenAfter.Milliseconds())
	if err != nil {
		return nil, fmt.Errorf("list orphaned streams: %w", err)
	}
	list, err := collect(rows, func(s scanner) (popup.StreamID, error) {
		var id string
		if err := s.Scan(&id); err != nil {
			return popup.StreamID{}, err
		}
		return popup.ParseStreamID(id)
	})
	if err != nil {
		return nil, fmt.Errorf("list orphaned streams: %w", err)
	}
	return list, nil
}
