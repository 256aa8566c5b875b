//go:build linux

package e2e

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"
)

// retryWork is what a server has done up to a moment that an outage must not make
// it do in a tight loop.
type retryWork struct {
	at     time.Time
	cpu    time.Duration
	dials  int // to both stores
	errors map[string]int
}

// classes of popupd_flush_errors_total.
var classes = []string{"conflict", "connection", "data", "deadlock", "lock_wait", "other", "read_only"}

// retryWork measures the server of a system with proxies.
func (sys *system) retryWork() retryWork {
	sys.t.Helper()
	s := retryWork{at: time.Now(), errors: make(map[string]int)}
	for _, class := range classes {
		s.errors[class] = sys.flushErrors(class)
	}
	for _, p := range []*proxy{sys.proxies.mysql, sys.proxies.redis} {
		n, _, _ := p.counts()
		s.dials += n
	}
	var err error
	if s.cpu, err = sys.server.CPU(); err != nil {
		sys.t.Fatal(err)
	}
	return s
}

func (sys *system) flushErrors(class string) int {
	sys.t.Helper()
	n, err := sys.server.metric(`popupd_flush_errors_total{class="` + class + `"}`)
	if err != nil {
		sys.t.Fatal(err)
	}
	return int(n)
}

// limitRetries runs an outage and holds that the server did not try again and again
// in a tight loop. A flush that fails is tried again after 100 ms, 200 ms, ...
// 5 s; a connection that is lost is made again by each that needs one.
func (sys *system) limitRetries(outage func()) {
	sys.t.Helper()
	before := sys.retryWork()
	outage()
	after := sys.retryWork()
	seconds := after.at.Sub(before.at).Seconds()
	var failed []string
	flushes := 0
	for _, class := range classes {
		if n := after.errors[class] - before.errors[class]; n > 0 {
			failed = append(failed, fmt.Sprintf("%d of class %s", n, class))
			flushes += n
		}
	}
	dials, cpu := after.dials-before.dials, after.cpu-before.cpu
	sys.note("%.1f s: failed flushes %v, %d dials, %v of CPU;", seconds, failed, dials, cpu)
	if most := 10 + 15*seconds; float64(flushes) > most {
		sys.t.Errorf("%d flushes failed in %.1f s, want at most %.0f", flushes, seconds, most)
	}
	if most := 20 + 40*seconds; float64(dials) > most {
		sys.t.Errorf("%d connections in %.1f s, want at most %.0f", dials, seconds, most)
	}
	if most := 0.3 + 0.7*seconds; cpu.Seconds() > most {
		sys.t.Errorf("%v of CPU in %.1f s, want at most %.1f s", cpu, seconds, most)
	}
}

// waitFlushErrors waits, during a fault, until the server has counted so many failed
// flushes of a class.
func (sys *system) waitFlushErrors(class string, n int, within time.Duration) {
	sys.t.Helper()
	eventually(sys.t, within, func() error {
		if got := sys.flushErrors(class); got < n {
			return fmt.Errorf("%d failed flushes of class %s, want %d", got, class, n)
		}
		return nil
	})
}

// waitLogged waits, during a fault, until the server has logged a line that
// contains this, behind the first said bytes.
func (sys *system) waitLogged(what string, said int) {
	sys.t.Helper()
	eventually(sys.t, 10*time.Second, func() error {
		if !strings.Contains(sys.server.Log()[said:], what) {
			return fmt.Errorf("the server has not logged %q", what)
		}
		return nil
	})
}

// mysqlConn gives a connection of its own to MariaDB, for as long as the fault runs.
func (sys *system) mysqlConn() (conn *sql.Conn, release func()) {
	sys.t.Helper()
	conn, err := sys.db.Conn(context.Background())
	if err != nil {
		sys.t.Fatal(err)
	}
	return conn, func() { _ = conn.Close() }
}

// exec runs statements on a connection.
func (sys *system) exec(conn *sql.Conn, statements ...string) {
	sys.t.Helper()
	for _, s := range statements {
		if _, err := conn.ExecContext(context.Background(), s); err != nil {
			sys.t.Fatalf("%s: %v", s, err)
		}
	}
}

// queryInt runs a query of one number.
func (sys *system) queryInt(conn *sql.Conn, query string) (n int) {
	sys.t.Helper()
	if err := conn.QueryRowContext(context.Background(), query).Scan(&n); err != nil {
		sys.t.Fatalf("%s: %v", query, err)
	}
	return n
}
