//go:build linux

// Command load offers requests to popupd at times fixed beforehand and measures
// latency from those times (see package openloop). Run it from the root of the
// repository.
//
//	go run ./bench/load [flags] [mode ...]
//
// Modes, in the order in which they are named:
//
//	offer     (the default) one run as the flags say
//	search    the highest rate that is held, with the connections that the flags say
//	envelope  50,000 requests/s of the mix for a minute beside MariaDB and Redis,
//	          all on this machine, and every event counted in MariaDB at the end
//	close     search with one connection per request, and then 20 s at that rate
//	compare   popupd and a bare fasthttp handler, alternately, at half of the
//	          peak of 50,000 requests/s and at the peak
//	outage    20,000 requests/s of the mix while both stores are down, between
//	          two runs with both up, and every event counted
//	overload  clients of several kinds that ask for more than ten times of what
//	          popupd can answer, with and without shedding
//	profile   a minute of the mix, and popupd's CPU meanwhile as default.pgo in
//	          -out, which the compiler takes into account
//
// With -address, offer and search talk to a server that is there. All other runs
// start popupd, MariaDB and Redis privately, make 26 popups of which every fifth
// fits, and show the known users everything before they measure: popupd has
// the first core, all others the second. They talk to loopback only and leave
// nothing behind.
//
// The exit code is 0 if the goals of the modes are met, 1 if not, 2 after wrong
// usage, 3 if a run was void: then the generator could not keep up, and the
// figures say nothing about the server.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/netip"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/popupd/popupd/bench/openloop"
	"github.com/popupd/popupd/bench/results"
)

var (
	errVoid = errors.New("void: this says nothing about the server")
	errGoal = errors.New("not held")
)

func main() {
	if len(os.Args) == 2 && os.Args[1] == "clients" { // of overload
		if err := runClients(os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, "load: clients:", err)
			os.Exit(1)
		}
		return
	}
	var t task
	if err := t.parse(os.Args[1:]); err != nil {
		if !errors.Is(err, flag.ErrHelp) {
			fmt.Fprintln(os.Stderr, "load:", err)
			os.Exit(2)
		}
		return
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if err := t.run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "load:", err)
		if errors.Is(err, errVoid) {
			os.Exit(3)
		}
		os.Exit(1)
	}
}

// task is what the command line asks for.
type task struct {
	command string
	modes   []string
	offer   openloop.Config
	address string // "" starts popupd
	warm    bool
	json    string // files
	svg     string
	out     string // directory
	before  string // binary
	p99     time.Duration
	rounds  int
	pin     bool
	stdout  io.Writer
}

func (t *task) parse(args []string) error {
	t.command, t.stdout = "go run ./bench/load "+strings.Join(args, " "), os.Stdout
	flags := flag.NewFlagSet("load", flag.ContinueOnError)
	c := &t.offer
	flags.StringVar(&t.address, "address", "", "IPV4:PORT of a data plane; empty starts popupd and its stores")
	flags.BoolVar(&t.warm, "warm", true, "poll for each known user until there is nothing left to show")
	flags.Float64Var(&c.Rate, "rate", 50000, "requests a second; of search the first")
	flags.DurationVar(&c.Duration, "duration", 0, "of a run: 10s, of envelope and outage 60s, of close 20s after the search")
	arrivals := flags.String("arrivals", "poisson", "constant or poisson")
	flags.Uint64Var(&c.Seed, "seed", 1, "of the arrivals and the kinds of requests")
	mix := flags.String("mix", "90,8,2", "shares of polls with nothing to show, polls of new users, clicks")
	flags.IntVar(&c.Users, "users", 10000, "known users, who have seen all")
	flags.IntVar(&c.Connections, "connections", 32, "at most; 20 are busy at 50,000 requests/s")
	flags.BoolVar(&c.Close, "close", false, "one connection per request, closed by the server first")
	sources := flags.String("sources", "", "addresses to connect from, in turn, such as 127.0.0.2,127.0.0.3")
	flags.DurationVar(&c.Tick, "tick", 200*time.Microsecond, "resolution: what is due is sent, and what has come is read, once a tick")
	flags.DurationVar(&c.Timeout, "timeout", 10*time.Second, "of an answer")
	flags.Float64Var(&c.MaxLate, "late", 0.01, "share of requests that may be more than 1ms late by the generator's own fault")
	flags.DurationVar(&t.p99, "p99", 70*time.Millisecond, "the p99 up to which a rate is held")
	flags.IntVar(&t.rounds, "rounds", 5, "trials of each server in compare")
	flags.BoolVar(&t.pin, "pin", true, "popupd to the first core, all others to the second")
	flags.StringVar(&t.json, "json", "", "file for the result of offer or search")
	flags.StringVar(&t.svg, "svg", "", "file for its plot")
	flags.StringVar(&t.out, "out", "", "directory for what envelope, close, compare, outage, overload and profile write")
	flags.StringVar(&t.before, "before", "", "binary of another popupd for overload to compare with")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if t.modes = flags.Args(); len(t.modes) == 0 {
		t.modes = []string{"offer"}
	}
	for _, mode := range t.modes {
		switch mode {
		case "offer", "search":
		case "envelope", "close", "compare", "outage", "overload", "profile":
			if t.address != "" {
				return fmt.Errorf("%s starts its own popupd: -address is not for it", mode)
			}
		default:
			return fmt.Errorf("mode %q: want offer, search, envelope, close, compare, outage, overload or profile", mode)
		}
	}
	switch *arrivals {
	case "poisson":
		c.Poisson = true
	case "constant":
	default:
		return fmt.Errorf("arrivals %q: want constant or poisson", *arrivals)
	}
	var err error
	if c.Mix, err = openloop.ParseMix(*mix); err != nil {
		return err
	}
	if *sources != "" {
		for _, text := range strings.Split(*sources, ",") {
			source, err := netip.ParseAddr(text)
			if err != nil {
				return err
			}
			c.Sources = append(c.Sources, source)
		}
	}
	if t.address != "" {
		if c.Address, err = netip.ParseAddrPort(t.address); err != nil {
			return err
		}
	}
	c.Progress = progress
	return nil
}

