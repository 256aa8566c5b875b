//go:build linux

// Command changes measures what a change of one popup among many costs on two servers that
// share a MariaDB and a Redis. Run it from the root of the repository.
//
//	go run ./bench/changes [flags]
//
// It creates popups one by one over HTTP, and takes the time and the CPU of both servers
// from /proc. Then it offers polls to the second server, at fixed times, in turn without
// changes and with one change a second on the first. It talks to loopback only.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/popupd/popupd/bench/openloop"
	"github.com/popupd/popupd/bench/results"
	"github.com/popupd/popupd/internal/testbed"
)

func main() {
	var m measurement
	flag.IntVar(&m.popups, "popups", 10_000, "popups to create")
	flag.IntVar(&m.steps, "steps", 5, "lines of the table of creations")
	flag.IntVar(&m.changes, "changes", 100, "changes whose time is taken when all are there")
	flag.IntVar(&m.rounds, "rounds", 4, "rounds of polls without and with changes; 0: none")
	flag.DurationVar(&m.poll, "poll", 10*time.Second, "for how long polls are offered")
	flag.Float64Var(&m.rate, "rate", 2000, "polls a second")
	out := flag.String("out", "", "directory for changes.md")
	flag.Parse()
	results.Main("changes", *out, m.run)
}

// measurement is what the command line asks for, and what runs for it.
type measurement struct {
	popups, steps, changes, rounds int
	poll                           time.Duration
	rate                           float64

	servers [2]*testbed.Popupd
	report  strings.Builder
}

func (m *measurement) run(ctx context.Context) (string, error) {
	bed, err := testbed.New(ctx)
	if err != nil {
		return "", err
	}
	defer bed.Close()
	binary, err := bed.Build(".", ".")
	if err != nil {
		return "", err
	}
	mysql, err := bed.MySQL(testbed.StoreOptions{})
	if err != nil {
		return "", err
	}
	dsn, err := mysql.CreateDatabase("popupd")
	if err != nil {
		return "", err
	}
	redis, err := bed.Redis(testbed.StoreOptions{})
	if err != nil {
		return "", err
	}
	for i := range m.servers {
		if m.servers[i], err = bed.Popupd(testbed.PopupdOptions{Binary: binary, MySQL: dsn, Redis: redis.URL()}); err != nil {
			return "", err
		}
	}
	fmt.Fprintf(&m.report, "# A change of one popup among many\n\n%s\n", testbed.Environment(
		strings.TrimSpace("go run ./bench/changes "+strings.Join(os.Args[1:], " ")), testbed.Version("mariadbd", "--version"), testbed.Version("redis-server", "--version")))
	for _, part := range []func(context.Context) error{m.create, m.change, m.polls} {
		if err := part(ctx); err != nil {
			return m.report.String(), err
		}
	}
	return m.report.String(), nil
}

// used is the time and the CPU of both servers.
type used struct {
	at  time.Time
	cpu [2]time.Duration
}

func (m *measurement) used() (u used, err error) {
	u.at = time.Now()
	for i, s := range m.servers {
		if u.cpu[i], err = s.CPU(); err != nil {
			return u, err
		}
	}
	return u, nil
}

// since writes what n changes have taken since from, as the cells of a table.
func (m *measurement) since(from used, n int) error {
	now, err := m.used()
	fmt.Fprintf(&m.report, " %.1f | %.2f | %.2f | %.2f |\n", now.at.Sub(from.at).Seconds(), perChange(now.at.Sub(from.at), n),
		perChange(now.cpu[0]-from.cpu[0], n), perChange(now.cpu[1]-from.cpu[1], n))
	return err
}

func perChange(d time.Duration, n int) float64 { return float64(d) / float64(n) / 1e6 }

// create creates popups on the first server, each with conditions of its own.
func (m *measurement) create(ctx context.Context) error {
	fmt.Fprintf(&m.report, "## Creating %d popups one by one\n\n"+
		"| popups | s | ms a popup | ms of CPU, this server | the other server |\n|---:|---:|---:|---:|---:|\n", m.popups)
	begin, err := m.used()
	if err != nil {
		return err
	}
	from, step := begin, max(1, m.popups/m.steps)
	for i := range m.popups {
		if err := m.call(ctx, "", popupJSON(i)); err != nil {
			return err
		}
		if n := i + 1; n%step == 0 {
			fmt.Fprintf(os.Stderr, "%d of %d popups\n", n, m.popups)
			fmt.Fprintf(&m.report, "| %d to %d |", n-step, n)
			if err := m.since(from, step); err != nil {
				return err
			}
			if from, err = m.used(); err != nil {
				return err
			}
		}
	}
	m.report.WriteString("| all |")
	if err := m.since(begin, m.popups); err != nil {
		return err
	}
	return m.inForce(ctx)
}

// popupJSON returns popup i.
func popupJSON(i int) string {
	return fmt.Sprintf(`{"key":"p%d","status":"active","priority":%d,"placements":["default","place-%d"],
		"targeting":{"all":[{"attr":"platform","op":"in","value":["ios","android"]},{"attr":"orders","op":"gte","value":%d},{"attr":"plan","op":"eq","value":"plan-%d"}]},
		"variants":[{"key":"a","weight":1,"content":{"title":"Spring sale","body":"Up to 40 %% off, today only.","link":"https://shop.example/sale"}}]}`,
		i, i%10, i%50, i, i%1000)
}

