//go:build linux

// Command growth measures popupd on a database with a long history: how fast it flushes, alone
// and while old events are deleted, how long what the control plane asks for takes, and how
// many bytes a row needs. Run it from the root of the repository.
//
//	go run ./bench/growth [flags] [reconcile] [disk] [queries] [reset] [flush]
//
// The tables of a private MariaDB are written by SQL, as the flusher would have left them.
// With -dir MariaDB keeps its data there, and is not filled again; -fill ends after
// that. It talks to loopback only.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/popupd/popupd/bench/results"
	"github.com/popupd/popupd/internal/testbed"
)

func main() {
	var m measurement
	flag.IntVar(&m.events, "events", 100_000_000, "rows of event")
	flag.IntVar(&m.rate, "rate", 5000, "events a second while it is measured")
	flag.DurationVar(&m.phase, "phase", 40*time.Second, "for how long each load is offered")
	flag.DurationVar(&m.retain, "retention", 2280*time.Hour, "age at which events are deleted in between: 95 of 100 days")
	flag.StringVar(&m.dir, "dir", "", "directory of MariaDB, which is kept; empty is a fresh one that goes")
	flag.StringVar(&m.pool, "pool", "4G", "innodb_buffer_pool_size")
	flag.BoolVar(&m.fillOnly, "fill", false, "fill the tables and end")
	out := flag.String("out", "", "directory for growth.md")
	flag.Parse()
	if m.parts = flag.Args(); len(m.parts) == 0 {
		m.parts = []string{"reconcile", "disk", "queries", "reset", "flush"}
	}
	results.Main("growth", *out, m.run)
}

// measurement is what the command line asks for, and what runs for it.
type measurement struct {
	events, rate  int
	phase, retain time.Duration
	dir, pool     string
	fillOnly      bool
	parts         []string

	bed    *testbed.Testbed
	mysql  *testbed.MySQL
	redis  *testbed.Redis
	binary string
	server *testbed.Popupd
	report strings.Builder

	retention time.Duration // of the server
	visited   int64         // visits that were offered
}

const database = "popupd"

func (m *measurement) run(ctx context.Context) (text string, err error) {
	if err := m.validate(); err != nil {
		return "", err
	}
	if m.bed, err = testbed.New(ctx); err != nil {
		return "", err
	}
	defer m.bed.Close()
	if m.dir == "" {
		m.dir = filepath.Join(m.bed.Dir(), "history")
	}
	if m.binary, err = m.bed.Build(".", "."); err != nil {
		return "", err
	}
	if m.redis, err = m.bed.Redis(testbed.StoreOptions{}); err != nil {
		return "", err
	}
	if _, err := os.Stat(filepath.Join(m.dir, "data", database)); errors.Is(err, fs.ErrNotExist) { // else an earlier call has filled it
		// Nobody waits for the disk here: whoever ends it in between begins again.
		if err := m.startMySQL("--innodb-flush-log-at-trx-commit=0", "--skip-innodb-doublewrite"); err != nil {
			return "", err
		}
		if err := errors.Join(m.fill(ctx), m.mysql.Stop()); err != nil {
			return "", err
		}
	}
	if m.fillOnly {
		return "", nil
	}
	if err := m.startMySQL(); err != nil {
		return "", err
	}
	err = errors.Join(m.measure(ctx), m.mysql.Stop())
	return m.report.String(), err
}

// startMySQL starts MariaDB, whose memory is empty then.
func (m *measurement) startMySQL(args ...string) (err error) {
	m.mysql, err = m.bed.MySQL(testbed.StoreOptions{Dir: m.dir, Args: append([]string{
		"--innodb-buffer-pool-size=" + m.pool, "--innodb-log-file-size=2G",
		"--innodb-flush-method=O_DIRECT", // what is not in the pool is read from the disk
		"--innodb-buffer-pool-load-at-startup=0", "--innodb-buffer-pool-dump-at-shutdown=0",
	}, args...)})
	return err
}

// start starts popupd.
func (m *measurement) start(flags ...string) (err error) {
	m.server, err = m.bed.Popupd(testbed.PopupdOptions{Binary: m.binary, MySQL: m.mysql.DSN(database), Redis: m.redis.URL(), Flags: flags})
	return err
}

// parts are what can be measured, by name.
var parts = map[string]func(*measurement, context.Context) error{
	"reconcile": (*measurement).reconcile,
	"disk":      (*measurement).measureDisk,
	"queries":   (*measurement).measureQueries,
	"reset":     (*measurement).measureReset,
	"flush":     (*measurement).measureFlush,
}

// measure measures the parts that the command line names, all without any.
func (m *measurement) measure(ctx context.Context) error {
	fmt.Fprintf(&m.report, "# A long history\n\n%s\n", testbed.Environment(
		strings.TrimSpace("go run ./bench/growth "+strings.Join(os.Args[1:], " ")), testbed.Version("mariadbd", "--version"), testbed.Version("redis-server", "--version")))
	fmt.Fprintf(&m.report, "%d events of %d days, %d popups, %d pairs of user and popup; a buffer pool of %s, what is not in it is read from the disk; popupd, MariaDB and the clients share the cores.\n\n",
		m.events, eras*eraDays, popups, servers*m.visits(), m.pool)
	for _, part := range m.parts {
		if err := parts[part](m, ctx); err != nil {
			return fmt.Errorf("%s: %w", part, err)
		}
	}
	return nil
}

// number asks MariaDB for one, which is in the last line of its answer.
func (m *measurement) number(query string) (int, error) {
	text, err := m.mysql.Query(query)
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(text[strings.LastIndexByte(text, '\n')+1:])
}
