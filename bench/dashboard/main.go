//go:build linux

// Command dashboard draws the panels of deploy/grafana/popupd.json as a Grafana would, from
// what a real Prometheus has of two popupds under load. Run it from the root of the repository.
//
//	go run ./bench/dashboard [flags]
//
// It offers polls and actions to both, takes the database away for a while and then Redis, and
// asks for every query of the dashboard as Grafana asks for it. It writes dashboard.html, and
// says which queries gave nothing. It talks to loopback only.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net/netip"
	"os"
	"os/signal"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"github.com/popupd/popupd/bench/openloop"
	"github.com/popupd/popupd/internal/testbed"
)

func main() {
	var r run
	flag.Float64Var(&r.rate, "rate", 200, "requests a second to each server")
	flag.DurationVar(&r.well, "well", time.Minute, "for how long all is well before, between and after the outages")
	flag.DurationVar(&r.outage, "outage", 40*time.Second, "for how long the database is away, and then Redis")
	out := flag.String("out", ".", "directory for dashboard.html")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if err := r.draw(ctx, filepath.Join(*out, "dashboard.html")); err != nil {
		fmt.Fprintln(os.Stderr, "dashboard:", err)
		os.Exit(1)
	}
}

// run is what the command line asks for, and what runs for it.
type run struct {
	rate         float64
	well, outage time.Duration

	servers    [2]*testbed.Popupd
	mysql      *testbed.MySQL
	redis      *testbed.Redis
	prometheus *testbed.Prometheus
}

func (r *run) draw(ctx context.Context, path string) error {
	panels, err := readPanels("deploy/grafana/popupd.json")
	if err != nil {
		return err
	}
	bed, err := testbed.New(ctx)
	if err != nil {
		return err
	}
	defer bed.Close()
	if err := r.start(bed); err != nil {
		return err
	}
	for _, s := range []string{"welcome", "sale"} {
		if err := r.create(ctx, s); err != nil {
			return err
		}
	}
	from := time.Now()
	if err := r.load(ctx); err != nil {
		return err
	}
	return writePage(path, panels, query{r.prometheus.Addr, from, time.Now()})
}

// start starts two popupds on one MariaDB and one Redis, and a Prometheus that scrapes both.
func (r *run) start(bed *testbed.Testbed) (err error) {
	if r.mysql, err = bed.MySQL(testbed.StoreOptions{}); err != nil {
		return err
	}
	dsn, err := r.mysql.CreateDatabase("popupd")
	if err != nil {
		return err
	}
	if r.redis, err = bed.Redis(testbed.StoreOptions{}); err != nil {
		return err
	}
	for i := range r.servers {
		o := testbed.PopupdOptions{MySQL: dsn, Redis: r.redis.URL(), Flags: []string{"-journal-max", "256MiB", "-state-scope", "hashed"}}
		if r.servers[i], err = bed.Popupd(o); err != nil {
			return err
		}
	}
	r.prometheus, err = bed.Prometheus([]string{r.servers[0].Admin, r.servers[1].Admin})
	return err
}

// load offers requests to both servers while what is scheduled happens.
func (r *run) load(ctx context.Context) error {
	total := 3*r.well + 2*r.outage
	errs := make([]error, len(r.servers))
	var wait sync.WaitGroup
	for i, s := range r.servers {
		address, err := netip.ParseAddrPort(s.Address)
		if err != nil {
			return err
		}
		wait.Go(func() {
			_, errs[i] = openloop.Run(ctx, openloop.Config{
				Address: address, Rate: r.rate, Duration: total, Poisson: true, Seed: uint64(i),
				Mix: openloop.Mix{openloop.Nothing: 70, openloop.Served: 20, openloop.Action: 10}, Tick: 500 * time.Microsecond,
			})
		})
	}
	err := r.schedule(ctx)
	wait.Wait()
	return errors.Join(append(errs, err)...)
}

// create makes a popup for those who poll.
func (r *run) create(ctx context.Context, key string) error {
	return r.servers[0].Create(ctx, fmt.Sprintf(`{"key":%q,"status":"active","placements":["home"]}`, key))
}

// schedule takes the stores away one after the other, and makes a popup once they are back.
func (r *run) schedule(ctx context.Context) error {
	steps := []struct {
		says string
		do   func() error
		then time.Duration
	}{
		{"all is well", func() error { return nil }, r.well},
		{"the database is killed", func() error { r.mysql.Kill(); return nil }, r.outage},
		{"it is back", r.mysql.Restart, r.well},
		{"Redis is killed", func() error { r.redis.Kill(); return nil }, r.outage},
		{"it is back", r.redis.Restart, r.well},
	}
	for i, step := range steps {
		fmt.Println(time.Now().Format(time.TimeOnly), step.says)
		if err := step.do(); err != nil {
			return err
		}
		select {
		case <-time.After(step.then):
		case <-ctx.Done():
			return ctx.Err()
		}
		if step.then == r.well {
			if err := r.create(ctx, fmt.Sprintf("popup-%d", i)); err != nil {
				return err
			}
		}
	}
	return nil
}
