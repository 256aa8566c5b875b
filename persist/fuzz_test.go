package persist

import (
	"strings"
	"testing"

	"github.com/go-sql-driver/mysql"
)

// FuzzDSN: a DSN is taken if the driver reads it and it names a database, and an
// error shows nothing of it.
func FuzzDSN(f *testing.F) {
	f.Add("user:password@tcp(host:3306)/database")
	f.Add("root@unix(/run/mysqld.sock)/db?multiStatements=true&timeout=0s")
	f.Add("u:p@tcp([::1]:3306)/db?charset=latin1&collation=x&tls=none")
	f.Add("u@cloudsql(x)/")
	f.Fuzz(func(t *testing.T, dsn string) {
		if dsn == "" {
			return // SQLite
		}
		config, parseErr := mysql.ParseDSN(dsn)
		db, err := Open(Config{DSN: dsn})
		if err == nil {
			if parseErr != nil || config.DBName == "" {
				t.Errorf("%q is taken, the driver reads %+v, %v", dsn, config, parseErr)
			}
			if err := db.Close(); err != nil {
				t.Error(err)
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
