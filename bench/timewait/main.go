//go:build linux

// Command timewait shows what a connection per request costs in TIME_WAIT, and
// which setting of Linux helps whom.
//
// It joins two network namespaces by a veth pair, runs popupd in one and a
// client in the other that opens a connection for each request, and measures at
// the kernel's defaults and after each setting: once where the client closes
// first and once where the server does, for TIME_WAIT stays with whom that is.
// Each row has new namespaces, hence a clean state. It needs root; the host's own
// settings are never touched, and nothing is left of it, however it ends: what
// even kill -9 leaves, the next run removes.
//
// The same binary is the client: "timewait client PLAN", started by itself in
// the client's namespace.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/popupd/popupd/bench/results"
	"github.com/popupd/popupd/internal/testbed"
)

// clientMode is the first argument of a client; the second is its plan.
const clientMode = "client"

func main() {
	dieWithGo()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	err := command(ctx, os.Args[1:])
	if ctx.Err() != nil && !errors.Is(err, errLeft) {
		err = errors.New("interrupted")
	}
	stop()
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "timewait:", err)
		os.Exit(1)
	}
}

// dieWithGo ends this program when the "go run" that started it is terminated,
// which would otherwise leave it alone with nobody watching.
func dieWithGo() {
	comm, err := os.ReadFile(fmt.Sprintf("/proc/%d/comm", os.Getppid()))
	if err == nil && string(bytes.TrimSpace(comm)) == "go" {
		unix.Prctl(unix.PR_SET_PDEATHSIG, uintptr(unix.SIGTERM), 0, 0, 0)
	}
}

func command(ctx context.Context, args []string) error {
	if len(args) == 2 && args[0] == clientMode {
		return serveLab(ctx, args[1])
	}
	o, err := parse(args)
	if err != nil {
		return err
	}
	if err := able(); err != nil {
		return err
	}
	swept, err := sweep()
	if len(swept) > 0 {
		fmt.Fprintln(os.Stderr, "removed what a killed run left:", strings.Join(swept, " "))
	}
	if err != nil {
		return err
	}
	if o.out != "" { // in time, not after four minutes
		if err := os.MkdirAll(o.out, 0o755); err != nil {
			return err
		}
	}
	l := &lab{binary: o.binary, concurrency: o.concurrency, advice: o.advice}
	if l.self, err = os.Executable(); err != nil {
		return err
	}
	if l.bed, err = testbed.New(ctx); err != nil {
		return err
	}
	defer l.bed.Close()
	if l.binary == "" {
		if l.binary, err = l.bed.Build(".", "."); err != nil {
			return err
		}
	}
	results, err := l.measureAll(ctx, o.rows)
	if err != nil {
		return err
	}
	return publish(commandLine(args), o.out, results)
}

// options is what the flags say.
type options struct {
	out         string
	binary      string // of popupd; "" is built
	concurrency int
	rows        []row
	advice      []setting // for the rows with File
}

func parse(args []string) (o options, err error) {
	flags := flag.NewFlagSet("timewait", flag.ContinueOnError)
	flags.StringVar(&o.out, "out", "", "also write timewait.md and timewait.svg into this directory")
	flags.StringVar(&o.binary, "popupd", "", "the popupd to measure, by default the one built of this tree")
	flags.IntVar(&o.concurrency, "concurrency", 64, "connections at a time")
	advice := flags.String("sysctl", "doctor", "sysctl.d file to measure with: a path, doctor (what popupd doctor -sysctl prints), or none")
	only := flags.String("run", "", "only the rows that match this regular expression")
	scale := flags.Float64("scale", 1, "times the duration of each row")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	if flags.NArg() > 0 || o.concurrency < 1 || *scale <= 0 {
		return o, errors.New("usage: timewait [-out DIR] [-popupd BINARY] [-concurrency N] [-sysctl FILE|doctor|none] [-run REGEXP] [-scale X]")
	}
	if o.binary != "" { // processes have a directory of their own
		if o.binary, err = filepath.Abs(o.binary); err != nil {
			return o, err
		}
	}
	file := *advice
	if file == "doctor" || file == "none" {
		file = ""
	} else {
		text, err := os.ReadFile(file)
		if err != nil {
			return o, err
		}
		if o.advice, err = parseSysctl(string(text)); err != nil {
			return o, err
		}
	}
	o.rows, err = chooseRows(rows(file), *only, *advice != "none", *scale)
	return o, err
}

