package persist

import (
	"bytes"
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/popupd/popupd/popup"
)

// A goal counts once a user and popup, for the first exposure within its window: the
// earliest row of impression from Event.ServedAtMS to Event.AtMS. It may be committed
// before its exposure, which is in another stream. Then it waits in goal_pending, and
// the flush that brings the exposure counts it.
//
// Each of the two flushes first upserts the row of user_popup, and only then reads what
// the other one writes. That row is locked until COMMIT, so the second of them sees what
// the first has written. On two nodes of a Galera cluster neither waits, but one of them
// fails at COMMIT and begins again, as both have changed the row (see everAssignments).
// Within a flush goals are decided after all else.
//
// A goal does not wait if the exposure that its server knew of has been committed: then
// it counts, or the row of impression is gone, since the popup had no goal, or one for a
// shorter time, when that row was eight days old.

// goal is a goal to be decided, of this batch or pending.
type goal struct {
	user     []byte
	popup    uint32
	streamNo uint32
	seq      uint64
	atMS     int64
	sinceMS  int64    // the earliest exposure that it may count for
	latestMS int64    // the latest one that its server knew of; 0: not known
	out      *outcome // nil: it is pending since an earlier batch

	done     bool      // it counts now or never
	exposure *exposure // that it counts for
}

// exposure is a row of impression.
type exposure struct {
	servedAtMS int64
	variant    []byte
}

// goalsOf is what is known of a user and popup whose goals are decided.
type goalsOf struct {
	goals     []*goal    // by time
	exposures []exposure // by time
	converted bool       // the user has converted on this popup before
	latestMS  int64      // the latest exposure that is committed
}

// addGoal takes a goal of the batch, which counts for nothing until it is decided.
func (b *batchSums) addGoal(e *popup.Event, out *outcome, streamNo uint32) {
	out.repeated, out.servedAtMS = true, e.AtMS
	b.goals = append(b.goals, goal{
		user: e.User, popup: e.Popup, streamNo: streamNo, seq: e.Seq, atMS: e.AtMS, sinceMS: e.ServedAtMS, latestMS: e.ReadyAtMS, out: out,
	})
}

// mergeGoals adds a row of user_popup for each goal whose user and popup have none in
// the batch. It says nothing, and is there to be locked.
func (b *batchSums) mergeGoals() {
	slices.SortFunc(b.goals, compareGoals)
	known := b.states
	for i := range b.goals {
		row := stateRow{user: b.goals[i].user, popup: b.goals[i].popup, ever: everKept}
		if last := len(b.states) - 1; last >= len(known) && compareStates(b.states[last], row) == 0 {
			continue
		}
		if _, found := slices.BinarySearchFunc(known, row, compareStates); !found {
			b.states = append(b.states, row)
		}
	}
	if len(b.states) > len(known) {
		slices.SortFunc(b.states, compareStates)
	}
}

func compareStates(x, y stateRow) int {
	return cmp.Or(bytes.Compare(x.user, y.user), cmp.Compare(x.popup, y.popup))
}

// compareGoals orders by user and popup, then by time.
func compareGoals(x, y goal) int {
	return cmp.Or(bytes.Compare(x.user, y.user), cmp.Compare(x.popup, y.popup),
		cmp.Compare(x.atMS, y.atMS), cmp.Compare(x.streamNo, y.streamNo), cmp.Compare(x.seq, y.seq))
}

// decideGoals decides the goals of the batch, and those that wait for its exposures.
// Rows of users are written and locked, rows of events are yet to be written.
func (w *writer) decideGoals(ctx context.Context, conn *sql.Conn) error {
	pending, err := w.pendingGoals(ctx, conn)
	if err != nil {
		return fmt.Errorf("read pending goals: %w", err)
	}
	if len(pending) > 0 {
		w.sums.goals = append(w.sums.goals, pending...)
		slices.SortFunc(w.sums.goals, compareGoals)
	}
	if len(w.sums.goals) == 0 {
		return nil
	}
	of := groupGoals(w.sums.goals)
	for keys := range slices.Chunk(of, w.keysAtOnce()) {
		if err := w.readExposures(ctx, conn, keys); err != nil {
			return fmt.Errorf("read what goals count for: %w", err)
		}
	}
	var counted, waiting []*goal
	var over []*goalsOf
	for _, k := range of {
		k.decide()
		isOver := false
		for _, g := range k.goals {
			if g.exposure != nil {
				counted = append(counted, g)
			}
			switch {
			case g.out == nil && g.done:
				isOver = true
			case g.out != nil && !g.done && !k.lacks(g):
				waiting = append(waiting, g)
			}
		}
		if isOver {
			over = append(over, k)
		}
	}
	if err := w.countGoals(ctx, conn, counted); err != nil {
		return err
	}
	if err := w.deletePending(ctx, conn, over); err != nil {
		return err
	}
	return w.insertPending(ctx, conn, waiting)
}