func (t *task) run(ctx context.Context) error {
	var failed error // the worst so far: void beats not held
	for _, mode := range t.modes {
		run := map[string]func(context.Context) error{
			"offer": t.runOffer, "search": t.runSearch, "envelope": t.runEnvelope, "close": t.runClose, "compare": t.runCompare,
			"outage": t.runOutage, "overload": t.runOverload, "profile": t.runProfile,
		}[mode]
		err := run(ctx)
		switch {
		case errors.Is(err, errVoid), errors.Is(err, errGoal) && failed == nil:
			failed = fmt.Errorf("%s: %w", mode, err)
		case err != nil && !errors.Is(err, errGoal):
			return fmt.Errorf("%s: %w", mode, err)
		}
	}
	return failed
}

// duration is that of the flags, or one of the mode's own.
func (t *task) duration(otherwise time.Duration) time.Duration {
	if t.offer.Duration > 0 {
		return t.offer.Duration
	}
	return otherwise
}

// target makes sure that there is a server whose known users have seen all.
func (t *task) target(ctx context.Context) (address netip.AddrPort, end func(), err error) {
	if t.address == "" {
		s, err := newDeployment(ctx, t.pin, t.offer.Users)
		if err != nil {
			return netip.AddrPort{}, nil, err
		}
		return s.address(), s.Close, nil
	}
	if t.warm && t.offer.Mix[openloop.Nothing] > 0 {
		if _, err := warm(ctx, t.offer.Address, t.offer.Users); err != nil {
			return netip.AddrPort{}, nil, err
		}
	}
	return t.offer.Address, func() {}, nil
}

func (t *task) runOffer(ctx context.Context) error {
	address, end, err := t.target(ctx)
	if err != nil {
		return err
	}
	defer end()
	c := t.offer
	c.Address, c.Duration = address, t.duration(10*time.Second)
	r, err := openloop.Run(ctx, c)
	if err != nil {
		return err
	}
	return t.conclude(r)
}

func (t *task) runSearch(ctx context.Context) error {
	address, end, err := t.target(ctx)
	if err != nil {
		return err
	}
	defer end()
	c := t.offer
	c.Address, c.Duration = address, t.duration(10*time.Second)
	found, err := search(ctx, c, t.p99)
	if err != nil {
		return err
	}
	fmt.Fprint(t.stdout, found.table())
	return t.conclude(found.held)
}

// conclude prints a result and writes the files that were asked for.
func (t *task) conclude(r *openloop.Result) error {
	fmt.Fprint(t.stdout, describe(r))
	if t.json != "" {
		if err := writeJSON(t.json, r); err != nil {
			return err
		}
	}
	if t.svg != "" {
		if err := writePlot(t.svg, fmt.Sprintf("Latency at %s requests/s", thousands(r.Rate)), t.command, map[string]*openloop.Result{"": r}); err != nil {
			return err
		}
	}
	return verdict(r)
}

// verdict is nil if a run was valid and all was answered as it should.
func verdict(r *openloop.Result) error {
	if len(r.Void) > 0 {
		return fmt.Errorf("%w: %s", errVoid, strings.Join(r.Void, "; "))
	}
	if !r.Held() {
		return fmt.Errorf("%w: %d errors, the first: %s", errGoal, r.Errors, r.FirstError)
	}
	return nil
}

// writeOut writes a results file, or prints it if there is no -out.
func (t *task) writeOut(name, text string) error {
	fmt.Fprint(t.stdout, text)
	if t.out == "" {
		return nil
	}
	return results.Write(t.out, name, text)
}
