package persist

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/popupd/popupd/popup"
)

// The table webhook_outbox has the notices that are to be sent, and for a while those that
// were. A server that sends one claims it: it counts an attempt, and makes the notice due
// again for when the claim expires, with a compare-and-set on the number of attempts. So
// one server of many sends it, and another one if that dies. All times are of the store's
// clock.

// AddNotice keeps a notice to be sent, unless one of its subject is kept.
func (db *DB) AddNotice(ctx context.Context, n popup.Notice) error {
	return db.addNotice(ctx, db.write, n)
}

func (db *DB) addNotice(ctx context.Context, to execer, n popup.Notice) error {
	now := db.dialect.now
	_, err := to.ExecContext(ctx, "INSERT INTO webhook_outbox (subject, webhook_id, body, created_ms, due_ms, attempts, result, settled_ms)"+
		" VALUES (?, ?, ?, "+now+", "+now+", 0, '', 0)"+db.dialect.upsert("subject")+"attempts = attempts", n.Subject, n.ID, string(n.Body))
	if err != nil {
		return fmt.Errorf("keep a notice: %w", err)
	}
	return nil
}

// claimable is how many notices are looked at for one that no other server claims first.
const claimable = 8

// ClaimNotice takes the notice that is due for longest for this server alone until
// life is over. It reports false if none is due.
func (db *DB) ClaimNotice(ctx context.Context, life time.Duration) (n popup.ClaimedNotice, ok bool, err error) {
	rows, err := db.read.QueryContext(ctx, "SELECT id, subject, webhook_id, body, attempts, "+db.dialect.now+" - created_ms FROM webhook_outbox"+
		" WHERE settled_ms = 0 AND due_ms <= "+db.dialect.now+" ORDER BY due_ms, id LIMIT ?", claimable)
	if err != nil {
		return n, false, fmt.Errorf("look for notices: %w", err)
	}
	due, err := collect(rows, func(s scanner) (n popup.ClaimedNotice, err error) {
		var ageMS int64
		err = s.Scan(&n.Row, &n.Subject, &n.ID, &n.Body, &n.Attempt, &ageMS)
		n.Age = time.Duration(ageMS) * time.Millisecond
		return n, err
	})
	if err != nil {
		return n, false, fmt.Errorf("look for notices: %w", err)
	}
	for _, n := range due {
		err := exactly(1)(db.write.ExecContext(ctx, "UPDATE webhook_outbox SET attempts = attempts + 1, due_ms = "+db.dialect.now+" + ?"+
			" WHERE id = ? AND attempts = ? AND settled_ms = 0", life.Milliseconds(), n.Row, n.Attempt))
		if errors.Is(err, errMoved) {
			continue // another server has claimed it
		}
		if err != nil {
			return popup.ClaimedNotice{}, false, fmt.Errorf("claim a notice: %w", err)
		}
		n.Attempt++
		return n, true, nil
	}
	return popup.ClaimedNotice{}, false, nil
}

// maxResult is the size of webhook_outbox.result in bytes.
const maxResult = 255

// NoticeSent notes what an attempt came to. It does nothing if the claim has expired and
// another server has claimed the notice.
func (db *DB) NoticeSent(ctx context.Context, n popup.ClaimedNotice, a popup.Attempt) error {
	set, args := "settled_ms = "+db.dialect.now, []any{clip(a.Result, maxResult)}
	if !a.Settled {
		set, args = "due_ms = "+db.dialect.now+" + ?", append(args, a.Again.Milliseconds())
	}
	_, err := db.write.ExecContext(ctx, "UPDATE webhook_outbox SET result = ?, "+set+" WHERE id = ? AND attempts = ? AND settled_ms = 0",
		append(args, n.Row, n.Attempt)...)
	if err != nil {
		return fmt.Errorf("note what became of a notice: %w", err)
	}
	return nil
}

// outboxBatch is how many notices one statement deletes.
const outboxBatch = 500

// TrimOutbox deletes notices that were settled longer ago than keep, and the oldest of
// those that are not if they are more than most. It returns how many are left to be sent.
func (db *DB) TrimOutbox(ctx context.Context, keep time.Duration, most int) (dropped, pending int, err error) {
	cutoff := db.dialect.now + " - ?"
	for {
		n, err := db.deleteNotices(ctx, "settled_ms > 0 AND settled_ms < "+cutoff, keep.Milliseconds())
		if err != nil {
			return 0, 0, err
		}
		if n == 0 {
			break
		}
	}
	if err := db.read.QueryRowContext(ctx, "SELECT COUNT(*) FROM webhook_outbox WHERE settled_ms = 0").Scan(&pending); err != nil {
		return 0, 0, fmt.Errorf("count notices: %w", err)
	}
	if pending <= most {
		return 0, pending, nil
	}
	dropped, err = db.dropNotices(ctx, most)
	return dropped, most, err
}

// dropNotices deletes the notices that are to be sent but for the newest ones. Of several
// servers that do this at once each finds the same ones, so that together they drop no more.
func (db *DB) dropNotices(ctx context.Context, most int) (dropped int, err error) {
	var last uint64
	err = db.read.QueryRowContext(ctx, "SELECT id FROM webhook_outbox WHERE settled_ms = 0 ORDER BY id DESC LIMIT 1 OFFSET ?", most).Scan(&last)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("look for the oldest notices: %w", err)
	}
	for {
		n, err := db.deleteNotices(ctx, "settled_ms = 0 AND id <= ?", last)
		if err != nil || n == 0 {
			return dropped, err
		}
		dropped += n
	}
}

// deleteNotices deletes some of the notices of a condition, by primary key, so that it waits
// for no row but those.
func (db *DB) deleteNotices(ctx context.Context, where string, arg any) (n int, err error) {
	rows, err := db.read.QueryContext(ctx, "SELECT id FROM webhook_outbox WHERE "+where+" LIMIT ?", arg, outboxBatch)
	if err != nil {
		return 0, fmt.Errorf("look for old notices: %w", err)
	}
	ids, err := collect(rows, func(s scanner) (id any, err error) {
		var row uint64
		err = s.Scan(&row)
		return row, err
	})
	if err != nil || len(ids) == 0 {
		return 0, err
	}
	result, err := db.write.ExecContext(ctx, "DELETE FROM webhook_outbox WHERE id IN (?"+strings.Repeat(", ?", len(ids)-1)+")", ids...)
	if err != nil {
		return 0, fmt.Errorf("delete old notices: %w", err)
	}
	removed, err := result.RowsAffected()
	return int(removed), err
}
