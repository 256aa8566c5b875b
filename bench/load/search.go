//go:build linux

package main

import (
	"context"
	"fmt"
	"math"
	"os"
	"strings"
	"time"

	"github.com/popupd/popupd/bench/openloop"
)

// found is what a search has tried.
type found struct {
	tries []*openloop.Result
	held  *openloop.Result // the best of them
}

// search looks for the highest rate that is held: every request is answered as
// it should, and p99 is at most the limit. From the first rate it goes up by
// halves, or down to halves, until it has one that is held and one that is not
// (or whose run is void twice), and then halves the distance until that is 5 %.
func search(ctx context.Context, c openloop.Config, p99 time.Duration) (*found, error) {
	return searchWith(c.Rate, p99, func(rate float64) (*openloop.Result, error) {
		c.Rate = rate
		r, err := openloop.Run(ctx, c)
		if err == nil && ctx.Err() != nil {
			err = ctx.Err()
		}
		return r, err
	})
}

// searchWith is search with runs of the caller's.
func searchWith(rate float64, p99 time.Duration, run func(rate float64) (*openloop.Result, error)) (*found, error) {
	var f found
	low, high := 0.0, math.Inf(1) // held, not held
	for high > low*1.05 {
		switch {
		case len(f.tries) == 0:
		case math.IsInf(high, 1):
			rate = low * 1.5
		default: // low may be 0
			rate = (low + high) / 2
		}
		if rate < 10 && len(f.tries) > 0 {
			break // gives up
		}
		var r *openloop.Result
		for range 2 { // a void run may be the fault of what else runs here
			var err error
			if r, err = run(rate); err != nil {
				return nil, err
			}
			f.tries = append(f.tries, r)
			fmt.Fprintf(os.Stderr, "%s requests/s: %s\n", thousands(rate), outcome(r, p99))
			if len(r.Void) == 0 {
				break
			}
		}
		if holds(r, p99) {
			low, f.held = rate, r
		} else {
			high = rate
		}
	}
	if f.held == nil {
		return nil, fmt.Errorf("%w at any rate; last: %s", errGoal, outcome(f.tries[len(f.tries)-1], p99))
	}
	return &f, nil
}

func holds(r *openloop.Result, p99 time.Duration) bool {
	return len(r.Void) == 0 && r.Held() && r.Answered > 0 && r.Latency.P99 <= p99.Seconds()*1000
}

// outcome says in words whether a rate was held.
func outcome(r *openloop.Result, p99 time.Duration) string {
	switch {
	case len(r.Void) > 0:
		return "void: " + strings.Join(r.Void, "; ")
	case !r.Held():
		return fmt.Sprintf("not held: %d errors, the first: %s", r.Errors, r.FirstError)
	case r.Latency.P99 > p99.Seconds()*1000:
		return fmt.Sprintf("not held: p99 %.1f ms", r.Latency.P99)
	}
	return fmt.Sprintf("held, p99 %.1f ms", r.Latency.P99)
}

func (f *found) table() string {
	var b strings.Builder
	b.WriteString("| requests/s offered | answered | p50 ms | p99 ms | errors | late | |\n|---|---|---|---|---|---|---|\n")
	for _, r := range f.tries {
		verdict := ""
		if r == f.held {
			verdict = "held"
		}
		if len(r.Void) > 0 {
			verdict = "void"
		}
		fmt.Fprintf(&b, "| %s | %s | %.2f | %.2f | %d | %d | %s |\n", thousands(r.Rate), thousands(r.AnsweredPS), r.Latency.P50, r.Latency.P99, r.Errors, r.Late, verdict)
	}
	b.WriteString("\n")
	return b.String()
}
