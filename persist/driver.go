package persist

import (
	"bytes"
	"context"
	"database/sql/driver"
	"fmt"
	"log/slog"
	"net"

	"github.com/go-sql-driver/mysql"

	"github.com/popupd/popupd/internal/failpoint"
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

// readCommitted sets the isolation of each new session. It is a statement and
// not a variable, because the variable's name differs between servers.
type readCommitted struct{ driver.Connector }

func (c readCommitted) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	const set = "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED"
	if _, err := conn.(driver.ExecerContext).ExecContext(ctx, set, nil); err != nil {
		_ = conn.Close() // the first error says more
		return nil, fmt.Errorf("set isolation: %w", err)
	}
	return conn, nil
}

// driverLog takes what the driver would print to stderr. It repeats errors that
// are also returned.
type driverLog struct{ log *slog.Logger }

func (l driverLog) Print(v ...any) { l.log.Debug("mysql driver", "message", fmt.Sprint(v...)) }

// dialToCommit connects the flusher in builds with failpoints: the moment at
// which a COMMIT has left and its reply has not come is inside the driver.
func dialToCommit(ctx context.Context, network, addr string) (net.Conn, error) {
	conn, err := new(net.Dialer).DialContext(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	return commitConn{conn}, nil
}

type commitConn struct{ net.Conn }

// comQuery begins a packet that carries SQL, after its length and number.
// https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_com_query.html
const comQuery = 0x03

func (c commitConn) Write(b []byte) (int, error) {
	n, err := c.Conn.Write(b)
	if bytes.HasSuffix(b, []byte{comQuery, 'C', 'O', 'M', 'M', 'I', 'T'}) {
		failpoint.Reach(failpoint.FlushCommitSent)
	}
	return n, err
}
