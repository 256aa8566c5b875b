package persist

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"

	"github.com/popupd/popupd/popup"
)

const (
	// erasureBatch is how many seqs one UPDATE of the walk covers.
	erasureBatch = 10_000
	// erasureUsers is how many users one walk looks for.
	erasureUsers = 100
	// erasureSettle is how old a reset is before the walk: a flush that began
	// before it was committed, and did not know of it, is over by then.
	erasureSettle = time.Minute
)

// walk is a pass through all events for the users to be erased. It lives in
// memory: a server that stops in the middle begins again.
type walk struct {
	users   []erasure
	streams []stream // still to do
	after   uint64   // seq in the first of streams
}

type erasure struct {
	id   int64
	user []byte
	atMS int64
}

// erase goes on with the walk, or begins one, until no user is due or, after a step,
// the time is up.
func (db *DB) erase(ctx context.Context, w *walk, until time.Time) (finished bool, err error) {
	for {
		if len(w.users) == 0 {
			if err := db.beginWalk(ctx, w); err != nil || len(w.users) == 0 {
				return err == nil, err
			}
		}
		for len(w.streams) > 0 {
			if err := db.step(ctx, w); err != nil {
				return false, fmt.Errorf("take users out of events: %w", err)
			}
			if time.Now().After(until) {
				return false, nil
			}
		}
		if err := db.endWalk(ctx, w); err != nil {
			return false, err
		}
	}
}

// countErasures sets how many users are to be erased, and since when. Without an answer both
// keep their values.
func (db *DB) countErasures(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, pingTimeout)
	defer cancel()
	var pending, oldestMS int64
	err := db.read.QueryRowContext(ctx, "SELECT COUNT(*), COALESCE("+db.dialect.now+" - MIN(at_ms), 0) FROM erasure WHERE done_ms = 0").Scan(&pending, &oldestMS)
	if err == nil {
		db.metrics.erasures.Set(float64(pending))
		db.metrics.oldestErasure.Set(max(0, float64(oldestMS)/1000))
	}
}

func (db *DB) beginWalk(ctx context.Context, w *walk) error {
	now := db.dialect.now
	// Flushers know of a reset for a token's life after its walk: its user's events may arrive late.
	_, err := db.write.ExecContext(ctx, "DELETE FROM erasure WHERE done_ms > 0 AND done_ms <= "+now+" - ?", popup.TokenLife.Milliseconds())
	if err != nil {
		return fmt.Errorf("delete old erasures: %w", err)
	}
	rows, err := db.read.QueryContext(ctx, "SELECT id, user_id, at_ms FROM erasure WHERE done_ms = 0 AND queued_ms <= "+now+" - ? ORDER BY id LIMIT ?",
		erasureSettle.Milliseconds(), erasureUsers)
	if err != nil {
		return fmt.Errorf("read erasures: %w", err)
	}
	users, err := collect(rows, func(s scanner) (e erasure, err error) {
		err = s.Scan(&e.id, &e.user, &e.atMS)
		return e, err
	})
	if err != nil {
		return fmt.Errorf("read erasures: %w", err)
	}
	if len(users) == 0 {
		return nil
	}
	streams, err := db.streams(ctx)
	if err != nil {
		return err
	}
	*w = walk{users: users, streams: streams}
	return nil
}

// step empties the users' ids in the next piece of the primary key.
func (db *DB) step(ctx context.Context, w *walk) error {
	s := w.streams[0]
	var next sql.Null[uint64] // events below may have been removed
	err := db.read.QueryRowContext(ctx, "SELECT MIN(seq) FROM event WHERE stream_no = ? AND seq > ?", s.no, w.after).Scan(&next)
	if err != nil {
		return err
	}
	if !next.Valid || next.V > s.last {
		w.streams, w.after = w.streams[1:], 0
		return nil
	}
	to := next.V + erasureBatch - 1
	args := []any{"", s.no, next.V, to}
	for _, e := range w.users {
		args = append(args, db.dialect.user(e.user), e.atMS)
	}
	theirs := strings.Repeat(" OR user_id = ? AND served_at_ms <= ?", len(w.users))[len(" OR "):]
	_, err = db.write.ExecContext(ctx, "UPDATE event SET user_id = ? WHERE stream_no = ? AND seq >= ? AND seq <= ? AND ("+theirs+")", args...)
	w.after = to
	return err
}

// endWalk empties the users' dead frames, deletes what a flush that did not know of
// the reset has left of them, and marks the erasures as done.
func (db *DB) endWalk(ctx context.Context, w *walk) error {
	if err := db.eraseDeadFrames(ctx, w.users); err != nil {
		return fmt.Errorf("take users out of dead frames: %w", err)
	}
	for _, e := range w.users {
		err := db.inTx(ctx, func(tx *sql.Tx) error { return deleteUser(ctx, tx, db.dialect.user(e.user), e.atMS) })
		if err != nil {
			return err
		}
		if err := db.deleteExperimentUser(ctx, e.user, e.atMS); err != nil {
			return err
		}
		if err := db.finishErasure(ctx, e); err != nil {
			return fmt.Errorf("finish erasure: %w", err)
		}
	}
	db.log.Info("users taken out of the events", "users", len(w.users))
	*w = walk{}
	return nil
}

