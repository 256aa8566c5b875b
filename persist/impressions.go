package persist

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/popupd/popupd/popup"
)

// RestoreImpressions calls fn for every impression that was served after sinceMS, with the
// [popup.Action.Bit]s of what the user did with it and [popup.Unconfirmed]. What f found
// says whether it reads all or only what had changed then. The user belongs to fn only until
// it returns.
func (db *DB) RestoreImpressions(ctx context.Context, f *Found, sinceMS int64, fn func(user []byte, id uint32, servedAtMS int64, acted uint8)) error {
	pool, err := db.restorePool() // the search may take longer than other statements may
	if err != nil {
		return fmt.Errorf("restore impressions: %w", err)
	}
	defer pool.Close()
	const columns = "SELECT i.user_id, i.popup_id, i.served_at_ms, i.acted FROM "
	if f.Full != "" {
		if err := readImpressions(ctx, pool, fn, columns+"impression i WHERE i.served_at_ms > ?", sinceMS); err != nil {
			return fmt.Errorf("restore impressions: %w", err)
		}
		return nil
	}
	changed := columns + "event e " + db.dialect.lookup("impression i") + " ON i.user_id = e.user_id AND i.popup_id = e.popup_id" +
		" AND i.served_at_ms = e.served_at_ms WHERE i.served_at_ms > ? AND e.stream_no = ? AND e.seq > ? AND e.seq <= ?"
	for _, r := range f.ranges {
		if err := readImpressions(ctx, pool, fn, changed, sinceMS, r.no, r.after, r.last); err != nil {
			return fmt.Errorf("restore changed impressions: %w", err)
		}
	}
	return nil
}

func readImpressions(ctx context.Context, from queryer, fn func(user []byte, id uint32, servedAtMS int64, acted uint8), query string, args ...any) error {
	rows, err := from.QueryContext(ctx, query, args...)
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
