package experiment

import (
	"math"
	"testing"

	"gonum.org/v1/gonum/stat/distuv"
)

// TestMismatchOfTwoArms holds the Bayes factor against the integral that it stands for: the
// likelihood of the users, over all shares as the alternative expects them.
func TestMismatchOfTwoArms(t *testing.T) {
	const share = 0.25
	for _, users := range [][]uint64{{300, 700}, {2300, 7700}, {20, 380}} {
		prior := distuv.Beta{Alpha: concentration * share, Beta: concentration * (1 - share)}
		a, b := float64(users[0]), float64(users[1])
		const steps = 200_000
		var factor float64
		for i := range steps {
			x := (float64(i) + 0.5) / steps
			factor += math.Exp(prior.LogProb(x)+a*math.Log(x/share)+b*math.Log((1-x)/(1-share))) / steps
		}
		if got := MismatchP(users, []float64{1, 3}); math.Abs(got*factor-1) > 1e-6 {
			t.Errorf("%v: p %v, 1/%v by integration", users, got, factor)
		}
	}
}

// TestMismatchIsFair holds the Bayes factor of three arms against what it is expected to be
// with one more user: the same.
func TestMismatchIsFair(t *testing.T) {
	weights := []float64{5, 3, 2}
	users := []uint64{600, 250, 150}
	now := 1 / MismatchP(users, weights)
	var next float64
	for i, w := range weights {
		users[i]++
		next += w / 10 / MismatchP(users, weights)
		users[i]--
	}
	if now < 2 || math.Abs(next/now-1) > 1e-9 {
		t.Errorf("Bayes factor %v, expected next %v, want the same", now, next)
	}
}

func TestMismatchStatus(t *testing.T) {
	for _, users := range [][]uint64{{0, 0}, {1, 0}, {10, 12}, {10_000, 10_100}} {
		if p := MismatchP(users, []float64{1, 1}); MismatchStatus(p) != OK {
			t.Errorf("%v of equal weights: p %v, want none that alarms", users, p)
		}
	}
	if p := MismatchP([]uint64{9600, 10400}, []float64{1, 1}); MismatchStatus(p) != Bad {
		t.Errorf("48 to 52 of 20,000 users: p %v, want a bad one", p)
	}
	tests := []struct {
		p    float64
		want Status
	}{{1, OK}, {0.01, OK}, {0.0099, Warn}, {0.001, Warn}, {0.00099, Bad}, {0, Bad}}
	for _, test := range tests {
		if got := MismatchStatus(test.p); got != test.want {
			t.Errorf("status of %v: %s, want %s", test.p, got, test.want)
		}
	}
}
