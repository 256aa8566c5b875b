package persist

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/popupd/popupd/popup"
)

// RestoreImpressions calls fn for every impression that was served after sinceMS, with the
// [popup.Action.Bit]s of what the user did with it. The user belongs to fn only until it
// returns.
func (db *DB) RestoreImpressions(ctx context.Context, sinceMS int64, fn func(user []byte, id uint32, servedAtMS int64, acted uint8)) error {
	pool, err := db.restorePool() // the search may take longer than other statements may
	if err != nil {
		return fmt.Errorf("restore impressions: %w", err)
	}
	defer pool.Close()
	if err := readImpressions(ctx, pool, sinceMS, fn); err != nil {
		return fmt.Errorf("restore impressions: %w", err)
	}
	return nil
}

func readImpressions(ctx context.Context, from queryer, sinceMS int64, fn func(user []byte, id uint32, servedAtMS int64, acted uint8)) error {
	rows, err := from.QueryContext(ctx, "SELECT user_id, popup_id, served_at_ms, acted FROM impression WHERE served_at_ms > ?", sinceMS)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var user sql.RawBytes
		var id uint32
		var servedAtMS int64
		var acted uint8
		if err := rows.Scan(&user, &id, &servedAtMS, &acted); err != nil {
			return err
		}
		if acted&popup.ControlBit == 0 {
			fn(user, id, servedAtMS, acted)
		}
	}
	return rows.Err()
}
