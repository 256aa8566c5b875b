//go:build linux

package main

import (
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/popupd/popupd/internal/testbed"
)

// noisyError says that programs which are no part of the benchmark had more of a
// core than it bears.
type noisyError struct {
	core  string
	share float64
}

func (e *noisyError) Error() string {
	return fmt.Sprintf("other programs had %.0f %% of the core of the %s", 100*e.share, e.core)
}

// usage is the CPU time so far of the cores, and of what the benchmark runs on them.
type usage struct {
	at                 time.Time
	server, generators time.Duration // cores
	target             time.Duration
	helpers            time.Duration // MariaDB, Redis and this process
}

func (b *bench) usage(c *target) (usage, error) {
	u := usage{at: time.Now()}
	stat, err := os.ReadFile("/proc/stat")
	if err != nil {
		return u, err
	}
	if u.server, u.generators, err = busy(string(stat)); err != nil {
		return u, err
	}
	if u.target, err = c.CPU(); err != nil {
		return u, err
	}
	pids := []int{os.Getpid()}
	if b.mysql != nil {
		pids = append(pids, b.mysql.Pid())
	}
	if b.redis != nil {
		pids = append(pids, b.redis.Pid())
	}
	for _, pid := range pids {
		used, err := testbed.CPU(pid)
		if err != nil {
			return u, err
		}
		u.helpers += used
	}
	return u, nil
}

// busy returns the time for which the server's core and all the others were not
// idle, steal included, see proc_stat(5).
func busy(stat string) (server, generators time.Duration, err error) {
	for line := range strings.Lines(stat) {
		fields := strings.Fields(line)
		core, ours := strings.CutPrefix(fields[0], "cpu")
		if !ours || core == "" || len(fields) < 9 {
			continue
		}
		for i, field := range fields[1:9] { // user nice system idle iowait irq softirq steal
			ticks, err := strconv.ParseInt(field, 10, 64)
			switch {
			case err != nil:
				return 0, 0, fmt.Errorf("/proc/stat: %w", err)
			case i == 3 || i == 4:
			case core == serverCore:
				server += time.Duration(ticks) * 10 * time.Millisecond
			default:
				generators += time.Duration(ticks) * 10 * time.Millisecond
			}
		}
	}
	return server, generators, nil
}

// others returns the shares of a core that programs which are no part of the
// benchmark had between two points: on the server's core and on the others.
func others(from, to usage, wrk time.Duration) (server, generators float64) {
	wall := to.at.Sub(from.at).Seconds()
	busy := (to.server - from.server) - (to.target - from.target)
	server = busy.Seconds() / wall
	busy = (to.generators - from.generators) - (to.helpers - from.helpers) - wrk
	return server, busy.Seconds() / wall
}

// quiet returns a *noisyError if others had more than the share noise.
func quiet(server, generators, noise float64) error {
	switch {
	case server > noise:
		return &noisyError{"server", server}
	case generators > noise:
		return &noisyError{"generator", generators}
	}
	return nil
}

// yield lets a process run only when nothing else wants to. MariaDB does where it
// shares a core with wrk: it would have half of that, and the server would idle
// for want of requests.
func yield(pid int) error {
	if out, err := exec.Command("chrt", "--all-tasks", "--idle", "--pid", "0", strconv.Itoa(pid)).CombinedOutput(); err != nil {
		return fmt.Errorf("lower the priority of process %d: %w: %s", pid, err, out)
	}
	return nil
}
