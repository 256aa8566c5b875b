package persist

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/go-sql-driver/mysql"

	"github.com/popupd/popupd/internal/storetest"
)

// FuzzDSN: a DSN is taken if the driver reads it and it names a database, and an
// error shows nothing of it.
func FuzzDSN(f *testing.F) {
	f.Add("user:password@tcp(host:3306)/database")
	f.Add("root@unix(/run/mysqld.sock)/db?multiStatements=true&timeout=0s")
	f.Add("u:p@tcp([::1]:3306)/db?charset=latin1&collation=x&tls=none")
	f.Add("u@cloudsql(x)/")
	f.Add("u:p@tcp(a:1,b)/db")
	f.Add("u:p@tcp(a:1,)/db")
	f.Fuzz(func(t *testing.T, dsn string) {
		if dsn == "" {
			return // SQLite
		}
		nodes, nodesErr := Nodes(dsn)
		if nodesErr != nil {
			nodes = []string{"/not read"}
		}
		config, parseErr := mysql.ParseDSN(nodes[0])
		db, err := Open(Config{DSN: dsn})
		if err == nil {
			if nodesErr != nil || parseErr != nil || config.DBName == "" {
				t.Errorf("%q is taken, the driver reads %+v, %v", dsn, config, parseErr)
			}
			if err := db.Close(); err != nil {
				t.Error(err)
			}
			return
		}
		if nodesErr != nil {
			if !errors.Is(err, errNodesNet) && !errors.Is(err, errNodesAddress) {
				t.Errorf("%q: %v, want %v", dsn, err, nodesErr)
			}
			return
		}
		text := strings.TrimPrefix(err.Error(), "open store: the MySQL DSN ")
		switch text {
		case "is not readable; it looks like user:password@tcp(host:3306)/database":
			if parseErr == nil {
				t.Errorf("%q is refused, but the driver reads it", dsn)
			}
		case "names no database; it looks like user:password@tcp(host:3306)/database":
			if parseErr != nil || config.DBName != "" {
				t.Errorf("%q is refused: %v, the driver reads %+v, %v", dsn, err, config, parseErr)
			}
		case "has options that exclude each other or name what is not registered":
		default:
			t.Errorf("%q: %v", dsn, err)
		}
	})
}

func TestVariables(t *testing.T) {
	dsn := storetest.MySQL(t)
	global, session, err := Variables(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	if got := global["innodb_flush_log_at_trx_commit"]; got != "1" {
		t.Errorf("global innodb_flush_log_at_trx_commit = %q, want 1", got)
	}
	if got := session["sql_mode"]; !strings.Contains(got, "STRICT_ALL_TABLES") {
		t.Errorf("session sql_mode = %q, want what the store asks for", got)
	}
	if got := session["innodb_lock_wait_timeout"]; got != "10" {
		t.Errorf("session innodb_lock_wait_timeout = %q, want 10", got)
	}
}

// TestSessionsAreCausal: statements of all pools wait for other nodes of a Galera cluster.
// TestGalera tries that they do wait.
func TestSessionsAreCausal(t *testing.T) {
	storetest.NeedMariaDB(t, "Galera")
	s := onMySQL(t)
	restore, err := s.restorePool()
	if err != nil {
		t.Fatal(err)
	}
	defer restore.Close()
	migrate, err := s.migratePool()
	if err != nil {
		t.Fatal(err)
	}
	defer migrate.Close()
	for name, pool := range map[string]*sql.DB{"write": s.write, "read": s.read, "restore": restore, "migrate": migrate, "flush": s.flusher.pool} {
		var got int
		if err := pool.QueryRowContext(t.Context(), "SELECT @@wsrep_sync_wait").Scan(&got); err != nil || got != 7 {
			t.Errorf("%s: wsrep_sync_wait = %d, %v, want 7", name, got, err)
		}
	}
}

// unknowing is a connection to a server that does not know Galera's variables.
type unknowing struct{ driver.ExecerContext }

func (u unknowing) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	if strings.Contains(query, "wsrep") {
		return nil, &mysql.MySQLError{Number: 1193, Message: "Unknown system variable 'wsrep_sync_wait'"}
	}
	return driver.RowsAffected(0), nil
}

func TestServersWithoutGalera(t *testing.T) {
	if err := (readCommitted{}).set(t.Context(), unknowing{}); err != nil {
		t.Error(err)
	}
}

func TestVariablesHidesPassword(t *testing.T) {
	for _, dsn := range []string{"root:hunter2@tcp(127.0.0.1:1)/x", "root:hunter2@@@/", "root:hunter2@tcp(127.0.0.1:1)/"} {
		if _, _, err := Variables(t.Context(), dsn); err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("error %v, want one without the password", err)
		}
	}
}

// asUser opens the store as a user with rights on this database alone.
func (s *store) asUser(t testing.TB, user, password string) *DB {
	t.Helper()
	config, err := mysql.ParseDSN(s.config.DSN)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = s.raw.Exec(fmt.Sprintf("DROP USER %s@'%%'", user)) // there is one if the test is run again
	s.exec(t, fmt.Sprintf("CREATE USER %s@'%%' IDENTIFIED BY '%s'", user, password))
	s.exec(t, fmt.Sprintf("GRANT ALL ON %s.* TO %s@'%%'", config.DBName, user))
	config.User, config.Passwd = user, password
	other := &store{clock: s.clock, config: s.config}
	other.config.DSN = config.FormatDSN()
	return other.open(t)
}

func TestWrongPasswordIsNotShown(t *testing.T) {
	s := onMySQL(t)
	s.asUser(t, "app", "right")
	config, err := mysql.ParseDSN(s.config.DSN)
	if err != nil {
		t.Fatal(err)
	}
	config.User, config.Passwd = "app", "hunter2"
	other := &store{clock: s.clock, config: Config{DSN: config.FormatDSN()}}
	db := other.open(t)
	for name, err := range map[string]error{"Ping": db.Ping(t.Context()), "Migrate": db.Migrate(t.Context())} {
		if err == nil || strings.Contains(err.Error(), "hunter2") || classOf(err) != classConnection {
			t.Errorf("%s = %v (class %s)", name, err, classOf(err))
		}
	}
}

func TestUnreadableDSNs(t *testing.T) {
	for _, dsn := range []string{
		"hunter2", "root:hunter2@tcp(localhost:3306)", "root:hunter2@tcp(localhost:3306)/", "root:hunter2@tcp(localhost:3306/db",
		"root:hunter2@hunter2(x)/db?timeout=x", "root:hunter2@x/db", "root:pw@tcp(h)/db?tls=hunter2", "root:x@/hunter2@tcp(h)/db?hunter2=%",
	} {
		db, err := Open(Config{DSN: dsn})
		if err == nil {
			_ = db.Close()
		}
		if err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("Open(%q) = %v", dsn, err)
		}
	}
	if _, err := Open(Config{}); err == nil {
		t.Error("Open accepts a store that is nowhere")
	}
	if _, err := Open(Config{SQLite: "/no/such/directory/db"}); err == nil {
		t.Error("Open accepts a file that can't be made")
	}
}
