package persist

import (
	"context"
	"fmt"

	"github.com/popupd/popupd/popup"
)

// ExportCatalog reads what is configured, all of one revision: it calls begin with the
// position and the settings, then each with every popup that is not archived, by key. It keeps
// one popup at a time, and a transaction open for as long as these take.
func (db *DB) ExportCatalog(ctx context.Context, begin func(popup.Position, popup.StoredSettings) error, each func(popup.Popup) error) error {
	tx, err := snapshot(ctx, db.read)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // it has only read
	position, err := catalogPosition(ctx, tx)
	if err != nil {
		return err
	}
	row, err := settings(ctx, tx)
	if err != nil {
		return err
	}
	if err := begin(position, storedSettings(row)); err != nil {
		return err
	}
	rows, err := tx.QueryContext(ctx, selectPopup+" WHERE status <> 'archived' ORDER BY `key`")
	if err != nil {
		return fmt.Errorf("export popups: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		p, err := db.scanPopup(rows)
		if err != nil {
			return fmt.Errorf("export popups: %w", err)
		}
		if err := each(p); err != nil {
			return err
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("export popups: %w", err)
	}
	return nil
}
