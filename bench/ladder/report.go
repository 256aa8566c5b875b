//go:build linux

package main

import (
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/popupd/popupd/bench/plot"
)

// columns are figures of a trial, of which the table has the medians.
var columns = []struct {
	head   string
	format string
	figure func(trial) float64
}{
	{"p50, ms", "%.1f", func(t trial) float64 { return millis(t.p50) }},
	{"p99, ms", "%.1f", p99},
	{"errors", "%.0f", failed},
	{"MySQL connections", "%.0f", connections},
	{"statements a request", "%.3f", func(t trial) float64 { return t.statements }},
	{"server, CPU us a request", "%.0f", func(t trial) float64 { return t.serverCPU }},
	{"MariaDB, CPU us a request", "%.0f", func(t trial) float64 { return t.mysqlCPU }},
	{"behind at the end, ms", "%.0f", func(t trial) float64 { return millis(t.behind) }},
}

func failed(t trial) float64      { return t.errors }
func perSecond(t trial) float64   { return t.perSecond }
func p99(t trial) float64         { return millis(t.p99) }
func connections(t trial) float64 { return t.connections }

func millis(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// median of one figure over trials.
func median(trials []trial, figure func(trial) float64) float64 {
	values := make([]float64, len(trials))
	for n, t := range trials {
		values[n] = figure(t)
	}
	return middle(values)
}

func middle(values []float64) float64 {
	slices.Sort(values)
	return (values[(len(values)-1)/2] + values[len(values)/2]) / 2
}

// report writes the table. The ratio to the first rung is the median of those
// of the rounds.
func report(trials [][]trial, l load) string {
	var b strings.Builder
	b.WriteString("| rung | requests/s | times rung 1 |")
	for _, c := range columns {
		fmt.Fprintf(&b, " %s |", c.head)
	}
	b.WriteString("\n|---|---:|---:|" + strings.Repeat("---:|", len(columns)) + "\n")
	for n, rung := range trials {
		ratios := make([]float64, len(rung))
		for round, t := range rung {
			ratios[round] = t.perSecond / trials[0][round].perSecond
		}
		fmt.Fprintf(&b, "| %s | %s | %.1f |", rungs[n], thousands(median(rung, perSecond)), middle(ratios))
		for _, c := range columns {
			fmt.Fprintf(&b, " "+c.format+" |", median(rung, c.figure))
		}
		b.WriteString("\n")
	}
	fmt.Fprintf(&b, "\nMedians of %d rounds of %v, %d keep-alive connections, 26 popups; of ten polls nine are by %s users who have seen all that fits\n"+
		"them, one is by a new user. Server, MariaDB, Redis and wrk share all cores. CPU and statements count until the last event is in the\n"+
		"database, which is how long it was behind; every popup shown was found there, once. Other programs, and\n"+
		"the kernel for its disks, had %.0f %% of the cores (median).\n",
		len(trials[0]), l.duration, l.connections, thousands(users), 100*median(slices.Concat(trials...), func(t trial) float64 { return t.others }))
	return b.String()
}

// thousands writes a whole number with commas.
func thousands(v float64) string {
	text := fmt.Sprintf("%.0f", v)
	for n := len(text) - 3; n > 0; n -= 3 {
		text = text[:n] + "," + text[n:]
	}
	return text
}

// draw draws requests/s as bars.
func draw(w io.Writer, trials [][]trial, l load) error {
	var bars []plot.Bar
	for n, rung := range trials {
		note := fmt.Sprintf("p99 %.0f ms, %.0f to MySQL", median(rung, p99), median(rung, connections))
		if n := median(rung, failed); n > 0 {
			note += fmt.Sprintf(", %.0f errors", n)
		}
		bars = append(bars, plot.Bar{Label: rungs[n], Value: median(rung, perSecond), Note: note})
	}
	return plot.Bars(w, plot.Chart{
		Title: "Polls a second: nine of ten find nothing, one shows a popup", XLabel: "requests/s",
		Note: fmt.Sprintf("go run ./bench/ladder: medians of %d rounds, %d connections, all on %d cores; to MySQL: most connections at once",
			len(trials[0]), l.connections, runtime.NumCPU()),
	}, bars)
}
