package persist

import (
	"context"
	"database/sql"
	"fmt"
	"time"
)

// serverSession is the server's side of the flusher's connection.
type serverSession struct {
	conn   any       // the driver's connection, to tell a new one
	id     uint64    // CONNECTION_ID()
	server string    // which server it is on: ids mean nothing on another
	since  time.Time // ids start again when the server does
}

// maxGhosts bounds how many sessions are remembered.
const maxGhosts = 8

// meet notes who the session of a new connection is, and how long its
// statements may be.
func (f *flusher) meet(ctx context.Context, conn *sql.Conn) error {
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
	var maxPacket int
	err := conn.QueryRowContext(ctx, "SELECT CONNECTION_ID(), CONCAT(@@hostname, ':', @@port), @@max_allowed_packet").
		Scan(&s.id, &s.server, &maxPacket)
	if err != nil {
		return fmt.Errorf("ask for the session: %w", err)
	}
	f.session = &s
	f.writer.meet(maxPacket)
	return nil
}

func (f *flusher) remember(s serverSession) {
	s.conn = nil
	if len(f.ghosts) == maxGhosts {
		f.ghosts = f.ghosts[1:]
	}
	f.ghosts = append(f.ghosts, s)
}

// killGhosts ends sessions of this flusher that live on without a connection:
// the server has not noticed that their client is gone (a frozen proxy, a lost
// route), and they hold the lock that the flusher waits for. It kills nothing
// but a session of the same user and database, on the server that gave the id,
// which has not been started again since.
func (f *flusher) killGhosts(ctx context.Context) {
	if len(f.ghosts) == 0 {
		return
	}
	var server, name string
	var uptime int64
	if err := f.read.QueryRowContext(ctx, "SELECT CONCAT(@@hostname, ':', @@port)").Scan(&server); err != nil {
		f.log.Warn("look for sessions left behind", "error", err)
		return
	}
	if err := f.read.QueryRowContext(ctx, "SHOW GLOBAL STATUS LIKE 'Uptime'").Scan(&name, &uptime); err != nil {
		f.log.Warn("look for sessions left behind", "error", err)
		return
	}
	ghosts := f.ghosts
	f.ghosts = nil
	for _, g := range ghosts {
		if g.server != server {
			f.remember(g) // the next connection may lead there
			continue
		}
		if time.Duration(uptime)*time.Second < time.Since(g.since)-time.Second {
			continue
		}
		var lives int
		err := f.read.QueryRowContext(ctx, "SELECT COUNT(*) FROM information_schema.PROCESSLIST"+
			" WHERE ID = ? AND DB = DATABASE() AND USER = SUBSTRING_INDEX(USER(), '@', 1)", g.id).Scan(&lives)
		if err == nil && lives == 1 {
			_, err = f.write.ExecContext(ctx, fmt.Sprintf("KILL CONNECTION %d", g.id))
			f.log.Warn("killed a session left behind that may hold a stream's progress", "connection_id", g.id)
		}
		if err != nil {
			f.log.Warn("kill a session left behind", "connection_id", g.id, "error", err)
		}
	}
}
