package persist

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/popupd/popupd/popup"
)

// settingsObject is what the audit trail calls the settings.
const settingsObject = "config:settings"

// Settings returns the settings; version 0 of them, the defaults, before they are
// changed for the first time.
func (db *DB) Settings(ctx context.Context) (popup.StoredSettings, error) {
	row, err := settings(ctx, db.read)
	if err != nil {
		return popup.StoredSettings{}, err
	}
	return storedSettings(row), nil
}

func storedSettings(row popup.SettingsRow) popup.StoredSettings {
	s := popup.StoredSettings{Version: row.Version}
	if row.Version > 0 {
		updated := timeOf(row.UpdatedAtMS)
		s.UpdatedAt, s.Settings = &updated, decodeBroken(row.Spec, popup.DecodeStoredSettings)
	}
	return s
}

// longestCap returns within how much time caps count impressions, 0 without caps.
func longestCap(s popup.Settings) (d time.Duration) {
	for i := range s.Caps {
		d = max(d, time.Duration(min(s.Caps[i].PerSec, popup.MaxCapSec))*time.Second) // broken settings may ask for more
	}
	return d
}

// PutSettings replaces the settings; version is that which the caller has seen. It
// returns [popup.ErrStale] if they have another one. They must be valid.
func (db *DB) PutSettings(ctx context.Context, c popup.Change, version uint32, s popup.Settings) (popup.StoredSettings, error) {
	atMS, spec := db.now(), string(s.Encode())
	err := db.inRevision(ctx, func(tx *sql.Tx) (uint32, error) {
		row, err := settings(ctx, tx)
		switch {
		case err != nil:
			return 0, err
		case row.Version != version:
			return 0, popup.ErrStale
		}
		return 0, putSettings(ctx, tx, c, atMS, version, spec)
	})
	if err != nil {
		return popup.StoredSettings{}, fmt.Errorf("put settings: %w", err)
	}
	updated := timeOf(atMS)
	return popup.StoredSettings{Version: version + 1, UpdatedAt: &updated, Settings: s}, nil
}

// putSettings stores settings in the place of those of a version.
func putSettings(ctx context.Context, tx *sql.Tx, c popup.Change, atMS int64, version uint32, spec string) (err error) {
	if version == 0 {
		_, err = tx.ExecContext(ctx, "INSERT INTO settings (id, version, spec, updated_at) VALUES (1, 1, ?, ?)", spec, atMS)
	} else {
		_, err = tx.ExecContext(ctx, "UPDATE settings SET version = ?, spec = ?, updated_at = ? WHERE id = 1", version+1, spec, atMS)
	}
	if err != nil {
		return err
	}
	_, err = audit(ctx, tx, c, atMS, settingsObject, version, version+1)
	return err
}

// settings returns the only row of the table, the zero one if there is none yet.
func settings(ctx context.Context, q querier) (row popup.SettingsRow, err error) {
	err = q.QueryRowContext(ctx, "SELECT version, updated_at, spec FROM settings WHERE id = 1").
		Scan(&row.Version, &row.UpdatedAtMS, &row.Spec)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return row, fmt.Errorf("read settings: %w", err)
	}
	return row, nil
}
