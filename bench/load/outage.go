//go:build linux

package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/popupd/popupd/bench/openloop"
	"github.com/popupd/popupd/internal/testbed"
)

// goals of an outage.
const (
	outageRate  = 20000 // requests/s
	outageRatio = 1.5   // p99 while both stores are down, of the better of the runs before and after
)

// outage is what was found.
type outage struct {
	before, during, after *openloop.Result
	backlog               float64       // events not in MariaDB when the stores came back
	recovered             time.Duration // from then until all were
	stored, answered      events        // of all three runs
}

// runOutage offers the mix three times: with both stores up, killed, and up again.
func (t *task) runOutage(ctx context.Context) error {
	s, err := newDeployment(ctx, t.pin, t.offer.Users)
	if err != nil {
		return err
	}
	defer s.Close()
	c := t.offer
	c.Address, c.Rate, c.Duration = s.address(), outageRate, t.duration(time.Minute)
	o, err := s.outage(ctx, c)
	if err != nil {
		return err
	}
	text := "# Both stores down\n\n" +
		testbed.Environment(t.command, testbed.Version("mariadbd", "--version"), testbed.Version("redis-server", "--version")) + "\n" + o.report()
	if err := t.writeOut("outage.md", text); err != nil {
		return err
	}
	for _, r := range []*openloop.Result{o.before, o.during, o.after} {
		if err := verdict(r); err != nil {
			return err
		}
	}
	return missed(o.checks())
}

func (s *deployment) outage(ctx context.Context, c openloop.Config) (*outage, error) {
	var o outage
	first, err := s.stored()
	if err != nil {
		return nil, err
	}
	run := func(name string) (*openloop.Result, error) {
		fmt.Fprintln(os.Stderr, name)
		r, err := openloop.Run(ctx, c)
		if err == nil {
			n := answers(r)
			o.answered.impressions += n.impressions
			o.answered.clicks += n.clicks
		}
		return r, err
	}
	if o.before, err = run("both stores are up"); err != nil {
		return nil, err
	}
	s.redis.Kill()
	s.mysql.Kill()
	if o.during, err = run("both stores are down"); err != nil {
		return nil, err
	}
	if o.backlog, err = s.popupd.Metric(ctx, "popupd_queue_depth_events"); err != nil {
		return nil, err
	}
	if err := s.mysql.Restart(); err != nil {
		return nil, err
	}
	if err := s.redis.Restart(); err != nil {
		return nil, err
	}
	start := time.Now()
	if err := s.popupd.Drained(ctx); err != nil {
		return nil, err
	}
	o.recovered = time.Since(start)
	if o.after, err = run("both stores are up again"); err != nil {
		return nil, err
	}
	if err := s.popupd.Drained(ctx); err != nil {
		return nil, err
	}
	last, err := s.stored()
	o.stored = events{last.impressions - first.impressions, last.clicks - first.clicks}
	return &o, err
}

// ratio is the p99 of the outage to that of the better of the healthy runs.
func (o *outage) ratio() float64 {
	return o.during.Latency.P99 / min(o.before.Latency.P99, o.after.Latency.P99)
}

func (o *outage) checks() []check {
	d := o.during
	return []check{
		{"offered", fmt.Sprintf("%s requests/s, %.0f s each, %s arrivals, mix %s, %d keep-alive connections", thousands(d.Rate), d.Seconds, d.Arrivals, d.Mix, d.Connections), "20,000 for 60 s", d.Rate >= outageRate && d.Seconds >= 60},
		{"answered while both were down", fmt.Sprintf("%s of %s requests, %d errors", thousands(float64(d.Answered)), thousands(float64(d.Scheduled)), d.Errors), "all", d.Answered == d.Scheduled && d.Errors == 0},
		{"p99 before, meanwhile, after", fmt.Sprintf("%.2f, %.2f, %.2f ms: %.2f of the better of the healthy ones", o.before.Latency.P99, d.Latency.P99, o.after.Latency.P99, o.ratio()), fmt.Sprintf("at most %.1f", outageRatio), o.ratio() <= outageRatio},
		{"events waiting when the stores came back", thousands(o.backlog), "", true},
		{"all of them were in MariaDB", fmt.Sprintf("%.1f s later", o.recovered.Seconds()), "30 s", o.recovered <= 30*time.Second},
		{"events in MariaDB, of all three runs", fmt.Sprintf("%s impressions and %s clicks of %s and %s answered", thousands(float64(o.stored.impressions)), thousands(float64(o.stored.clicks)),
			thousands(float64(o.answered.impressions)), thousands(float64(o.answered.clicks))), "the same", o.stored == o.answered},
	}
}

func (o *outage) report() string {
	var b strings.Builder
	b.WriteString("MariaDB and Redis, which starts again empty, are killed before the second of three runs and started after it.\n\n")
	b.WriteString(checkTable(o.checks()))
	for _, run := range []struct {
		name string
		r    *openloop.Result
	}{{"Before", o.before}, {"Meanwhile", o.during}, {"After", o.after}} {
		fmt.Fprintf(&b, "\n%s:\n\n%s", run.name, latencyTable(run.r))
		for _, why := range run.r.Void {
			fmt.Fprintf(&b, "\n**Void**: %s\n", why)
		}
	}
	return b.String()
}
