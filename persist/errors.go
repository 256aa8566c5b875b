package persist

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"net"
	"strings"

	"github.com/go-sql-driver/mysql"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// ErrConflict means that the stream does not stand where the batch begins:
// another flusher was there, or the stream is not known. Nothing was applied.
var ErrConflict = errors.New("the stream's progress is elsewhere")

// ErrNewerSchema means that a newer popupd has migrated the store.
var ErrNewerSchema = errors.New("the store's schema is newer than this popupd")

// ErrOldServer means that the database is of a version that popupd can do nothing with.
var ErrOldServer = errors.New("the database server is too old: popupd needs MySQL 5.6 or newer, or MariaDB 10.11 or newer")

// class says what to do about an error, and labels it in metrics.
type class string

const (
	classConflict   class = "conflict"   // another flusher was faster
	classDeadlock   class = "deadlock"   // rolled back; again
	classLockWait   class = "lock_wait"  // somebody holds a row
	classConnection class = "connection" // nothing is known of what was under way
	classReadOnly   class = "read_only"  // a replica, or an operator at work
	classData       class = "data"       // a row is refused for what it is
	classOther      class = "other"
)

// classes is the closed list, for metrics.
func classes() []class {
	return []class{classConflict, classDeadlock, classLockWait, classConnection, classReadOnly, classData, classOther}
}

// classOf looks at the driver's type and number, never at the message.
func classOf(err error) class {
	var my *mysql.MySQLError
	var lite *sqlite.Error
	var network net.Error
	switch {
	case errors.Is(err, ErrConflict):
		return classConflict
	case errors.As(err, &my):
		return classOfMySQL(my)
	case errors.As(err, &lite):
		return classOfSQLite(lite)
	case errors.As(err, &network),
		errors.Is(err, driver.ErrBadConn), errors.Is(err, mysql.ErrInvalidConn), errors.Is(err, sql.ErrConnDone),
		errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF),
		errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return classConnection
	}
	return classOther
}

// Unavailable reports whether the error is one that passes: the store is not
// there or not fit for work now. It is false for a refusal that an operator has
// to mend, such as a wrong password, no such database or [ErrNewerSchema].
func Unavailable(err error) bool {
	var my *mysql.MySQLError
	if errors.As(err, &my) && isDenial(my) {
		return false
	}
	switch classOf(err) {
	case classConnection, classDeadlock, classLockWait, classReadOnly:
		return true
	}
	return false
}

// classOfMySQL knows the numbers of MySQL, MariaDB, Galera and TiDB.
// https://dev.mysql.com/doc/mysql-errors/8.0/en/server-error-reference.html
// https://mariadb.com/kb/en/mariadb-error-code-reference/
// https://docs.pingcap.com/tidb/stable/error-codes
func classOfMySQL(err *mysql.MySQLError) class {
	switch err.Number {
	case 1020, // record has changed since last read (MariaDB with innodb_snapshot_isolation)
		1213,                         // deadlock; Galera: certification failed
		8002, 8005, 8022, 8028, 9007: // TiDB: write conflict, COMMIT failed, schema changed; all rolled back
		return classDeadlock
	case 1205: // lock wait timeout
		return classLockWait
	case 1290, 1792, 1836, 1874: // read_only, read-only transaction, read-only mode, InnoDB read-only
		return classReadOnly
	case 1040, 1203, 1226, // too many connections, of a user, out of a quota
		1045, 1047, 1053, // access denied, node not ready (Galera), shutdown
		1152, 1158, 1159, 1160, 1161, 1184, // aborted, network
		1180,                   // error during COMMIT; Galera: the node has lost the others meanwhile
		1317, 1927, 3024, 3169, // query interrupted, connection killed, time limit, session killed
		8027, 9001, 9002, 9003, 9004, 9005: // TiDB: its schema is out of date; PD or TiKV away, busy
		return classConnection
	case 1264, 1265, 1292, 1364, 1366, 1406, // out of range, truncated, wrong value, no value, wrong characters, too long
		1048, 1062, // null; duplicate, which only a row beyond the progress can be
		1300, 1690, 3819, 4025: // wrong characters, out of range, a CHECK of MySQL, of MariaDB
		return classData
	}
	if state := string(err.SQLState[:]); strings.HasPrefix(state, "22") { // data exception
		return classData
	}
	return classOther
}

// https://www.sqlite.org/rescode.html; the low byte is the primary code.
func classOfSQLite(err *sqlite.Error) class {
	switch err.Code() & 0xff {
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
		return classLockWait
	case sqlite3.SQLITE_READONLY:
		return classReadOnly
	case sqlite3.SQLITE_CONSTRAINT, sqlite3.SQLITE_TOOBIG, sqlite3.SQLITE_MISMATCH:
		return classData
	case sqlite3.SQLITE_INTERRUPT:
		return classConnection
	}
	return classOther
}

// isDuplicate reports whether a unique key refused a row.
func isDuplicate(err error) bool {
	var my *mysql.MySQLError
	if errors.As(err, &my) {
		return my.Number == 1062
	}
	var lite *sqlite.Error
	return errors.As(err, &lite) &&
		(lite.Code() == sqlite3.SQLITE_CONSTRAINT_UNIQUE || lite.Code() == sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY)
}

// isNoTable reports whether MySQL does not know a table.
func isNoTable(err error) bool {
	my, ok := errors.AsType[*mysql.MySQLError](err)
	return ok && my.Number == 1146
}

// isNoVariable reports whether a server does not know a variable: those of Galera are
// MariaDB's alone.
func isNoVariable(err error) bool {
	my, ok := errors.AsType[*mysql.MySQLError](err)
	return ok && my.Number == 1193
}
