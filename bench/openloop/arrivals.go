//go:build linux

package openloop

import (
	"math/rand/v2"
	"time"
)

// arrivals are the intended starts of requests, as offsets from the start of
// the run. The same seed gives the same ones.
type arrivals struct {
	mean    float64    // ns between two
	poisson *rand.Rand // nil: constant
	n       int64
	at      float64
}

func newArrivals(rate float64, poisson bool, seed uint64) *arrivals {
	a := &arrivals{mean: float64(time.Second) / rate}
	if poisson {
		a.poisson = rand.New(rand.NewPCG(seed, 1))
	}
	return a
}

// next returns when the next request starts.
func (a *arrivals) next() time.Duration {
	if a.poisson != nil {
		a.at += a.poisson.ExpFloat64() * a.mean
		return time.Duration(a.at)
	}
	at := time.Duration(float64(a.n) * a.mean) // a sum would drift
	a.n++
	return at
}
