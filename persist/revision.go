package persist

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"

	"github.com/popupd/popupd/popup"
)

// The table config_change has a row for each of the latest revisions: the id of the popup
// that it has changed, 0 for the settings, and a nonce, a number drawn at random. A server
// that knows the catalog of one revision reads what the later ones have changed only if
// the rows of both and of all between are there and the first has the nonce that the
// server has read. Otherwise it reads the whole catalog:
//
//	the database was restored              the revision is less, or was given out again with another nonce
//	a server of an earlier release, or     the revision has no row
//	somebody by hand, has made a change
//	the server was away for long           the rows are trimmed
//
// What somebody changes by hand without a new revision is read by a reload only.

// keptChanges is how many of the latest revisions have a row in config_change.
const keptChanges = 1000

// inRevision makes one change of what is configured, with a new revision, all or
// nothing. change returns the id of the popup that it has changed, 0 for the settings.
// The first statement takes the row's lock, so changes go one after the other and each
// reads what the one before has written.
func (db *DB) inRevision(ctx context.Context, change func(*sql.Tx) (popupID uint32, err error)) error {
	return db.inTx(ctx, func(tx *sql.Tx) error {
		r, err := tx.ExecContext(ctx, "UPDATE config_revision SET revision = revision + 1 WHERE id = 1")
		if err != nil {
			return fmt.Errorf("next revision: %w", err)
		}
		if n, err := r.RowsAffected(); err != nil || n != 1 {
			return errors.Join(errors.New("next revision: the table config_revision has no row"), err)
		}
		id, err := change(tx)
		if err != nil {
			return err
		}
		return db.keepChange(ctx, tx, id)
	})
}

// keepChange writes the row of config_change of a transaction's revision, and trims the
// table. A row of the same revision is there after somebody has set the revision back.
func (db *DB) keepChange(ctx context.Context, tx *sql.Tx, popupID uint32) error {
	var n int64
	if err := tx.QueryRowContext(ctx, "SELECT revision FROM config_revision WHERE id = 1").Scan(&n); err != nil {
		return fmt.Errorf("read the new revision: %w", err)
	}
	if _, err := tx.ExecContext(ctx, "INSERT INTO config_change (revision, nonce, popup_id) VALUES (?, ?, ?)"+
		db.dialect.upsert("revision")+db.dialect.expand("nonce = NEW(nonce), popup_id = NEW(popup_id)"),
		n, 1+rand.Int64N(math.MaxInt64), popupID); err != nil {
		return fmt.Errorf("keep which popup has changed: %w", err)
	}
	if _, err := tx.ExecContext(ctx, "DELETE FROM config_change WHERE revision <= ?", n-keptChanges); err != nil {
		return fmt.Errorf("trim changes: %w", err)
	}
	return nil
}

// querier is a *sql.DB or *sql.Tx.
type querier interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// Position returns of which revision the catalog is. It goes back when the store is
// restored from a backup.
func (db *DB) Position(ctx context.Context) (popup.Position, error) {
	return catalogPosition(ctx, db.read)
}

func catalogPosition(ctx context.Context, q querier) (p popup.Position, err error) {
	err = q.QueryRowContext(ctx, "SELECT r.revision, COALESCE(c.nonce, 0) FROM config_revision r"+
		" LEFT JOIN config_change c ON c.revision = r.revision WHERE r.id = 1").Scan(&p.Revision, &p.Nonce)
	if err != nil {
		return p, fmt.Errorf("read revision: %w", err)
	}
	return p, nil
}

// Changes returns what has changed since the catalog was read at a position, without a
// popup twice. It reports false if the store can't tell.
func (db *DB) Changes(ctx context.Context, since popup.Position) (c popup.CatalogChange, known bool, err error) {
	if since.Nonce == 0 {
		return c, false, nil
	}
	c, known, err = db.changes(ctx, since)
	if err != nil {
		return popup.CatalogChange{}, false, fmt.Errorf("read changes of popups: %w", err)
	}
	return c, known, nil
}

