package persist

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

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

// RecentImpressions returns the latest impressions and controls of a user, newest first, at
// most limit. ids are the popups that they may be of: of each the index gives its latest ones.
func (db *DB) RecentImpressions(ctx context.Context, user []byte, ids []uint32, limit int) ([]popup.Served, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	const columns = "popup_id, served_at_ms, version, variant, acted"
	var parts []string
	var args []any
	for i, id := range ids {
		parts = append(parts, fmt.Sprintf("SELECT "+columns+" FROM (SELECT "+columns+" FROM impression WHERE user_id = ? AND popup_id = ? ORDER BY served_at_ms DESC LIMIT ?) p%d", i))
		args = append(args, db.dialect.user(user), id, limit)
	}
	rows, err := db.read.QueryContext(ctx, strings.Join(parts, " UNION ALL ")+" ORDER BY served_at_ms DESC, popup_id LIMIT ?", append(args, limit)...)
	if err != nil {
		return nil, fmt.Errorf("read impressions: %w", err)
	}
	list, err := collect(rows, func(from scanner) (s popup.Served, err error) {
		err = from.Scan(&s.PopupID, &s.AtMS, &s.Version, &s.Variant, &s.Acted)
		return s, err
	})
	if err != nil {
		return nil, fmt.Errorf("read impressions: %w", err)
	}
	return list, nil
}
