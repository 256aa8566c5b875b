package persist

import (
	"database/sql"
	"fmt"
	"net/url"
	"os"

	"modernc.org/sqlite"
)

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
	db.dialect = sqliteDialect()
	return nil
}
