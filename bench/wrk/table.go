//go:build linux

package main

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// saturated is the share of its core below which a server was not the limit, so
// that its throughput says nothing about it.
const saturated = 0.9

// column is a figure of a trial.
type column struct {
	title  string
	of     func(t trial) float64
	format string
}

var columns = []column{
	{"requests/s", func(t trial) float64 { return t.perSecond }, "%.0f"},
	{"p50 ms", func(t trial) float64 { return milliseconds(t.p50) }, "%.2f"},
	{"p99 ms", func(t trial) float64 { return milliseconds(t.p99) }, "%.2f"},
	{"CPU us/request", cpuOf, "%.1f"},
	{"server busy", func(t trial) float64 { return 100 * t.server }, "%.0f %%"},
	{"wrk busy", func(t trial) float64 { return 100 * t.wrk }, "%.0f %%"},
}

func milliseconds(d time.Duration) float64 { return d.Seconds() * 1000 }

func cpuOf(t trial) float64  { return t.cpu }
func rateOf(t trial) float64 { return t.perSecond }

// yardsticks are the servers that all are compared with.
var yardsticks = []string{"bare", "nginx"}

// table is the result of a scenario in Markdown: medians of the rounds, and
// medians of the ratios within a round.
func table(s scenario, m mode, names []string, all []round) string {
	var b strings.Builder
	fmt.Fprintf(&b, "\n## %s, %s\n\n| server |", s.title, m.title)
	for _, c := range columns {
		fmt.Fprintf(&b, " %s |", c.title)
	}
	var against []string
	for _, y := range yardsticks {
		if slices.Contains(names, y) {
			against = append(against, y)
			fmt.Fprintf(&b, " requests/s to %s |", titleOf(y))
		}
	}
	for _, y := range against {
		fmt.Fprintf(&b, " CPU to %s |", titleOf(y))
	}
	b.WriteString("\n|---|" + strings.Repeat("---:|", len(columns)+2*len(against)) + "\n")
	for _, name := range names {
		fmt.Fprintf(&b, "| %s |", titleOf(name))
		for _, c := range columns {
			cell(&b, figures(all, name, c.of), c.format)
		}
		for _, y := range against {
			cell(&b, ratios(all, name, y, rateOf), bound(all, name, y)+"%.2f")
		}
		for _, y := range against {
			cell(&b, ratios(all, name, y, cpuOf), "%.2f")
		}
		b.WriteString("\n")
	}
	b.WriteString("\n")
	for _, y := range against {
		rates, cpus := ratios(all, popupdName, y, rateOf), ratios(all, popupdName, y, cpuOf)
		if len(rates) > 0 {
			fmt.Fprintf(&b, "- popupd to %s: requests/s %s, CPU %s; medians of %d rounds and extremes\n", titleOf(y), bound(all, popupdName, y)+spread(rates), spread(cpus), len(rates))
		}
	}
	b.WriteString(remarks(s, names, all))
	return b.String()
}

func cell(b *strings.Builder, v []float64, format string) {
	if len(v) == 0 {
		b.WriteString(" void |")
		return
	}
	fmt.Fprintf(b, " "+format+" |", median(v))
}

func spread(v []float64) string {
	return fmt.Sprintf("%.2f (%.2f to %.2f)", median(v), slices.Min(v), slices.Max(v))
}

// idle reports whether the generator's side was the limit, not the server.
func idle(all []round, name string) bool {
	v := figures(all, name, func(t trial) float64 { return t.server })
	return len(v) > 0 && median(v) < saturated
}

// bound is what a ratio of throughputs is worth of which one or both are what
// the generator could do: such a server can do more.
func bound(all []round, name, yardstick string) string {
	switch a, b := idle(all, name), idle(all, yardstick); {
	case name == yardstick || !a && !b:
		return ""
	case a && b:
		return "?"
	case a:
		return "≥"
	default:
		return "≤"
	}
}

// figures are those of a server in the rounds that are not void.
func figures(all []round, name string, of func(trial) float64) []float64 {
	var v []float64
	for _, r := range all {
		if t, ok := r.trials[name]; ok {
			v = append(v, of(t))
		}
	}
	return v
}

// ratios are those of the rounds in which both were measured.
func ratios(all []round, name, yardstick string, of func(trial) float64) []float64 {
	var v []float64
	for _, r := range all {
		t, ok := r.trials[name]
		y, other := r.trials[yardstick]
		if ok && other {
			v = append(v, of(t)/of(y))
		}
	}
	return v
}

// median of what is not empty. Of an even number it is the mean of the two in
// the middle.
func median(v []float64) float64 {
	v = slices.Sorted(slices.Values(v))
	n := len(v)
	return (v[(n-1)/2] + v[n/2]) / 2
}

// remarks say what the table can not.
func remarks(s scenario, names []string, all []round) string {
	var b strings.Builder
	for _, name := range names {
		if idle(all, name) {
			fmt.Fprintf(&b, "- %s left some of its core idle: the generator's side was the limit, so compare it by CPU\n", titleOf(name))
		}
	}
	if s.served+s.actions > 0 {
		var sum counts
		var late int64
		for _, r := range all {
			t := r.trials[popupdName]
			sum.impressions += t.stored.impressions
			sum.clicks += t.stored.clicks
			late += t.late
		}
		total := sum.impressions + sum.clicks
		if total > 0 {
			fmt.Fprintf(&b, "- popupd answered 200 %d times and 202 %d times; MariaDB has %d events of that: all of them. %.0f %% were in it when wrk ended; "+
				"with what is due afterwards, a core of popupd keeps up with %.0f requests/s\n",
				sum.impressions, sum.clicks, total, 100*float64(total-late)/float64(total), 1e6/median(figures(all, popupdName, cpuOf)))
		}
	}
	for i, r := range all {
		for _, name := range names {
			if err := r.void[name]; err != nil {
				fmt.Fprintf(&b, "- round %d of %s is void: %s\n", i+1, titleOf(name), strings.ReplaceAll(err.Error(), "\n", "; "))
			}
		}
	}
	return b.String()
}

// footnotes say what holds for all tables.
func (b *bench) footnotes() string {
	var t strings.Builder
	t.WriteString(`
## How to read this

- The server had core ` + serverCore + `; wrk (one thread), Redis and MariaDB, which waits for both, the others. All figures are medians of the rounds; ratios are medians of
  the ratios within a round, in which the servers were measured alternately, started anew for each, a second of warm-up first.
- Every server sends the same status, header fields and body and has the same time limits; nothing looks at a path where all answers are the same.
- CPU is user and system time of the server in /proc/PID/stat over the answers. That of popupd goes on until all events are in MariaDB.
- wrk busy is wrk alone. Where a server has less than 90 % of its core, the generator was the limit: what it could do is more, the ratio an upper (≤) or lower
  (≥) bound, or nothing (?) if that is so of both.
- A trial is void when an answer is not 2xx, a socket has an error, events are missing, or when other programs had too much of a core (-noise).
- With one connection per request every request says Connection: close, and the server closes first: the ports of the clients stay free.
`)
	for _, r := range rivals {
		if extra := b.extra[r.name]; len(extra) > 0 {
			fmt.Fprintf(&t, "- %s cannot leave out: %s\n", r.title, strings.Join(extra, "; "))
		}
	}
	return t.String()
}