// groupGoals groups sorted goals by user and popup.
func groupGoals(goals []goal) (of []*goalsOf) {
	for i := range goals {
		g := &goals[i]
		if last := len(of) - 1; last < 0 || of[last].goals[0].popup != g.popup || !bytes.Equal(of[last].goals[0].user, g.user) {
			of = append(of, &goalsOf{})
		}
		k := of[len(of)-1]
		k.goals = append(k.goals, g)
	}
	return of
}

// decide finds the first goal that counts, if the user has not converted before. After
// one that does, none ever will.
func (k *goalsOf) decide() {
	for _, g := range k.goals {
		if k.converted {
			break
		}
		i := slices.IndexFunc(k.exposures, func(x exposure) bool { return g.sinceMS <= x.servedAtMS && x.servedAtMS <= g.atMS })
		if i >= 0 {
			g.exposure, k.converted = &k.exposures[i], true
		}
	}
	for _, g := range k.goals {
		g.done = k.converted
	}
}

// lacks reports whether a goal's exposure is committed and yet not among the rows of
// impression, so that the goal will never count.
func (k *goalsOf) lacks(g *goal) bool {
	return g.latestMS != 0 && g.latestMS <= k.latestMS && k.latestMS <= g.atMS
}

// goalWindows returns how long after an exposure the goals of popups count.
func goalWindows(ctx context.Context, from queryer) (map[uint32]time.Duration, error) {
	rows, err := from.QueryContext(ctx, "SELECT id, goal_window_sec FROM popups WHERE goal_window_sec > 0")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	windows := map[uint32]time.Duration{}
	for rows.Next() {
		var id uint32
		var sec int64
		if err := rows.Scan(&id, &sec); err != nil {
			return nil, err
		}
		windows[id] = time.Duration(sec) * time.Second
	}
	return windows, rows.Err()
}

// queryer is a pool or a transaction.
type queryer interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

const (
	goalKeys    = 250 // users and popups that one SELECT asks for, at most
	maxKeyBytes = 320 // of the longest of them in the text of a statement
)

// keysAtOnce is how many users and popups one SELECT asks for: it must fit the server's
// max_allowed_packet.
func (w *writer) keysAtOnce() int { return min(goalKeys, w.maxBytes/maxKeyBytes) }

// wherePairs is the condition for n pairs of user and popup, each with two arguments.
func wherePairs(n int) string {
	return strings.Repeat(" OR user_id = ? AND popup_id = ?", n)[len(" OR "):]
}

// pendingGoals returns the pending goals of the batch's users and popups.
func (w *writer) pendingGoals(ctx context.Context, conn *sql.Conn) (pending []goal, err error) {
	if len(w.sums.states) == 0 {
		return nil, nil
	}
	var some bool
	if err := conn.QueryRowContext(ctx, "SELECT EXISTS(SELECT 1 FROM goal_pending)").Scan(&some); err != nil || !some {
		return nil, err
	}
	for states := range slices.Chunk(w.sums.states, w.keysAtOnce()) {
		var args []any
		for i := range states {
			args = append(args, w.dialect.user(states[i].user), states[i].popup)
		}
		rows, err := conn.QueryContext(ctx, "SELECT user_id, popup_id, stream_no, seq, at_ms, since_ms FROM goal_pending WHERE "+wherePairs(len(states)), args...)
		if err != nil {
			return nil, err
		}
		some, err := collect(rows, func(s scanner) (g goal, err error) {
			err = s.Scan(&g.user, &g.popup, &g.streamNo, &g.seq, &g.atMS, &g.sinceMS)
			return g, err
		})
		if err != nil {
			return nil, err
		}
		pending = append(pending, some...)
	}
	return pending, nil
}

