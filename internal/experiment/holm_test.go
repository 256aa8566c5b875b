package experiment

import (
	"slices"
	"testing"
)

func TestHolm(t *testing.T) {
	tests := []struct {
		p    []float64
		want []bool
	}{
		{nil, []bool{}},
		{[]float64{0.05}, []bool{true}},
		{[]float64{0.051}, []bool{false}},
		{[]float64{0.01, 0.04, 0.03, 0.005}, []bool{true, false, false, true}}, // Holm's steps: 0.0125, 0.0167, 0.025
		{[]float64{0.03, 0.02}, []bool{true, true}},                            // 0.02 <= 0.05/2, then 0.03 <= 0.05
		{[]float64{0.03, 0.03}, []bool{false, false}},
		{[]float64{0.02, 1, 1}, []bool{false, false, false}}, // what cannot be tested yet is in the family
	}
	for _, test := range tests {
		if got := Holm(test.p, 0.05); !slices.Equal(got, test.want) {
			t.Errorf("Holm(%v): %v, want %v", test.p, got, test.want)
		}
	}
}
