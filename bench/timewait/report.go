//go:build linux

package main

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/popupd/popupd/bench/plot"
	"github.com/popupd/popupd/internal/testbed"
)

// draw charts the requests/s of a minute.
func draw(w io.Writer, results []result) error {
	var bars []plot.Bar
	for _, r := range results {
		if r.failure == "" {
			bars = append(bars, plot.Bar{Label: r.label(), Value: float64(int(r.sustained() + 0.5))})
		}
	}
	return plot.Bars(w, plot.Chart{
		Title:  "A connection per request: what a minute allows",
		XLabel: "requests/s over a minute",
		Note:   "go run ./bench/timewait: two network namespaces, popupd on one core, the client on another. bench/results/timewait.md has the figures.",
	}, bars)
}

// report writes the table and what it says.
func report(w io.Writer, command string, results []result) {
	serverCores, clientCores := cores()
	fmt.Fprintf(w, "# TIME_WAIT: what a connection per request costs, and which setting helps whom\n\n")
	fmt.Fprint(w, testbed.Environment(command, testbed.Version("ip", "-V")))
	fmt.Fprintf(w, `
Two network namespaces joined by a veth pair: popupd in one, on core %s, the client in the other, on core %s. The client holds a number of connections
at a time, 64 by default; each asks one poll that has nothing to show (a 204) and is closed, by the client, or by the server because of `+"`Connection: close`"+`.
Each row has new namespaces. One address on each side, so the client has as many connections as it has ports.

| closes first | setting | requests/s: first second | after 10 s | over a minute | to defaults | TIME_WAIT: client | server | reused | not kept | errors | client's CPU, us a request: first second | after 10 s | server's |
|---|---|---|---|---|---|---|---|---|---|---|---|---|---|
`, serverCores, clientCores)
	for _, r := range results {
		tableRow(w, results, r)
	}
	fmt.Fprint(w, `
- After 10 s: the last three of the first ten seconds. Over a minute: the first row ran for longer than that; the shorter ones are taken to go on as in
  their last three seconds, and no further than the client has ports. To defaults: of that, where the same side closes first; keep-alive, where the client does.
- TIME_WAIT: sockets at the end of the row. Reused: of the client's, those that gave their port to a new connection (TWRecycled). Not kept: connections of
  either side that were closed without TIME_WAIT because of tcp_max_tw_buckets (TCPTimeWaitOverflow).
- CPU: of the process, which on one machine has the network's share in it.

## What it says

`)
	for _, line := range findings(results) {
		fmt.Fprintf(w, "- %s\n", line)
	}
}

func tableRow(w io.Writer, results []result, r result) {
	if r.failure != "" {
		fmt.Fprintf(w, "| %s | %s | not run: %s |%s\n", r.Closes, r.Name, strings.ReplaceAll(r.failure, "\n", " "), strings.Repeat(" |", 11))
		return
	}
	ratio := ""
	if base, ok := find(results, r.Closes, defaults); ok && r.Name != defaults {
		ratio = fmt.Sprintf("%.2f", r.sustained()/base.sustained())
	} else if base, ok := find(results, clientFirst, defaults); ok && r.Closes == nobody {
		ratio = fmt.Sprintf("%.2f", r.sustained()/base.sustained())
	}
	first, later := r.first(), r.later()
	cells := []string{
		r.Closes, r.Name, count(first.PerSecond), count(later.PerSecond), count(r.sustained()), ratio,
		count(r.Counters.TimeWait), count(r.server.TimeWait), count(r.Counters.Reused), count(r.Counters.Overflow + r.server.Overflow),
		r.errors(), count(first.CPU), count(later.CPU), count(r.serverCPU()),
	}
	fmt.Fprintf(w, "| %s |\n", strings.Join(cells, " | "))
}

// errors lists them, the most frequent first.
func (r run) errors() string {
	if len(r.Errors) == 0 {
		return "0"
	}
	names := slices.SortedFunc(maps.Keys(r.Errors), func(a, b string) int {
		return cmp.Or(r.Errors[b]-r.Errors[a], strings.Compare(a, b))
	})
	for n, name := range names {
		names[n] = count(r.Errors[name]) + " " + name
	}
	return strings.Join(names, ", ")
}

func find(results []result, closes, name string) (result, bool) {
	for _, r := range results {
		if r.Closes == closes && r.Name == name && r.failure == "" {
			return r, true
		}
	}
	return result{}, false
}

// count writes a number in full with commas between the thousands.
func count[N int | float64](n N) string {
	digits := strconv.FormatInt(int64(float64(n)+0.5), 10)
	for at := len(digits) - 3; at > 0; at -= 3 {
		digits = digits[:at] + "," + digits[at:]
	}
	return digits
}
