package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/popupd/popupd/internal/testbed"
)

// Faults of the processes: popupd, Redis and MariaDB end, stand still, come
// twice, or forget.
var processFaults = []fault{
	{
		name: "server killed", answers: orNone, bites: `journal adopts a stream`,
		run: func(w *world) {
			w.note("kill popupd")
			w.server.Kill()
			w.pause(0, 200*time.Millisecond)
			w.server.again()
		},
	},
	{
		name: "server killed while it starts", answers: orNone, bites: `journal adopts a stream`,
		run: func(w *world) {
			w.note("kill popupd")
			w.server.Kill()
			for range 2 + w.rand.IntN(2) {
				w.server.spawn()
				w.pause(10*time.Millisecond, 200*time.Millisecond)
				w.note("kill popupd")
				w.server.Kill()
			}
			w.server.again()
		},
	},
	{
		name: "server told to end", answers: orNone, bites: `events shipped and committed`,
		run: func(w *world) {
			w.note("terminate popupd")
			w.server.stop()
			w.server.again()
		},
	},
	{
		name: "server told to end, then killed", answers: orNone, bites: `data plane closed|journal adopts a stream`,
		run: func(w *world) {
			w.note("terminate popupd")
			w.server.send(syscall.SIGTERM)
			if w.rand.IntN(2) == 0 {
				w.pause(0, 50*time.Millisecond) // in the middle of it
			} else {
				w.pause(0, time.Second)
			}
			w.note("kill popupd")
			w.server.Kill()
			w.server.again()
		},
	},
	{
		name: "server stands still", answers: orNone,
		run: func(w *world) {
			w.note("stop popupd")
			w.server.send(syscall.SIGSTOP)
			w.pause(200*time.Millisecond, 2500*time.Millisecond)
			w.server.send(syscall.SIGCONT)
		},
	},
	{
		name: "redis killed, starts empty", bites: `shipping is interrupted|sending the stream again`,
		run: func(w *world) {
			w.note("kill redis")
			w.redis.Kill()
			w.pause(0, 500*time.Millisecond)
			w.redis.Restart(w.t)
		},
	},
	{
		name: "redis stands still", bites: `is interrupted`,
		run: func(w *world) {
			w.still("redis", w.redis.Process)
			if w.rand.IntN(2) == 0 {
				w.pause(300*time.Millisecond, 2*time.Second)
			} else {
				w.pause(4500*time.Millisecond, 5500*time.Millisecond) // the client gives up 3 s after a command
			}
			w.moves(w.redis.Process)
		},
	},
	{
		name: "mariadb killed", bites: `committing is interrupted`,
		run: func(w *world) {
			w.note("kill mariadb")
			w.mysql.Kill()
			w.pause(0, 500*time.Millisecond)
			w.mysql.Restart(w.t)
		},
	},
	{
		name: "mariadb stands still", // nobody gives up within 5 s: it leaves no line
		run: func(w *world) {
			w.still("mariadb", w.mysql.Process)
			w.pause(300*time.Millisecond, 4*time.Second)
			w.moves(w.mysql.Process)
		},
	},
	{
		name: "both stores killed", bites: `is interrupted`,
		run: func(w *world) {
			w.note("kill redis and mariadb")
			w.redis.Kill()
			w.mysql.Kill()
			w.pause(0, time.Second)
			w.mysql.Restart(w.t)
			w.pause(0, 500*time.Millisecond)
			w.redis.Restart(w.t)
		},
	},
	{
		name: "all killed, in any order", answers: orNone, bites: `journal adopts a stream`,
		run: func(w *world) {
			kills := []func(){w.server.Kill, w.redis.Kill, w.mysql.Kill}
			starts := []func(){
				func() { w.server.run() },
				func() { w.redis.Restart(w.t) },
				func() { w.mysql.Restart(w.t) },
			}
			names := []string{"popupd", "redis", "mariadb"}
			for _, i := range w.rand.Perm(3) {
				w.note("kill %s", names[i])
				kills[i]()
				w.pause(0, 20*time.Millisecond)
			}
			for _, i := range w.rand.Perm(3) {
				w.note("start %s", names[i])
				starts[i]()
				w.pause(0, 200*time.Millisecond)
			}
			w.server.waitReady()
		},
	},
	{
		// Both ship and count the streams of the original.
		name: "server started on a copy of the data", bites: `sending the stream again|committing is interrupted`,
		run: func(w *world) {
			w.note("copy")
			dir := filepath.Join(w.t.TempDir(), "copy")
			if err := os.CopyFS(dir, os.DirFS(w.server.Data)); err != nil {
				w.t.Fatal(err)
			}
			copied := w.another(dir)
			w.pause(300*time.Millisecond, 1500*time.Millisecond)
			w.note("kill the copy")
			copied.Kill()
		},
	},
	{
		name: "servers overlap on one data directory", answers: orNone, bites: `journal adopts a stream`,
		run: func(w *world) {
			w.note("start another")
			next := w.another(w.server.Data)
			next.waitReady()
			w.pause(0, 500*time.Millisecond)
			if w.rand.IntN(2) == 0 {
				w.note("kill popupd")
				w.server.Kill()
			} else {
				w.note("terminate popupd")
				w.server.stop()
			}
			w.pause(0, 200*time.Millisecond)
			w.server.again()
			w.pause(0, 200*time.Millisecond)
			w.note("terminate the other")
			next.stop()
		},
	},
	{
		name: "redis is emptied", bites: `sending the stream again`,
		run: func(w *world) {
			w.often(func() { w.order("FLUSHALL") })
		},
	},
	{
		name: "a list in redis is deleted", bites: `sending the stream again`,
		run: func(w *world) {
			w.often(func() {
				for _, key := range w.lists() {
					w.order("DEL " + key)
				}
			})
		},
	},
	{
		name: "redis swaps databases", bites: `sending the stream again`,
		run: func(w *world) {
			w.often(func() { w.order("SWAPDB 0 1") })
			w.order("EVAL \"redis.call('select',1) return redis.call('flushdb')\" 0") // which keeps old frames
		},
	},
	{
		name: "a list in redis is made a string", bites: `the key is not a list`,
		run: func(w *world) {
			w.often(func() {
				for _, key := range w.lists() {
					w.order("SET " + key + " nonsense")
				}
			})
		},
	},
	{
		name: "redis has no memory", bites: `is interrupted.*OOM`,
		run: func(w *world) {
			w.setting("maxmemory", "1mb", "0")
		},
	},
	{
		name: "redis evicts", bites: `sending the stream again`,
		run: func(w *world) {
			w.order("CONFIG SET maxmemory-policy allkeys-random")
			w.setting("maxmemory", "1mb", "0")
			w.order("CONFIG SET maxmemory-policy noeviction")
		},
	},
	{
		name: "redis is a replica", bites: `is interrupted.*READONLY`,
		run: func(w *world) {
			w.order("REPLICAOF 127.0.0.1 1")
			w.pause(300*time.Millisecond, 1500*time.Millisecond)
			w.order("REPLICAOF NO ONE")
		},
	},
	{
		name: "redis is busy with a script", bites: `is interrupted.*BUSY`,
		run: func(w *world) {
			w.order("CONFIG SET busy-reply-threshold 10")
			ended := make(chan string, 1)
			go func() {
				reply, err := w.redis.Command("EVAL \"while true do end\" 0")
				ended <- fmt.Sprint(reply, err)
			}()
			w.note("script")
			w.pause(300*time.Millisecond, 1500*time.Millisecond)
			eventually(w.t, 10*time.Second, func() error {
				_, err := w.redis.Command("SCRIPT KILL")
				select {
				case <-ended:
					return nil
				default:
					return fmt.Errorf("the script goes on, %v", err)
				}
			})
		},
	},
	{
		name: "redis loads its data", bites: `is interrupted.*LOADING`,
		run: func(w *world) {
			w.order("EVAL \"for i=1,2000 do redis.call('set','x'..i,i) end\" 0")
			w.order("CONFIG SET dbfilename reload.rdb") // which the next start does not read
			w.order("CONFIG SET loading-process-events-interval-bytes 1024")
			w.order(fmt.Sprintf("CONFIG SET key-load-delay %d", 200+w.rand.IntN(500))) // microseconds
			w.note("reload")
			w.order("DEBUG RELOAD")
			w.order("CONFIG SET key-load-delay 0")
			w.order("EVAL \"for i=1,2000 do redis.call('del','x'..i) end\" 0")
		},
	},
	{
		name: "redis wants a password", bites: `is interrupted.*NOAUTH`,
		run: func(w *world) {
			w.order("CONFIG SET requirepass secret")
			if _, err := w.redis.Command("AUTH secret\r\nCLIENT KILL TYPE normal SKIPME yes"); err != nil {
				w.t.Fatal(err)
			}
			w.pause(300*time.Millisecond, 1500*time.Millisecond)
			eventually(w.t, 5*time.Second, func() error {
				if _, err := w.redis.Command("AUTH secret\r\nCONFIG SET requirepass \"\""); err != nil {
					return err
				}
				reply, err := w.redis.Command("PING")
				if reply != "+PONG" {
					err = fmt.Errorf("redis answers %q, %v", reply, err)
				}
				return err
			})
		},
	},
}

