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

// guarded returns the driver's panics as errors: it panics on some malformed packets.
// database/sql does not survive that: a panic while it connects in the background
// ends the process, one in a query keeps the connection for ever. A connection that
// panics while it is made is left to the garbage collector; a goroutine of the
// driver's may remain.
type guarded struct{ driver.Connector }

// guardedConn is a connection of the driver, closed when that panics. It is used by
// one goroutine at a time.
type guardedConn struct {
	driverConn
	readOnly error  // why this session must not write, see schemaGuard; or nil
	denied   bool   // a privilege was missing: see noteDenial
	refused  bool   // the server took no statement: see noteRefusal
	nodes    *nodes // that the DSN lists; nil if it is one
	node     int    // of them, the one of this connection
}

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

func (c guarded) Connect(ctx context.Context) (conn driver.Conn, err error) {
	defer recoverPanic(&err, nil)
	inner, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return &guardedConn{driverConn: inner.(driverConn)}, nil
}

// recoverPanic makes an error of a panic and closes the connection, if there is one
// yet. The error is not driver.ErrBadConn, at which database/sql would try again
// what may have been done.
func recoverPanic(err *error, conn driver.Conn) {
	if r := recover(); r != nil {
		if conn != nil {
			_ = conn.Close() // it is of no use any more
		}
		*err = fmt.Errorf("%w: the driver panicked: %v", mysql.ErrInvalidConn, r)
	}
}

func (c *guardedConn) BeginTx(ctx context.Context, opts driver.TxOptions) (tx driver.Tx, err error) {
	defer recoverPanic(&err, c.driverConn)
	if c.readOnly != nil && !opts.ReadOnly {
		return nil, c.readOnly
	}
	opts.ReadOnly = false // InnoDB finds it out by itself, and TiDB refuses START TRANSACTION READ ONLY
	if tx, err = c.driverConn.BeginTx(ctx, opts); err != nil {
		return nil, c.note(ctx, err)
	}
	return guardedTx{tx, c}, nil
}

func (c *guardedConn) PrepareContext(ctx context.Context, query string) (stmt driver.Stmt, err error) {
	defer recoverPanic(&err, c.driverConn)
	if stmt, err = c.driverConn.PrepareContext(ctx, query); err != nil {
		return nil, c.note(ctx, err)
	}
	return guardedStmt{stmt.(driverStmt), c}, nil
}

func (c *guardedConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (r driver.Result, err error) {
	defer recoverPanic(&err, c.driverConn)
	if c.readOnly != nil {
		return nil, c.readOnly
	}
	r, err = c.driverConn.ExecContext(ctx, query, args)
	return r, c.note(ctx, err)
}

func (c *guardedConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (rows driver.Rows, err error) {
	defer recoverPanic(&err, c.driverConn)
	if rows, err = c.driverConn.QueryContext(ctx, query, args); err != nil {
		return nil, c.note(ctx, err)
	}
	return guardedRows{rows, c.driverConn}, nil
}

func (c *guardedConn) Ping(ctx context.Context) (err error) {
	defer recoverPanic(&err, c.driverConn)
	return c.driverConn.Ping(ctx)
}

// note looks at the error of a statement, for what follows for the connection.
func (c *guardedConn) note(ctx context.Context, err error) error {
	c.noteRefusal(err)
	return c.noteDenial(ctx, err)
}

// ResetSession has an idle connection closed whose node has been left.
func (c *guardedConn) ResetSession(ctx context.Context) (err error) {
	defer recoverPanic(&err, c.driverConn)
	if !c.isCurrent() {
		return driver.ErrBadConn
	}
	return c.driverConn.ResetSession(ctx)
}

// IsValid keeps a connection out of the pool whose next session may fare better.
func (c *guardedConn) IsValid() bool {
	return c.readOnly == nil && !c.denied && !c.refused && c.isCurrent() && c.driverConn.IsValid()
}

// driverStmt is what prepared statements of go-sql-driver are.
type driverStmt interface {
	driver.Stmt
	driver.NamedValueChecker
	driver.StmtExecContext
	driver.StmtQueryContext
}

type guardedStmt struct {
	driverStmt
	conn *guardedConn
}

func (s guardedStmt) ExecContext(ctx context.Context, args []driver.NamedValue) (r driver.Result, err error) {
	defer recoverPanic(&err, s.conn)
	if s.conn.readOnly != nil {
		return nil, s.conn.readOnly
	}
	r, err = s.driverStmt.ExecContext(ctx, args)
	return r, s.conn.note(ctx, err)
}

func (s guardedStmt) QueryContext(ctx context.Context, args []driver.NamedValue) (rows driver.Rows, err error) {
	defer recoverPanic(&err, s.conn)
	if rows, err = s.driverStmt.QueryContext(ctx, args); err != nil {
		return nil, s.conn.note(ctx, err)
	}
	return guardedRows{rows, s.conn}, nil
}

type guardedTx struct {
	tx   driver.Tx
	conn *guardedConn
}

func (t guardedTx) Commit() (err error) {
	defer recoverPanic(&err, t.conn)
	err = t.tx.Commit()
	t.conn.noteRefusal(err)
	return err
}

func (t guardedTx) Rollback() (err error) {
	defer recoverPanic(&err, t.conn)
	return t.tx.Rollback()
}

type guardedRows struct {
	driver.Rows
	conn driver.Conn
}

func (r guardedRows) Next(dest []driver.Value) (err error) {
	defer recoverPanic(&err, r.conn)
	return r.Rows.Next(dest)
}

func (r guardedRows) Close() (err error) {
	defer recoverPanic(&err, r.conn)
	return r.Rows.Close()
}

// readCommitted sets the isolation of each new session. It is a statement and
// not a variable, because the variable's name differs between servers.
//
// On a Galera node each BEGIN, and each statement outside of a transaction, first waits
// until the node has applied what was committed on any other before: progress after a
// COMMIT without an answer, the catalog's revision, what the API tells after a change on
// another server, the resets that a flush looks up, a row that an UPDATE is to find. That
// costs Galera a round trip between its nodes, and a server without Galera nothing.
type readCommitted struct{ driver.Connector }

// syncWait is 1 for SELECT and BEGIN, 2 for UPDATE and DELETE, 4 for INSERT and REPLACE.
// https://mariadb.com/kb/en/galera-cluster-system-variables/#wsrep_sync_wait
const syncWait = 1 | 2 | 4

func (c readCommitted) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	if err := c.set(ctx, conn.(driver.ExecerContext)); err != nil {
		_ = conn.Close() // the first error says more
		return nil, err
	}
	return conn, nil
}

func (c readCommitted) set(ctx context.Context, conn driver.ExecerContext) error {
	if _, err := conn.ExecContext(ctx, "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED", nil); err != nil {
		return fmt.Errorf("set isolation: %w", err)
	}
	if _, err := conn.ExecContext(ctx, fmt.Sprint("SET SESSION wsrep_sync_wait = ", syncWait), nil); err != nil && !isNoVariable(err) {
		return fmt.Errorf("have statements wait for other nodes: %w", err)
	}
	return nil
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
