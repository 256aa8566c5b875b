//go:build linux

package main

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/popupd/popupd/bench/openloop"
	"github.com/popupd/popupd/internal/testbed"
)

// perRate is how long the search for the highest rate stays at one.
const perRate = 5 * time.Second

// runClose finds the highest rate with one connection per request, and holds it.
//
// The client asks for Connection: close, so the server closes first and has the
// connections in TIME_WAIT, 60 s each. A client can not use the pair of addresses
// and ports of one of them again before the server's side lets it, so it connects
// from several addresses of loopback, with 28,000 ports each at kernel defaults:
// what is measured is popupd, and not how many ports one client has.
func (t *task) runClose(ctx context.Context) error {
	s, err := newDeployment(ctx, t.pin, t.offer.Users)
	if err != nil {
		return err
	}
	defer s.Close()
	c := t.offer
	c.Address, c.Close, c.Duration = s.address(), true, perRate
	c.Connections = max(c.Connections, 1000)
	c.Rate = min(c.Rate, 10000)
	if c.Sources == nil {
		c.Sources = loopback(64)
	}
	f, err := search(ctx, c, t.p99)
	if err != nil {
		return err
	}
	// A rate that was held for seconds may not be for longer.
	var r *openloop.Result
	var used cpus
	var elapsed time.Duration
	c.Duration = t.duration(20 * time.Second)
	for c.Rate = f.held.Rate; ; c.Rate *= 0.95 {
		before, err := s.cpus()
		if err != nil {
			return err
		}
		start := time.Now()
		if r, err = openloop.Run(ctx, c); err != nil {
			return err
		}
		elapsed = time.Since(start)
		after, err := s.cpus()
		if err != nil {
			return err
		}
		used = after.minus(before)
		if holds(r, t.p99) || ctx.Err() != nil || c.Rate < f.held.Rate/2 {
			break
		}
	}
	var b strings.Builder
	fmt.Fprintf(&b, "# One connection per request\n\n%s\n", testbed.Environment(t.command, testbed.Version("mariadbd", "--version"), testbed.Version("redis-server", "--version")))
	fmt.Fprintf(&b, "The highest rate held: no errors, p99 at most %d ms, mix %s, %s arrivals, from %d addresses of loopback; the server closes first.\n\n",
		t.p99.Milliseconds(), r.Mix, r.Arrivals, len(c.Sources))
	fmt.Fprintf(&b, "| held | for | p50, p99, p99.9 | errors | CPU of popupd | of mariadbd | of the generator |\n|---|---|---|---|---|---|---|\n")
	fmt.Fprintf(&b, "| %s requests/s | %.0f s | %.2f, %.2f, %.2f ms | %d | %.0f %% of a core, %.1f us a request | %.0f %% | %.0f %% |\n\n", thousands(r.Rate), r.Seconds,
		r.Latency.P50, r.Latency.P99, r.Latency.P999, r.Errors, percent(used.popupd, elapsed), used.popupd.Seconds()*1e6/float64(max(r.Answered, 1)), percent(used.mariadb, elapsed), percent(used.generator, elapsed))
	fmt.Fprintf(&b, "The search, %v a rate:\n\n%s", perRate, f.table())
	if err := t.writeOut("close.md", b.String()); err != nil {
		return err
	}
	if !holds(r, t.p99) {
		return fmt.Errorf("%w: %s", errGoal, outcome(r, t.p99))
	}
	return nil
}

// loopback returns addresses to connect from, other than 127.0.0.1.
func loopback(n int) []netip.Addr {
	all := make([]netip.Addr, n)
	for i := range all {
		all[i] = netip.AddrFrom4([4]byte{127, 0, 1, byte(i + 1)})
	}
	return all
}