// chooseRows returns the rows whose name matches a regular expression, with their
// durations scaled; those that need the doctor's advice only if that is wanted.
func chooseRows(all []row, only string, advised bool, scale float64) (chosen []row, err error) {
	wanted, err := regexp.Compile(only)
	if err != nil {
		return nil, fmt.Errorf("-run: %w", err)
	}
	for _, r := range all {
		if wanted.MatchString(r.String()) && (r.Doctor == "" || advised) {
			r.Duration = max(time.Second, time.Duration(scale*float64(r.Duration)).Round(time.Second))
			chosen = append(chosen, r)
		}
	}
	if len(chosen) == 0 {
		return nil, fmt.Errorf("-run %q: no such row", only)
	}
	return chosen, nil
}

func (l *lab) measureAll(ctx context.Context, all []row) ([]result, error) {
	var results []result
	for n, r := range all {
		fmt.Fprintf(os.Stderr, "%2d/%d %s: ", n+1, len(all), r)
		got, err := l.measure(ctx, r)
		if err == nil && got.Stall > stalled {
			fmt.Fprintf(os.Stderr, "the machine stood still for %v, once more: ", got.Stall.Round(time.Millisecond))
			got, err = l.measure(ctx, r)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr)
			return nil, fmt.Errorf("%s: %w", r, err)
		}
		if got.failure != "" {
			fmt.Fprintln(os.Stderr, "skipped:", got.failure)
		} else {
			fmt.Fprintf(os.Stderr, "%.0f requests/s\n", got.sustained())
		}
		results = append(results, got)
	}
	return results, nil
}

// able returns an error that says what is missing, if something is.
func able() error {
	if os.Geteuid() != 0 {
		return errors.New("network namespaces need root: run it as root, e.g. sudo make timewait")
	}
	if err := testbed.Need("ip", "iproute2"); err != nil {
		return err
	}
	if err := testbed.Need("taskset", "util-linux"); err != nil {
		return err
	}
	n, err := newNetwork()
	if err != nil {
		return fmt.Errorf("network namespaces cannot be made here (a container without CAP_SYS_ADMIN and CAP_NET_ADMIN?): %w", err)
	}
	return n.remove()
}

// serveLab is the program in the client's namespace: it follows the plan and prints
// what came of it.
func serveLab(ctx context.Context, text string) error {
	var todo plan
	if err := json.Unmarshal([]byte(text), &todo); err != nil {
		return fmt.Errorf("plan: %w", err)
	}
	did, err := todo.do(ctx)
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(did)
}

// commandLine is what was run, as a shell would take it.
func commandLine(args []string) string {
	line := "go run ./bench/timewait"
	for _, arg := range args {
		if arg == "" || strings.ContainsAny(arg, " \t\"'$*?()[]|&;<>\\`") {
			arg = "'" + strings.ReplaceAll(arg, "'", `'\''`) + "'"
		}
		line += " " + arg
	}
	return line
}

// publish prints the table and writes the files.
func publish(command, dir string, measured []result) error {
	var page bytes.Buffer
	report(&page, command, measured)
	if _, err := os.Stdout.Write(page.Bytes()); err != nil {
		return err
	}
	if dir == "" {
		return nil
	}
	var chart bytes.Buffer
	if err := draw(&chart, measured); err != nil {
		return err
	}
	return errors.Join(results.Write(dir, "timewait.svg", chart.String()), results.Write(dir, "timewait.md", page.String()))
}
