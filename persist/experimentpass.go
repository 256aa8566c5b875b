package persist

import (
	"bytes"
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/popupd/popupd/internal/retry"
	"github.com/popupd/popupd/popup"
)

// The users of experiments are counted by a pass behind the flush, which pays nothing for
// it. The pass reads each stream's events once, in the order of their seqs: a transaction
// moves the stream's row of experiment_progress and changes what its events change in
// experiment_user and experiment_count. So whatever dies, and however many servers try,
// each event is passed exactly once. Events of popups that never had two variants are not
// even read, and of the others those alone that say something new of their users. At rest the rows of experiment_count are the sums over those of
// experiment_user, until the users of an archived popup are deleted.
//
// All passes change row 0 of experiment_progress, so there is one at a time; what it reads
// without locks is changed by nobody else, but for impressions. An action that changes one
// after it was read is an event that is yet to be passed.

const (
	// experimentsEvery is how often a server looks for events to pass.
	experimentsEvery = time.Second
	// experimentsLease is for how long the server that passed last is left alone.
	experimentsLease = 5 * time.Second
	// experimentScan is for how many events one SELECT asks which popups they are of.
	experimentScan = 20_000
	// experimentBatch is how many events one transaction passes if some are of experiments.
	experimentBatch = 4000
	// experimentRows is how many rows one statement reads or writes.
	experimentRows = 200
)

// experiments is what a server knows of experiments.
type experiments struct {
	*DB

	outage retry.Outage

	mu       sync.Mutex // held for a pass; guards all below
	leased   int64      // row 0 of experiment_progress as this server left it
	scan     experimentScanned
	tests    experimentVersions
	resets   experimentResets
	due      map[uint32]*evaluation // by popup
	isListed bool                   // due has all experiments; false: they are to be read, and all are due
}

func (x *experiments) init(db *DB) {
	x.DB = db
	x.due = map[uint32]*evaluation{}
	x.outage = retry.Outage{Log: db.log, Begins: "users of experiments are not counted, which is tried again", Ends: "users of experiments are counted again", EachCause: true}
}

