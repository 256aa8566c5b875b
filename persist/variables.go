package persist

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"strings"
)

// Connections is how many connections to MySQL one server has at most: of its
// pool, the flusher's, and one that restores the users' state.
const Connections = poolConnections + 2

// Variables returns what a MySQL server is set to, as SHOW VARIABLES prints it,
// by names in lower case: for the whole server, and in a session as the store
// makes it. The error of a bad DSN does not show it.
func Variables(ctx context.Context, dsn string) (global, session map[string]string, err error) {
	db := &DB{log: slog.New(slog.DiscardHandler)}
	if err := db.openMySQL(dsn); err != nil {
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
