package persist

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/popupd/popupd/internal/storetest"
	"github.com/popupd/popupd/popup"
)

// blocker is a transaction of somebody else.
func (s *store) blocker(t testing.TB, statements ...string) *sql.Tx {
	t.Helper()
	tx, err := s.raw.Begin()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = tx.Rollback() })
	for _, q := range statements {
		if _, err := tx.Exec(q); err != nil {
			t.Fatalf("%s: %v", q, err)
		}
	}
	return tx
}

// flushing runs Flush beside the test.
func (s *store) flushing(ctx context.Context, b *popup.Batch) <-chan error {
	done := make(chan error, 1)
	go func() {
		_, err := s.Flush(ctx, b)
		done <- err
	}()
	return done
}

// blockedID waits until a session of the test's database waits in a statement
// that begins so, and returns its id.
func (s *store) blockedID(t testing.TB, statement string) (id int64) {
	t.Helper()
	eventually(t, statement+" waits", func() bool {
		err := s.raw.QueryRow("SELECT ID FROM information_schema.PROCESSLIST WHERE DB = DATABASE() AND INFO LIKE ?", statement+"%").Scan(&id)
		return err == nil
	})
	return id
}

// shortWaits lets the flusher wait for locks for a second.
func (s *store) shortWaits(t testing.TB, dsn string) {
	t.Helper()
	config, err := mysql.ParseDSN(dsn)
	if err != nil {
		t.Fatal(err)
	}
	config.InterpolateParams, config.ClientFoundRows = true, true
	session := flushSession()
	session["innodb_lock_wait_timeout"] = "1"
	old := s.flusher.pool
	if s.flusher.pool, err = s.mysqlPool(config, session); err != nil {
		t.Fatal(err)
	}
	s.flusher.pool.SetMaxOpenConns(1)
	if err := old.Close(); err != nil {
		t.Fatal(err)
	}
}

// holdStats makes the batch's row of popup_stats and a transaction that locks it.
func (s *store) holdStats(t testing.TB, id popup.StreamID) *sql.Tx {
	t.Helper()
	s.register(t, id)
	s.mustFlush(t, batchOf(id, 0, shown("u", startMS)))
	return s.blocker(t, "SELECT * FROM popup_stats FOR UPDATE")
}

func TestKilledInTheMiddle(t *testing.T) {
	s := onMySQL(t)
	id := streamID(1)
	for _, kill := range []string{"KILL CONNECTION", "KILL QUERY"} {
		t.Run(kill, func(t *testing.T) {
			s.empty(t)
			tx := s.holdStats(t, id)
			done := s.flushing(t.Context(), batchOf(id, 1, shown("v", startMS)))
			session := s.blockedID(t, "INSERT INTO popup_stats")
			s.exec(t, fmt.Sprint(kill, " ", session))
			if err := <-done; classOf(err) != classConnection {
				t.Errorf("Flush = %v (class %s), want class connection", err, classOf(err))
			}
			if err := tx.Rollback(); err != nil {
				t.Fatal(err)
			}
			eventually(t, "the server has rolled back", func() bool {
				// Read again within 100 ms, the table says what it said before.
				time.Sleep(150 * time.Millisecond)
				return s.number(t, "SELECT COUNT(*) FROM information_schema.INNODB_TRX WHERE trx_mysql_thread_id = ?", session) == 0
			})
			if n := s.number(t, "SELECT COUNT(*) FROM event"); n != 1 || s.progress(t, id) != 1 {
				t.Errorf("%d events, progress %d; want 1 and 1", n, s.progress(t, id))
			}
			s.mustFlush(t, batchOf(id, 1, shown("v", startMS)))
			s.checkIdentity(t)
		})
	}
}