func (db *DB) changes(ctx context.Context, since popup.Position) (c popup.CatalogChange, known bool, err error) {
	tx, err := snapshot(ctx, db.read)
	if err != nil {
		return c, false, err
	}
	defer func() { _ = tx.Rollback() }() // it has only read
	now, err := catalogPosition(ctx, tx)
	if err != nil || now == since {
		return popup.CatalogChange{Revision: now.Revision, Nonce: now.Nonce}, err == nil, err
	}
	ids, known, err := changedSince(ctx, tx, since, now)
	if err != nil || !known {
		return c, false, err
	}
	c.Revision, c.Nonce = now.Revision, now.Nonce
	if ids[0] {
		row, err := settings(ctx, tx)
		if err != nil {
			return c, false, err
		}
		c.Settings = &row
		delete(ids, 0)
	}
	if len(ids) == 0 {
		return c, true, nil
	}
	var list strings.Builder
	for id := range ids {
		list.WriteString("," + strconv.FormatUint(uint64(id), 10))
	}
	c.Popups, err = popupRows(ctx, tx, "id IN ("+list.String()[1:]+")")
	return c, err == nil, err
}

// changedSince returns the ids of what the revisions after one position have changed, up
// to another. It reports false unless it knows of each of them, and the first is still
// what it was.
func changedSince(ctx context.Context, tx *sql.Tx, since, now popup.Position) (ids map[uint32]bool, known bool, err error) {
	if now.Revision <= since.Revision || now.Revision-since.Revision >= keptChanges {
		return nil, false, nil
	}
	rows, err := tx.QueryContext(ctx, "SELECT revision, nonce, popup_id FROM config_change WHERE revision >= ? AND revision <= ? ORDER BY revision",
		since.Revision, now.Revision)
	if err != nil {
		return nil, false, err
	}
	type change struct {
		popup.Position
		id uint32
	}
	list, err := collect(rows, func(s scanner) (c change, err error) {
		err = s.Scan(&c.Revision, &c.Nonce, &c.id)
		return c, err
	})
	if err != nil || int64(len(list)) != now.Revision-since.Revision+1 || list[0].Position != since {
		return nil, false, err
	}
	ids = make(map[uint32]bool, len(list))
	for _, c := range list[1:] {
		ids[c.id] = true
	}
	return ids, true, nil
}

// Rows returns all popups that are not archived, and the newest one, archived or not,
// by id, and the settings, all as they are stored, and the revision that they are of.
func (db *DB) Rows(ctx context.Context) (popup.Catalog, error) {
	c, err := db.rows(ctx)
	if err != nil {
		return popup.Catalog{}, fmt.Errorf("read popups: %w", err)
	}
	return c, nil
}

func (db *DB) rows(ctx context.Context) (c popup.Catalog, err error) {
	tx, err := snapshot(ctx, db.read)
	if err != nil {
		return c, err
	}
	defer func() { _ = tx.Rollback() }() // it has only read
	now, err := catalogPosition(ctx, tx)
	if err != nil {
		return c, err
	}
	c.Revision, c.Nonce = now.Revision, now.Nonce
	if c.Settings, err = settings(ctx, tx); err != nil {
		return c, err
	}
	c.Popups, err = popupRows(ctx, tx, "status <> 'archived' OR id = (SELECT MAX(id) FROM popups)")
	return c, err
}

// popupRows returns the popups of a condition as they are stored, by id.
func popupRows(ctx context.Context, tx *sql.Tx, where string) ([]popup.Row, error) {
	rows, err := tx.QueryContext(ctx, "SELECT id, version, updated_at, `key`, spec, status = 'archived' FROM popups WHERE "+where+" ORDER BY id")
	if err != nil {
		return nil, err
	}
	return collect(rows, func(s scanner) (r popup.Row, err error) {
		err = s.Scan(&r.ID, &r.Version, &r.UpdatedAtMS, &r.Key, &r.Spec, &r.Archived)
		return r, err
	})
}
