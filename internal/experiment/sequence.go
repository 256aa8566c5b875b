package experiment

import "math"

// The confidence sequence is the asymptotic one of Waudby-Smith, Arbour, Sinha, Kennedy and
// Ramdas, "Time-uniform central limit theory and asymptotic confidence sequences"
// (arXiv 2103.06476). After n users, with s2 = SE^2 n the variance that one user adds, an
// estimate is within
//
//	sqrt(s2) sqrt(2 (n rho^2 + 1) / (n rho)^2 ln(sqrt(n rho^2 + 1) / alpha))
//
// of the truth at all n together, with probability 1 - alpha. With u = n rho^2 that is
//
//	SE sqrt(2 (u + 1)/u ln(sqrt(u + 1) / alpha))
//
// That holds for every rho which does not depend on the data. Ours is the one with which the
// interval after tunedUsers users is narrowest.
const (
	tunedUsers = 5000
	tunedAlpha = 0.05
)

// rhoSquared is the same for all levels, so that a p-value can be read from the intervals.
var rhoSquared = tunedScale(tunedAlpha) / tunedUsers

// tunedScale returns the u = n rho^2 that makes the interval after n users narrowest: the
// square of its half-width is in proportion to (u + 1)/u (ln(u + 1) - 2 ln alpha), the
// derivative of which is 0 where u = ln(u + 1) - 2 ln alpha.
func tunedScale(alpha float64) float64 {
	u := 1.0
	for range 100 { // each step divides the error by u + 1
		u = math.Log(u+1) - 2*math.Log(alpha)
	}
	return u
}

// Interval returns the bounds of the lift at level 1 - alpha, as shares of the rate of the
// control arm: however often one looks, the true lift is within all intervals seen with about
// this probability.
func (l Lift) Interval(alpha float64) (low, high float64) {
	u := float64(l.Users) * rhoSquared
	halfWidth := l.SE * math.Sqrt(2*(u+1)/u*math.Log(math.Sqrt(u+1)/alpha))
	return math.Expm1(l.LogRatio - halfWidth), math.Expm1(l.LogRatio + halfWidth)
}

// P returns the always-valid p-value against a lift of 0: the least alpha whose interval
// leaves 0 out, at most 1. However often one looks, it is at most x at some time with
// a probability of about x or less if there is no lift (Johari, Pekelis and Walsh,
// "Always valid inference", arXiv 1512.04922).
func (l Lift) P() float64 {
	u := float64(l.Users) * rhoSquared
	z := l.LogRatio / l.SE
	return min(1, math.Sqrt(u+1)*math.Exp(-z*z/2*u/(u+1)))
}
