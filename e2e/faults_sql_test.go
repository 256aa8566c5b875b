//go:build linux

package e2e

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"

	"github.com/popupd/popupd/internal/storetest"
)

// sqlFaults are what MariaDB may answer instead of doing what it is asked.
var sqlFaults = []fault{
	{
		name: "mariadb: deadlock (1213)", layout: proxiedLayout, // tried again at once, and not logged
		run: func(sys *system) {
			conn, release := sys.mysqlConn()
			defer release()
			sys.limitRetries(func() {
				before := sys.flushErrors("deadlock")
				for try := 1; sys.flushErrors("deadlock") == before; try++ {
					if try > 20 {
						sys.t.Error("popupd was never the victim of a deadlock")
						return
					}
					sys.deadlock(conn, 1000*try)
				}
			})
		},
	},
	lockWait("progress", "SELECT * FROM popupd.ingest_stream FOR UPDATE"),
	lockWait("statistics", "SELECT * FROM popupd.popup_stats FOR UPDATE"),
	lockWait("users' states", "SELECT * FROM popupd.user_popup FOR UPDATE"),
	kills("CONNECTION"),
	kills("QUERY"),
	{
		name: "mariadb: read_only (1290)", layout: proxiedLayout, evidence: `committing is interrupted.*read-only|committing is interrupted.*1290`,
		run: func(sys *system) {
			sys.withSetting("read_only", "1", func() {
				sys.waitFlushErrors("read_only", sys.flushErrors("read_only")+1, 10*time.Second)
				sys.pause(500*time.Millisecond, 2*time.Second)
			})
		},
	},
	{
		name: "mariadb: too many connections (1040)", layout: proxiedLayout, evidence: `Error 1040`,
		run: func(sys *system) {
			sys.withSetting("max_connections", "10", func() {
				before, said := sys.flushErrors("connection"), len(sys.server.Log())
				defer sys.holdConnections()()
				sys.waitFlushErrors("connection", before+1, 10*time.Second)
				sys.waitLogged(`Error 1040`, said)
				sys.pause(500*time.Millisecond, 2*time.Second)
			})
		},
	},
	{
		name: "mariadb: wrong password (1045)", layout: proxiedLayout, evidence: `Error 1045`,
		run: func(sys *system) {
			conn, release := sys.mysqlConn()
			defer release()
			alter := func(password string) {
				sys.exec(conn, "SET PASSWORD FOR "+appUser+"@'%' = PASSWORD('"+password+"')")
				sys.proxies.mysql.cut() // sessions outlive a password
			}
			sys.limitRetries(func() {
				before, said := sys.flushErrors("connection"), len(sys.server.Log())
				alter("another")
				sys.waitFlushErrors("connection", before+1, 10*time.Second)
				sys.waitLogged(`Error 1045`, said)
				sys.pause(500*time.Millisecond, 2*time.Second)
				alter(appPassword)
			})
		},
	},
	missing("event"), missing("ingest_stream"), missing("popup_stats"), missing("user_popup"), missing("impression"), missing("erasure"),
	{
		name: "mariadb: small packets", layout: proxiedLayout,
		run: func(sys *system) {
			size := []string{"4096", "8192", "16384", "65536"}[sys.rand.IntN(4)]
			sys.withSetting("max_allowed_packet", size, func() {
				sys.proxies.mysql.cut() // sessions keep what they had
				flushed := sys.flushed()
				sys.pause(time.Second, 3*time.Second)
				eventually(sys.t, 10*time.Second, func() error { // a batch takes many statements
					if sys.flushed() == flushed {
						return fmt.Errorf("nothing is committed with packets of %s bytes", size)
					}
					return nil
				})
			})
			sys.proxies.mysql.cut()
		},
	},
	{
		// The least that MariaDB allows is less than popupd needs.
		name: "mariadb: packets too small (1153)", layout: proxiedLayout, evidence: `committing is interrupted`,
		run: func(sys *system) {
			sys.withSetting("max_allowed_packet", "1024", func() {
				before := sys.flushErrors("other")
				sys.proxies.mysql.cut()
				sys.waitFlushErrors("other", before+1, 10*time.Second)
				sys.pause(500*time.Millisecond, 2*time.Second)
			})
		},
	},
	{
		name: "mariadb: refuses some events", layout: proxiedLayout, declaresLosses: true, evidence: `moved to dead_frame`,
		run: func(sys *system) {
			conn, release := sys.mysqlConn()
			defer release()
			sys.limitRetries(func() {
				sys.exec(conn, "SET check_constraint_checks = 0", // of the rows that are there
					"ALTER TABLE popupd.event ADD CONSTRAINT poison CHECK (action <> 3 OR served_at_ms % 10 <> 7)")
				sys.waitFlushErrors("data", sys.flushErrors("data")+1, 10*time.Second)
				flushed := sys.flushed()
				eventually(sys.t, 10*time.Second, func() error {
					if sys.flushed() == flushed {
						return errors.New("refused events stop those behind them")
					}
					return nil
				})
				sys.pause(time.Second, 2*time.Second)
				sys.exec(conn, "ALTER TABLE popupd.event DROP CONSTRAINT poison")
			})
			// None but those that are refused. Each can be read, but for those of users
			// who were reset.
			rows, err := sys.db.Query("SELECT first_seq, last_seq, bytes, reason FROM dead_frame")
			if err != nil {
				sys.t.Fatal(err)
			}
			defer rows.Close()
			n, readable := 0, 0
			for ; rows.Next(); n++ {
				var first, last int
				var bytes []byte
				var reason string
				if err := rows.Scan(&first, &last, &bytes, &reason); err != nil {
					sys.t.Fatal(err)
				}
				if first != last || !strings.Contains(reason, "poison") {
					sys.t.Errorf("dead_frame holds %d to %d, because %q; want one event that the constraint refuses", first, last, reason)
				}
				if len(bytes) > 0 {
					readable++
				}
			}
			if err := rows.Err(); err != nil || readable == 0 || readable < n/2 {
				sys.t.Errorf("%d rows in dead_frame, %d of them readable, %v", n, readable, err)
			}
		},
	},
}

