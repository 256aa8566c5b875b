// Package storetest runs a private mariadbd and a private redis-server for
// tests: on loopback, in temporary directories, with nothing of the host's
// configuration.
//
// [MySQL] and [Redis] share one server of each kind per test binary, started at
// first use and stopped by [Main]. [StartMySQL] and [StartRedis] start one of
// their own that a test may kill and restart. When a binary is missing the test
// is skipped with the line that installs it, and fails instead where the
// environment says POPUPD_REQUIRE_STORES=1.
package storetest

import (
	"fmt"
	"os"
	"sync"
	"testing"

	"go.uber.org/goleak"
)

// shared holds the servers of this test binary.
var shared struct {
	sync.Mutex
	mysql, redis *Server
	databases    int
}

// Main runs the tests of a package, stops the shared servers and then looks for
// goroutines that are left. It returns the exit code:
//
//	func TestMain(m *testing.M) { os.Exit(storetest.Main(m)) }
func Main(m *testing.M) int {
	code := m.Run()
	shared.Lock()
	defer shared.Unlock()
	for _, s := range []*Server{shared.mysql, shared.redis} {
		if s != nil {
			s.Kill() // what it holds is thrown away, and a shutdown may take 20 s
			os.RemoveAll(s.dir)
		}
	}
	if code == 0 {
		if err := goleak.Find(); err != nil {
			fmt.Fprintln(os.Stderr, "storetest:", err)
			code = 1
		}
	}
	return code
}

// MySQL returns the DSN of an empty database on the shared mariadbd. The
// database is dropped when the test ends. The user is root, without a password.
func MySQL(t testing.TB) (dsn string) {
	t.Helper()
	shared.Lock()
	defer shared.Unlock()
	if shared.mysql == nil {
		shared.mysql = startMySQL(t, sharedDir(t))
	}
	shared.databases++
	name := fmt.Sprintf("test_%d", shared.databases)
	s := shared.mysql
	if err := s.query("CREATE DATABASE " + name); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.query("DROP DATABASE IF EXISTS " + name); err != nil {
			t.Error(err)
		}
	})
	return s.DSN(name)
}

// Redis returns the address, host:port, of the shared redis-server, which it
// empties: tests that use it do not run in parallel.
func Redis(t testing.TB) (addr string) {
	t.Helper()
	shared.Lock()
	defer shared.Unlock()
	if shared.redis == nil {
		shared.redis = startRedis(t, sharedDir(t))
	}
	if reply, err := shared.redis.inline("FLUSHALL"); err != nil || reply != "+OK" {
		t.Fatalf("empty redis: %q, %v", reply, err)
	}
	return shared.redis.Addr
}

// sharedDir makes a directory that outlives the test; Main removes it.
func sharedDir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "popupd-store-")
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// missing skips the test, or fails it where stores are required.
func missing(t testing.TB, binary, install string) {
	t.Helper()
	const require = "POPUPD_REQUIRE_STORES"
	if os.Getenv(require) == "1" {
		t.Fatalf("%s is not installed and %s=1; install it: %s", binary, require, install)
	}
	t.Skipf("%s is not installed; install it: %s", binary, install)
}
