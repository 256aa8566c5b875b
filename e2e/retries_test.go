package e2e

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"
)

// strain is what a server has done up to a moment that an outage must not make
// it do in a tight loop.
type strain struct {
	at     time.Time
	cpu    time.Duration
	dials  int // to both stores
	errors map[string]int
}

// classes of popupd_flush_errors_total.
var classes = []string{"conflict", "connection", "data", "deadlock", "lock_wait", "other", "read_only"}

// strain measures the server of a wired world.
func (w *world) strain() strain {
	w.t.Helper()
	s := strain{at: time.Now(), errors: make(map[string]int)}
	for _, class := range classes {
		s.errors[class] = w.flushErrors(class)
	}
	for _, p := range []*proxy{w.wires.mysql, w.wires.redis} {
		n, _, _ := p.counts()
		s.dials += n
	}
	var err error
	if s.cpu, err = w.server.CPU(); err != nil {
		w.t.Fatal(err)
	}
	return s
}

func (w *world) flushErrors(class string) int {
	w.t.Helper()
	n, err := w.server.metric(`popupd_flush_errors_total{class="` + class + `"}`)
	if err != nil {
		w.t.Fatal(err)
	}
	return int(n)
}

// endure runs an outage and holds that the server did not try again and again
// in a tight loop. A flush that fails is tried again after 100 ms, 200 ms, ...
// 5 s; a connection that is lost is made again by each that needs one.
func (w *world) endure(outage func()) {
	w.t.Helper()
	before := w.strain()
	outage()
	after := w.strain()
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
	w.note("%.1f s: failed flushes %v, %d dials, %v of CPU;", seconds, failed, dials, cpu)
	if most := 10 + 15*seconds; float64(flushes) > most {
		w.t.Errorf("%d flushes failed in %.1f s, want at most %.0f", flushes, seconds, most)
	}
	if most := 20 + 40*seconds; float64(dials) > most {
		w.t.Errorf("%d connections in %.1f s, want at most %.0f", dials, seconds, most)
	}
	if most := 0.3 + 0.7*seconds; cpu.Seconds() > most {
		w.t.Errorf("%v of CPU in %.1f s, want at most %.1f s", cpu, seconds, most)
	}
}

// until waits, during a fault, until the server has counted so many failed
// flushes of a class.
func (w *world) until(class string, n int, within time.Duration) {
	w.t.Helper()
	eventually(w.t, within, func() error {
		if got := w.flushErrors(class); got < n {
			return fmt.Errorf("%d failed flushes of class %s, want %d", got, class, n)
		}
		return nil
	})
}

// untilLogged waits, during a fault, until the server has logged a line that
// contains this, behind the first said bytes.
func (w *world) untilLogged(what string, said int) {
	w.t.Helper()
	eventually(w.t, 10*time.Second, func() error {
		if !strings.Contains(w.server.Log()[said:], what) {
			return fmt.Errorf("the server has not logged %q", what)
		}
		return nil
	})
}

// root gives a connection of its own to MariaDB, for as long as the fault runs.
func (w *world) root() (conn *sql.Conn, release func()) {
	w.t.Helper()
	conn, err := w.db.Conn(context.Background())
	if err != nil {
		w.t.Fatal(err)
	}
	return conn, func() { _ = conn.Close() }
}

// exec runs statements on a connection.
func (w *world) exec(conn *sql.Conn, statements ...string) {
	w.t.Helper()
	for _, s := range statements {
		if _, err := conn.ExecContext(context.Background(), s); err != nil {
			w.t.Fatalf("%s: %v", s, err)
		}
	}
}

// number runs a query of one number.
func (w *world) number(conn *sql.Conn, query string) (n int) {
	w.t.Helper()
	if err := conn.QueryRowContext(context.Background(), query).Scan(&n); err != nil {
		w.t.Fatalf("%s: %v", query, err)
	}
	return n
}
