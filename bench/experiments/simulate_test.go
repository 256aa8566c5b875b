package main

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/popupd/popupd/internal/experiment"
	"gonum.org/v1/gonum/stat/distuv"
)

// TestLooksCallNoDifference is the proof of bench/results/experiments.md with a tenth of its
// experiments: some 2 % of those without a difference call one, and of z-tests some 26 %.
func TestLooksCallNoDifference(t *testing.T) {
	for i, kind := range withoutDifference {
		if kind.rates[0] != 0.2 && kind.perDay > 200 {
			continue // as good as the others, and as long
		}
		kind.days = days
		courses := kind.simulate(400, uint64(i))
		called := share(courses, func(c *course) bool { return c.called != 0 })
		z := share(courses, func(c *course) bool { return c.zCalled != 0 })
		bad := share(courses, func(c *course) bool { return c.bad != 0 })
		if called > alpha || z < 2*alpha || bad > 0.01 {
			t.Errorf("%s: %v called a difference, want at most %v; %v by z-tests, want more than twice as many; %v called a mismatch, want none",
				kind.name, called, alpha, z, bad)
		}
	}
}

func TestLooksFindLift(t *testing.T) {
	kind := withLift[0]
	kind.days = days
	courses := kind.simulate(100, 1)
	power := share(courses, func(c *course) bool { return c.called != 0 })
	covered := share(courses, func(c *course) bool { return !c.missed })
	wrong := share(courses, func(c *course) bool { return c.wrongSign })
	if power < 0.8 || covered < 0.95 || wrong > 0 {
		t.Errorf("%v found the lift, want 0.8; in %v all intervals had it, want 0.95; %v called it the wrong way, want none", power, covered, wrong)
	}
}

func TestMismatchIsFound(t *testing.T) {
	kind := mismatched
	kind.days = 20
	courses := kind.simulate(100, 1)
	if found := share(courses, func(c *course) bool { return c.warn != 0 }); found < 0.9 {
		t.Errorf("%v found that 20,000 users came 48 to 52, want 0.9", found)
	}
}

// TestZTest holds the rival against the normal distribution of another library.
func TestZTest(t *testing.T) {
	a, b := experiment.Arm{Users: 1000, Converted: 100}, experiment.Arm{Users: 1000, Converted: 130}
	z := 0.03 / math.Sqrt(0.115*0.885*2/1000)
	if got, want := zTest(a, b), 2*distuv.UnitNormal.Survival(z); math.Abs(got-want) > 1e-12 {
		t.Errorf("p %v, want %v", got, want)
	}
}

func TestPage(t *testing.T) {
	s := simulation{same: 2, different: 2, seed: 1}
	page, svg, err := s.run("the command")
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range slices.Concat(withoutDifference, withLift) {
		if !strings.Contains(page, "| "+kind.name+" | ") {
			t.Errorf("the page has no line of %q", kind.name)
		}
	}
	for _, text := range []string{"z-test at each look", "confidence sequence", "the command"} {
		if !strings.Contains(svg, text) {
			t.Errorf("the picture has no %q", text)
		}
	}
}
