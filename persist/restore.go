package persist

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/popupd/popupd/internal/retry"
	"github.com/popupd/popupd/popup"
)

// Restore calls fn for every user and popup whose state still matters at nowMS and is
// not known, all as they are at one moment after the call. A nil k is nothing known. The
// user belongs to fn only until it returns; the same state may come more than once. With
// changesOnly nothing is read where the whole table would be: Found.Full says so.
//
// State matters until [popup.KeepAfterWait] after its wait, [popup.TokenLife] after its
// impression, and for as long as a goal may count for that; for ever if the popup limits
// its impressions or never returns; once the popup is archived, for as long as minGap
// after the user saw it. The waits that are compared with nowMS were fixed by other
// servers' clocks; this server goes by nowMS when it decides, too, so what it leaves out
// would not have made it wait.
func (db *DB) Restore(ctx context.Context, nowMS int64, minGap time.Duration, k *Known, changesOnly bool, fn func(user []byte, id uint32, s popup.State)) (f Found, err error) {
	// A pool of its own: the search may take longer than other statements may.
	pool, err := db.restorePool()
	if err != nil {
		return f, fmt.Errorf("restore state: %w", err)
	}
	defer pool.Close()
	conn, err := pool.Conn(ctx)
	if err != nil {
		return f, fmt.Errorf("restore state: %w", err)
	}
	defer conn.Close()
	tx, err := conn.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true})
	if err != nil {
		return f, fmt.Errorf("restore state: begin: %w", err)
	}
	defer func() { _ = tx.Rollback() }() // it has only read
	where, limited, err := stillMatters(ctx, tx, nowMS, nowMS-minGap.Milliseconds())
	if err != nil {
		return f, fmt.Errorf("restore popups: %w", err)
	}
	f, err = db.planRestore(ctx, tx, k, limited, changesOnly)
	if err != nil {
		return f, fmt.Errorf("restore state: %w", err)
	}
	if f.Full != "" && changesOnly {
		return f, nil
	}
	since := []driver.NamedValue{
		{Ordinal: 1, Value: nowMS - popup.KeepAfterWait.Milliseconds()},
		{Ordinal: 2, Value: nowMS - popup.TokenLife.Milliseconds()},
	}
	query, asks := "SELECT u.user_id, "+stateColumns+" FROM user_popup u WHERE "+where, [][]driver.NamedValue{since}
	if f.Full == "" {
		query, asks = db.dialect.changedStates(where), nil
		for _, r := range f.ranges {
			asks = append(asks, slices.Concat(since, r.args()))
		}
	}
	reading, cancel := context.WithCancel(ctx)
	defer cancel() // before the others, which wait for the reader, should fn panic
	rows := newPipe()
	go rows.fill(reading, conn, query, asks)
	if err := rows.drain(fn); err != nil {
		return f, fmt.Errorf("restore state: %w", err)
	}
	return f, nil
}

