package persist

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"

	"github.com/popupd/popupd/popup"
)

// MaxLookUp is how many users are looked up at once. It is less than from where on MariaDB
// makes a table of the values of an IN (in_predicate_conversion_threshold, 1000).
const MaxLookUp = 256

// LookUp calls onState with every state of these users, at most [MaxLookUp], and onImpression
// with each impression of theirs that was served after sinceMS; 0: with none. All are as they
// are at one moment after the call, in no order, and the user belongs to the function only until
// it returns. It asks the store once.
func (db *DB) LookUp(ctx context.Context, users [][]byte, sinceMS int64, onState func(user []byte, id uint32, s popup.State),
	onImpression func(user []byte, id uint32, servedAtMS int64, acted uint8),
) error {
	in := " WHERE user_id IN (?" + strings.Repeat(", ?", len(users)-1) + ")"
	query := "SELECT 0, user_id, popup_id, acted, last_impression_ms, impressions, last_action, last_shown_ms, last_action_ms," +
		" click_until_ms, next_at_ms FROM user_popup" + in
	var args []any
	for _, u := range users {
		args = append(args, db.dialect.user(u))
	}
	if sinceMS > 0 {
		query += " UNION ALL SELECT 1, user_id, popup_id, acted, served_at_ms, 0, 0, 0, 0, 0, 0 FROM impression" + in + " AND served_at_ms > ?"
		args = append(args, args...)
		args = append(args, sinceMS)
	}
	rows, err := db.read.QueryContext(ctx, query, args...)
	if err != nil {
		return fmt.Errorf("look up users: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var isImpression bool
		var user sql.RawBytes
		var id uint32
		var s popup.State
		if err := rows.Scan(&isImpression, &user, &id, &s.Acted, &s.ServedAtMS, &s.Impressions, &s.Last, &s.ShownAtMS, &s.AtMS,
			&s.ClickUntilMS, &s.NextAtMS); err != nil {
			return fmt.Errorf("look up users: %w", err)
		}
		switch {
		case !isImpression:
			s.Upgrade()
			onState(user, id, s)
		case s.Acted&popup.ControlBit == 0:
			onImpression(user, id, s.ServedAtMS, s.Acted)
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("look up users: %w", err)
	}
	return nil
}

// Committed returns the last committed seq of each of these streams that was registered.
func (db *DB) Committed(ctx context.Context, streams []popup.StreamID) (map[popup.StreamID]uint64, error) {
	last := make(map[popup.StreamID]uint64, len(streams))
	for some := range slices.Chunk(streams, MaxLookUp) {
		if err := db.addCommitted(ctx, last, some); err != nil {
			return nil, fmt.Errorf("read progress of %d streams: %w", len(streams), err)
		}
	}
	return last, nil
}

func (db *DB) addCommitted(ctx context.Context, last map[popup.StreamID]uint64, streams []popup.StreamID) error {
	args := make([]any, len(streams))
	for i, id := range streams {
		args[i] = id.String()
	}
	rows, err := db.read.QueryContext(ctx, "SELECT stream_id, last_seq FROM ingest_stream WHERE stream_id IN (?"+strings.Repeat(", ?", len(streams)-1)+")", args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var text string
		var seq uint64
		if err := rows.Scan(&text, &seq); err != nil {
			return err
		}
		id, err := popup.ParseStreamID(text)
		if err != nil {
			return err
		}
		last[id] = seq
	}
	return rows.Err()
}