func TestDeadlockIsTriedAgain(t *testing.T) {
	s := onMySQL(t)
	id := streamID(1)
	s.exec(t, "CREATE TABLE weight (id INT PRIMARY KEY)")
	s.register(t, id)
	s.mustFlush(t, batchOf(id, 0, shown("u", startMS)))
	// InnoDB gives up the transaction that has changed less.
	tx := s.blocker(t, "INSERT INTO weight SELECT seq FROM "+storetest.Numbers(5000), "SELECT * FROM popup_stats FOR UPDATE")
	done := s.flushing(t.Context(), batchOf(id, 1, shown("v", startMS)))
	s.blockedID(t, "INSERT INTO popup_stats")
	if _, err := tx.Exec("UPDATE ingest_stream SET host = 'other'"); err != nil {
		t.Fatal(err)
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
	if n := testutil.ToFloat64(s.metrics.errors[classDeadlock]); n != 1 {
		t.Errorf("%v deadlocks counted, want 1", n)
	}
	if last := s.progress(t, id); last != 2 {
		t.Errorf("progress %d, want 2", last)
	}
}

func TestLockWait(t *testing.T) {
	s := onMySQL(t)
	s.shortWaits(t, s.config.DSN)
	id := streamID(1)
	for _, table := range []string{"ingest_stream", "popup_stats"} {
		t.Run(table, func(t *testing.T) {
			s.empty(t)
			s.register(t, id)
			s.mustFlush(t, batchOf(id, 0, shown("u", startMS)))
			tx := s.blocker(t, "SELECT * FROM "+table+" FOR UPDATE")
			if _, err := s.Flush(t.Context(), batchOf(id, 1, shown("v", startMS))); classOf(err) != classLockWait {
				t.Errorf("Flush = %v (class %s), want class lock_wait", err, classOf(err))
			}
			if err := tx.Rollback(); err != nil {
				t.Fatal(err)
			}
			// 1205 takes back one statement: the others must not have stayed.
			if n := s.number(t, "SELECT COUNT(*) FROM event"); n != 1 || s.progress(t, id) != 1 {
				t.Errorf("%d events, progress %d; want 1 and 1", n, s.progress(t, id))
			}
			s.mustFlush(t, batchOf(id, 1, shown("v", startMS)))
			s.checkIdentity(t)
		})
	}
}

// throughProxy returns a store whose connections pass a proxy.
func throughProxy(t *testing.T, options string) (*store, *proxy) {
	t.Helper()
	dsn := storetest.MySQL(t)
	config, err := mysql.ParseDSN(dsn)
	if err != nil {
		t.Fatal(err)
	}
	p := startProxy(t, config.Addr)
	c := Config{DSN: strings.Replace(dsn, config.Addr, p.addr, 1) + options}
	return newStore(t, "mysql", dsn, c), p
}

// A proxy that freezes leaves a session which holds the stream's progress.
func TestOrphanedSessionIsKilled(t *testing.T) {
	s, p := throughProxy(t, "?readTimeout=5s") // MySQL 5.6 ends a wait of 1 s after 2 s
	s.shortWaits(t, s.config.DSN)
	id := streamID(1)
	tx := s.holdStats(t, id)
	p.set(func(p *proxy) { p.haunted = true })
	ctx, cancel := context.WithCancel(t.Context())
	done := s.flushing(ctx, batchOf(id, 1, shown("v", startMS)))
	orphaned := s.blockedID(t, "INSERT INTO popup_stats")
	cancel() // the driver closes its connection, of which the server hears nothing
	if err := <-done; err == nil {
		t.Fatal("Flush succeeded without time")
	}
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	b := batchOf(id, 1, shown("v", startMS))
	for try := 1; ; try++ {
		_, err := s.Flush(t.Context(), b)
		if err == nil {
			break
		}
		if classOf(err) != classLockWait || try > 2 {
			t.Fatalf("try %d: %v (class %s), want class lock_wait twice", try, err, classOf(err))
		}
	}
	if n := s.number(t, "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE ID = ?", orphaned); n != 0 {
		t.Errorf("session %d is still there", orphaned)
	}
	if n := s.number(t, "SELECT SUM(impressions) FROM popup_stats"); n != 2 {
		t.Errorf("%d impressions, want 2", n)
	}
}

func TestCommitWithoutAnswer(t *testing.T) {
	for _, c := range []struct {
		name  string
		early bool
		want  uint64 // progress afterwards
	}{
		{"lost on the way there", true, 0},
		{"lost on the way back", false, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, p := throughProxy(t, "")
			id := streamID(1)
			s.register(t, id)
			p.set(func(p *proxy) { p.dropBreak, p.dropEarly = "COMMIT", c.early })
			b := batchOf(id, 0, shown("u", startMS), shown("v", startMS))
			if _, err := s.Flush(t.Context(), b); classOf(err) != classConnection {
				t.Fatalf("Flush = %v (class %s), want class connection", err, classOf(err))
			}
			if !c.early {
				eventually(t, "the commit has arrived", func() bool { return s.progress(t, id) == c.want })
			}
			_, err := s.Flush(t.Context(), b)
			if c.early && err != nil || !c.early && !errors.Is(err, ErrConflict) {
				t.Errorf("Flush again = %v", err)
			}
			if n := s.number(t, "SELECT SUM(impressions) FROM popup_stats"); n != 2 || s.progress(t, id) != 2 {
				t.Errorf("%d impressions, progress %d; want 2 and 2", n, s.progress(t, id))
			}
		})
	}
}

