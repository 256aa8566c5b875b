package persist

import (
	"cmp"
	"context"
	"database/sql"
	"database/sql/driver"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
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

	// What the store may return of each row, in their order: a column of bits, as it is
	// when the row is upserted.
	bits     string
	returned func(i int, bits uint8)

	stmt statement // of chunk rows, in the present session; nil: not prepared yet
}

// statement is what prepared statements of go-sql-driver are.
type statement interface {
	driver.StmtExecContext
	driver.StmtQueryContext
}

// refusedError is what a server, or a pooler before it, says of a prepared
// statement when the same rows may go as literals.
type refusedError struct{ error }

func (e refusedError) Unwrap() error { return e.error }

// refused makes a [refusedError] of err, unless it is known to say something else.
func refused(err error) error {
	var my *mysql.MySQLError
	if errors.As(err, &my) && !isDenial(my) && (classOf(err) == classOther || my.Number == 1047) { // 1047: also an unknown command
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
			stmt, err := c.(driver.ConnPrepareContext).PrepareContext(ctx, w.text(ins, w.chunk))
			if err != nil {
				return refused(err)
			}
			ins.stmt = stmt.(statement)
		}
		if !w.returns(ins) {
			_, err := ins.stmt.ExecContext(ctx, w.row.args)
			return refused(err)
		}
		rows, err := ins.stmt.QueryContext(ctx, w.row.args)
		if err != nil {
			return refused(err)
		}
		return refused(ins.read(rows, i, w.chunk))
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
func (w *writer) text(ins *insertion, rows int) string {
	one := "(?" + strings.Repeat(",?", ins.columns-1) + ")"
	return ins.head + one + strings.Repeat(","+one, rows-1) + w.tail(ins)
}

func (w *writer) returns(ins *insertion) bool { return w.returning && ins.returned != nil }

// tail is what stands after the rows.
func (w *writer) tail(ins *insertion) string {
	if w.returns(ins) {
		return ins.tail + " RETURNING " + ins.bits
	}
	return ins.tail
}

// read takes what the store returns of n rows, the first of which is row i.
func (ins *insertion) read(rows driver.Rows, i, n int) (err error) {
	defer func() { err = cmp.Or(err, rows.Close()) }()
	var value [1]driver.Value
	for end := i + n; ; i++ {
		switch err := rows.Next(value[:]); {
		case err == io.EOF && i == end:
			return nil
		case err == io.EOF:
			return fmt.Errorf("of %d rows the store returned %d fewer", n, end-i)
		case err != nil:
			return err
		}
		bits, ok := value[0].(int64)
		if !ok || i == end {
			return fmt.Errorf("of %d rows the store returned too many, or %T", n, value[0])
		}
		ins.returned(i, uint8(bits))
	}
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
	tail := w.tail(ins)
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
		if i+1 < n && rows < maxStatementRows && len(r.sql)+maxRowBytes+len(tail) < w.maxBytes {
			continue
		}
		r.sql = append(r.sql, tail...)
		if err := w.execLiteral(ctx, conn, ins, i+1-rows, rows); err != nil {
			return fmt.Errorf("%s: %w", ins.what, err)
		}
		rows = 0
	}
	return nil
}

// execLiteral executes the statement that inserts n rows, the first of which is row i.
func (w *writer) execLiteral(ctx context.Context, conn *sql.Conn, ins *insertion, i, n int) error {
	if !w.returns(ins) {
		_, err := conn.ExecContext(ctx, string(w.row.sql))
		return err
	}
	return conn.Raw(func(c any) error {
		rows, err := c.(driver.QueryerContext).QueryContext(ctx, string(w.row.sql), nil)
		if err != nil {
			return err
		}
		return ins.read(rows, i, n)
	})
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
