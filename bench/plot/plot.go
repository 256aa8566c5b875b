// Package plot draws the charts of bench/results as SVG: lines over a plane and
// horizontal bars. It has no dependencies, and the same input gives the same
// bytes, so that a chart in version control changes only when its figures do.
//
// A chart is 800 px wide, brings its own background, readable in light and dark
// pages, and keeps its text as text.
package plot

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
)

// Chart is what charts of either kind have in common. A logarithmic axis takes
// only values above 0.
type Chart struct {
	Title          string
	Note           string // small print below the chart: machine, command
	XLabel, YLabel string
	LogX, LogY     bool
	XTicks         []Tick // nil: round values
}

// Tick is a mark on an axis.
type Tick struct {
	Value float64
	Label string // "": the value
}

const (
	width   = 800
	padding = 20
	font    = 13 // px, of all text but the title
	ink     = "#1f2933"
	faint   = "#616e7c"
	grid    = "#e4e7eb"
	ground  = "#ffffff"
)

// colours tell series apart also for those who do not see all of them
// (Okabe and Ito's palette, less its yellow, which white swallows).
var colours = []string{"#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000"}

// svg writes elements; the first error comes out of close.
type svg struct {
	w *bufio.Writer
}

func open(w io.Writer, c Chart, height int) *svg {
	s := &svg{w: bufio.NewWriter(w)}
	s.printf(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%[1]d" height="%[2]d" role="img" aria-label="%s" `+
		`font-family="system-ui, -apple-system, 'Segoe UI', Helvetica, Arial, sans-serif" font-size="%d" fill="%s">`+"\n",
		width, height, escape(c.Title), font, ink)
	s.printf(`<rect width="%d" height="%d" rx="6" fill="%s"/>`+"\n", width, height, ground)
	if c.Title != "" {
		s.printf(`<text x="%d" y="32" font-size="16" font-weight="600">%s</text>`+"\n", padding, escape(c.Title))
	}
	if c.Note != "" {
		s.printf(`<text x="%d" y="%d" font-size="11" fill="%s">%s</text>`+"\n", padding, height-12, faint, escape(c.Note))
	}
	return s
}

func (s *svg) close() error {
	s.printf("</svg>\n")
	return s.w.Flush()
}

func (s *svg) printf(format string, args ...any) { fmt.Fprintf(s.w, format, args...) }

// text writes a line of text; anchor is start, middle or end.
func (s *svg) text(x, y float64, anchor, fill, text string) {
	s.printf(`<text x="%.1f" y="%.1f" text-anchor="%s" fill="%s">%s</text>`+"\n", x, y, anchor, fill, escape(text))
}

func (s *svg) line(x1, y1, x2, y2 float64, stroke string) {
	s.printf(`<path d="M%.1f %.1fL%.1f %.1f" stroke="%s"/>`+"\n", x1, y1, x2, y2, stroke)
}

var escapes = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;")

func escape(text string) string { return escapes.Replace(text) }

// textWidth is about what a text takes, in px: there is nobody to ask.
func textWidth(text string) float64 { return 0.56 * font * float64(len([]rune(text))) }

// axis maps values to pixels.
type axis struct {
	lo, hi   float64 // values at both ends
	from, to float64 // pixels
	log      bool
}

// newAxis covers the values from lo to hi.
func newAxis(lo, hi, from, to float64, log bool) (axis, error) {
	if math.IsNaN(lo) || math.IsNaN(hi) || math.IsInf(lo, 0) || math.IsInf(hi, 0) {
		return axis{}, errors.New("a value is not a number")
	}
	if log && lo <= 0 {
		return axis{}, fmt.Errorf("%v on a logarithmic axis", lo)
	}
	if lo == hi && log {
		lo, hi = lo/2, hi*2
	} else if lo == hi {
		hi = lo + 1
	}
	return axis{lo, hi, from, to, log}, nil
}

func (a axis) at(v float64) float64 {
	if a.log {
		return a.from + (a.to-a.from)*math.Log(v/a.lo)/math.Log(a.hi/a.lo)
	}
	return a.from + (a.to-a.from)*(v-a.lo)/(a.hi-a.lo)
}

// widen moves both ends out to the next round values.
func (a axis) widen() axis {
	if !a.log {
		step := a.step()
		a.lo, a.hi = math.Floor(a.lo/step+1e-9)*step, math.Ceil(a.hi/step-1e-9)*step
		return a
	}
	a.lo, a.hi = floorLog(a.lo), ceilLog(a.hi)
	return a
}

// floorLog returns the greatest round value (1, 2 or 5 times a power of ten)
// that is at most v, ceilLog the least that is at least v.
func floorLog(v float64) float64 {
	power := math.Pow10(int(math.Floor(math.Log10(v))))
	for _, m := range []float64{5, 2} {
		if m*power <= v*(1+1e-9) {
			return m * power
		}
	}
	return power
}

func ceilLog(v float64) float64 {
	power := math.Pow10(int(math.Floor(math.Log10(v))))
	for _, m := range []float64{1, 2, 5} {
		if m*power >= v*(1-1e-9) {
			return m * power
		}
	}
	return 10 * power
}

// step is the distance of about five round ticks on a linear axis.
func (a axis) step() float64 {
	raw := (a.hi - a.lo) / 5
	power := math.Pow10(int(math.Floor(math.Log10(raw))))
	for _, m := range []float64{1, 2, 2.5, 5} {
		if m*power >= raw*(1-1e-9) {
			return m * power
		}
	}
	return 10 * power
}

// ticks are round values within the axis: on a logarithmic one powers of ten,
// and 2 and 5 times those if there are few.
func (a axis) ticks() []Tick {
	var all []Tick
	if !a.log {
		step := a.step()
		for n := math.Ceil(a.lo/step - 1e-9); n*step <= a.hi+step*1e-9; n++ {
			all = append(all, Tick{Value: n * step})
		}
		return all
	}
	multiples := []float64{1}
	if math.Log10(a.hi/a.lo) < 4 {
		multiples = []float64{1, 2, 5}
	}
	for e := int(math.Floor(math.Log10(a.lo))); ; e++ {
		for _, m := range multiples {
			v := m * math.Pow10(e)
			if v > a.hi*(1+1e-9) {
				return all
			}
			if v >= a.lo*(1-1e-9) {
				all = append(all, Tick{Value: v})
			}
		}
	}
}

func (t Tick) label() string {
	if t.Label != "" {
		return t.Label
	}
	return number(t.Value)
}

// number writes up to four significant digits, with commas between thousands.
func number(v float64) string {
	if v == 0 {
		return "0" // not -0
	}
	digits := 0
	if magnitude := math.Abs(v); magnitude > 0 && magnitude < 1000 {
		digits = max(0, 3-int(math.Floor(math.Log10(magnitude))))
	}
	text := strconv.FormatFloat(v, 'f', digits, 64)
	if strings.Contains(text, ".") {
		return strings.TrimRight(strings.TrimRight(text, "0"), ".")
	}
	for i := len(text) - 3; i > 0 && text[i-1] != '-'; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}
