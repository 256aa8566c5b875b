package persist

import (
	"context"
	"database/sql/driver"
	"fmt"

	"github.com/go-sql-driver/mysql"
)

// steady makes errors of the driver's panics, to which a malformed packet leads.
// database/sql does not survive them: one while it connects in the background
// ends the process, one in a query keeps the connection for ever. What the driver
// panics on while it connects is left to the garbage collector, but for a
// goroutine of the driver's.
type steady struct{ driver.Connector }

// steadyConn is a connection of the driver, closed when that panics.
type steadyConn struct{ driverConn }

// driverConn is what connections of go-sql-driver are.
type driverConn interface {
	driver.Conn
	driver.ConnBeginTx
	driver.ConnPrepareContext
	driver.ExecerContext
	driver.NamedValueChecker
	driver.Pinger
	driver.QueryerContext
	driver.SessionResetter
	driver.Validator
}

func (c steady) Connect(ctx context.Context) (conn driver.Conn, err error) {
	defer survive(&err, nil)
	inner, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return steadyConn{inner.(driverConn)}, nil
}

// survive makes an error of a panic and closes the connection, if there is one
// yet. The error is not driver.ErrBadConn, at which database/sql would try again
// what may have been done.
func survive(err *error, conn driver.Conn) {
	if r := recover(); r != nil {
		if conn != nil {
			_ = conn.Close() // it is of no use any more
		}
		*err = fmt.Errorf("%w: the driver panicked: %v", mysql.ErrInvalidConn, r)
	}
}

func (c steadyConn) BeginTx(ctx context.Context, opts driver.TxOptions) (tx driver.Tx, err error) {
	defer survive(&err, c.driverConn)
	if tx, err = c.driverConn.BeginTx(ctx, opts); err != nil {
		return nil, err
	}
	return steadyTx{tx, c.driverConn}, nil
}

func (c steadyConn) PrepareContext(ctx context.Context, query string) (stmt driver.Stmt, err error) {
	defer survive(&err, c.driverConn)
	return c.driverConn.PrepareContext(ctx, query)
}

func (c steadyConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (r driver.Result, err error) {
	defer survive(&err, c.driverConn)
	return c.driverConn.ExecContext(ctx, query, args)
}

func (c steadyConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (rows driver.Rows, err error) {
	defer survive(&err, c.driverConn)
	if rows, err = c.driverConn.QueryContext(ctx, query, args); err != nil {
		return nil, err
	}
	return steadyRows{rows, c.driverConn}, nil
}

func (c steadyConn) Ping(ctx context.Context) (err error) {
	defer survive(&err, c.driverConn)
	return c.driverConn.Ping(ctx)
}

type steadyTx struct {
	tx   driver.Tx
	conn driver.Conn
}

func (t steadyTx) Commit() (err error) {
	defer survive(&err, t.conn)
	return t.tx.Commit()
}

func (t steadyTx) Rollback() (err error) {
	defer survive(&err, t.conn)
	return t.tx.Rollback()
}

type steadyRows struct {
	driver.Rows
	conn driver.Conn
}

func (r steadyRows) Next(dest []driver.Value) (err error) {
	defer survive(&err, r.conn)
	return r.Rows.Next(dest)
}

func (r steadyRows) Close() (err error) {
	defer survive(&err, r.conn)
	return r.Rows.Close()
}