// RunExperiments counts the users of experiments, as long as ctx lasts, and then returns nil.
// Of several servers one does so at a time.
func (db *DB) RunExperiments(ctx context.Context) error {
	tick := time.NewTicker(experimentsEvery)
	defer tick.Stop()
	for {
		_, err := db.countExperiments(ctx, time.Now().Add(experimentsLease/2))
		if ctx.Err() == nil {
			db.experiments.report(err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// report logs when counting stops working and when it works again. A schema that is newer,
// or yet to be made, is told of elsewhere.
func (x *experiments) report(err error) {
	if !errors.Is(err, ErrNewerSchema) && !isNoTable(err) {
		x.outage.Report(err)
	}
}

// countExperiments passes events until none is left or, after a batch, the time is up, or
// another server is at it.
func (db *DB) countExperiments(ctx context.Context, until time.Time) (finished bool, err error) {
	x := &db.experiments
	x.mu.Lock()
	defer x.mu.Unlock()
	for {
		streams, err := x.backlog(ctx)
		if err != nil {
			return false, fmt.Errorf("look for events of experiments: %w", err)
		}
		if len(streams) == 0 {
			return true, x.decide(ctx)
		}
		for _, s := range streams {
			leased := x.leased
			err := x.inTx(ctx, func(tx *sql.Tx) (err error) {
				leased, err = x.pass(ctx, tx, s)
				return err
			})
			if errors.Is(err, errMoved) {
				return false, nil
			}
			if err != nil {
				return false, fmt.Errorf("count users of experiments in stream %d: %w", s.no, err)
			}
			x.leased = leased
		}
		if time.Now().After(until) {
			return false, x.decide(ctx)
		}
	}
}

// backlog returns the streams that have events to pass, none while another server passes.
func (x *experiments) backlog(ctx context.Context) ([]stream, error) {
	var seq, nowMS int64
	if err := x.read.QueryRowContext(ctx, "SELECT seq, "+x.dialect.now+" FROM experiment_progress WHERE stream_no = 0").Scan(&seq, &nowMS); err != nil {
		return nil, err
	}
	if age := nowMS - seq; seq != x.leased && -experimentsLease.Milliseconds() < age && age < experimentsLease.Milliseconds() {
		x.metrics.backlog.Set(0)
		return nil, nil
	}
	if seq != x.leased {
		x.leased = seq
		x.isListed = false // what others have counted may be a decision, too
	}
	rows, err := x.read.QueryContext(ctx, "SELECT s.stream_no, s.last_seq, s.last_seq - COALESCE(p.seq, 0) FROM ingest_stream s"+
		" LEFT JOIN experiment_progress p ON p.stream_no = s.stream_no WHERE s.last_seq > COALESCE(p.seq, 0) ORDER BY s.stream_no")
	if err != nil {
		return nil, err
	}
	backlog := uint64(0)
	streams, err := collect(rows, func(r scanner) (s stream, err error) {
		var left uint64
		err = r.Scan(&s.no, &s.last, &left)
		backlog += left
		return s, err
	})
	x.metrics.backlog.Set(float64(backlog))
	return streams, err
}

// leaseExperiments takes the lock that passes hold, and keeps other servers from passing for
// a while. It returns errMoved if row 0 of experiment_progress is not what it was.
func leaseExperiments(ctx context.Context, tx execer, d *dialect, seq int64) error {
	return exactly(1)(tx.ExecContext(ctx, d.expand("UPDATE experiment_progress SET seq = GREATEST(seq + 1, "+d.now+")"+
		" WHERE stream_no = 0 AND seq = ?"), seq))
}

// lockExperiments takes the lock and leaves the lease to whoever has it: if many users are
// erased one after another, passes go on in between. Galera's nodes do not see this lock; there a
// pass that changes the rows of the same user is refused at its commit, and done again.
func lockExperiments(ctx context.Context, tx execer) error {
	return exactly(1)(tx.ExecContext(ctx, "UPDATE experiment_progress SET seq = seq WHERE stream_no = 0"))
}

// pass passes the next events of a stream. It returns what row 0 of experiment_progress is.
func (x *experiments) pass(ctx context.Context, tx *sql.Tx, s stream) (leased int64, err error) {
	if err := leaseExperiments(ctx, tx, x.dialect, x.leased); err != nil {
		return 0, err
	}
	var from uint64
	err = tx.QueryRowContext(ctx, "SELECT z.seq, COALESCE(p.seq, 0) FROM experiment_progress z"+
		" LEFT JOIN experiment_progress p ON p.stream_no = ? WHERE z.stream_no = 0", s.no).Scan(&leased, &from)
	if err != nil {
		return 0, err
	}
	// A stream's first events may be gone, or may be far from what was passed last.
	var first sql.Null[uint64]
	if err := tx.QueryRowContext(ctx, "SELECT MIN(seq) FROM event WHERE stream_no = ? AND seq > ?", s.no, from).Scan(&first); err != nil {
		return 0, err
	}
	last := s.last
	if first.Valid && first.V <= last {
		b := experimentPass{experiments: x, tx: tx, users: map[stateName]*passedUser{}}
		if last, err = b.popupsOf(ctx, s, first.V); err != nil {
			return 0, err
		}
		if x.scan.popups != "" {
			last = min(last, first.V+experimentBatch-1)
			if err := b.read(ctx, s.no, first.V, last); err != nil {
				return 0, err
			}
			if err := b.write(ctx); err != nil {
				return 0, err
			}
		}
	}
	_, err = tx.ExecContext(ctx, "INSERT INTO experiment_progress (stream_no, seq) VALUES (?, ?)"+
		x.dialect.upsert("stream_no")+x.dialect.expand("seq = NEW(seq)"), s.no, last)
	return leased, err
}

// stateName names a user and a popup.
type stateName struct {
	user  string
	popup uint32
}

// passedUser is a row of experiment_user before and after the events of a pass.
type passedUser struct {
	before, now experimentUser
	released    bool // its exposures are to be read anew
}

// experimentPass is one transaction of a pass.
type experimentPass struct {
	*experiments
	tx    *sql.Tx
	users map[stateName]*passedUser
}

// experimentScanned are the popups with experiments that have events in a range of a stream.
type experimentScanned struct {
	no       uint32
	from, to uint64
	popups   string // ids, as a list for SQL
}

// popupsOf has the scan cover the events from first on, and returns the last one that it covers.
func (b *experimentPass) popupsOf(ctx context.Context, s stream, first uint64) (last uint64, err error) {
	if c := &b.scan; c.no == s.no && c.from <= first && first <= c.to {
		return c.to, nil
	}
	last = min(s.last, first+experimentScan-1)
	rows, err := b.tx.QueryContext(ctx, "SELECT popup_id, MAX(version) FROM event WHERE stream_no = ? AND seq >= ? AND seq <= ? GROUP BY popup_id", s.no, first, last)
	if err != nil {
		return 0, fmt.Errorf("read popups of events: %w", err)
	}
	list, err := collect(rows, func(s scanner) (v popupVersion, err error) {
		err = s.Scan(&v.popup, &v.version)
		return v, err
	})
	if err != nil {
		return 0, fmt.Errorf("read popups of events: %w", err)
	}
	b.tests.forgetOld()
	var ids []string
	for _, v := range list {
		has, err := b.tests.has(ctx, b.tx, v)
		if err != nil {
			return 0, err
		}
		if has {
			ids = append(ids, fmt.Sprint(v.popup))
		}
	}
	b.scan = experimentScanned{s.no, first, last, strings.Join(ids, ",")}
	return last, nil
}

// isNews is what an event has to be so that it may change the row of its user: most events
// are of users who were counted. What follows a reset is read in any case until the erasure
// is done.
var isNews = "(u.user_id IS NULL OR u.exposed_ms = 0" +
	fmt.Sprintf(" OR e.action = %d OR e.action <> %d AND (e.served_at_ms < u.exposed_ms OR e.variant <> u.variant)", popup.Release, popup.Goal) +
	fmt.Sprintf(" OR e.action = %d AND (u.click_ms = 0 OR e.at_ms < u.click_ms)", popup.Click) +
	fmt.Sprintf(" OR e.action IN (%d, %d) AND (u.convert_ms < u.exposed_ms OR e.at_ms < u.convert_ms)", popup.Convert, popup.Goal)

// maxResetUsers is how many users whose erasure is not done a statement names, else it asks for the
// events of all users.
const maxResetUsers = 1000

// read reads events, the rows that they change, and changes these.
func (b *experimentPass) read(ctx context.Context, no uint32, first, last uint64) error {
	if err := b.resets.refresh(ctx, b.tx); err != nil {
		return err
	}
	args := []any{no, first, last}
	news := "1 = 1"
	if open := b.resets.open; len(open) <= maxResetUsers {
		news = isNews
		if len(open) > 0 {
			news += " OR e.user_id IN (?" + strings.Repeat(", ?", len(open)-1) + ")"
		}
		news += ")"
		for _, user := range open {
			args = append(args, b.dialect.user([]byte(user)))
		}
	}
	rows, err := b.tx.QueryContext(ctx, "SELECT e.seq, e.at_ms, e.user_id, e.popup_id, e.version, e.variant, e.action, e.served_at_ms, e.nth, i.acted,"+
		" COALESCE(u.exposed_ms, 0), COALESCE(u.version, 0), COALESCE(u.variant, ''), COALESCE(u.mixed_ms, 0), COALESCE(u.click_ms, 0), COALESCE(u.convert_ms, 0)"+
		" FROM event e LEFT JOIN experiment_user u ON u.user_id = e.user_id AND u.popup_id = e.popup_id"+
		fmt.Sprintf(" LEFT JOIN impression i ON e.action <> %d AND i.user_id = e.user_id AND i.popup_id = e.popup_id AND i.served_at_ms = e.served_at_ms", popup.Goal)+
		" WHERE e.stream_no = ? AND e.seq >= ? AND e.seq <= ? AND e.user_id <> '' AND e.popup_id IN ("+b.scan.popups+") AND "+news+" ORDER BY e.seq", args...)
	if err != nil {
		return fmt.Errorf("read events: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var e experimentEvent
		var u experimentUser
		if err := rows.Scan(&e.seq, &e.atMS, &e.user, &e.popup, &e.version, &e.variant, &e.action, &e.servedAtMS, &e.nth, &e.acted,
			&u.exposedMS, &u.version, &u.variant, &u.mixedMS, &u.clickMS, &u.convertMS); err != nil {
			return fmt.Errorf("read events: %w", err)
		}
		b.add(&e, u)
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("read events: %w", err)
	}
	return b.readReleased(ctx)
}

// add adds an event to its user, whose row is u if no event before has changed it.
func (b *experimentPass) add(e *experimentEvent, u experimentUser) {
	resetMS, wasReset := b.resets.at[string(e.user)]
	if ofMS := e.servedAtMS; wasReset {
		if e.action == popup.Goal {
			ofMS = e.atMS
		}
		if ofMS <= resetMS {
			return
		}
	}
	// Users of the holdout see no variant of any popup, and a version with one variant has
	// nobody choose.
	if e.action != popup.Goal && (string(e.variant) == popup.HoldoutVariant || !b.tests.isTest(popupVersion{e.popup, e.version})) {
		return
	}
	name := stateName{string(e.user), e.popup}
	p := b.users[name]
	if p == nil {
		u.user, u.popup = e.user, e.popup
		p = &passedUser{before: u, now: u}
		if wasReset {
			p.now.drop(resetMS)
		}
		b.users[name] = p
	}
	if p.now.add(e) {
		p.released = true
	}
}

// readReleased reads the exposures anew of users who have released one. An impression is
// released within minutes, and so all that came after it are still known.
func (b *experimentPass) readReleased(ctx context.Context) error {
	for name, p := range b.users {
		if !p.released {
			continue
		}
		was := p.now
		sinceMS := was.exposedMS
		if resetMS, ok := b.resets.at[name.user]; ok {
			sinceMS = max(sinceMS, resetMS+1)
		}
		rows, err := b.tx.QueryContext(ctx, "SELECT served_at_ms, version, variant, acted FROM impression"+
			" WHERE user_id = ? AND popup_id = ? AND served_at_ms >= ? ORDER BY served_at_ms", b.dialect.user(was.user), name.popup, sinceMS)
		if err != nil {
			return fmt.Errorf("read exposures: %w", err)
		}
		list, err := collect(rows, func(s scanner) (e experimentEvent, err error) {
			err = s.Scan(&e.servedAtMS, &e.version, &e.variant, &e.acted)
			return e, err
		})
		if err != nil {
			return fmt.Errorf("read exposures: %w", err)
		}
		for _, e := range list { // what is not there any more is too old to have been released
			switch e.servedAtMS {
			case was.exposedMS:
				p.now.exposedMS, p.now.version, p.now.variant, p.now.mixedMS = 0, 0, nil, 0
			case was.mixedMS:
				p.now.mixedMS = 0
			}
		}
		for _, e := range list {
			if isExposure(e.acted.V) && string(e.variant) != popup.HoldoutVariant && b.tests.isTest(popupVersion{name.popup, e.version}) {
				p.now.expose(e.servedAtMS, e.version, e.variant)
			}
		}
	}
	return nil
}

// write writes the rows that have changed, and the counts that these change.
func (b *experimentPass) write(ctx context.Context) error {
	var changed []*experimentUser
	counts := map[experimentKey]int64{}
	for _, p := range b.users {
		if p.now.equal(&p.before) {
			continue
		}
		changed = append(changed, &p.now)
		p.before.count(counts, -1)
		p.now.count(counts, 1)
	}
	slices.SortFunc(changed, func(x, y *experimentUser) int {
		return cmp.Or(bytes.Compare(x.user, y.user), cmp.Compare(x.popup, y.popup))
	})
	upsert := b.dialect.upsert("user_id, popup_id") + b.dialect.expand("exposed_ms = NEW(exposed_ms), version = NEW(version),"+
		" variant = NEW(variant), mixed_ms = NEW(mixed_ms), click_ms = NEW(click_ms), convert_ms = NEW(convert_ms)")
	for rows := range slices.Chunk(changed, experimentRows) {
		var args []any
		for _, u := range rows {
			args = append(args, b.dialect.user(u.user), u.popup, u.exposedMS, u.version, string(u.variant), u.mixedMS, u.clickMS, u.convertMS)
		}
		if _, err := b.tx.ExecContext(ctx, "INSERT INTO experiment_user (user_id, popup_id, exposed_ms, version, variant, mixed_ms, click_ms, convert_ms) VALUES "+
			strings.Repeat(", (?, ?, ?, ?, ?, ?, ?, ?)", len(rows))[len(", "):]+upsert, args...); err != nil {
			return fmt.Errorf("write users: %w", err)
		}
	}
	return b.addCounts(ctx, b.tx, counts)
}

// addCounts adds to rows of experiment_count.
func (x *experiments) addCounts(ctx context.Context, to execer, counts map[experimentKey]int64) error {
	maps.DeleteFunc(counts, func(_ experimentKey, n int64) bool { return n == 0 })
	keys := slices.SortedFunc(maps.Keys(counts), experimentKey.compare)
	upsert := x.dialect.upsert("popup_id, version, variant, outcome, days") + x.dialect.expand("users = users + NEW(users)")
	for rows := range slices.Chunk(keys, experimentRows) {
		var args []any
		for _, k := range rows {
			args = append(args, k.popup, k.version, k.variant, string(k.outcome), k.days, counts[k])
		}
		if _, err := to.ExecContext(ctx, "INSERT INTO experiment_count (popup_id, version, variant, outcome, days, users) VALUES "+
			strings.Repeat(", (?, ?, ?, ?, ?, ?)", len(rows))[len(", "):]+upsert, args...); err != nil {
			return fmt.Errorf("add to counts: %w", err)
		}
	}
	for _, k := range keys {
		x.isDue(k.popup)
	}
	return nil
}
