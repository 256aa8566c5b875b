package persist

import (
	"context"
	"database/sql"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/popupd/popupd/popup"
)

// How long a user's state matters after its last wait has ended, and after its
// impression: an action may come for as long as its token lives.
const (
	keepAfterWait       = time.Hour
	keepAfterImpression = 7 * 24 * time.Hour
)

// Restore calls fn for every user and popup whose state still matters at nowMS,
// and returns how far each stream is counted: both of one moment, so that what
// is not in the state is in the streams after these positions. The user belongs
// to fn only until it returns. State matters until an hour after its wait, a
// week after its impression, and for ever if the popup limits its impressions or
// never returns; not at all once the popup is archived.
func (db *DB) Restore(ctx context.Context, nowMS int64, fn func(user []byte, id uint32, s popup.State)) (map[popup.StreamID]uint64, error) {
	// A pool of its own: the search may take longer than other statements may.
	pool, err := db.restorePool()
	if err != nil {
		return nil, fmt.Errorf("restore state: %w", err)
	}
	defer pool.Close()
	tx, err := snapshot(ctx, pool)
	if err != nil {
		return nil, fmt.Errorf("restore state: %w", err)
	}
	defer func() { _ = tx.Rollback() }() // it has only read
	at, err := positions(ctx, tx)
	if err != nil {
		return nil, fmt.Errorf("restore positions: %w", err)
	}
	where, err := stillMatters(ctx, tx)
	if err != nil {
		return nil, fmt.Errorf("restore popups: %w", err)
	}
	if err := restoreStates(ctx, tx, where, nowMS, fn); err != nil {
		return nil, fmt.Errorf("restore state: %w", err)
	}
	return at, nil
}

func positions(ctx context.Context, tx *sql.Tx) (map[popup.StreamID]uint64, error) {
	rows, err := tx.QueryContext(ctx, "SELECT stream_id, last_seq FROM ingest_stream")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	at := map[popup.StreamID]uint64{}
	for rows.Next() {
		var name string
		var last uint64
		if err := rows.Scan(&name, &last); err != nil {
			return nil, err
		}
		id, err := popup.ParseStreamID(name)
		if err != nil {
			return nil, err
		}
		at[id] = last
	}
	return at, rows.Err()
}

// stillMatters is the condition on user_popup, with two arguments: times after
// which a wait or an impression still counts. The popups are looked up here and
// not by a join, which would cost a lookup a row.
func stillMatters(ctx context.Context, tx *sql.Tx) (string, error) {
	rows, err := tx.QueryContext(ctx, "SELECT id, status, max_impressions FROM popups WHERE status = 'archived' OR max_impressions > 0")
	if err != nil {
		return "", err
	}
	defer rows.Close()
	var archived, capped []string
	for rows.Next() {
		var id uint64
		var status popup.Status
		var limit uint32
		if err := rows.Scan(&id, &status, &limit); err != nil {
			return "", err
		}
		if status == popup.Archived {
			archived = append(archived, strconv.FormatUint(id, 10))
		} else {
			capped = append(capped, strconv.FormatUint(id, 10))
		}
	}
	where := "(next_at_ms > ? OR last_impression_ms > ?"
	if len(capped) > 0 {
		where += " OR popup_id IN (" + strings.Join(capped, ",") + ")"
	}
	where += ")"
	if len(archived) > 0 {
		where += " AND popup_id NOT IN (" + strings.Join(archived, ",") + ")"
	}
	return where, rows.Err()
}

func restoreStates(ctx context.Context, tx *sql.Tx, where string, nowMS int64, fn func([]byte, uint32, popup.State)) error {
	rows, err := tx.QueryContext(ctx, "SELECT user_id, popup_id, impressions, last_impression_ms, acted, last_action,"+
		" last_action_ms, click_until_ms, next_at_ms FROM user_popup WHERE "+where,
		nowMS-keepAfterWait.Milliseconds(), nowMS-keepAfterImpression.Milliseconds())
	if err != nil {
		return err
	}
	defer rows.Close()
	var user sql.RawBytes
	var id uint32
	var s popup.State
	dst := []any{&user, &id, &s.Impressions, &s.ServedAtMS, &s.Acted, &s.Last, &s.AtMS, &s.ClickUntilMS, &s.NextAtMS}
	for rows.Next() {
		if err := rows.Scan(dst...); err != nil {
			return err
		}
		fn(user, id, s)
	}
	return rows.Err()
}
