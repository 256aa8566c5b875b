package main

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
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
	if err != nil || string(text) != out || !strings.Contains(out, "| all: met |") || !strings.Contains(out, "No process is pinned") {
		t.Errorf("%v\n%s", err, text)
	}
	if _, err := os.Stat(filepath.Join(dir, "envelope.svg")); err != nil {
		t.Error(err)
	}
}
