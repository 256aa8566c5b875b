//go:build linux

// Command wrk compares popupd with servers that do nothing but answer: a bare
// fasthttp handler, net/http and nginx, which send the bytes that popupd sends,
// under the same time limits.
//
// The server has one core to itself; wrk, MariaDB and Redis have the others. The
// servers are measured alternately, in another order each round, and are started anew for
// each; the median over the rounds of the ratios within a round is the result.
// It needs wrk and taskset, talks to loopback only, changes nothing of the host
// and leaves nothing behind.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/popupd/popupd/bench/results"
	"github.com/popupd/popupd/internal/testbed"
)

const serverCore = "0"

// generatorCores are all the others.
var generatorCores = fmt.Sprintf("1-%d", max(1, runtime.NumCPU()-1))

func main() {
	rounds := flag.Int("rounds", 7, "trials of each server")
	duration := flag.Duration("duration", 5*time.Second, "of a trial")
	connections := flag.Int("connections", 64, "open at a time")
	scenario := flag.String("scenario", "", "comma-separated `list` of nothing, served, actions and mix; empty: all")
	chosen := flag.String("rivals", "bare,nethttp,nginx", "comma-separated `list`")
	noise := flag.Float64("noise", 0.1, "share of a core that other programs may have during a trial; beyond it the trial is repeated, at most twice, then void")
	out := flag.String("out", "", "also write wrk.md into this `directory`")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	b := &bench{connections: *connections, duration: *duration, noise: *noise, extra: make(map[string][]string)}
	err := b.compare(ctx, *rounds, *scenario, *chosen, *out)
	if ctx.Err() != nil {
		err = errors.New("interrupted")
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "wrk:", err)
		os.Exit(1)
	}
}

func (b *bench) compare(ctx context.Context, rounds int, scenarioList, rivalList, out string) error {
	if rounds < 1 || b.duration < time.Second || b.connections < 1 {
		return errors.New("want at least one round of a second with a connection")
	}
	chosen, err := parseScenarios(scenarioList)
	if err != nil {
		return err
	}
	names, err := parseRivals(rivalList)
	if err != nil {
		return err
	}
	if err := fitHost(); err != nil {
		return err
	}
	if b.Testbed, err = testbed.New(ctx); err != nil {
		return err
	}
	defer b.Close()
	notes, names, err := b.open(ctx, names)
	if err != nil {
		return err
	}

	var text strings.Builder
	command := "go run ./bench/wrk " + strings.Join(os.Args[1:], " ")
	text.WriteString("# popupd beside servers that only answer\n\n" + testbed.Environment(strings.TrimSpace(command), testbed.Version("wrk", "-v"), testbed.Version("nginx", "-v"),
		testbed.Version("mariadbd", "--version"), testbed.Version("redis-server", "--version")))
	for _, n := range notes {
		fmt.Fprintf(&text, "- %s\n", n)
	}
	fmt.Print(text.String())
	for _, s := range chosen {
		for _, m := range modes {
			all, err := b.rounds(ctx, names, s, m, rounds)
			if err != nil {
				return err
			}
			t := table(s, m, names, all)
			fmt.Print(t)
			text.WriteString(t)
		}
	}
	foot := b.footnotes()
	fmt.Print(foot)
	text.WriteString(foot)
	if out == "" {
		return nil
	}
	return results.Write(out, "wrk.md", text.String())
}

// fitHost returns an error if this host lacks what the comparison needs.
func fitHost() error {
	if runtime.NumCPU() < 2 {
		return errors.New("the server and wrk need a core each")
	}
	return errors.Join(testbed.Need("wrk", "wrk"), testbed.Need("taskset", "util-linux"), testbed.Need("chrt", "util-linux"))
}

// parseRivals reads the flag -rivals. popupd is always one of the servers.
func parseRivals(list string) ([]string, error) {
	names := []string{popupdName}
	for name := range strings.SplitSeq(list, ",") {
		if name == "" {
			continue
		}
		if !slices.ContainsFunc(rivals, func(r rival) bool { return r.name == name }) {
			return nil, fmt.Errorf("-rivals: unknown rival %q", name)
		}
		names = append(names, name)
	}
	return names, nil
}

