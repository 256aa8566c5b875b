package persist

import (
	"context"
	"database/sql"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"

	"github.com/popupd/popupd/internal/failpoint"
	"github.com/popupd/popupd/popup"
)

// PlanImport returns what an import would change, and the position of the catalog that it was
// compared with. check decides whether it may be of that one. Errors are those of check and of
// [popup.Import.Plan].
func (db *DB) PlanImport(ctx context.Context, im *popup.Import, check func(popup.Position) error) (popup.ImportResult, error) {
	r, err := db.planImport(ctx, im, check)
	if err != nil {
		return popup.ImportResult{}, fmt.Errorf("plan import: %w", err)
	}
	return r, nil
}

func (db *DB) planImport(ctx context.Context, im *popup.Import, check func(popup.Position) error) (popup.ImportResult, error) {
	tx, err := snapshot(ctx, db.read)
	if err != nil {
		return popup.ImportResult{}, err
	}
	defer func() { _ = tx.Rollback() }() // it has only read
	return compareImport(ctx, tx, im, check)
}

// Import makes an import: all of it, as one change that is there at once for whoever reads, or
// nothing. One that changes nothing leaves the revision as it is; any other adds one for each
// object, so that servers find its changes as they find others. Errors are those of [DB.PlanImport].
func (db *DB) Import(ctx context.Context, c popup.Change, im *popup.Import, check func(popup.Position) error) (r popup.ImportResult, err error) {
	err = db.inTx(ctx, func(tx *sql.Tx) error {
		if err := addRevisions(ctx, tx, 0); err != nil { // nobody else changes the catalog from here on
			return err
		}
		if r, err = compareImport(ctx, tx, im, check); err != nil || r.IsUnchanged() {
			return err
		}
		if err := db.storeImport(ctx, tx, c, &r); err != nil {
			return err
		}
		failpoint.Reach(failpoint.ImportCommitBefore)
		return nil
	})
	if err != nil {
		return popup.ImportResult{}, fmt.Errorf("import: %w", err)
	}
	return r, nil
}

// compareImport compares an import with what is stored.
func compareImport(ctx context.Context, tx *sql.Tx, im *popup.Import, check func(popup.Position) error) (r popup.ImportResult, err error) {
	if r.Position, err = catalogPosition(ctx, tx); err != nil {
		return r, err
	}
	if err := check(r.Position); err != nil {
		return r, err
	}
	row, err := settings(ctx, tx)
	if err != nil {
		return r, err
	}
	keys, err := importKeys(ctx, tx, im)
	if err != nil {
		return r, fmt.Errorf("list popups: %w", err)
	}
	stored, err := storedPopups(ctx, tx, keys)
	if err != nil {
		return r, fmt.Errorf("read popups: %w", err)
	}
	audiences, err := audienceRows(ctx, tx)
	if err != nil {
		return r, err
	}
	r.Objects, err = im.Plan(stored, row, audiences)
	return r, err
}

// importKeys returns the keys of the popups that an import has, and of those that it prunes.
func importKeys(ctx context.Context, tx *sql.Tx, im *popup.Import) ([]any, error) {
	keys := make([]any, 0, len(im.Popups))
	seen := make(map[string]bool, len(im.Popups))
	for i := range im.Popups {
		keys = append(keys, im.Popups[i].Key)
		seen[im.Popups[i].Key] = true
	}
	if !im.Prune {
		return keys, nil
	}
	rows, err := tx.QueryContext(ctx, "SELECT `key`, source FROM popups WHERE status <> 'archived' AND source <> ''")
	if err != nil {
		return nil, err
	}
	sources, err := collect(rows, func(s scanner) (p [2]string, err error) {
		err = s.Scan(&p[0], &p[1])
		return p, err
	})
	for _, p := range sources {
		if !seen[p[0]] && im.Prunes(p[1]) {
			keys = append(keys, p[0])
		}
	}
	return keys, err
}

// keysAtOnce is how many popups are read by one statement.
const keysAtOnce = 500

