//go:build linux

package main

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/popupd/popupd/bench/openloop"
	"github.com/popupd/popupd/internal/testbed"
)

// goals of the envelope.
const (
	peak           = 50000 // requests/s
	popupdCPU      = 70    // % of a core
	mariadbCPU     = 50
	maxConnections = 800
	maxRedis       = 1 << 30
)

// cpus are what the processes have used since they began, and what the
// hypervisor has taken away from this machine since it booted.
type cpus struct{ popupd, mariadb, redis, generator, stolen time.Duration }

func (s *deployment) cpus() (c cpus, err error) {
	for _, p := range []struct {
		pid  int
		into *time.Duration
	}{{s.popupd.Pid(), &c.popupd}, {s.mysql.Pid(), &c.mariadb}, {s.redis.Pid(), &c.redis}, {os.Getpid(), &c.generator}} {
		if *p.into, err = testbed.CPU(p.pid); err != nil {
			return c, err
		}
	}
	c.stolen, err = stolen()
	return c, err
}

// stolen reads the column steal of proc_stat(5), of all processors.
func stolen() (time.Duration, error) {
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0, err
	}
	var user, nice, system, idle, iowait, irq, softirq, steal int64
	if _, err := fmt.Sscanf(string(text), "cpu %d %d %d %d %d %d %d %d", &user, &nice, &system, &idle, &iowait, &irq, &softirq, &steal); err != nil {
		return 0, fmt.Errorf("/proc/stat: %w", err)
	}
	return time.Duration(steal) * 10 * time.Millisecond, nil // a tick is 1/100 s in user space
}

func (a cpus) minus(b cpus) cpus {
	return cpus{a.popupd - b.popupd, a.mariadb - b.mariadb, a.redis - b.redis, a.generator - b.generator, a.stolen - b.stolen}
}

// envelope is what was found.
type envelope struct {
	result      *openloop.Result
	elapsed     time.Duration // of the run, to its last answer
	used        cpus          // meanwhile
	drained     time.Duration // from then until all events were in MariaDB
	after       cpus          // used in that time
	stored      events        // in MariaDB of this run
	answered    events        // by popupd
	connections int           // of the database, at most, the one that counts included
	redis       int64         // bytes, at most
	journal     float64       // bytes, at most
	queue       float64       // events not in MariaDB yet, at most
	lag         string        // the bucket of popupd_flush_lag_seconds of the longest
	gcs         float64
	gcPauses    time.Duration // of all of them
	rss         int64         // of popupd, at the end
	pinned      bool
}

func (t *task) runEnvelope(ctx context.Context) error {
	s, err := newDeployment(ctx, t.pin, t.offer.Users)
	if err != nil {
		return err
	}
	defer s.Close()
	c := t.offer
	c.Address, c.Duration = s.address(), t.duration(time.Minute)
	e, err := s.envelope(ctx, c)
	if err != nil {
		return err
	}
	e.pinned = s.server != ""
	text := "# The envelope: popupd, MariaDB, Redis and the load on one machine\n\n" +
		testbed.Environment(t.command, testbed.Version("mariadbd", "--version"), testbed.Version("redis-server", "--version")) + "\n" + e.report(t.p99)
	if t.out != "" {
		file := filepath.Join(t.out, "envelope.svg")
		title := fmt.Sprintf("Latency of popupd at %s requests/s, stores and load on the same %d cores", thousands(c.Rate), runtime.NumCPU())
		if err := writePlot(file, title, t.command, map[string]*openloop.Result{"": e.result}); err != nil {
			return err
		}
		text += "\n![latency by percentile](envelope.svg)\n"
	}
	if err := t.writeOut("envelope.md", text); err != nil {
		return err
	}
	if t.json != "" {
		if err := writeJSON(t.json, e.result); err != nil {
			return err
		}
	}
	if err := verdict(e.result); err != nil {
		return err
	}
	return missed(e.checks(t.p99))
}

