package persist

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/popupd/popupd/popup"
)

// The table config_change has a row for each of the latest revisions: the id of the popup
// that it has changed, 0 for the settings, changedAudiences for audiences, and a nonce, a number drawn at random. A server
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

// keptChanges is how many of the latest revisions have a row in config_change at least, and of
// how many changes are read at most: more of them may be longer than the whole catalog, since
// each has its popup. One in so many changes trims the table.
const keptChanges, trimOneIn = 200, 64

// changedAudiences stands in config_change for the id of a popup where audiences have
// changed. No popup has this id: an earlier release, which does not know it, finds that
// the popup is not there, and reads the whole catalog.
const changedAudiences = math.MaxUint32

// inRevision makes one change of what is configured, with a new revision, all or
// nothing. change returns the id of the popup that it has changed, 0 for the settings,
// changedAudiences for audiences.
// The first statement takes the row's lock, so changes go one after the other and each
// reads what the one before has written.
func (db *DB) inRevision(ctx context.Context, change func(*sql.Tx) (popupID uint32, err error)) error {
	return db.inTx(ctx, func(tx *sql.Tx) error {
		if err := addRevisions(ctx, tx, 1); err != nil {
			return err
		}
		id, err := change(tx)
		if err != nil {
			return err
		}
		return db.keepChange(ctx, tx, id)
	})
}

// addRevisions goes n revisions on, and locks the row until the transaction ends; with 0 it
// only does that.
func addRevisions(ctx context.Context, tx *sql.Tx, n int) error {
	r, err := tx.ExecContext(ctx, "UPDATE config_revision SET revision = revision + ? WHERE id = 1", n)
	if err != nil {
		return fmt.Errorf("next revision: %w", err)
	}
	if n, err := r.RowsAffected(); err != nil || n != 1 {
		return errors.Join(errors.New("next revision: the table config_revision has no row"), err)
	}
	return nil
}

// keepChange writes the row of config_change of a transaction's revision, and trims the
// table now and then. A row of the same revision is there after somebody has set the
// revision back.
func (db *DB) keepChange(ctx context.Context, tx *sql.Tx, popupID uint32) error {
	nonce := 1 + rand.Int64N(math.MaxInt64)
	if _, err := tx.ExecContext(ctx, "INSERT INTO config_change (revision, nonce, popup_id) SELECT revision, ?, ? FROM config_revision WHERE id = 1"+
		db.dialect.upsert("revision")+db.dialect.expand("nonce = NEW(nonce), popup_id = NEW(popup_id)"), nonce, popupID); err != nil {
		return fmt.Errorf("keep which popup has changed: %w", err)
	}
	if nonce%trimOneIn != 0 {
		return nil
	}
	return trimChanges(ctx, tx)
}

func trimChanges(ctx context.Context, tx *sql.Tx) error {
	if _, err := tx.ExecContext(ctx, "DELETE FROM config_change WHERE revision <= (SELECT revision FROM config_revision WHERE id = 1) - ?", keptChanges); err != nil {
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
	c, audiences, known, err := changes(ctx, db.read, since)
	if err == nil && audiences {
		c, known, err = db.changesWithAudiences(ctx, since)
	}
	if err != nil {
		return popup.CatalogChange{}, false, fmt.Errorf("read changes of popups: %w", err)
	}
	return c, known, nil
}

// changesWithAudiences reads changes, of which some are of audiences, in one transaction.
func (db *DB) changesWithAudiences(ctx context.Context, since popup.Position) (c popup.CatalogChange, known bool, err error) {
	tx, err := snapshot(ctx, db.read)
	if err != nil {
		return c, false, err
	}
	defer func() { _ = tx.Rollback() }() // it has only read
	c, _, known, err = changes(ctx, tx, since)
	if err != nil || !known {
		return c, false, err
	}
	rows, err := audienceRows(ctx, tx)
	c.Audiences = &rows
	return c, true, err
}

// changes asks once, since a single statement has a consistent view. Each row is a revision,
// that of since first, with the popup or the settings that it has changed, as they are now.
// Audiences reports whether any have changed, which c then lacks.
func changes(ctx context.Context, q queryer, since popup.Position) (c popup.CatalogChange, audiences, known bool, err error) {
	rows, err := q.QueryContext(ctx, "SELECT r.revision, c.revision, c.nonce, c.popup_id,"+
		" COALESCE(p.id, 0), COALESCE(p.version, s.version, 0), COALESCE(p.updated_at, s.updated_at, 0), COALESCE(p.`key`, ''), COALESCE(p.spec, s.spec, ''),"+
		" COALESCE(p.status, '') = 'archived' FROM config_revision r JOIN config_change c ON c.revision >= ? AND c.revision <= ?"+
		" LEFT JOIN popups p ON p.id = c.popup_id AND c.revision > ? LEFT JOIN settings s ON s.id = 1 AND c.popup_id = 0 AND c.revision > ?"+
		" WHERE r.id = 1 ORDER BY c.revision", since.Revision, since.Revision+keptChanges, since.Revision, since.Revision)
	if err != nil {
		return c, false, false, err
	}
	type change struct {
		newest int64
		popup.Position
		id  uint32
		row popup.Row
	}
	list, err := collect(rows, func(s scanner) (c change, err error) {
		err = s.Scan(&c.newest, &c.Revision, &c.Nonce, &c.id, &c.row.ID, &c.row.Version, &c.row.UpdatedAtMS, &c.row.Key, &c.row.Spec, &c.row.Archived)
		return c, err
	})
	if err != nil || len(list) == 0 || list[0].Position != since {
		return c, false, false, err
	}
	last := list[len(list)-1]
	if last.Revision != last.newest || int64(len(list)) != last.Revision-since.Revision+1 {
		return c, false, false, nil
	}
	c.Revision, c.Nonce = last.Revision, last.Nonce
	seen := make(map[uint32]bool, len(list))
	for _, change := range list[1:] {
		switch row := change.row; {
		case seen[change.id]:
		case change.id == changedAudiences:
			audiences = true
		case change.id == 0:
			c.Settings = &popup.SettingsRow{Version: row.Version, UpdatedAtMS: row.UpdatedAtMS, Spec: row.Spec}
		case row.ID == 0: // somebody has deleted the popup
			return popup.CatalogChange{}, false, false, nil
		default:
			c.Popups = append(c.Popups, row)
		}
		seen[change.id] = true
	}
	slices.SortFunc(c.Popups, func(a, b popup.Row) int { return cmp.Compare(a.ID, b.ID) })
	return c, audiences, true, nil
}

// Rows returns all popups that are not archived, and the newest one, archived or not,
// by id, the settings and the audiences, all as they are stored, and the revision that
// they are of.
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
	if c.Audiences, err = audienceRows(ctx, tx); err != nil {
		return c, err
	}
	if c.AudienceKey, err = audienceKey(ctx, tx); err != nil {
		return c, err
	}
	rows, err := tx.QueryContext(ctx, "SELECT id, version, updated_at, `key`, spec, status = 'archived' FROM popups"+
		" WHERE status <> 'archived' OR id = (SELECT MAX(id) FROM popups) ORDER BY id")
	if err != nil {
		return c, err
	}
	c.Popups, err = collect(rows, func(s scanner) (r popup.Row, err error) {
		err = s.Scan(&r.ID, &r.Version, &r.UpdatedAtMS, &r.Key, &r.Spec, &r.Archived)
		return r, err
	})
	return c, err
}
