package main

import (
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"

	"github.com/popupd/popupd/internal/experiment"
)

// alpha is the share of experiments without a difference in which one may be called.
const alpha = 0.05

// scenario is an experiment that is simulated many times. Users come one by one, are drawn
// into an arm, and reach the goals or not; someone looks at the end of each day.
type scenario struct {
	name    string
	days    int
	perDay  int       // users
	weights []float64 // that the arms are configured with; the first arm is the control
	drawn   []float64 // that users are drawn by; nil: weights
	rates   []float64 // of the arms: the share of users who reach the first goal
	second  float64   // the share of those who then reach the second goal; 0: there is none
}

// course is what was seen of one experiment. Days count from 1; 0 is never.
type course struct {
	called     int  // day of the first difference by the confidence sequence
	zCalled    int  // by a z-test at each look
	zAtEnd     bool // by one z-test on the last day
	wrongSign  bool // a difference was called in the wrong direction
	warn, bad  int  // day on which the mismatch of the users became warn or bad
	missed     bool // an interval of any day missed the true lift of the second arm
	missedLast bool // that of the last day did
}

// simulate runs n experiments. The same seed gives the same ones.
func (s *scenario) simulate(n int, seed uint64) []course {
	courses := make([]course, n)
	var wg sync.WaitGroup
	workers := runtime.GOMAXPROCS(0)
	for first := range workers {
		wg.Go(func() {
			for i := first; i < n; i += workers {
				courses[i] = s.run(rand.New(rand.NewPCG(seed, uint64(i))))
			}
		})
	}
	wg.Wait()
	return courses
}

// run simulates one experiment.
func (s *scenario) run(r *rand.Rand) (c course) {
	users := make([]uint64, len(s.rates))
	goals := [][]experiment.Arm{make([]experiment.Arm, len(s.rates))}
	if s.second > 0 {
		goals = append(goals, make([]experiment.Arm, len(s.rates)))
	}
	drawn := s.drawn
	if drawn == nil {
		drawn = s.weights
	}
	bounds := cumulate(drawn)
	for day := 1; day <= s.days; day++ {
		for range s.perDay {
			arm := draw(r, bounds)
			users[arm]++
			if r.Float64() < s.rates[arm] {
				goals[0][arm].Converted++
				if s.second > 0 && r.Float64() < s.second {
					goals[1][arm].Converted++
				}
			}
		}
		for _, arms := range goals {
			for i := range arms {
				arms[i].Users = users[i]
			}
		}
		s.look(&c, day, goals)
		switch p := experiment.MismatchP(users, s.weights); experiment.MismatchStatus(p) {
		case experiment.Bad:
			setFirst(&c.bad, day)
			setFirst(&c.warn, day)
		case experiment.Warn:
			setFirst(&c.warn, day)
		}
	}
	return c
}

// look compares every arm with the control for every goal, as an analyst would who looks at
// the end of a day.
func (s *scenario) look(c *course, day int, goals [][]experiment.Arm) {
	var p []float64
	var wrong []bool // has the sign that the truth has not
	c.zAtEnd, c.missedLast = false, false
	for _, arms := range goals {
		for i := 1; i < len(arms); i++ {
			truth := s.rates[i]/s.rates[0] - 1
			lift, ok := experiment.Compare(arms[0], arms[i])
			if !ok {
				p, wrong = append(p, 1), append(wrong, false)
				continue
			}
			p, wrong = append(p, lift.P()), append(wrong, lift.LogRatio*truth < 0)
			if zTest(arms[0], arms[i]) <= alpha {
				c.zAtEnd = true
				setFirst(&c.zCalled, day)
			}
			if low, high := lift.Interval(alpha); i == 1 && (truth < low || high < truth) {
				c.missed, c.missedLast = true, true
			}
		}
	}
	for i, rejected := range experiment.Holm(p, alpha) {
		if rejected {
			setFirst(&c.called, day)
			c.wrongSign = c.wrongSign || wrong[i]
		}
	}
}

// setFirst sets a day that is not set yet.
func setFirst(first *int, day int) {
	if *first == 0 {
		*first = day
	}
}

// cumulate returns the upper bounds of the shares of weights in [0, 1).
func cumulate(weights []float64) []float64 {
	bounds := slices.Clone(weights)
	for i := 1; i < len(bounds); i++ {
		bounds[i] += bounds[i-1]
	}
	total := bounds[len(bounds)-1]
	for i := range bounds {
		bounds[i] /= total
	}
	return bounds
}

// draw returns an arm.
func draw(r *rand.Rand, bounds []float64) int {
	x := r.Float64()
	for i, bound := range bounds {
		if x < bound {
			return i
		}
	}
	return len(bounds) - 1
}
