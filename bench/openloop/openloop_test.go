//go:build linux

package openloop

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/valyala/fasthttp"
)

// double takes the place of popupd: known users get nothing, new ones a popup,
// and each token counts once.
type double struct {
	requests, connections atomic.Int64
	before                func(n int64) // called with the number of each request; nil = not

	mu      sync.Mutex
	users   map[string]bool
	tokens  map[string]bool // whether it was used
	remotes map[string]bool // addresses that connect
}

func newDouble() *double {
	return &double{users: map[string]bool{}, tokens: map[string]bool{}, remotes: map[string]bool{}}
}

func (d *double) handle(ctx *fasthttp.RequestCtx) {
	n := d.requests.Add(1)
	if d.before != nil {
		d.before(n)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.remotes[ctx.RemoteIP().String()] = true
	user := string(ctx.QueryArgs().Peek("uid"))
	switch {
	case string(ctx.Path()) == "/v1/actions":
		token, _, _ := strings.Cut(strings.TrimPrefix(string(ctx.PostBody()), `{"token":"`), `"`)
		if used, ok := d.tokens[token]; !ok || used {
			ctx.SetStatusCode(400)
			return
		}
		d.tokens[token] = true
		ctx.SetStatusCode(202)
		ctx.SetBody(recorded)
	case strings.HasPrefix(user, "user-"):
		ctx.SetStatusCode(204)
	case d.users[user]:
		ctx.SetStatusCode(204) // nobody is new twice
	default:
		d.users[user] = true
		token := fmt.Sprintf("v1.token-%d", n)
		d.tokens[token] = false
		fmt.Fprintf(ctx, `{"popup":{"id":7,"content":{"title":%q}},"token":%q,"next_poll_sec":60}`, strings.Repeat("x", int(n)%9000), token)
	}
}

// serve starts a server until the test ends.
func serve(t *testing.T, d *double) netip.AddrPort {
	t.Helper()
	ln, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := fasthttp.Server{Handler: d.handle, CloseOnShutdown: true, ConnState: func(_ net.Conn, state fasthttp.ConnState) {
		if state == fasthttp.StateNew {
			d.connections.Add(1)
		}
	}}
	done := make(chan struct{})
	go func() {
		defer close(done)
		server.Serve(ln)
	}()
	t.Cleanup(func() {
		server.Shutdown()
		<-done
	})
	return address(ln)
}

func address(ln net.Listener) netip.AddrPort { return netip.MustParseAddrPort(ln.Addr().String()) }

func mustRun(t *testing.T, c Config) *Result {
	t.Helper()
	c.MaxLate = 1 // the machine of a test may be busy
	r, err := Run(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestEveryRequestIsAnsweredAsItsKindIs(t *testing.T) {
	for _, perRequest := range []bool{false, true} {
		t.Run(fmt.Sprint("close=", perRequest), func(t *testing.T) {
			d := newDouble()
			r := mustRun(t, Config{Address: serve(t, d), Rate: 2000, Duration: time.Second, Poisson: true, Seed: 1,
				Mix: Mix{60, 25, 15}, Users: 10, Connections: 20, Close: perRequest})
			if r.Errors != 0 || len(r.Void) != 0 {
				t.Fatalf("errors %d (%s), void %q", r.Errors, r.FirstError, r.Void)
			}
			if got := int(d.requests.Load()); got != r.Sent || r.Sent != r.Scheduled || r.Answered != r.Sent {
				t.Errorf("the server saw %d requests; scheduled %d, sent %d, answered %d", got, r.Scheduled, r.Sent, r.Answered)
			}
			n := float64(r.Sent)
			for kind, want := range map[string]float64{"nothing": 0.60, "served": 0.25, "action": 0.15} {
				k := r.Kinds[kind]
				if got := float64(k.Sent) / n; got < want-0.05 || got > want+0.05 {
					t.Errorf("%s: %.3f of all, want %.2f", kind, got, want)
				}
				if k.Statuses[wantStatus[map[string]Kind{"nothing": Nothing, "served": Served, "action": Action}[kind]]] != k.Sent {
					t.Errorf("%s: sent %d, statuses %v", kind, k.Sent, k.Statuses)
				}
			}
			d.mu.Lock() // no race detector sees through sockets of our own
			defer d.mu.Unlock()
			used := 0
			for _, u := range d.tokens {
				if u {
					used++
				}
			}
			if used != r.Kinds["action"].Sent || len(d.users) != r.Kinds["served"].Sent {
				t.Errorf("the server counts %d actions and %d new users, the result %d and %d", used, len(d.users), r.Kinds["action"].Sent, r.Kinds["served"].Sent)
			}
			want := int64(20)
			if perRequest {
				want = int64(r.Sent) + 1 // one to see whether anybody listens
			}
			if got := d.connections.Load(); got != want {
				t.Errorf("%d connections, want %d", got, want)
			}
		})
	}
}

// A closed loop would send 4 requests into a stall, one a connection, and call
// the rest fast.
func TestAStallShowsInTheLatenciesOfAllThatWereDue(t *testing.T) {
	const stall = time.Second
	d := newDouble()
	var stalled sync.Once
	until := make(chan struct{})
	d.before = func(n int64) {
		if n > 500 {
			stalled.Do(func() { time.AfterFunc(stall, func() { close(until) }) })
			<-until
		}
	}
	r := mustRun(t, Config{Address: serve(t, d), Rate: 1000, Duration: 2 * time.Second, Mix: Mix{1, 0, 0}, Connections: 4})
	if r.Errors != 0 || r.Answered != 2000 {
		t.Fatalf("errors %d (%s), answered %d", r.Errors, r.FirstError, r.Answered)
	}
	// 1000 of 2000 requests were due in the stall and waited 0 to 1 s, evenly:
	// of all, a quarter more than 500 ms, a hundredth 980.
	for name, c := range map[string]struct{ got, from, to float64 }{
		"p90": {r.Latency.P90, 700, 3000}, "p99": {r.Latency.P99, 900, 3000}, "max": {r.Latency.Max, 950, 3000},
	} {
		if c.got < c.from || c.got > c.to {
			t.Errorf("%s = %.0f ms, want %.0f to %.0f", name, c.got, c.from, c.to)
		}
	}
	if r.Late >= 1000 {
		t.Errorf("%d late: the stall is the server's, not the generator's", r.Late)
	}
}

func TestFailuresAreCountedAndTheRunGoesOn(t *testing.T) {
	for name, c := range map[string]struct {
		answer string // "" = the connection is closed
		want   failure
	}{
		"wrong status":   {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", unexpected},
		"error":          {"HTTP/1.1 503 Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", unexpected},
		"no HTTP":        {"220 mail ready\r\n", malformed},
		"answer too far": {"HTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n", malformed},
		"closed":         {"", connectionLost},
		"cut off":        {"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf", timedOut},
	} {
		t.Run(name, func(t *testing.T) {
			ln := answering(t, func(conn net.Conn) bool {
				io.WriteString(conn, c.answer)
				return c.answer != "" && !strings.Contains(c.answer, "close")
			})
			r := mustRun(t, Config{Address: address(ln), Rate: 200, Duration: 300 * time.Millisecond, Mix: Mix{1, 0, 0}, Connections: 100, Timeout: 200 * time.Millisecond})
			k := r.Kinds["nothing"]
			if r.Sent != 60 || r.Errors != 60 || k.Errors[c.want.String()] != 60 || r.FirstError == "" || r.Held() {
				t.Errorf("sent %d, errors %d %v, first %q; want 60 of %q", r.Sent, r.Errors, k.Errors, r.FirstError, c.want)
			}
		})
	}
}

// answering calls answer for each request of each connection, until it returns false.
func answering(t *testing.T, answer func(net.Conn) bool) net.Listener {
	ln, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			all.Go(func() {
				defer conn.Close()
				b := make([]byte, 4096)
				for {
					n, err := conn.Read(b)
					if err != nil || !bytes.HasSuffix(b[:n], headerEnd) || !answer(conn) {
						return
					}
				}
			})
		}
	})
	t.Cleanup(func() {
		ln.Close()
		all.Wait()
	})
	return ln
}

func TestAnAnswerInPieces(t *testing.T) {
	text := "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 20\r\n\r\n" + `{"token":"v1.abcdef"`
	ln := answering(t, func(conn net.Conn) bool {
		for i := range len(text) {
			if _, err := conn.Write([]byte{text[i]}); err != nil { // Go sets TCP_NODELAY
				return false
			}
		}
		return true
	})
	r := mustRun(t, Config{Address: address(ln), Rate: 100, Duration: 300 * time.Millisecond, Mix: Mix{0, 1, 0}, Connections: 5, Timeout: 3 * time.Second})
	if r.Errors != 0 || r.Answered != 30 {
		t.Errorf("errors %d (%s), answered %d of 30", r.Errors, r.FirstError, r.Answered)
	}
}

func TestAServerThatAnswersNobody(t *testing.T) {
	ln, err := net.Listen("tcp4", "127.0.0.1:0") // connects, but nobody accepts
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	r := mustRun(t, Config{Address: address(ln), Rate: 100, Duration: 200 * time.Millisecond, Mix: Mix{1, 0, 0}, Connections: 3, Timeout: 100 * time.Millisecond})
	if r.Scheduled != 20 || r.Errors != 20 || r.Answered != 0 || r.Sent+r.Unsent != 20 || r.Unsent == 0 {
		t.Errorf("scheduled %d, sent %d, unsent %d, answered %d, errors %d", r.Scheduled, r.Sent, r.Unsent, r.Answered, r.Errors)
	}
	if r.Latency.Max < 100 {
		t.Errorf("max %.1f ms: what failed waited longer", r.Latency.Max)
	}
}

func TestSources(t *testing.T) {
	d := newDouble()
	r := mustRun(t, Config{Address: serve(t, d), Rate: 200, Duration: 200 * time.Millisecond, Mix: Mix{1, 0, 0}, Close: true,
		Sources: []netip.Addr{netip.MustParseAddr("127.0.0.2"), netip.MustParseAddr("127.0.0.3")}})
	d.mu.Lock()
	defer d.mu.Unlock()
	if r.Errors != 0 || len(d.remotes) != 2 || !d.remotes["127.0.0.2"] || !d.remotes["127.0.0.3"] {
		t.Errorf("errors %d (%s), connections came from %v", r.Errors, r.FirstError, d.remotes)
	}
}

func TestNobodyListens(t *testing.T) {
	ln, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ln.Close()
	if _, err := Run(t.Context(), Config{Address: address(ln), Rate: 1, Duration: time.Second, Mix: Mix{1, 0, 0}}); err == nil || !strings.Contains(err.Error(), "connection refused") {
		t.Errorf("error = %v, want connection refused", err)
	}
}

func TestInterruptedRunIsVoid(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	d := newDouble()
	d.before = func(n int64) {
		if n == 100 {
			cancel()
		}
	}
	r, err := Run(ctx, Config{Address: serve(t, d), Rate: 1000, Duration: time.Hour, Mix: Mix{1, 0, 0}, MaxLate: 1})
	if err != nil || len(r.Void) != 1 || !strings.Contains(r.Void[0], "interrupted") {
		t.Errorf("void %q, %v; want interrupted", r.Void, err)
	}
}

func TestProgress(t *testing.T) {
	var got []Progress
	mustRun(t, Config{Address: serve(t, newDouble()), Rate: 500, Duration: 2500 * time.Millisecond, Mix: Mix{1, 0, 0}, Progress: func(p Progress) { got = append(got, p) }})
	if len(got) == 0 || len(got) > 2 || got[0].Sent < 300 || got[0].Answered < 300 || got[0].P99 == 0 || got[0].Elapsed < time.Second {
		t.Errorf("progress %+v, want two of about 500 a second", got)
	}
}

func TestConfigIsChecked(t *testing.T) {
	good := Config{Address: netip.MustParseAddrPort("127.0.0.1:1"), Rate: 1, Duration: 1, Mix: Mix{1, 0, 0}}
	for name, change := range map[string]func(*Config){
		"address":  func(c *Config) { c.Address = netip.MustParseAddrPort("[::1]:80") },
		"rate":     func(c *Config) { c.Rate = 0 },
		"duration": func(c *Config) { c.Duration = -1 },
		"mix":      func(c *Config) { c.Mix = Mix{} },
		"actions":  func(c *Config) { c.Mix = Mix{90, 2, 8} },
		"users":    func(c *Config) { c.Users = maxUsers + 1 },
		"tick":     func(c *Config) { c.Tick = time.Millisecond },
		"source":   func(c *Config) { c.Sources = []netip.Addr{netip.IPv6Loopback()} },
	} {
		c := good
		change(&c)
		if err := c.setDefaults(); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if err := good.setDefaults(); err != nil {
		t.Error(err)
	}
}
