//go:build linux

package e2e

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/popupd/popupd/internal/storetest"
)

// Faults of the network and of what the stores answer.
var wireFaults = slices.Concat(networkFaults(), commandFaults, sqlFaults, configFaults, roomFaults)

// proxies stand before the stores of a system.
type proxies struct{ mysql, redis *proxy }

const appUser, appPassword = "app", "secret"

// proxiedLayout has a proxy stand before each store, and popupd's user
// in MariaDB has rights on its database and no others.
var proxiedLayout = &layout{name: "wired", prepare: func(sys *system) {
	if sys.mysql == nil {
		sys.mysql = storetest.StartMySQL(sys.t, "--net-buffer-length=1024") // no packet is smaller
	}
	sys.startStores()
	for _, q := range []string{
		"CREATE USER " + appUser + "@'%' IDENTIFIED BY '" + appPassword + "'",
		"GRANT ALL ON popupd.* TO " + appUser + "@'%'",
		"CREATE DATABASE elsewhere", // for tables of faults
		"CREATE TABLE elsewhere.weight (id INT PRIMARY KEY)",
	} {
		if _, err := sys.db.Exec(q); err != nil {
			sys.t.Fatalf("%s: %v", q, err)
		}
	}
	sys.proxies.mysql = startProxy(sys.t, sys.mysql.Addr, scanMySQL)
	sys.proxies.redis = startProxy(sys.t, sys.redis.Addr, scanRedis)
	sys.dsn = fmt.Sprintf("%s:%s@tcp(%s)/popupd", appUser, appPassword, sys.proxies.mysql.addr)
	sys.redisURL = "redis://" + sys.proxies.redis.addr + "/0"
}}

// interrupted is what the server logs when a store fails it.
const interrupted = `interrupted|no news of changes|does not say|can't be asked|are not heard`

// networkFaults disturb the connections to each store.
func networkFaults() []fault {
	var list []fault
	for _, c := range []struct {
		name   string
		what   func(r *rand.Rand) conditions
		least  time.Duration // it lasts this long, or up to twice as long
		bites  string
		stops  bool // nothing is committed meanwhile
		forget bool // the connections that it met lead nowhere afterwards
		within time.Duration
	}{
		{"latency of 2 s", func(*rand.Rand) conditions { return conditions{latency: 2 * time.Second} }, 4 * time.Second, "", true, false, 0},
		{"1 KB/s", func(*rand.Rand) conditions { return conditions{rate: 1000} }, 3 * time.Second, "", true, false, 0},
		{"resets", func(*rand.Rand) conditions { return conditions{reset: true} }, time.Second, interrupted, true, false, 0},
		{"sliced packets", func(r *rand.Rand) conditions { return conditions{slice: 1 + r.IntN(64)} }, time.Second, "", false, false, 0},
		{"cut after some bytes", func(r *rand.Rand) conditions { return conditions{limit: 1 + r.IntN(4000)} }, time.Second, interrupted, false, false, 0},
		{"black hole", func(*rand.Rand) conditions { return conditions{blackHole: true} }, 3 * time.Second, "", true, false, 0},
		{"no connection", func(*rand.Rand) conditions { return conditions{down: true} }, time.Second, interrupted, true, false, 0},
		// popupd waits for an answer of MariaDB for 30 s.
		{"forgotten connections", func(*rand.Rand) conditions { return conditions{blackHole: true} }, time.Second, interrupted, false, true, 60 * time.Second},
	} {
		for _, store := range []string{"redis", "mariadb"} {
			list = append(list, fault{
				name: store + ": " + c.name, layout: proxiedLayout, evidence: c.bites, within: c.within, long: c.least > 3*time.Second || c.forget,
				run: func(sys *system) {
					p := sys.proxies.redis
					if store == "mariadb" {
						p = sys.proxies.mysql
					}
					bad := c.what(sys.rand)
					sys.note("%s before %s", c.name, store)
					sys.limitRetries(func() {
						dials, _, hit := p.counts()
						failed := sys.flushErrors("connection")
						p.set(bad)
						sys.pause(c.least, 2*c.least)
						if waiting := sys.queueDepth(); c.stops && waiting < 20 {
							sys.t.Errorf("only %v events wait to be committed", waiting)
						}
						if c.bites != "" && store == "mariadb" && !c.forget && sys.flushErrors("connection") == failed {
							sys.t.Error("no flush has failed for the connection")
						}
						if c.forget {
							p.forget()
						}
						p.set(conditions{})
						if d, _, h := p.counts(); h == hit && d == dials {
							sys.t.Error("no bytes passed while the network was disturbed")
						}
					})
				},
			})
		}
	}
	return list
}

