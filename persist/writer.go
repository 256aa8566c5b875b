package persist

import (
	"context"
	"database/sql"
	"encoding/hex"
	"fmt"
	"strconv"

	"github.com/popupd/popupd/popup"
)

// Limits of one statement. Longer ones gain nothing; shorter ones pay for more
// round trips (see BenchmarkFlush).
const (
	maxStatementRows  = 2000
	maxStatementBytes = 1 << 20
	maxRowBytes       = 1 << 10 // of the longest row of events, states, statistics, dead frames or erasures
)

// writer turns a batch into statements inside the flusher's transaction. It
// builds them as literal SQL: a prepared statement is bound to 65,535 values, and
// binding costs more than writing digits.
type writer struct {
	*DB
	mergeState string // assignments of the upserts
	addStats   string
	maxBytes   int // of a statement

	// Of the batch being applied.
	no      uint32 // stream_no
	buf     []byte // the statement being built
	tally   tally
	erased  erased
	refused []refusal
}

func (w *writer) init(db *DB) {
	w.DB = db
	w.maxBytes = maxStatementBytes
	d := db.dialect
	// No expression reads a column that one before it assigns: MySQL would give
	// the new value, SQLite the old one.
	w.mergeState = d.upsert("user_id, popup_id") + d.expand(
		"impressions = GREATEST(impressions, NEW(impressions)),"+
			" acted = CASE WHEN NEW(last_impression_ms) > last_impression_ms THEN NEW(acted)"+
			" WHEN NEW(last_impression_ms) < last_impression_ms THEN acted ELSE acted | NEW(acted) END,"+
			" last_impression_ms = GREATEST(last_impression_ms, NEW(last_impression_ms)),"+
			" next_at_ms = GREATEST(click_until_ms, NEW(click_until_ms), CASE"+
			" WHEN NEW(last_action_ms) > last_action_ms THEN NEW(next_at_ms)"+
			" WHEN NEW(last_action_ms) < last_action_ms THEN next_at_ms"+
			" WHEN NEW(last_action) > last_action THEN NEW(next_at_ms)"+
			" WHEN NEW(last_action) < last_action THEN next_at_ms"+
			" ELSE GREATEST(next_at_ms, NEW(next_at_ms)) END),"+
			" click_until_ms = GREATEST(click_until_ms, NEW(click_until_ms)),"+
			" last_action = CASE WHEN NEW(last_action_ms) > last_action_ms THEN NEW(last_action)"+
			" WHEN NEW(last_action_ms) < last_action_ms THEN last_action ELSE GREATEST(last_action, NEW(last_action)) END,"+
			" last_action_ms = GREATEST(last_action_ms, NEW(last_action_ms))")
	w.addStats = d.upsert("popup_id, hour, variant") + d.expand(
		"impressions = impressions + NEW(impressions), users = users + NEW(users), clicks = clicks + NEW(clicks),"+
			" dismisses = dismisses + NEW(dismisses), converts = converts + NEW(converts), controls = controls + NEW(controls)")
}

// limit adapts the statements to the server's max_allowed_packet.
func (w *writer) limit(maxPacket int) {
	w.maxBytes = min(maxStatementBytes, max(maxPacket/2, 2*maxRowBytes))
}

// write applies everything of the batch but its progress.
func (w *writer) write(ctx context.Context, conn *sql.Conn, b *popup.Batch, careful bool) error {
	w.refused = w.refused[:0]
	if err := w.look(ctx, conn, b); err != nil {
		return err
	}
	var err error
	if careful {
		err = w.bisect(ctx, conn, b.Events)
	} else {
		err = w.apply(ctx, conn, b.Events)
	}
	if err != nil {
		return err
	}
	if err := w.insertDead(ctx, conn); err != nil {
		return err
	}
	return w.insertGaps(ctx, conn, b.Gaps)
}

// look reads what the batch's rows depend on: the stream's number and the users
// who were erased.
func (w *writer) look(ctx context.Context, conn *sql.Conn, b *popup.Batch) error {
	var mark erasedMark
	err := conn.QueryRowContext(ctx, "SELECT stream_no, (SELECT COUNT(*) FROM erasure), (SELECT COALESCE(SUM(id), 0) FROM erasure)"+
		" FROM ingest_stream WHERE stream_id = ?", b.Stream.String()).Scan(&w.no, &mark.count, &mark.sum)
	if err != nil {
		return fmt.Errorf("read stream number: %w", err)
	}
	if err := w.erased.refresh(ctx, conn, mark); err != nil {
		return fmt.Errorf("read erasures: %w", err)
	}
	w.erased.add(b.Events)
	return nil
}

// apply writes some events of the batch and what follows from them.
func (w *writer) apply(ctx context.Context, conn *sql.Conn, events []popup.Event) error {
	if err := w.applyResets(ctx, conn, events); err != nil {
		return err
	}
	if err := w.insertEvents(ctx, conn, events); err != nil {
		return err
	}
	w.tally.count(events, &w.erased)
	if err := w.upsertStates(ctx, conn); err != nil {
		return err
	}
	return w.upsertStats(ctx, conn)
}

