//go:build linux

package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/popupd/popupd/internal/testbed"
)

// measureFlush offers the load before, while and after old rows are deleted.
func (m *measurement) measureFlush(ctx context.Context) error {
	if err := m.resume(); err != nil {
		return err
	}
	fmt.Fprintf(&m.report, "## Flushing and deleting\n\n%d events/s for %v each: polls of users all over the table whose waits are over, and an action on one of three. `-retention %s` has old events leave; impressions older than eight days leave in any case, once a day. "+
		"Times of flushes are read from popupd's histograms, so between their buckets they are interpolated.\n\n"+
		"| | events/s in MariaDB | flush p50, ms | p99, ms | flushes above 250 ms | lag p99, ms | flusher busy | answers p99, ms | failed | deleted/s: `event` | `impression` | MariaDB, cores | popupd, cores | history list, most |\n"+
		"|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|\n", m.rate, m.phase, hours(m.retain))
	for _, p := range []struct {
		name      string
		retention time.Duration
		load      bool
	}{
		{"just after a start of MariaDB", 0, true},
		{"before", 0, true},
		{"while events are deleted", m.retain, true},
		{"deleting alone", m.retain, false},
		{"afterwards", 0, true},
	} {
		if m.server == nil || m.retention != p.retention {
			if err := m.restart(p.retention); err != nil {
				return err
			}
		}
		if err := m.phaseOf(ctx, p.name, p.load); err != nil {
			return err
		}
	}
	return m.reportSpace("after that")
}

// resume goes on with users who were not there in an earlier run.
func (m *measurement) resume() error {
	seen, err := m.number(fmt.Sprintf("SELECT COALESCE(SUM(last_seq), 0) FROM popupd.ingest_stream WHERE stream_no > %d", eras*servers))
	m.visited = int64(seen + seen/2) // an event has at most a visit; not all visits may be committed
	return err
}

// restart starts popupd with a retention, and stops the one before.
func (m *measurement) restart(retention time.Duration) error {
	if m.server != nil {
		if err := m.server.Stop(); err != nil {
			return err
		}
		m.server = nil
	}
	m.retention = retention
	start := time.Now()
	if err := m.start("-retention", hours(retention), "-state-max", "2GiB"); err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "popupd is ready after %.1f s\n", time.Since(start).Seconds())
	return nil
}

// hours are as the flag -retention is written.
func hours(d time.Duration) string { return fmt.Sprintf("%gh", d.Hours()) }

// phaseOf measures for a while, with the load or without it.
func (m *measurement) phaseOf(ctx context.Context, name string, load bool) error {
	fmt.Fprintln(os.Stderr, name)
	before, err := m.sample(ctx)
	if err != nil {
		return err
	}
	watching, stop := context.WithCancel(ctx)
	history := make(chan int)
	go func() { history <- m.longestHistory(watching) }()
	var o offered
	if load {
		o = m.offer(ctx, m.phase)
		err = m.server.Drained(ctx)
	} else {
		select {
		case <-time.After(m.phase):
		case <-ctx.Done():
		}
	}
	stop()
	longest := <-history
	if err != nil {
		return err
	}
	after, err := m.sample(ctx)
	if err != nil {
		return err
	}
	if o.failed > 0 {
		fmt.Fprintln(os.Stderr, "failed:", o.cause)
	}
	seconds := after.at.Sub(before.at).Seconds()
	rate := func(series string) float64 { return (after.metrics[series] - before.metrics[series]) / seconds }
	flushed := func(q float64) string {
		return milliseconds(quantile(before.metrics, after.metrics, "popupd_flush_duration_seconds", q))
	}
	count := after.metrics["popupd_flush_duration_seconds_count"] - before.metrics["popupd_flush_duration_seconds_count"]
	fast := after.metrics[`popupd_flush_duration_seconds_bucket{le="0.25"}`] - before.metrics[`popupd_flush_duration_seconds_bucket{le="0.25"}`]
	fmt.Fprintf(&m.report, "| %s | %.0f | %s | %s | %.0f of %.0f | %s | %.0f %% | %.1f | %d | %.0f | %.0f | %.2f | %.2f | %d |\n", name,
		rate("popupd_flushed_events_total"), flushed(0.5), flushed(0.99), count-fast, count,
		milliseconds(quantile(before.metrics, after.metrics, "popupd_flush_lag_seconds", 0.99)),
		100*rate("popupd_flush_duration_seconds_sum"), o.p99.Seconds()*1000, o.failed,
		rate(`popupd_retention_removed_total{table="event"}`), rate(`popupd_retention_removed_total{table="impression"}`),
		(after.mysql-before.mysql).Seconds()/seconds, (after.popupd-before.popupd).Seconds()/seconds, longest)
	return nil
}

