package experiment

import (
	"math"
	"testing"

	"gonum.org/v1/gonum/stat/distuv"
)

func TestCompareNeedsFiveOfEach(t *testing.T) {
	enough := Arm{Users: 10, Converted: 5}
	tests := []struct {
		control, arm Arm
		want         bool
	}{
		{enough, enough, true},
		{Arm{}, enough, false},
		{Arm{Users: 10, Converted: 4}, enough, false},
		{Arm{Users: 10, Converted: 6}, enough, false},
		{enough, Arm{Users: 1000, Converted: 4}, false},
		{enough, Arm{Users: 1000, Converted: 996}, false},
		{enough, Arm{Users: 1000, Converted: 995}, true},
	}
	for _, test := range tests {
		if _, got := Compare(test.control, test.arm); got != test.want {
			t.Errorf("Compare(%+v, %+v): %v, want %v", test.control, test.arm, got, test.want)
		}
	}
}

func TestLift(t *testing.T) {
	l, _ := Compare(Arm{Users: 1000, Converted: 200}, Arm{Users: 2000, Converted: 440})
	if got := l.Estimate(); math.Abs(got-0.1) > 1e-12 {
		t.Errorf("lift of 0.22 over 0.2: %v, want 0.1", got)
	}
	if want := uint64(3000); l.Users != want {
		t.Errorf("users %d, want %d", l.Users, want)
	}
	if got := (Arm{}).Rate(); got != 0 {
		t.Errorf("rate without users %v, want 0", got)
	}
}

// TestStandardError holds the delta method against the exact distribution of the logarithm
// of a rate.
func TestStandardError(t *testing.T) {
	exact := func(n, p float64) float64 {
		b := distuv.Binomial{N: n, P: p}
		var mean, square float64
		for k := 1.0; k <= n; k++ { // 0, whose logarithm is none, has no weight to speak of
			x, w := math.Log(k/n), b.Prob(k)
			mean, square = mean+w*x, square+w*x*x
		}
		return square - mean*mean
	}
	l, _ := Compare(Arm{Users: 4000, Converted: 400}, Arm{Users: 2000, Converted: 600})
	want := math.Sqrt(exact(4000, 0.1) + exact(2000, 0.3))
	if math.Abs(l.SE/want-1) > 0.005 {
		t.Errorf("standard error %v, that of the exact distribution %v", l.SE, want)
	}
}
