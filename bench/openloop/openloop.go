//go:build linux

// Package openloop offers requests to a popupd, or to what takes its place, at
// times fixed beforehand, whatever the server does: a server that stalls finds
// the requests of that time waiting, as it would with real users.
//
// # What is measured
//
// Latency is from the intended start of a request to the last byte of its
// answer. A generator that waits for answers before it sends on leaves out just
// the requests that would have suffered (coordinated omission); here what is due
// while every connection is busy waits in a queue, and the wait counts.
//
// One thread does everything: every Tick it sends what is due, then reads what
// has come. So both ends of a latency are up to a Tick late, never early.
// A connection has at most one request under way.
//
// # When a run is void
//
// A latency is the server's only if the generator was on time. A request that
// the generator gets round to more than 1 ms after its intended start, whether
// or not a connection was free, is counted as late: the thread was not running,
// or busy. The run is void if
//   - more than Config.MaxLate of its requests were late, or
//   - the thread used more than 95 % of a core, or
//   - it was interrupted.
//
// Waiting for a connection is not lateness: then the server is behind. The
// thread goes before other processes of its session where it may, see
// sched(7) on autogroups: what else runs on the machine makes a run void.
package openloop

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"
)

// Config is one run. Address, Rate, Duration and Mix are required.
type Config struct {
	Address  netip.AddrPort // of the server, IPv4
	Rate     float64        // requests a second
	Duration time.Duration  // of the arrivals; what is under way then is waited for
	Poisson  bool           // arrivals independent of each other; else at equal distances
	Seed     uint64         // of the arrivals and of the choice of kinds
	Mix      Mix
	Users    int    // known users, who have seen all: user-0000000 and on; 0 = 10,000
	Served   string // path of the polls of users who are new; "" = /v1/poll, as of the others. Rivals of popupd tell them apart by it
	Fresh    string // begins the names of users who are new: must differ between the runs on one server; "" = from the clock

	Connections int          // at most; 0 = 256
	Close       bool         // one connection per request, which the server closes first
	Sources     []netip.Addr // addresses to connect from, in turn; nil = the system's choice

	Tick    time.Duration // resolution; 0 = 200 us
	Timeout time.Duration // of an answer, from its sending; 0 = 10 s
	MaxLate float64       // share of late requests above which the run is void; 0 = 0.01

	// Progress, if set, is called about once a second, on a goroutine of its own.
	Progress func(Progress)
}

// Progress is the last second of a run.
type Progress struct {
	Elapsed           time.Duration
	Sent, Answered    int           // in that second
	InFlight, Waiting int           // now: sent; due, but without a connection
	Errors, Late      int           // so far
	P99               time.Duration // of that second
}

// late is the lateness from which on a request counts as late.
const late = time.Millisecond

// setDefaults replaces what was not given, and returns an error for what makes no
// sense.
func (c *Config) setDefaults() error {
	c.Users = cmp.Or(c.Users, 10000)
	c.Served = cmp.Or(c.Served, pollPath)
	c.Fresh = cmp.Or(c.Fresh, fmt.Sprintf("new-%x", time.Now().UnixNano()))
	c.Connections = cmp.Or(c.Connections, 256)
	c.Tick = cmp.Or(c.Tick, 200*time.Microsecond)
	c.Timeout = cmp.Or(c.Timeout, 10*time.Second)
	c.MaxLate = cmp.Or(c.MaxLate, 0.01)
	return c.validate()
}

func (c *Config) validate() error {
	switch {
	case !c.Address.Addr().Is4() || c.Address.Port() == 0:
		return fmt.Errorf("address %v: want IPV4:PORT", c.Address)
	case c.Rate <= 0 || c.Rate > 10e6:
		return fmt.Errorf("rate %v: want requests a second", c.Rate)
	case c.Duration <= 0:
		return fmt.Errorf("duration %v", c.Duration)
	case c.Users < 0 || c.Users > maxUsers:
		return fmt.Errorf("%d users: want 1 to %d", c.Users, maxUsers)
	case c.Connections < 0:
		return fmt.Errorf("%d connections", c.Connections)
	case c.Tick < 10*time.Microsecond || c.Tick > late/2:
		// With a coarser tick what is on time looks late.
		return fmt.Errorf("tick %v: want 10us to %v", c.Tick, late/2)
	}
	for _, source := range c.Sources {
		if !source.Is4() {
			return fmt.Errorf("source %v: want an IPv4 address", source)
		}
	}
	return c.Mix.validate()
}

// Run offers the requests and waits for the answers, Timeout at most. It
// returns an error if the run could not begin: the server refuses connections,
// say. What goes wrong later is in the result. When ctx ends, so does the run,
// and its result is void.
func Run(ctx context.Context, c Config) (*Result, error) {
	if err := c.setDefaults(); err != nil {
		return nil, fmt.Errorf("open loop: %w", err)
	}
	g, err := newGenerator(c)
	if err != nil {
		return nil, fmt.Errorf("open loop: %w", err)
	}
	defer g.close()
	if c.Progress != nil {
		reports, done := make(chan Progress, 1), make(chan struct{})
		g.reports = reports
		go func() {
			defer close(done)
			for p := range reports {
				c.Progress(p)
			}
		}()
		defer func() {
			close(reports)
			<-done
		}()
	}
	return g.run(ctx), nil
}

var errClosed = errors.New("closed by the server")
