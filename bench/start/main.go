// Command start measures how long popupd takes from its start until it is ready, with
// and without a dump of the users' state, on a MariaDB with a long history. Run it from
// the root of the repository.
//
//	go run ./bench/start [flags]
//
// It fills user_popup of a private MariaDB, in which one row in -matter still matters. A
// change is a number of events of another server that are committed while popupd is
// down, of users all over the table. With -dir MariaDB keeps its data there, and is
// not filled again; -fill ends after that. It talks to loopback only.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/popupd/popupd/bench/results"
	"github.com/popupd/popupd/internal/testbed"
)

func main() {
	var m measurement
	flag.IntVar(&m.rows, "rows", 50_000_000, "rows of user_popup")
	flag.IntVar(&m.matter, "matter", 5, "one row in so many matters")
	flag.IntVar(&m.small, "small", 10_000, "events of a small change")
	flag.IntVar(&m.large, "large", 1_000_000, "events of a large change")
	flag.IntVar(&m.rounds, "rounds", 3, "starts of each kind")
	flag.StringVar(&m.dir, "dir", "", "directory of MariaDB, which is kept; empty is a fresh one that goes")
	flag.StringVar(&m.pool, "pool", "8G", "innodb_buffer_pool_size")
	fill := flag.Bool("fill", false, "fill the table and end")
	out := flag.String("out", "", "directory for start.md")
	flag.Parse()
	results.Main("start", *out, func(ctx context.Context) (string, error) { return m.run(ctx, *fill) })
}

// measurement is what the command line asks for, and what runs for it.
type measurement struct {
	rows, matter, small, large, rounds int
	dir, pool                          string

	bed    *testbed.Testbed
	mysql  *testbed.MySQL
	redis  *testbed.Redis
	binary string
	seq    int // events of the other server
}

const database = "popupd"

