package main

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/popupd/popupd/internal/testbed"
)

func (m *measurement) report() (string, error) {
	size, err := m.mysql.Query("SELECT DATA_LENGTH FROM information_schema.TABLES WHERE TABLE_SCHEMA = 'popupd' AND TABLE_NAME = 'user_popup'")
	if err != nil {
		return "", err
	}
	var bytes float64
	if _, err := fmt.Sscan(size, &bytes); err != nil {
		return "", err
	}
	var b strings.Builder
	fmt.Fprintf(&b, "# More users than a server holds\n\n%s\n", testbed.Environment("go run ./bench/scope "+strings.Join(os.Args[1:], " "),
		testbed.Version("mariadbd", "--version"), testbed.Version("redis-server", "--version")))
	fmt.Fprintf(&b, "%d users, a row of `user_popup` each (%.1f GB, a buffer pool of %s); %d of them poll, over %d connections, servers with `-state-scope hashed`."+
		" The waits of half of them run. Servers, MariaDB, Redis and the clients share the cores.\n\n", m.users, bytes/1e9, m.pool, m.polled, m.clients)
	b.WriteString("| | servers | polls | polls/s | p50, ms | p99, ms | looked up | shown | shown again too early | not looked up in time | polls that failed |\n" +
		"|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|\n")
	for _, p := range m.passes {
		fmt.Fprintf(&b, "| %s | %d | %d | %.0f | %.1f | %.1f | %.0f | %d | %d | %d | %d |\n", p.name, p.servers, p.polls, float64(p.polls)/p.took.Seconds(),
			p.p50.Seconds()*1000, p.p99.Seconds()*1000, p.lookups, p.shown, p.early, p.late, p.failed)
	}
	slices.Sort(m.starts)
	slices.Sort(m.rss)
	b.WriteString("\nAt the end every impression that was answered is in `event` once.\n\n| | ready after, s | memory of the process, MB | holds |\n|---|---:|---:|---:|\n")
	fmt.Fprintf(&b, "| a server of `-state-scope hashed`, median | %.2f | %d | %.0f users |\n", m.starts[len(m.starts)/2].Seconds(),
		m.rss[len(m.rss)/2]>>20, m.held/float64(len(m.rss)))
	fmt.Fprintf(&b, "| a server of `-state-scope all` | %.2f | %d | %.0f entries |\n", m.whole.ready.Seconds(), m.whole.rss>>20, m.whole.entries)
	return b.String(), nil
}
