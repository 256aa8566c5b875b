//go:build linux

package main

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/popupd/popupd/bench/openloop"
	"github.com/popupd/popupd/internal/testbed"
)

// serve starts a server until the test ends.
func serve(t *testing.T, handle fasthttp.RequestHandler) (address string) {
	t.Helper()
	ln, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := fasthttp.Server{Handler: handle, CloseOnShutdown: true}
	done := make(chan struct{})
	go func() {
		defer close(done)
		server.Serve(ln)
	}()
	t.Cleanup(func() {
		server.Shutdown()
		<-done
	})
	return ln.Addr().String()
}

// shows answers a user's first polls with as many popups, and records actions.
func shows(popups int) fasthttp.RequestHandler {
	var mu sync.Mutex
	polls := map[string]int{}
	return func(ctx *fasthttp.RequestCtx) {
		if string(ctx.Path()) == "/v1/actions" {
			ctx.SetStatusCode(202)
			ctx.SetBodyString(`{"accepted":1,"rejected":[]}`)
			return
		}
		mu.Lock()
		defer mu.Unlock()
		user := string(ctx.QueryArgs().Peek("uid"))
		if polls[user]++; polls[user] > popups {
			ctx.SetStatusCode(204)
			return
		}
		fmt.Fprintf(ctx, `{"popup":{},"token":"v1.%s"}`, user)
	}
}

// load runs the command and returns what it prints.
func load(t *testing.T, args ...string) (string, error) {
	t.Helper()
	var out strings.Builder
	var command task
	if err := command.parse(append([]string{"-late", "1"}, args...)); err != nil {
		t.Fatal(err)
	}
	command.stdout, command.offer.Progress = &out, nil
	err := command.run(t.Context())
	return out.String(), err
}

func TestOffer(t *testing.T) {
	dir := t.TempDir()
	file, chart := filepath.Join(dir, "a.json"), filepath.Join(dir, "a.svg")
	out, err := load(t, "-address", serve(t, shows(3)), "-rate", "1000", "-duration", "1s", "-users", "50", "-mix", "50,30,20", "-connections", "8", "-json", file, "-svg", chart)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"1,000 requests/s for 1 s, poisson arrivals, mix 50,30,20, 8 keep-alive connections:", " 0 errors", "| all |", "| nothing |", "| served |", "| action |", "generator: "} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	var r openloop.Result
	text, err := os.ReadFile(file)
	if err == nil {
		err = json.Unmarshal(text, &r)
	}
	if err != nil || r.Answered < 800 || r.Answered != r.Scheduled || len(r.Kinds) != 3 || len(r.Latency.Curve) < 10 || r.Latency.P99 == 0 {
		t.Errorf("JSON %s: %v", text, err)
	}
	svg, err := os.ReadFile(chart)
	if err != nil || xml.Unmarshal(svg, new(struct{})) != nil || !strings.Contains(string(svg), ">99%<") || !strings.Contains(string(svg), ">served<") {
		t.Errorf("plot: %v\n%s", err, svg)
	}
}

func TestOfferSaysWhatWasNotHeld(t *testing.T) {
	address := serve(t, func(ctx *fasthttp.RequestCtx) { ctx.SetStatusCode(503) })
	out, err := load(t, "-address", address, "-warm=false", "-rate", "100", "-duration", "200ms", "-arrivals", "constant")
	if !errors.Is(err, errGoal) || !strings.Contains(out, "20 errors") || !strings.Contains(out, "first error: status 503, want 204") {
		t.Errorf("error %v\n%s", err, out)
	}
	if _, err := load(t, "-address", address, "-rate", "100", "-duration", "200ms"); err == nil || !strings.Contains(err.Error(), "warm: poll answers 503") {
		t.Errorf("error %v, want of the warm-up", err)
	}
}

// server pretends to hold a rate, beyond which its p99 is a second.
func server(most float64) func(rate float64) (*openloop.Result, error) {
	return func(rate float64) (*openloop.Result, error) {
		r := &openloop.Result{Rate: rate, Answered: 1, Latency: openloop.Latency{P99: 1}}
		if rate > most {
			r.Latency.P99 = 1000
		}
		return r, nil
	}
}

func TestSearch(t *testing.T) {
	for _, first := range []float64{20, 900, 1000, 1001, 1500, 80000} {
		f, err := searchWith(first, 70*time.Millisecond, server(1000))
		if err != nil || f.held.Rate > 1000 || f.held.Rate < 1000/1.05 || len(f.tries) > 20 {
			t.Errorf("from %v: held %+v, %v", first, f, err)
		}
		if got := strings.Count(f.table(), "held"); got != 1 {
			t.Errorf("%d rates are marked as held in\n%s", got, f.table())
		}
	}
	runs := 0
	noisy := func(rate float64) (*openloop.Result, error) {
		r, err := server(1000)(rate)
		if runs++; runs%3 == 1 {
			r.Void = []string{"late"}
		}
		return r, err
	}
	if f, err := searchWith(900, 70*time.Millisecond, noisy); err != nil || f.held.Rate < 1000/1.05 || len(f.held.Void) > 0 {
		t.Errorf("among void runs: %+v, %v", f, err)
	}
	if f, err := searchWith(1000, 70*time.Millisecond, server(5)); !errors.Is(err, errGoal) {
		t.Errorf("of nothing: %+v, %v", f, err)
	}
	broken := errors.New("connection refused")
	if _, err := searchWith(1000, 70*time.Millisecond, func(float64) (*openloop.Result, error) { return nil, broken }); !errors.Is(err, broken) {
		t.Errorf("error %v, want %v", err, broken)
	}
}

