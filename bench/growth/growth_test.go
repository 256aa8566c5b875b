//go:build linux

package main

import (
	"context"
	"math"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/popupd/popupd/internal/testbed"
)

// TestGrowth measures everything on a short history, which has to be one that the flusher could have left: the
// queries of docs/operations.md that find what does not add up find nothing.
func TestGrowth(t *testing.T) {
	if err := testbed.Need("mariadbd", "mariadb-server"); err != nil {
		if os.Getenv("POPUPD_REQUIRE_STORES") == "1" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	if wd, err := os.Getwd(); err != nil {
		t.Fatal(err)
	} else if err := os.Chdir("../.."); err != nil { // where the command is run
		t.Fatal(err)
	} else {
		defer func() { _ = os.Chdir(wd) }()
	}
	m := measurement{events: 32_000, rate: 400, phase: time.Second, retain: 95 * 24 * time.Hour, pool: "64M", parts: []string{"reconcile", "disk", "queries", "reset", "flush"}}
	page, err := m.run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`The 3 queries that reconcile find nothing`,
		`\| .event. \| 32000 \| `, `\| .user_popup. \| 2400 \| `, `\| .impression. \| 2160 \| `,
		`\| a user \| [0-9.]+ \| [0-9.]+ \| [0-9]+ \| [0-9]+ \|`,
		`A reset of a user was answered after`,
		`\| before \| [1-9][0-9]* \| .* \| 0 \| 0 \| 0 \| `,
		`\| while events are deleted \| .* \| 0 \| [1-9][0-9]* \| `,
	} {
		if !regexp.MustCompile(want).MatchString(page) {
			t.Errorf("no %s in\n%s", want, page)
		}
	}
}

func TestMistakes(t *testing.T) {
	for want, m := range map[string]measurement{
		"-events 1000: want a multiple of 320": {events: 1000},
		`"more": want`:                         {events: 320, parts: []string{"more"}},
	} {
		if _, err := m.run(context.Background()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, want %s", m.parts, err, want)
		}
	}
}

func TestQuantile(t *testing.T) {
	text := func(counts string) map[string]float64 {
		c := strings.Fields(counts)
		m, err := parseMetrics([]byte("# HELP x\n" + `x_bucket{le="0.1"} ` + c[0] + "\n" + `x_bucket{le="0.5"} ` + c[1] + "\n" + `x_bucket{le="+Inf"} ` + c[2] + "\nx_sum 3\n"))
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	before := text("10 10 10")
	for _, test := range []struct {
		after string
		q     float64
		want  float64
	}{
		{"20 20 20", 0.5, 0.05}, {"20 30 30", 0.5, 0.1}, {"10 30 30", 0.5, 0.3}, {"10 10 20", 0.5, 0.5}, {"20 20 20", 1, 0.1},
	} {
		if got := quantile(before, text(test.after), "x", test.q); math.Abs(got-test.want) > 1e-9 {
			t.Errorf("quantile %v of %s: %v, want %v", test.q, test.after, got, test.want)
		}
	}
	if got := quantile(before, before, "x", 0.5); !math.IsNaN(got) || milliseconds(got) != "" {
		t.Errorf("of nothing: %v", got)
	}
	if _, err := parseMetrics([]byte("x y\n")); err == nil {
		t.Error("a metric that is no number is taken")
	}
}