// envelope offers the load and watches everything meanwhile.
func (s *deployment) envelope(ctx context.Context, c openloop.Config) (*envelope, error) {
	var e envelope
	before, err := s.stored()
	if err != nil {
		return nil, err
	}
	// The most from now on, and not of the start.
	if _, err := s.mysql.Query("FLUSH STATUS"); err != nil {
		return nil, err
	}
	first, err := s.scrape(ctx)
	if err != nil {
		return nil, err
	}
	watch, end := context.WithCancel(ctx)
	watched := make(chan error, 1)
	go func() { watched <- e.watch(watch, s) }()
	defer end()

	if err := e.load(ctx, s, c); err != nil {
		return nil, err
	}
	end()
	if err := <-watched; err != nil {
		return nil, err
	}

	last, err := s.scrape(ctx)
	if err != nil {
		return nil, err
	}
	e.lag = longestLag(first, last)
	e.gcs = last["go_gc_duration_seconds_count"] - first["go_gc_duration_seconds_count"]
	e.gcPauses = time.Duration((last["go_gc_duration_seconds_sum"] - first["go_gc_duration_seconds_sum"]) * 1e9)
	if e.rss, err = testbed.RSS(s.popupd.Pid()); err != nil {
		return nil, err
	}
	stored, err := s.stored()
	if err != nil {
		return nil, err
	}
	e.stored = events{stored.impressions - before.impressions, stored.clicks - before.clicks}
	e.answered = answers(e.result)
	return &e, e.askStores(s)
}

// load offers the load, waits until its events are in the database, and measures
// the time and the CPU of both.
func (e *envelope) load(ctx context.Context, s *deployment, c openloop.Config) error {
	start := time.Now()
	used, err := s.cpus()
	if err != nil {
		return err
	}
	if e.result, err = openloop.Run(ctx, c); err != nil {
		return err
	}
	e.elapsed = time.Since(start)
	ran, err := s.cpus()
	if err != nil {
		return err
	}
	e.used = ran.minus(used)
	if err := s.popupd.Drained(ctx); err != nil {
		return err
	}
	e.drained = time.Since(start) - e.elapsed
	done, err := s.cpus()
	if err != nil {
		return err
	}
	e.after = done.minus(ran)
	return nil
}

// askStores reads how many connections MariaDB had at most, and how much memory
// Redis had.
func (e *envelope) askStores(s *deployment) error {
	most, err := s.mysql.Query("SHOW GLOBAL STATUS LIKE 'Max_used_connections'")
	if err != nil {
		return err
	}
	if _, err := fmt.Sscanf(most, "Max_used_connections %d", &e.connections); err != nil {
		return fmt.Errorf("%q: %w", most, err)
	}
	peak, err := s.redis.Command(`EVAL "return tonumber(string.match(redis.call('INFO', 'memory'), 'used_memory_peak:(%d+)'))" 0`)
	if err != nil {
		return err
	}
	if e.redis, err = strconv.ParseInt(strings.TrimPrefix(peak, ":"), 10, 64); err != nil {
		return fmt.Errorf("memory of Redis %q: %w", peak, err)
	}
	return nil
}

