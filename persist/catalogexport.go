package persist

import (
	"context"
	"fmt"

	"github.com/popupd/popupd/popup"
)

// ExportCatalog reads what is configured, all of one revision: it calls begin with the
// position, the settings and the rules of audiences, by key, then each with every popup that is
// not archived, by key. Rules that are broken are left out. It keeps one popup at a time, and a
// transaction open for as long as these take.
func (db *DB) ExportCatalog(ctx context.Context, begin func(popup.Position, popup.StoredSettings, []popup.ExportedAudience) error, each func(popup.Popup) error) error {
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
	stored, err := audienceRows(ctx, tx)
	if err != nil {
		return err
	}
	audiences := []popup.ExportedAudience{}
	for i := range stored {
		if a := &stored[i]; a.Rule != nil {
			rule, _, err := popup.DecodeStoredAudienceRule(a.Rule)
			if err != nil { // what can be read of it would be a rule for more users
				db.log.Error("export: an audience is left out, since its rule is broken", "key", a.Key, "version", a.Version, "err", err)
				continue
			}
			audiences = append(audiences, popup.ExportedAudience{Key: a.Key, Version: a.Version, UpdatedAt: timeOf(a.UpdatedAtMS), Rule: rule.Encode()})
		}
	}
	if err := begin(position, storedSettings(row), audiences); err != nil {
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
