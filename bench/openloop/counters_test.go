//go:build linux

package openloop

import (
	"math"
	"strings"
	"testing"
	"time"
)

func TestPercentiles(t *testing.T) {
	h := newHistogram()
	for n := 1; n <= 100_000; n++ {
		record(h, time.Duration(n)*time.Microsecond)
	}
	l := latency(h)
	for name, c := range map[string]struct{ got, want float64 }{
		"p50": {l.P50, 50}, "p90": {l.P90, 90}, "p99": {l.P99, 99}, "p99.9": {l.P999, 99.9}, "p99.99": {l.P9999, 99.99}, "max": {l.Max, 100}, "mean": {l.Mean, 50},
	} {
		if math.Abs(c.got-c.want) > 0.002*c.want {
			t.Errorf("%s = %v ms, want %v", name, c.got, c.want)
		}
	}
	// The curve rises from the fastest request to the slowest.
	first, last := l.Curve[0], l.Curve[len(l.Curve)-1]
	if first[0] != 1 || last[0] != 100_000 || last[1] != l.Max || len(l.Curve) != 101 {
		t.Errorf("curve of %d points from %v to %v", len(l.Curve), first, last)
	}
	for i := 1; i < len(l.Curve); i++ {
		if l.Curve[i][0] <= l.Curve[i-1][0] || l.Curve[i][1] < l.Curve[i-1][1] {
			t.Errorf("the curve falls from %v to %v", l.Curve[i-1], l.Curve[i])
		}
	}
	if empty := latency(newHistogram()); len(empty.Curve) != 0 || empty.Max != 0 || empty.Mean != 0 {
		t.Errorf("of nothing: %+v", empty)
	}
	record(h, -time.Second) // clocks
	record(h, 24*time.Hour)
	if h.TotalCount() != 100_002 {
		t.Errorf("%d counted, want what is out of range too", h.TotalCount())
	}
}

func TestVoid(t *testing.T) {
	run := func(lateness time.Duration, lateN, n int, cpu time.Duration) []string {
		run := newCounters()
		for i := range n {
			if i < lateN {
				run.schedule(lateness)
			} else {
				run.schedule(200 * time.Microsecond)
			}
		}
		c := Config{Rate: 1000, Duration: time.Second, MaxLate: 0.01}
		return run.result(c, time.Now(), time.Second, cpu, false).Void
	}
	for name, c := range map[string]struct {
		got  []string
		want string
	}{
		"on time":              {run(0, 0, 1000, time.Second/2), ""},
		"as late as may be":    {run(time.Millisecond, 1000, 1000, time.Second/2), ""},
		"few late":             {run(3*time.Millisecond, 10, 1000, time.Second/2), ""},
		"too many late":        {run(3*time.Millisecond, 11, 1000, time.Second/2), "1.1 % of the requests more than 1ms late, the latest 3.0 ms"},
		"no time for its work": {run(0, 0, 1000, 960*time.Millisecond), "96 % of a core"},
	} {
		got := strings.Join(c.got, "; ")
		if (c.want == "") != (got == "") || !strings.Contains(got, c.want) {
			t.Errorf("%s: void %q, want %q", name, got, c.want)
		}
	}
}
