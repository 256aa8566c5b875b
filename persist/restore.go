package persist

import (
	"context"
	"database/sql"
	"fmt"
	"strconv"
	"strings"

	"github.com/popupd/popupd/popup"
)

// Restore calls fn for every user and popup whose state still matters at nowMS,
// all as they are at one moment after the call. The user belongs to fn only until
// it returns. State matters until [popup.KeepAfterWait] after its wait and [popup.TokenLife]
// after its impression, and for ever if the popup limits its impressions or never returns;
// not at all once the popup is archived.
func (db *DB) Restore(ctx context.Context, nowMS int64, fn func(user []byte, id uint32, s popup.State)) error {
	// A pool of its own: the search may take longer than other statements may.
	pool, err := db.restorePool()
	if err != nil {
		return fmt.Errorf("restore state: %w", err)
	}
	defer pool.Close()
	conn, err := pool.Conn(ctx)
	if err != nil {
		return fmt.Errorf("restore state: %w", err)
	}
	defer conn.Close()
	tx, err := conn.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true})
	if err != nil {
		return fmt.Errorf("restore state: begin: %w", err)
	}
	defer func() { _ = tx.Rollback() }() // it has only read
	where, err := stillMatters(ctx, tx)
	if err != nil {
		return fmt.Errorf("restore popups: %w", err)
	}
	reading, cancel := context.WithCancel(ctx)
	defer cancel() // before the others, which wait for the reader, should fn panic
	rows := newPipe()
	go rows.fill(reading, conn, where, nowMS)
	if err := rows.drain(fn); err != nil {
		return fmt.Errorf("restore state: %w", err)
	}
	return nil
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
