package server

import (
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/popupd/popupd/internal/cli"
	"github.com/popupd/popupd/internal/storetest"
	"github.com/popupd/popupd/persist"
	"github.com/popupd/popupd/popup"
)

// TestHeartbeat: servers that share a database see each other, and one that ends is gone at
// once, whether it has begun well or not.
func TestHeartbeat(t *testing.T) {
	t.Run("mariadb", func(t *testing.T) {
		dsn := storetest.MySQL(t)
		testHeartbeat(t, persist.Config{DSN: dsn}, []string{"-mysql", dsn}, []string{"-mysql", dsn})
	})
	t.Run("sqlite", func(t *testing.T) {
		dir := t.TempDir()
		testHeartbeat(t, persist.Config{SQLite: filepath.Join(dir, "popupd.db")}, []string{"-data", dir})
	})
}

func testHeartbeat(t *testing.T, c persist.Config, flags ...[]string) {
	var stops []func()
	for _, f := range flags {
		stops = append(stops, runServer(t, f...))
	}
	db, err := persist.Open(c)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	ready := func(n int) func() bool {
		return func() bool {
			servers, err := db.Servers(t.Context())
			if err != nil || len(servers) != n {
				return false
			}
			ids := map[string]bool{}
			for _, s := range servers {
				if s.State != popup.ServerReady {
					return false
				}
				if ids[s.ID] || len(s.ID) != 32 || s.Version != cli.Version() || s.Address == "" || s.JournalMaxBytes != 1<<30 || s.JournalBytes <= 0 ||
					s.UptimeMS < 0 || s.UptimeMS > time.Hour.Milliseconds() || s.SeenMSAgo > popup.ServerAwayAfter.Milliseconds() {
					t.Fatalf("a server tells %+v", s)
				}
				ids[s.ID] = true
			}
			return true
		}
	}
	for n := len(stops); n > 0; n-- {
		eventually(t, "all servers are ready", ready(n))
		stops[n-1]()
		servers, err := db.Servers(t.Context())
		if err != nil || len(servers) != n-1 {
			t.Fatalf("%d of %d servers are left after one has ended, %v", len(servers), n, err)
		}
	}
}

// TestHeartbeatHandover: two processes on one data directory are one server, which is there and
// ready for as long as one of them is, and gone when both have ended, one by one or at once.
func TestHeartbeatHandover(t *testing.T) {
	dsn, dir := storetest.MySQL(t), t.TempDir()
	db, err := persist.Open(persist.Config{DSN: dsn})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	states := func() (states []popup.ServerState) {
		servers, err := db.Servers(t.Context())
		if err != nil {
			return nil
		}
		for _, s := range servers {
			states = append(states, s.State)
		}
		return states
	}
	isReady := func() bool { return slices.Equal(states(), []popup.ServerState{popup.ServerReady}) }
	start := func() (stop func()) {
		before := time.Now()
		stop = runServer(t, "-mysql", dsn, "-data", dir)
		eventually(t, "it is ready and has told", func() bool {
			servers, err := db.Servers(t.Context())
			return err == nil && len(servers) == 1 && servers[0].State == popup.ServerReady && servers[0].UptimeMS <= time.Since(before).Milliseconds()
		})
		return stop
	}
	first := start()
	second := start()
	first()
	if !isReady() {
		t.Fatalf("%s after the first has ended, want ready", states())
	}
	third := start()
	var ended sync.WaitGroup
	for _, stop := range []func(){second, third} {
		ended.Go(stop)
	}
	ended.Wait()
	if left := states(); len(left) != 0 {
		t.Errorf("%s after all have ended, want none", left)
	}
}

// TestServerID: a server keeps its id, and no two have one.
func TestServerID(t *testing.T) {
	a, b := [16]byte{1}, [16]byte{2}
	first := serverID(a, "x")
	if again := serverID(a, "x"); again != first {
		t.Errorf("the id was %s and is %s", first, again)
	}
	if first == serverID(b, "x") || first == serverID(a, "y") {
		t.Error("two servers have one id")
	}
}
