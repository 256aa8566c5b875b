package experiment

import "math"

// concentration is how near to the configured shares the alternative expects those of the
// users, as if it had seen so many of them. A mismatch of 48 to 52 is found
// earliest at some 1,000: see bench/results/experiments.md.
const concentration = 1000

// MismatchP returns the always-valid p-value of a sample ratio mismatch: whether users are
// in the arms in the shares of their weights. A small one says that some users are lost or
// counted twice in one of the arms, so that comparing these means nothing. Both slices are of one
// length; weights are above 0 and must have been the same for all the users.
//
// It is the sequential Dirichlet-multinomial test of Lindon and Malek, "Anytime-valid
// inference for multinomial count data" (NeurIPS 2022, arXiv 2011.03567). With n_i users in
// arm i, n in all, shares t_i of the weights and a_i = concentration t_i, the Bayes factor
// of Dirichlet(a) shares against t is
//
//	B = G(a)/G(a + n) product of G(a_i + n_i)/G(a_i) t_i^-n_i
//
// where G is the gamma function. While the shares are t, B is a martingale that begins
// at 1, so it reaches 1/p at any time with a probability of at most p (Ville's inequality).
func MismatchP(users []uint64, weights []float64) float64 {
	var total, n float64
	for i, w := range weights {
		total += w
		n += float64(users[i])
	}
	logB := logGamma(concentration) - logGamma(concentration+n)
	for i, w := range weights {
		share, in := w/total, float64(users[i])
		prior := concentration * share
		logB += logGamma(prior+in) - logGamma(prior) - in*math.Log(share)
	}
	return min(1, math.Exp(-logB))
}

func logGamma(x float64) float64 {
	v, _ := math.Lgamma(x)
	return v
}

// Status says how far the shares of the users are to be trusted.
type Status string

// OK to Bad, by the p-value of a mismatch.
const (
	OK   Status = "ok"
	Warn Status = "warn" // p < 0.01
	Bad  Status = "bad"  // p < 0.001: do not read the lifts
)

// MismatchStatus returns the status of a p-value of [MismatchP].
func MismatchStatus(p float64) Status {
	switch {
	case p < 0.001:
		return Bad
	case p < 0.01:
		return Warn
	}
	return OK
}
