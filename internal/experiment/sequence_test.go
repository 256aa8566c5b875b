package experiment

import (
	"math"
	"testing"

	"gonum.org/v1/gonum/stat/distuv"
)

// halfWidth is the formula as it stands in the paper.
func halfWidth(s2, n, rho, alpha float64) float64 {
	return math.Sqrt(s2) * math.Sqrt(2*(n*rho*rho+1)/((n*rho)*(n*rho))*math.Log(math.Sqrt(n*rho*rho+1)/alpha))
}

func TestInterval(t *testing.T) {
	l, _ := Compare(Arm{Users: 3000, Converted: 300}, Arm{Users: 2000, Converted: 230})
	for _, alpha := range []float64{0.05, 0.01} {
		want := halfWidth(l.SE*l.SE*5000, 5000, math.Sqrt(rhoSquared), alpha)
		low, high := l.Interval(alpha)
		if got := l.LogRatio - math.Log(1+low); math.Abs(got-want) > 1e-9 {
			t.Errorf("alpha %v: half-width %v below, want %v", alpha, got, want)
		}
		if got := math.Log(1+high) - l.LogRatio; math.Abs(got-want) > 1e-9 {
			t.Errorf("alpha %v: half-width %v above, want %v", alpha, got, want)
		}
		if z := distuv.UnitNormal.Quantile(1 - alpha/2); want < z*l.SE {
			t.Errorf("alpha %v: half-width %v, narrower than %v of an interval for one look", alpha, want, z*l.SE)
		}
	}
}

// TestRho holds the choice of rho against all others.
func TestRho(t *testing.T) {
	rho := math.Sqrt(rhoSquared)
	best := halfWidth(1, tunedUsers, rho, tunedAlpha)
	for _, factor := range []float64{0.1, 0.5, 0.9, 0.99, 1.01, 1.1, 2, 10} {
		if other := halfWidth(1, tunedUsers, rho*factor, tunedAlpha); other <= best {
			t.Errorf("rho times %v gives a half-width of %v, rho %v", factor, other, best)
		}
	}
	if want := 0.040526; math.Abs(rho-want) > 1e-6 { // as docs/experiments.md says
		t.Errorf("rho %.6f, want %v", rho, want)
	}
}

// TestPIsWhereTheIntervalEnds holds the p-value against the interval of that level.
func TestPIsWhereTheIntervalEnds(t *testing.T) {
	tests := []struct{ control, arm Arm }{
		{Arm{Users: 5000, Converted: 500}, Arm{Users: 5000, Converted: 620}},
		{Arm{Users: 5000, Converted: 500}, Arm{Users: 5000, Converted: 400}},
		{Arm{Users: 900000, Converted: 9000}, Arm{Users: 100000, Converted: 1150}},
	}
	for _, test := range tests {
		l, _ := Compare(test.control, test.arm)
		p := l.P()
		if p <= 0 || p >= 1 {
			t.Errorf("%+v: p %v, want one between 0 and 1", test, p)
		}
		low, high := l.Interval(p)
		if end := min(math.Abs(low), math.Abs(high)); end > 1e-9 {
			t.Errorf("%+v: interval %v to %v at the level of p, want an end at 0", test, low, high)
		}
	}
	if l, _ := Compare(Arm{Users: 100, Converted: 50}, Arm{Users: 100, Converted: 50}); l.P() != 1 {
		t.Errorf("p of equal rates %v, want 1", l.P())
	}
}