func TestHolds(t *testing.T) {
	const p99 = 70 * time.Millisecond
	good := openloop.Result{Answered: 10, Latency: openloop.Latency{P99: 70}}
	for name, c := range map[string]struct {
		change func(*openloop.Result)
		want   bool
	}{
		"good":     {func(*openloop.Result) {}, true},
		"slow":     {func(r *openloop.Result) { r.Latency.P99 = 71 }, false},
		"an error": {func(r *openloop.Result) { r.Errors = 1 }, false},
		"void":     {func(r *openloop.Result) { r.Void = []string{"late"} }, false},
		"nothing":  {func(r *openloop.Result) { r.Answered = 0 }, false},
	} {
		r := good
		c.change(&r)
		if got := holds(&r, p99); got != c.want || strings.HasPrefix(outcome(&r, p99), "held") && !c.want && name != "nothing" {
			t.Errorf("%s: held %v, %q", name, got, outcome(&r, p99))
		}
	}
}

func TestSearchOnAServer(t *testing.T) {
	out, err := load(t, "-address", serve(t, shows(0)), "-warm=false", "-mix", "1,0,0", "-rate", "20000", "-duration", "50ms", "-p99", "1us", "search")
	if !errors.Is(err, errGoal) {
		t.Errorf("error %v\n%s", err, out)
	}
}

func TestVerdict(t *testing.T) {
	if err := verdict(&openloop.Result{}); err != nil {
		t.Error(err)
	}
	// A void run with errors is void first of all.
	if err := verdict(&openloop.Result{Errors: 3, Void: []string{"late"}}); !errors.Is(err, errVoid) {
		t.Errorf("error %v, want void", err)
	}
}

func TestUsage(t *testing.T) {
	for _, args := range []string{"-address nonsense", "-address [::1]:80", "-mix 1,2", "-arrivals sometimes", "-sources a,b", "fly", "-address 127.0.0.1:80 envelope"} {
		var command task
		if err := command.parse(strings.Fields(args)); err == nil {
			if args == "-address [::1]:80" { // Run refuses it
				continue
			}
			t.Errorf("%s: no error", args)
		}
	}
}

func TestLongestLag(t *testing.T) {
	bucket := func(le string) string { return `popupd_flush_lag_seconds_bucket{le="` + le + `"}` }
	first := samples{bucket("0.1"): 5, bucket("0.5"): 5, bucket("1"): 6, bucket("+Inf"): 6, "popupd_flush_lag_seconds_count": 6}
	last := samples{bucket("0.1"): 8, bucket("0.5"): 9, bucket("1"): 10, bucket("+Inf"): 10, "popupd_flush_lag_seconds_count": 10}
	if got := longestLag(first, last); got != "0.5" {
		t.Errorf("longest lag %q, want 0.5: the one in 1 was before", got)
	}
}

