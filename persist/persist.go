package persist

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"modernc.org/sqlite"

	"github.com/popupd/popupd/internal/tracing"
	"github.com/popupd/popupd/popup"
)

// Config says where the store is.
type Config struct {
	DSN       string        // MySQL, in the form of go-sql-driver, also with several addresses: see [Nodes]; it must name a database
	SQLite    string        // path of the SQLite file, used when DSN is empty
	Host      string        // name of this server in ingest_stream.host
	Retention time.Duration // age at which events are deleted; 0: never
	// ReportZone is the time zone in whose hours statistics are kept, the same on all
	// servers; UTC if nil.
	ReportZone *time.Location
	// PseudonymiseAudit takes users who were erased out of the audit trail, too.
	PseudonymiseAudit bool
	// Notice returns what operators are to be told of a change of a popup; false if nothing.
	// It is kept in the transaction of the change. Nobody is told anything if it is nil.
	Notice func(popup.PopupChange) (popup.Notice, bool)

	Now        func() int64 // ms; time.Now if nil
	Log        *slog.Logger // silent if nil
	Registerer prometheus.Registerer
	Tracer     *tracing.Tracer // of flushes; nil: none

	sessionLife time.Duration // of connections to MySQL; sessionLife if 0
}

// DB is the store. Its methods are safe for concurrent use; times they take and
// return are ms since the epoch, UTC, unless they are time.Time.
//
// Servers share the store, and their clocks may differ. What one server writes and
// another compares with the present (updated_ms, queued_ms, done_ms, dead_frame.at_ms)
// is therefore of the store's own clock on both sides: dialect.now. Times of events
// are those of the server that decided; they are only compared with each other, and
// with ages of days.
type DB struct {
	host         string
	retention    time.Duration
	reportZone   *time.Location
	pseudonymise bool // see Config.PseudonymiseAudit
	notice       func(popup.PopupChange) (popup.Notice, bool)
	now          func() int64
	log          *slog.Logger
	tracer       *tracing.Tracer

	changesAtLeast uint64 // see the constant; tests set it

	dialect *dialect
	metrics metrics
	schema  schemaState
	nodes   nodes // of MySQL
	flusher flusher

	experiments experiments
	popupList   popupList

	write       *sql.DB // small changes
	read        *sql.DB // the same pool as write on MySQL
	restorePool func() (*sql.DB, error)
	migratePool func() (*sql.DB, error)
}

// Open prepares the store. It reads the configuration and, for SQLite, makes
// the file; it does not connect to MySQL, so it succeeds while MySQL is down. The
// error of a bad DSN does not show it.
func Open(c Config) (*DB, error) {
	if c.Now == nil {
		c.Now = func() int64 { return time.Now().UnixMilli() }
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.ReportZone == nil {
		c.ReportZone = time.UTC
	}
	db := &DB{host: clip(c.Host, maxHost), retention: c.Retention, reportZone: c.ReportZone, pseudonymise: c.PseudonymiseAudit, notice: c.Notice, now: c.Now, log: c.Log, tracer: c.Tracer, changesAtLeast: changesAtLeast}
	var err error
	switch {
	case c.DSN != "":
		err = db.openMySQL(c.DSN, cmp.Or(c.sessionLife, sessionLife))
	case c.SQLite != "":
		err = db.openSQLite(c.SQLite)
	default:
		err = errors.New("neither a DSN nor a file")
	}
	if err != nil {
		return nil, fmt.Errorf("open store: %w", err)
	}
	db.metrics = newMetrics(c.Registerer, &db.schema)
	db.flusher.init(db)
	db.experiments.init(db)
	db.popupList.init()
	return db, nil
}

// Close closes all connections. What is under way fails.
func (db *DB) Close() error {
	errs := []error{db.flusher.pool.Close(), db.write.Close()}
	if db.read != db.write {
		errs = append(errs, db.read.Close())
	}
	return errors.Join(errs...)
}

// Ping reports whether the store answers.
func (db *DB) Ping(ctx context.Context) error {
	if err := db.read.PingContext(ctx); err != nil {
		return fmt.Errorf("ping store: %w", err)
	}
	return nil
}

// storeNow returns the time of the store's clock.
func (db *DB) storeNow(ctx context.Context) (ms int64, err error) {
	if err := db.read.QueryRowContext(ctx, "SELECT "+db.dialect.now).Scan(&ms); err != nil {
		return 0, fmt.Errorf("ask the store for the time: %w", err)
	}
	return ms, nil
}

// inTx runs fn in a transaction of its own, and again when the store gives it up
// for a deadlock: Galera reports a conflict between nodes as one, at COMMIT.
func (db *DB) inTx(ctx context.Context, fn func(*sql.Tx) error) error {
	const tries = 4
	for try := 1; ; try++ {
		err := db.once(ctx, fn)
		if try == tries || classOf(err) != classDeadlock {
			return err
		}
	}
}

func (db *DB) once(ctx context.Context, fn func(*sql.Tx) error) error {
	tx, err := db.write.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	defer func() { _ = tx.Rollback() }() // after Commit it does nothing
	if err := fn(tx); err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	return nil
}

// snapshot begins a transaction that only reads and sees the store as it is at
// its first statement.
func snapshot(ctx context.Context, pool *sql.DB) (*sql.Tx, error) {
	tx, err := pool.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true})
	if err != nil {
		return nil, fmt.Errorf("begin snapshot: %w", err)
	}
	return tx, nil
}

// timeOf turns stored milliseconds into a time.
func timeOf(ms int64) time.Time { return time.UnixMilli(ms).UTC() }

// openSQLite opens the file with one connection that writes and a few that read
// beside it (WAL). synchronous=FULL makes a COMMIT survive a power cut.
func (db *DB) openSQLite(path string) error {
	// SQLite makes its journals with the mode of the file, so it only has to be
	// right once.
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	pool := func(options ...string) *sql.DB {
		query := url.Values{
			"_txlock": {"immediate"},
			"_pragma": append([]string{
				"busy_timeout(5000)", // ms
				"journal_mode(WAL)", "synchronous(FULL)",
				// A flush touches pages all over user_popup. 32 MB of cache, and of WAL
				// before it is copied back, make BenchmarkFlush a quarter faster.
				"cache_size(-32000)", "wal_autocheckpoint(8000)",
			}, options...),
		}
		dsn := url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath(), RawQuery: query.Encode()}
		c, connectorErr := sqlite.NewConnector(dsn.String())
		if connectorErr != nil {
			err = fmt.Errorf("sqlite file %s: %w", path, connectorErr)
			return nil
		}
		return sql.OpenDB(c)
	}
	db.write, db.read = pool(), pool("query_only(1)")
	if err != nil {
		return err
	}
	db.write.SetMaxOpenConns(1)
	db.read.SetMaxOpenConns(4)
	db.flusher.pool = db.write
	db.restorePool = func() (*sql.DB, error) { return pool("query_only(1)"), err }
	db.migratePool = func() (*sql.DB, error) { return db.write, nil }
	db.dialect = sqliteDialect()
	return nil
}
