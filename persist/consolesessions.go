package persist

import (
	"context"
	"database/sql"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/popupd/popupd/popup"
)

const (
	// sessionBatch is how many sessions one statement names.
	sessionBatch = 200
	// keepSessions is how long a session is kept from its log-in: longer than it may last, so
	// that its cookie is known for one that has ended.
	keepSessions = 2 * popup.SessionLife
	// sessionTable names the table among the metrics.
	sessionTable = "console_session"
)

// ConsoleSessions returns those of the sessions with these ids that there are, by id, ended ones
// among them. One whose hash or role somebody has broken in the store is left out: nothing may
// match it.
func (db *DB) ConsoleSessions(ctx context.Context, ids []string) ([]popup.ConsoleSession, error) {
	var all []popup.ConsoleSession
	for batch := range slices.Chunk(ids, sessionBatch) {
		rows, err := db.read.QueryContext(ctx, "SELECT id, hash, name, role, bond, created_ms, seen_ms, ends_ms FROM console_session"+
			" WHERE id IN ("+places(len(batch))+") ORDER BY id", anyOf(batch)...)
		if err != nil {
			return nil, fmt.Errorf("read console sessions: %w", err)
		}
		list, err := collect(rows, func(r scanner) (*popup.ConsoleSession, error) {
			var s popup.ConsoleSession
			var hash string
			if err := r.Scan(&s.ID, &hash, &s.Name, &s.Role, &s.Bond, &s.CreatedMS, &s.SeenMS, &s.EndsMS); err != nil {
				return nil, err
			}
			sum, err := hex.DecodeString(hash)
			if err != nil || copy(s.Hash[:], sum) != len(s.Hash) || !s.Role.Valid() {
				return nil, nil
			}
			return &s, nil
		})
		if err != nil {
			return nil, fmt.Errorf("read console sessions: %w", err)
		}
		for _, s := range list {
			if s != nil {
				all = append(all, *s)
			}
		}
	}
	return all, nil
}

// places are the parameters of a list of n values.
func places(n int) string { return strings.Repeat(", ?", n)[len(", "):] }

func anyOf[T string | uint32](ids []T) []any {
	args := make([]any, len(ids))
	for i, id := range ids {
		args[i] = id
	}
	return args
}

// OpenConsoleSession stores a session. It ends the one that its browser had before, if
// replaces names one, and removes those of the same name that are too many.
func (db *DB) OpenConsoleSession(ctx context.Context, c popup.Change, s popup.ConsoleSession, replaces string) error {
	err := db.inTx(ctx, func(tx *sql.Tx) error {
		if _, err := endSessions(ctx, tx, "id = ?", replaces, s.CreatedMS); err != nil {
			return err
		}
		rows, err := tx.QueryContext(ctx, "SELECT id FROM console_session WHERE name = ? ORDER BY CASE WHEN ends_ms > ? THEN seen_ms ELSE 0 END DESC, id LIMIT ? OFFSET ?",
			s.Name, s.CreatedMS, sessionBatch, popup.MaxSessionsEach-1)
		if err != nil {
			return err
		}
		more, err := collect(rows, scanID)
		if err != nil {
			return err
		}
		if len(more) > 0 {
			if _, err := tx.ExecContext(ctx, "DELETE FROM console_session WHERE id IN ("+places(len(more))+")", anyOf(more)...); err != nil {
				return err
			}
		}
		_, err = tx.ExecContext(ctx, "INSERT INTO console_session (id, hash, name, role, bond, created_ms, seen_ms, ends_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
			s.ID, hex.EncodeToString(s.Hash[:]), s.Name, s.Role, s.Bond, s.CreatedMS, s.SeenMS, s.EndsMS)
		if err != nil {
			return err
		}
		_, err = audit(ctx, tx, c, s.CreatedMS, sessionObject(s.ID)+" "+string(s.Role), 0, 0)
		return err
	})
	if err != nil {
		return fmt.Errorf("open console session: %w", err)
	}
	return nil
}

