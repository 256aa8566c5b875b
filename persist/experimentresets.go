package persist

import (
	"context"
	"database/sql"
	"fmt"
)

// experimentResets are the rows of erasure as passes need them. There may be a week of them,
// so they are read again only if they have changed.
type experimentResets struct {
	count, sum, left int64            // of all rows; ids are never used again, and what is done stays so
	at               map[string]int64 // when users were last reset, ms; nil: to be read
	// open are the users who may still have rows of experiment_user from before a reset.
	// Those of the others were deleted before their erasure was done.
	open []string
}

func (r *experimentResets) refresh(ctx context.Context, tx *sql.Tx) error {
	var count, sum, left int64
	err := tx.QueryRowContext(ctx, "SELECT COUNT(*), COALESCE(SUM(id), 0), COALESCE(SUM(done_ms = 0), 0) FROM erasure").Scan(&count, &sum, &left)
	if err != nil {
		return fmt.Errorf("ask for resets: %w", err)
	}
	if r.at != nil && r.count == count && r.sum == sum && r.left == left {
		return nil
	}
	rows, err := tx.QueryContext(ctx, "SELECT user_id, at_ms, done_ms FROM erasure")
	if err != nil {
		return fmt.Errorf("read resets: %w", err)
	}
	defer rows.Close()
	*r = experimentResets{count: count, sum: sum, left: left, at: map[string]int64{}}
	isOpen := map[string]bool{}
	for rows.Next() {
		var user string
		var atMS, doneMS int64
		if err := rows.Scan(&user, &atMS, &doneMS); err != nil {
			*r = experimentResets{}
			return fmt.Errorf("read resets: %w", err)
		}
		r.at[user] = max(atMS, r.at[user])
		if doneMS == 0 && !isOpen[user] {
			isOpen[user] = true
			r.open = append(r.open, user)
		}
	}
	if err := rows.Err(); err != nil {
		*r = experimentResets{}
		return fmt.Errorf("read resets: %w", err)
	}
	return nil
}