// RestoreResets calls fn for every reset of a user that may still make tokens void.
// The user belongs to fn only until it returns.
func (db *DB) RestoreResets(ctx context.Context, fn func(user []byte, atMS int64)) error {
	rows, err := db.read.QueryContext(ctx, "SELECT user_id, at_ms FROM erasure")
	if err != nil {
		return fmt.Errorf("restore resets: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var user sql.RawBytes
		var at int64
		if err := rows.Scan(&user, &at); err != nil {
			return fmt.Errorf("restore resets: %w", err)
		}
		fn(user, at)
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("restore resets: %w", err)
	}
	return nil
}

// stillMatters is the condition on user_popup u, with two arguments: times after
// which a wait or an impression still counts. It also returns the popups that limit
// their impressions. What was seen after seenMS holds a gap.
// The popups are looked up here and not by a join, which would cost a lookup a row.
func stillMatters(ctx context.Context, tx *sql.Tx, nowMS, seenMS int64) (where string, limited []uint32, err error) {
	rows, err := tx.QueryContext(ctx, "SELECT id, status, max_impressions FROM popups WHERE status = 'archived' OR max_impressions > 0")
	if err != nil {
		return "", nil, err
	}
	defer rows.Close()
	var archived, capped []string
	for rows.Next() {
		var id uint32
		var status popup.Status
		var limit uint32
		if err := rows.Scan(&id, &status, &limit); err != nil {
			return "", nil, err
		}
		if status == popup.Archived {
			archived = append(archived, strconv.FormatUint(uint64(id), 10))
		} else {
			limited = append(limited, id)
			capped = append(capped, strconv.FormatUint(uint64(id), 10))
		}
	}
	where = "(u.next_at_ms > ? OR u.last_impression_ms > ?"
	if len(capped) > 0 {
		where += " OR u.popup_id IN (" + strings.Join(capped, ",") + ")"
	}
	windows, err := goalWindows(ctx, tx)
	if err != nil {
		return "", nil, err
	}
	for _, id := range slices.Sorted(maps.Keys(windows)) {
		if windows[id] > popup.TokenLife {
			where += fmt.Sprintf(" OR u.popup_id = %d AND u.last_impression_ms > %d", id, nowMS-windows[id].Milliseconds())
		}
	}
	where += ")"
	if len(archived) > 0 {
		where += " AND (u.popup_id NOT IN (" + strings.Join(archived, ",") + ") OR u.last_shown_ms > " + strconv.FormatInt(seenMS, 10) + ")"
	}
	return where, limited, rows.Err()
}

// pipe reads rows of user_popup in one goroutine while another takes what has
// been read: decoding and what becomes of a row cost about the same. Rows go
// through it by the block.
type pipe struct {
	full chan *block
	free chan *block
	err  error // of reading; set before full is closed
}

// block is some rows, their user ids one behind the other.
type block struct {
	users []byte
	rows  []pipeRow
}

type pipeRow struct {
	end   int // of the user's id in users
	popup uint32
	state popup.State
}

const (
	pipeBlocks = 4
	blockRows  = 1024
)

func newPipe() *pipe {
	p := &pipe{full: make(chan *block, pipeBlocks), free: make(chan *block, pipeBlocks)}
	for range pipeBlocks {
		p.free <- &block{rows: make([]pipeRow, 0, blockRows)}
	}
	return p
}

// drain calls fn for each row, in the order in which they are read, and returns
// when all are read or reading has failed.
func (p *pipe) drain(fn func(user []byte, id uint32, s popup.State)) error {
	for b := range p.full {
		start := 0
		for i := range b.rows {
			r := &b.rows[i]
			fn(b.users[start:r.end], r.popup, r.state)
			start = r.end
		}
		b.users, b.rows = b.users[:0], b.rows[:0]
		p.free <- b
	}
	return p.err
}

// fill asks with each of the arguments, and reads until the rows or ctx end.
func (p *pipe) fill(ctx context.Context, conn *sql.Conn, query string, asks [][]driver.NamedValue) {
	defer close(p.full)
	p.err = retry.Guard(func() error {
		return conn.Raw(func(c any) error {
			for _, args := range asks {
				rows, err := queryStates(ctx, c, query, args)
				if err == nil {
					err = errors.Join(p.read(ctx, rows), rows.Close())
				}
				if err != nil {
					return err
				}
			}
			return nil
		})
	})
}

// stateColumns are the columns of user_popup u after user_id.
const stateColumns = "u.popup_id, u.impressions, u.acted, u.last_action, u.last_impression_ms, u.last_shown_ms, u.last_action_ms," +
	" u.click_until_ms, u.next_at_ms"

// queryStates asks the driver itself, with a prepared statement: MySQL then
// sends numbers and not their digits, and no value is converted twice.
// BenchmarkRestore of ten million rows takes half the CPU time of rows.Scan.
// Where the server or a pooler prepares nothing it asks in plain text.
func queryStates(ctx context.Context, conn any, query string, args []driver.NamedValue) (driver.Rows, error) {
	rows, err := queryPrepared(ctx, conn, query, args)
	if _, ok := errors.AsType[refusedError](refused(err)); ok {
		if querier, ok := conn.(driver.QueryerContext); ok {
			return querier.QueryContext(ctx, query, args)
		}
	}
	return rows, err
}

func queryPrepared(ctx context.Context, conn any, query string, args []driver.NamedValue) (driver.Rows, error) {
	preparer, ok := conn.(driver.ConnPrepareContext)
	if !ok {
		return nil, fmt.Errorf("a %T prepares nothing", conn)
	}
	stmt, err := preparer.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	querier, ok := stmt.(driver.StmtQueryContext)
	if !ok {
		return nil, errors.Join(fmt.Errorf("a %T queries nothing", stmt), stmt.Close())
	}
	rows, err := querier.QueryContext(ctx, args)
	if err != nil {
		return nil, errors.Join(err, stmt.Close())
	}
	return preparedRows{rows, stmt}, nil
}

// preparedRows end with their statement. SQLite keeps a connection and its files open
// for as long as it has a statement.
type preparedRows struct {
	driver.Rows
	stmt driver.Stmt
}

func (r preparedRows) Close() error { return errors.Join(r.Rows.Close(), r.stmt.Close()) }

// read puts all rows into blocks.
func (p *pipe) read(ctx context.Context, rows driver.Rows) error {
	values := make([]driver.Value, len(rows.Columns()))
	for {
		var b *block
		select {
		case b = <-p.free:
		case <-ctx.Done():
			return ctx.Err()
		}
		for len(b.rows) < blockRows {
			if err := rows.Next(values); err == io.EOF {
				p.full <- b
				return nil
			} else if err != nil {
				return err
			}
			if err := b.add(values); err != nil {
				return err
			}
		}
		p.full <- b
	}
}

// add adds a row of queryStates. The drivers give integers as int64, and a text
// as bytes (MySQL) or a string (SQLite).
func (b *block) add(values []driver.Value) error {
	switch user := values[0].(type) {
	case []byte:
		b.users = append(b.users, user...)
	case string:
		b.users = append(b.users, user...)
	default:
		return fmt.Errorf("a user id is a %T", user)
	}
	var n [9]int64
	for i, v := range values[1:] {
		var ok bool
		if n[i], ok = v.(int64); !ok {
			return fmt.Errorf("a number is a %T", v)
		}
	}
	if max(uint64(n[0]), uint64(n[1])) > math.MaxUint32 || max(uint64(n[2]), uint64(n[3])) > math.MaxUint8 {
		return fmt.Errorf("numbers out of range: %v", n[:4])
	}
	s := popup.State{
		Impressions: uint32(n[1]), Acted: uint8(n[2]), Last: popup.Action(n[3]),
		ServedAtMS: n[4], ShownAtMS: n[5], AtMS: n[6], ClickUntilMS: n[7], NextAtMS: n[8],
	}
	s.Upgrade()
	b.rows = append(b.rows, pipeRow{end: len(b.users), popup: uint32(n[0]), state: s})
	return nil
}
