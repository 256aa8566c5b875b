//go:build linux

package openloop

import (
	"fmt"
	"math"
	"time"

	hdr "github.com/HdrHistogram/hdrhistogram-go"
)

// Result is what a run found. Times of latencies are milliseconds.
type Result struct {
	Address     string    `json:"address"`
	Started     time.Time `json:"started"`
	Arrivals    string    `json:"arrivals"` // constant, poisson
	Seed        uint64    `json:"seed"`
	Mix         string    `json:"mix"`
	Rate        float64   `json:"rate"`        // asked for, a second
	Seconds     float64   `json:"seconds"`     // of arrivals
	Connections int       `json:"connections"` // at most
	PerRequest  bool      `json:"per_request"` // one connection per request
	TickUS      int64     `json:"tick_us"`     // resolution
	Scheduled   int       `json:"scheduled"`   // requests
	Sent        int       `json:"sent"`        // of those
	Answered    int       `json:"answered"`    // of those
	Errors      int       `json:"errors"`      // anything but the expected answer
	FirstError  string    `json:"first_error,omitempty"`
	Unsent      int       `json:"unsent"`              // errors too: no connection was free before the run ended
	AnsweredPS  float64   `json:"answered_per_second"` // until the last answer
	Late        int       `json:"late"`                // which the generator got round to more than 1 ms late
	LatestMS    float64   `json:"latest_ms"`           // the latest of them
	CPU         float64   `json:"generator_cpu"`       // cores that its thread used
	Void        []string  `json:"void"`                // why this run says nothing about the server; empty: it does

	Latency Latency                `json:"latency"`
	Kinds   map[string]*KindResult `json:"kinds"`
}

// KindResult is the part of one kind of requests.
type KindResult struct {
	Sent     int            `json:"sent"`
	Statuses map[int]int    `json:"statuses"`
	Errors   map[string]int `json:"errors,omitempty"`
	Latency  Latency        `json:"latency"`
}

// Latency is a distribution, in milliseconds.
type Latency struct {
	P50   float64 `json:"p50"`
	P90   float64 `json:"p90"`
	P99   float64 `json:"p99"`
	P999  float64 `json:"p99.9"`
	P9999 float64 `json:"p99.99"`
	Max   float64 `json:"max"`
	Mean  float64 `json:"mean"`
	// Curve is the whole of it: pairs of 1/(1-q) and the latency at quantile q,
	// as far as there are requests.
	Curve [][2]float64 `json:"curve"`
}

// Held reports whether the server answered every request, and as it should.
// It says nothing if the run is void.
func (r *Result) Held() bool { return r.Errors == 0 }

// result ends the count.
func (t *counters) result(c Config, start time.Time, elapsed, cpu time.Duration, interrupted bool) *Result {
	r := &Result{
		Address: c.Address.String(), Started: start.UTC(), Arrivals: "constant", Seed: c.Seed, Mix: c.Mix.String(),
		Rate: c.Rate, Seconds: min(c.Duration, elapsed).Seconds(), Connections: c.Connections, PerRequest: c.Close, TickUS: c.Tick.Microseconds(),
		Scheduled: t.arrived, Unsent: t.missedN, Late: t.late, LatestMS: milliseconds(int64(t.latest)),
		CPU: cpu.Seconds() / elapsed.Seconds(), Void: []string{}, Kinds: map[string]*KindResult{},
	}
	if c.Poisson {
		r.Arrivals = "poisson"
	}
	if t.firstErr != nil {
		r.FirstError = t.firstErr.Error()
	}
	r.Sent, r.Answered, r.Errors = t.totals()
	r.AnsweredPS = float64(r.Answered) / elapsed.Seconds()

	all := t.missed
	for k := range numKinds {
		kind := &t.kinds[k]
		if kind.sent == 0 {
			continue
		}
		found := &KindResult{Sent: kind.sent, Statuses: map[int]int{}, Latency: latency(kind.latency)}
		for status, n := range kind.statuses {
			if n > 0 {
				found.Statuses[status] = n
			}
		}
		for f := range numFailures {
			if n := kind.failures[f]; n > 0 {
				if found.Errors == nil {
					found.Errors = map[string]int{}
				}
				found.Errors[f.String()] = n
			}
		}
		r.Kinds[k.String()] = found
		all.Merge(kind.latency)
	}
	r.Latency = latency(all)

	if share := float64(t.late) / float64(max(t.arrived, 1)); share > c.MaxLate {
		r.Void = append(r.Void, fmt.Sprintf("the generator got round to %.1f %% of the requests more than %v late, the latest %.1f ms; %.1f %% are allowed",
			100*share, late, r.LatestMS, 100*c.MaxLate))
	}
	if r.CPU > 0.95 {
		r.Void = append(r.Void, fmt.Sprintf("the generator used %.0f %% of a core: it was the bottleneck", 100*r.CPU))
	}
	if interrupted {
		r.Void = append(r.Void, fmt.Sprintf("interrupted after %.1f s", elapsed.Seconds()))
	}
	return r
}

func latency(h *hdr.Histogram) Latency {
	if h.TotalCount() == 0 {
		return Latency{Curve: [][2]float64{}}
	}
	at := func(q float64) float64 { return milliseconds(h.ValueAtQuantile(100 * q)) }
	l := Latency{P50: at(0.5), P90: at(0.9), P99: at(0.99), P999: at(0.999), P9999: at(0.9999), Max: milliseconds(h.Max()), Mean: round(h.Mean() / 1e6), Curve: [][2]float64{}}
	// Twenty points to a power of ten, and the last request.
	n := float64(h.TotalCount())
	for i := 0; ; i++ {
		x := math.Pow(10, float64(i)/20)
		if x >= n {
			l.Curve = append(l.Curve, [2]float64{n, l.Max})
			break
		}
		l.Curve = append(l.Curve, [2]float64{round(x), at(1 - 1/x)})
	}
	return l
}

func milliseconds(ns int64) float64 { return round(float64(ns) / 1e6) }

// round keeps three digits behind the point: a microsecond of a millisecond.
func round(x float64) float64 { return math.Round(x*1000) / 1000 }