func TestReadOnly(t *testing.T) {
	s := onMySQL(t)
	id := streamID(1)
	s.register(t, id)
	app := s.asUser(t, "app", "secret")
	s.exec(t, "SET GLOBAL read_only = 1")
	defer s.exec(t, "SET GLOBAL read_only = 0")
	b := batchOf(id, 0, shown("u", startMS))
	if _, err := app.Flush(t.Context(), b); classOf(err) != classReadOnly {
		t.Errorf("Flush = %v (class %s), want class read_only", err, classOf(err))
	}
	if app.ping(t.Context()) || testutil.ToFloat64(app.metrics.up) != 0 {
		t.Error("popupd_mysql_up is 1 of a store that takes no writes")
	}
	s.exec(t, "SET GLOBAL read_only = 0")
	if _, err := app.Flush(t.Context(), b); err != nil {
		t.Error(err)
	}
	if !app.ping(t.Context()) || testutil.ToFloat64(app.metrics.up) != 1 {
		t.Error("popupd_mysql_up is 0 of a store that takes writes")
	}
}

func TestSmallPackets(t *testing.T) {
	s := onMySQL(t)
	before := s.number(t, "SELECT @@max_allowed_packet")
	s.exec(t, "SET GLOBAL max_allowed_packet = 16384")
	defer s.exec(t, "SET GLOBAL max_allowed_packet = ?", before)
	small := s.open(t)
	id := streamID(1)
	s.register(t, id)
	var events []popup.Event
	for i := range 2000 {
		events = append(events, shown(fmt.Sprintf("user %d", i), startMS))
	}
	if _, err := small.Flush(t.Context(), batchOf(id, 0, events...)); err != nil {
		t.Error(err)
	}
}

func TestServerKilledAndRestarted(t *testing.T) {
	server := storetest.StartMySQL(t)
	dsn := server.CreateDatabase(t, "popupd")
	s := newStore(t, "mysql", dsn, Config{DSN: dsn})
	id := streamID(1)
	s.register(t, id)
	s.mustFlush(t, batchOf(id, 0, shown("u", startMS)))
	up := func(want bool) {
		t.Helper()
		if got := s.ping(t.Context()); got != want || (testutil.ToFloat64(s.metrics.up) == 1) != want {
			t.Errorf("the store is said to be up: %v, mysql_up %v; want %v", got, testutil.ToFloat64(s.metrics.up), want)
		}
	}
	up(true)
	server.Kill()
	if _, err := s.Flush(t.Context(), batchOf(id, 1, shown("v", startMS))); classOf(err) != classConnection {
		t.Errorf("Flush = %v (class %s), want class connection", err, classOf(err))
	}
	up(false)
	server.Restart(t)
	up(true)
	s.mustFlush(t, batchOf(id, 1, shown("v", startMS)))
	if n := s.number(t, "SELECT COUNT(*) FROM event"); n != 2 {
		t.Errorf("%d events, want 2", n)
	}
}

// A session must notice by itself that its client is gone.
func TestFlushSessionEndsAlone(t *testing.T) {
	s := onMySQL(t)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	for name, want := range map[string]string{"wait_timeout": "60", "innodb_lock_wait_timeout": "5", "tx_isolation": "READ-COMMITTED"} {
		var got string
		if err := s.flusher.pool.QueryRowContext(ctx, "SELECT @@"+name).Scan(&got); err != nil || got != want {
			t.Errorf("%s = %q, %v; want %q", name, got, err, want)
		}
	}
}
