//go:build linux

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// made returns a result with some requests in each second.
func made(r row, requests ...int) result {
	got := result{row: r, ports: 28232}
	for _, n := range requests {
		got.Seconds = append(got.Seconds, second{Requests: n, CPU: time.Millisecond})
	}
	return got
}

func TestSustained(t *testing.T) {
	long := make([]int, 68)
	for n := range long {
		long[n] = 10
	}
	long[67] = 10000 // after the minute
	few := made(row{Closes: clientFirst}, 10000, 4000, 400, 400, 400)
	for _, tc := range []struct {
		name string
		got  result
		want float64
	}{
		{"steady", made(row{Closes: serverFirst}, 1000, 1000, 1000, 1000), 1000},
		{"a minute and more", made(row{Closes: clientFirst}, long...), 10},
		{"no more than there are ports", few, 28232.0 / 60},
		{"ports given back", func() result { r := few; r.Counters.Reused = 5; return r }(), (10000 + 4000 + 57*400 + 400) / 60.0},
		{"ran out", made(row{Closes: clientFirst}, 10000, 2000, 0, 0, 0), 200},
	} {
		if got := tc.got.sustained(); got-tc.want > 0.001 || tc.want-got > 0.001 {
			t.Errorf("%s: %.2f, want %.2f", tc.name, got, tc.want)
		}
	}
}

func TestRates(t *testing.T) {
	r := made(row{}, 100, 200, 300, 400, 500, 600, 700, 800, 900, 1000, 5000, 6000)
	if got := r.first(); got != (rate{100, 10}) {
		t.Errorf("first %v", got)
	}
	if got := r.later(); got.PerSecond != 900 {
		t.Errorf("later %v", got)
	}
	if got := r.last(); got.PerSecond != 4000 {
		t.Errorf("last %v", got)
	}
	if got := made(row{}, 7).later(); got.PerSecond != 7 {
		t.Errorf("later of one second %v", got)
	}
	if got := made(row{}, 0, 0, 0).last(); got != (rate{}) {
		t.Errorf("last of nothing %v", got)
	}
}

func TestReport(t *testing.T) {
	var all []result
	for _, r := range rows("") {
		got := made(r, 5000, 5000, 5000, 5000, 5000, 5000)
		if r.Doctor != "" {
			got.applied, got.skipped = []string{"net.a=1"}, []string{"net.b=2"}
		}
		all = append(all, got)
	}
	all[0].Errors = map[string]int{"EADDRNOTAVAIL": 1234, "timeout": 1}
	all[3].failure = "refused"
	var page, chart strings.Builder
	report(&page, "go run ./bench/timewait", all)
	for _, want := range []string{
		"| client | kernel defaults | 5,000 | 5,000 | 471 |  |", "1,234 EADDRNOTAVAIL, 1 timeout | ",
		"| client | server: tcp_tw_reuse=1 | not run: refused | |", "`net.a=1`", "`net.b=2`", "nothing set: 5,000 requests/s, 10.6 times the defaults",
	} {
		if !strings.Contains(page.String(), want) {
			t.Errorf("the report has no %q:\n%s", want, &page)
		}
	}
	columns := 0
	for line := range strings.Lines(page.String()) {
		if !strings.HasPrefix(line, "|") {
			continue
		}
		if n := strings.Count(line, "|"); columns == 0 {
			columns = n
		} else if n != columns {
			t.Errorf("%d columns, the first row has %d: %s", n-1, columns-1, line)
		}
	}
	if strings.Contains(page.String(), "%!") {
		t.Errorf("a format is wrong:\n%s", &page)
	}
	if err := draw(&chart, all); err != nil || strings.Count(chart.String(), "client closes; ") == 0 {
		t.Errorf("%v\n%s", err, &chart)
	}
	for n := range all { // any part of the rows
		var part strings.Builder
		report(&part, "", all[n:n+1])
		if strings.Contains(part.String(), "%!") || strings.Contains(part.String(), "NaN") || strings.Contains(part.String(), "Inf") {
			t.Errorf("row %d alone:\n%s", n, &part)
		}
	}
}

func TestBeyond(t *testing.T) {
	r := made(row{}, 5000, 5000, 5000, 400, 400, 400)
	if !r.beyond(0) || !r.beyond(15000) || r.beyond(15001) {
		t.Errorf("15,000 requests before the last three seconds: %v, %v, %v", r.beyond(0), r.beyond(15000), r.beyond(15001))
	}
	if r := made(row{}, 5000); !r.beyond(0) || r.beyond(1) {
		t.Error("a run of a second has no seconds before the last three")
	}
}

func TestParse(t *testing.T) {
	file := filepath.Join(t.TempDir(), "90-popupd.conf")
	if err := os.WriteFile(file, []byte("net.ipv4.tcp_tw_reuse = 1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	broken := filepath.Join(t.TempDir(), "broken.conf")
	if err := os.WriteFile(broken, []byte("nonsense\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	o, err := parse([]string{"-sysctl", file, "-run", "closes first, .*" + file, "-scale", "0.2"})
	if err != nil || len(o.rows) != 2 || len(o.advice) != 1 || o.rows[0].File != file || o.rows[0].Duration != 2*time.Second {
		t.Errorf("got %+v, %v; want the two rows of the file", o, err)
	}
	if o, err := parse([]string{"-sysctl", "none"}); err != nil || len(o.rows) != len(rows(""))-2 {
		t.Errorf("without a file: %d rows, %v", len(o.rows), err)
	}
	for _, bad := range [][]string{
		{"x"}, {"-bogus"}, {"-scale", "0"}, {"-concurrency", "0"}, {"-run", "("}, {"-run", "nothing like it"}, {"-sysctl", file + ".none"}, {"-sysctl", broken},
	} {
		if o, err := parse(bad); err == nil {
			t.Errorf("%q: %+v without an error", bad, o)
		}
	}
}

func TestCommandLine(t *testing.T) {
	got := commandLine([]string{"-out", "bench/results", "-run", "client closes|it's"})
	if want := `go run ./bench/timewait -out bench/results -run 'client closes|it'\''s'`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestCount(t *testing.T) {
	for n, want := range map[float64]string{0: "0", 0.6: "1", 999: "999", 1000: "1,000", 28232: "28,232", 1234567.4: "1,234,567"} {
		if got := count(n); got != want {
			t.Errorf("count(%v) = %s, want %s", n, got, want)
		}
	}
}
