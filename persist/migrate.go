package persist

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/pressly/goose/v3"

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

// Migrate brings the schema up to date. It returns [ErrNewerSchema] if a newer
// popupd has been here. Servers that start together may all call it.
func (db *DB) Migrate(ctx context.Context) error {
	const firstPause, lastPause = 50 * time.Millisecond, 800 * time.Millisecond
	for pause := firstPause; ; pause *= 2 {
		again, err := db.migrateOnce(ctx)
		if err == nil {
			return nil
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
// sense: there is no lock between servers, so one may lose a race for a step.
func (db *DB) migrateOnce(ctx context.Context) (again bool, err error) {
	p, err := db.provider()
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
	if _, err := p.Up(ctx); err != nil {
		return loses(err), err
	}
	db.log.Info("schema migrated", "from", before, "to", newest, "duration", time.Since(start))
	return false, nil
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

func (db *DB) provider() (*goose.Provider, error) {
	dir, err := fs.Sub(migrations, "migrations/"+db.dialect.name)
	if err != nil {
		return nil, err
	}
	kind := goose.DialectMySQL
	if !db.dialect.isSession {
		kind = goose.DialectSQLite3
	}
	return goose.NewProvider(kind, db.write, dir, goose.WithTableName(versionTable), goose.WithDisableGlobalRegistry(true))
}