// sample is what is known at a time.
type sample struct {
	at            time.Time
	metrics       map[string]float64
	mysql, popupd time.Duration // of CPU
}

func (m *measurement) sample(ctx context.Context) (s sample, err error) {
	_, text, err := m.get(ctx, "/metrics")
	if err != nil {
		return s, err
	}
	s.at = time.Now()
	if s.metrics, err = parseMetrics(text); err != nil {
		return s, err
	}
	if s.mysql, err = m.mysql.CPU(); err != nil {
		return s, err
	}
	s.popupd, err = testbed.CPU(m.server.Pid())
	return s, err
}

// parseMetrics returns the samples by series, as /metrics prints them.
func parseMetrics(text []byte) (map[string]float64, error) {
	all := map[string]float64{}
	for lines := bufio.NewScanner(bytes.NewReader(text)); lines.Scan(); {
		series, value, ok := strings.Cut(lines.Text(), " ")
		if !ok || series == "#" {
			continue
		}
		v, err := strconv.ParseFloat(value, 64)
		if err != nil {
			return nil, fmt.Errorf("metric %s: %w", series, err)
		}
		all[series] = v
	}
	return all, nil
}

// quantile returns that of what a histogram has counted in between, in seconds: linear within
// a bucket, as Prometheus has it, and the highest bound at most. It is NaN if nothing was counted.
func quantile(before, after map[string]float64, name string, q float64) float64 {
	in := func(bound string) float64 {
		series := name + `_bucket{le="` + bound + `"}`
		return after[series] - before[series]
	}
	want := q * in("+Inf")
	if want == 0 {
		return math.NaN()
	}
	low, below := 0.0, 0.0
	for _, high := range bounds(after, name) {
		n := in(strconv.FormatFloat(high, 'g', -1, 64))
		if n >= want {
			return low + (high-low)*(want-below)/(n-below)
		}
		low, below = high, n
	}
	return low
}

// bounds returns those of a histogram's buckets, but the last.
func bounds(metrics map[string]float64, name string) (all []float64) {
	for series := range metrics {
		bound, ours := strings.CutPrefix(series, name+`_bucket{le="`)
		if high, err := strconv.ParseFloat(strings.TrimSuffix(bound, `"}`), 64); ours && err == nil && !math.IsInf(high, 1) {
			all = append(all, high)
		}
	}
	slices.Sort(all)
	return all
}

func milliseconds(seconds float64) string {
	if math.IsNaN(seconds) {
		return ""
	}
	return fmt.Sprintf("%.0f", seconds*1000)
}

// longestHistory watches how many transactions wait to be purged, until ctx ends.
func (m *measurement) longestHistory(ctx context.Context) (longest int) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		if n, err := m.number("SELECT VARIABLE_VALUE FROM information_schema.GLOBAL_STATUS WHERE VARIABLE_NAME = 'INNODB_HISTORY_LIST_LENGTH'"); err == nil {
			longest = max(longest, n)
		}
		select {
		case <-ctx.Done():
			return longest
		case <-tick.C:
		}
	}
}
