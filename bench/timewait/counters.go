//go:build linux

package main

import (
	"bufio"
	"fmt"
	"os"
	"strconv"
	"strings"
)

// sockets is what /proc/net/sockstat says of a namespace's TCP sockets.
type sockets struct {
	InUse    int
	TimeWait int
}

// counters are those of a namespace since its start that tell of TIME_WAIT.
type counters struct {
	sockets
	Reused   int // TIME_WAIT sockets whose port a new connection took: TcpExt TWRecycled
	Overflow int // connections closed without TIME_WAIT, there were too many: TcpExt TCPTimeWaitOverflow
	Dropped  int // connections that listeners refused: TcpExt ListenDrops
}

// readSockets reads the sockstat of the namespace that the process pid is in.
func readSockets(pid int) (sockets, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/net/sockstat", pid))
	if err != nil {
		return sockets{}, err
	}
	return parseSockstat(string(text))
}

// readCounters reads the counters of the namespace that the process pid is in.
func readCounters(pid int) (c counters, err error) {
	if c.sockets, err = readSockets(pid); err != nil {
		return counters{}, err
	}
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/net/netstat", pid))
	if err != nil {
		return counters{}, err
	}
	values, err := parseNetstat(string(text))
	if err != nil {
		return counters{}, err
	}
	c.Reused, c.Overflow, c.Dropped = values["TcpExt.TWRecycled"], values["TcpExt.TCPTimeWaitOverflow"], values["TcpExt.ListenDrops"]
	return c, nil
}

// parseSockstat reads the format of proc_pid_net(5): "TCP: inuse 4 orphan 0 tw
// 12 alloc 6 mem 1".
func parseSockstat(text string) (sockets, error) {
	for line := range strings.Lines(text) {
		rest, ok := strings.CutPrefix(line, "TCP: ")
		if !ok {
			continue
		}
		fields := strings.Fields(rest)
		var s sockets
		found := 0
		for n := 0; n+1 < len(fields); n += 2 {
			value, err := strconv.Atoi(fields[n+1])
			if err != nil {
				return sockets{}, fmt.Errorf("sockstat: %s: %w", fields[n], err)
			}
			switch fields[n] {
			case "inuse":
				s.InUse = value
				found++
			case "tw":
				s.TimeWait = value
				found++
			}
		}
		if found == 2 {
			return s, nil
		}
	}
	return sockets{}, fmt.Errorf("sockstat: no inuse and tw of TCP in %q", text)
}

// parseNetstat reads pairs of lines, names and values, each beginning with the
// group: the result's keys are "TcpExt.TWRecycled". A kernel may lack any.
func parseNetstat(text string) (map[string]int, error) {
	values := make(map[string]int)
	lines := bufio.NewScanner(strings.NewReader(text))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		names := strings.Fields(lines.Text())
		if len(names) == 0 {
			continue
		}
		if !lines.Scan() {
			return nil, fmt.Errorf("netstat: no values of %s", names[0])
		}
		fields := strings.Fields(lines.Text())
		if len(fields) != len(names) || fields[0] != names[0] || !strings.HasSuffix(names[0], ":") {
			return nil, fmt.Errorf("netstat: values of %s do not match their names", names[0])
		}
		group := strings.TrimSuffix(names[0], ":")
		for n := 1; n < len(names); n++ {
			value, err := strconv.Atoi(fields[n])
			if err != nil {
				return nil, fmt.Errorf("netstat: %s: %w", names[n], err)
			}
			values[group+"."+names[n]] = value
		}
	}
	return values, lines.Err()
}
