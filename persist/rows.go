package persist

import (
	"database/sql/driver"
	"encoding/hex"
	"strconv"
)

// row takes the values of a row, column by column, in one of two forms: spelled
// out in a statement, or bound to the parameters of a prepared one.
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
