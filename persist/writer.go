package persist

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/popupd/popupd/internal/failpoint"
	"github.com/popupd/popupd/popup"
)

// Limits of one statement. Longer ones gain nothing; shorter ones pay for more
// round trips (see BenchmarkFlush).
const (
	maxStatementRows  = 2000
	maxStatementBytes = 1 << 20
	maxRowBytes       = 1 << 10 // of the longest row of events, states, statistics, dead frames or erasures
)

// writer turns a batch into statements inside the flusher's transaction. Most rows
// go by prepared statements of a fixed number of rows, the rest as literals.
type writer struct {
	*DB
	impressions, events, states, stats insertion
	goalExposures, goalUsers           insertion
	selectOld                          string
	maxBytes                           int       // of a statement
	chunk                              int       // rows of a prepared statement
	literalUntil                       time.Time // prepare nothing before
	tryReturning                       string    // a statement that a store without RETURNING does not know
	returning                          bool      // the store has it: see selectOld

	// Of the batch being applied.
	no      uint32 // stream_no
	nowMS   int64  // by the store's clock
	row     row
	sums    batchSums
	resets  resets
	refused []refusal
}

func (w *writer) init(db *DB) {
	w.DB = db
	w.maxBytes = maxStatementBytes
	w.chunk = chunkRows
	w.row.dialect = db.dialect
	w.sums.zone = db.reportZone
	d := db.dialect
	w.events = insertion{
		what: "insert events", columns: 11,
		head: "INSERT INTO event (stream_no, seq, at_ms, user_id, popup_id, version, variant, action, served_at_ms, nth, repeated) VALUES ",
	}
	w.impressions = insertion{
		what: "upsert impressions", columns: 6,
		bits: "acted_before", returned: func(i int, bits uint8) { w.sums.impressions[i].before = bits },
		head: "INSERT INTO impression (user_id, popup_id, served_at_ms, version, variant, acted) VALUES ",
		tail: d.upsert("user_id, popup_id, served_at_ms") + d.expand("acted_before = acted, acted = acted | NEW(acted)"),
	}
	w.states = insertion{
		what: "upsert user state", columns: 11,
		bits: "ever_before", returned: func(i int, bits uint8) { w.sums.states[i].before = bits },
		head: "INSERT INTO user_popup (user_id, popup_id, ever, impressions, last_impression_ms, last_shown_ms, acted, last_action," +
			" last_action_ms, click_until_ms, next_at_ms) VALUES ",
	}
	w.goalExposures = insertion{
		what: "mark exposures with goals",
		head: "INSERT INTO impression (user_id, popup_id, served_at_ms, acted) VALUES ",
		tail: d.upsert("user_id, popup_id, served_at_ms") + d.expand("acted = acted | NEW(acted)"),
	}
	w.goalUsers = insertion{
		what: "mark users with goals", head: w.states.head,
		tail: d.upsert("user_id, popup_id") + d.expand("ever = ever | NEW(ever)"),
	}
	w.stats = insertion{
		what: "add to stats", // few rows: never worth preparing
		head: "INSERT INTO popup_stats (popup_id, hour, variant, impressions, controls, clicks, dismisses, converts, views, releases," +
			" users, click_users, convert_users, control_users) VALUES ",
	}
	w.selectOld = selectOld()
	w.tryReturning = "INSERT INTO impression (user_id, popup_id, served_at_ms) SELECT user_id, popup_id, served_at_ms FROM impression" +
		" WHERE FALSE RETURNING acted_before"
	// No expression reads a column that one before it assigns, since MySQL would give
	// the new value and SQLite the old one; but click_until_ms, of which both will do.
	const asked = "GREATEST(click_until_ms, NEW(click_until_ms), CASE WHEN acted & 7 <> 0 THEN next_at_ms ELSE 0 END)"
	w.states.tail = d.upsert("user_id, popup_id") + d.expand(
		everAssignments+", impressions = GREATEST(impressions, NEW(impressions)),"+
			" last_shown_ms = GREATEST(last_shown_ms, NEW(last_shown_ms)),"+
			" click_until_ms = "+asked+","+
			" next_at_ms = GREATEST("+asked+", CASE"+
			" WHEN NEW(last_impression_ms) > last_impression_ms THEN NEW(next_at_ms)"+
			" WHEN NEW(last_impression_ms) < last_impression_ms THEN next_at_ms"+
			" WHEN (acted | NEW(acted)) & 23 <> 0 THEN 0"+ // an action or a release ended the impression's own wait
			" ELSE GREATEST(next_at_ms, NEW(next_at_ms)) END),"+
			" acted = CASE WHEN NEW(last_impression_ms) > last_impression_ms THEN NEW(acted)"+
			" WHEN NEW(last_impression_ms) < last_impression_ms THEN acted ELSE acted | NEW(acted) END,"+
			" last_impression_ms = GREATEST(last_impression_ms, NEW(last_impression_ms)),"+
			" last_action = CASE WHEN NEW(last_action_ms) > last_action_ms THEN NEW(last_action)"+
			" WHEN NEW(last_action_ms) < last_action_ms THEN last_action ELSE GREATEST(last_action, NEW(last_action)) END,"+
			" last_action_ms = GREATEST(last_action_ms, NEW(last_action_ms))")
	w.stats.tail = d.upsert("popup_id, hour, variant") + d.expand(
		"impressions = impressions + NEW(impressions), controls = controls + NEW(controls), clicks = clicks + NEW(clicks),"+
			" dismisses = dismisses + NEW(dismisses), converts = converts + NEW(converts), views = views + NEW(views),"+
			" releases = releases + NEW(releases), users = users + NEW(users), click_users = click_users + NEW(click_users),"+
			" convert_users = convert_users + NEW(convert_users), control_users = control_users + NEW(control_users)")
}

