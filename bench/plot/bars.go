package plot

import (
	"errors"
	"fmt"
	"io"
)

// Bar is one row. Its value is written behind it, and then the note.
type Bar struct {
	Label string
	Value float64
	Note  string
}

// Bars draws horizontal bars, the first on top. They begin at 0, or with LogX
// at a round value below the least of them. A negative value, or 0 with LogX,
// is an error, and nothing is written.
func Bars(w io.Writer, c Chart, bars []Bar) error {
	if len(bars) == 0 {
		return errors.New("plot: no bars")
	}
	lo, hi := bars[0].Value, bars[0].Value
	labels, notes := 0.0, 0.0
	for _, b := range bars {
		if b.Value < 0 {
			return fmt.Errorf("plot: bar %q is %v", b.Label, b.Value)
		}
		lo, hi = min(lo, b.Value), max(hi, b.Value)
		labels, notes = max(labels, textWidth(b.Label)), max(notes, textWidth(b.behind()))
	}
	if !c.LogX {
		lo = 0
	}
	left := padding + labels + 12
	right := max(left+100, width-padding-notes-12)
	const row = 34
	top := 52.0
	bottom := top + float64(row*len(bars))
	height := int(bottom) + 34
	if c.XLabel != "" {
		height += 22
	}
	if c.Note != "" {
		height += 14
	}
	x, err := newAxis(lo, hi, left, right, c.LogX)
	if err != nil {
		return fmt.Errorf("plot: x: %w", err)
	}
	if c.LogX {
		// The least bar must show too: it begins a third of its value lower.
		x.lo = floorLog(lo / 3)
	}

	out := open(w, c, height)
	ticks := c.XTicks
	if ticks == nil {
		ticks = x.ticks()
	}
	for _, tick := range ticks {
		at := x.at(tick.Value)
		if at < left-0.5 || at > right+0.5 {
			continue
		}
		out.line(at, top, at, bottom, grid)
		out.text(at, bottom+18, "middle", faint, tick.label())
	}
	if c.XLabel != "" {
		out.text((left+right)/2, bottom+40, "middle", faint, c.XLabel)
	}
	for i, b := range bars {
		y := top + float64(row*i)
		length := max(1, x.at(b.Value)-left)
		out.text(left-10, y+row/2+5, "end", ink, b.Label)
		out.printf(`<rect x="%.1f" y="%.1f" width="%.1f" height="%d" rx="2" fill="%s"/>`+"\n", left, y+6, length, row-12, colours[0])
		out.text(left+length+8, y+row/2+5, "start", ink, b.behind())
	}
	out.line(left, top, left, bottom, faint)
	return out.close()
}

func (b Bar) behind() string {
	if b.Note == "" {
		return number(b.Value)
	}
	return number(b.Value) + "  " + b.Note
}
