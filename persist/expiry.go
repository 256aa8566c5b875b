package persist

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/popupd/popupd/popup"
)

const (
	// keepImpressions is longer than an action may ask for its impression.
	keepImpressions = popup.TokenLife + keepLonger
	keepLonger      = 24 * time.Hour // since events may be committed late
	// keepPendingGoals is how long a goal waits for an exposure that is yet to be committed.
	keepPendingGoals = popup.TokenLife
	// impressionsEvery is how often a walk through all impressions begins.
	impressionsEvery = 24 * time.Hour
	// keyBatch is how many rows are read at a time, without a lock.
	keyBatch = 2000
	// deleteBatch is how many rows one transaction deletes: flushers that want one of
	// them wait for about a millisecond.
	deleteBatch = 100
)

// expiry deletes rows that can matter no more: impressions whose tokens have expired, for
// which no goal counts and that no cap counts, goals whose exposure never came, the states
// of popups that were archived so long ago, and old samples of what stopped popups. It walks
// through the tables by primary key. Where it stands lives in memory: a server that stops
// begins again.
type expiry struct {
	*DB
	impressions     keyWalk
	nextImpressions time.Time

	states          keyWalk
	experimentUsers keyWalk  // after states
	archived        []uint32 // popups whose states the walks delete
	done            []uint32 // those of the last walks that came to their ends
}

// keyWalk is where a walk stands: behind this key. The zero value is the beginning.
type keyWalk struct {
	user  []byte
	popup uint32
	atMS  int64
}

// run goes on with the walks until they are at their ends or, after a step, the time is up.
func (x *expiry) run(ctx context.Context, until time.Time) (finished bool, err error) {
	nowMS, err := x.storeNow(ctx)
	if err != nil {
		return false, err
	}
	goalsErr := x.expirePendingGoals(ctx, nowMS-keepPendingGoals.Milliseconds())
	cutoffMS := nowMS - keepImpressions.Milliseconds()
	finished, err = x.expireImpressions(ctx, nowMS, until)
	statesFinished, statesErr := x.expireStates(ctx, cutoffMS, until)
	whyNotFinished, whyNotErr := x.removeOldWhyNot(ctx, nowMS-keepWhyNot.Milliseconds(), until)
	return finished && statesFinished && whyNotFinished, errors.Join(err, statesErr, goalsErr, whyNotErr)
}

func (x *expiry) expireImpressions(ctx context.Context, nowMS int64, until time.Time) (finished bool, err error) {
	if time.Now().Before(x.nextImpressions) {
		return true, nil
	}
	windows, err := goalWindows(ctx, x.read)
	if err != nil {
		return false, fmt.Errorf("list goals: %w", err)
	}
	row, err := settings(ctx, x.read)
	if err != nil {
		return false, err
	}
	keep := max(keepImpressions, longestCap(decodeBroken(row.Spec, popup.DecodeStoredSettings))+keepLonger)
	isOld := func(k keyWalk) bool {
		return k.atMS < nowMS-max(keep, windows[k.popup]+keepLonger).Milliseconds()
	}
	finished, err = x.walk(ctx, &x.impressions, impressionTable, isOld, until)
	if err != nil {
		return false, fmt.Errorf("delete old impressions: %w", err)
	}
	if finished {
		x.nextImpressions = time.Now().Add(impressionsEvery)
	}
	return finished, nil
}

// expirePendingGoals deletes goals whose exposure was not committed in time. There are
// hardly any, so they are looked for without an index, and without a lock.
func (x *expiry) expirePendingGoals(ctx context.Context, cutoffMS int64) error {
	for {
		rows, err := x.read.QueryContext(ctx, "SELECT user_id, popup_id, at_ms FROM goal_pending WHERE at_ms < ? LIMIT ?", cutoffMS, deleteBatch)
		if err != nil {
			return fmt.Errorf("read old pending goals: %w", err)
		}
		old, err := collect(rows, func(s scanner) (k keyWalk, err error) {
			err = s.Scan(&k.user, &k.popup, &k.atMS)
			return k, err
		})
		if err != nil {
			return fmt.Errorf("read old pending goals: %w", err)
		}
		if len(old) == 0 {
			return nil
		}
		if err := x.deleteKeys(ctx, goalTable, old); err != nil {
			return fmt.Errorf("delete old pending goals: %w", err)
		}
	}
}

