package main

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/popupd/popupd/bench/rig"
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
	contestant         time.Duration
	helpers            time.Duration // MariaDB, Redis and this process
}

func (b *bench) usage(c *contestant) (usage, error) {
	u := usage{at: time.Now()}
	stat, err := os.ReadFile("/proc/stat")
	if err != nil {
		return u, err
	}
	if u.server, u.generators, err = busy(string(stat)); err != nil {
		return u, err
	}
	if u.contestant, err = c.CPU(); err != nil {
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
		used, err := rig.CPU(pid)
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

// quiet returns a *noisyError if others had more than the share noise of the
// cores between two points. What the benchmark itself used is known.
func quiet(from, to usage, wrk time.Duration, noise float64) error {
	wall := to.at.Sub(from.at).Seconds()
	others := (to.server - from.server) - (to.contestant - from.contestant)
	if share := others.Seconds() / wall; share > noise {
		return &noisyError{"server", share}
	}
	others = (to.generators - from.generators) - (to.helpers - from.helpers) - wrk
	if share := others.Seconds() / wall; share > noise {
		return &noisyError{"generator", share}
	}
	return nil
}

// yield gives a process the lowest priority. MariaDB has it where it shares a
// core with wrk: it would have half of that, and the server would idle for want
// of requests.
func yield(pid int) error {
	threads, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
	if err != nil {
		return err
	}
	for _, t := range threads { // those to come inherit it
		tid, err := strconv.Atoi(t.Name())
		if err != nil {
			return err
		}
		if err := unix.Setpriority(unix.PRIO_PROCESS, tid, 19); err != nil && !errors.Is(err, unix.ESRCH) {
			return fmt.Errorf("lower the priority of process %d: %w", pid, err)
		}
	}
	return nil
}