// call posts to the popups of the first server.
func (m *measurement) call(ctx context.Context, path, body string) error {
	s := m.servers[0]
	r, err := http.NewRequestWithContext(ctx, "POST", "http://"+s.Admin+"/v1/admin/popups"+path, strings.NewReader(body))
	if err != nil {
		return err
	}
	r.Header.Set("Authorization", "Bearer "+s.Token)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode/100 != 2 {
		err = fmt.Errorf("%s: status %d: %s", path, answer.StatusCode, text)
	}
	return err
}

// inForce waits until the second server is where the first is.
func (m *measurement) inForce(ctx context.Context) error {
	want, err := m.servers[0].Metric(ctx, "popupd_config_revision")
	for err == nil {
		var got float64
		if got, err = m.servers[1].Metric(ctx, "popupd_config_revision"); got == want {
			return nil
		}
		select {
		case <-ctx.Done():
			err = ctx.Err()
		case <-time.After(10 * time.Millisecond):
		}
	}
	return err
}

// changeEvery is long enough for the other server to read each change by itself.
const changeEvery = 100 * time.Millisecond

// flip pauses popup 1 or activates it again: a change that takes it out of the indexes or
// puts it back.
func (m *measurement) flip(ctx context.Context, n int) error {
	return m.call(ctx, "/p1/"+[]string{"pause", "activate"}[n%2], "")
}

// change changes a popup often, each time once the change before is in force everywhere.
func (m *measurement) change(ctx context.Context) error {
	propagation := func() (sum, count float64, err error) {
		if sum, err = m.servers[1].Metric(ctx, "popupd_config_propagation_seconds_sum"); err == nil {
			count, err = m.servers[1].Metric(ctx, "popupd_config_propagation_seconds_count")
		}
		return sum, count, err
	}
	sum, count, err := propagation()
	if err != nil {
		return err
	}
	fmt.Fprintf(&m.report, "\n## %d changes of one among %d, one in %v\n\n| | s | ms a change | ms of CPU, this server | the other server |\n|---|---:|---:|---:|---:|\n", m.changes, m.popups, changeEvery)
	next := time.NewTicker(changeEvery)
	defer next.Stop()
	from, err := m.used()
	if err != nil {
		return err
	}
	for range m.changes {
		<-next.C
	}
	m.report.WriteString("| idle for as long |")
	if err := m.since(from, m.changes); err != nil {
		return err
	}
	if from, err = m.used(); err != nil {
		return err
	}
	for n := range m.changes {
		if err := m.flip(ctx, n); err != nil {
			return err
		}
		<-next.C
	}
	m.report.WriteString("| changes |")
	if err := m.since(from, m.changes); err != nil {
		return err
	}
	if err := m.inForce(ctx); err != nil {
		return err
	}
	lateSum, lateCount, err := propagation()
	fmt.Fprintf(&m.report, "\nThe other server had a change in force %.1f ms after it was made, on average.\n",
		1000*(lateSum-sum)/max(1, lateCount-count))
	return err
}

// polls offers polls that no popup fits to the second server, without and with changes.
func (m *measurement) polls(ctx context.Context) error {
	address, err := netip.ParseAddrPort(m.servers[1].Address)
	if err != nil || m.rounds == 0 {
		return err
	}
	fmt.Fprintf(&m.report, "\n## Polls of the other server during a change a second\n\n%.0f polls a second for %v, without and with changes in turn; times are ms, from when a poll was due.\n\n"+
		"| changes | p50 | p90 | p99 | p99.9 | largest | late polls of the generator |\n|---|---:|---:|---:|---:|---:|---:|\n", m.rate, m.poll)
	var p99 [2][]float64
	for round := range 2 * m.rounds {
		changing, stop := context.WithCancel(ctx)
		failed := make(chan error, 1)
		go func() { failed <- m.flipEverySecond(changing, round%2 == 1) }()
		r, err := openloop.Run(ctx, openloop.Config{Address: address, Rate: m.rate, Duration: m.poll, Poisson: true, Seed: uint64(round / 2), Mix: openloop.Mix{1, 0, 0}, MaxLate: 1})
		stop()
		if flipErr := <-failed; err == nil {
			err = flipErr
		}
		if err == nil && !r.Held() {
			err = fmt.Errorf("%d polls failed: %s", r.Errors, r.FirstError)
		}
		if err != nil {
			return err
		}
		l := r.Latency
		p99[round%2] = append(p99[round%2], l.P99)
		fmt.Fprintf(&m.report, "| %s | %.2f | %.2f | %.2f | %.2f | %.2f | %d of %d |\n", []string{"none", "one a second"}[round%2], l.P50, l.P90, l.P99, l.P999, l.Max, r.Late, r.Scheduled)
	}
	without, with := median(p99[0]), median(p99[1])
	fmt.Fprintf(&m.report, "\nMedian of the p99: %.2f without and %.2f with changes, %.2f times as much.\n", without, with, with/without)
	return nil
}

// median returns the middle one, of an even number the lower.
func median(of []float64) float64 {
	slices.Sort(of)
	return of[(len(of)-1)/2]
}

// flipEverySecond makes changes until ctx ends, if it is to.
func (m *measurement) flipEverySecond(ctx context.Context, change bool) error {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for n := 0; ; n++ {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		if change {
			if err := m.flip(context.WithoutCancel(ctx), n); err != nil {
				return err
			}
		}
	}
}
