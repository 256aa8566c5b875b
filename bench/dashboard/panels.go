//go:build linux

package main

import (
	"encoding/json"
	"fmt"
	"html"
	"io"
	"math"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/popupd/popupd/bench/plot"
)

// panel is a panel of a Grafana dashboard.
type panel struct {
	Type, Title string
	GridPos     struct{ X, Y, W, H int }
	FieldConfig struct{ Defaults struct{ Unit string } }
	Targets     []struct{ Expr, LegendFormat string }
}

func readPanels(path string) ([]panel, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var dashboard struct{ Panels []panel }
	return dashboard.Panels, json.Unmarshal(text, &dashboard)
}

// query asks a Prometheus for what was between two times.
type query struct {
	addr     string
	from, to time.Time
}

// step is between two values of a series.
const step = 2 * time.Second

// variables are those that Grafana replaces. A rate is of four scrapes at least there.
var variables = strings.NewReplacer("$instance", ".*", "$__rate_interval", "10s")

// label is a placeholder in the legend of a query.
var label = regexp.MustCompile(`\{\{(\w+)\}\}`)

// series evaluates an expression, and names what it gives by a legend.
func (q query) series(expression, legend string) ([]plot.Series, error) {
	values := url.Values{
		"query": {variables.Replace(expression)}, "step": {fmt.Sprint(step.Seconds())},
		"start": {fmt.Sprint(q.from.Unix())}, "end": {fmt.Sprint(q.to.Unix())},
	}
	resp, err := http.Get("http://" + q.addr + "/api/v1/query_range?" + values.Encode())
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	var answer struct {
		Error string
		Data  struct {
			Result []struct {
				Metric map[string]string
				Values [][2]any
			}
		}
	}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		return nil, err
	}
	if answer.Error != "" {
		return nil, fmt.Errorf("%s: %s", expression, answer.Error)
	}
	var all []plot.Series
	for _, result := range answer.Data.Result {
		s := plot.Series{Name: label.ReplaceAllStringFunc(legend, func(placeholder string) string {
			return result.Metric[label.FindStringSubmatch(placeholder)[1]]
		})}
		for _, point := range result.Values {
			at, _ := point[0].(float64)
			text, _ := point[1].(string)
			if y, err := strconv.ParseFloat(text, 64); err == nil && !math.IsNaN(y) && !math.IsInf(y, 0) {
				s.X, s.Y = append(s.X, at-float64(q.from.Unix())), append(s.Y, y)
			}
		}
		if len(s.X) > 0 {
			all = append(all, s)
		}
	}
	slices.SortFunc(all, func(a, b plot.Series) int { return strings.Compare(a.Name, b.Name) })
	return all, nil
}

// scale returns by what values of a unit are multiplied to be read, and as what.
func scale(unit string, all []plot.Series) (by float64, as string) {
	top := 0.0
	for _, s := range all {
		top = max(top, slices.Max(s.Y))
	}
	switch {
	case unit == "percentunit":
		return 100, "%"
	case unit == "s" && top < 1e-3:
		return 1e6, "us"
	case unit == "s" && top < 1:
		return 1e3, "ms"
	case unit == "bytes":
		return 1.0 / (1 << 20), "MiB"
	case unit == "reqps" || unit == "cps":
		return 1, "per second"
	case unit == "s":
		return 1, "s"
	}
	return 1, ""
}

// draw draws a panel. It reports false if a query gives nothing.
func (p panel) draw(w io.Writer, q query) (whole bool, err error) {
	var all []plot.Series
	whole = true
	for _, target := range p.Targets {
		some, err := q.series(target.Expr, target.LegendFormat)
		if err != nil {
			return false, err
		}
		whole = whole && len(some) > 0
		all = append(all, some...)
	}
	if len(all) == 0 {
		_, err := fmt.Fprintf(w, "<p>%s: nothing</p>", html.EscapeString(p.Title))
		return false, err
	}
	by, unit := scale(p.FieldConfig.Defaults.Unit, all)
	for _, s := range all {
		for i := range s.Y {
			s.Y[i] *= by
		}
	}
	if p.Type == "stat" {
		last := all[0].Y[len(all[0].Y)-1]
		_, err := fmt.Fprintf(w, "<p>%s<br><b>%.4g %s</b></p>", html.EscapeString(p.Title), last, unit)
		return whole, err
	}
	return whole, plot.Lines(w, plot.Chart{Title: p.Title, YLabel: unit, XLabel: "s"}, all)
}

const pageHead = `<!doctype html><meta charset="utf-8"><title>popupd</title><style>
body{margin:8px;font:15px system-ui,sans-serif;background:#eceff1;display:grid;grid-template-columns:repeat(24,1fr);gap:8px}
div{background:#fff;border-radius:4px;overflow:hidden}h2{margin:8px 0 0;font-size:17px}svg{width:100%;height:auto;display:block}
p{margin:12px}b{font-size:26px}</style>
`

// writePage draws all panels where the dashboard has them.
func writePage(path string, panels []panel, q query) (err error) {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() {
		if errClose := f.Close(); err == nil {
			err = errClose
		}
	}()
	fmt.Fprint(f, pageHead)
	empty := 0
	for _, p := range panels {
		place := fmt.Sprintf("grid-column:%d/span %d;grid-row:%d/span %d", p.GridPos.X+1, p.GridPos.W, p.GridPos.Y+1, p.GridPos.H)
		if p.Type == "row" {
			fmt.Fprintf(f, "<h2 style=%q>%s</h2>\n", place, html.EscapeString(p.Title))
			continue
		}
		fmt.Fprintf(f, "<div style=%q>", place)
		whole, err := p.draw(f, q)
		if err != nil {
			return fmt.Errorf("%s: %w", p.Title, err)
		}
		if !whole {
			empty++
			fmt.Println("nothing to see for a query of:", p.Title)
		}
		fmt.Fprint(f, "</div>\n")
	}
	fmt.Printf("%s: %d panels, %d with a query that gives nothing\n", path, len(panels), empty)
	return nil
}
