package persist

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/popupd/popupd/popup"
)

// noteChange keeps the notice of a change in its transaction, if there is to be one.
func (db *DB) noteChange(ctx context.Context, tx *sql.Tx, c popup.Change, atMS int64, before storedPopup, after *popup.Popup) error {
	if db.notice == nil {
		return nil
	}
	n, ok := db.notice(popup.PopupChange{
		Change: c, AtMS: atMS, BeforeVersion: before.version, BeforeStatus: before.status, Before: before.spec, After: *after,
	})
	if !ok {
		return nil
	}
	return db.addNotice(ctx, tx, n)
}

// beforeImport returns the popups that an import is about to change, by key; none if nobody
// is told of it.
func (db *DB) beforeImport(ctx context.Context, tx *sql.Tx, popups []*popup.ObjectChange) (map[string]popup.StoredPopup, error) {
	if db.notice == nil {
		return nil, nil
	}
	var keys []any
	for _, o := range popups {
		if o.ID != 0 {
			keys = append(keys, o.Key)
		}
	}
	list, err := storedPopups(ctx, tx, keys)
	if err != nil {
		return nil, fmt.Errorf("read popups of before: %w", err)
	}
	before := make(map[string]popup.StoredPopup, len(list))
	for _, p := range list {
		before[p.Key] = p
	}
	return before, nil
}

// noteImport keeps the notices of an import in its transaction.
func (db *DB) noteImport(ctx context.Context, tx *sql.Tx, actor string, atMS int64, before map[string]popup.StoredPopup, popups []*popup.ObjectChange) error {
	if db.notice == nil {
		return nil
	}
	var now int64
	if err := tx.QueryRowContext(ctx, "SELECT "+db.dialect.now).Scan(&now); err != nil {
		return fmt.Errorf("ask the store for the time: %w", err)
	}
	rows := newBatch("webhook_outbox", "subject, webhook_id, body, created_ms, due_ms, attempts, result, settled_ms", "")
	for _, o := range popups {
		change := popup.PopupChange{
			Change: popup.Change{Actor: actor, Action: string(o.Action)}, AtMS: atMS,
			After: popup.Popup{ID: o.ID, Version: o.ToVersion, UpdatedAt: timeOf(atMS), Source: o.Source, Spec: *o.Spec},
		}
		if was, ok := before[o.Key]; ok {
			change.BeforeVersion, change.Before = was.Version, was.Spec
			change.BeforeStatus = decodeBroken(was.Spec, popup.DecodeStored).Status
		}
		if n, ok := db.notice(change); ok {
			rows.add(n.Subject, n.ID, string(n.Body), now, now, 0, "", 0)
		}
	}
	if err := rows.insert(ctx, tx); err != nil {
		return fmt.Errorf("keep notices: %w", err)
	}
	return nil
}