// deadlock makes a transaction that holds the statistics and asks for the
// progress, when popupd holds the progress and asks for the statistics. InnoDB
// gives up the one that has changed fewer rows.
func (sys *system) deadlock(conn *sql.Conn, weight int) {
	sys.t.Helper()
	sys.exec(conn, "BEGIN",
		"INSERT INTO elsewhere.weight SELECT seq FROM "+storetest.Numbers(weight),
		"SELECT * FROM popupd.popup_stats FOR UPDATE")
	defer sys.exec(conn, "ROLLBACK")
	eventually(sys.t, 5*time.Second, func() error {
		if sys.queryInt(conn, "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE USER = '"+appUser+"' AND INFO LIKE 'INSERT INTO popup_stats%'") == 0 {
			return errors.New("popupd does not wait for the statistics")
		}
		return nil
	})
	_, err := conn.ExecContext(context.Background(), "UPDATE popupd.ingest_stream SET host = 'elsewhere'")
	sys.note("deadlock: %v;", err)
}

// lockWait is somebody who holds rows for longer than popupd waits for them,
// which is 5 s, once or twice.
func lockWait(what, locks string) fault {
	return fault{
		name: "mariadb: lock wait on " + what + " (1205)", layout: proxiedLayout, evidence: `committing is interrupted.*1205`, long: true,
		run: func(sys *system) {
			conn, release := sys.mysqlConn()
			defer release()
			n := 1 + sys.rand.IntN(2)
			sys.note("%d waits", n)
			sys.limitRetries(func() {
				before := sys.flushErrors("lock_wait")
				sys.lock(conn, locks)
				sys.waitFlushErrors("lock_wait", before+n, 20*time.Second)
				sys.pause(0, time.Second)
				sys.exec(conn, "ROLLBACK")
			})
		},
	}
}

// lock begins a transaction that holds rows. It may have to try again: the
// flusher locks rows in an order of its own.
func (sys *system) lock(conn *sql.Conn, locks string) {
	sys.t.Helper()
	eventually(sys.t, 10*time.Second, func() error {
		sys.exec(conn, "BEGIN")
		_, err := conn.ExecContext(context.Background(), locks)
		return err
	})
}

