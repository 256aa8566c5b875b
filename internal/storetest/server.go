package storetest

import (
	"testing"

	"github.com/popupd/popupd/internal/stores"
)

// Server is a mariadbd or redis-server of one test.
type Server struct{ *stores.Server }

// StartMySQL starts a mariadbd that keeps its data over restarts, with root and
// no password. extra are further arguments, for example "--wait-timeout=5".
// The server is killed when the test ends.
func StartMySQL(t testing.TB, extra ...string) *Server {
	t.Helper()
	return StartMySQLIn(t, t.TempDir(), extra...)
}

// StartMySQLIn is StartMySQL with all its files in dir.
func StartMySQLIn(t testing.TB, dir string, extra ...string) *Server {
	t.Helper()
	return start(t, stores.StartMySQL, dir, extra)
}

// StartRedis starts a redis-server without persistence: what it holds is gone
// after a restart. extra are further arguments, for example "--maxmemory",
// "64mb". The server is killed when the test ends.
func StartRedis(t testing.TB, extra ...string) *Server {
	t.Helper()
	return start(t, stores.StartRedis, t.TempDir(), extra)
}

func start(t testing.TB, start func(dir string, extra ...string) (*stores.Server, error), dir string, extra []string) *Server {
	t.Helper()
	s, err := start(dir, extra...)
	if err != nil {
		fail(t, err)
	}
	t.Cleanup(s.Kill)
	return &Server{s}
}

// CreateDatabase makes an empty database and returns its DSN.
func (s *Server) CreateDatabase(t testing.TB, name string) (dsn string) {
	t.Helper()
	dsn, err := s.Server.CreateDatabase(name)
	if err != nil {
		t.Fatal(err)
	}
	return dsn
}

// Restart starts the server again on the same address and data, after killing
// it if it runs.
func (s *Server) Restart(t testing.TB) {
	t.Helper()
	if err := s.Server.Restart(); err != nil {
		t.Fatal(err)
	}
}