// still stops a store; moves lets it go on.
func (w *world) still(name string, s *testbed.Process) {
	w.note("stop %s", name)
	if err := s.Signal(syscall.SIGSTOP); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) moves(s *testbed.Process) {
	if err := s.Signal(syscall.SIGCONT); err != nil {
		w.t.Fatal(err)
	}
}

// often does something a few times.
func (w *world) often(f func()) {
	for range 1 + w.rand.IntN(4) {
		f()
		w.pause(50*time.Millisecond, 400*time.Millisecond)
	}
}

// order tells Redis something, which must succeed.
func (w *world) order(command string) {
	w.t.Helper()
	reply, err := w.redis.Command(command)
	if err != nil || strings.HasPrefix(reply, "-") {
		w.t.Fatalf("redis: %s: %q, %v", command, reply, err)
	}
	w.note("%s", strings.Fields(command)[0])
}

// setting sets one of Redis for a while.
func (w *world) setting(name, bad, good string) {
	w.t.Helper()
	w.order("CONFIG SET " + name + " " + bad)
	w.note("%s=%s", name, bad)
	w.pause(300*time.Millisecond, 2*time.Second)
	w.order("CONFIG SET " + name + " " + good)
}

// lists returns the names of the lists of all streams.
func (w *world) lists() []string {
	w.t.Helper()
	ids, err := texts(w.db, "SELECT stream_id FROM ingest_stream WHERE closed = 0")
	if err != nil {
		w.t.Fatal(err)
	}
	for i := range ids {
		ids[i] = "popupd:q:{" + ids[i] + "}"
	}
	return ids
}

