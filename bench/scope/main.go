// Command scope measures popupd with -state-scope hashed: many servers, and more users than any of
// them holds. Run it from the root of the repository.
//
//	go run ./bench/scope [flags]
//
// It fills user_popup of a private MariaDB with a row for each user: the waits of half of them
// run. Then it has some of these users poll servers of its own, as behind a balancer that hashes on
// uid, while one is added, one is told to end and one is killed. It knows of each user what the
// answer must be, and who was shown the popup. It talks to loopback only.
package main

import (
	"context"
	"flag"
	"fmt"
	"hash/maphash"
	"os"
	"strings"
	"time"

	"github.com/popupd/popupd/bench/results"
	"github.com/popupd/popupd/internal/testbed"
)

func main() {
	var m measurement
	flag.IntVar(&m.users, "users", 20_000_000, "users, a row of user_popup each; no multiple of 15485863")
	flag.IntVar(&m.polled, "polled", 500_000, "users who poll")
	flag.IntVar(&m.serverCount, "servers", 10, "servers to begin with")
	flag.IntVar(&m.clients, "clients", 32, "connections to each server")
	flag.StringVar(&m.pool, "pool", "4G", "innodb_buffer_pool_size")
	out := flag.String("out", "", "directory for scope.md")
	flag.Parse()
	results.Main("scope", *out, m.run)
}

// measurement is what the command line asks for, and what runs for it.
type measurement struct {
	users, polled, serverCount, clients int
	pool                                string

	bed    *testbed.Testbed
	mysql  *testbed.MySQL
	redis  *testbed.Redis
	binary string
	fleet  fleet
	served []bool // of the users who poll, who was shown the popup
	passes []pass
	starts []time.Duration // of the servers to begin with, until they were ready
	rss    []int64         // of the servers after the passes, in bytes
	held   float64         // users, over all servers
	whole  whole
}

// whole is a server of -state-scope all on the same database.
type whole struct {
	ready   time.Duration
	rss     int64
	entries float64
}

const database = "popupd"

func (m *measurement) run(ctx context.Context) (text string, err error) {
	if m.bed, err = testbed.New(ctx); err != nil {
		return "", err
	}
	defer m.bed.Close()
	if m.binary, err = m.bed.Build(".", "."); err != nil {
		return "", err
	}
	m.mysql, err = m.bed.MySQL(testbed.StoreOptions{Args: []string{
		"--innodb-buffer-pool-size=" + m.pool, "--innodb-log-file-size=1G", "--innodb-flush-log-at-trx-commit=1", "--max-connections=800",
	}})
	if err != nil {
		return "", err
	}
	if m.redis, err = m.bed.Redis(testbed.StoreOptions{}); err != nil {
		return "", err
	}
	if err := m.fill(ctx); err != nil {
		return "", err
	}
	if err := m.measure(ctx); err != nil {
		return "", err
	}
	return m.report()
}

// server starts another server.
func (m *measurement) server(scope string) (*testbed.Popupd, error) {
	return m.bed.Popupd(testbed.PopupdOptions{
		Binary: m.binary, MySQL: m.mysql.DSN(database), Redis: m.redis.URL(), Env: []string{"GOMAXPROCS=1"},
		Flags: []string{"-state-scope", scope, "-secret", "of all of these servers", "-retention", "0s", "-journal-max", "256MiB"},
	})
}

