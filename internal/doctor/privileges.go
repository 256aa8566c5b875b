package doctor

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"github.com/go-sql-driver/mysql"

	"github.com/popupd/popupd/tuning"
)

// attempts are statements that need one privilege each and change nothing: the table
// is not there, and no table has two columns of one name. Servers look at privileges
// before they look at tables.
func attempts(table string) map[string]string {
	return map[string]string{
		"SELECT": "SELECT 1 FROM " + table + " LIMIT 0",
		"INSERT": "INSERT INTO " + table + " SET x = 1",
		"UPDATE": "UPDATE " + table + " SET x = 1 WHERE FALSE",
		"DELETE": "DELETE FROM " + table + " WHERE FALSE",
		"CREATE": "CREATE TABLE " + table + " (x INT, x INT)",
		"ALTER":  "ALTER TABLE " + table + " COMMENT ''",
	}
}

// Numbers of errors, see
// https://dev.mysql.com/doc/mysql-errors/8.0/en/server-error-reference.html
const (
	dbAccessDenied    = 1044
	duplicateColumn   = 1060
	tableAccessDenied = 1142
	noSuchTable       = 1146
)

// askPrivileges asks a server what the user of a DSN may do in its database. What it
// does not tell is left out.
func askPrivileges(ctx context.Context, dsn string) (p tuning.Privileges, err error) {
	config, err := mysql.ParseDSN(dsn)
	if err != nil {
		return p, errors.New("the DSN is not readable") // its error may show a part of it
	}
	config.Logger = new(mysql.NopLogger)
	connector, err := mysql.NewConnector(config)
	if err != nil {
		return p, errors.New("the DSN is not usable")
	}
	db := sql.OpenDB(connector)
	defer db.Close()
	p.Database, p.Allowed = config.DBName, make(map[string]bool)
	if err := db.QueryRowContext(ctx, "SELECT CURRENT_USER()").Scan(&p.User); err != nil {
		return p, fmt.Errorf("ask for the user: %w", err)
	}
	p.Grants = askGrants(ctx, db)
	var tables int
	query := "SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'schema_version'"
	if err := db.QueryRowContext(ctx, query).Scan(&tables); err == nil {
		p.HasSchema = tables > 0
	}
	for privilege, statement := range attempts("popupd_doctor_" + strings.ToLower(rand.Text())) {
		_, err := db.ExecContext(ctx, statement)
		var refusal *mysql.MySQLError
		switch {
		case err == nil:
			p.Allowed[privilege] = true
		case !errors.As(err, &refusal):
		case refusal.Number == noSuchTable || refusal.Number == duplicateColumn:
			p.Allowed[privilege] = true
		case refusal.Number == tableAccessDenied || refusal.Number == dbAccessDenied:
			p.Allowed[privilege] = false
		}
	}
	return p, nil
}

// askGrants returns the lines of SHOW GRANTS, as far as they can be read.
func askGrants(ctx context.Context, db *sql.DB) (lines []string) {
	rows, err := db.QueryContext(ctx, "SHOW GRANTS")
	if err != nil {
		return nil
	}
	defer rows.Close()
	for rows.Next() {
		var line string
		if rows.Scan(&line) == nil {
			lines = append(lines, line)
		}
	}
	if rows.Err() != nil {
		return nil
	}
	return lines
}
