//go:build linux

package main

import (
	"errors"
	"testing"
	"time"
)

const wrkOutput = `prepared in 0.25
Running 2s test @ http://127.0.0.1:38085
  1 threads and 64 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     1.07ms    1.34ms  23.02ms   92.18%
    Req/Sec    68.01k     9.62k   81.13k    71.43%
  Latency Distribution
     50%  813.00us
     75%    1.14ms
     90%    1.76ms
     99%    4.54ms
  141826 requests in 2.10s, 26.24MB read
Requests/sec:  67649.47
Transfer/sec:     12.52MB
`

func TestParseReport(t *testing.T) {
	got := report{wrk: 2 * time.Second}
	if err := got.parse(wrkOutput); err != nil {
		t.Fatal(err)
	}
	want := report{
		perSecond: 67649.47, p50: 813 * time.Microsecond, p99: 4540 * time.Microsecond,
		requests: 141826, wall: 2100 * time.Millisecond, init: 250 * time.Millisecond, wrk: 1750 * time.Millisecond,
	}
	if got != want {
		t.Errorf("got %+v\nwant %+v", got, want)
	}
	if err := new(report).parse("wrk: unable to connect"); err == nil {
		t.Error("no report is parsed")
	}
}

func TestFailuresOfWrk(t *testing.T) {
	for output, want := range map[string]string{
		wrkOutput: "",
		wrkOutput + "  Non-2xx or 3xx responses: 17\n":                                                        "Non-2xx or 3xx responses: 17",
		wrkOutput + "  Socket errors: connect 0, read 3, write 0, timeout 0\n  Non-2xx or 3xx responses: 1\n": "Socket errors: connect 0, read 3, write 0, timeout 0; Non-2xx or 3xx responses: 1",
	} {
		got := failures(output)
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestBusy(t *testing.T) {
	const stat = `cpu  300 0 0 9000 0 0 0 0 0 0
cpu0 100 1 50 5000 7 2 3 4 0 0
cpu1 200 0 0 4000 0 0 0 0 0 0
cpu2 10 0 0 4000 0 0 0 0 0 0
intr 12345
`
	server, generators, err := busy(stat)
	if err != nil || server != 1600*time.Millisecond || generators != 2100*time.Millisecond {
		t.Errorf("got %v, %v, %v; want 1.6s, 2.1s", server, generators, err)
	}
	if _, _, err := busy("cpu0 1 2 x 4 5 6 7 8\n"); err == nil {
		t.Error("a field that is no number is read")
	}
}

func TestQuiet(t *testing.T) {
	second := func(n float64) time.Duration { return time.Duration(n * float64(time.Second)) }
	var from usage
	for _, c := range []struct {
		name       string
		to         usage
		wrk        float64
		core       string
		noiseLimit float64
	}{
		{"nobody else", usage{server: second(1), target: second(0.95), generators: second(1), helpers: second(0.3)}, 0.65, "", 0.1},
		{"beside the server", usage{server: second(1), target: second(0.85)}, 0, "server", 0.1},
		{"beside wrk", usage{generators: second(1), helpers: second(0.2)}, 0.65, "generator", 0.1},
		{"borne", usage{generators: second(1), helpers: second(0.2)}, 0.65, "", 1},
	} {
		c.to.at = from.at.Add(time.Second)
		core := ""
		server, generators := others(from, c.to, second(c.wrk))
		if noisy, ok := errors.AsType[*noisyError](quiet(server, generators, c.noiseLimit)); ok {
			core = noisy.core
		}
		if core != c.core {
			t.Errorf("%s: noise at the core of %q, want %q", c.name, core, c.core)
		}
	}
}