// fill makes the schema and the popup, by a start of popupd, and the rows. The waits of users of
// even numbers run for another 12 to 36 hours, those of odd ones ended 12 to 36 hours ago.
func (m *measurement) fill(ctx context.Context) error {
	if _, err := m.mysql.CreateDatabase(database); err != nil {
		return err
	}
	first, err := m.server("all")
	if err != nil {
		return err
	}
	if err := first.Create(ctx, `{"key":"one","status":"active","variants":[{"key":"a","content":{"title":"One"}}]}`); err != nil {
		return err
	}
	first.Kill()
	const piece = 2_000_000
	const rows = `INSERT INTO popupd.user_popup
		(user_id, popup_id, ever, impressions, last_impression_ms, last_shown_ms, acted, last_action, last_action_ms, click_until_ms, next_at_ms)
		SELECT CONCAT('user-', LPAD(seq, 12, '0')), (SELECT id FROM popupd.popups), 129, 1, at, at, 0, 1, at, 0, at + 86400000
		FROM (SELECT seq, NOW + 43200000 - seq DIV 2 % 86400000 - IF(seq % 2 = 0, 43200000, 129600000) at FROM popupd.seq_FIRST_to_LAST) s`
	for at := 0; at < m.users && ctx.Err() == nil; at += piece {
		fmt.Fprintf(os.Stderr, "fill: %d of %d rows\n", at, m.users)
		_, err := m.mysql.Query(strings.NewReplacer("NOW", fmt.Sprint(time.Now().UnixMilli()), "FIRST", fmt.Sprint(at),
			"LAST", fmt.Sprint(min(at+piece, m.users)-1)).Replace(rows))
		if err != nil {
			return err
		}
	}
	return ctx.Err()
}

// measure runs the passes. The first nine tenths of the users poll in all of them, the rest when a
// server is killed.
func (m *measurement) measure(ctx context.Context) error {
	m.served = make([]bool, m.polled)
	m.fleet = fleet{clients: m.clients, seed: maphash.MakeSeed()}
	for range m.serverCount {
		if err := m.add(); err != nil {
			return err
		}
	}
	most := m.polled * 9 / 10
	for _, step := range []struct {
		name string
		do   func() error
	}{
		{"each user comes for the first time", func() error { return nil }},
		{"each user again", func() error { return nil }},
		{"a server was added", func() error { m.starts = m.starts[:m.serverCount:m.serverCount]; return m.add() }},
		{"a server was told to end", func() error { return m.fleet.servers[0].stop() }},
	} {
		if err := step.do(); err != nil {
			return err
		}
		if err := m.pass(ctx, step.name, 0, most, nil); err != nil {
			return err
		}
	}
	killed := m.fleet.servers[1]
	if err := m.pass(ctx, "others come, and a server is killed meanwhile", most, m.polled, killed.kill); err != nil {
		return err
	}
	if err := m.pass(ctx, "these again, the killed one is away", most, m.polled, nil); err != nil {
		return err
	}
	if err := killed.start(); err != nil { // which ships what its journal has
		return err
	}
	if err := m.check(ctx); err != nil {
		return err
	}
	return m.measureWhole(ctx)
}

// add starts another server and gives it its share of the users.
func (m *measurement) add() error {
	start := time.Now()
	p, err := m.server("hashed")
	if err != nil {
		return err
	}
	m.starts = append(m.starts, time.Since(start))
	m.fleet.add(p)
	return nil
}

// check holds the events in the database against what was answered, and notes what the servers hold.
func (m *measurement) check(ctx context.Context) error {
	answered, failed := 0, 0
	for _, p := range m.passes {
		answered += p.shown
		failed += p.failed
	}
	for _, s := range m.fleet.servers {
		if !s.up.Load() {
			continue
		}
		if err := s.Drained(ctx); err != nil {
			return err
		}
		rss, err := testbed.RSS(s.Pid())
		if err != nil {
			return err
		}
		held, err := s.Metric(ctx, "popupd_users_held")
		if err != nil {
			return err
		}
		m.rss, m.held = append(m.rss, rss), m.held+held
	}
	events, err := m.mysql.Query("SELECT COUNT(*) FROM popupd.event WHERE action = 1")
	if err != nil {
		return err
	}
	var n int
	if _, err := fmt.Sscan(events, &n); err != nil || n < answered || n > answered+failed {
		return fmt.Errorf("the database has %s impressions, %d were answered and %d polls failed (%v)", events, answered, failed, err)
	}
	return nil
}

// measureWhole starts a server that holds all users, after the others have ended.
func (m *measurement) measureWhole(ctx context.Context) error {
	for _, s := range m.fleet.servers {
		s.Kill()
	}
	start := time.Now()
	p, err := m.server("all")
	if err != nil {
		return err
	}
	m.whole.ready = time.Since(start)
	if m.whole.entries, err = p.Metric(ctx, "popupd_state_entries"); err != nil {
		return err
	}
	m.whole.rss, err = testbed.RSS(p.Pid())
	return err
}
