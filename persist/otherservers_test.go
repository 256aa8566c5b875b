package persist

import (
	"cmp"
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"slices"
	"testing"

	"github.com/go-sql-driver/mysql"
)

// refusing is a server that answers each statement with an error, or takes it if that is nil.
type refusing struct {
	err        error
	statements []string
	begun      driver.TxOptions // of the last transaction
}

func (s *refusing) Connect(context.Context) (driver.Conn, error) { return refusingConn{s}, nil }
func (s *refusing) Driver() driver.Driver                        { return nil }

// refusingConn has of a connection what these tests use.
type refusingConn struct{ *refusing }

func (c refusingConn) QueryContext(_ context.Context, query string, _ []driver.NamedValue) (driver.Rows, error) {
	c.statements = append(c.statements, query)
	return noRows{}, c.err
}

func (c refusingConn) BeginTx(_ context.Context, opts driver.TxOptions) (driver.Tx, error) {
	c.begun = opts
	return c, c.err
}

func (c refusingConn) ExecContext(context.Context, string, []driver.NamedValue) (driver.Result, error) {
	return driver.RowsAffected(0), c.err
}

func (c refusingConn) PrepareContext(context.Context, string) (driver.Stmt, error) { return nil, c.err }
func (c refusingConn) Prepare(string) (driver.Stmt, error)                         { return nil, c.err }
func (c refusingConn) Begin() (driver.Tx, error)                                   { return c, c.err }
func (c refusingConn) Commit() error                                               { return nil }
func (c refusingConn) Rollback() error                                             { return nil }
func (c refusingConn) Close() error                                                { return nil }
func (c refusingConn) Ping(context.Context) error                                  { return nil }
func (c refusingConn) CheckNamedValue(*driver.NamedValue) error                    { return nil }
func (c refusingConn) ResetSession(context.Context) error                          { return nil }
func (c refusingConn) IsValid() bool                                               { return true }

type noRows struct{}

func (noRows) Columns() []string         { return nil }
func (noRows) Close() error              { return nil }
func (noRows) Next([]driver.Value) error { return io.EOF }

// TestReturning: what a server says of itself is not asked, only what it does: RETURNING is
// MariaDB's. That Vitess answers with 1105 is what persist/engines finds in it.
func TestReturning(t *testing.T) {
	for name, c := range map[string]struct {
		err     error
		returns bool
		fails   bool
	}{
		"MariaDB":                {nil, true, false},
		"MySQL, TiDB":            {&mysql.MySQLError{Number: 1064, Message: "You have an error in your SQL syntax"}, false, false},
		"Vitess":                 {&mysql.MySQLError{Number: 1105, Message: "syntax error at position 134 near 'RETURNING'"}, false, false},
		"not supported":          {&mysql.MySQLError{Number: 1235, Message: "function RETURNING has only noop implementation"}, false, false},
		"lost connection":        {mysql.ErrInvalidConn, false, true},
		"killed":                 {&mysql.MySQLError{Number: 1317}, false, true},
		"missing privilege":      {&mysql.MySQLError{Number: 1142}, false, true},
		"node that is not ready": {&mysql.MySQLError{Number: 1047}, false, true},
	} {
		server := &refusing{err: c.err}
		pool := sql.OpenDB(server)
		conn, err := pool.Conn(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var f flusher
		f.writer.tryReturning = "INSERT INTO impression SELECT 1 RETURNING 1"
		returns, err := f.hasReturning(t.Context(), conn)
		if returns != c.returns || (err != nil) != c.fails || c.fails && !errors.Is(err, c.err) {
			t.Errorf("%s: got %t, %v; want %t, failure %t", name, returns, err, c.returns, c.fails)
		}
		if !slices.Equal(server.statements, []string{f.writer.tryReturning}) {
			t.Errorf("%s: asked %q", name, server.statements)
		}
		_, _ = conn.Close(), pool.Close()
	}
}

// TestReadOnlyIsNotSaid: TiDB refuses START TRANSACTION READ ONLY.
func TestReadOnlyIsNotSaid(t *testing.T) {
	server := &refusing{}
	c := &guardedConn{driverConn: refusingConn{server}, readOnly: ErrNewerSchema}
	if _, err := c.BeginTx(t.Context(), driver.TxOptions{}); !errors.Is(err, ErrNewerSchema) {
		t.Errorf("a transaction that writes: %v, want %v", err, ErrNewerSchema)
	}
	isolation := driver.IsolationLevel(sql.LevelRepeatableRead)
	if _, err := c.BeginTx(t.Context(), driver.TxOptions{ReadOnly: true, Isolation: isolation}); err != nil {
		t.Error(err)
	}
	if want := (driver.TxOptions{Isolation: isolation}); server.begun != want {
		t.Errorf("the server is told %+v, want %+v", server.begun, want)
	}
}

// TestOldServer: MySQL 5.5 knows no UTC_TIMESTAMP(3). What passes is not taken for its age.
func TestOldServer(t *testing.T) {
	for _, c := range []struct {
		err  error
		want error
	}{
		{&mysql.MySQLError{Number: 1064, Message: "near '(3)"}, ErrOldServer},
		{&mysql.MySQLError{Number: 1053, Message: "shutdown in progress"}, nil},
	} {
		pool := sql.OpenDB(&refusing{err: c.err})
		db := &DB{dialect: mysqlDialect(), write: pool, migratePool: func() (*sql.DB, error) { return pool, nil }}
		err := db.Migrate(t.Context())
		if !errors.Is(err, cmp.Or(c.want, c.err)) || errors.Is(err, ErrOldServer) != (c.want != nil) || Unavailable(err) == (c.want != nil) {
			t.Errorf("Migrate = %v (unavailable: %t), want %v", err, Unavailable(err), c.want)
		}
		_ = pool.Close()
	}
}

func TestClassOfTiDB(t *testing.T) {
	for number, want := range map[uint16]class{
		8002: classDeadlock, 8022: classDeadlock, 8028: classDeadlock, 9007: classDeadlock,
		8027: classConnection, 9001: classConnection, 9002: classConnection, 9005: classConnection,
		8004: classOther, // the transaction is too large: it stays so
	} {
		if got := classOf(&mysql.MySQLError{Number: number}); got != want {
			t.Errorf("%d: %s, want %s", number, got, want)
		}
	}
}
