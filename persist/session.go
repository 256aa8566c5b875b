package persist

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/go-sql-driver/mysql"
)

// serverSession is the server's side of the flusher's connection.
type serverSession struct {
	conn   any       // the driver's connection, to recognize a new one
	id     uint64    // CONNECTION_ID()
	server string    // that gave the id, which means nothing on another
	since  time.Time // ids start again when the server does
}

// maxOrphanedSessions bounds how many sessions are remembered.
const maxOrphanedSessions = 8

const selectServer = "SELECT CONCAT(@@hostname, ':', @@port)"

// identify notes, for a new connection, the id of its session and what its statements
// may be.
func (f *flusher) identify(ctx context.Context, conn *sql.Conn) error {
	if !f.dialect.isSession {
		return nil
	}
	s := serverSession{since: time.Now()}
	if err := conn.Raw(func(c any) error { s.conn = c; return nil }); err != nil {
		return fmt.Errorf("look at connection: %w", err)
	}
	if f.session != nil && f.session.conn == s.conn {
		return nil
	}
	f.session = nil
	if c, ok := s.conn.(*guardedConn); ok && c.readOnly != nil {
		return c.readOnly
	}
	var maxPacket int
	err := conn.QueryRowContext(ctx, selectServer+", CONNECTION_ID(), @@max_allowed_packet").Scan(&s.server, &s.id, &maxPacket)
	if err != nil {
		return fmt.Errorf("ask for the session: %w", err)
	}
	returning, err := f.hasReturning(ctx, conn)
	if err != nil {
		return fmt.Errorf("try RETURNING: %w", err)
	}
	f.session = &s
	f.writer.begin(maxPacket, returning)
	return nil
}

// hasReturning tries whether an INSERT can return its rows: MariaDB's can,
// those of MySQL, TiDB and Vitess cannot. Version numbers are not asked, since poolers make
// up their own; nor is the error's, which for a syntax that is not known is 1064 or, of
// Vitess, 1105.
func (f *flusher) hasReturning(ctx context.Context, conn *sql.Conn) (bool, error) {
	rows, err := conn.QueryContext(ctx, f.writer.tryReturning)
	if err == nil {
		return true, rows.Close()
	}
	if my, ok := errors.AsType[*mysql.MySQLError](err); ok && !isDenial(my) && classOf(err) == classOther {
		return false, nil
	}
	return false, err
}

// orphan remembers a session whose connection was closed without its agreement.
func (f *flusher) orphan(s serverSession) {
	s.conn = nil
	if len(f.orphanedSessions) == maxOrphanedSessions {
		f.orphanedSessions = f.orphanedSessions[1:]
	}
	f.orphanedSessions = append(f.orphanedSessions, s)
}

// killOrphanedSessions ends sessions of this flusher that live on without a
// connection: the server has not noticed that their client is gone (a frozen proxy,
// a lost route), and they hold the lock that the flusher waits for. It kills nothing
// but a session of the same user and database, on the server that gave the id,
// which has not been started again since.
func (f *flusher) killOrphanedSessions(ctx context.Context) {
	if len(f.orphanedSessions) == 0 {
		return
	}
	// One connection for all of it: the next may lead to another server, where the
	// same ids are those of others.
	conn, err := f.write.Conn(ctx)
	if err != nil {
		f.log.Warn("look for orphaned sessions", "err", err)
		return
	}
	defer conn.Close()
	server, started, err := serverStart(ctx, conn)
	if err != nil {
		f.log.Warn("look for orphaned sessions", "err", err)
		return
	}
	orphaned := f.orphanedSessions
	f.orphanedSessions = nil
	for _, s := range orphaned {
		switch {
		case s.server != server:
			f.orphan(s) // the next connection may lead there
		case s.since.After(started):
			if err := f.killSession(ctx, conn, s.id); err != nil {
				f.log.Warn("kill an orphaned session", "connection_id", s.id, "err", err)
			}
		}
	}
}

// serverStart returns which server a connection leads to, and when it started, to the
// second.
func serverStart(ctx context.Context, conn *sql.Conn) (server string, started time.Time, err error) {
	if err := conn.QueryRowContext(ctx, selectServer).Scan(&server); err != nil {
		return "", time.Time{}, err
	}
	var name string
	var uptime int64
	if err := conn.QueryRowContext(ctx, "SHOW GLOBAL STATUS LIKE 'Uptime'").Scan(&name, &uptime); err != nil {
		return "", time.Time{}, err
	}
	return server, time.Now().Add(-time.Duration(uptime)*time.Second - time.Second), nil
}

func (f *flusher) killSession(ctx context.Context, conn *sql.Conn, id uint64) error {
	var lives int
	err := conn.QueryRowContext(ctx, "SELECT COUNT(*) FROM information_schema.PROCESSLIST"+
		" WHERE ID = ? AND DB = DATABASE() AND USER = SUBSTRING_INDEX(USER(), '@', 1)", id).Scan(&lives)
	if err != nil || lives == 0 {
		return err
	}
	f.log.Warn("killing an orphaned session that may hold a stream's progress", "connection_id", id)
	_, err = conn.ExecContext(ctx, fmt.Sprintf("KILL CONNECTION %d", id))
	return err
}
