package persist

import (
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/popupd/popupd/internal/storetest"
)

func TestMigrateTwice(t *testing.T) {
	eachStore(t, func(t *testing.T, s *store) {
		mustCreate(t, s, `{"key":"sale"}`)
		if err := s.open(t).Migrate(t.Context()); err != nil {
			t.Fatal(err)
		}
		if at, err := s.Position(t.Context()); err != nil || at.Revision != 1 {
			t.Errorf("revision %d, %v; want 1: nothing was migrated", at.Revision, err)
		}
	})
}

// Servers that are started together find no schema and make it at once.
func TestMigrateTogether(t *testing.T) {
	for name, config := range map[string]Config{
		"mariadb": {DSN: storetest.MySQL(t)},
		"sqlite":  {SQLite: filepath.Join(t.TempDir(), "db")},
	} {
		t.Run(name, func(t *testing.T) {
			s := &store{clock: &clock{}, config: config}
			var servers sync.WaitGroup
			for range 4 {
				db := s.open(t)
				servers.Go(func() {
					if err := db.Migrate(t.Context()); err != nil {
						t.Error(err)
					}
					if _, err := db.Rows(t.Context()); err != nil {
						t.Error(err)
					}
				})
			}
			servers.Wait()
			if name == "sqlite" {
				return // it has one server: its data directory is locked
			}
			var recorded, distinct int
			query := "SELECT COUNT(*), COUNT(DISTINCT version_id) FROM schema_version"
			if err := s.open(t).read.QueryRow(query).Scan(&recorded, &distinct); err != nil || recorded != distinct {
				t.Errorf("%d migrations are recorded %d times, %v; want each once", distinct, recorded, err)
			}
		})
	}
}

// A server that is started while another one is making the table of versions, which
// in MySQL is there a moment before its first row, waits for it.
func TestMigrateWhileAnotherBegins(t *testing.T) {
	s := &store{clock: &clock{}, config: Config{DSN: storetest.MySQL(t)}}
	db := s.open(t)
	var err error
	if s.raw, err = sql.Open("mysql", s.config.DSN); err != nil {
		t.Fatal(err)
	}
	defer s.raw.Close()
	s.exec(t, "CREATE TABLE schema_version (id SERIAL, version_id BIGINT NOT NULL, is_applied BOOLEAN NOT NULL, tstamp TIMESTAMP NULL DEFAULT NOW(), PRIMARY KEY (id))")
	migrated := make(chan error, 1)
	go func() { migrated <- db.Migrate(t.Context()) }()
	select {
	case err := <-migrated:
		t.Fatalf("does not wait: %v", err)
	case <-time.After(100 * time.Millisecond):
	}
	s.exec(t, "INSERT INTO schema_version (version_id, is_applied) VALUES (0, 1)")
	if err := <-migrated; err != nil {
		t.Fatal(err)
	}
	if _, err := db.Rows(t.Context()); err != nil {
		t.Error(err)
	}
}

// MySQL commits at every DDL statement, so a server may die before it has recorded one.
func TestMigrateAfterACrash(t *testing.T) {
	s := onMySQL(t)
	s.exec(t, "DELETE FROM schema_version WHERE version_id > 0")
	if err := s.open(t).Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestNewerSchemaIsRefused(t *testing.T) {
	eachStore(t, func(t *testing.T, s *store) {
		s.exec(t, "INSERT INTO schema_version (version_id, is_applied) VALUES (9999, 1)")
		err := s.Migrate(t.Context())
		if !errors.Is(err, ErrNewerSchema) || !strings.Contains(err.Error(), "9999") {
			t.Errorf("Migrate = %v, want %v with the version", err, ErrNewerSchema)
		}
	})
}

// Analysts read both stores with the same queries.
func TestStoresHaveTheSameColumns(t *testing.T) {
	mysql, sqlite := onMySQL(t), onSQLite(t)
	for _, table := range []string{
		"popups", "popup_revisions", "config_revision", "config_change", "event", "user_popup",
		"popup_stats", "ingest_stream", "dead_frame", "audit", "erasure", "impression", "settings", "popup_why_not",
		"experiment_user", "experiment_count", "experiment_progress", "experiment_decision",
	} {
		if d := cmp.Diff(columns(t, mysql.raw, table), columns(t, sqlite.raw, table)); d != "" {
			t.Errorf("%s (-mariadb +sqlite):\n%s", table, d)
		}
	}
}

func columns(t *testing.T, db *sql.DB, table string) []string {
	t.Helper()
	rows, err := db.Query("SELECT * FROM " + table)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	names, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func TestSQLiteFileIsPrivateAndItsNameIsAnything(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "ä ?mode=ro&x#%41")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "popupd.db")
	s := &store{clock: &clock{}, config: Config{SQLite: path}}
	if err := s.open(t).Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(filepath.Dir(dir), "*", "popupd.db*"))
	if err != nil || len(files) < 2 {
		t.Fatalf("files %v, %v; want the database and its WAL", files, err)
	}
	for _, f := range files {
		info, err := os.Stat(f)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v, want 0600", f, info.Mode())
		}
	}
}
