// Command experiments simulates experiments whose truth is known, and counts how often what
// popupd says of them is wrong although someone looks every day. Run it from the root of the
// repository.
//
//	go run ./bench/experiments [flags]
//
// The users are drawn here; what is tried are the statistics of internal/experiment. It needs
// no server and no store.
package main

import (
	"flag"
	"fmt"
	"os"
	"strings"

	"github.com/popupd/popupd/bench/results"
	"github.com/popupd/popupd/internal/testbed"
)

func main() {
	var s simulation
	flag.IntVar(&s.same, "aa", 4000, "experiments of each kind without a difference")
	flag.IntVar(&s.different, "ab", 1000, "experiments of each kind with one")
	flag.Uint64Var(&s.seed, "seed", 1, "of all that is drawn")
	out := flag.String("out", "", "directory for experiments.md and experiments.svg")
	flag.Parse()
	page, svg, err := s.run(strings.TrimSpace("go run ./bench/experiments " + strings.Join(os.Args[1:], " ")))
	fmt.Print(page)
	if err == nil && *out != "" {
		if err = results.Write(*out, "experiments.md", page); err == nil {
			err = results.Write(*out, "experiments.svg", svg)
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "experiments:", err)
		os.Exit(1)
	}
}

// simulation is what the command line asks for.
type simulation struct {
	same, different int
	seed            uint64
}

const days = 30

var half = []float64{1, 1}

// The kinds of experiments. Those without a difference are also those in which users are in
// the arms as they should be.
var (
	withoutDifference = []scenario{
		{name: "20 % reach the goal", perDay: 1000, weights: half, rates: []float64{0.2, 0.2}},
		{name: "5 % reach the goal", perDay: 1000, weights: half, rates: []float64{0.05, 0.05}},
		{name: "1 %, 200 users a day", perDay: 200, weights: half, rates: []float64{0.01, 0.01}},
		{name: "5 %, weights 90 and 10", perDay: 1000, weights: []float64{9, 1}, rates: []float64{0.05, 0.05}},
		{
			name: "4 arms, 2 goals", perDay: 1000, weights: []float64{1, 1, 1, 1},
			rates: []float64{0.2, 0.2, 0.2, 0.2}, second: 0.3,
		},
	}
	withLift = []scenario{
		{name: "20 %, 1,000 users a day", perDay: 1000, weights: half, rates: []float64{0.2, 0.22}},
		{name: "20 %, 5,000 users a day", perDay: 5000, weights: half, rates: []float64{0.2, 0.22}},
		{name: "5 %, 1,000 users a day", perDay: 1000, weights: half, rates: []float64{0.05, 0.055}},
		{name: "5 %, 5,000 users a day", perDay: 5000, weights: half, rates: []float64{0.05, 0.055}},
	}
	mismatched = scenario{perDay: 1000, weights: half, drawn: []float64{48, 52}, rates: []float64{0.2, 0.2}}
)

// run returns the page and the picture.
func (s *simulation) run(command string) (page, svg string, err error) {
	var b strings.Builder
	fmt.Fprintf(&b, "# Experiments, simulated\n\n%s\n", testbed.Environment(command))
	fmt.Fprintf(&b, "What [experiments.md](../../docs/experiments.md) promises is tried on experiments whose truth is known. "+
		"Each lasts %d days, and is looked at once a day. The same seed (%d) draws the same users.\n\n", days, s.seed)
	var same [][]course
	for i, kind := range withoutDifference {
		kind.days = days
		same = append(same, kind.simulate(s.same, s.seed+uint64(i)))
	}
	s.writeSame(&b, same)
	s.writeLift(&b)
	s.writeMismatch(&b, same)
	svg, err = picture(fmt.Sprintf("False differences in %d A/A experiments, %s", s.same, withoutDifference[0].name),
		command, days, same[0])
	return b.String(), svg, err
}

func (s *simulation) writeSame(b *strings.Builder, same [][]course) {
	fmt.Fprintf(b, "## Without a difference\n\n%d experiments of each kind. How many have called a difference by some day; 5 %% are allowed in all:\n\n", s.same)
	var t table
	t.head("A/A", "sequence, day 7", "day 14", "day 30", "z-test at each look, day 30", "one z-test, on day 30")
	for i, courses := range same {
		cells := []string{withoutDifference[i].name}
		for _, day := range []int{7, 14, days} {
			cells = append(cells, percent(share(courses, func(c *course) bool { return by(c.called, day) })))
		}
		t.row(append(cells, percent(share(courses, func(c *course) bool { return c.zCalled != 0 })),
			percent(share(courses, func(c *course) bool { return c.zAtEnd })))...)
	}
	b.WriteString(t.String())
	b.WriteString("\nOf 4 arms with 2 goals there are 6 comparisons: the sequence is corrected for that (Holm), the z-tests are not.\n\n" +
		"![false differences by looks](experiments.svg)\n\n")
}

func (s *simulation) writeLift(b *strings.Builder) {
	fmt.Fprintf(b, "## With a lift of 10 %%\n\n%d experiments of each kind. Power: how many have called a difference by some day. Coverage: in how many "+
		"the 95 %% interval of the last day has the true lift in it, and in how many those of all days do. The z-test is one, planned for day 30.\n\n", s.different)
	var t table
	t.head("A/B", "power, day 7", "day 14", "day 30", "half by day", "wrong direction", "coverage, day 30", "all days", "z-test, day 30")
	for i, kind := range withLift {
		kind.days = days
		courses := kind.simulate(s.different, s.seed+100+uint64(i))
		cells := []string{kind.name}
		for _, day := range []int{7, 14, days} {
			cells = append(cells, percent(share(courses, func(c *course) bool { return by(c.called, day) })))
		}
		t.row(append(cells,
			medianDay(courses, func(c *course) int { return c.called }),
			percent(share(courses, func(c *course) bool { return c.wrongSign })),
			percent(share(courses, func(c *course) bool { return !c.missedLast })),
			percent(share(courses, func(c *course) bool { return !c.missed })),
			percent(share(courses, func(c *course) bool { return c.zAtEnd })))...)
	}
	b.WriteString(t.String() + "\n")
}

func (s *simulation) writeMismatch(b *strings.Builder, same [][]course) {
	kind := mismatched
	kind.days = 20
	courses := kind.simulate(s.different, s.seed+200)
	fmt.Fprintf(b, "## Users in other shares than configured\n\n%d experiments with weights 1 and 1 whose users come 48 to 52, 1,000 a day; "+
		"and those without a difference, of %d each, whose users come as configured.\n\n", s.different, s.same)
	var t table
	t.head("users", "warn or bad", "bad")
	for _, day := range []int{5, 10, 20} {
		t.row(fmt.Sprintf("48 to 52, %d,000", day*kind.perDay/1000),
			percent(share(courses, func(c *course) bool { return by(c.warn, day) })),
			percent(share(courses, func(c *course) bool { return by(c.bad, day) })))
	}
	for i, courses := range same {
		t.row("as configured: "+withoutDifference[i].name,
			fmt.Sprintf("%.2f %%", 100*share(courses, func(c *course) bool { return c.warn != 0 })),
			fmt.Sprintf("%.2f %%", 100*share(courses, func(c *course) bool { return c.bad != 0 })))
	}
	b.WriteString(t.String())
	b.WriteString("\nAllowed are 1 % and 0.1 % of those that come as configured. The test of p < 0.001 asks for more users than one of p < 0.05 would, " +
		"since it is looked at without end.\n")
}
