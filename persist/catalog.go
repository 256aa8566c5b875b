package persist

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/popupd/popupd/popup"
)

// Create stores a new popup as its version 1. It returns [popup.ErrExists] if
// the key is taken, by an archived popup too, and [popup.FieldErrors] if it names
// audiences that are not there. The spec must be valid.
func (db *DB) Create(ctx context.Context, c popup.Change, s popup.Spec) (popup.Popup, error) {
	p := popup.Popup{Version: 1, Spec: s}
	err := db.changeCatalog(ctx, c, &p, func(tx *sql.Tx, row catalogRow) (before storedPopup, err error) {
		if err := checkAudiences(ctx, tx, &s, nil); err != nil {
			return before, err
		}
		r, err := tx.ExecContext(ctx, "INSERT INTO popups (`key`, status, priority, start_at, end_at, max_impressions,"+
			" goal_window_sec, spec, version, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
			s.Key, s.Status, s.Priority, row.startAt, row.endAt, s.Frequency.MaxImpressions, row.goalWindowSec, row.spec, p.Version, row.atMS)
		if isDuplicate(err) {
			return before, popup.ErrExists
		}
		if err != nil {
			return before, err
		}
		id, err := r.LastInsertId()
		p.ID = uint32(id)
		return before, err
	})
	if err != nil {
		return popup.Popup{}, fmt.Errorf("create popup %s: %w", s.Key, err)
	}
	return p, nil
}

// Put replaces the popup with this key; version is the one the caller has seen,
// 0 for any. It returns [popup.ErrNotFound], [popup.ErrArchived] or, when the
// popup has another version, [popup.ErrStale], and [popup.FieldErrors] as
// [DB.Create]. The spec must be valid.
func (db *DB) Put(ctx context.Context, c popup.Change, version uint32, s popup.Spec) (popup.Popup, error) {
	p := popup.Popup{Spec: s}
	err := db.changeCatalog(ctx, c, &p, func(tx *sql.Tx, row catalogRow) (before storedPopup, err error) {
		err = tx.QueryRowContext(ctx, "SELECT id, version, status, source, spec FROM popups WHERE `key` = ?", s.Key).
			Scan(&p.ID, &before.version, &before.status, &p.Source, &before.spec)
		switch {
		case errors.Is(err, sql.ErrNoRows):
			return before, popup.ErrNotFound
		case err != nil:
			return before, err
		case before.status == popup.Archived:
			return before, popup.ErrArchived
		case version != 0 && version != before.version:
			return before, popup.ErrStale
		}
		stored := decodeBroken(before.spec, popup.DecodeStored)
		if err := checkAudiences(ctx, tx, &s, stored.Audiences()); err != nil {
			return before, err
		}
		p.Version = before.version + 1
		_, err = tx.ExecContext(ctx, "UPDATE popups SET status = ?, priority = ?, start_at = ?, end_at = ?,"+
			" max_impressions = ?, goal_window_sec = ?, spec = ?, version = ?, updated_at = ? WHERE id = ?",
			s.Status, s.Priority, row.startAt, row.endAt, s.Frequency.MaxImpressions, row.goalWindowSec, row.spec, p.Version, row.atMS, p.ID)
		return before, err
	})
	if err != nil {
		return popup.Popup{}, fmt.Errorf("put popup %s: %w", s.Key, err)
	}
	return p, nil
}

// catalogRow is what the columns of a popup hold besides its spec.
type catalogRow struct {
	spec           string
	atMS           int64
	startAt, endAt sql.NullInt64
	goalWindowSec  int64 // 0: no goal
}

func rowOf(s *popup.Spec, atMS int64) catalogRow {
	row := catalogRow{spec: string(s.Encode()), atMS: atMS, startAt: nullTime(s.Schedule.StartAt), endAt: nullTime(s.Schedule.EndAt)}
	if s.Goal.Event != "" {
		row.goalWindowSec = s.Goal.WindowSec
	}
	return row
}

// storedPopup is a popup as it was before a change; the zero value if it is new.
type storedPopup struct {
	version uint32
	status  popup.Status
	spec    []byte
}

// changeCatalog makes one change of a popup: by change, with its history, its line
// in the audit trail, and what operators are told of it.
func (db *DB) changeCatalog(ctx context.Context, c popup.Change, p *popup.Popup,
	change func(*sql.Tx, catalogRow) (before storedPopup, err error),
) error {
	row := rowOf(&p.Spec, db.now())
	p.UpdatedAt = timeOf(row.atMS)
	return db.inRevision(ctx, func(tx *sql.Tx) (uint32, error) {
		before, err := change(tx, row)
		if err != nil {
			return 0, err
		}
		if _, err := tx.ExecContext(ctx,
			"INSERT INTO popup_revisions (popup_id, version, spec, actor, created_at) VALUES (?, ?, ?, ?, ?)",
			p.ID, p.Version, row.spec, clip(c.Actor, maxActor), row.atMS); err != nil {
			return 0, fmt.Errorf("keep revision: %w", err)
		}
		if _, err := audit(ctx, tx, c, row.atMS, p.Key, before.version, p.Version); err != nil {
			return 0, err
		}
		return p.ID, db.noteChange(ctx, tx, c, row.atMS, before, p)
	})
}

func nullTime(t *time.Time) sql.NullInt64 {
	if t == nil {
		return sql.NullInt64{}
	}
	return sql.NullInt64{Int64: t.UnixMilli(), Valid: true}
}

// Popup returns the popup with this key, archived or not, or
// [popup.ErrNotFound].
func (db *DB) Popup(ctx context.Context, key string) (popup.Popup, error) {
	p, err := db.scanPopup(db.read.QueryRowContext(ctx, selectPopup+" WHERE `key` = ?", key))
	if errors.Is(err, sql.ErrNoRows) {
		err = popup.ErrNotFound
	}
	if err != nil {
		return popup.Popup{}, fmt.Errorf("read popup %s: %w", key, err)
	}
	return p, nil
}

const selectPopup = "SELECT id, version, updated_at, source, `key`, status, spec FROM popups"

// scanner is a *sql.Row or *sql.Rows.
type scanner interface{ Scan(dst ...any) error }

func (db *DB) scanPopup(row scanner) (popup.Popup, error) {
	var p popup.Popup
	var updatedMS int64
	var key string
	var status popup.Status
	var spec []byte
	if err := row.Scan(&p.ID, &p.Version, &updatedMS, &p.Source, &key, &status, &spec); err != nil {
		return popup.Popup{}, err
	}
	p.UpdatedAt = timeOf(updatedMS)
	p.Spec = decodeBroken(spec, popup.DecodeStored)
	p.Key = key
	if p.Status == "" {
		p.Status = status
	}
	return p, nil
}

// decodeBroken decodes what is stored as JSON, also what somebody has broken in the store,
// as far as it goes: operators have to see it to mend it.
func decodeBroken[T any](b []byte, decode func([]byte) (v T, ignored []string, err error)) T {
	v, _, err := decode(b)
	if err == nil {
		return v
	}
	var broken, none T
	if json.Unmarshal(b, &broken) != nil {
		return none
	}
	return broken
}

// collect reads all rows and closes them.
func collect[T any](rows *sql.Rows, scan func(scanner) (T, error)) ([]T, error) {
	defer rows.Close()
	var list []T
	for rows.Next() {
		v, err := scan(rows)
		if err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	return list, rows.Err()
}