// eraseDeadFrames empties the bytes of refused events of these users.
func (db *DB) eraseDeadFrames(ctx context.Context, users []erasure) error {
	due := resets{stored: map[string]int64{}}
	for _, u := range users {
		due.stored[string(u.user)] = max(u.atMS, due.stored[string(u.user)])
	}
	rows, err := db.read.QueryContext(ctx, "SELECT stream_no, first_seq, bytes FROM dead_frame WHERE bytes IS NOT NULL")
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var no uint32
		var first uint64
		var b []byte
		if err := rows.Scan(&no, &first, &b); err != nil {
			return err
		}
		var e popup.Event
		if _, err := popup.DecodeEvent(&e, b); err != nil || !due.cover(&e) {
			continue
		}
		_, err := db.write.ExecContext(ctx, "UPDATE dead_frame SET bytes = NULL WHERE stream_no = ? AND first_seq = ?", no, first)
		if err != nil {
			return err
		}
	}
	return rows.Err()
}

// resets are the users whose state was reset lately, and when: impressions of up to
// then, and whatever is done with them later, are stored without their id, in whatever
// order they arrive.
type resets struct {
	version resetsVersion
	stored  map[string]int64 // user to at_ms, the rows of erasure
	batch   map[string]int64 // the same of the batch being applied
}

// resetsVersion changes when the rows of erasure do: ids are never used again.
type resetsVersion struct{ count, sum int64 }

// refresh reads the rows of erasure if they have changed.
func (r *resets) refresh(ctx context.Context, conn *sql.Conn, version resetsVersion) error {
	if version == r.version && r.stored != nil {
		return nil
	}
	r.stored = nil
	stored, err := storedResets(ctx, conn)
	if err != nil {
		return err
	}
	r.version, r.stored = version, stored
	return nil
}

// storedResets reads when users were last reset, ms, from the rows of erasure.
func storedResets(ctx context.Context, from queryer) (map[string]int64, error) {
	rows, err := from.QueryContext(ctx, "SELECT user_id, at_ms FROM erasure")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	stored := map[string]int64{}
	for rows.Next() {
		var user string
		var at int64
		if err := rows.Scan(&user, &at); err != nil {
			return nil, err
		}
		stored[user] = max(at, stored[user])
	}
	return stored, rows.Err()
}

// setBatch takes the resets of a batch in place of those of the batch before.
func (r *resets) setBatch(events []popup.Event) {
	clear(r.batch)
	for i := range events {
		e := &events[i]
		if e.Action != popup.Reset {
			continue
		}
		if r.batch == nil {
			r.batch = map[string]int64{}
		}
		r.batch[string(e.User)] = max(e.AtMS, r.batch[string(e.User)])
	}
}

// cover reports whether the event's user was reset after the impression that it
// belongs to, or after a goal: that names no impression.
func (r *resets) cover(e *popup.Event) bool {
	if len(r.stored)+len(r.batch) == 0 {
		return false
	}
	at, ok := r.of(e.User)
	ofMS := e.ServedAtMS
	if e.Action == popup.Goal {
		ofMS = e.AtMS
	}
	return ok && ofMS <= at
}

// of returns the time of the user's latest reset.
func (r *resets) of(user []byte) (atMS int64, ok bool) {
	stored, isStored := r.stored[string(user)]
	batch, isInBatch := r.batch[string(user)]
	switch {
	case isStored && isInBatch:
		return max(stored, batch), true
	case isStored:
		return stored, true
	}
	return batch, isInBatch
}

// deleteUser deletes the user's impressions and pending goals of up to atMS, the states
// that know of no impression since, and what other states know of before.
func deleteUser(ctx context.Context, to execer, user any, atMS int64) error {
	// In the order in which a flush locks these rows.
	if _, err := to.ExecContext(ctx, "DELETE FROM user_popup WHERE user_id = ? AND last_impression_ms <= ?", user, atMS); err != nil {
		return fmt.Errorf("reset user state: %w", err)
	}
	if err := rebuildStates(ctx, to, user, atMS); err != nil {
		return err
	}
	if _, err := to.ExecContext(ctx, "DELETE FROM impression WHERE user_id = ? AND served_at_ms <= ?", user, atMS); err != nil {
		return fmt.Errorf("reset impressions: %w", err)
	}
	if _, err := to.ExecContext(ctx, "DELETE FROM goal_pending WHERE user_id = ? AND at_ms <= ?", user, atMS); err != nil {
		return fmt.Errorf("reset pending goals: %w", err)
	}
	return nil
}

// applyResets deletes what its users' reset events void, and queues the users' events
// for erasure.
func (w *writer) applyResets(ctx context.Context, conn *sql.Conn, events []popup.Event) error {
	var due []*popup.Event
	for i := range events {
		if events[i].Action == popup.Reset {
			due = append(due, &events[i])
		}
	}
	for _, e := range due {
		if err := deleteUser(ctx, conn, w.dialect.user(e.User), e.AtMS); err != nil {
			return err
		}
	}
	ins := insertion{what: "queue erasures", head: "INSERT INTO erasure (user_id, at_ms, queued_ms, done_ms) VALUES "}
	return w.insert(ctx, conn, &ins, len(due), func(r *row, i int) {
		r.text(due[i].User)
		r.int(due[i].AtMS)
		r.int(w.nowMS)
		r.int(0)
	})
}
