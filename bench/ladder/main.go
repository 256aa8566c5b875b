//go:build linux

// Command ladder measures how a popup server comes to hold more load: one small
// server in the three shapes that teams give it before they have popupd, and
// then popupd, all with the same popups, users and polls, on a private MariaDB
// and Redis of their own.
//
// Nothing is pinned: a rung that leans on the database may use the cores that
// the next one does not need for it. The rungs are measured alternately for several rounds,
// each trial with fresh stores, and the medians are printed. After a trial every
// popup shown is counted in the database; one lost or one too many ends the run.
//
// It needs mariadbd, redis-server and wrk, talks to loopback only and leaves
// nothing behind.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/popupd/popupd/bench/results"
	"github.com/popupd/popupd/internal/testbed"
)

func main() {
	rounds := flag.Int("rounds", 5, "trials of each rung")
	duration := flag.Duration("duration", 5*time.Second, "of a trial, in whole seconds")
	connections := flag.Int("connections", 64, "keep-alive connections")
	out := flag.String("out", "", "directory for ladder.md and ladder.svg; empty: print only")
	flag.Parse()
	if flag.NArg() > 0 || *rounds < 1 || *duration < time.Second || *connections < 1 {
		fmt.Fprintln(os.Stderr, "ladder: want -rounds and -connections of at least 1, -duration of at least 1s, and nothing else")
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *rounds, load{connections: *connections, duration: *duration}, *out); err != nil {
		fmt.Fprintln(os.Stderr, "ladder:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, rounds int, l load, out string) error {
	if err := errors.Join(testbed.Need("wrk", "wrk"), testbed.Need("mariadbd", "mariadb-server"), testbed.Need("redis-server", "redis-server")); err != nil {
		return err
	}
	r, err := testbed.New(ctx)
	if err != nil {
		return err
	}
	defer r.Close()
	b, err := newBench(r)
	if err != nil {
		return err
	}
	trials, err := b.rounds(ctx, rounds, l)
	if err != nil {
		return cmp.Or(context.Cause(ctx), err) // what an interrupt broke is not the reason
	}
	header := "# The ladder: one load, four shapes of a server\n\n" + testbed.Environment(strings.Join(append([]string{"go run ./bench/ladder"}, os.Args[1:]...), " "),
		testbed.Version("mariadbd", "--version"), testbed.Version("redis-server", "--version"), testbed.Version("wrk", "-v"))
	page := header + "\n" + report(trials, l)
	fmt.Print(page)
	if out == "" {
		return nil
	}
	var picture strings.Builder
	if err := draw(&picture, trials, l); err != nil {
		return err
	}
	return errors.Join(
		results.Write(out, "ladder.md", page+"\n![requests/s by rung](ladder.svg)\n"),
		results.Write(out, "ladder.svg", picture.String()),
	)
}
