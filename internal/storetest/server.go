package storetest

import (
	"testing"

	"github.com/popupd/popupd/internal/testbed"
)

// MySQLServer is a mariadbd of one test.
type MySQLServer struct{ *testbed.MySQL }

// RedisServer is a redis-server of one test.
type RedisServer struct{ *testbed.Redis }

// StartMySQL starts a mariadbd that keeps its data over restarts, with root and
// no password. extra are further arguments, for example "--wait-timeout=5".
// The server is killed when the test ends.
func StartMySQL(t testing.TB, extra ...string) *MySQLServer {
	t.Helper()
	return StartMySQLIn(t, t.TempDir(), extra...)
}

// StartMySQLIn is StartMySQL with all its files in dir.
func StartMySQLIn(t testing.TB, dir string, extra ...string) *MySQLServer {
	t.Helper()
	s, err := bed(t).MySQL(testbed.StoreOptions{Dir: dir, Args: extra})
	if err != nil {
		fail(t, err)
	}
	t.Cleanup(s.Close)
	return &MySQLServer{s}
}

// StartGalera starts a Galera cluster of MariaDB nodes. They are killed when the test ends.
func StartGalera(t testing.TB, nodes int) []*MySQLServer {
	t.Helper()
	cluster, err := bed(t).Galera(nodes)
	if err != nil {
		fail(t, err)
	}
	var servers []*MySQLServer
	for i, node := range cluster {
		t.Cleanup(func() {
			node.Close()
			if log := node.Log(); t.Failed() {
				t.Logf("log of node %d:\n%s", i+1, log[max(0, len(log)-8000):])
			}
		})
		servers = append(servers, &MySQLServer{node})
	}
	return servers
}

// StartRedis starts a redis-server without persistence: what it holds is gone
// after a restart. extra are further arguments, for example "--maxmemory",
// "64mb". The server is killed when the test ends.
func StartRedis(t testing.TB, extra ...string) *RedisServer {
	t.Helper()
	s, err := bed(t).Redis(testbed.StoreOptions{Dir: t.TempDir(), Args: extra})
	if err != nil {
		fail(t, err)
	}
	t.Cleanup(s.Close)
	return &RedisServer{s}
}

// CreateDatabase makes an empty database and returns its DSN.
func (s *MySQLServer) CreateDatabase(t testing.TB, name string) (dsn string) {
	t.Helper()
	dsn, err := s.MySQL.CreateDatabase(name)
	if err != nil {
		t.Fatal(err)
	}
	return dsn
}

// Restart starts the server again on the same address and data, after killing
// it if it runs.
func (s *MySQLServer) Restart(t testing.TB) {
	t.Helper()
	restart(t, s.Process)
}

// Restart starts the server again on the same address, empty, after killing it
// if it runs.
func (s *RedisServer) Restart(t testing.TB) {
	t.Helper()
	restart(t, s.Process)
}

func restart(t testing.TB, p *testbed.Process) {
	t.Helper()
	if err := p.Restart(); err != nil {
		t.Fatal(err)
	}
}

// StartRedisCluster starts a Redis Cluster of three masters, each with so many replicas,
// without a password: the masters, then a replica of each. extra are further arguments.
// They are killed when the test ends.
func StartRedisCluster(t testing.TB, replicas int, extra ...string) []*testbed.RedisNode {
	t.Helper()
	nodes, err := bed(t).RedisCluster(replicas, extra...)
	for _, node := range nodes {
		t.Cleanup(node.Close)
	}
	if err != nil {
		fail(t, err)
	}
	return nodes
}

// StartSentinel starts a Redis Sentinel that watches a server under a name, and
// without a password. It is killed when the test ends.
func StartSentinel(t testing.TB, master *RedisServer, name string) *RedisServer {
	t.Helper()
	s, err := bed(t).Sentinel(master.Redis, name)
	if err != nil {
		fail(t, err)
	}
	t.Cleanup(s.Close)
	return &RedisServer{s}
}

// StartBalancer starts a HAProxy or an nginx before the data planes of popupds. It is
// killed when the test ends.
func StartBalancer(t testing.TB, o testbed.BalancerOptions) *testbed.Balancer {
	t.Helper()
	s, err := bed(t).Balancer(o)
	if err != nil {
		fail(t, err)
	}
	t.Cleanup(func() {
		s.Close()
		if t.Failed() {
			log := s.Log()
			t.Logf("log of %s:\n%s", o.Program, log[max(0, len(log)-8000):])
		}
	})
	return s
}

// StartPrometheus starts a Prometheus that scrapes /metrics of an address and evaluates
// the rules of some files. It is killed when the test ends.
func StartPrometheus(t testing.TB, target string, rules ...string) *testbed.Prometheus {
	t.Helper()
	s, err := bed(t).Prometheus([]string{target}, rules...)
	if err != nil {
		fail(t, err)
	}
	t.Cleanup(s.Close)
	return s
}