func (w *writer) insertEvents(ctx context.Context, conn *sql.Conn, events []popup.Event) error {
	const head = "INSERT INTO event (stream_no, seq, at_ms, user_id, popup_id, version, variant, action, served_at_ms, nth) VALUES "
	return w.insert(ctx, conn, "insert events", head, "", len(events), func(dst []byte, i int) []byte {
		e := &events[i]
		user := e.User
		if e.Action == popup.Reset || w.erased.covers(e) {
			user = nil
		}
		dst = strconv.AppendUint(dst, uint64(w.no), 10)
		dst = strconv.AppendUint(append(dst, ','), e.Seq, 10)
		dst = strconv.AppendInt(append(dst, ','), e.AtMS, 10)
		dst = w.dialect.text(append(dst, ','), user)
		dst = strconv.AppendUint(append(dst, ','), uint64(e.Popup), 10)
		dst = strconv.AppendUint(append(dst, ','), uint64(e.Version), 10)
		dst = w.dialect.text(append(dst, ','), e.Variant)
		dst = strconv.AppendUint(append(dst, ','), uint64(e.Action), 10)
		dst = strconv.AppendInt(append(dst, ','), e.ServedAtMS, 10)
		return strconv.AppendUint(append(dst, ','), uint64(e.Nth), 10)
	})
}

func (w *writer) upsertStates(ctx context.Context, conn *sql.Conn) error {
	const head = "INSERT INTO user_popup (user_id, popup_id, impressions, last_impression_ms, acted, last_action," +
		" last_action_ms, click_until_ms, next_at_ms) VALUES "
	states := w.tally.states
	return w.insert(ctx, conn, "upsert user state", head, w.mergeState, len(states), func(dst []byte, i int) []byte {
		r := &states[i]
		dst = w.dialect.text(dst, r.user)
		dst = strconv.AppendUint(append(dst, ','), uint64(r.popup), 10)
		dst = strconv.AppendUint(append(dst, ','), uint64(r.Impressions), 10)
		dst = strconv.AppendInt(append(dst, ','), r.ServedAtMS, 10)
		dst = strconv.AppendUint(append(dst, ','), uint64(r.Acted), 10)
		dst = strconv.AppendUint(append(dst, ','), uint64(r.Last), 10)
		dst = strconv.AppendInt(append(dst, ','), r.AtMS, 10)
		dst = strconv.AppendInt(append(dst, ','), r.ClickUntilMS, 10)
		return strconv.AppendInt(append(dst, ','), r.NextAtMS, 10)
	})
}

func (w *writer) upsertStats(ctx context.Context, conn *sql.Conn) error {
	const head = "INSERT INTO popup_stats (popup_id, hour, variant, impressions, users, clicks, dismisses, converts, controls) VALUES "
	stats := w.tally.stats
	return w.insert(ctx, conn, "add to stats", head, w.addStats, len(stats), func(dst []byte, i int) []byte {
		s := &stats[i]
		dst = strconv.AppendUint(dst, uint64(s.popup), 10)
		dst = strconv.AppendInt(append(dst, ','), s.hourMS, 10)
		dst = w.dialect.text(append(dst, ','), s.variant)
		dst = strconv.AppendUint(append(dst, ','), s.impressions, 10)
		dst = strconv.AppendUint(append(dst, ','), s.users, 10)
		dst = strconv.AppendUint(append(dst, ','), s.clicks, 10)
		dst = strconv.AppendUint(append(dst, ','), s.dismisses, 10)
		dst = strconv.AppendUint(append(dst, ','), s.converts, 10)
		return strconv.AppendUint(append(dst, ','), s.controls, 10)
	})
}

const insertDeadFrame = "INSERT INTO dead_frame (stream_no, first_seq, last_seq, bytes, reason, at_ms) VALUES "

func (w *writer) insertGaps(ctx context.Context, conn *sql.Conn, gaps []popup.Gap) error {
	return w.insert(ctx, conn, "insert gaps", insertDeadFrame, "", len(gaps), func(dst []byte, i int) []byte {
		return w.appendDead(dst, gaps[i].First, gaps[i].Last, nil, reasonGap)
	})
}

// appendDead appends a row of dead_frame; no bytes are NULL.
func (w *writer) appendDead(dst []byte, first, last uint64, b []byte, reason string) []byte {
	dst = strconv.AppendUint(dst, uint64(w.no), 10)
	dst = strconv.AppendUint(append(dst, ','), first, 10)
	dst = strconv.AppendUint(append(dst, ','), last, 10)
	if len(b) == 0 {
		dst = append(dst, ",NULL,"...)
	} else {
		dst = hex.AppendEncode(append(dst, ",x'"...), b)
		dst = append(dst, "',"...)
	}
	dst = w.dialect.text(dst, []byte(reason))
	return strconv.AppendInt(append(dst, ','), w.now(), 10)
}

// insert runs head (row),(row)... tail for n rows, which row appends without
// their parentheses, in as many statements as the limits ask for.
func (w *writer) insert(ctx context.Context, conn *sql.Conn, what, head, tail string, n int, row func(dst []byte, i int) []byte) error {
	rows := 0
	for i := range n {
		if rows == 0 {
			w.buf = append(w.buf[:0], head...)
		} else {
			w.buf = append(w.buf, ',')
		}
		w.buf = append(w.buf, '(')
		w.buf = append(row(w.buf, i), ')')
		rows++
		if i+1 < n && rows < maxStatementRows && len(w.buf)+maxRowBytes+len(tail) < w.maxBytes {
			continue
		}
		w.buf = append(w.buf, tail...)
		if _, err := conn.ExecContext(ctx, string(w.buf)); err != nil {
			return fmt.Errorf("%s: %w", what, err)
		}
		rows = 0
	}
	return nil
}
