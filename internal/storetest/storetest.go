// Package storetest gives tests the private mariadbd and redis-server of package
// testbed, and the HAProxy, nginx and Prometheus that popupd is run with.
//
// [MySQL] and [Redis] share one server of each kind per test binary, started at
// first use and stopped by [Main]. [StartMySQL] and [StartRedis] start one of
// their own that a test may kill and restart. When a binary is missing the test
// is skipped with the line that installs it, and fails instead where the
// environment says POPUPD_REQUIRE_STORES=1.
//
// How servers are started belongs to package testbed; only what needs a
// testing.TB lives here.
package storetest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"github.com/popupd/popupd/internal/testbed"
)

// shared holds the servers of this test binary.
var shared struct {
	sync.Mutex
	bed       *testbed.Testbed
	mysql     *testbed.MySQL
	redis     *testbed.Redis
	databases int
}

// Main runs the tests of a package, stops the shared servers and then looks for
// goroutines that are left, but for those that known names. It returns the exit code:
//
//	func TestMain(m *testing.M) { os.Exit(storetest.Main(m)) }
func Main(m interface{ Run() int }, known ...goleak.Option) int {
	code := m.Run()
	shared.Lock()
	defer shared.Unlock()
	if shared.bed != nil {
		shared.bed.Close()
	}
	if code == 0 {
		if err := goleak.Find(known...); err != nil {
			fmt.Fprintln(os.Stderr, "storetest:", err)
			code = 1
		}
	}
	return code
}

// bed returns the testbed of this test binary.
func bed(t testing.TB) *testbed.Testbed {
	t.Helper()
	shared.Lock()
	defer shared.Unlock()
	return bedLocked(t)
}

func bedLocked(t testing.TB) *testbed.Testbed {
	t.Helper()
	if shared.bed == nil {
		var err error
		if shared.bed, err = testbed.New(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
	return shared.bed
}

// MySQL returns the DSN of an empty database on the shared mariadbd. The
// database is dropped when the test ends. The user is root, without a password.
func MySQL(t testing.TB) (dsn string) {
	t.Helper()
	shared.Lock()
	defer shared.Unlock()
	if shared.mysql == nil {
		var err error
		if shared.mysql, err = bedLocked(t).MySQL(testbed.StoreOptions{}); err != nil {
			fail(t, err)
		}
	}
	shared.databases++
	name := fmt.Sprintf("test_%d", shared.databases)
	s := shared.mysql
	dsn, err := s.CreateDatabase(name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if _, err := s.Query("DROP DATABASE IF EXISTS " + name); err != nil {
			t.Error(err)
		}
	})
	return dsn
}

// Redis returns the address, host:port, of the shared redis-server, which it
// empties: tests that use it do not run in parallel.
func Redis(t testing.TB) (addr string) {
	t.Helper()
	shared.Lock()
	defer shared.Unlock()
	if shared.redis == nil {
		var err error
		if shared.redis, err = bedLocked(t).Redis(testbed.StoreOptions{}); err != nil {
			fail(t, err)
		}
	}
	if reply, err := shared.redis.Command("FLUSHALL"); err != nil || reply != "+OK" {
		t.Fatalf("empty redis: %q, %v", reply, err)
	}
	return shared.redis.Addr
}

// fail ends the test for want of a server: what is not installed skips it, unless
// stores are required.
// Need skips a test whose program is not installed, or fails it as a store that is missing does.
func Need(t testing.TB, binary, pkg string) {
	t.Helper()
	if err := testbed.Need(binary, pkg); err != nil {
		fail(t, err)
	}
}

func fail(t testing.TB, err error) {
	t.Helper()
	const require = "POPUPD_REQUIRE_STORES"
	if _, missing := errors.AsType[*testbed.MissingError](err); missing && os.Getenv(require) != "1" {
		t.Skip(err)
	}
	t.Fatal(err)
}