// readExposures reads what users were exposed to within the windows of their goals, when
// they were last, and whether they have converted.
func (w *writer) readExposures(ctx context.Context, conn *sql.Conn, of []*goalsOf) error {
	type key struct {
		user  string
		popup uint32
	}
	byKey := map[key]*goalsOf{}
	sinceMS, atMS := popup.Never, int64(0)
	args := []any{nil, nil}
	for _, k := range of {
		first := k.goals[0]
		byKey[key{string(first.user), first.popup}] = k
		args = append(args, w.dialect.user(first.user), first.popup)
		for _, g := range k.goals {
			sinceMS, atMS = min(sinceMS, g.sinceMS), max(atMS, g.atMS)
		}
	}
	args[0], args[1] = sinceMS, atMS
	rows, err := conn.QueryContext(ctx, "SELECT u.user_id, u.popup_id, u.ever, u.last_impression_ms, COALESCE(i.served_at_ms, 0), COALESCE(i.variant, ''), i.user_id IS NOT NULL"+
		" FROM (SELECT user_id, popup_id, ever, last_impression_ms FROM user_popup WHERE "+wherePairs(len(of))+") u"+
		" LEFT JOIN impression i ON i.user_id = u.user_id AND i.popup_id = u.popup_id AND i.served_at_ms >= ? AND i.served_at_ms <= ?"+
		" ORDER BY i.served_at_ms", append(args[2:], args[:2]...)...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var k key
		var ever uint8
		var latestMS int64
		var x exposure
		var exposed bool
		if err := rows.Scan(&k.user, &k.popup, &ever, &latestMS, &x.servedAtMS, &x.variant, &exposed); err != nil {
			return err
		}
		if of := byKey[k]; of != nil {
			of.converted, of.latestMS = ever&everConverted != 0, latestMS
			if exposed {
				of.exposures = append(of.exposures, x)
			}
		}
	}
	return rows.Err()
}

// countGoals marks what goals count for: the exposure, so that a reset leaves what is
// newer than it; the user; and of goals that were pending the rows of event, too.
func (w *writer) countGoals(ctx context.Context, conn *sql.Conn, goals []*goal) error {
	if err := w.insert(ctx, conn, &w.goalExposures, len(goals), func(r *row, i int) {
		g := goals[i]
		r.text(g.user)
		r.uint(uint64(g.popup))
		r.int(g.exposure.servedAtMS)
		r.uint(uint64(popup.GoalBit))
	}); err != nil {
		return err
	}
	if err := w.insert(ctx, conn, &w.goalUsers, len(goals), func(r *row, i int) {
		g := goals[i]
		w.putState(r, &stateRow{user: g.user, popup: g.popup, ever: everConverted})
	}); err != nil {
		return err
	}
	for _, g := range goals {
		if g.out != nil {
			*g.out = outcome{first: true, servedAtMS: g.exposure.servedAtMS, variant: g.exposure.variant}
			continue
		}
		if _, err := conn.ExecContext(ctx, "UPDATE event SET repeated = 0, served_at_ms = ?, variant = ? WHERE stream_no = ? AND seq = ?",
			g.exposure.servedAtMS, string(g.exposure.variant), g.streamNo, g.seq); err != nil {
			return fmt.Errorf("count a pending goal: %w", err)
		}
		w.sums.lateGoals = append(w.sums.lateGoals, g)
	}
	return nil
}

func (w *writer) insertPending(ctx context.Context, conn *sql.Conn, goals []*goal) error {
	ins := insertion{what: "insert pending goals", head: "INSERT INTO goal_pending (user_id, popup_id, stream_no, seq, at_ms, since_ms) VALUES "}
	return w.insert(ctx, conn, &ins, len(goals), func(r *row, i int) {
		g := goals[i]
		r.text(g.user)
		r.uint(uint64(g.popup))
		r.uint(uint64(g.streamNo))
		r.uint(g.seq)
		r.int(g.atMS)
		r.int(g.sinceMS)
	})
}

// deletePending deletes all pending goals of users and popups.
func (w *writer) deletePending(ctx context.Context, conn *sql.Conn, of []*goalsOf) error {
	for keys := range slices.Chunk(of, w.keysAtOnce()) {
		var args []any
		for _, k := range keys {
			args = append(args, w.dialect.user(k.goals[0].user), k.goals[0].popup)
		}
		if _, err := conn.ExecContext(ctx, "DELETE FROM goal_pending WHERE "+wherePairs(len(keys)), args...); err != nil {
			return fmt.Errorf("delete pending goals: %w", err)
		}
	}
	return nil
}
