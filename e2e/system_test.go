package e2e

import (
	"database/sql"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/popupd/popupd/internal/storetest"
	"github.com/popupd/popupd/internal/testbed"
)

// stage is how a world is laid out before its server starts, where that is not
// plain. Faults that share a stage share worlds.
type stage struct {
	name string
	// prepare is called when nothing runs yet. It may start the stores, in a way
	// of its own (mysql, redis) or by startStores, put something between them
	// and the server (dsn, redisURL), say where it keeps its data, and add to flags and env. What it starts
	// ends with w.t. It may use w.rand.
	prepare func(w *world)
}

// plain is the stage with nothing special about it.
var plain = &stage{name: "plain"}

// world is a popupd with a MariaDB and a Redis of its own, under load.
type world struct {
	t     testing.TB
	stage *stage
	seed  uint64
	rand  *rand.Rand // of the iteration; for the goroutine that runs it

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
	wires         wires  // of stage wired
	room          string // of stage cramped: MariaDB's disk

	healthy vitals
	diary   []string // what the faults did
	verdict *verdict // of the last comparison
}

// menu is what the users of a world are shown: popups that never return
// within a test, that do soon, that do until a cap, and with a control group.
var menu = offers{
	{key: "capped", priority: 4, afterImpression: time.Second, afterClick: 2 * time.Second, afterDismiss: 2 * time.Second, maxImpressions: 3},
	{key: "short", priority: 3, afterImpression: 2 * time.Second, afterClick: 5 * time.Second, afterDismiss: 3 * time.Second},
	{key: "tested", priority: 2, afterImpression: 4 * time.Second, afterClick: time.Hour, afterDismiss: time.Hour, control: true},
	{key: "long", priority: 1, afterImpression: 24 * time.Hour, afterClick: 24 * time.Hour, afterDismiss: 24 * time.Hour},
}

// newWorld starts a world, lets it run in and takes its vitals.
func newWorld(t testing.TB, st *stage, seed uint64) *world {
	t.Helper()
	w := &world{t: t, stage: st, seed: seed, rand: rand.New(rand.NewPCG(seed, 0)), binary: binary}
	w.history = newHistory(menu)
	t.Cleanup(func() {
		if t.Failed() {
			w.confess()
		}
	})
	if st.prepare != nil {
		st.prepare(w)
	}
	w.startStores()
	if w.data == "" {
		w.data = t.TempDir()
	}
	w.server = w.another(w.data)
	w.server.waitReady()
	w.db = open(t, w.mysql.DSN("popupd"))
	menu.create(w.server)
	w.attack("warm")
	w.pause(300*time.Millisecond, 300*time.Millisecond)
	w.load.stop()
	w.settle(30 * time.Second)
	w.healthy = w.vitals()
	return w
}

// startStores starts those that do not run yet.
func (w *world) startStores() {
	w.t.Helper()
	if w.mysql == nil {
		w.mysql = storetest.StartMySQL(w.t)
	}
	if w.redis == nil {
		w.redis = storetest.StartRedis(w.t, "--enable-debug-command", "local", "--enable-protected-configs", "local")
	}
	if w.db == nil {
		w.db = open(w.t, w.mysql.DSN(""))
		if _, err := w.db.Exec("CREATE DATABASE popupd"); err != nil {
			w.t.Fatal(err)
		}
	}
	if w.dsn == "" {
		w.dsn = w.mysql.DSN("popupd")
	}
	if w.redisURL == "" {
		w.redisURL = w.redis.URL()
	}
}

// another starts a popupd on the stores. It may not be ready yet.
func (w *world) another(data string, flags ...string) *server {
	w.t.Helper()
	return launchWith(w.t, testbed.PopupdOptions{
		Binary: w.binary, Data: data, Env: w.env, MySQL: w.dsn, Redis: w.redisURL,
		Flags: append(append([]string{"-secret", "of every server"}, w.flags...), flags...),
	})
}

// attack starts a load, whose users are named after it.
func (w *world) attack(name string) { w.load = attack(w.server, w.history, name, w.rand.Uint64()) }

// note writes into the diary, which is the schedule as it was carried out.
func (w *world) note(format string, args ...any) {
	w.diary = append(w.diary, fmt.Sprintf(format, args...))
}

// some returns a random duration.
func (w *world) some(least, most time.Duration) time.Duration {
	return (least + time.Duration(w.rand.Int64N(int64(most-least)+1))).Round(time.Millisecond)
}

// pause waits for a random time, and notes it.
func (w *world) pause(least, most time.Duration) {
	d := w.some(least, most)
	w.note("%v", d)
	<-time.After(d)
}

// confess says what is needed to see what has happened.
func (w *world) confess() {
	w.t.Logf("seed %d, stage %s; the schedule so far:\n%s", w.seed, w.stage.name, strings.Join(w.diary, " "))
	path, err := w.history.write()
	if err != nil {
		w.t.Logf("the history could not be kept: %v", err)
		return
	}
	w.t.Logf("the history, every attempt and its answer: %s", path)
}

// settle waits until all that was acknowledged is counted and nothing is on
// its way any more, and returns how long that took.
func (w *world) settle(within time.Duration) time.Duration {
	w.t.Helper()
	start := time.Now()
	eventually(w.t, within, func() error {
		if n, err := w.server.metric("popupd_queue_depth_events"); err != nil || n > 0 {
			return fmt.Errorf("%v events wait to be counted, %v", n, err)
		}
		if reply, err := w.redis.Command("DBSIZE"); err != nil || reply != ":0" {
			return fmt.Errorf("redis still holds %s keys, %v", reply, err)
		}
		return nil
	})
	return time.Since(start)
}