func scanID(s scanner) (id string, err error) {
	err = s.Scan(&id)
	return id, err
}

// EndConsoleSession ends a session, if it has not ended before.
func (db *DB) EndConsoleSession(ctx context.Context, c popup.Change, id string) error {
	return db.endConsoleSessions(ctx, c, "id = ?", id, sessionObject(id))
}

// EndConsoleSessions ends all sessions of a name.
func (db *DB) EndConsoleSessions(ctx context.Context, c popup.Change, name string) error {
	return db.endConsoleSessions(ctx, c, "name = ?", name, "sessions:"+name)
}

func (db *DB) endConsoleSessions(ctx context.Context, c popup.Change, which, of, object string) error {
	err := db.inTx(ctx, func(tx *sql.Tx) error {
		nowMS := db.now()
		if n, err := endSessions(ctx, tx, which, of, nowMS); err != nil || n == 0 {
			return err
		}
		_, err := audit(ctx, tx, c, nowMS, clip(object, maxObject), 0, 0)
		return err
	})
	if err != nil {
		return fmt.Errorf("end console sessions: %w", err)
	}
	return nil
}

// endSessions ends the sessions with an id or a name that have not ended, and returns how many.
func endSessions(ctx context.Context, tx *sql.Tx, which, of string, nowMS int64) (n int64, err error) {
	r, err := tx.ExecContext(ctx, "UPDATE console_session SET ends_ms = ? WHERE "+which+" AND ends_ms > ?", nowMS, of, nowMS)
	if err != nil {
		return 0, err
	}
	return r.RowsAffected()
}

// ConsoleSessionSeen notes that a session was used, unless a later use is known.
func (db *DB) ConsoleSessionSeen(ctx context.Context, id string, atMS int64) error {
	_, err := db.write.ExecContext(ctx, "UPDATE console_session SET seen_ms = ? WHERE id = ? AND seen_ms < ?", atMS, id, atMS)
	if err != nil {
		return fmt.Errorf("note the use of a console session: %w", err)
	}
	return nil
}

// AuditLogIn notes in the audit trail that somebody was not let in, and why.
func (db *DB) AuditLogIn(ctx context.Context, c popup.Change, why string) error {
	err := db.inTx(ctx, func(tx *sql.Tx) error {
		_, err := audit(ctx, tx, c, db.now(), clip("sessions:"+c.Actor, maxObject-len(" ")-len(why))+" "+why, 0, 0)
		return err
	})
	if err != nil {
		return fmt.Errorf("audit a log-in: %w", err)
	}
	return nil
}

// sessionObject is what the audit trail calls a session.
func sessionObject(id string) string { return "session:" + id }

// removeSessions deletes sessions that ended long ago, some at a time.
func (db *DB) removeSessions(ctx context.Context, until time.Time) (finished bool, err error) {
	nowMS, err := db.storeNow(ctx)
	if err != nil {
		return false, err
	}
	for {
		rows, err := db.read.QueryContext(ctx, "SELECT id FROM console_session WHERE created_ms < ? ORDER BY created_ms LIMIT ?", nowMS-keepSessions.Milliseconds(), deleteBatch)
		if err != nil {
			return false, fmt.Errorf("look for old console sessions: %w", err)
		}
		old, err := collect(rows, scanID)
		if err != nil {
			return false, fmt.Errorf("look for old console sessions: %w", err)
		}
		if len(old) == 0 {
			return true, nil
		}
		result, err := db.write.ExecContext(ctx, "DELETE FROM console_session WHERE id IN ("+places(len(old))+")", anyOf(old)...)
		if err != nil {
			return false, fmt.Errorf("delete old console sessions: %w", err)
		}
		if n, err := result.RowsAffected(); err == nil {
			db.metrics.removed[sessionTable].Add(float64(n))
		}
		if time.Now().After(until) {
			return false, nil
		}
	}
}
