package catalogtest

import (
	"runtime"
	"slices"
	"testing"
	"time"
)

// InTurn calls each of the functions for a millisecond, one after the other, again and again,
// and returns the ns that a call of each takes: medians. What else the machine does then slows
// down all of them.
func InTurn(b *testing.B, functions ...func()) (ns []float64) {
	const slice = time.Millisecond
	for _, f := range functions {
		f()
	}
	runtime.GC()
	took := make([][]float64, len(functions))
	for b.Loop() {
		for i, f := range functions {
			start, calls := time.Now(), 0
			for time.Since(start) < slice {
				for range 16 {
					f()
				}
				calls += 16
			}
			took[i] = append(took[i], float64(time.Since(start))/float64(calls))
		}
	}
	b.ReportMetric(0, "ns/op")
	for _, t := range took {
		slices.Sort(t)
		ns = append(ns, t[len(t)/2])
	}
	return ns
}
