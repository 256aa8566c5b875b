//go:build linux

package main

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"math"
	"os"
	"regexp"
	"strconv"
	"time"

	"github.com/popupd/popupd/internal/testbed"
)

//go:embed mix.lua
var mix string

// load is what every rung gets.
type load struct {
	connections int
	duration    time.Duration
}

// warmUp comes before a trial and is not measured.
const warmUp = time.Second

// trial is what one rung did under the load, once.
type trial struct {
	perSecond   float64
	p50, p99    time.Duration
	errors      float64 // requests that failed or were not answered in wrk's 2 s
	connections float64 // most to MySQL at once
	statements  float64 // of MySQL a request
	serverCPU   float64 // us a request, until all is in the database
	mysqlCPU    float64 // likewise
	behind      time.Duration
	others      float64 // share of all cores, see the function
}

// rounds returns the trials of each rung. Each round begins one rung later: the
// machine's mood may follow the order.
func (b *bench) rounds(ctx context.Context, rounds int, l load) ([][]trial, error) {
	trials := make([][]trial, len(rungs))
	for round := range rounds {
		for n := range rungs {
			rung := (round+n)%len(rungs) + 1
			t, err := b.trial(ctx, rung, l)
			if err != nil {
				return nil, err
			}
			trials[rung-1] = append(trials[rung-1], t)
			fmt.Fprintf(os.Stderr, "round %d, rung %s: %.0f requests/s, p99 %v, %.0f errors; others had %.0f %% of the cores\n",
				round+1, rungs[rung-1], t.perSecond, t.p99, t.errors, 100*t.others)
		}
	}
	return trials, nil
}

func (b *bench) trial(ctx context.Context, rung int, l load) (t trial, err error) {
	s, err := b.start(ctx, rung)
	if err != nil {
		return t, err
	}
	defer s.stop()
	defer func() {
		if err != nil {
			err = fmt.Errorf("rung %s: %w", rungs[rung-1], err)
		}
	}()
	if _, err := b.wrk(ctx, s, load{l.connections, warmUp}, "warm"); err != nil {
		return t, err
	}
	if err := s.drained(ctx); err != nil {
		return t, err
	}
	before, err := s.used()
	if err != nil {
		return t, err
	}
	answered, err := b.wrk(ctx, s, l, "new")
	if err != nil {
		return t, err
	}
	ended := time.Now()
	if err := s.drained(ctx); err != nil {
		return t, err
	}
	behind := time.Since(ended)
	after, err := s.used()
	if err != nil {
		return t, err
	}
	if err := s.counted(answered, l); err != nil {
		return t, err
	}
	all := float64(answered.requests)
	return trial{
		perSecond:   all / answered.elapsed.Seconds(),
		p50:         answered.p50,
		p99:         answered.p99,
		errors:      float64(answered.errors),
		connections: after.connections - 1, // the one that asks
		statements:  (after.statements - before.statements) / all,
		serverCPU:   float64((after.server - before.server).Microseconds()) / all,
		mysqlCPU:    float64((after.mysql - before.mysql).Microseconds()) / all,
		behind:      behind,
		others:      others(before, after, answered.cpu),
	}, nil
}

// counted compares what the new users were shown with the rows of event: one
// each, but for the requests under way when wrk ended and those that failed.
func (s *server) counted(a answered, l load) error {
	rows, err := s.mysql.Query("SELECT COUNT(*), COUNT(DISTINCT user_id) FROM popupd.event WHERE user_id NOT LIKE 'warm-%'")
	if err != nil {
		return err
	}
	var events, shown int
	if _, err := fmt.Sscan(rows, &events, &shown); err != nil {
		return fmt.Errorf("count %q: %w", rows, err)
	}
	if least := a.fresh - a.errors - l.connections; events != shown || shown > a.fresh || shown < least {
		return fmt.Errorf("the database has %d events of %d users, the load had %d new users and %d errors\n%s", events, shown, a.fresh, a.errors, s.Log())
	}
	return nil
}

// answered is what wrk saw.
type answered struct {
	requests, errors int
	fresh            int // polls of new users, also those not answered before the end
	elapsed          time.Duration
	p50, p99         time.Duration
	cpu              time.Duration // of wrk
}

// wrk puts the load on a server. The ids of its new users begin with prefix.
func (b *bench) wrk(ctx context.Context, s *server, l load, prefix string) (answered, error) {
	p, err := b.bed.Start(testbed.Program{Name: "wrk", Args: []string{
		"wrk", "-t1", "-c", strconv.Itoa(l.connections), "-d", strconv.Itoa(int(math.Round(l.duration.Seconds()))) + "s",
		"-s", b.script, "http://" + s.address, "--", prefix,
	}})
	if err != nil {
		return answered{}, err
	}
	if err := p.Wait(ctx); err != nil {
		return answered{}, err
	}
	a, err := parseAnswered(p.Log())
	if err != nil {
		return a, err
	}
	a.cpu, err = p.CPU()
	return a, err
}

var summary = regexp.MustCompile(`(?m)^requests=(\d+) us=(\d+) p50=(\d+) p99=(\d+) socket=(\d+) status=(\d+) new=(\d+)$`)

// parseAnswered reads the line that mix.lua ends with.
func parseAnswered(log string) (answered, error) {
	m := summary.FindStringSubmatch(log)
	if m == nil {
		return answered{}, fmt.Errorf("wrk has no summary:\n%s", log)
	}
	var n [7]int
	for i := range n {
		var err error
		if n[i], err = strconv.Atoi(m[i+1]); err != nil {
			return answered{}, fmt.Errorf("summary %q: %w", m[0], err)
		}
	}
	us := func(i int) time.Duration { return time.Duration(n[i]) * time.Microsecond }
	a := answered{requests: n[0], elapsed: us(1), p50: us(2), p99: us(3), errors: n[4] + n[5], fresh: n[6]}
	if a.requests == 0 {
		return a, errors.New("wrk got no answer")
	}
	return a, nil
}
