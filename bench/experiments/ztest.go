package main

import (
	"math"

	"github.com/popupd/popupd/internal/experiment"
)

// zTest returns the p-value of the plain two-sided z-test of two rates, with their common
// variance: right for one look, which must be planned beforehand.
func zTest(a, b experiment.Arm) float64 {
	n, m := float64(a.Users), float64(b.Users)
	rate := float64(a.Converted+b.Converted) / (n + m)
	z := (b.Rate() - a.Rate()) / math.Sqrt(rate*(1-rate)*(1/n+1/m))
	return math.Erfc(math.Abs(z) / math.Sqrt2)
}
