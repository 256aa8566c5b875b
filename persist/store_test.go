package persist

import (
	"context"
	"database/sql"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/popupd/popupd/internal/storetest"
	"github.com/popupd/popupd/popup"
)

func TestMain(m *testing.M) {
	sent := tap()
	os.Exit(sent.check(storetest.Main(m)))
}

// startMS is the time at which tests begin: 2024-07-03T11:20:00Z.
const startMS = 1_720_005_600_000

const hourMS = 3_600_000

// clock is the time of a server, which only tests move. The store has its own: see pass.
type clock struct{ atomic.Int64 }

func (c *clock) now() int64              { return c.Load() }
func (c *clock) advance(d time.Duration) { c.Add(d.Milliseconds()) }

// store is a migrated store and a connection beside it that looks on.
type store struct {
	*DB
	clock  *clock
	config Config
	raw    *sql.DB
}

// withoutReturning makes the store's next sessions those of a server which has no
// RETURNING, like MySQL.
func (db *DB) withoutReturning() { db.flusher.writer.tryReturning = withoutReturning }

const withoutReturning = "RETURNING" // no server takes it

// eachStore runs a test on MariaDB and on SQLite, and then checks the identity.
func eachStore(t *testing.T, test func(t *testing.T, s *store)) {
	t.Helper()
	t.Run("mariadb", func(t *testing.T) { test(t, onMySQL(t)) })
	t.Run("sqlite", func(t *testing.T) { test(t, onSQLite(t)) })
}

func onMySQL(t testing.TB) *store {
	t.Helper()
	dsn := storetest.MySQL(t)
	return newStore(t, "mysql", dsn, Config{DSN: dsn, Host: "test-host"})
}

func onSQLite(t testing.TB) *store {
	t.Helper()
	path := filepath.Join(t.TempDir(), "popupd.db")
	return newStore(t, "sqlite", path, Config{SQLite: path, Host: "test-host"})
}

func newStore(t testing.TB, driver, name string, c Config) *store {
	t.Helper()
	s := newEmptyStore(t, driver, name, c)
	if err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}

