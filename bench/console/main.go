//go:build linux

// Command console measures how long what the operators' console asks for takes, with many
// popups and much that was counted of them, on a private MariaDB. Run it from the root of the
// repository.
//
//	go run ./bench/console [flags]
//
// The popups and what the flusher would have left of their events in popup_stats are written
// by SQL. With -dir MariaDB keeps its data there, and is not filled again; -fill ends
// after that. It talks to loopback only.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/popupd/popupd/bench/results"
	"github.com/popupd/popupd/internal/testbed"
)

func main() {
	var m measurement
	flag.IntVar(&m.popups, "popups", 10_000, "popups")
	flag.IntVar(&m.days, "days", 90, "days of statistics: a row for each hour, popup and each of its two variants")
	flag.IntVar(&m.events, "events", 100_000_000, "events that the statistics count")
	flag.IntVar(&m.rounds, "rounds", 40, "requests of each kind")
	flag.StringVar(&m.dir, "dir", "", "directory of MariaDB, which is kept; empty is a fresh one that goes")
	flag.StringVar(&m.pool, "pool", "1G", "innodb_buffer_pool_size")
	fill := flag.Bool("fill", false, "fill the tables and end")
	out := flag.String("out", "", "directory for console.md")
	flag.Parse()
	results.Main("console", *out, func(ctx context.Context) (string, error) { return m.run(ctx, *fill) })
}

// measurement is what the command line asks for, and what runs for it.
type measurement struct {
	popups, days, events, rounds int
	dir, pool                    string

	bed    *testbed.Testbed
	mysql  *testbed.MySQL
	redis  *testbed.Redis
	binary string
	server *testbed.Popupd
	report strings.Builder
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
		"--innodb-flush-method=O_DIRECT", // what is not in the pool is read from the disk
		"--innodb-buffer-pool-load-at-startup=0", "--innodb-buffer-pool-dump-at-shutdown=0",
	}})
	if err != nil {
		return "", err
	}
	if m.redis, err = m.bed.Redis(testbed.StoreOptions{}); err != nil {
		return "", err
	}
	if err = m.fill(ctx); err == nil && !fillOnly {
		err = m.measure(ctx)
	}
	if m.dir != "" {
		err = errors.Join(err, m.mysql.Stop())
	}
	return m.report.String(), err
}

// start starts popupd.
func (m *measurement) start() (err error) {
	m.server, err = m.bed.Popupd(testbed.PopupdOptions{Binary: m.binary, MySQL: m.mysql.DSN(database), Redis: m.redis.URL(), Flags: []string{"-retention", "0s"}})
	return err
}

// ask calls the control plane, and returns how long that took and the size of the answer.
func (m *measurement) ask(ctx context.Context, method, path string) (took time.Duration, bytes int, err error) {
	r, err := http.NewRequestWithContext(ctx, method, "http://"+m.server.Admin+path, nil)
	if err != nil {
		return 0, 0, err
	}
	r.Header.Set("Authorization", "Bearer "+m.server.Token)
	start := time.Now()
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, 0, err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: status %d: %s", path, answer.StatusCode, body)
	}
	return time.Since(start), len(body), err
}

// list is the address of the page that the console opens.
const list = "/v1/admin/popups?status=draft,active,paused&sort=-updated_at&stats=1&facets=1"

func (m *measurement) measure(ctx context.Context) error {
	fmt.Fprintf(&m.report, "# What the console asks for\n\n%s\n", testbed.Environment(
		strings.TrimSpace("go run ./bench/console "+strings.Join(os.Args[1:], " ")), testbed.Version("mariadbd", "--version")))
	size, err := m.mysql.Query("SELECT ROUND(SUM(DATA_LENGTH) / 1e9, 1) FROM information_schema.TABLES WHERE TABLE_SCHEMA = 'popupd'")
	if err != nil {
		return err
	}
	rows, err := m.mysql.Query("SELECT CONCAT(COUNT(*), ' rows of `popup_stats` that count ', SUM(impressions + views + clicks + dismisses), ' events') FROM popupd.popup_stats")
	if err != nil {
		return err
	}
	fmt.Fprintf(&m.report, "%d popups of two variants; %s: one for each hour of %d days, popup and variant. %s GB of tables, a buffer pool of %s. Times are ms by the client's clock, over HTTP on loopback, one request at a time; "+
		"popupd and MariaDB share the cores.\n\n| | median | p95 | largest | KB |\n|---|---:|---:|---:|---:|\n", m.popups, rows, m.days, size, m.pool)

	const starts = 3
	var first []time.Duration
	var kb int
	for n := range starts {
		if err := m.start(); err != nil {
			return err
		}
		took, bytes, err := m.ask(ctx, "GET", list)
		if err != nil {
			return err
		}
		first, kb = append(first, took), bytes
		if n < starts-1 {
			m.server.Kill()
		}
	}
	m.row("the list for the first time after a start", first, kb)

	from, _ := m.span()
	for _, c := range []struct{ name, path string }{
		{"the list: 50 popups with statistics, sorted by their last change", list},
		{"sorted by name", strings.Replace(list, "-updated_at", "name", 1)},
		{"100 popups", list + "&limit=100"},
		{"searched for two words", list + "&q=sale+campaign"},
		{"with a tag and a placement", list + "&tag=team-7&placement=place-7"},
		{"without statistics", strings.Replace(list, "stats=1", "stats=0", 1)},
		{"statistics of one popup, 7 days by hour", "/v1/admin/popups/KEY/stats"},
		{fmt.Sprintf("statistics of one popup, %d days by day", m.days), "/v1/admin/popups/KEY/stats?interval=day&from=" + from.Format(time.RFC3339)},
		{"the audit trail of one popup", "/v1/admin/audit?object=KEY"},
	} {
		if err := m.time(ctx, c.name, c.path, nil); err != nil {
			return err
		}
	}
	return m.time(ctx, "the list after a popup was changed", list, func(n int) error {
		_, _, err := m.ask(ctx, "POST", "/v1/admin/popups/"+key(n)+"/"+[]string{"pause", "activate"}[n/m.popups%2])
		return err
	})
}

func key(n int) string { return "campaign-" + strconv.Itoa(n) }

// time asks often, of popups all over the table, each time after before.
func (m *measurement) time(ctx context.Context, name, path string, before func(n int) error) error {
	var took []time.Duration
	var bytes int
	for n := range m.rounds {
		popup := 1 + n*7919%m.popups
		if before != nil {
			if err := before(popup); err != nil {
				return err
			}
		}
		t, size, err := m.ask(ctx, "GET", strings.Replace(path, "KEY", key(popup), 1))
		if err != nil {
			return err
		}
		took, bytes = append(took, t), size
	}
	m.row(name, took, bytes)
	return nil
}

func (m *measurement) row(name string, took []time.Duration, bytes int) {
	slices.Sort(took)
	ms := func(at int) float64 { return took[at].Seconds() * 1000 }
	fmt.Fprintf(&m.report, "| %s | %.1f | %.1f | %.1f | %d |\n", name, ms((len(took)-1)/2), ms((len(took)-1)*95/100), ms(len(took)-1), bytes/1000)
	fmt.Fprintln(os.Stderr, name)
}