// Clients come back when they are to, with as many requests on a connection as they
// are to send.
func TestClients(t *testing.T) {
	for _, c := range []struct {
		clients
		most    uint64
		returns bool // after a rejection
	}{
		{clients{}, 4, true},
		{clients{Heed: true}, 2, false},
		{clients{PerConnection: 1}, 1, true},
		{clients{PerConnection: 3}, 2, true}, // a rejection ends the connection
		{clients{PerConnection: 3, Heed: true}, 2, false},
	} {
		// A server of its own: it may still be at requests of those before.
		var most atomic.Uint64
		address := serve(t, func(ctx *fasthttp.RequestCtx) {
			most.Store(max(most.Load(), ctx.ConnRequestNum()))
			if ctx.ConnRequestNum()%2 == 0 {
				ctx.SetStatusCode(503)
				ctx.Response.Header.Set("Retry-After", "1")
				ctx.SetBodyString("overloaded")
			}
		})
		c.N, c.Address, c.Request = 5, address, []byte("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
		// Clients that heed come once in a little over a second.
		c.Pause, c.Settle, c.Duration = time.Millisecond, time.Second, 2*time.Second
		in, err := json.Marshal(c.clients)
		if err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		if err := runClients(bytes.NewReader(in), &out); err != nil {
			t.Fatal(err)
		}
		var r clientResult
		if err := json.Unmarshal(out.Bytes(), &r); err != nil {
			t.Fatal(err)
		}
		if got := most.Load(); c.most == 4 && got < 4 || c.most < 4 && !(c.Heed && c.PerConnection == 0) && got != c.most {
			t.Errorf("%+v: %d requests on a connection, want %d", c.clients, got, c.most)
		}
		if rejected := r.RejectRate > 0; r.Failed != 0 || r.AnsweredRate == 0 || c.PerConnection == 1 && rejected || c.PerConnection != 1 && (r.RejectRate > float64(2*c.N)) != c.returns {
			t.Errorf("%+v: %+v", c.clients, r)
		}
	}
}

func TestParseResponse(t *testing.T) {
	for text, want := range map[string]int{
		"HTTP/1.1 204 No Content\r\nDate: now\r\n\r\n":                   204,
		"HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\nhello, world":      200,
		"HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\nhello, world":      0,
		"HTTP/1.1 200 OK\r\nContent-Length: 12\r\n":                      0,
		"HTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n": 0,
		"": 0,
	} {
		if got, _, _ := parseResponse([]byte(text)); got != want {
			t.Errorf("%q: status %d, want %d", text, got, want)
		}
	}
	_, after, last := parseResponse([]byte("HTTP/1.1 503 Service Unavailable\r\nRetry-After: 12\r\nConnection: close\r\n\r\n"))
	if after != 12*time.Second || !last {
		t.Errorf("Retry-After %v, last %v", after, last)
	}
}

// Each goal that is missed is said.
func TestOverloadGoals(t *testing.T) {
	unshed := overloadRun{clientResult: clientResult{AnsweredRate: 1000}}
	good := overloadRun{
		clientResult: clientResult{AnsweredRate: 900, Answered: latencies{P99: goalAnsweredP99}, Rejected: latencies{P99: goalRejectedP99}},
		probe:        seen{p99: goalAnsweredP99, shedP99: goalRejectedP99}, rss: 10 * goalMemory, recovered: true, recovery: goalRecovery,
	}
	for _, c := range []struct {
		name   string
		change func(*overloadRun)
		heed   bool
		want   int
	}{
		{"good", func(*overloadRun) {}, true, 0},
		{"few answers", func(r *overloadRun) { r.AnsweredRate-- }, true, 1},
		{"slow answers", func(r *overloadRun) { r.Answered.P99++ }, true, 1},
		{"slow answers to the probe", func(r *overloadRun) { r.probe.p99++ }, false, 1},
		{"slow rejections", func(r *overloadRun) { r.Rejected.P99++ }, true, 1},
		{"of clients that come back at once", func(r *overloadRun) { r.Rejected.P99++ }, false, 0},
		{"slow rejections of the probe", func(r *overloadRun) { r.probe.shedP99++ }, false, 1},
		{"memory", func(r *overloadRun) { r.rss++ }, true, 1},
		{"late", func(r *overloadRun) { r.recovery++ }, true, 1},
		{"never", func(r *overloadRun) { r.recovered = false }, true, 1},
	} {
		r := good
		c.change(&r)
		if got := r.missed(&clients{N: 10, Heed: c.heed}, &unshed); len(got) != c.want {
			t.Errorf("%s: missed %q, want %d", c.name, got, c.want)
		}
	}
}

func TestMedian(t *testing.T) {
	for want, values := range map[float64][]float64{2: {3, 1, 2}, 1: {1}, 5: {9, 5}} {
		if got := median(values); got != want {
			t.Errorf("median of %v = %v", values, got)
		}
	}
}

// The whole of it on the real parts, at a rate that any machine holds.
func TestEnvelopeCountsEveryEvent(t *testing.T) {
	if testing.Short() {
		t.Skip("starts popupd and its stores")
	}
	dir := t.TempDir()
	t.Chdir("../..")
	out, err := load(t, "-rate", "500", "-duration", "2s", "-users", "100", "-mix", "50,30,20", "-pin=false", "-p99", "1s", "-out", dir, "envelope")
	if missing := new(testbed.MissingError); errors.As(err, &missing) && os.Getenv("POPUPD_REQUIRE_STORES") != "1" {
		t.Skip(err)
	}
	// That is not the peak, which is all that may be wrong with it.
	if !errors.Is(err, errGoal) || strings.Contains(err.Error(), ";") || !strings.Contains(err.Error(), "offered: 500") {
		t.Fatalf("error %v\n%s", err, out)
	}
	text, err := os.ReadFile(filepath.Join(dir, "envelope.md"))
	words := func(s string) string { return strings.Join(strings.Fields(s), " ") } // the file is wrapped
	if err != nil || words(string(text)) != words(out) || !strings.Contains(out, "| all: met |") || !strings.Contains(out, "No process is pinned") {
		t.Errorf("%v\n%s", err, text)
	}
	if _, err := os.Stat(filepath.Join(dir, "envelope.svg")); err != nil {
		t.Error(err)
	}
}
