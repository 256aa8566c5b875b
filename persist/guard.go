package persist

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"path"
	"strconv"
	"sync"

	"github.com/go-sql-driver/mysql"
	"github.com/pressly/goose/v3"

	"github.com/popupd/popupd/tuning"
)

// schemaGuard asks in each new session for the version of the schema, before
// anything is written. In a session that finds a newer one, reads go on and writes
// are refused with [ErrNewerSchema]. Such a session is used once, so that the next
// one notices when the schema is put back.
type schemaGuard struct {
	driver.Connector
	schema *schemaState
}

// schemaState is what sessions have found of the schema.
type schemaState struct {
	log   *slog.Logger
	known int64 // the last migration that this popupd has

	mu    sync.Mutex
	newer bool // guarded by mu: the last session that could tell found a newer schema
}

func (s *schemaState) init(log *slog.Logger) error {
	s.log = log
	files, err := fs.Glob(migrations, "migrations/mysql/*.sql")
	if err != nil {
		return err
	}
	for _, file := range files {
		version, err := goose.NumericComponent(path.Base(file))
		if err != nil {
			return err
		}
		s.known = max(s.known, version)
	}
	return nil
}

// mismatch is the value of popupd_schema_mismatch.
func (s *schemaState) mismatch() float64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.newer {
		return 1
	}
	return 0
}

// found notes the version that a session has found, and logs a change once. It
// returns why the session must not write, or nil.
func (s *schemaState) found(version int64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	was := s.newer
	s.newer = version > s.known
	if !s.newer {
		if was {
			s.log.Info("the store's schema is one that this popupd knows again: writing goes on", "version", version)
		}
		return nil
	}
	err := fmt.Errorf("%w: version %d, this one knows %d; start the newer one", ErrNewerSchema, version, s.known)
	if !was {
		s.log.Error("nothing is written to the store, events wait in the journal", "err", err)
	}
	return err
}

func (g schemaGuard) Connect(ctx context.Context) (_ driver.Conn, err error) {
	conn, err := g.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	c := conn.(*guardedConn)
	defer recoverPanic(&err, c.driverConn)
	version, err := c.schemaVersion(ctx)
	err = c.noteDenial(ctx, err)
	switch {
	case err == nil:
		c.readOnly = g.schema.found(version)
	case classOf(err) == classConnection:
		_ = c.Close() // the first error says more
		return nil, fmt.Errorf("read the schema's version: %w", err)
	default:
		c.readOnly = fmt.Errorf("read the schema's version: %w", err)
	}
	return c, nil
}

// schemaVersion returns 0 where there is no schema yet.
func (c *guardedConn) schemaVersion(ctx context.Context) (int64, error) {
	text, err := c.askOne(ctx, "SELECT COALESCE(MAX(version_id), 0) FROM "+versionTable)
	if isNoTable(err) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	return strconv.ParseInt(text, 10, 64)
}

// askOne asks for one value.
func (c *guardedConn) askOne(ctx context.Context, query string) (string, error) {
	rows, err := c.driverConn.QueryContext(ctx, query, nil)
	if err != nil {
		return "", err
	}
	value := make([]driver.Value, 1)
	err = errors.Join(rows.Next(value), rows.Close())
	if b, ok := value[0].([]byte); ok {
		return string(b), err
	}
	return fmt.Sprint(value[0]), err
}

// DeniedError is the refusal of a statement for which the user lacks a privilege.
type DeniedError struct {
	err            error // of the driver
	user, database string
}

func (e *DeniedError) Error() string {
	return fmt.Sprintf("%v; what popupd needs is given by: %s", e.err, tuning.Grant(e.user, e.database))
}

func (e *DeniedError) Unwrap() error { return e.err }

// isDenial reports whether a privilege is missing, or the password wrong: access to
// the server, a database, a table, a column, a routine, or for a thing that needs more.
func isDenial(err *mysql.MySQLError) bool {
	switch err.Number {
	case 1044, 1045, 1142, 1143, 1227, 1370:
		return true
	}
	return false
}

// noteDenial makes a refusal for a missing privilege a [*DeniedError]. A session
// keeps the privileges it began with, so its connection is not used again: a GRANT
// helps at the next try.
func (c *guardedConn) noteDenial(ctx context.Context, err error) error {
	var my *mysql.MySQLError
	if !errors.As(err, &my) || !isDenial(my) {
		return err
	}
	c.denied = true
	user, err1 := c.askOne(ctx, "SELECT CURRENT_USER()")
	database, err2 := c.askOne(ctx, "SELECT DATABASE()")
	if err1 != nil || err2 != nil {
		return err // without the line that mends it
	}
	return &DeniedError{err, user, database}
}
