package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/popupd/popupd/bench/plot"
)

// share returns the share of the courses for which f holds.
func share(courses []course, f func(*course) bool) float64 {
	n := 0
	for i := range courses {
		if f(&courses[i]) {
			n++
		}
	}
	return float64(n) / float64(len(courses))
}

// by reports whether a day came, and not after another one.
func by(day, last int) bool { return day != 0 && day <= last }

func percent(x float64) string { return fmt.Sprintf("%.1f %%", 100*x) }

// medianDay returns the day by which half of all have come, "later" if they have not.
func medianDay(courses []course, day func(*course) int) string {
	var days []int
	for i := range courses {
		if d := day(&courses[i]); d != 0 {
			days = append(days, d)
		}
	}
	slices.Sort(days)
	if half := (len(courses) + 1) / 2; half <= len(days) {
		return fmt.Sprint(days[half-1])
	}
	return "later"
}

// table writes the rows of a table.
type table struct {
	strings.Builder
	columns int
}

func (t *table) head(columns ...string) {
	t.columns = len(columns)
	t.row(columns...)
	t.WriteString("|---|" + strings.Repeat("---:|", t.columns-1) + "\n")
}

func (t *table) row(cells ...string) {
	t.WriteString("| " + strings.Join(cells, " | ") + " |\n")
}

// picture draws the share of experiments in which a difference has been called by a day.
func picture(title, note string, days int, courses []course) (string, error) {
	lines := []plot.Series{{Name: "z-test at each look"}, {Name: "confidence sequence"}, {Name: "allowed: 5 %"}}
	for day := 1; day <= days; day++ {
		for i, y := range []float64{
			share(courses, func(c *course) bool { return by(c.zCalled, day) }),
			share(courses, func(c *course) bool { return by(c.called, day) }),
			alpha,
		} {
			lines[i].X, lines[i].Y = append(lines[i].X, float64(day)), append(lines[i].Y, 100*y)
		}
	}
	var svg strings.Builder
	err := plot.Lines(&svg, plot.Chart{
		Title: title, Note: note, XLabel: "looks, one a day",
		YLabel: "experiments without a difference in which one has been called, %",
	}, lines)
	return svg.String(), err
}