// newEmptyStore returns a store without a schema, which the test gives it.
func newEmptyStore(t testing.TB, driver, name string, c Config) *store {
	t.Helper()
	s := &store{clock: &clock{}, config: c}
	s.clock.Store(startMS)
	s.config.Now = s.clock.now
	s.DB = s.open(t)
	raw, err := sql.Open(driver, name)
	if err != nil {
		t.Fatal(err)
	}
	s.raw = raw
	t.Cleanup(func() {
		s.checkIdentity(t)
		if err := raw.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// pass lets time pass by the store's clock: it makes what is stored by it so much
// older. Times of events are not.
func (s *store) pass(t testing.TB, d time.Duration) {
	t.Helper()
	for _, column := range []string{"ingest_stream.updated_ms", "erasure.queued_ms", "erasure.done_ms", "dead_frame.at_ms", "audience_list.updated_ms",
		"webhook_outbox.created_ms", "webhook_outbox.due_ms", "webhook_outbox.settled_ms",
		"server.started_ms", "server.seen_ms"} {
		table, name, _ := strings.Cut(column, ".")
		s.exec(t, fmt.Sprintf("UPDATE %s SET %s = %[2]s - ? WHERE %[2]s > 0", table, name), d.Milliseconds())
	}
}

// retain sets the retention so that events of up to then are old.
func (s *store) retain(t testing.TB, fromMS int64) {
	t.Helper()
	now, err := s.storeNow(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	s.retention = time.Duration(now-fromMS) * time.Millisecond
}

// open opens the store once more, as another server would.
func (s *store) open(t testing.TB) *DB {
	t.Helper()
	c := s.config
	c.Registerer = prometheus.NewRegistry()
	c.Log = slog.New(slog.NewTextHandler(testLog{t}, nil))
	db, err := Open(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

type testLog struct{ testing.TB }

func (l testLog) Write(b []byte) (int, error) { l.Logf("%s", b); return len(b), nil }

var _ io.Writer = testLog{}

// checkIdentity fails the test unless every stream has as many events as its
// progress says.
func (s *store) checkIdentity(t testing.TB) {
	t.Helper()
	rows, err := s.raw.Query(`SELECT s.stream_id, s.last_seq, s.removed,
		(SELECT COUNT(*) FROM event e WHERE e.stream_no = s.stream_no),
		(SELECT COALESCE(SUM(d.last_seq - d.first_seq + 1), 0) FROM dead_frame d WHERE d.stream_no = s.stream_no)
		FROM ingest_stream s`)
	if err != nil {
		t.Error(err)
		return
	}
	defer rows.Close()
	for rows.Next() {
		var id string
		var last, removed, events, dead int64
		if err := rows.Scan(&id, &last, &removed, &events, &dead); err != nil {
			t.Fatal(err)
		}
		if events != last-removed-dead {
			t.Errorf("stream %s has %d events; counted %d, removed %d, dead %d", id, events, last, removed, dead)
		}
	}
	if err := rows.Err(); err != nil {
		t.Error(err)
	}
}

func (s *store) exec(t testing.TB, query string, args ...any) {
	t.Helper()
	if _, err := s.raw.Exec(query, args...); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
}

// number returns what a query for one number finds.
func (s *store) number(t testing.TB, query string, args ...any) (n int64) {
	t.Helper()
	if err := s.raw.QueryRow(query, args...).Scan(&n); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return n
}

func (s *store) register(t testing.TB, id popup.StreamID) {
	t.Helper()
	if _, err := s.Register(t.Context(), id, 1); err != nil {
		t.Fatal(err)
	}
}

// mustFlush flushes a batch and checks what Flush says.
func (s *store) mustFlush(t testing.TB, b *popup.Batch) {
	t.Helper()
	last, err := s.Flush(t.Context(), b)
	if err != nil {
		t.Fatal(err)
	}
	if last != b.Last {
		t.Fatalf("Flush = %d, want %d", last, b.Last)
	}
}

func (s *store) progress(t testing.TB, id popup.StreamID) uint64 {
	t.Helper()
	last, _, err := s.Progress(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return last
}

// batchOf makes a batch of events that follow after.
func batchOf(id popup.StreamID, after uint64, events ...popup.Event) *popup.Batch {
	for i := range events {
		events[i].Seq = after + uint64(i) + 1
	}
	return &popup.Batch{Stream: id, After: after, Last: after + uint64(len(events)), Events: events}
}

// shown returns an impression of popup 1; acted a click that follows it.
func shown(user string, atMS int64) popup.Event {
	return popup.Event{
		AtMS: atMS, ServedAtMS: atMS, User: []byte(user), Popup: 1, Version: 1, Variant: []byte("a"),
		Action: popup.Impression, Nth: 1, ReadyAtMS: atMS + 86_400_000,
	}
}

func clicked(user string, servedAtMS, atMS int64) popup.Event {
	return popup.Event{
		AtMS: atMS, ServedAtMS: servedAtMS, User: []byte(user), Popup: 1, Version: 1, Variant: []byte("a"),
		Action: popup.Click, Nth: 1, ReadyAtMS: atMS + 1000, ClickUntilMS: atMS + 1000,
	}
}

func reset(user string, atMS int64) popup.Event {
	return popup.Event{AtMS: atMS, User: []byte(user), Action: popup.Reset}
}

// states returns what Restore finds, by user and popup.
func (s *store) states(t testing.TB, nowMS int64) map[stateKey]popup.State {
	t.Helper()
	m := map[stateKey]popup.State{}
	_, err := s.Restore(t.Context(), nowMS, 0, nil, false, func(user []byte, id uint32, st popup.State) {
		m[stateKey{string(user), id}] = st
	})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

type stateKey struct {
	user  string
	popup uint32
}

func streamID(b byte) popup.StreamID { return popup.StreamID{15: b} }

// eventually waits until ok, for things that another process does.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-ctx.Done():
			t.Fatalf("waited too long for: %s", what)
		case <-tick.C:
		}
	}
}
