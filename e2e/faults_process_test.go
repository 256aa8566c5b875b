//go:build linux

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
		name: "server killed", answers: someUnanswered, evidence: `journal adopts a stream`,
		run: func(sys *system) {
			sys.note("kill popupd")
			sys.server.Kill()
			sys.pause(0, 200*time.Millisecond)
			sys.server.restart()
		},
	},
	{
		name: "server killed while it starts", answers: someUnanswered, evidence: `journal adopts a stream`,
		run: func(sys *system) {
			sys.note("kill popupd")
			sys.server.Kill()
			for range 2 + sys.rand.IntN(2) {
				sys.server.mustSpawn()
				sys.pause(10*time.Millisecond, 200*time.Millisecond)
				sys.note("kill popupd")
				sys.server.Kill()
			}
			sys.server.restart()
		},
	},
	{
		name: "server told to end", answers: someUnanswered, evidence: `events shipped and committed`,
		run: func(sys *system) {
			sys.note("terminate popupd")
			sys.server.stop()
			sys.server.restart()
		},
	},
	{
		name: "server told to end, then killed", answers: someUnanswered, evidence: `data plane closed|journal adopts a stream`,
		run: func(sys *system) {
			sys.note("terminate popupd")
			sys.server.send(syscall.SIGTERM)
			if sys.rand.IntN(2) == 0 {
				sys.pause(0, 50*time.Millisecond) // in the middle of it
			} else {
				sys.pause(0, time.Second)
			}
			sys.note("kill popupd")
			sys.server.Kill()
			sys.server.restart()
		},
	},
	{
		name: "server stands still", answers: someUnanswered,
		run: func(sys *system) {
			sys.note("stop popupd")
			sys.server.send(syscall.SIGSTOP)
			sys.pause(200*time.Millisecond, 2500*time.Millisecond)
			sys.server.send(syscall.SIGCONT)
		},
	},
	{
		name: "redis killed, starts empty", evidence: `shipping is interrupted|sending the stream again`,
		run: func(sys *system) {
			sys.note("kill redis")
			sys.redis.Kill()
			sys.pause(0, 500*time.Millisecond)
			sys.redis.Restart(sys.t)
		},
	},
	{
		name: "redis stands still", evidence: `is interrupted`,
		run: func(sys *system) {
			sys.pauseStore("redis", sys.redis.Process)
			if sys.rand.IntN(2) == 0 {
				sys.pause(300*time.Millisecond, 2*time.Second)
			} else {
				sys.pause(4500*time.Millisecond, 5500*time.Millisecond) // the client gives up 3 s after a command
			}
			sys.resumeStore(sys.redis.Process)
		},
	},
	{
		name: "mariadb killed", evidence: `committing is interrupted`,
		run: func(sys *system) {
			sys.note("kill mariadb")
			sys.mysql.Kill()
			sys.pause(0, 500*time.Millisecond)
			sys.mysql.Restart(sys.t)
		},
	},
	{
		name: "mariadb stands still", // nobody gives up within 5 s: it leaves no line
		run: func(sys *system) {
			sys.pauseStore("mariadb", sys.mysql.Process)
			sys.pause(300*time.Millisecond, 4*time.Second)
			sys.resumeStore(sys.mysql.Process)
		},
	},
	{
		name: "both stores killed", evidence: `is interrupted`,
		run: func(sys *system) {
			sys.note("kill redis and mariadb")
			sys.redis.Kill()
			sys.mysql.Kill()
			sys.pause(0, time.Second)
			sys.mysql.Restart(sys.t)
			sys.pause(0, 500*time.Millisecond)
			sys.redis.Restart(sys.t)
		},
	},
	{
		name: "all killed, in any order", answers: someUnanswered, evidence: `journal adopts a stream`,
		run: func(sys *system) {
			kills := []func(){sys.server.Kill, sys.redis.Kill, sys.mysql.Kill}
			starts := []func(){
				func() { sys.server.mustStart() },
				func() { sys.redis.Restart(sys.t) },
				func() { sys.mysql.Restart(sys.t) },
			}
			names := []string{"popupd", "redis", "mariadb"}
			for _, i := range sys.rand.Perm(3) {
				sys.note("kill %s", names[i])
				kills[i]()
				sys.pause(0, 20*time.Millisecond)
			}
			for _, i := range sys.rand.Perm(3) {
				sys.note("start %s", names[i])
				starts[i]()
				sys.pause(0, 200*time.Millisecond)
			}
			sys.server.waitReady()
		},
	},
	{
		// Both ship and count the streams of the original.
		name: "server started on a copy of the data", evidence: `sending the stream again|committing is interrupted`,
		run: func(sys *system) {
			sys.note("copy")
			dir := filepath.Join(sys.t.TempDir(), "copy")
			if err := os.CopyFS(dir, os.DirFS(sys.server.Data)); err != nil {
				sys.t.Fatal(err)
			}
			copied := sys.another(dir)
			sys.pause(300*time.Millisecond, 1500*time.Millisecond)
			sys.note("kill the copy")
			copied.Kill()
		},
	},
	{
		name: "servers overlap on one data directory", answers: someUnanswered, evidence: `journal adopts a stream`,
		run: func(sys *system) {
			sys.note("start another")
			next := sys.another(sys.server.Data)
			next.waitReady()
			sys.pause(0, 500*time.Millisecond)
			if sys.rand.IntN(2) == 0 {
				sys.note("kill popupd")
				sys.server.Kill()
			} else {
				sys.note("terminate popupd")
				sys.server.stop()
			}
			sys.pause(0, 200*time.Millisecond)
			sys.server.restart()
			sys.pause(0, 200*time.Millisecond)
			sys.note("terminate the other")
			next.stop()
		},
	},
	{
		name: "redis is emptied", evidence: `sending the stream again`,
		run: func(sys *system) {
			sys.repeat(func() { sys.redisDo("FLUSHALL") })
		},
	},
	{
		name: "a list in redis is deleted", evidence: `sending the stream again`,
		run: func(sys *system) {
			sys.repeat(func() {
				for _, key := range sys.lists() {
					sys.redisDo("DEL " + key)
				}
			})
		},
	},
	{
		name: "redis swaps databases", evidence: `sending the stream again`,
		run: func(sys *system) {
			sys.repeat(func() { sys.redisDo("SWAPDB 0 1") })
			sys.redisDo("EVAL \"redis.call('select',1) return redis.call('flushdb')\" 0") // which keeps old frames
		},
	},
	{
		name: "a list in redis is made a string", evidence: `the key is not a list`,
		run: func(sys *system) {
			sys.repeat(func() {
				for _, key := range sys.lists() {
					sys.redisDo("SET " + key + " nonsense")
				}
			})
		},
	},
	{
		name: "redis has no memory", evidence: `is interrupted.*OOM`,
		run: func(sys *system) {
			sys.setting("maxmemory", "1mb", "0")
		},
	},
	{
		name: "redis evicts", evidence: `sending the stream again`,
		run: func(sys *system) {
			sys.redisDo("CONFIG SET maxmemory-policy allkeys-random")
			sys.setting("maxmemory", "1mb", "0")
			sys.redisDo("CONFIG SET maxmemory-policy noeviction")
		},
	},
	{
		name: "redis is a replica", evidence: `is interrupted.*READONLY`,
		run: func(sys *system) {
			sys.redisDo("REPLICAOF 127.0.0.1 1")
			sys.pause(300*time.Millisecond, 1500*time.Millisecond)
			sys.redisDo("REPLICAOF NO ONE")
		},
	},
	{
		name: "redis is busy with a script", evidence: `is interrupted.*BUSY`,
		run: func(sys *system) {
			sys.redisDo("CONFIG SET busy-reply-threshold 10")
			ended := make(chan string, 1)
			go func() {
				reply, err := sys.redis.Command("EVAL \"while true do end\" 0")
				ended <- fmt.Sprint(reply, err)
			}()
			sys.note("script")
			sys.pause(300*time.Millisecond, 1500*time.Millisecond)
			eventually(sys.t, 10*time.Second, func() error {
				_, err := sys.redis.Command("SCRIPT KILL")
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
		name: "redis loads its data", evidence: `is interrupted.*LOADING`,
		run: func(sys *system) {
			sys.redisDo("EVAL \"for i=1,2000 do redis.call('set','x'..i,i) end\" 0")
			sys.redisDo("CONFIG SET dbfilename reload.rdb") // which the next start does not read
			sys.redisDo("CONFIG SET loading-process-events-interval-bytes 1024")
			sys.redisDo(fmt.Sprintf("CONFIG SET key-load-delay %d", 200+sys.rand.IntN(500))) // microseconds
			sys.note("reload")
			sys.redisDo("DEBUG RELOAD")
			sys.redisDo("CONFIG SET key-load-delay 0")
			sys.redisDo("EVAL \"for i=1,2000 do redis.call('del','x'..i) end\" 0")
		},
	},
	{
		name: "redis wants a password", evidence: `is interrupted.*NOAUTH`,
		run: func(sys *system) {
			sys.redisDo("CONFIG SET requirepass secret")
			if _, err := sys.redis.Command("AUTH secret\r\nCLIENT KILL TYPE normal SKIPME yes"); err != nil {
				sys.t.Fatal(err)
			}
			sys.pause(300*time.Millisecond, 1500*time.Millisecond)
			eventually(sys.t, 5*time.Second, func() error {
				if _, err := sys.redis.Command("AUTH secret\r\nCONFIG SET requirepass \"\""); err != nil {
					return err
				}
				reply, err := sys.redis.Command("PING")
				if reply != "+PONG" {
					err = fmt.Errorf("redis answers %q, %v", reply, err)
				}
				return err
			})
		},
	},
}

// pauseStore stops a store; resumeStore lets it go on.
func (sys *system) pauseStore(name string, s *testbed.Process) {
	sys.note("stop %s", name)
	if err := s.Signal(syscall.SIGSTOP); err != nil {
		sys.t.Fatal(err)
	}
}

func (sys *system) resumeStore(s *testbed.Process) {
	if err := s.Signal(syscall.SIGCONT); err != nil {
		sys.t.Fatal(err)
	}
}

// repeat does something a few times.
func (sys *system) repeat(f func()) {
	for range 1 + sys.rand.IntN(4) {
		f()
		sys.pause(50*time.Millisecond, 400*time.Millisecond)
	}
}

// redisDo tells Redis something, which must succeed.
func (sys *system) redisDo(command string) {
	sys.t.Helper()
	reply, err := sys.redis.Command(command)
	if err != nil || strings.HasPrefix(reply, "-") {
		sys.t.Fatalf("redis: %s: %q, %v", command, reply, err)
	}
	sys.note("%s", strings.Fields(command)[0])
}

// setting sets one of Redis for a while.
func (sys *system) setting(name, bad, good string) {
	sys.t.Helper()
	sys.redisDo("CONFIG SET " + name + " " + bad)
	sys.note("%s=%s", name, bad)
	sys.pause(300*time.Millisecond, 2*time.Second)
	sys.redisDo("CONFIG SET " + name + " " + good)
}

// lists returns the names of the lists of all streams.
func (sys *system) lists() []string {
	sys.t.Helper()
	ids, err := queryStrings(sys.db, "SELECT stream_id FROM ingest_stream WHERE closed = 0")
	if err != nil {
		sys.t.Fatal(err)
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
	sys := newSystem(t, plainLayout, 1)
	other := sys.another(t.TempDir())
	other.waitReady()
	sys.runIteration(iteration{1, &fault{name: "server stands still past the takeover", answers: someUnanswered, run: func(sys *system) {
		eventually(t, 10*time.Second, func() error { // until it is stopped with something to be committed
			sys.server.send(syscall.SIGSTOP)
			waiting := 0
			for _, list := range sys.lists() {
				if reply, err := sys.redis.Command("LLEN " + list); err == nil && reply != ":0" {
					waiting++
				}
			}
			if waiting > 0 {
				return nil
			}
			sys.server.send(syscall.SIGCONT)
			return fmt.Errorf("there is nothing to be committed")
		})
		counted, err := queryInt(sys.db, "SELECT COUNT(*) FROM event")
		if err != nil {
			t.Fatal(err)
		}
		stopped := time.Now()
		// It may hold a transaction open, for up to a minute: see persist.
		eventually(t, 2*time.Minute, func() error {
			if n, err := queryInt(sys.db, "SELECT COUNT(*) FROM event"); err != nil || n <= counted {
				return fmt.Errorf("%d events are committed, as before, %v", n, err)
			}
			return nil
		})
		t.Logf("the other server went on after %v", time.Since(stopped).Round(time.Second))
		sys.pause(0, 200*time.Millisecond)
		sys.server.send(syscall.SIGCONT)
	}}}, new(record))
}
