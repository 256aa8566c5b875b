package persist

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"time"

	"github.com/popupd/popupd/popup"
)

// Known says what a server has of the store: of each stream the events up to some seq,
// with all that followed from them for users' state.
type Known struct {
	Seqs map[popup.StreamID]uint64 // the events up to this seq are known

	// Of the latest [DB.Restore], or the one that a dump goes back to.
	Committed map[popup.StreamID]uint64
	QuietMS   int64
}

// Found says what [DB.Restore] has read, and how the store stood then.
type Found struct {
	Full   string // why the whole table was read; "" if only what had changed was
	Past   bool   // since the store has less than it had, or is another one
	Events uint64 // what had changed, in events

	Committed map[popup.StreamID]uint64 // last_seq of the streams, but for those that are over
	QuietMS   int64                     // these have not moved since then, by the store's clock
	Limited   []uint32                  // popups that limit their impressions

	ranges []seqRange // what had changed, if Full is empty
}

// The reasons for which the whole table is read, in the log.
const (
	fullUnknown  = "nothing is known yet"
	fullRestored = "the database is another one or of the past"
	fullRemoved  = "events that are not known were removed"
	fullMany     = "too much has changed"
)

const (
	// changesAtLeast is how many events are read however small the table is.
	changesAtLeast = 100_000
	// changesShare is the share of the table from which on reading all of it is faster:
	// an event and its row cost 8 to 10 us, a row 0.2 to 0.3 us in passing and 1.2 us more
	// if it matters (bench/results/start.md).
	changesShare = 25
	// quietOpen is after how long a stream that was never closed is over.
	quietOpen = 90 * 24 * time.Hour
)

// progress is a row of ingest_stream.
type progress struct {
	no        uint32
	id        popup.StreamID
	last      uint64
	open      bool
	updatedMS int64
}

func readProgress(ctx context.Context, tx *sql.Tx) ([]progress, error) {
	rows, err := tx.QueryContext(ctx, "SELECT stream_no, stream_id, last_seq, closed = 0, updated_ms FROM ingest_stream")
	if err != nil {
		return nil, err
	}
	return collect(rows, func(s scanner) (p progress, err error) {
		var id string
		if err := s.Scan(&p.no, &id, &p.last, &p.open, &p.updatedMS); err != nil {
			return p, err
		}
		p.id, err = popup.ParseStreamID(id)
		return p, err
	})
}

// found returns how the store stands at nowMS of its clock.
func found(streams []progress, limited []uint32, nowMS int64) Found {
	f := Found{Committed: make(map[popup.StreamID]uint64), Limited: limited, QuietMS: nowMS - forgottenAfter.Milliseconds()}
	for _, p := range streams {
		if p.updatedMS > f.QuietMS || p.open && p.updatedMS > nowMS-quietOpen.Milliseconds() {
			f.Committed[p.id] = p.last
		}
	}
	return f
}

// seqRange is what has changed in a stream: the events after one, up to the last.
type seqRange struct {
	no          uint32
	after, last uint64
}

// changes returns what k lacks, or why all must be read. A stream that k does not name
// is new, or was over at QuietMS and has not moved since.
func (k *Known) changes(f *Found, streams []progress) (ranges []seqRange, full string) {
	if k == nil {
		return nil, fullUnknown
	}
	missing, common := len(k.Committed), 0
	for _, p := range streams {
		committed, ok := k.Committed[p.id]
		if ok {
			missing--
		}
		if p.last < committed {
			return nil, fullRestored
		}
		seq, ok := k.Seqs[p.id]
		if ok {
			common++
		} else if p.updatedMS <= k.QuietMS {
			continue
		}
		if p.last > seq {
			ranges = append(ranges, seqRange{p.no, seq, p.last})
			f.Events += p.last - seq
		}
	}
	if missing > 0 || common == 0 {
		return nil, fullRestored
	}
	return ranges, ""
}

// planRestore decides what of the store has to be read.
func (db *DB) planRestore(ctx context.Context, tx *sql.Tx, k *Known, limited []uint32, changesOnly bool) (f Found, err error) {
	var nowMS int64
	var rows uint64
	if err := tx.QueryRowContext(ctx, "SELECT "+db.dialect.now+", ("+db.dialect.stateRows+")").Scan(&nowMS, &rows); err != nil {
		return f, fmt.Errorf("estimate states: %w", err)
	}
	streams, err := readProgress(ctx, tx)
	if err != nil {
		return f, fmt.Errorf("read streams: %w", err)
	}
	f = found(streams, limited, nowMS)
	ranges, full := k.changes(&f, streams)
	if f.Full = full; full != "" {
		f.Past = full == fullRestored
		return f, nil
	}
	if changesOnly {
		rows = 0 // to read all costs nothing then
	}
	if f.Events > max(db.changesAtLeast, rows/changesShare) {
		f.Full = fullMany
		return f, nil
	}
	for _, r := range ranges {
		whole, err := r.isWhole(ctx, tx)
		if err != nil {
			return f, fmt.Errorf("count events: %w", err)
		}
		if !whole {
			f.Full = fullRemoved
			return f, nil
		}
	}
	f.ranges = ranges
	return f, nil
}

// isWhole reports whether each seq of the range has its event, or is declared lost.
func (r seqRange) isWhole(ctx context.Context, tx *sql.Tx) (bool, error) {
	var events, dead uint64
	err := tx.QueryRowContext(ctx, "SELECT COUNT(*) FROM event WHERE stream_no = ? AND seq > ? AND seq <= ?", r.no, r.after, r.last).Scan(&events)
	if err != nil {
		return false, err
	}
	err = tx.QueryRowContext(ctx, "SELECT COALESCE(SUM(last_seq - CASE WHEN first_seq > ? THEN first_seq - 1 ELSE ? END), 0) FROM dead_frame"+
		" WHERE stream_no = ? AND last_seq > ?", r.after, r.after, r.no, r.after).Scan(&dead)
	return events+dead == r.last-r.after, err
}

// changedStates asks for the states that the events of a range have changed, one for
// each event. The order of the tables is fixed: a walk through the events, with a lookup
// by primary key for each.
func (d *dialect) changedStates(where string) string {
	return "SELECT u.user_id, " + stateColumns + " FROM event e " + d.lookup("user_popup u") +
		" ON u.user_id = e.user_id AND u.popup_id = e.popup_id WHERE " + where + " AND e.stream_no = ? AND e.seq > ? AND e.seq <= ?"
}

func (r seqRange) args() []driver.NamedValue {
	return []driver.NamedValue{{Ordinal: 3, Value: int64(r.no)}, {Ordinal: 4, Value: int64(r.after)}, {Ordinal: 5, Value: int64(r.last)}}
}
