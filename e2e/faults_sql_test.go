package e2e

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"
)

// sqlFaults are what MariaDB may answer instead of doing what it is asked.
var sqlFaults = []fault{
	{
		name: "mariadb: deadlock (1213)", stage: wired, // tried again at once, and not logged
		run: func(w *world) {
			conn, release := w.root()
			defer release()
			w.endure(func() {
				before := w.flushErrors("deadlock")
				for try := 1; w.flushErrors("deadlock") == before; try++ {
					if try > 20 {
						w.t.Error("popupd was never the victim of a deadlock")
						return
					}
					w.deadlock(conn, 1000*try)
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
		name: "mariadb: read_only (1290)", stage: wired, bites: `committing is interrupted.*read-only|committing is interrupted.*1290`,
		run: func(w *world) {
			w.withSetting("read_only", "1", func() {
				w.until("read_only", w.flushErrors("read_only")+1, 10*time.Second)
				w.pause(500*time.Millisecond, 2*time.Second)
			})
		},
	},
	{
		name: "mariadb: too many connections (1040)", stage: wired, bites: `Error 1040`,
		run: func(w *world) {
			w.withSetting("max_connections", "10", func() {
				before, said := w.flushErrors("connection"), len(w.server.Log())
				defer w.hoard()()
				w.until("connection", before+1, 10*time.Second)
				w.untilLogged(`Error 1040`, said)
				w.pause(500*time.Millisecond, 2*time.Second)
			})
		},
	},
	{
		name: "mariadb: wrong password (1045)", stage: wired, bites: `Error 1045`,
		run: func(w *world) {
			conn, release := w.root()
			defer release()
			alter := func(password string) {
				w.exec(conn, "ALTER USER "+appUser+"@'%' IDENTIFIED BY '"+password+"'")
				w.wires.mysql.cut() // sessions outlive a password
			}
			w.endure(func() {
				before, said := w.flushErrors("connection"), len(w.server.Log())
				alter("another")
				w.until("connection", before+1, 10*time.Second)
				w.untilLogged(`Error 1045`, said)
				w.pause(500*time.Millisecond, 2*time.Second)
				alter(appPassword)
			})
		},
	},
	missing("event"), missing("ingest_stream"), missing("popup_stats"), missing("user_popup"), missing("erasure"),
	{
		name: "mariadb: small packets", stage: wired,
		run: func(w *world) {
			size := []string{"4096", "8192", "16384", "65536"}[w.rand.IntN(4)]
			w.withSetting("max_allowed_packet", size, func() {
				w.wires.mysql.cut() // sessions keep what they had
				flushed := w.flushed()
				w.pause(time.Second, 3*time.Second)
				if n := w.flushed() - flushed; n == 0 {
					w.t.Errorf("nothing was counted with packets of %s bytes", size)
				}
			})
			w.wires.mysql.cut()
		},
	},
	{
		// The least that MariaDB allows is less than popupd needs.
		name: "mariadb: packets too small (1153)", stage: wired, bites: `committing is interrupted`,
		run: func(w *world) {
			w.withSetting("max_allowed_packet", "1024", func() {
				before := w.flushErrors("other")
				w.wires.mysql.cut()
				w.until("other", before+1, 10*time.Second)
				w.pause(500*time.Millisecond, 2*time.Second)
			})
		},
	},
	{
		name: "mariadb: refuses some events", stage: wired, declares: true, bites: `moved to dead_frame`,
		run: func(w *world) {
			conn, release := w.root()
			defer release()
			w.endure(func() {
				w.exec(conn, "SET check_constraint_checks = 0", // of the rows that are there
					"ALTER TABLE popupd.event ADD CONSTRAINT poison CHECK (action <> 3 OR served_at_ms % 10 <> 7)")
				w.until("data", w.flushErrors("data")+1, 10*time.Second)
				flushed := w.flushed()
				w.pause(time.Second, 2*time.Second)
				if w.flushed() == flushed {
					w.t.Error("refused events stop those behind them")
				}
				w.exec(conn, "ALTER TABLE popupd.event DROP CONSTRAINT poison")
			})
			// None but those that are refused, and each can be read.
			rows, err := w.db.Query("SELECT first_seq, last_seq, bytes, reason FROM dead_frame")
			if err != nil {
				w.t.Fatal(err)
			}
			defer rows.Close()
			n := 0
			for ; rows.Next(); n++ {
				var first, last int
				var bytes []byte
				var reason string
				if err := rows.Scan(&first, &last, &bytes, &reason); err != nil {
					w.t.Fatal(err)
				}
				if first != last || len(bytes) == 0 || !strings.Contains(reason, "poison") {
					w.t.Errorf("dead_frame holds %d to %d, %d bytes, because %q; want one event that the constraint refuses", first, last, len(bytes), reason)
				}
			}
			if err := rows.Err(); err != nil || n == 0 {
				w.t.Errorf("%d rows in dead_frame, %v", n, err)
			}
		},
	},
}

// deadlock makes a transaction that holds the statistics and asks for the
// progress, when popupd holds the progress and asks for the statistics. InnoDB
// gives up the one that has changed fewer rows.
func (w *world) deadlock(conn *sql.Conn, weight int) {
	w.t.Helper()
	w.exec(conn, "BEGIN",
		fmt.Sprintf("INSERT INTO elsewhere.weight SELECT seq FROM seq_1_to_%d", weight),
		"SELECT * FROM popupd.popup_stats FOR UPDATE")
	defer w.exec(conn, "ROLLBACK")
	eventually(w.t, 5*time.Second, func() error {
		if w.number(conn, "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE USER = '"+appUser+"' AND INFO LIKE 'INSERT INTO popup_stats%'") == 0 {
			return errors.New("popupd does not wait for the statistics")
		}
		return nil
	})
	_, err := conn.ExecContext(context.Background(), "UPDATE popupd.ingest_stream SET host = 'elsewhere'")
	w.note("deadlock: %v;", err)
}

// lockWait is somebody who holds rows for longer than popupd waits for them,
// which is 5 s, once or twice.
func lockWait(what, locks string) fault {
	return fault{
		name: "mariadb: lock wait on " + what + " (1205)", stage: wired, bites: `committing is interrupted.*1205`, long: true,
		run: func(w *world) {
			conn, release := w.root()
			defer release()
			n := 1 + w.rand.IntN(2)
			w.note("%d waits", n)
			w.endure(func() {
				before := w.flushErrors("lock_wait")
				w.exec(conn, "BEGIN", locks)
				w.until("lock_wait", before+n, 20*time.Second)
				w.pause(0, time.Second)
				w.exec(conn, "ROLLBACK")
			})
		},
	}
}

// kills ends popupd's sessions, or what they do, again and again.
func kills(what string) fault {
	return fault{
		name: "mariadb: KILL " + what, stage: wired, bites: `interrupted`,
		run: func(w *world) {
			conn, release := w.root()
			defer release()
			w.endure(func() {
				before, killed := w.flushErrors("connection"), 0
				tick := time.NewTicker(w.some(2*time.Millisecond, 40*time.Millisecond))
				defer tick.Stop()
				end := time.After(w.some(time.Second, 3*time.Second))
				for enough := false; !enough || w.flushErrors("connection") == before && killed < 2000; {
					killed += w.killSessions(conn, what)
					select {
					case <-end:
						enough = true
					case <-tick.C:
					}
				}
				w.note("%d kills", killed)
				if w.flushErrors("connection") == before {
					w.t.Error("no kill has met a flush")
				}
			})
		},
	}
}

func (w *world) killSessions(conn *sql.Conn, what string) (killed int) {
	w.t.Helper()
	ids, err := conn.QueryContext(context.Background(), "SELECT ID FROM information_schema.PROCESSLIST WHERE USER = '"+appUser+"'")
	if err != nil {
		w.t.Fatal(err)
	}
	var list []int
	for ids.Next() {
		var id int
		if err := ids.Scan(&id); err != nil {
			w.t.Fatal(err)
		}
		list = append(list, id)
	}
	if err := errors.Join(ids.Err(), ids.Close()); err != nil {
		w.t.Fatal(err)
	}
	for _, id := range list {
		_, err := conn.ExecContext(context.Background(), fmt.Sprintf("KILL %s %d", what, id))
		if gone, ok := errors.AsType[*mysql.MySQLError](err); err != nil && (!ok || gone.Number != 1094) {
			w.t.Fatal(err)
		}
		if err == nil {
			killed++
		}
	}
	return killed
}

// withSetting runs an outage with another value of a global variable.
func (w *world) withSetting(name, value string, outage func()) {
	w.t.Helper()
	conn, release := w.root()
	defer release()
	before := w.number(conn, "SELECT @@GLOBAL."+name)
	w.note("%s = %s", name, value)
	w.endure(func() {
		w.exec(conn, "SET GLOBAL "+name+" = "+value)
		defer w.exec(conn, fmt.Sprintf("SET GLOBAL %s = %d", name, before))
		outage()
	})
}

// hoard takes every connection that MariaDB gives, popupd's too, until it is
// told to release them.
func (w *world) hoard() (release func()) {
	w.t.Helper()
	config, err := mysql.ParseDSN(w.dsn)
	if err != nil {
		w.t.Fatal(err)
	}
	config.Addr = w.mysql.Addr
	greedy, err := sql.Open("mysql", config.FormatDSN())
	if err != nil {
		w.t.Fatal(err)
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
	w.wires.mysql.cut()
	return func() { close(stop); <-done }
}

// missing is a table that is away for a while.
func missing(table string) fault {
	return fault{
		name: "mariadb: table " + table + " is missing (1146)", stage: wired, bites: `committing is interrupted.*1146`,
		run: func(w *world) {
			conn, release := w.root()
			defer release()
			w.endure(func() {
				before := w.flushErrors("other")
				w.exec(conn, "RENAME TABLE popupd."+table+" TO elsewhere."+table)
				w.until("other", before+1, 10*time.Second)
				w.pause(500*time.Millisecond, 2*time.Second)
				w.exec(conn, "RENAME TABLE elsewhere."+table+" TO popupd."+table)
			})
		},
	}
}

// flushed returns how many events the server has counted.
func (w *world) flushed() float64 {
	w.t.Helper()
	n, err := w.server.metric("popupd_flushed_events_total")
	if err != nil {
		w.t.Fatal(err)
	}
	return n
}
