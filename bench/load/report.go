//go:build linux

package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/popupd/popupd/bench/openloop"
	"github.com/popupd/popupd/bench/plot"
)

// progress writes the live line of a run: a second of it.
func progress(p openloop.Progress) {
	fmt.Fprintf(os.Stderr, "%4.0fs  sent %d/s, answered %d/s, in flight %d, waiting %d, errors %d, late %d, p99 %.1f ms\n",
		p.Elapsed.Seconds(), p.Sent, p.Answered, p.InFlight, p.Waiting, p.Errors, p.Late, p.P99.Seconds()*1000)
}

// describe is a result as a table, and what is to be said of it.
func describe(r *openloop.Result) string {
	var b strings.Builder
	connections := fmt.Sprintf("%d keep-alive connections", r.Connections)
	if r.PerRequest {
		connections = "one connection per request"
	}
	fmt.Fprintf(&b, "%s requests/s for %.0f s, %s arrivals, mix %s, %s: %d scheduled, %d sent, %d answered, %d errors\n\n",
		thousands(r.Rate), r.Seconds, r.Arrivals, r.Mix, connections, r.Scheduled, r.Sent, r.Answered, r.Errors)
	b.WriteString(latencyTable(r))
	fmt.Fprintf(&b, "\ngenerator: %.2f of a core, resolution %d us, %d requests (%.2f %%) more than 1 ms late, the latest %.1f ms\n",
		r.CPU, r.TickUS, r.Late, 100*float64(r.Late)/float64(max(r.Scheduled, 1)), r.LatestMS)
	if r.FirstError != "" {
		fmt.Fprintf(&b, "first error: %s\n", r.FirstError)
	}
	for _, why := range r.Void {
		fmt.Fprintf(&b, "VOID: %s\n", why)
	}
	return b.String()
}

// latencyTable has a row for all requests, and one a kind if there are several.
func latencyTable(r *openloop.Result) string {
	var b strings.Builder
	b.WriteString("| ms from the intended start | requests | p50 | p90 | p99 | p99.9 | p99.99 | max | errors |\n|---|---|---|---|---|---|---|---|---|\n")
	row := func(name string, n int, l openloop.Latency, errors int) {
		fmt.Fprintf(&b, "| %s | %s | %.2f | %.2f | %.2f | %.2f | %.2f | %.2f | %d |\n", name, thousands(float64(n)), l.P50, l.P90, l.P99, l.P999, l.P9999, l.Max, errors)
	}
	row("all", r.Scheduled, r.Latency, r.Errors)
	if len(r.Kinds) > 1 {
		for k := openloop.Nothing; k <= openloop.Action; k++ {
			if found := r.Kinds[k.String()]; found != nil {
				errors := 0
				for _, n := range found.Errors {
					errors += n
				}
				row(k.String(), found.Sent, found.Latency, errors)
			}
		}
	}
	return b.String()
}

func writeJSON(file string, r *openloop.Result) error {
	text, err := json.MarshalIndent(r, "", "\t")
	if err != nil {
		return err
	}
	return os.WriteFile(file, append(text, '\n'), 0o644)
}

// writePlot draws latencies over their percentiles, of which each step to the
// right leaves out nine of ten requests. The series are sorted by name; one
// without a name stands for itself and its kinds.
func writePlot(file, title, note string, results map[string]*openloop.Result) error {
	var series []plot.Series
	most := 1.0
	add := func(name string, l openloop.Latency) {
		s := plot.Series{Name: name}
		for _, point := range l.Curve {
			s.X, s.Y = append(s.X, point[0]), append(s.Y, max(point[1], 0.001))
			most = max(most, point[0])
		}
		if len(s.X) > 0 {
			series = append(series, s)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(results)) {
		r := results[name]
		if name != "" {
			add(name, r.Latency)
			continue
		}
		add("all", r.Latency)
		for k := openloop.Nothing; k <= openloop.Action && len(r.Kinds) > 1; k++ {
			if found := r.Kinds[k.String()]; found != nil {
				add(k.String(), found.Latency)
			}
		}
	}
	ticks := []plot.Tick{{Value: 1, Label: "0"}, {Value: 2, Label: "50%"}}
	for x := 10.0; x <= most; x *= 10 {
		ticks = append(ticks, plot.Tick{Value: x, Label: strconv.FormatFloat(100*(1-1/x), 'f', max(0, int(math.Round(math.Log10(x)))-2), 64) + "%"})
	}
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	defer f.Close()
	err = plot.Lines(f, plot.Chart{
		Title: title, Note: note, XLabel: "percentile of requests", YLabel: "ms from the intended start to the answer", LogX: true, LogY: true, XTicks: ticks,
	}, series)
	if err != nil {
		return err
	}
	return f.Close()
}

// thousands writes a whole number with commas.
func thousands(x float64) string {
	text := strconv.FormatFloat(x, 'f', 0, 64)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

func percent(part, whole time.Duration) float64 { return 100 * part.Seconds() / whole.Seconds() }

// median of an odd number of values; of an even one the lower of the two.
func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[(len(sorted)-1)/2]
}
