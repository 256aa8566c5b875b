package persist

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"

	"github.com/popupd/popupd/internal/failpoint"
)

// Timeouts of a connection to MySQL. The driver has none by default.
const (
	dialTimeout    = 5 * time.Second
	ioTimeout      = 30 * time.Second
	restoreTimeout = 10 * time.Minute // the server may look at many rows before it sends the first
)

// poolConnections is the size of the pool for everything but the flusher.
const poolConnections = 16

// session holds variables of a connection's session on the server: SQL by name.
type session map[string]string

// poolSession makes the server strict, whatever its configuration says: a value
// that does not fit is an error and never cut.
func poolSession() session {
	return session{
		"autocommit": "1",
		"sql_mode":   "'STRICT_ALL_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION'",

		"innodb_lock_wait_timeout": "10", // s
	}
}

// flushSession gives up sooner. Its wait_timeout bounds how long a session whose
// client is gone without a word (power, network) holds a stream's progress; the
// connection is not left idle for as long (see idleFlush).
func flushSession() session {
	s := poolSession()
	s["innodb_lock_wait_timeout"] = "5"
	s["wait_timeout"] = "60"
	return s
}

// idleFlush is how long the flusher's connection is kept idle. The server ends
// it after its wait_timeout of 60 s.
const idleFlush = 30 * time.Second

// sessionLife is how long a session may go on writing after another server has made
// the schema newer: see schemaGuard.
const sessionLife = time.Minute

func (db *DB) openMySQL(dsn string, life time.Duration) error {
	dsns, err := Nodes(dsn)
	if err != nil {
		return err
	}
	db.nodes.init(db.log)
	var config *mysql.Config // of all nodes, but for the address
	for _, dsn := range dsns {
		if config, err = mysql.ParseDSN(dsn); err != nil {
			// The driver's error may quote a part of the DSN, and so of the password.
			return errors.New("the MySQL DSN is not readable; it looks like user:password@tcp(host:3306)/database")
		}
		db.nodes.addresses = append(db.nodes.addresses, config.Addr)
	}
	if config.DBName == "" {
		return errors.New("the MySQL DSN names no database; it looks like user:password@tcp(host:3306)/database")
	}
	if err := config.Apply(mysql.Charset("utf8mb4", "")); err != nil {
		return err
	}
	if err := db.schema.init(db.log); err != nil {
		return err
	}
	config.ParseTime = false
	config.InterpolateParams = true
	config.ClientFoundRows = true // an UPDATE counts the rows it finds, also those it leaves as they are
	config.MultiStatements = false
	config.Logger = driverLog{db.log}
	config.Timeout = orDefault(config.Timeout, dialTimeout)
	config.ReadTimeout = orDefault(config.ReadTimeout, ioTimeout)
	config.WriteTimeout = orDefault(config.WriteTimeout, ioTimeout)

	if db.write, err = db.mysqlPool(config, poolSession()); err != nil {
		return err
	}
	db.write.SetMaxOpenConns(poolConnections)
	db.write.SetMaxIdleConns(4)
	db.write.SetConnMaxIdleTime(5 * time.Minute)
	db.write.SetConnMaxLifetime(life)
	db.read = db.write

	flushing := config.Clone()
	if failpoint.Enabled {
		flushing.DialFunc = dialToCommit
	}
	if db.flusher.pool, err = db.mysqlPool(flushing, flushSession()); err != nil {
		return err
	}
	db.flusher.pool.SetMaxOpenConns(1)
	db.flusher.pool.SetConnMaxIdleTime(idleFlush)
	db.flusher.pool.SetConnMaxLifetime(life)

	restoring := config.Clone()
	restoring.ReadTimeout = restoreTimeout
	db.restorePool = func() (*sql.DB, error) { return db.mysqlPool(restoring, poolSession()) }

	migrating := config.Clone()
	migrating.ParseTime = true // goose reads the lease of its lock
	db.migratePool = func() (*sql.DB, error) { return db.mysqlPool(migrating, poolSession()) }
	db.dialect = mysqlDialect()
	return nil
}

func orDefault(d, fallback time.Duration) time.Duration {
	if d == 0 {
		return fallback
	}
	return d
}

// mysqlPool makes a pool of connections with these variables of the session.
func (db *DB) mysqlPool(config *mysql.Config, s session) (*sql.DB, error) {
	config = config.Clone()
	config.Params = maps.Clone(config.Params)
	if config.Params == nil {
		config.Params = map[string]string{}
	}
	maps.Copy(config.Params, s)
	all := failover{nodes: &db.nodes, timeout: orDefault(max(config.Timeout, 0), dialTimeout)} // to the driver less than 0 is no timeout
	for _, address := range db.nodes.addresses {
		config.Addr = address
		if config.TLS != nil {
			config.TLS.ServerName = "" // the driver takes it from the address
		}
		c, err := mysql.NewConnector(config)
		if err != nil {
			return nil, errors.New("the MySQL DSN has options that exclude each other or name what is not registered")
		}
		all.connectors = append(all.connectors, schemaGuard{readCommitted{guarded{c}}, &db.schema})
	}
	if len(all.connectors) == 1 {
		return sql.OpenDB(all.connectors[0]), nil
	}
	return sql.OpenDB(all), nil
}

// Connections is how many connections to MySQL one server has at most: of its
// pool, the flusher's, and one that restores the users' state.
const Connections = poolConnections + 2

// Variables returns what a MySQL server is set to, as SHOW VARIABLES prints it,
// by names in lower case: for the whole server, and in a session as the store
// makes it. The error of a bad DSN does not show it.
func Variables(ctx context.Context, dsn string) (global, session map[string]string, err error) {
	db := &DB{log: slog.New(slog.DiscardHandler)}
	if err := db.openMySQL(dsn, sessionLife); err != nil {
		return nil, nil, err
	}
	defer func() { _ = db.Close() }() // it has only read
	if global, err = variables(ctx, db.read, "SHOW GLOBAL VARIABLES"); err != nil {
		return nil, nil, err
	}
	if session, err = variables(ctx, db.read, "SHOW SESSION VARIABLES"); err != nil {
		return nil, nil, err
	}
	return global, session, nil
}

func variables(ctx context.Context, pool *sql.DB, query string) (map[string]string, error) {
	rows, err := pool.QueryContext(ctx, query)
	if err != nil {
		return nil, fmt.Errorf("ask for variables: %w", err)
	}
	defer rows.Close()
	m := map[string]string{}
	for rows.Next() {
		var name, value string
		if err := rows.Scan(&name, &value); err != nil {
			return nil, fmt.Errorf("ask for variables: %w", err)
		}
		m[strings.ToLower(name)] = value
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("ask for variables: %w", err)
	}
	return m, nil
}
