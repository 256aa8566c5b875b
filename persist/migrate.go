package persist

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"

	"github.com/popupd/popupd/internal/retry"
)

// Migrations hold one DDL statement each, since MySQL commits at every one, and
// change nothing when they are run again, since a crash may come between it and the
// row that records it. In SQLite a migration is a transaction.
//
//go:embed migrations
var migrations embed.FS

// versionTable records which migrations were applied.
const versionTable = "schema_version"

// lockTable has a row that the server which migrates holds.
const lockTable = "schema_lock"

// Migrate brings the schema up to date. It returns [ErrNewerSchema] if a newer
// popupd has been here. Servers that start together may all call it.
func (db *DB) Migrate(ctx context.Context) error {
	const firstPause, lastPause = 50 * time.Millisecond, 800 * time.Millisecond
	for pause := firstPause; ; pause *= 2 {
		again, err := db.migrateOnce(ctx)
		if err == nil {
			return db.makeAudienceKey(ctx)
		}
		if !again || pause > lastPause {
			return fmt.Errorf("migrate store: %w", err)
		}
		if retry.Pause(ctx, pause) != nil { // the other one may need as long
			return fmt.Errorf("migrate store: %w", err)
		}
	}
}

// migrateOnce applies what is missing. It reports whether another try makes
// sense: a server of the version before takes no lock, so one may lose a race to it
// for a step.
func (db *DB) migrateOnce(ctx context.Context) (again bool, err error) {
	pool, err := db.migratePool()
	if err != nil {
		return false, err
	}
	defer func() {
		if pool != db.write {
			_ = pool.Close() // all it did is committed, or failed
		}
	}()
	if err := db.tellsTime(ctx, pool); err != nil {
		return false, err
	}
	if err := db.mayCreate(ctx, pool); err != nil {
		return false, err
	}
	p, err := db.provider(pool)
	if err != nil {
		return false, err
	}
	before, newest, err := p.GetVersions(ctx)
	if err != nil {
		return loses(err), err
	}
	if before > newest {
		return false, fmt.Errorf("%w: version %d, this one knows %d; start the newer one", ErrNewerSchema, before, newest)
	}
	if before == newest {
		return false, nil
	}
	start := time.Now()
	if applied, err := p.Up(ctx); err != nil {
		return loses(err), err
	} else if len(applied) > 0 { // by this server
		db.log.Info("schema migrated", "from", before, "to", newest, "took", time.Since(start))
	}
	return false, nil
}

// tellsTime returns [ErrOldServer] if a server knows no fractions of a second, as MySQL
// before 5.6.4. Nothing else that popupd needs is as new. Version numbers are not asked,
// since poolers make up their own.
func (db *DB) tellsTime(ctx context.Context, pool *sql.DB) error {
	var ms int64
	err := pool.QueryRowContext(ctx, "SELECT "+db.dialect.now).Scan(&ms)
	if my, ok := errors.AsType[*mysql.MySQLError](err); ok && my.Number == 1064 {
		return fmt.Errorf("%w (%w)", ErrOldServer, err)
	}
	return err
}

// mayCreate returns a [*DeniedError] if there is no schema yet and its first table may
// not be made, which goose would try for three seconds. The statement makes nothing: no
// table has two columns of one name.
func (db *DB) mayCreate(ctx context.Context, pool *sql.DB) error {
	if !db.dialect.isSession {
		return nil
	}
	_, err := pool.ExecContext(ctx, "SELECT 1 FROM "+versionTable+" LIMIT 0")
	if !isNoTable(err) {
		return nil
	}
	_, err = pool.ExecContext(ctx, "CREATE TABLE "+versionTable+" (x INT, x INT)")
	if errors.As(err, new(*DeniedError)) {
		return err
	}
	return nil
}

// loses reports whether an error may be that of a race with another server.
func loses(err error) bool {
	if errors.Is(err, ErrNewerSchema) || errors.As(err, new(*DeniedError)) {
		return false
	}
	switch classOf(err) {
	case classConnection, classReadOnly:
		return false
	}
	return true
}

func (db *DB) provider(pool *sql.DB) (*goose.Provider, error) {
	dir, err := fs.Sub(migrations, "migrations/"+db.dialect.name)
	if err != nil {
		return nil, err
	}
	options := []goose.ProviderOption{goose.WithTableName(versionTable), goose.WithDisableGlobalRegistry(true)}
	if !db.dialect.isSession {
		return goose.NewProvider(goose.DialectSQLite3, pool, dir, options...)
	}
	locker, err := db.migrationLock()
	if err != nil {
		return nil, err
	}
	return goose.NewProvider(goose.DialectMySQL, pool, dir, append(options, goose.WithLocker(locker))...)
}

// migrationLock makes one server at a time migrate: a row with a lease by the
// database's clock. It is no GET_LOCK, which Galera does not share between nodes. A
// server that dies with it is waited for until the lease ends.
func (db *DB) migrationLock() (lock.Locker, error) {
	const lease, retryEvery, tries = 10 * time.Second, 100 * time.Millisecond, 600
	return lock.NewMySQLTableLocker(
		lock.WithTableName(lockTable),
		lock.WithTableLeaseDuration(lease),
		lock.WithTableHeartbeatInterval(lease/5),
		lock.WithTableLockTimeout(retryEvery, tries),
		lock.WithTableUnlockTimeout(retryEvery, 20),
		lock.WithTableRetryPolicy(func(err error) bool { return loses(err) }),
		lock.WithTableLogger(slog.New(slog.DiscardHandler)), // its errors are returned
	)
}
