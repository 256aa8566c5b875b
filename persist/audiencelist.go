package persist

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math"
	mathrand "math/rand/v2"
	"time"

	"github.com/popupd/popupd/popup"
)

// A compiled list is stored in chunks, before the transaction in which an audience gets it. A
// list that no audience has, since its upload failed or another one replaced it, is removed
// after a while (removeLists). Its number is drawn at random: what a server has loaded under
// a number is the same list for ever, also after the store was restored from a backup.

const (
	// chunkSize leaves room below the smallest max_allowed_packet, of 1 MiB.
	chunkSize = 512 << 10
	// listGrace is how long a list is kept that no audience has: servers may be loading it,
	// and an upload may be about to give it to one.
	listGrace = 15 * time.Minute
	// removedChunks is how many chunks are deleted in one transaction.
	removedChunks = 8
)

// chunkTable names the table of chunks among the metrics.
const chunkTable = "audience_chunk"

// writeList stores a list and returns its number.
func (db *DB) writeList(ctx context.Context, list io.WriterTo) (no uint64, err error) {
	no = 1 + mathrand.Uint64N(math.MaxInt64)
	if _, err := db.write.ExecContext(ctx, "INSERT INTO audience_list (list_no, removing, updated_ms) SELECT ?, 0, "+db.dialect.now, no); err != nil {
		return 0, fmt.Errorf("begin list: %w", err)
	}
	w := &chunkWriter{ctx: ctx, db: db, list: no, buf: make([]byte, 0, chunkSize)}
	if _, err := list.WriteTo(w); err != nil {
		return 0, fmt.Errorf("write list: %w", err)
	}
	if err := w.flush(); err != nil {
		return 0, fmt.Errorf("write list: %w", err)
	}
	return no, nil
}

// chunkWriter writes the chunks of a list.
type chunkWriter struct {
	ctx  context.Context
	db   *DB
	list uint64
	next uint32
	buf  []byte
}

func (w *chunkWriter) Write(p []byte) (n int, err error) {
	for n < len(p) {
		if len(w.buf) == chunkSize {
			if err := w.flush(); err != nil {
				return n, err
			}
		}
		part := p[n:min(len(p), n+chunkSize-len(w.buf))]
		w.buf = append(w.buf, part...)
		n += len(part)
	}
	return n, nil
}

// flush writes what is buffered as the next chunk.
func (w *chunkWriter) flush() error {
	if _, err := w.db.write.ExecContext(w.ctx, "INSERT INTO audience_chunk (list_no, chunk_no, bytes) VALUES (?, ?, ?)", w.list, w.next, w.buf); err != nil {
		return fmt.Errorf("chunk %d: %w", w.next, err)
	}
	w.next++
	w.buf = w.buf[:0]
	return nil
}

// WriteAudienceList writes the compiled list with this number as it was stored. It returns
// [popup.ErrNotFound] if there is none. That all of it was there, the list says itself.
func (db *DB) WriteAudienceList(ctx context.Context, list uint64, to io.Writer) error {
	for chunk := 0; ; chunk++ {
		var b []byte
		err := db.read.QueryRowContext(ctx, "SELECT bytes FROM audience_chunk WHERE list_no = ? AND chunk_no = ?", list, chunk).Scan(&b)
		switch {
		case errors.Is(err, sql.ErrNoRows) && chunk > 0:
			return nil
		case errors.Is(err, sql.ErrNoRows):
			err = popup.ErrNotFound
		case err == nil:
			_, err = to.Write(b)
		}
		if err != nil {
			return fmt.Errorf("read audience list %d: %w", list, err)
		}
	}
}

// adoptList makes sure that a list stays, which an audience gets in this transaction; 0 is
// no list.
func (db *DB) adoptList(ctx context.Context, tx *sql.Tx, list uint64) error {
	if list == 0 {
		return nil
	}
	err := exactly(1)(tx.ExecContext(ctx, "UPDATE audience_list SET updated_ms = "+db.dialect.now+" WHERE list_no = ? AND removing = 0", list))
	if err != nil {
		return fmt.Errorf("keep list: %w", err)
	}
	return nil
}

// retireList begins the grace of a list that no audience has any more; 0 is no list.
func (db *DB) retireList(ctx context.Context, tx *sql.Tx, list uint64) error {
	if list == 0 {
		return nil
	}
	if _, err := tx.ExecContext(ctx, "UPDATE audience_list SET updated_ms = "+db.dialect.now+" WHERE list_no = ?", list); err != nil {
		return fmt.Errorf("retire list: %w", err)
	}
	return nil
}

