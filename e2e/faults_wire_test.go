package e2e

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/popupd/popupd/internal/storetest"
)

// Faults of the network and of what the stores answer.
var wireFaults = slices.Concat(networkFaults(), commandFaults, sqlFaults, configFaults, roomFaults)

// wires are the proxies of a world.
type wires struct{ mysql, redis *proxy }

const appUser, appPassword = "app", "secret"

// wired is the stage where a proxy stands before each store, and popupd's user
// in MariaDB has rights on its database and no others.
var wired = &stage{name: "wired", prepare: func(w *world) {
	if w.mysql == nil {
		w.mysql = storetest.StartMySQL(w.t, "--net-buffer-length=1024") // no packet is smaller
	}
	w.startStores()
	for _, q := range []string{
		"CREATE USER " + appUser + "@'%' IDENTIFIED BY '" + appPassword + "'",
		"GRANT ALL ON popupd.* TO " + appUser + "@'%'",
		"CREATE DATABASE elsewhere", // for tables of faults
		"CREATE TABLE elsewhere.weight (id INT PRIMARY KEY)",
	} {
		if _, err := w.db.Exec(q); err != nil {
			w.t.Fatalf("%s: %v", q, err)
		}
	}
	w.wires.mysql = startProxy(w.t, w.mysql.Addr, scanMySQL)
	w.wires.redis = startProxy(w.t, w.redis.Addr, scanRedis)
	w.dsn = fmt.Sprintf("%s:%s@tcp(%s)/popupd", appUser, appPassword, w.wires.mysql.addr)
	w.redisURL = "redis://" + w.wires.redis.addr + "/0"
}}

// interrupted is what the server logs when a store fails it.
const interrupted = `interrupted|no news of changes|does not say|can't be asked|are not heard`

// networkFaults are bad weather before each store.
func networkFaults() []fault {
	var list []fault
	for _, c := range []struct {
		name   string
		what   func(r *rand.Rand) weather
		least  time.Duration // it lasts this long, or up to twice as long
		bites  string
		stops  bool // nothing is counted meanwhile
		forget bool // the connections that it met lead nowhere afterwards
		within time.Duration
	}{
		{"latency of 2 s", func(*rand.Rand) weather { return weather{latency: 2 * time.Second} }, 4 * time.Second, "", true, false, 0},
		{"1 KB/s", func(*rand.Rand) weather { return weather{rate: 1000} }, 3 * time.Second, "", true, false, 0},
		{"resets", func(*rand.Rand) weather { return weather{reset: true} }, time.Second, interrupted, true, false, 0},
		{"sliced packets", func(r *rand.Rand) weather { return weather{slice: 1 + r.IntN(64)} }, time.Second, "", false, false, 0},
		{"cut after some bytes", func(r *rand.Rand) weather { return weather{limit: 1 + r.IntN(4000)} }, time.Second, interrupted, false, false, 0},
		{"black hole", func(*rand.Rand) weather { return weather{hole: true} }, 3 * time.Second, "", true, false, 0},
		{"no connection", func(*rand.Rand) weather { return weather{down: true} }, time.Second, interrupted, true, false, 0},
		// popupd waits for an answer of MariaDB for 30 s.
		{"forgotten connections", func(*rand.Rand) weather { return weather{hole: true} }, time.Second, interrupted, false, true, 60 * time.Second},
	} {
		for _, store := range []string{"redis", "mariadb"} {
			list = append(list, fault{
				name: store + ": " + c.name, stage: wired, bites: c.bites, within: c.within, long: c.least > 3*time.Second || c.forget,
				run: func(w *world) {
					p := w.wires.redis
					if store == "mariadb" {
						p = w.wires.mysql
					}
					bad := c.what(w.rand)
					w.note("%s before %s", c.name, store)
					w.endure(func() {
						dials, _, hit := p.counts()
						failed := w.flushErrors("connection")
						p.set(bad)
						w.pause(c.least, 2*c.least)
						if waiting := w.waiting(); c.stops && waiting < 20 {
							w.t.Errorf("only %v events wait to be counted", waiting)
						}
						if c.bites != "" && store == "mariadb" && !c.forget && w.flushErrors("connection") == failed {
							w.t.Error("no flush has failed for the connection")
						}
						if c.forget {
							p.forget()
						}
						p.set(weather{})
						if d, _, h := p.counts(); h == hit && d == dials {
							w.t.Error("nothing met the bad weather")
						}
					})
				},
			})
		}
	}
	return list
}

// waiting returns how many events the server has yet to see counted.
func (w *world) waiting() float64 {
	w.t.Helper()
	n, err := w.server.metric("popupd_queue_depth_events")
	if err != nil {
		w.t.Fatal(err)
	}
	return n
}

// commandFaults are answers that are lost, of commands that were carried out or
// that never arrived.
var commandFaults = []fault{
	commandFault("mariadb: COMMIT whose reply is lost", strike{command: "COMMIT"}),
	commandFault("mariadb: COMMIT lost", strike{command: "COMMIT", lost: true}),
	commandFault("mariadb: COMMIT whose reply is lost, session left behind", strike{command: "COMMIT", held: true}),
	// The session holds the stream's progress: two waits of 5 s for the lock, and it is killed.
	commandFault("mariadb: COMMIT lost, session left behind", strike{command: "COMMIT", lost: true, held: true}),
	commandFault("redis: RPUSH whose reply is lost", strike{command: "RPUSH"}),
	commandFault("redis: RPUSH lost", strike{command: "RPUSH", lost: true}),
	commandFault("redis: RPUSH whose reply is lost, connection left behind", strike{command: "RPUSH", held: true}),
	commandFault("redis: LTRIM whose reply is lost", strike{command: "LTRIM"}),
}

func commandFault(name string, s strike) fault {
	f := fault{name: name, stage: wired, bites: `shipping is interrupted`}
	switch {
	case s.command == "LTRIM":
		f.bites = `committing is interrupted`
	case s.command == "COMMIT" && s.lost && s.held:
		f.bites, f.long = `killed a session left behind`, true
	case s.command == "COMMIT" && s.lost:
		f.bites = `committing is interrupted`
	case s.command == "COMMIT":
		f.bites = "" // it is found to be counted, and nothing is said
	}
	f.run = func(w *world) {
		p := w.wires.redis
		if s.command == "COMMIT" {
			p = w.wires.mysql
		}
		s := s
		s.n = 1 + w.rand.IntN(3)
		if s.held {
			s.n = 1
		}
		w.note("%d times", s.n)
		w.endure(func() {
			_, before, _ := p.counts()
			connections, waits := w.flushErrors("connection"), w.flushErrors("lock_wait")
			p.set(weather{strike: s})
			eventually(w.t, 10*time.Second, func() error {
				if _, struck, _ := p.counts(); struck < before+s.n {
					return fmt.Errorf("%d of %d commands met the strike", struck-before, s.n)
				}
				return nil
			})
			if s.command == "COMMIT" {
				w.until("connection", connections+1, 5*time.Second)
			}
			if f.long {
				w.until("lock_wait", waits+2, 20*time.Second)
			}
			p.set(weather{})
		})
	}
	return f
}