func (m *measurement) run(ctx context.Context, fillOnly bool) (text string, err error) {
	if m.bed, err = testbed.New(ctx); err != nil {
		return "", err
	}
	defer m.bed.Close()
	if m.binary, err = m.bed.Build(".", "."); err != nil {
		return "", err
	}
	m.mysql, err = m.bed.MySQL(testbed.StoreOptions{Dir: m.dir, Args: []string{
		"--innodb-buffer-pool-size=" + m.pool, "--innodb-log-file-size=2G",
		"--innodb-flush-method=fsync", // through the page cache, so that the table is soon in memory when it is kept
		"--innodb-buffer-pool-load-at-startup=0", "--innodb-buffer-pool-dump-at-shutdown=0",
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
	if !fillOnly {
		if _, err = m.number("SELECT COUNT(*) FROM popupd.user_popup WHERE impressions > 0"); err == nil { // into memory
			text, err = m.measure(ctx)
		}
	}
	if m.dir != "" {
		err = errors.Join(err, m.mysql.Stop())
	}
	return text, err
}

// number asks MariaDB for one.
func (m *measurement) number(query string) (int, error) {
	text, err := m.mysql.Query(query)
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(text)
}

// fill makes the schema, by a start of popupd, and the rows.
func (m *measurement) fill(ctx context.Context) error {
	if databases, err := m.mysql.Query("SHOW DATABASES LIKE '" + database + "'"); err != nil {
		return err
	} else if databases != "" { // filled by an earlier call
		m.seq, err = m.number("SELECT COALESCE(MAX(last_seq), 0) FROM popupd.ingest_stream")
		return err
	}
	if _, err := m.mysql.CreateDatabase(database); err != nil {
		return err
	}
	migrating, err := m.bed.Popupd(testbed.PopupdOptions{Binary: m.binary, MySQL: m.mysql.DSN(database), Redis: m.redis.URL()})
	if err != nil {
		return err
	}
	migrating.Kill()
	const piece = 5_000_000
	// A user has two popups. What matters no more was over two months ago.
	const rows = `INSERT INTO popupd.user_popup
		(user_id, popup_id, ever, impressions, last_impression_ms, last_shown_ms, acted, last_action, last_action_ms, click_until_ms, next_at_ms)
		SELECT CONCAT('user-', LPAD(seq DIV 2, 15, '0')), 1 + seq % 2, 129, 1 + seq % 3, at, at, 0, 1, at, 0, at + 2592000000
		FROM (SELECT seq, NOW - seq % 86400000 - IF(seq DIV 2 % MATTER = 0, 0, 7776000000) at FROM popupd_seq) s`
	for at := 0; at < m.rows && ctx.Err() == nil; at += piece {
		fmt.Fprintf(os.Stderr, "fill: %d of %d rows\n", at, m.rows)
		_, err := m.mysql.Query(strings.NewReplacer("NOW", fmt.Sprint(time.Now().UnixMilli()), "MATTER", fmt.Sprint(m.matter),
			"popupd_seq", fmt.Sprintf("popupd.seq_%d_to_%d", at, min(at+piece, m.rows)-1)).Replace(rows))
		if err != nil {
			return err
		}
	}
	return ctx.Err()
}

// change commits events of another server, of users that matter, all over the table.
func (m *measurement) change(events int) error {
	if events == 0 {
		return nil
	}
	const stream = "00000000000000000000000000000001"
	_, err := m.mysql.Query(strings.NewReplacer("NOW", fmt.Sprint(time.Now().UnixMilli()), "MATTER", fmt.Sprint(m.matter), "STREAM", stream,
		"USERS", fmt.Sprint(max(m.rows/2/m.matter, 1)), "FIRST", fmt.Sprint(m.seq+1), "LAST", fmt.Sprint(m.seq+events)).Replace(
		`INSERT INTO popupd.ingest_stream (stream_id, last_seq, removed, closed, host, updated_ms) VALUES ('STREAM', 0, 0, 0, 'bench', NOW)
		ON DUPLICATE KEY UPDATE updated_ms = NOW;
		INSERT INTO popupd.event (stream_no, seq, at_ms, user_id, popup_id, version, variant, action, served_at_ms, nth)
		SELECT (SELECT stream_no FROM popupd.ingest_stream WHERE stream_id = 'STREAM'), seq, NOW,
		CONCAT('user-', LPAD(MATTER * (seq * 15485863 % USERS), 15, '0')), 1 + seq % 2, 1, 'a', 1, NOW, 1 FROM popupd.seq_FIRST_to_LAST;
		UPDATE popupd.ingest_stream SET last_seq = LAST WHERE stream_id = 'STREAM'`))
	m.seq += events
	return err
}

// kind is one way to start.
type kind struct {
	name   string
	dump   bool
	events int // committed by another server since the dump
}

// found is what the starts of a kind took.
type found struct {
	kind
	ready []time.Duration
	read  string // what popupd says it has read
}

func (m *measurement) measure(ctx context.Context) (string, error) {
	kinds := []kind{
		{"no dump", false, 0},
		{"a dump, nothing has changed", true, 0},
		{fmt.Sprintf("a dump, %d events since", m.small), true, m.small},
		{fmt.Sprintf("a dump, %d events since", m.large), true, m.large},
	}
	if err := m.change(1); err != nil { // popupd tells by the streams that it is the same database
		return "", err
	}
	var all []found
	data := filepath.Join(m.bed.Dir(), "state") // of the starts with a dump
	var entries float64
	for _, k := range kinds {
		f := found{kind: k}
		for n := range m.rounds {
			if err := m.change(k.events); err != nil {
				return "", err
			}
			dir := data
			if !k.dump && n < m.rounds-1 {
				dir = "" // a fresh one; the last start leaves its dump
			}
			start := time.Now()
			p, err := m.bed.Popupd(testbed.PopupdOptions{Binary: m.binary, MySQL: m.mysql.DSN(database), Redis: m.redis.URL(), Data: dir, Flags: []string{"-retention", "0s"}})
			if err != nil {
				return "", err
			}
			f.ready = append(f.ready, time.Since(start))
			f.read = readOf(p.Log())
			fmt.Fprintf(os.Stderr, "%s: ready after %.2f s, read %s\n", k.name, f.ready[n].Seconds(), f.read)
			if entries, err = p.Metric(ctx, "popupd_state_entries"); err != nil {
				return "", err
			}
			if dir == "" {
				p.Kill()
			} else if err := p.Stop(); err != nil { // which dumps
				return "", err
			}
		}
		all = append(all, f)
	}
	return m.report(all, entries)
}

// readOf returns what the log says of the restore.
func readOf(log string) string {
	_, rest, _ := strings.Cut(log, `"read":"`)
	read, _, _ := strings.Cut(rest, `"`)
	return read
}

func (m *measurement) report(all []found, entries float64) (string, error) {
	var b strings.Builder
	fmt.Fprintf(&b, "# From start to ready\n\n%s\n", testbed.Environment("go run ./bench/start "+strings.Join(os.Args[1:], " "),
		testbed.Version("mariadbd", "--version"), testbed.Version("redis-server", "--version")))
	bytes, err := m.number("SELECT DATA_LENGTH FROM information_schema.TABLES WHERE TABLE_SCHEMA = 'popupd' AND TABLE_NAME = 'user_popup'")
	if err != nil {
		return "", err
	}
	fmt.Fprintf(&b, "%d rows of `user_popup`, %.1f GB, %.0f of which matter; a buffer pool of %s; popupd and MariaDB share the cores.\n\n",
		m.rows, float64(bytes)/1e9, entries, m.pool)
	b.WriteString("| start with | ready after, s | read |\n|---|---:|---|\n")
	for _, f := range all {
		slices.Sort(f.ready)
		var took []string
		for _, d := range f.ready {
			took = append(took, fmt.Sprintf("%.1f", d.Seconds()))
		}
		fmt.Fprintf(&b, "| %s | %s | %s |\n", f.name, strings.Join(took, ", "), f.read)
	}
	return b.String(), nil
}
