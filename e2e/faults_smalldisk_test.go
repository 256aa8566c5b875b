package e2e

import (
	"errors"
	"os"
	"time"

	"github.com/popupd/popupd/internal/storetest"
)

// cramped is the wired stage with MariaDB on a disk of its own, with little room.
var cramped = &stage{name: "cramped", prepare: func(w *world) {
	w.room = mount(w.t, "tmpfs", "size=320m")
	w.mysql = storetest.StartMySQLIn(w.t, w.room, "--innodb-log-file-size=16M", "--innodb-buffer-pool-size=32M")
	wired.prepare(w)
}}

// roomFaults take MariaDB the room for its data.
var roomFaults = []fault{{
	name: "mariadb: disk full", stage: cramped, bites: `committing is interrupted`, long: true,
	run: func(w *world) {
		w.endure(func() {
			refused, gone := w.flushErrors("other"), w.flushErrors("connection")
			full := ballast(w.t, w.room)
			eventually(w.t, 30*time.Second, func() error { // what is allocated is used up first
				if w.flushErrors("other")+w.flushErrors("connection") == refused+gone {
					return errors.New("MariaDB does not mind")
				}
				return nil
			})
			w.pause(time.Second, 3*time.Second)
			if err := os.Remove(full); err != nil {
				w.t.Fatal(err)
			}
			if err := w.db.Ping(); err != nil { // it ends when InnoDB cannot write
				w.note("MariaDB has ended, and is started again")
				w.mysql.Restart(w.t)
			}
		})
	},
}}