// begin adapts to a new session: nothing is prepared in it yet, its statements must fit
// the server's max_allowed_packet, and the server has RETURNING or not.
func (w *writer) begin(maxPacket int, returning bool) {
	w.returning = returning
	w.impressions.stmt, w.events.stmt, w.states.stmt = nil, nil, nil
	w.maxBytes = min(maxStatementBytes, max(maxPacket/2, 2*maxRowBytes))
}

// write applies everything of the batch but its progress.
func (w *writer) write(ctx context.Context, conn *sql.Conn, b *popup.Batch, bisect bool) error {
	w.refused = w.refused[:0]
	if err := w.readContext(ctx, conn, b); err != nil {
		return err
	}
	var err error
	if bisect {
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

// readContext reads what the batch's rows depend on: the stream's number, the users
// who were reset, and the time.
func (w *writer) readContext(ctx context.Context, conn *sql.Conn, b *popup.Batch) error {
	var version resetsVersion
	err := conn.QueryRowContext(ctx, "SELECT stream_no, (SELECT COUNT(*) FROM erasure), (SELECT COALESCE(SUM(id), 0) FROM erasure), "+
		w.dialect.now+" FROM ingest_stream WHERE stream_id = ?", b.Stream.String()).Scan(&w.no, &version.count, &version.sum, &w.nowMS)
	if err != nil {
		return fmt.Errorf("read stream number: %w", err)
	}
	if err := w.resets.refresh(ctx, conn, version); err != nil {
		return fmt.Errorf("read erasures: %w", err)
	}
	w.resets.setBatch(b.Events)
	return nil
}

// apply writes some events of the batch and what follows from them. It locks the rows of
// user_popup first and in their order, and then only rows of impression and goal_pending
// of these users and popups: flushers that wait for one another do so in one order.
func (w *writer) apply(ctx context.Context, conn *sql.Conn, events []popup.Event) error {
	if err := w.applyResets(ctx, conn, events); err != nil {
		return err
	}
	w.sums.merge(events, &w.resets, w.no)
	if err := w.upsertStates(ctx, conn); err != nil {
		return err
	}
	if err := w.upsertImpressions(ctx, conn); err != nil {
		return err
	}
	if err := w.correctStates(ctx, conn); err != nil {
		return err
	}
	if err := w.decideGoals(ctx, conn); err != nil {
		return err
	}
	if w.returning {
		w.sums.correctOutcomes()
	}
	if err := w.insertEvents(ctx, conn, events); err != nil {
		return err
	}
	failpoint.Reach(failpoint.FlushEventsInserted)
	if !w.returning {
		if err := w.correctOutcomes(ctx, conn, events); err != nil {
			return err
		}
	}
	w.sums.sumStats(events)
	return w.upsertStats(ctx, conn)
}

func (w *writer) upsertImpressions(ctx context.Context, conn *sql.Conn) error {
	impressions := w.sums.impressions
	return w.insert(ctx, conn, &w.impressions, len(impressions), func(r *row, i int) {
		m := &impressions[i]
		r.text(m.user)
		r.uint(uint64(m.popup))
		r.int(m.servedAtMS)
		r.uint(uint64(m.version))
		r.text(m.variant)
		r.uint(uint64(m.acted))
	})
}

func (w *writer) insertEvents(ctx context.Context, conn *sql.Conn, events []popup.Event) error {
	return w.insert(ctx, conn, &w.events, len(events), func(r *row, i int) {
		e, out := &events[i], &w.sums.outcomes[i]
		user, variant, servedAtMS := e.User, e.Variant, e.ServedAtMS
		if e.Action == popup.Reset || w.resets.cover(e) {
			user = nil
		}
		if e.Action == popup.Goal {
			variant, servedAtMS = out.variant, out.servedAtMS
		}
		r.uint(uint64(w.no))
		r.uint(e.Seq)
		r.int(e.AtMS)
		r.text(user)
		r.uint(uint64(e.Popup))
		r.uint(uint64(e.Version))
		r.text(variant)
		r.uint(uint64(e.Action))
		r.int(servedAtMS)
		r.uint(uint64(e.Nth))
		r.bool(out.repeated)
	})
}

func (w *writer) upsertStates(ctx context.Context, conn *sql.Conn) error {
	states := w.sums.states
	return w.insert(ctx, conn, &w.states, len(states), func(r *row, i int) { w.putState(r, &states[i]) })
}

// putState makes a row of user_popup.
func (w *writer) putState(r *row, s *stateRow) {
	r.text(s.user)
	r.uint(uint64(s.popup))
	r.uint(uint64(s.ever))
	r.uint(uint64(s.Impressions))
	r.int(s.ServedAtMS)
	r.int(s.ShownAtMS)
	r.uint(uint64(s.Acted))
	r.uint(uint64(s.Last))
	r.int(s.AtMS)
	r.int(s.ClickUntilMS)
	r.int(s.NextAtMS)
}

func (w *writer) upsertStats(ctx context.Context, conn *sql.Conn) error {
	stats := w.sums.stats
	return w.insert(ctx, conn, &w.stats, len(stats), func(r *row, i int) {
		s := &stats[i]
		r.uint(uint64(s.popup))
		r.int(s.hourMS)
		r.text(s.variant)
		for _, n := range [...]uint64{
			s.impressions, s.controls, s.clicks, s.dismisses, s.converts, s.views, s.releases,
			s.users, s.clickUsers, s.convertUsers, s.controlUsers,
		} {
			r.uint(n)
		}
	})
}

const insertDeadFrame = "INSERT INTO dead_frame (stream_no, first_seq, last_seq, bytes, reason, at_ms) VALUES "

func (w *writer) insertGaps(ctx context.Context, conn *sql.Conn, gaps []popup.Gap) error {
	ins := insertion{what: "insert gaps", head: insertDeadFrame}
	return w.insert(ctx, conn, &ins, len(gaps), func(r *row, i int) {
		w.putDead(r, gaps[i].First, gaps[i].Last, nil, reasonGap)
	})
}

// putDead makes a row of dead_frame.
func (w *writer) putDead(r *row, first, last uint64, b []byte, reason string) {
	r.uint(uint64(w.no))
	r.uint(first)
	r.uint(last)
	r.blob(b)
	r.text([]byte(reason))
	r.int(w.nowMS)
}

// refusal is an event that the store does not take, and why.
type refusal struct {
	event  *popup.Event
	reason string
}

// bisect applies events of which the store refuses some for what they are: each
// half on its own, inside the same transaction, down to single events. Those
// refused are set aside and leave no trace but their row in dead_frame.
func (w *writer) bisect(ctx context.Context, conn *sql.Conn, events []popup.Event) error {
	if len(events) == 0 {
		return nil
	}
	if _, err := conn.ExecContext(ctx, "SAVEPOINT half"); err != nil {
		return fmt.Errorf("set savepoint: %w", err)
	}
	err := w.apply(ctx, conn, events)
	if err == nil {
		if _, err := conn.ExecContext(ctx, "RELEASE SAVEPOINT half"); err != nil {
			return fmt.Errorf("release savepoint: %w", err)
		}
		return nil
	}
	if classOf(err) != classData {
		return err
	}
	if _, rollbackErr := conn.ExecContext(ctx, "ROLLBACK TO SAVEPOINT half"); rollbackErr != nil {
		return fmt.Errorf("roll back to savepoint: %w", rollbackErr)
	}
	if len(events) == 1 {
		w.refused = append(w.refused, refusal{&events[0], clip(err.Error(), maxReason)})
		return nil
	}
	half := len(events) / 2
	if err := w.bisect(ctx, conn, events[:half]); err != nil {
		return err
	}
	return w.bisect(ctx, conn, events[half:])
}

// insertDead keeps the refused events, without the bytes of users who asked to
// be erased.
func (w *writer) insertDead(ctx context.Context, conn *sql.Conn) error {
	refused := w.refused
	ins := insertion{what: "insert dead frames", head: insertDeadFrame}
	return w.insert(ctx, conn, &ins, len(refused), func(r *row, i int) {
		e := refused[i].event
		var b []byte
		if !w.resets.cover(e) {
			b = e.Append(nil)
		}
		w.putDead(r, e.Seq, e.Seq, b, refused[i].reason)
	})
}
