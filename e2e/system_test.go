//go:build linux

package e2e

import (
	"database/sql"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/popupd/popupd/internal/storetest"
	"github.com/popupd/popupd/internal/testbed"
)

// layout is how a system is set up before its server starts, where that is not
// plainLayout. Faults that share a layout share systems.
type layout struct {
	name string
	// prepare is called when nothing runs yet. It may start the stores, in a way
	// of its own (mysql, redis) or by startStores, put something between them
	// and the server (dsn, redisURL), say where it keeps its data, and add to flags and env. What it starts
	// ends with w.t. It may use w.rand.
	prepare func(sys *system)
}

// plainLayout has nothing special about it.
var plainLayout = &layout{name: "plain"}

// system is a popupd with a MariaDB and a Redis of its own, under load.
type system struct {
	t      testing.TB
	layout *layout
	seed   uint64
	rand   *rand.Rand // of the iteration; for the goroutine that runs it

	mysql         *storetest.MySQLServer
	redis         *storetest.RedisServer
	dsn, redisURL string   // what the server is given
	data          string   // directory; empty: a temporary one
	flags, env    []string // and its further arguments and variables
	binary        string   // and what it is
	server        *server
	db            *sql.DB // straight to MariaDB, as root
	history       *history
	load          *load
	proxies       proxies // of proxiedLayout
	mysqlDir      string  // of smallDatabaseDisk

	baseline resources
	steps    []string  // what the faults did
	findings *findings // of the last comparison
}

// loadPopups are what the users of a system are shown: popups that never return
// within a test, that do soon, that do a few times, that are to be confirmed, and with a control group.
var loadPopups = popupSpecs{
	{key: "confirmed", priority: 5, afterImpression: 3 * time.Second, afterClick: 5 * time.Second, afterDismiss: 4 * time.Second, maxImpressions: 4, confirm: time.Second},
	{key: "capped", priority: 4, afterImpression: time.Second, afterClick: 2 * time.Second, afterDismiss: 2 * time.Second, maxImpressions: 3},
	{key: "short", priority: 3, afterImpression: 2 * time.Second, afterClick: 5 * time.Second, afterDismiss: 3 * time.Second},
	{key: "tested", priority: 2, afterImpression: 4 * time.Second, afterClick: time.Hour, afterDismiss: time.Hour, control: true},
	{key: "long", priority: 1, afterImpression: 24 * time.Hour, afterClick: 24 * time.Hour, afterDismiss: 24 * time.Hour},
}

// loadCaps are what limits them together: a few at a time, and a few of two popups ever.
var loadCaps = capSpecs{{"burst", 3, 5 * time.Second, nil}, {"offers", 4, time.Hour, []string{"capped", "short"}}}

// newSystem starts a system, lets it run in and measures its resources.
func newSystem(t testing.TB, l *layout, seed uint64) *system {
	t.Helper()
	sys := &system{t: t, layout: l, seed: seed, rand: rand.New(rand.NewPCG(seed, 0)), binary: binary}
	sys.history = newHistory(loadPopups)
	t.Cleanup(func() {
		if t.Failed() {
			sys.reportFailure()
		}
	})
	if l.prepare != nil {
		l.prepare(sys)
	}
	sys.startStores()
	if sys.data == "" {
		sys.data = t.TempDir()
	}
	sys.server = sys.another(sys.data)
	sys.server.waitReady()
	sys.db = openDB(t, sys.mysql.DSN("popupd"))
	loadPopups.create(sys.server)
	sys.history.caps = loadCaps
	loadCaps.create(sys.server)
	sys.startLoad("warm")
	sys.load.waitAcked(100)
	sys.load.stop()
	sys.waitDrained(30 * time.Second)
	sys.baseline = sys.resources()
	return sys
}

// startStores starts those that do not run yet.
func (sys *system) startStores() {
	sys.t.Helper()
	if sys.mysql == nil {
		sys.mysql = storetest.StartMySQL(sys.t)
	}
	if sys.redis == nil {
		sys.redis = storetest.StartRedis(sys.t, "--enable-debug-command", "local", "--enable-protected-configs", "local")
	}
	if sys.db == nil {
		sys.db = openDB(sys.t, sys.mysql.DSN(""))
		if _, err := sys.db.Exec("CREATE DATABASE popupd"); err != nil {
			sys.t.Fatal(err)
		}
	}
	if sys.dsn == "" {
		sys.dsn = sys.mysql.DSN("popupd")
	}
	if sys.redisURL == "" {
		sys.redisURL = sys.redis.URL()
	}
}

// another starts a popupd on the stores. It may not be ready yet.
func (sys *system) another(data string, flags ...string) *server {
	sys.t.Helper()
	return launchWith(sys.t, testbed.PopupdOptions{
		Binary: sys.binary, Data: data, Env: sys.env, MySQL: sys.dsn, Redis: sys.redisURL,
		Flags: slices.Concat([]string{"-secret", "of every server", "-state-scope", *chaosScope}, sys.flags, flags),
	})
}

// startLoad starts a load, whose users are named after it.
func (sys *system) startLoad(name string) {
	sys.load = startLoad(sys.server, sys.history, name, sys.rand.Uint64())
}

// note records a step of the schedule as it was carried out.
func (sys *system) note(format string, args ...any) {
	sys.steps = append(sys.steps, fmt.Sprintf(format, args...))
}

// randomDuration returns a random duration.
func (sys *system) randomDuration(least, most time.Duration) time.Duration {
	return (least + time.Duration(sys.rand.Int64N(int64(most-least)+1))).Round(time.Millisecond)
}

// pause waits for a random time, and notes it.
func (sys *system) pause(least, most time.Duration) {
	d := sys.randomDuration(least, most)
	sys.note("%v", d)
	<-time.After(d)
}

// reportFailure logs what is needed to see what has happened.
func (sys *system) reportFailure() {
	sys.t.Logf("seed %d, layout %s; the schedule so far:\n%s", sys.seed, sys.layout.name, strings.Join(sys.steps, " "))
	path, err := sys.history.write()
	if err != nil {
		sys.t.Logf("the history could not be kept: %v", err)
		return
	}
	sys.t.Logf("the history, every attempt and its answer: %s", path)
}

// waitDrained waits until all that was acknowledged is committed and nothing is on
// its way any more, and returns how long that took.
func (sys *system) waitDrained(within time.Duration) time.Duration {
	sys.t.Helper()
	start := time.Now()
	eventually(sys.t, within, func() error {
		if n, err := sys.server.metric("popupd_queue_depth_events"); err != nil || n > 0 {
			return fmt.Errorf("%v events wait to be committed, %v", n, err)
		}
		if reply, err := sys.redis.Command("DBSIZE"); err != nil || reply != ":0" {
			return fmt.Errorf("redis still holds %s keys, %v", reply, err)
		}
		return nil
	})
	return time.Since(start)
}