// watch keeps the most of what popupd says, once a second until ctx ends.
func (e *envelope) watch(ctx context.Context, s *deployment) error {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		now, err := s.scrape(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
		e.journal = max(e.journal, now["popupd_journal_bytes"])
		e.queue = max(e.queue, now["popupd_queue_depth_events"])
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// longestLag returns the least upper bound that popupd_flush_lag_seconds has for
// all flushes between two scrapes.
func longestLag(first, last samples) string {
	const count = "popupd_flush_lag_seconds_count"
	n := last[count] - first[count]
	bound := ""
	least := 0.0
	for series := range maps.Keys(last) {
		le, ok := strings.CutPrefix(series, `popupd_flush_lag_seconds_bucket{le="`)
		if !ok || last[series]-first[series] < n {
			continue
		}
		le = strings.TrimSuffix(le, `"}`)
		if x, err := strconv.ParseFloat(le, 64); err == nil && (bound == "" || x < least) {
			bound, least = le, x
		}
	}
	return bound
}

// check is one line of the report; without a goal it is ok.
type check struct {
	name, found, goal string
	ok                bool
}

func (e *envelope) checks(p99 time.Duration) []check {
	r := e.result
	cpu := func(name string, used time.Duration, most float64) check {
		c := check{"CPU of " + name, fmt.Sprintf("%.1f %% of one core", percent(used, e.elapsed)), "", true}
		if most > 0 {
			c.goal, c.ok = fmt.Sprintf("under %.0f %%", most), percent(used, e.elapsed) < most
		}
		return c
	}
	return []check{
		{"offered", fmt.Sprintf("%s requests/s for %.0f s, %s arrivals, mix %s, %d keep-alive connections", thousands(r.Rate), r.Seconds, r.Arrivals, r.Mix, r.Connections), "50,000 for 60 s", r.Rate >= peak && r.Seconds >= 60},
		{"answered", fmt.Sprintf("%s requests, %s/s", thousands(float64(r.Answered)), thousands(r.AnsweredPS)), "all", r.Answered == r.Scheduled},
		{"errors", fmt.Sprint(r.Errors), "0", r.Errors == 0},
		{"p50, p99, p99.9", fmt.Sprintf("%.2f, %.2f, %.2f ms", r.Latency.P50, r.Latency.P99, r.Latency.P999), fmt.Sprintf("p99 under %d ms", p99.Milliseconds()), r.Latency.P99 < p99.Seconds()*1000},
		cpu("popupd", e.used.popupd, popupdCPU),
		cpu("mariadbd", e.used.mariadb, mariadbCPU),
		cpu("redis-server", e.used.redis, 0),
		cpu("the generator", e.used.generator, 0),
		cpu("the hypervisor's other guests", e.used.stolen, 0),
		{"events in MariaDB, counted", fmt.Sprintf("%s impressions and %s clicks of %s and %s answered", thousands(float64(e.stored.impressions)), thousands(float64(e.stored.clicks)),
			thousands(float64(e.answered.impressions)), thousands(float64(e.answered.clicks))), "all", e.counted()},
		{"all of them were there", fmt.Sprintf("%.1f s after the last answer (meanwhile popupd used %.2f s of CPU, mariadbd %.2f)", e.drained.Seconds(), e.after.popupd.Seconds(), e.after.mariadb.Seconds()), "", true},
		{"longest flush lag", "at most " + e.lag + " s", "", true},
		{"most events not in MariaDB yet", thousands(e.queue), "", true},
		{"most connections of the database", fmt.Sprintf("%d, the one that counts included", e.connections), fmt.Sprintf("far under %d", maxConnections), e.connections < maxConnections/4},
		{"most memory of Redis", fmt.Sprintf("%.1f MB", float64(e.redis)/1e6), "far under 1 GB", e.redis < maxRedis/4},
		{"most disk of the journal", fmt.Sprintf("%.0f MB", e.journal/1e6), "", true},
		{"memory of popupd", fmt.Sprintf("%.0f MB", float64(e.rss)/1e6), "", true},
		{"GC of popupd", fmt.Sprintf("%.0f cycles, pauses of %.1f ms in all", e.gcs, e.gcPauses.Seconds()*1000), "", true},
	}
}

// counted reports whether MariaDB has every event that was answered, and none
// that was not asked for: of a request without an answer nobody can tell.
func (e *envelope) counted() bool {
	between := func(kind openloop.Kind, answered, stored int64) bool {
		sent := int64(0)
		if k := e.result.Kinds[kind.String()]; k != nil {
			sent = int64(k.Sent)
		}
		return answered <= stored && stored <= sent
	}
	return between(openloop.Served, e.answered.impressions, e.stored.impressions) && between(openloop.Action, e.answered.clicks, e.stored.clicks)
}

// answers are the events that a run was told were recorded.
func answers(r *openloop.Result) (e events) {
	for _, kind := range r.Kinds {
		e.impressions += int64(kind.Statuses[200])
		e.clicks += int64(kind.Statuses[202])
	}
	return e
}

// missed is an error if a goal is not met.
func missed(checks []check) error {
	var all []string
	for _, c := range checks {
		if !c.ok {
			all = append(all, fmt.Sprintf("%s: %s, goal: %s", c.name, c.found, c.goal))
		}
	}
	if len(all) == 0 {
		return nil
	}
	return fmt.Errorf("%w: %s", errGoal, strings.Join(all, "; "))
}

func checkTable(checks []check) string {
	var b strings.Builder
	b.WriteString("| | found | goal |\n|---|---|---|\n")
	for _, c := range checks {
		goal := c.goal
		if goal != "" && c.ok {
			goal += ": met"
		} else if goal != "" {
			goal += ": **missed**"
		}
		fmt.Fprintf(&b, "| %s | %s | %s |\n", c.name, c.found, goal)
	}
	return b.String()
}

func (e *envelope) report(p99 time.Duration) string {
	var b strings.Builder
	if e.pinned {
		b.WriteString("popupd has core 0; mariadbd, redis-server and the generator share core 1, where the generator's thread goes first (it asks for 10 less of nice, as root).\n\n")
	} else {
		b.WriteString("No process is pinned to a core.\n\n")
	}
	b.WriteString(checkTable(e.checks(p99)) + "\n" + latencyTable(e.result))
	fmt.Fprintf(&b, "\nThe generator sends and reads every %d us. It got round to %d requests (%.2f %%) more than 1 ms late, to the latest %.1f ms: that is in the latencies too.\n",
		e.result.TickUS, e.result.Late, 100*float64(e.result.Late)/float64(max(e.result.Scheduled, 1)), e.result.LatestMS)
	for _, why := range e.result.Void {
		fmt.Fprintf(&b, "\n**Void**: %s\n", why)
	}
	return b.String()
}