// removeLists deletes the lists that no audience has had for a while, until none is left or,
// after some chunks, the time is up.
func (db *DB) removeLists(ctx context.Context, until time.Time) (finished bool, err error) {
	const unused = " AND NOT EXISTS (SELECT 1 FROM audiences a WHERE a.list_no = audience_list.list_no)"
	rows, err := db.read.QueryContext(ctx, "SELECT list_no FROM audience_list WHERE updated_ms < "+db.dialect.now+" - ?"+unused, listGrace.Milliseconds())
	if err != nil {
		return false, fmt.Errorf("look for unused lists: %w", err)
	}
	lists, err := collect(rows, func(s scanner) (no uint64, err error) {
		err = s.Scan(&no)
		return no, err
	})
	if err != nil {
		return false, fmt.Errorf("look for unused lists: %w", err)
	}
	for _, no := range lists {
		// From here on no audience can get it: see adoptList.
		r, err := db.write.ExecContext(ctx, "UPDATE audience_list SET removing = 1 WHERE list_no = ?"+unused, no)
		if err != nil {
			return false, fmt.Errorf("remove list %d: %w", no, err)
		}
		if n, err := r.RowsAffected(); err != nil || n == 0 {
			continue
		}
		if finished, err := db.removeList(ctx, no, until); err != nil || !finished {
			return false, err
		}
	}
	return true, nil
}

func (db *DB) removeList(ctx context.Context, no uint64, until time.Time) (finished bool, err error) {
	for {
		var first sql.NullInt64
		if err := db.read.QueryRowContext(ctx, "SELECT MIN(chunk_no) FROM audience_chunk WHERE list_no = ?", no).Scan(&first); err != nil {
			return false, fmt.Errorf("remove list %d: %w", no, err)
		}
		if !first.Valid {
			break
		}
		r, err := db.write.ExecContext(ctx, "DELETE FROM audience_chunk WHERE list_no = ? AND chunk_no < ?", no, first.Int64+removedChunks)
		if err != nil {
			return false, fmt.Errorf("remove list %d: %w", no, err)
		}
		if n, err := r.RowsAffected(); err == nil {
			db.metrics.removed[chunkTable].Add(float64(n))
		}
		if time.Now().After(until) {
			return false, nil
		}
	}
	if _, err := db.write.ExecContext(ctx, "DELETE FROM audience_list WHERE list_no = ?", no); err != nil {
		return false, fmt.Errorf("remove list %d: %w", no, err)
	}
	return true, nil
}

// AudienceKey returns the key of the fingerprints of user ids, which [DB.Migrate] has drawn.
func (db *DB) AudienceKey(ctx context.Context) ([16]byte, error) { return audienceKey(ctx, db.read) }

func audienceKey(ctx context.Context, q querier) (key [16]byte, err error) {
	var secret string
	if err := q.QueryRowContext(ctx, "SELECT secret FROM audience_key WHERE id = 1").Scan(&secret); err != nil {
		return key, fmt.Errorf("read the key of audiences: %w", err)
	}
	b, err := hex.DecodeString(secret)
	if err != nil || len(b) != len(key) {
		return key, errors.New("read the key of audiences: it is not 32 hex digits")
	}
	copy(key[:], b)
	return key, nil
}

// makeAudienceKey draws the key unless there is one. Of servers that do so at once the first
// decides, and the others find its row. Lists are of the key under which they were uploaded: if
// somebody has lost it, they are taken from their audiences, which are for nobody until they are
// uploaded again. Under another key nobody would be in them, and not_in hold for everybody.
func (db *DB) makeAudienceKey(ctx context.Context) error {
	_, err := audienceKey(ctx, db.read)
	if !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	var key [16]byte
	_, _ = rand.Read(key[:]) // it never fails
	err = db.inTx(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, "INSERT INTO audience_key (id, secret) VALUES (1, ?)", hex.EncodeToString(key[:])); err != nil {
			return err
		}
		r, err := tx.ExecContext(ctx, "UPDATE audiences SET list_no = 0 WHERE list_no <> 0")
		if err != nil {
			return err
		}
		if lost, err := r.RowsAffected(); err != nil {
			return err
		} else if lost > 0 {
			db.log.Error("the key of lists of users is gone from the table audience_key: all lists must be uploaded again", "lists", lost)
			return addRevisions(ctx, tx, 1) // without a row in config_change, so that servers read all anew, and the key
		}
		return nil
	})
	if err != nil && !isDuplicate(err) {
		return fmt.Errorf("make the key of audiences: %w", err)
	}
	return nil
}
