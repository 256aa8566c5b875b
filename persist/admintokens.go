package persist

import (
	"context"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/popupd/popupd/popup"
)

// AdminTokens returns all named tokens of the control plane, by name, expired ones among
// them. One whose hash somebody has broken in the store is left out, since nothing may match
// it, and so is one with a role that this release does not know, since it may do nothing.
func (db *DB) AdminTokens(ctx context.Context) ([]popup.AdminToken, error) {
	rows, err := db.read.QueryContext(ctx, "SELECT id, name, role, hash, created_ms, created_by, expires_ms, last_used_ms FROM admin_token ORDER BY name")
	if err != nil {
		return nil, fmt.Errorf("read admin tokens: %w", err)
	}
	list, err := collect(rows, func(s scanner) (*popup.AdminToken, error) {
		var t popup.AdminToken
		var hash string
		var createdMS, expiresMS, lastUsedMS int64
		if err := s.Scan(&t.ID, &t.Name, &t.Role, &hash, &createdMS, &t.CreatedBy, &expiresMS, &lastUsedMS); err != nil {
			return nil, err
		}
		sum, err := hex.DecodeString(hash)
		if err != nil || copy(t.Hash[:], sum) != len(t.Hash) || !t.Role.Valid() {
			return nil, nil
		}
		t.CreatedAt, t.ExpiresAt, t.LastUsedAt = timeOf(createdMS), timeOf(expiresMS), popup.TimeOf(lastUsedMS)
		return &t, nil
	})
	if err != nil {
		return nil, fmt.Errorf("read admin tokens: %w", err)
	}
	tokens := make([]popup.AdminToken, 0, len(list))
	for _, t := range list {
		if t != nil {
			tokens = append(tokens, *t)
		}
	}
	return tokens, nil
}

// CreateAdminToken stores a new token, in the place of an expired one of the same name. It
// returns [popup.ErrTokenExists] if one of that name has not expired, or
// [popup.ErrTooManyTokens].
func (db *DB) CreateAdminToken(ctx context.Context, c popup.Change, t popup.AdminToken) error {
	err := db.inTx(ctx, func(tx *sql.Tx) error {
		createdMS := t.CreatedAt.UnixMilli()
		if _, err := tx.ExecContext(ctx, "DELETE FROM admin_token WHERE name = ? AND expires_ms <= ?", t.Name, createdMS); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, "INSERT INTO admin_token (id, name, role, hash, created_ms, created_by, expires_ms, last_used_ms) VALUES (?, ?, ?, ?, ?, ?, ?, 0)",
			t.ID, t.Name, t.Role, hex.EncodeToString(t.Hash[:]), createdMS, clip(t.CreatedBy, maxActor), t.ExpiresAt.UnixMilli())
		if isDuplicate(err) {
			return popup.ErrTokenExists
		}
		if err != nil {
			return err
		}
		var n int
		if err := tx.QueryRowContext(ctx, "SELECT COUNT(*) FROM admin_token").Scan(&n); err != nil {
			return err
		}
		if n > popup.MaxAdminTokens {
			return popup.ErrTooManyTokens
		}
		_, err = audit(ctx, tx, c, createdMS, adminTokenObject(t.Name, t.Role), 0, 0)
		return err
	})
	if err != nil {
		return fmt.Errorf("create admin token %s: %w", t.Name, err)
	}
	return nil
}

// DeleteAdminToken deletes the token with this name, ends the sessions that began with it, and
// returns its id, or [popup.ErrNoSuchToken].
func (db *DB) DeleteAdminToken(ctx context.Context, c popup.Change, name string) (id string, err error) {
	err = db.inTx(ctx, func(tx *sql.Tx) error {
		var role popup.Role
		err := tx.QueryRowContext(ctx, "SELECT id, role FROM admin_token WHERE name = ?", name).Scan(&id, &role)
		if errors.Is(err, sql.ErrNoRows) {
			return popup.ErrNoSuchToken
		}
		if err != nil {
			return err
		}
		r, err := tx.ExecContext(ctx, "DELETE FROM admin_token WHERE id = ?", id)
		if err != nil {
			return err
		}
		if n, err := r.RowsAffected(); err != nil || n == 0 { // another server was faster
			return errors.Join(popup.ErrNoSuchToken, err)
		}
		if _, err := endSessions(ctx, tx, "name = ?", name, db.now()); err != nil {
			return err
		}
		_, err = audit(ctx, tx, c, db.now(), adminTokenObject(name, role), 0, 0)
		return err
	})
	if err != nil {
		return "", fmt.Errorf("delete admin token %s: %w", name, err)
	}
	return id, nil
}

// AdminTokenUsed notes that a token was used, unless a later use is known.
func (db *DB) AdminTokenUsed(ctx context.Context, id string, atMS int64) error {
	_, err := db.write.ExecContext(ctx, "UPDATE admin_token SET last_used_ms = ? WHERE id = ? AND last_used_ms < ?", atMS, id, atMS)
	if err != nil {
		return fmt.Errorf("note the use of an admin token: %w", err)
	}
	return nil
}

// adminTokenObject is what the audit trail calls a token. It tells the role, which nothing
// else does once the token is deleted.
func adminTokenObject(name string, role popup.Role) string {
	return "token:" + name + " " + string(role)
}
