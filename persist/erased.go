package persist

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"

	"github.com/popupd/popupd/popup"
)

// The audit trail says when an erasure was asked for, in the line whose id is the
// erasure's, and when it was done, in a line about erasure:ID. With PseudonymiseAudit
// that is also what the user's other lines are about from then on.
const (
	actionReset  = "reset"
	actionErased = "erased"
	erasureActor = "popupd"
)

func erasureObject(id int64) string { return "erasure:" + strconv.FormatInt(id, 10) }

// Erasure returns how far the erasure that was asked for in a line of the audit trail
// has come, or [popup.ErrNotFound].
func (db *DB) Erasure(ctx context.Context, id int64) (e popup.Erasure, err error) {
	e.ID = id
	err = db.read.QueryRowContext(ctx, "SELECT at_ms, object LIKE 'user:%' FROM audit WHERE id = ? AND action = ?",
		id, actionReset).Scan(&e.AskedMS, &e.Audited)
	if errors.Is(err, sql.ErrNoRows) {
		return e, popup.ErrNotFound
	}
	if err == nil {
		err = db.read.QueryRowContext(ctx, "SELECT at_ms FROM audit WHERE id > ? AND action = ? AND object = ? ORDER BY id LIMIT 1",
			id, actionErased, erasureObject(id)).Scan(&e.DoneMS)
	}
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return e, fmt.Errorf("read erasure %d: %w", id, err)
	}
	return e, nil
}

// finishErasure marks an erasure as done, once, and says so in the audit trail.
func (db *DB) finishErasure(ctx context.Context, e erasure) error {
	nowMS, err := db.storeNow(ctx)
	if err != nil {
		return err
	}
	return db.inTx(ctx, func(tx *sql.Tx) error {
		err := exactly(1)(tx.ExecContext(ctx, "UPDATE erasure SET done_ms = ? WHERE id = ? AND done_ms = 0", nowMS, e.id))
		if errors.Is(err, errMoved) { // another server was first
			return nil
		}
		if err != nil {
			return err
		}
		return db.auditErasure(ctx, tx, e, nowMS)
	})
}

// auditErasure adds a line for each reset that asked for the erasure, and with
// PseudonymiseAudit takes the user out of the lines of before.
func (db *DB) auditErasure(ctx context.Context, tx *sql.Tx, e erasure, nowMS int64) error {
	// MySQL takes texts that differ in spaces at their ends as equal.
	const theirs = " object = ? AND LENGTH(object) = LENGTH(?) AND at_ms <= ?"
	object := "user:" + string(e.user)
	rows, err := tx.QueryContext(ctx, "SELECT id FROM audit asked WHERE action = ? AND"+theirs+
		" AND NOT EXISTS (SELECT 1 FROM audit done WHERE done.id > asked.id AND done.action = ? AND done.object = CONCAT('erasure:', asked.id)) ORDER BY id",
		actionReset, object, object, e.atMS, actionErased)
	if err != nil {
		return err
	}
	asked, err := collect(rows, func(s scanner) (id int64, err error) {
		err = s.Scan(&id)
		return id, err
	})
	if err != nil || len(asked) == 0 { // asked for before there was an audit trail, or by nobody: a restored database
		return err
	}
	for _, id := range asked {
		if _, err := audit(ctx, tx, popup.Change{Actor: erasureActor, Action: actionErased}, nowMS, erasureObject(id), 0, 0); err != nil {
			return err
		}
	}
	if !db.pseudonymise {
		return nil
	}
	_, err = tx.ExecContext(ctx, "UPDATE audit SET object = ? WHERE"+theirs, erasureObject(asked[len(asked)-1]), object, object, e.atMS)
	return err
}
