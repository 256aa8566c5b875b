package persist

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"math"

	"github.com/popupd/popupd/popup"
)

// Longest texts of the history's columns in bytes. What is longer is cut.
const (
	maxActor  = 255
	maxHost   = 255
	maxReason = 255
	maxObject = 160
)

// Revisions returns every version of a popup, newest first, or
// [popup.ErrNotFound].
func (db *DB) Revisions(ctx context.Context, key string) ([]popup.Revision, error) {
	return db.revisionsWhere(ctx, "p.`key` = ?", key)
}

func (db *DB) revisionsWhere(ctx context.Context, where string, of any) ([]popup.Revision, error) {
	rows, err := db.read.QueryContext(ctx, "SELECT r.version, r.actor, r.created_at, r.source, r.spec FROM popup_revisions r"+
		" JOIN popups p ON p.id = r.popup_id WHERE "+where+" ORDER BY r.version DESC", of)
	if err != nil {
		return nil, fmt.Errorf("read revisions of %v: %w", of, err)
	}
	list, err := collect(rows, func(s scanner) (popup.Revision, error) {
		var r popup.Revision
		var createdMS int64
		var spec []byte
		err := s.Scan(&r.Version, &r.Actor, &createdMS, &r.Source, &spec)
		r.CreatedAt, r.Spec = timeOf(createdMS), decodeBroken(spec, popup.DecodeStored)
		return r, err
	})
	if err == nil && len(list) == 0 {
		err = popup.ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("read revisions of %v: %w", of, err)
	}
	return list, nil
}

// Audit returns up to limit lines of the audit trail, newest first, those with
// ids less than before; 0 begins with the newest. With an object, only its lines: the index
// by object has them in the order of their ids.
func (db *DB) Audit(ctx context.Context, object string, before int64, limit int) ([]popup.AuditEntry, error) {
	where, args := "id < ?", []any{cmp.Or(before, math.MaxInt64)}
	if object != "" {
		where, args = "object = ? AND "+where, append([]any{object}, args...)
	}
	rows, err := db.read.QueryContext(ctx, "SELECT id, at_ms, actor, action, object, from_version, to_version FROM audit"+
		" WHERE "+where+" ORDER BY id DESC LIMIT ?", append(args, limit)...)
	if err != nil {
		return nil, fmt.Errorf("read audit: %w", err)
	}
	list, err := collect(rows, func(s scanner) (popup.AuditEntry, error) {
		var e popup.AuditEntry
		var atMS int64
		err := s.Scan(&e.ID, &atMS, &e.Actor, &e.Action, &e.Object, &e.FromVersion, &e.ToVersion)
		e.At = timeOf(atMS)
		return e, err
	})
	if err != nil {
		return nil, fmt.Errorf("read audit: %w", err)
	}
	return list, nil
}

// AuditUser notes in the audit trail that somebody has changed a user's state, and
// returns the id of the line.
func (db *DB) AuditUser(ctx context.Context, c popup.Change, uid string) (id int64, err error) {
	err = db.inTx(ctx, func(tx *sql.Tx) (err error) {
		id, err = audit(ctx, tx, c, db.now(), "user:"+uid, 0, 0)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("audit a user: %w", err)
	}
	return id, nil
}

// AuditServer notes in the audit trail that somebody has set something of this server to value.
func (db *DB) AuditServer(ctx context.Context, c popup.Change, value string) error {
	object := clip("server:"+db.host, maxObject-len(" ")-len(value)) + " " + value
	err := db.inTx(ctx, func(tx *sql.Tx) error {
		_, err := audit(ctx, tx, c, db.now(), object, 0, 0)
		return err
	})
	if err != nil {
		return fmt.Errorf("audit a server: %w", err)
	}
	return nil
}

func audit(ctx context.Context, tx *sql.Tx, c popup.Change, atMS int64, object string, from, to uint32) (id int64, err error) {
	result, err := tx.ExecContext(ctx,
		"INSERT INTO audit (at_ms, actor, action, object, from_version, to_version) VALUES (?, ?, ?, ?, ?, ?)",
		atMS, clip(c.Actor, maxActor), c.Action, object, from, to)
	if err == nil {
		id, err = result.LastInsertId()
	}
	if err != nil {
		return 0, fmt.Errorf("audit: %w", err)
	}
	return id, nil
}

// Stats returns the statistics of a popup by hour and variant, oldest first:
// the hours that begin at fromMS or later and before toMS.
func (db *DB) Stats(ctx context.Context, id uint32, fromMS, toMS int64) ([]popup.Counts, error) {
	rows, err := db.read.QueryContext(ctx, "SELECT variant, hour, impressions, controls, clicks, dismisses, converts, views, releases,"+
		" users, click_users, convert_users, control_users"+
		" FROM popup_stats WHERE popup_id = ? AND hour >= ? AND hour < ? ORDER BY hour, variant", id, fromMS, toMS)
	if err != nil {
		return nil, fmt.Errorf("read stats: %w", err)
	}
	list, err := collect(rows, func(s scanner) (c popup.Counts, err error) {
		err = s.Scan(&c.Variant, &c.HourMS, &c.Impressions, &c.Controls, &c.Clicks, &c.Dismisses, &c.Converts, &c.Views, &c.Releases,
			&c.Users, &c.ClickUsers, &c.ConvertUsers, &c.ControlUsers)
		return c, err
	})
	if err != nil {
		return nil, fmt.Errorf("read stats: %w", err)
	}
	return list, nil
}

// VariantTotals sums the impressions and actions of a popup by variant: those of the hours
// that begin at fromMS or later.
func (db *DB) VariantTotals(ctx context.Context, id uint32, fromMS int64) ([]popup.Counts, error) {
	rows, err := db.read.QueryContext(ctx, "SELECT variant, SUM(impressions), SUM(controls), SUM(clicks), SUM(dismisses), SUM(converts)"+
		" FROM popup_stats WHERE popup_id = ? AND hour >= ? GROUP BY variant ORDER BY variant", id, fromMS)
	if err != nil {
		return nil, fmt.Errorf("sum stats: %w", err)
	}
	list, err := collect(rows, func(s scanner) (c popup.Counts, err error) {
		err = s.Scan(&c.Variant, &c.Impressions, &c.Controls, &c.Clicks, &c.Dismisses, &c.Converts)
		return c, err
	})
	if err != nil {
		return nil, fmt.Errorf("sum stats: %w", err)
	}
	return list, nil
}
