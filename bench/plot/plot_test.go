package plot

import (
	"encoding/xml"
	"errors"
	"io"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// texts returns what a chart says, in order; it fails on what is no XML.
func texts(t *testing.T, chart string) []string {
	t.Helper()
	var all []string
	dec := xml.NewDecoder(strings.NewReader(chart))
	inside := false
	for {
		token, err := dec.Token()
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatalf("chart is no XML: %v\n%s", err, chart)
		}
		switch token := token.(type) {
		case xml.StartElement:
			inside = token.Name.Local == "text"
		case xml.EndElement:
			inside = false
		case xml.CharData:
			if inside {
				all = append(all, string(token))
			}
		}
	}
}

func TestLines(t *testing.T) {
	var b strings.Builder
	err := Lines(&b, Chart{Title: "a < b & c", XLabel: "percentile", YLabel: "ms", LogX: true, LogY: true, Note: "one machine",
		XTicks: []Tick{{1, "0"}, {10, "90%"}, {100, "99%"}, {1e9, "beyond"}}},
		[]Series{{"popupd", []float64{1, 10, 100}, []float64{0.11, 1, 70}}, {"bare", []float64{1, 100}, []float64{0.2, 12}}})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"a < b & c", "one machine", "ms", "percentile",
		"0.1", "0.2", "0.5", "1", "2", "5", "10", "20", "50", "100", "0", "90%", "99%", "popupd", "bare"}
	if diff := cmp.Diff(want, texts(t, b.String())); diff != "" {
		t.Errorf("texts (-want +got):\n%s", diff)
	}
	// Both lines begin at the left end; 0.2 lies above 0.11, which is lower on the page.
	first, second := points(t, b.String(), 0), points(t, b.String(), 1)
	if first[0][0] != second[0][0] || first[0][1] <= second[0][1] {
		t.Errorf("lines begin at %v and %v", first[0], second[0])
	}
	// On logarithmic axes 10 lies halfway between 1 and 100.
	if got, want := first[1][0], (first[0][0]+first[2][0])/2; math.Abs(got-want) > 0.11 {
		t.Errorf("x of 10 = %v, want %v", got, want)
	}
}

func TestLinesKeepsWithinItsPage(t *testing.T) {
	for _, c := range []Chart{{}, {LogX: true, LogY: true}, {LogY: true, YLabel: "y", Note: "n", Title: "t"}} {
		var b strings.Builder
		if err := Lines(&b, c, []Series{{"a", []float64{3, 17, 123456}, []float64{0.0003, 88, 7}}, {"b", []float64{4}, []float64{5}}}); err != nil {
			t.Fatal(err)
		}
		texts(t, b.String())
		for n := range 2 {
			for _, p := range points(t, b.String(), n) {
				if p[0] < 0 || p[0] > 800 || p[1] < 0 || p[1] > 460 {
					t.Errorf("%+v: point at %v", c, p)
				}
			}
		}
	}
}

// points returns the n-th drawn line's points, in pixels.
func points(t *testing.T, chart string, n int) [][2]float64 {
	t.Helper()
	const start = `stroke-linejoin="round" d="M`
	parts := strings.Split(chart, start)
	if len(parts) < n+2 {
		t.Fatalf("no line %d in\n%s", n, chart)
	}
	d, _, _ := strings.Cut(parts[n+1], `"`)
	var all [][2]float64
	for _, pair := range strings.Split(d, "L") {
		x, y, _ := strings.Cut(pair, " ")
		all = append(all, [2]float64{parse(t, x), parse(t, y)})
	}
	return all
}

func TestBars(t *testing.T) {
	var b strings.Builder
	err := Bars(&b, Chart{Title: "ladder", XLabel: "requests/s"}, []Bar{{"every request in MySQL", 2500, "151 connections"}, {"popupd", 50000, ""}})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"ladder", "0", "10,000", "20,000", "30,000", "40,000", "50,000", "requests/s",
		"every request in MySQL", "2,500  151 connections", "popupd", "50,000"}
	if diff := cmp.Diff(want, texts(t, b.String())); diff != "" {
		t.Errorf("texts (-want +got):\n%s", diff)
	}
	widths := strings.Split(b.String(), `width="`)
	first, _, _ := strings.Cut(widths[3], `"`)
	second, _, _ := strings.Cut(widths[4], `"`)
	if got := parse(t, second) / parse(t, first); math.Abs(got-20) > 0.2 {
		t.Errorf("the bar of 50,000 is %v times that of 2,500, want 20", got)
	}
	b.Reset()
	if err := Bars(&b, Chart{LogX: true}, []Bar{{"a", 3, ""}, {"b", 30000, ""}}); err != nil {
		t.Fatal(err)
	}
	if got, want := strings.Join(texts(t, b.String()), " "), "1 10 100 1,000 10,000 a 3 b 30,000"; got != want {
		t.Errorf("texts = %q, want %q", got, want)
	}
}

func TestRefuses(t *testing.T) {
	for name, err := range map[string]error{
		"no series":   Lines(io.Discard, Chart{}, nil),
		"no points":   Lines(io.Discard, Chart{}, []Series{{"a", nil, nil}}),
		"lengths":     Lines(io.Discard, Chart{}, []Series{{"a", []float64{1, 2}, []float64{1}}}),
		"0 on log":    Lines(io.Discard, Chart{LogY: true}, []Series{{"a", []float64{1, 2}, []float64{0, 1}}}),
		"NaN":         Lines(io.Discard, Chart{}, []Series{{"a", []float64{1, 2}, []float64{1, math.NaN()}}}),
		"no bars":     Bars(io.Discard, Chart{}, nil),
		"negative":    Bars(io.Discard, Chart{}, []Bar{{"a", -1, ""}}),
		"0 on log x":  Bars(io.Discard, Chart{LogX: true}, []Bar{{"a", 0, ""}}),
		"infinite":    Bars(io.Discard, Chart{}, []Bar{{"a", math.Inf(1), ""}}),
		"NaN at last": Bars(io.Discard, Chart{}, []Bar{{"a", 1, ""}, {"b", math.NaN(), ""}}),
	} {
		if err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if err := Bars(io.Discard, Chart{}, []Bar{{"nothing", 0, ""}}); err != nil {
		t.Errorf("a bar of 0: %v", err)
	}
	if err := Lines(io.Discard, Chart{LogX: true, LogY: true}, []Series{{"flat", []float64{1, 2}, []float64{3, 3}}}); err != nil {
		t.Errorf("a flat line: %v", err)
	}
}

func TestNumber(t *testing.T) {
	for v, want := range map[float64]string{0: "0", 0.1: "0.1", 0.00025: "0.00025", 12.5: "12.5", 999: "999", 1000: "1,000",
		50000: "50,000", 1234567: "1,234,567", 1.23456: "1.235", 0.1 + 0.2: "0.3", -1500: "-1,500", -150: "-150"} {
		if got := number(v); got != want {
			t.Errorf("number(%v) = %q, want %q", v, got, want)
		}
	}
}

func parse(t *testing.T, text string) float64 {
	t.Helper()
	var v float64
	if err := xml.Unmarshal([]byte("<v>"+text+"</v>"), &v); err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	return v
}
