package experiment

import (
	"cmp"
	"slices"
)

// Holm returns which of some hypotheses are rejected, so that the probability of rejecting
// any true one is at most alpha (Holm, "A simple sequentially rejective multiple test
// procedure", Scandinavian Journal of Statistics 6, 1979). Hypotheses that cannot be
// tested yet are given as 1 and must not be left out: the family has to be the same at
// every look.
func Holm(p []float64, alpha float64) (rejected []bool) {
	order := make([]int, len(p))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(i, j int) int { return cmp.Compare(p[i], p[j]) })
	rejected = make([]bool, len(p))
	for rank, i := range order {
		if p[i] > alpha/float64(len(p)-rank) {
			break
		}
		rejected[i] = true
	}
	return rejected
}
