package plot

import (
	"errors"
	"fmt"
	"io"
	"math"
)

// Series is a line: X and Y are of the same length, X ascends.
type Series struct {
	Name string
	X, Y []float64
}

// Lines draws series over a plane, with a legend if there are several. It
// returns an error, and writes nothing, if a series is empty or has a value
// that its axis can not show.
func Lines(w io.Writer, c Chart, series []Series) error {
	if len(series) == 0 {
		return errors.New("plot: no series")
	}
	of, err := boundsOf(series)
	if err != nil {
		return err
	}
	if !c.LogY {
		of.loY = min(of.loY, 0)
	}
	const height = 460
	top, bottom := 50.0, height-60.0
	if len(series) > 1 {
		top += 26
	}
	if c.YLabel != "" {
		top += 20
	}
	if c.Note != "" {
		bottom -= 14
	}
	y, err := newAxis(of.loY, of.hiY, bottom, top, c.LogY)
	if err != nil {
		return fmt.Errorf("plot: y: %w", err)
	}
	y = y.widen()
	left := 0.0
	for _, tick := range y.ticks() {
		left = max(left, textWidth(tick.label()))
	}
	left += padding + 10
	x, err := newAxis(of.loX, of.hiX, left, width-padding-12, c.LogX)
	if err != nil {
		return fmt.Errorf("plot: x: %w", err)
	}

	out := open(w, c, height)
	out.axes(c, x, y, top, bottom)
	legend := float64(padding)
	for i, s := range series {
		colour := colours[i%len(colours)]
		out.series(s, x, y, colour)
		if len(series) > 1 {
			out.printf(`<rect x="%.1f" y="48" width="18" height="4" fill="%s"/>`+"\n", legend, colour)
			out.text(legend+24, 54, "start", ink, s.Name)
			legend += 24 + textWidth(s.Name) + 20
		}
	}
	return out.close()
}

// bounds are the least and the greatest values of all series.
type bounds struct{ loX, hiX, loY, hiY float64 }

func boundsOf(all []Series) (bounds, error) {
	b := bounds{math.Inf(1), math.Inf(-1), math.Inf(1), math.Inf(-1)}
	for _, s := range all {
		if len(s.X) == 0 || len(s.X) != len(s.Y) {
			return b, fmt.Errorf("plot: series %q has %d x and %d y", s.Name, len(s.X), len(s.Y))
		}
		for i := range s.X {
			// min and max hand a NaN on, and newAxis refuses it.
			b.loX, b.hiX = min(b.loX, s.X[i]), max(b.hiX, s.X[i])
			b.loY, b.hiY = min(b.loY, s.Y[i]), max(b.hiY, s.Y[i])
		}
	}
	return b, nil
}

// axes draws labels, grid and ticks of a plane between the heights top and bottom.
func (out *svg) axes(c Chart, x, y axis, top, bottom float64) {
	if c.YLabel != "" {
		out.text(padding, top-14, "start", faint, c.YLabel)
	}
	if c.XLabel != "" {
		out.text((x.from+x.to)/2, bottom+42, "middle", faint, c.XLabel)
	}
	for _, tick := range y.ticks() {
		out.line(x.from, y.at(tick.Value), x.to, y.at(tick.Value), grid)
		out.text(x.from-8, y.at(tick.Value)+4, "end", faint, tick.label())
	}
	ticks := c.XTicks
	if ticks == nil {
		ticks = x.ticks()
	}
	for _, tick := range ticks {
		at := x.at(tick.Value)
		if math.IsNaN(at) || at < x.from-0.5 || at > x.to+0.5 {
			continue
		}
		out.line(at, top, at, bottom, grid)
		out.text(at, bottom+20, "middle", faint, tick.label())
	}
	out.line(x.from, bottom, x.to, bottom, faint)
}

// series draws one line.
func (out *svg) series(s Series, x, y axis, colour string) {
	out.printf(`<path fill="none" stroke="%s" stroke-width="2" stroke-linejoin="round" d="`, colour)
	for i := range s.X {
		verb := "L"
		if i == 0 {
			verb = "M"
		}
		out.printf("%s%.1f %.1f", verb, x.at(s.X[i]), y.at(s.Y[i]))
	}
	out.printf(`"/>` + "\n")
	if len(s.X) == 1 { // a line of one point is none
		out.printf(`<circle cx="%.1f" cy="%.1f" r="4" fill="%s"/>`+"\n", x.at(s.X[0]), y.at(s.Y[0]), colour)
	}
}
