//go:build !race

package handler

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/valyala/fasthttp"
)

const warmUp, allocRuns = 20, 200

// No request allocates: not in the handler, and not on its way through the server.
func TestNoAllocations(t *testing.T) {
	for _, e := range exchanges() {
		t.Run(e.name+"/handler", func(t *testing.T) {
			f, requests := e.server(t, warmUp+allocRuns+1)
			ctx := newContext(t, requests[0])
			in, br := new(strings.Reader), bufio.NewReader(nil)
			i := 0
			handle := func() {
				f.clock.advance(time.Second)
				ctx.Request.Reset()
				ctx.Response.Reset()
				in.Reset(requests[i])
				br.Reset(in)
				if err := ctx.Request.Read(br); err != nil {
					t.Fatal(err)
				}
				f.handle(ctx)
				i++
			}
			for range warmUp {
				handle()
			}
			n := testing.AllocsPerRun(allocRuns, handle)
			if got := ctx.Response.StatusCode(); got != e.status {
				t.Fatalf("status %d, want %d: %s", got, e.status, ctx.Response.Body())
			}
			if n != 0 {
				t.Errorf("%v allocations", n)
			}
			if f.log.Len() > 0 {
				t.Errorf("logged: %s", f.log)
			}
		})
		t.Run(e.name+"/server", func(t *testing.T) {
			f, requests := e.server(t, warmUp+allocRuns+1)
			c := dial(t, f.http, func(ln net.Listener) net.Listener { return newListener(ln, f.Server) })
			buf := make([]byte, 64<<10)
			var raw [][]byte
			for _, r := range requests {
				raw = append(raw, []byte(r))
			}
			i, status := 0, 0
			exchange := func() {
				f.clock.advance(time.Second)
				var err error
				if status, err = roundTrip(c, raw[i], buf); err != nil {
					t.Fatal(err)
				}
				i++
			}
			for range warmUp {
				exchange()
			}
			n := testing.AllocsPerRun(allocRuns, exchange)
			if status != e.status {
				t.Fatalf("status %d, want %d: %s", status, e.status, buf[:500])
			}
			if n != 0 {
				t.Errorf("%v allocations", n)
			}
		})
	}
}

// Nor does a poll that asks for no trace where there are traces.
func TestNoAllocationsUntraced(t *testing.T) {
	tracer, _ := newTracer(t)
	f := newServer(t, func(c *Config) { c.Tracer = tracer })
	poll := get("/v1/poll?uid=u")(f, 0)
	for _, raw := range []string{poll, withHeader(poll, strings.Replace(sampledLine, "-01\r\n", "-00\r\n", 1))} {
		ctx := newContext(t, raw)
		f.handle(ctx)
		if n := testing.AllocsPerRun(allocRuns, func() {
			ctx.Response.Reset()
			f.handle(ctx)
		}); n != 0 {
			t.Errorf("%.300s: %v allocations", raw, n)
		}
	}
}

// Nor does refusing what is not a request; reading it is fasthttp's.
func TestNoAllocationsRefusing(t *testing.T) {
	f := newServer(t, nil)
	ctx := newContext(t, get("/x")(f, 0))
	for _, err := range []error{io.ErrUnexpectedEOF, fasthttp.ErrBodyTooLarge, &fasthttp.ErrSmallBuffer{}} {
		if n := testing.AllocsPerRun(allocRuns, func() {
			ctx.Response.Reset()
			f.refuse(ctx, err)
		}); n != 0 {
			t.Errorf("%T: %v allocations", err, n)
		}
		if !bytes.HasPrefix(ctx.Response.Header.ContentType(), []byte(typeProblem)) {
			t.Errorf("%T: answered as %s", err, ctx.Response.Header.ContentType())
		}
	}
}

// Nor does rejecting, which comes when there is least to spare.
func TestNoAllocationsOverloaded(t *testing.T) {
	f := newServer(t, func(c *Config) { c.ShedAfter = time.Hour })
	f.overload.shedding.Store(true)
	for i := range f.overload.pacers {
		f.overload.pacers[i].interval = 0
	}
	for _, raw := range []string{get("/v1/poll?uid=u")(f, 0), post(func(*fixture, int) string { return "{}" })(f, 0)} {
		ctx := newContext(t, raw)
		ctx.Init2(&conn{Conn: peer{}, age: time.Second}, nil, false)
		if n := testing.AllocsPerRun(allocRuns, func() {
			ctx.Response.Reset()
			f.handle(ctx)
		}); n != 0 {
			t.Errorf("%.20s: %v allocations", raw, n)
		}
		if got := ctx.Response.StatusCode(); got != 503 {
			t.Errorf("%.20s: %d, want 503", raw, got)
		}
	}
}
