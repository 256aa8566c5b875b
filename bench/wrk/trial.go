//go:build linux

package main

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/popupd/popupd/internal/testbed"
)

//go:embed request.lua
var script string

// warmUp is how long a server works before it is measured.
const warmUp = time.Second

// trial is what wrk measured of one server once.
type trial struct {
	perSecond float64
	p50, p99  time.Duration
	cpu       float64    // microseconds of the server's CPU a request; of popupd, until all is in the database
	server    float64    // share of its core that the server had while wrk ran
	wrk       float64    // and wrk of its own
	others    [2]float64 // share of a core that other programs had, of the server's and of the others
	stored    counts     // of popupd: events that came into MariaDB
	late      int64      // events that were not in it yet when wrk ended
}

// trial measures a server that has just been started.
func (b *bench) trial(ctx context.Context, c *target, s scenario, m mode) (trial, error) {
	if _, err := b.wrk(ctx, c, s, m, warmUp); err != nil {
		return trial{}, fmt.Errorf("warm-up: %w", err)
	}
	var answered counts
	if c.popupd != nil {
		if err := c.popupd.Drained(ctx); err != nil {
			return trial{}, err
		}
		var err error
		if answered, err = c.popupd.answered(ctx); err != nil {
			return trial{}, err
		}
	}
	r, err := b.wrk(ctx, c, s, m, b.duration)
	if err != nil {
		return trial{}, err
	}
	server, generators := others(r.from, r.to, r.wrk+r.init)
	if err := quiet(server, generators, b.noise); err != nil {
		return trial{}, err
	}
	used := r.to.target - r.from.target
	t := trial{
		perSecond: r.perSecond, p50: r.p50, p99: r.p99,
		server: used.Seconds() / r.wall.Seconds(), wrk: r.wrk.Seconds() / r.wall.Seconds(), others: [2]float64{server, generators},
	}
	if c.popupd != nil {
		late, err := c.popupd.Metric(ctx, "popupd_queue_depth_events")
		if err != nil {
			return trial{}, err
		}
		t.late = int64(late)
		if err := c.popupd.Drained(ctx); err != nil {
			return trial{}, err
		}
		all, err := c.CPU()
		if err != nil {
			return trial{}, err
		}
		used = all - r.from.target
		if t.stored, err = b.verify(ctx, c, s, r.requests, answered); err != nil {
			return trial{}, err
		}
	}
	t.cpu = float64(used.Microseconds()) / float64(r.requests)
	return t, nil
}

// verify returns what the run has brought into MariaDB, or an error unless that
// is what popupd has answered, and that is what wrk has seen.
func (b *bench) verify(ctx context.Context, c *target, s scenario, requests int64, before counts) (counts, error) {
	all, err := c.popupd.answered(ctx)
	if err != nil {
		return counts{}, err
	}
	if b.mysql != nil {
		stored, err := b.stored(c.popupd.database)
		if err != nil {
			return counts{}, err
		}
		if stored != all {
			return counts{}, fmt.Errorf("MariaDB has %+v, popupd has answered %+v", stored, all)
		}
	}
	run := all.minus(before)
	// What was under way when wrk ended was answered to nobody.
	for _, k := range []struct {
		name       string
		share, got int64
	}{{"200", int64(s.served), run.impressions}, {"202", int64(s.actions), run.clicks}} {
		want, slack := requests*k.share/100, int64(b.connections)
		switch k.share {
		case 0:
			slack = 0
		case 100:
		default:
			slack += 100 // the pattern of the mix ends anywhere
		}
		if k.got < want-slack || k.got > want+slack {
			return counts{}, fmt.Errorf("popupd counted %d answers %s, wrk saw %d", k.got, k.name, want)
		}
	}
	return run, nil
}

// report is what wrk printed, and the CPU times around it.
type report struct {
	perSecond float64
	p50, p99  time.Duration
	requests  int64
	wall      time.Duration
	from, to  usage
	init      time.Duration // CPU of wrk before it began
	wrk       time.Duration // and from then on
}

var (
	rateLine     = regexp.MustCompile(`Requests/sec:\s+([\d.]+)`)
	totalLine    = regexp.MustCompile(`(\d+) requests in ([\d.]+\w+),`)
	quantileLine = regexp.MustCompile(`(?m)^\s+(50|99)%\s+(\S+)`)
	preparedLine = regexp.MustCompile(`prepared in ([\d.]+)`)
	failureLine  = regexp.MustCompile(`(?m)^\s*(Non-2xx.*|Socket errors.*)$`)
)

// wrk runs wrk once. An answer that is not 2xx or an error of a socket is an
// error.
func (b *bench) wrk(ctx context.Context, c *target, s scenario, m mode, duration time.Duration) (*report, error) {
	lua := filepath.Join(b.Dir(), "request.lua")
	if err := os.WriteFile(lua, []byte(script), 0o600); err != nil {
		return nil, err
	}
	from, err := b.usage(c)
	if err != nil {
		return nil, err
	}
	again := "once"
	if c.popupd == nil { // a rival does not tell one from another
		again = "again"
	}
	p, err := b.Start(testbed.Program{
		Name: "wrk", Cores: generatorCores,
		Args: []string{
			"wrk", "-t1", "-c", strconv.Itoa(b.connections), "-d", duration.String(), "--latency", "--timeout", "10s", "-s", lua, "http://" + c.address, "--",
			strconv.Itoa(s.nothing), strconv.Itoa(s.served), strconv.Itoa(s.actions),
			c.served, strconv.Itoa(c.users), strconv.Itoa(c.action), c.actions, again, m.header,
		},
	})
	if err != nil {
		return nil, err
	}
	if err := p.Wait(ctx); err != nil {
		return nil, err
	}
	to, err := b.usage(c)
	if err != nil {
		return nil, err
	}
	r := &report{from: from, to: to}
	if r.wrk, err = p.CPU(); err != nil {
		return nil, err
	}
	if f := failures(p.Log()); f != "" {
		return nil, errors.New("wrk: " + f)
	}
	if err := r.parse(p.Log()); err != nil {
		return nil, fmt.Errorf("wrk printed what it never does: %w\n%s", err, p.Log())
	}
	c.users += used(s.served, r.requests, b.connections)
	c.action += used(s.actions, r.requests, b.connections)
	return r, nil
}

// failures returns what wrk says of errors, "" if there are none.
func failures(log string) string {
	var all []string
	for _, m := range failureLine.FindAllStringSubmatch(log, -1) {
		all = append(all, m[1])
	}
	return strings.Join(all, "; ")
}

func (r *report) parse(log string) error {
	rate, total, prepared := rateLine.FindStringSubmatch(log), totalLine.FindStringSubmatch(log), preparedLine.FindStringSubmatch(log)
	quantiles := quantileLine.FindAllStringSubmatch(log, -1)
	if rate == nil || total == nil || prepared == nil || len(quantiles) != 2 {
		return errors.New("a line is missing")
	}
	var errs [6]error
	r.perSecond, errs[0] = strconv.ParseFloat(rate[1], 64)
	r.requests, errs[1] = strconv.ParseInt(total[1], 10, 64)
	r.wall, errs[2] = time.ParseDuration(total[2])
	r.p50, errs[3] = time.ParseDuration(quantiles[0][2])
	r.p99, errs[4] = time.ParseDuration(quantiles[1][2])
	r.init, errs[5] = time.ParseDuration(prepared[1] + "s")
	r.wrk -= r.init
	if r.requests == 0 && errs[1] == nil {
		return errors.New("no requests")
	}
	return errors.Join(errs[:]...)
}
