// Package experiment says how the variants of a popup compare, from the number of users in
// each and of those who reached a goal. It is arithmetic: no I/O, no clock, and nothing of
// how users are counted. [Evaluate] puts it together for a popup; the rest knows numbers only.
//
// Its results may be looked at as often as one likes, and acted on at once: the intervals
// and p-values are valid at all times together ("always valid", "anytime valid"), not only
// at a time that was chosen beforehand. They pay for that with width: see docs/experiments.md,
// which has the formulas in the order in which an analyst meets them.
//
// Users are independent of one another, and each is in one arm; whoever counts them leaves
// out those who saw two variants.
package experiment

import "math"

// Arm is a variant with the users who were exposed to it, and how many of them reached the
// goal after that, each counted once. Converted is at most Users.
type Arm struct {
	Users, Converted uint64
}

// Rate returns the share of the users who reached the goal; 0 without users.
func (a Arm) Rate() float64 {
	if a.Users == 0 {
		return 0
	}
	return float64(a.Converted) / float64(a.Users)
}

// minCount is how many users of an arm must have reached the goal, and how many not,
// before its rate is compared: with fewer the normal approximation is a poor one.
const minCount = 5

// isComparable reports whether the arm has enough of both kinds of users.
func (a Arm) isComparable() bool {
	return a.Converted >= minCount && a.Users >= a.Converted+minCount
}

// Lift is how much more often the users of an arm reach the goal than those of the control
// arm. It is kept as a logarithm, whose distribution is near to normal with far fewer users
// than that of the ratio itself.
type Lift struct {
	LogRatio float64 // of the rates: ln(arm/control)
	SE       float64 // standard error of LogRatio
	Users    uint64  // of both arms
}

// Compare returns the lift of an arm over the control arm. It returns false while one of
// them has fewer than 5 users who reached the goal or fewer than 5 who did not.
//
// The standard error is by the delta method (Casella and Berger, Statistical Inference,
// 5.5.4): a rate p of n users has the variance p (1-p)/n, and its logarithm that divided by
// p^2, the square of the derivative: (1-p)/(n p). Those of two arms add up.
func Compare(control, arm Arm) (l Lift, ok bool) {
	if !control.isComparable() || !arm.isComparable() {
		return Lift{}, false
	}
	return Lift{
		LogRatio: math.Log(arm.Rate() / control.Rate()),
		SE:       math.Sqrt(control.logVariance() + arm.logVariance()),
		Users:    control.Users + arm.Users,
	}, true
}

// logVariance is the variance of the logarithm of the rate.
func (a Arm) logVariance() float64 {
	return (1 - a.Rate()) / float64(a.Converted)
}

// Estimate returns the lift as a share of the rate of the control arm: 0.1 is 10 % more.
func (l Lift) Estimate() float64 { return math.Expm1(l.LogRatio) }