// TestTakeover: a server stands still for so long that another one counts its
// streams, and then goes on.
func TestTakeover(t *testing.T) {
	if testing.Short() {
		t.Skip("a stream is taken over after 30 s")
	}
	t.Parallel()
	w := newWorld(t, plain, 1)
	other := w.another(t.TempDir())
	other.waitReady()
	w.play(scene{1, &fault{name: "server stands still past the takeover", answers: orNone, run: func(w *world) {
		eventually(t, 10*time.Second, func() error { // until it is stopped with something to be counted
			w.server.send(syscall.SIGSTOP)
			waiting := 0
			for _, list := range w.lists() {
				if reply, err := w.redis.Command("LLEN " + list); err == nil && reply != ":0" {
					waiting++
				}
			}
			if waiting > 0 {
				return nil
			}
			w.server.send(syscall.SIGCONT)
			return fmt.Errorf("there is nothing to be counted")
		})
		counted, err := count(w.db, "SELECT COUNT(*) FROM event")
		if err != nil {
			t.Fatal(err)
		}
		stopped := time.Now()
		// It may hold a transaction open, for up to a minute: see persist.
		eventually(t, 2*time.Minute, func() error {
			if n, err := count(w.db, "SELECT COUNT(*) FROM event"); err != nil || n <= counted {
				return fmt.Errorf("%d events are counted, as before, %v", n, err)
			}
			return nil
		})
		t.Logf("the other server went on counting after %v", time.Since(stopped).Round(time.Second))
		w.pause(0, 200*time.Millisecond)
		w.server.send(syscall.SIGCONT)
	}}}, new(record))
}