func storedPopups(ctx context.Context, tx *sql.Tx, keys []any) (list []popup.StoredPopup, err error) {
	for len(keys) > 0 {
		n := min(len(keys), keysAtOnce)
		rows, err := tx.QueryContext(ctx, "SELECT id, version, updated_at, `key`, spec, status = 'archived', source FROM popups WHERE `key` IN ("+placeholders(n)+")", keys[:n]...)
		if err != nil {
			return nil, err
		}
		some, err := collect(rows, func(s scanner) (p popup.StoredPopup, err error) {
			err = s.Scan(&p.ID, &p.Version, &p.UpdatedAtMS, &p.Key, &p.Spec, &p.Archived, &p.Source)
			return p, err
		})
		if err != nil {
			return nil, err
		}
		list, keys = append(list, some...), keys[n:]
	}
	return list, nil
}

func placeholders(n int) string { return strings.TrimSuffix(strings.Repeat("?,", n), ",") }

// storeImport writes what is planned, and sets the position.
func (db *DB) storeImport(ctx context.Context, tx *sql.Tx, c popup.Change, r *popup.ImportResult) error {
	atMS := db.now()
	var ids []uint32 // of what changes, as config_change has them
	var popups []*popup.ObjectChange
	for i := range r.Objects {
		o := &r.Objects[i]
		switch {
		case o.Action == popup.ImportUnchanged:
		case o.Kind == popup.SettingsObject:
			change := popup.Change{Actor: c.Actor, Action: string(o.Action)}
			if err := putSettings(ctx, tx, change, atMS, o.FromVersion, string(o.Settings.Encode())); err != nil {
				return fmt.Errorf("put settings: %w", err)
			}
			ids = append(ids, 0)
		case o.Kind == popup.AudienceObject:
			row := popup.AudienceRow{Key: o.Key, Rule: o.Rule.Encode(), UpdatedAtMS: atMS, Actor: clip(c.Actor, maxActor)}
			if err := db.writeAudience(ctx, tx, popup.AudienceRow{ID: o.ID, Version: o.FromVersion}, &row); err != nil {
				return fmt.Errorf("put audience %s: %w", o.Key, err)
			}
			o.ToVersion = row.Version // of one that was deleted before, it goes on
			if _, err := audit(ctx, tx, popup.Change{Actor: c.Actor, Action: string(o.Action)}, atMS, audienceObject(o.Key), o.FromVersion, o.ToVersion); err != nil {
				return err
			}
			ids = append(ids, changedAudiences)
		default:
			popups = append(popups, o)
		}
	}
	if err := db.storePopups(ctx, tx, c, popups, atMS); err != nil {
		return fmt.Errorf("store popups: %w", err)
	}
	for _, o := range popups {
		ids = append(ids, o.ID)
	}
	if err := addRevisions(ctx, tx, len(ids)); err != nil {
		return err
	}
	var err error
	r.Position, err = db.keepChanges(ctx, tx, r.Position.Revision, ids)
	return err
}

// keepChanges writes rows of config_change for the revisions after one, each with one of the
// ids, and returns the last position. Of more than servers read one by one it writes only the
// last row: they miss the others, and read the whole catalog.
func (db *DB) keepChanges(ctx context.Context, tx *sql.Tx, after int64, ids []uint32) (last popup.Position, err error) {
	first := 0
	if len(ids) > keptChanges {
		first = len(ids) - 1
	}
	rows := newBatch("config_change", "revision, nonce, popup_id", db.dialect.upsert("revision")+db.dialect.expand("nonce = NEW(nonce), popup_id = NEW(popup_id)"))
	for i := first; i < len(ids); i++ {
		last = popup.Position{Revision: after + int64(i) + 1, Nonce: 1 + rand.Int64N(math.MaxInt64)}
		rows.add(last.Revision, last.Nonce, ids[i])
	}
	if err := rows.insert(ctx, tx); err != nil {
		return last, fmt.Errorf("keep what has changed: %w", err)
	}
	return last, trimChanges(ctx, tx)
}