// open builds and starts what all trials share, and takes the sample. What is not
// installed is left out and told in a note.
func (b *bench) open(ctx context.Context, names []string) (notes, kept []string, err error) {
	say := func(note string) {
		notes = append(notes, note)
		fmt.Fprintln(os.Stderr, "wrk:", note)
	}
	for _, name := range names {
		switch name {
		case popupdName:
			_, err = b.Build(".", ".")
		case "nginx":
			if missing := testbed.Need("nginx", "nginx"); missing != nil {
				say("without nginx: " + missing.Error())
				continue
			}
		default:
			_, err = b.Build("bench/rivals", "./"+name)
		}
		if err != nil {
			return nil, nil, err
		}
		kept = append(kept, name)
	}
	// From here on this process is one of the generators.
	if out, err := exec.Command("taskset", "-a", "-c", "-p", generatorCores, strconv.Itoa(os.Getpid())).CombinedOutput(); err != nil {
		return nil, nil, fmt.Errorf("taskset: %w: %s", err, out)
	}
	if b.mysql, err = b.MySQL(testbed.StoreOptions{Cores: generatorCores, Args: []string{"--innodb-buffer-pool-size=512M", "--innodb-log-file-size=512M"}}); err != nil {
		if _, missing := errors.AsType[*testbed.MissingError](err); !missing {
			return nil, nil, err
		}
		say("popupd writes to its embedded database, and what it writes is not counted: " + err.Error())
	} else if err := yield(b.mysql.Pid()); err != nil {
		return nil, nil, err
	}
	if b.redis, err = b.Redis(testbed.StoreOptions{Cores: generatorCores}); err != nil {
		if _, missing := errors.AsType[*testbed.MissingError](err); !missing {
			return nil, nil, err
		}
		say("popupd has its embedded queue: " + err.Error())
	}
	c, err := b.startPopupd(ctx, scenario{nothing: 100}, modes[0])
	if err != nil {
		return nil, nil, err
	}
	defer c.Kill()
	b.sample, err = takeSample(ctx, c.popupd.Popupd)
	return notes, kept, err
}

// round is what the servers reached in one round.
type round struct {
	trials map[string]trial // by server
	void   map[string]error // why there is none
}

// rounds measures the servers alternately.
func (b *bench) rounds(ctx context.Context, names []string, s scenario, m mode, n int) ([]round, error) {
	var all []round
	for i := range n {
		r := round{trials: make(map[string]trial), void: make(map[string]error)}
		order := slices.Concat(names[i%len(names):], names[:i%len(names)])
		for _, name := range order {
			t, err := b.attempt(ctx, name, s, m)
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			progress := fmt.Sprintf("%s, %s, round %d of %d: %s: ", s.name, m.title, i+1, n, titleOf(name))
			if err != nil {
				r.void[name] = err
				fmt.Fprintln(os.Stderr, progress+"void: "+err.Error())
				continue
			}
			r.trials[name] = t
			fmt.Fprintf(os.Stderr, "%s%.0f requests/s, %.1f us of CPU each, server %.0f %%, wrk %.0f %%, others %.0f and %.0f %%\n",
				progress, t.perSecond, t.cpu, 100*t.server, 100*t.wrk, 100*t.others[0], 100*t.others[1])
		}
		all = append(all, r)
	}
	return all, nil
}

// attempt measures a server that it starts, once more if other programs
// disturbed.
func (b *bench) attempt(ctx context.Context, name string, s scenario, m mode) (trial, error) {
	var err error
	for range 3 {
		var c *target
		if c, err = b.start(ctx, name, s, m); err != nil {
			return trial{}, err
		}
		var t trial
		t, err = b.trial(ctx, c, s, m)
		c.Kill()
		if _, noisy := errors.AsType[*noisyError](err); !noisy {
			return t, err
		}
	}
	return trial{}, err
}
