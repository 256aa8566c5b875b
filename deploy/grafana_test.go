package deploy

import (
	"encoding/json"
	"math"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// dashboard is what is looked at of grafana/popupd.json.
type dashboard struct {
	UID, Title string
	Templating struct {
		List []struct{ Name, Type string }
	}
	Panels []dashboardPanel
}

type dashboardPanel struct {
	ID                       int
	Type, Title, Description string
	Datasource               struct{ Type, UID string }
	GridPos                  struct{ X, Y, W, H int }
	FieldConfig              struct {
		Defaults struct {
			Unit       string
			Thresholds struct{ Steps []dashboardStep }
		}
	}
	Links   []struct{ Title, URL string }
	Targets []struct{ RefID, Expr, LegendFormat string }
}

type dashboardStep struct {
	Color string
	Value *float64 // nil: from below
}

func readDashboard(t *testing.T) (d dashboard) {
	t.Helper()
	text, err := os.ReadFile("grafana/popupd.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &d); err != nil {
		t.Fatal(err)
	}
	if len(d.Panels) < 40 {
		t.Fatalf("%d panels: are they read at all?", len(d.Panels))
	}
	return d
}

// units are those of Grafana that panels use.
var units = []string{"none", "short", "percentunit", "s", "bytes", "reqps", "cps", "bool_yes_no"}

// TestDashboard: each panel is whole and has a place of its own.
func TestDashboard(t *testing.T) {
	d := readDashboard(t)
	var variables []string
	for _, v := range d.Templating.List {
		variables = append(variables, v.Name+" "+v.Type)
	}
	if !slices.Equal(variables, []string{"datasource datasource", "instance query"}) {
		t.Errorf("variables %q", variables)
	}
	ids := map[int]bool{}
	for i, p := range d.Panels {
		if ids[p.ID] || p.ID == 0 {
			t.Errorf("panel %q has the id %d, which is not its own", p.Title, p.ID)
		}
		ids[p.ID] = true
		at := p.GridPos
		if p.Title == "" || at.W < 1 || at.H < 1 || at.X < 0 || at.Y < 0 || at.X+at.W > 24 {
			t.Errorf("panel %d, %q, is at %+v", p.ID, p.Title, at)
		}
		for _, q := range d.Panels[:i] {
			if b := q.GridPos; at.X < b.X+b.W && b.X < at.X+at.W && at.Y < b.Y+b.H && b.Y < at.Y+at.H {
				t.Errorf("panels %q and %q overlap", p.Title, q.Title)
			}
		}
		if p.Type != "row" {
			p.check(t)
		}
	}
}

// check holds what shows something.
func (p dashboardPanel) check(t *testing.T) {
	t.Helper()
	if p.Description == "" || p.Datasource.Type != "prometheus" || p.Datasource.UID != "${datasource}" {
		t.Errorf("panel %q: description %q, data source %+v", p.Title, p.Description, p.Datasource)
	}
	if unit := p.FieldConfig.Defaults.Unit; !slices.Contains(units, unit) {
		t.Errorf("panel %q has the unit %q", p.Title, unit)
	}
	if len(p.Targets) == 0 {
		t.Errorf("panel %q asks for nothing", p.Title)
	}
	refs := map[string]bool{}
	for _, target := range p.Targets {
		if refs[target.RefID] || target.RefID == "" || target.LegendFormat == "" || target.LegendFormat == "__auto" {
			t.Errorf("panel %q: query %q has the legend %q", p.Title, target.RefID, target.LegendFormat)
		}
		refs[target.RefID] = true
		if strings.Count(target.Expr, "{") != strings.Count(target.Expr, `{job="popupd", instance=~"$instance"`) {
			t.Errorf("panel %q: not every series of %s is of the chosen servers", p.Title, target.Expr)
		}
	}
}

// limit is the number that an alert compares with, which may be a product.
var limit = regexp.MustCompile(`(>|==) ([\d.]+)(?: \* (0\.\d+))?`)

// limitOf returns what a panel colours for an alert: the number, and whether it is bad
// to be there and above, or below. ok is false for alerts that need no line: any at all.
func limitOf(t *testing.T, a alert) (value float64, badAbove, ok bool) {
	t.Helper()
	match := limit.FindStringSubmatch(a.Expr)
	if match == nil {
		return 0, false, false
	}
	value, err := strconv.ParseFloat(match[2], 64)
	if err != nil {
		t.Fatal(err)
	}
	if match[3] != "" {
		factor, _ := strconv.ParseFloat(match[3], 64)
		value *= factor
	}
	if match[1] == "==" {
		return 1, value == 1, true // of what is 0 or 1
	}
	return value, true, value > 0
}

// TestDashboardThresholds: what a panel colours is what its alerts say. Links of panels
// lead to the runbooks of alerts that there are.
func TestDashboardThresholds(t *testing.T) {
	byName := map[string]alert{}
	for _, a := range alerts(t) {
		byName[a.Alert] = a
	}
	coloured, linked := 0, 0
	for _, p := range readDashboard(t).Panels {
		steps := p.FieldConfig.Defaults.Thresholds.Steps
		same := len(steps) < 2
		for _, link := range p.Links {
			a, ok := byName[link.Title]
			if !ok || link.URL != a.Annotations["runbook_url"] {
				t.Errorf("panel %q links to %q, %s, which is no alert", p.Title, link.Title, link.URL)
				continue
			}
			linked++
			if len(steps) != 2 || steps[1].Value == nil {
				continue
			}
			value, badAbove, ok := limitOf(t, a)
			if ok && math.Abs(value-*steps[1].Value) < 1e-9 && badAbove == (steps[1].Color == "red") {
				same = true
			}
		}
		if !same {
			t.Errorf("panel %q is coloured by %v, which no alert of its links says", p.Title, *steps[1].Value)
		}
		if len(steps) == 2 {
			coloured++
		}
	}
	if coloured < 12 || linked < 30 {
		t.Errorf("%d panels are coloured, %d alerts linked: are they read at all?", coloured, linked)
	}
}

// TestDashboardShowsEveryMetric: each metric of docs/operations.md is in a panel.
func TestDashboardShowsEveryMetric(t *testing.T) {
	page, err := os.ReadFile("../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	var shown strings.Builder
	for _, p := range readDashboard(t).Panels {
		for _, target := range p.Targets {
			shown.WriteString(target.Expr + "\n")
		}
	}
	documented := regexp.MustCompile("(?m)^\\| `(popupd_\\w+)` \\| (\\w+) \\|").FindAllStringSubmatch(string(page), -1)
	if len(documented) < 50 {
		t.Fatalf("%d metrics: are they read at all?", len(documented))
	}
	for _, match := range documented {
		metric := match[1]
		if match[2] == "histogram" {
			metric += "_bucket"
		}
		if !strings.Contains(shown.String(), metric+"{") {
			t.Errorf("no panel shows %s", metric)
		}
	}
}
