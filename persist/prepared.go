package persist

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"
)

const (
	// chunkRows is how many rows a prepared statement takes. MariaDB spends a third
	// of its time on reading statements that are spelled out; with fewer rows the
	// statements cost more than that, with more the rest that is spelled out grows.
	chunkRows = 256
	// spellFor is how long nothing is prepared after a server did not want to: its
	// max_prepared_stmt_count may be used up by others.
	spellFor = 10 * time.Minute
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
// statement when the same may go if it is spelled out.
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
	return ins.columns > 0 && w.dialect.isSession && w.maxBytes >= w.chunk*maxRowBytes && !time.Now().Before(w.spellUntil)
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
		w.spellUntil = time.Now().Add(spellFor)
	}
	return fmt.Errorf("%s: %w", ins.what, err)
}

// text is the statement for so many rows, to be prepared.
func (ins *insertion) text(rows int) string {
	one := "(?" + strings.Repeat(",?", ins.columns-1) + ")"
	return ins.head + one + strings.Repeat(","+one, rows-1) + ins.tail
}
