package persist

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"github.com/popupd/popupd/popup"
)

const (
	// batchRows and batchBytes bound one statement, far below any max_allowed_packet: escapes
	// make a text up to twice as long. One row may be longer.
	batchRows, batchBytes = 500, 256 << 10
)

// batch inserts rows by few statements: one a row would take a round trip each.
type batch struct {
	head, tail string // what stands before and after the rows
	columns    int
	values     []any // of all rows, one after the other
}

// newBatch returns a batch of rows with these columns ("a, b"); tail is that of an upsert.
func newBatch(table, columns, tail string) *batch {
	return &batch{head: "INSERT INTO " + table + " (" + columns + ") VALUES ", tail: tail, columns: 1 + strings.Count(columns, ",")}
}

func (b *batch) add(values ...any) { b.values = append(b.values, values...) }

// insert writes all rows.
func (b *batch) insert(ctx context.Context, tx *sql.Tx) error {
	row := ",(" + placeholders(b.columns) + ")"
	for rest := b.values; len(rest) > 0; {
		n, bytes := 0, 0
		for n < batchRows && n*b.columns < len(rest) {
			for _, v := range rest[n*b.columns : (n+1)*b.columns] {
				if text, ok := v.(string); ok {
					bytes += len(text)
				}
			}
			if n > 0 && bytes > batchBytes {
				break
			}
			n++
		}
		if _, err := tx.ExecContext(ctx, b.head+strings.Repeat(row, n)[1:]+b.tail, rest[:n*b.columns]...); err != nil {
			return err
		}
		rest = rest[n*b.columns:]
	}
	return nil
}

// storePopups stores popups that are created or changed, with their history and their lines in
// the audit trail, and sets the ids of those that are new.
func (db *DB) storePopups(ctx context.Context, tx *sql.Tx, c popup.Change, popups []*popup.ObjectChange, atMS int64) error {
	const columns = "`key`, status, priority, start_at, end_at, max_impressions, goal_window_sec, spec, version, updated_at, source"
	created := newBatch("popups", columns, "")
	changed := newBatch("popups", "id, "+columns, db.dialect.upsert("id")+db.dialect.expand("status = NEW(status), priority = NEW(priority),"+
		" start_at = NEW(start_at), end_at = NEW(end_at), max_impressions = NEW(max_impressions), goal_window_sec = NEW(goal_window_sec),"+
		" spec = NEW(spec), version = NEW(version), updated_at = NEW(updated_at), source = NEW(source)"))
	var keys []any // of new ones
	specs := make([]string, len(popups))
	for i, o := range popups {
		row := rowOf(o.Spec, atMS)
		specs[i] = row.spec
		values := []any{
			o.Key, string(o.Spec.Status), o.Spec.Priority, row.startAt, row.endAt, o.Spec.Frequency.MaxImpressions, row.goalWindowSec, row.spec, o.ToVersion, atMS, o.Source,
		}
		if o.ID == 0 {
			created.add(values...)
			keys = append(keys, o.Key)
		} else {
			changed.add(append([]any{o.ID}, values...)...)
		}
	}
	before, err := db.beforeImport(ctx, tx, popups)
	if err != nil {
		return err
	}
	if err := created.insert(ctx, tx); err != nil {
		return fmt.Errorf("create: %w", err)
	}
	if err := changed.insert(ctx, tx); err != nil {
		return fmt.Errorf("change: %w", err)
	}
	ids, err := idsOf(ctx, tx, keys)
	if err != nil {
		return fmt.Errorf("read ids: %w", err)
	}
	revisions := newBatch("popup_revisions", "popup_id, version, spec, actor, created_at, source", "")
	trail := newBatch("audit", "at_ms, actor, action, object, from_version, to_version", "")
	actor := clip(c.Actor, maxActor)
	for i, o := range popups {
		if o.ID == 0 {
			o.ID = ids[o.Key]
		}
		revisions.add(o.ID, o.ToVersion, specs[i], actor, atMS, o.Source)
		trail.add(atMS, actor, string(o.Action), o.Key, o.FromVersion, o.ToVersion)
	}
	if err := revisions.insert(ctx, tx); err != nil {
		return fmt.Errorf("keep revisions: %w", err)
	}
	if err := trail.insert(ctx, tx); err != nil {
		return fmt.Errorf("audit: %w", err)
	}
	return db.noteImport(ctx, tx, c.Actor, atMS, before, popups)
}

func idsOf(ctx context.Context, tx *sql.Tx, keys []any) (map[string]uint32, error) {
	ids := make(map[string]uint32, len(keys))
	for len(keys) > 0 {
		n := min(len(keys), keysAtOnce)
		rows, err := tx.QueryContext(ctx, "SELECT id, `key` FROM popups WHERE `key` IN ("+placeholders(n)+")", keys[:n]...)
		if err != nil {
			return nil, err
		}
		type row struct {
			id  uint32
			key string
		}
		some, err := collect(rows, func(s scanner) (r row, err error) {
			err = s.Scan(&r.id, &r.key)
			return r, err
		})
		if err != nil {
			return nil, err
		}
		for _, r := range some {
			ids[r.key] = r.id
		}
		keys = keys[n:]
	}
	return ids, nil
}