func (x *expiry) expireStates(ctx context.Context, cutoffMS int64, until time.Time) (finished bool, err error) {
	if x.archived == nil {
		archived, err := x.archivedBefore(ctx, cutoffMS)
		if err != nil {
			return false, fmt.Errorf("list archived popups: %w", err)
		}
		if slices.Equal(archived, x.done) { // archiving is final
			return true, nil
		}
		x.archived = archived
	}
	isArchived := func(k keyWalk) bool {
		_, found := slices.BinarySearch(x.archived, k.popup)
		return found
	}
	finished, err = x.walk(ctx, &x.states, stateTable, isArchived, until)
	if err != nil {
		return false, fmt.Errorf("delete states of archived popups: %w", err)
	}
	if finished { // what was counted of the users stays
		finished, err = x.walk(ctx, &x.experimentUsers, experimentUserTable, isArchived, until)
		if err != nil {
			return false, fmt.Errorf("delete users of experiments of archived popups: %w", err)
		}
	}
	if finished {
		x.done, x.archived = x.archived, nil
	}
	return finished, nil
}

func (x *expiry) archivedBefore(ctx context.Context, cutoffMS int64) ([]uint32, error) {
	rows, err := x.read.QueryContext(ctx, "SELECT id FROM popups WHERE status = ? AND updated_at < ? ORDER BY id", popup.Archived, cutoffMS)
	if err != nil {
		return nil, err
	}
	return collect(rows, func(s scanner) (id uint32, err error) {
		err = s.Scan(&id)
		return id, err
	})
}

// keyTable is a table to walk through.
type keyTable struct {
	name  string
	at    string // column of keyWalk.atMS
	order string // the primary key
}

var (
	impressionTable = keyTable{"impression", "served_at_ms", "user_id, popup_id, served_at_ms"}
	stateTable      = keyTable{"user_popup", "last_impression_ms", "user_id, popup_id"}

	experimentUserTable = keyTable{"experiment_user", "exposed_ms", "user_id, popup_id"}
	goalTable           = keyTable{"goal_pending", "at_ms", "user_id, popup_id, stream_no, seq"}
)

// walk deletes the rows whose keys are old, step by step.
func (x *expiry) walk(ctx context.Context, at *keyWalk, t keyTable, isOld func(keyWalk) bool, until time.Time) (finished bool, err error) {
	for {
		keys, err := x.keysAfter(ctx, t, *at)
		if err != nil {
			return false, err
		}
		old := slices.DeleteFunc(slices.Clone(keys), func(k keyWalk) bool { return !isOld(k) })
		for batch := range slices.Chunk(old, deleteBatch) {
			if err := x.deleteKeys(ctx, t, batch); err != nil {
				return false, err
			}
		}
		if len(keys) < keyBatch {
			*at = keyWalk{}
			return true, nil
		}
		*at = keys[len(keys)-1]
		if time.Now().After(until) {
			return false, nil
		}
	}
}

// keysAfter returns the keys that follow one. MySQL finds no range in a comparison of
// rows, so the user is compared alone.
func (x *expiry) keysAfter(ctx context.Context, t keyTable, k keyWalk) ([]keyWalk, error) {
	user := x.dialect.user(append([]byte{}, k.user...)) // no user is before all others; nil would be NULL
	rows, err := x.read.QueryContext(ctx, "SELECT user_id, popup_id, "+t.at+" FROM "+t.name+
		" WHERE user_id >= ? AND (user_id > ? OR popup_id > ? OR popup_id = ? AND "+t.at+" > ?) ORDER BY "+t.order+" LIMIT ?",
		user, user, k.popup, k.popup, k.atMS, keyBatch)
	if err != nil {
		return nil, err
	}
	return collect(rows, func(s scanner) (k keyWalk, err error) {
		err = s.Scan(&k.user, &k.popup, &k.atMS)
		return k, err
	})
}

// deleteKeys deletes rows that are as they were read.
func (x *expiry) deleteKeys(ctx context.Context, t keyTable, keys []keyWalk) error {
	one := " OR user_id = ? AND popup_id = ? AND " + t.at + " = ?"
	var args []any
	for _, k := range keys {
		args = append(args, x.dialect.user(k.user), k.popup, k.atMS)
	}
	var removed int64
	err := x.inTx(ctx, func(tx *sql.Tx) error {
		result, err := tx.ExecContext(ctx, "DELETE FROM "+t.name+" WHERE "+strings.Repeat(one, len(keys))[len(" OR "):], args...)
		if err == nil {
			removed, err = result.RowsAffected()
		}
		return err
	})
	if err == nil {
		x.metrics.removed[t.name].Add(float64(removed))
	}
	return err
}
