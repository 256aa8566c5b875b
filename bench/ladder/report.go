package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/popupd/popupd/bench/plot"
)

// median of one figure over the turns of a rung.
func median(turns []turn, figure func(turn) float64) float64 {
	values := make([]float64, len(turns))
	for n, t := range turns {
		values[n] = figure(t)
	}
	slices.Sort(values)
	return (values[(len(values)-1)/2] + values[len(values)/2]) / 2
}

func perSecond(t turn) float64 { return t.perSecond }

// report writes the table. The ratio to the first rung is the median of those
// of the rounds.
func report(turns [][]turn, l load) string {
	var b strings.Builder
	b.WriteString("| rung | requests/s | of rung 1 | p50 | p99 | errors | MySQL connections | statements a request | server, CPU us a request | MariaDB, CPU us a request | behind at the end |\n")
	b.WriteString("|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|\n")
	for n, rung := range turns {
		ratios := make([]turn, len(rung))
		for round, t := range rung {
			ratios[round].perSecond = t.perSecond / turns[0][round].perSecond
		}
		fmt.Fprintf(&b, "| %s | %s | %.1f | %s | %s | %.0f | %.0f | %.3f | %.0f | %.0f | %s |\n", rungs[n],
			thousands(median(rung, perSecond)), median(ratios, perSecond), ms(rung, func(t turn) time.Duration { return t.p50 }), ms(rung, p99),
			median(rung, func(t turn) float64 { return t.errors }), median(rung, connections),
			median(rung, func(t turn) float64 { return t.statements }), median(rung, func(t turn) float64 { return t.serverCPU }),
			median(rung, func(t turn) float64 { return t.mysqlCPU }), ms(rung, func(t turn) time.Duration { return t.behind }))
	}
	fmt.Fprintf(&b, "\nMedians of %d rounds of %v, %d keep-alive connections, 26 popups; of ten polls nine are by %s users who have seen all that fits\n"+
		"them, one is by a new user. Server, MariaDB, Redis and wrk share all cores. CPU and statements count until the last event is in the\n"+
		"database, which is how long it was behind; every popup shown was found there, once.\n", len(turns[0]), l.duration, l.connections, thousands(users))
	return b.String()
}

func p99(t turn) time.Duration   { return t.p99 }
func connections(t turn) float64 { return t.connections }

func ms(turns []turn, figure func(turn) time.Duration) string {
	return fmt.Sprintf("%.1f ms", median(turns, func(t turn) float64 { return float64(figure(t).Microseconds()) / 1000 }))
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
func draw(w io.Writer, turns [][]turn) error {
	var bars []plot.Bar
	for n, rung := range turns {
		bars = append(bars, plot.Bar{
			Label: rungs[n], Value: median(rung, perSecond),
			Note: fmt.Sprintf("p99 %s, %.0f MySQL connections", ms(rung, p99), median(rung, connections)),
		})
	}
	return plot.Bars(w, plot.Chart{Title: "Popups at the same load: requests/s", XLabel: "requests/s"}, bars)
}
