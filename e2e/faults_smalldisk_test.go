//go:build linux

package e2e

import (
	"errors"
	"os"
	"time"

	"github.com/popupd/popupd/internal/storetest"
)

// smallDatabaseDisk is proxiedLayout with MariaDB on a small disk of its own.
var smallDatabaseDisk = &layout{name: "cramped", prepare: func(sys *system) {
	sys.mysqlDir = mount(sys.t, "tmpfs", "size=320m")
	sys.mysql = storetest.StartMySQLIn(sys.t, sys.mysqlDir, "--innodb-log-file-size=16M", "--innodb-buffer-pool-size=32M")
	proxiedLayout.prepare(sys)
}}

// roomFaults take MariaDB the room for its data.
var roomFaults = []fault{{
	name: "mariadb: disk full", layout: smallDatabaseDisk, evidence: `committing is interrupted`, long: true,
	run: func(sys *system) {
		sys.limitRetries(func() {
			refused, gone := sys.flushErrors("other"), sys.flushErrors("connection")
			full := ballast(sys.t, sys.mysqlDir)
			eventually(sys.t, 30*time.Second, func() error { // what is allocated is used up first
				if sys.flushErrors("other")+sys.flushErrors("connection") == refused+gone {
					return errors.New("MariaDB does not mind")
				}
				return nil
			})
			sys.pause(time.Second, 3*time.Second)
			if err := os.Remove(full); err != nil {
				sys.t.Fatal(err)
			}
			if err := sys.db.Ping(); err != nil { // it ends when InnoDB cannot write
				sys.note("MariaDB has ended, and is started again")
				sys.mysql.Restart(sys.t)
			}
		})
	},
}}
