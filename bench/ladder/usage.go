//go:build linux

package main

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/popupd/popupd/internal/testbed"
)

// usage is what has been used since the start of each.
type usage struct {
	at                      time.Time
	server, mysql           time.Duration // CPU
	ours                    time.Duration // of these, Redis and this process, but not of wrk
	machine                 time.Duration // of everything
	statements, connections float64       // of MySQL: all, and the most at once
}

func (s *server) used() (u usage, err error) {
	u.at = time.Now()
	stat, err := os.ReadFile("/proc/stat")
	if err != nil {
		return u, err
	}
	if u.machine, err = busy(string(stat)); err != nil {
		return u, err
	}
	if u.server, err = s.CPU(); err != nil {
		return u, err
	}
	if u.mysql, err = testbed.CPU(s.mysql.Pid()); err != nil {
		return u, err
	}
	u.ours = u.server + u.mysql
	for _, pid := range []int{s.redis.Pid(), os.Getpid()} {
		cpu, err := testbed.CPU(pid)
		if err != nil {
			return u, err
		}
		u.ours += cpu
	}
	rows, err := s.mysql.Query("SHOW GLOBAL STATUS WHERE Variable_name IN ('Questions', 'Max_used_connections')")
	if err != nil {
		return u, err
	}
	for line := range strings.Lines(rows) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), "\t")
		n, err := strconv.ParseFloat(value, 64)
		if err != nil {
			return u, fmt.Errorf("status %q: %w", line, err)
		}
		if name == "Questions" {
			u.statements = n
		} else {
			u.connections = n
		}
	}
	return u, nil
}

// others returns the share of all cores that went to what is no process of the
// benchmark between two points: other programs, the hypervisor's, and the threads
// in which the kernel writes to disk, which rung 1 keeps busy.
func others(from, to usage, wrk time.Duration) float64 {
	took := to.machine - from.machine - (to.ours - from.ours) - wrk
	return max(0, took.Seconds()/to.at.Sub(from.at).Seconds()/float64(runtime.NumCPU()))
}

// busy returns the time for which the cores were not idle, steal included, see
// proc_stat(5).
func busy(stat string) (time.Duration, error) {
	first, _, _ := strings.Cut(stat, "\n")
	fields := strings.Fields(first)
	if len(fields) < 9 || fields[0] != "cpu" {
		return 0, errors.New("/proc/stat has no line cpu")
	}
	var sum int64
	for i, field := range fields[1:9] { // user nice system idle iowait irq softirq steal
		ticks, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return 0, fmt.Errorf("/proc/stat: %w", err)
		}
		if i != 3 && i != 4 {
			sum += ticks
		}
	}
	return time.Duration(sum) * 10 * time.Millisecond, nil
}