// kills ends popupd's sessions, or what they do, again and again.
func kills(what string) fault {
	return fault{
		name: "mariadb: KILL " + what, layout: proxiedLayout, evidence: `interrupted`,
		run: func(sys *system) {
			conn, release := sys.mysqlConn()
			defer release()
			sys.limitRetries(func() {
				before, killed := sys.flushErrors("connection"), 0
				tick := time.NewTicker(sys.randomDuration(2*time.Millisecond, 40*time.Millisecond))
				defer tick.Stop()
				end := time.After(sys.randomDuration(time.Second, 3*time.Second))
				for enough := false; !enough || sys.flushErrors("connection") == before && killed < 2000; {
					killed += sys.killSessions(conn, what)
					select {
					case <-end:
						enough = true
					case <-tick.C:
					}
				}
				sys.note("%d kills", killed)
				if sys.flushErrors("connection") == before {
					sys.t.Error("no kill has met a flush")
				}
			})
		},
	}
}

func (sys *system) killSessions(conn *sql.Conn, what string) (killed int) {
	sys.t.Helper()
	ids, err := conn.QueryContext(context.Background(), "SELECT ID FROM information_schema.PROCESSLIST WHERE USER = '"+appUser+"'")
	if err != nil {
		sys.t.Fatal(err)
	}
	var list []int
	for ids.Next() {
		var id int
		if err := ids.Scan(&id); err != nil {
			sys.t.Fatal(err)
		}
		list = append(list, id)
	}
	if err := errors.Join(ids.Err(), ids.Close()); err != nil {
		sys.t.Fatal(err)
	}
	for _, id := range list {
		_, err := conn.ExecContext(context.Background(), fmt.Sprintf("KILL %s %d", what, id))
		if gone, ok := errors.AsType[*mysql.MySQLError](err); err != nil && (!ok || gone.Number != 1094) {
			sys.t.Fatal(err)
		}
		if err == nil {
			killed++
		}
	}
	return killed
}

// withSetting runs an outage with another value of a global variable.
func (sys *system) withSetting(name, value string, outage func()) {
	sys.t.Helper()
	conn, release := sys.mysqlConn()
	defer release()
	before := sys.queryInt(conn, "SELECT @@GLOBAL."+name)
	sys.note("%s = %s", name, value)
	sys.limitRetries(func() {
		sys.exec(conn, "SET GLOBAL "+name+" = "+value)
		defer sys.exec(conn, fmt.Sprintf("SET GLOBAL %s = %d", name, before))
		outage()
	})
}

// holdConnections takes every connection that MariaDB gives, popupd's too, until it is
// told to release them.
func (sys *system) holdConnections() (release func()) {
	sys.t.Helper()
	config, err := mysql.ParseDSN(sys.dsn)
	if err != nil {
		sys.t.Fatal(err)
	}
	config.Addr = sys.mysql.Addr
	greedy, err := sql.Open("mysql", config.FormatDSN())
	if err != nil {
		sys.t.Fatal(err)
	}
	stop, done := make(chan struct{}), make(chan struct{})
	full := make(chan struct{}, 1)
	go func() {
		defer close(done)
		defer greedy.Close()
		tick := time.NewTicker(2 * time.Millisecond)
		defer tick.Stop()
		for {
			conn, err := greedy.Conn(context.Background())
			if err == nil {
				defer conn.Close()
			} else if refused, ok := errors.AsType[*mysql.MySQLError](err); ok && refused.Number == 1040 {
				select {
				case full <- struct{}{}:
				default:
				}
			}
			select {
			case <-stop:
				return
			case <-tick.C:
			}
		}
	}()
	<-full
	sys.proxies.mysql.cut()
	return func() { close(stop); <-done }
}

// missing is a table that is away for a while.
func missing(table string) fault {
	return fault{
		name: "mariadb: table " + table + " is missing (1146)", layout: proxiedLayout, evidence: `committing is interrupted.*1146`,
		run: func(sys *system) {
			conn, release := sys.mysqlConn()
			defer release()
			sys.limitRetries(func() {
				before := sys.flushErrors("other")
				sys.exec(conn, "RENAME TABLE popupd."+table+" TO elsewhere."+table)
				sys.waitFlushErrors("other", before+1, 10*time.Second)
				sys.pause(500*time.Millisecond, 2*time.Second)
				sys.exec(conn, "RENAME TABLE elsewhere."+table+" TO popupd."+table)
			})
		},
	}
}

// flushed returns how many events the server has committed.
func (sys *system) flushed() float64 {
	sys.t.Helper()
	n, err := sys.server.metric("popupd_flushed_events_total")
	if err != nil {
		sys.t.Fatal(err)
	}
	return n
}
