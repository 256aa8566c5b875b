package persist

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"
)

const (
	// chunkRows is how many rows a prepared statement takes. MariaDB spends a third of
	// its time on parsing literals; with fewer rows a statement costs more than that,
	// with more rows more of a batch is left over for literals.
	chunkRows = 256
	// literalFor is how long nothing is prepared after a server did not want to: its
	// max_prepared_stmt_count may be used up by others.
	literalFor = 10 * time.Minute
)

// insertion is a statement that inserts rows, in any number.
type insertion struct {
	what    string // for errors
	head    string // up to the rows
	tail    string // after them
	columns int    // 0: never prepared

	stmt driver.StmtExecContext // of chunk rows, in the present session; nil: not prepared yet
}

// refusedError is what a server, or a pooler before it, says of a prepared
// statement when the same rows may go as literals.
type refusedError struct{ error }

func (e refusedError) Unwrap() error { return e.error }

// refused makes a [refusedError] of err, unless it is known to say something else.
func refused(err error) error {
	var my *mysql.MySQLError
	if errors.As(err, &my) && (classOf(err) == classOther || my.Number == 1047) { // 1047: also an unknown command
		return refusedError{err}
	}
	return err
}

// prepares reports whether rows of the insertion may go by a prepared statement.
func (w *writer) prepares(ins *insertion) bool {
	return ins.columns > 0 && w.dialect.isSession && w.maxBytes >= w.chunk*maxRowBytes && !time.Now().Before(w.literalUntil)
}

// insertChunk inserts the rows i to i+chunk-1. It goes past database/sql, which
// would look at every value.
func (w *writer) insertChunk(ctx context.Context, conn *sql.Conn, ins *insertion, i int, put func(r *row, i int)) error {
	w.row.bound, w.row.args = true, w.row.args[:0]
	for n := range w.chunk {
		put(&w.row, i+n)
	}
	err := conn.Raw(func(c any) error {
		if ins.stmt == nil {
			stmt, err := c.(driver.ConnPrepareContext).PrepareContext(ctx, ins.text(w.chunk))
			if err != nil {
				return refused(err)
			}
			ins.stmt = stmt.(driver.StmtExecContext)
		}
		_, err := ins.stmt.ExecContext(ctx, w.row.args)
		return refused(err)
	})
	if err == nil {
		return nil
	}
	if errors.As(err, new(refusedError)) {
		w.literalUntil = time.Now().Add(literalFor)
	}
	return fmt.Errorf("%s: %w", ins.what, err)
}

// text is the statement for so many rows, to be prepared.
func (ins *insertion) text(rows int) string {
	one := "(?" + strings.Repeat(",?", ins.columns-1) + ")"
	return ins.head + one + strings.Repeat(","+one, rows-1) + ins.tail
}

// insert inserts n rows, whose values put gives. It changes nothing but rows: an
// error leaves those that were inserted to the transaction.
func (w *writer) insert(ctx context.Context, conn *sql.Conn, ins *insertion, n int, put func(r *row, i int)) error {
	i := 0
	for n-i >= w.chunk && w.prepares(ins) {
		if err := w.insertChunk(ctx, conn, ins, i, put); err != nil {
			return err
		}
		i += w.chunk
	}
	return w.insertLiteral(ctx, conn, ins, i, n, put)
}

// insertLiteral inserts the rows i to n-1 in as many statements as the limits ask for.
func (w *writer) insertLiteral(ctx context.Context, conn *sql.Conn, ins *insertion, i, n int, put func(r *row, i int)) error {
	r := &w.row
	r.bound = false
	rows := 0
	for ; i < n; i++ {
		if rows == 0 {
			r.sql = append(r.sql[:0], ins.head...)
		} else {
			r.sql = append(r.sql, ',')
		}
		r.sql = append(r.sql, '(')
		put(r, i)
		r.sql = append(r.sql, ')')
		rows++
		if i+1 < n && rows < maxStatementRows && len(r.sql)+maxRowBytes+len(ins.tail) < w.maxBytes {
			continue
		}
		r.sql = append(r.sql, ins.tail...)
		if _, err := conn.ExecContext(ctx, string(r.sql)); err != nil {
			return fmt.Errorf("%s: %w", ins.what, err)
		}
		rows = 0
	}
	return nil
}

// row takes the values of a row, column by column, in one of two forms: as
// literals in a statement, or bound to the parameters of a prepared one.
type row struct {
	dialect *dialect
	bound   bool
	sql     []byte              // the statement so far; while a row is open it ends in ( or a value
	args    []driver.NamedValue // of all rows so far
}

func (r *row) uint(v uint64) {
	if r.bound {
		r.bind(v)
		return
	}
	r.comma()
	r.sql = strconv.AppendUint(r.sql, v, 10)
}

func (r *row) bool(v bool) {
	if v {
		r.uint(1)
		return
	}
	r.uint(0)
}

func (r *row) int(v int64) {
	if r.bound {
		r.bind(v)
		return
	}
	r.comma()
	r.sql = strconv.AppendInt(r.sql, v, 10)
}

func (r *row) text(b []byte) {
	if r.bound {
		if b == nil {
			b = []byte{} // the driver sends nil as NULL
		}
		r.bind(b)
		return
	}
	r.comma()
	r.sql = r.dialect.text(r.sql, b)
}

// blob takes any bytes; none are NULL.
func (r *row) blob(b []byte) {
	switch {
	case r.bound && len(b) == 0:
		r.bind(nil)
	case r.bound:
		r.bind(b)
	case len(b) == 0:
		r.comma()
		r.sql = append(r.sql, "NULL"...)
	default:
		r.comma()
		r.sql = append(hex.AppendEncode(append(r.sql, "x'"...), b), '\'')
	}
}

func (r *row) bind(v driver.Value) { r.args = append(r.args, driver.NamedValue{Value: v}) }

func (r *row) comma() {
	if r.sql[len(r.sql)-1] != '(' {
		r.sql = append(r.sql, ',')
	}
}