// queueDepth returns how many events the server has yet to see committed.
func (sys *system) queueDepth() float64 {
	sys.t.Helper()
	n, err := sys.server.metric("popupd_queue_depth_events")
	if err != nil {
		sys.t.Fatal(err)
	}
	return n
}

// commandFaults are answers that are lost, of commands that were carried out or
// that never arrived.
var commandFaults = []fault{
	commandFault("mariadb: COMMIT whose reply is lost", commandLoss{command: "COMMIT"}),
	commandFault("mariadb: COMMIT lost", commandLoss{command: "COMMIT", lost: true}),
	commandFault("mariadb: COMMIT whose reply is lost, session left behind", commandLoss{command: "COMMIT", held: true}),
	// The session holds the stream's progress: two waits of 5 s for the lock, and it is killed.
	commandFault("mariadb: COMMIT lost, session left behind", commandLoss{command: "COMMIT", lost: true, held: true}),
	commandFault("redis: RPUSH whose reply is lost", commandLoss{command: "RPUSH"}),
	commandFault("redis: RPUSH lost", commandLoss{command: "RPUSH", lost: true}),
	commandFault("redis: RPUSH whose reply is lost, connection left behind", commandLoss{command: "RPUSH", held: true}),
	commandFault("redis: LTRIM whose reply is lost", commandLoss{command: "LTRIM"}),
}

func commandFault(name string, s commandLoss) fault {
	f := fault{name: name, layout: proxiedLayout, evidence: `shipping is interrupted`}
	switch {
	case s.command == "LTRIM":
		f.evidence = `committing is interrupted`
	case s.command == "COMMIT" && s.lost && s.held:
		f.evidence, f.long = `killing an orphaned session`, true
	case s.command == "COMMIT" && s.lost:
		f.evidence = `committing is interrupted`
	case s.command == "COMMIT":
		f.evidence = "" // it is found to be committed, and nothing is said
	}
	f.run = func(sys *system) {
		p := sys.proxies.redis
		if s.command == "COMMIT" {
			p = sys.proxies.mysql
		}
		s := s
		s.n = 1 + sys.rand.IntN(3)
		if s.held {
			s.n = 1
		}
		sys.note("%d times", s.n)
		sys.limitRetries(func() {
			connections, waits := sys.flushErrors("connection"), sys.flushErrors("lock_wait")
			strike := func() {
				_, before, _ := p.counts()
				p.set(conditions{commandLoss: s})
				eventually(sys.t, 10*time.Second, func() error {
					if _, struck, _ := p.counts(); struck < before+s.n {
						return fmt.Errorf("%d of %d commands met the strike", struck-before, s.n)
					}
					return nil
				})
			}
			strike()
			if s.command == "COMMIT" { // which may have been that of a reset's audit
				last := time.Now()
				eventually(sys.t, 15*time.Second, func() error {
					if sys.flushErrors("connection") > connections {
						return nil
					}
					if time.Since(last) > 2*time.Second {
						strike()
						last = time.Now()
					}
					return errors.New("no flush met the strike")
				})
			}
			if f.long {
				sys.waitFlushErrors("lock_wait", waits+2, 20*time.Second)
			}
			p.set(conditions{})
		})
	}
	return f
}
