package handler

import (
	"net"
	"testing"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/popupd/popupd/frequency"
)

// benchmarkHandler measures one kind of request in the handler alone.
func benchmarkHandler(b *testing.B, name string, tick time.Duration) {
	for _, e := range exchanges() {
		if e.name != name {
			continue
		}
		f, requests := e.server(b, 1)
		ctx := newContext(b, requests[0])
		f.handle(ctx) // what comes first may be answered in another way
		b.ReportAllocs()
		for b.Loop() {
			f.clock.advance(tick)
			ctx.Response.Reset()
			f.handle(ctx)
		}
		if got := ctx.Response.StatusCode(); got != e.status {
			b.Fatalf("status %d, want %d", got, e.status)
		}
		return
	}
	b.Fatalf("no exchange %q", name)
}

func BenchmarkHotPollNothing(b *testing.B) {
	b.Run("targeting", func(b *testing.B) { benchmarkHandler(b, "nothing to show", 0) })
	b.Run("cooldown", func(b *testing.B) { benchmarkHandler(b, "cooling down", 0) })
	b.Run("cooldown under caps", func(b *testing.B) { benchmarkHandler(b, "cooling down under caps", 0) })
	b.Run("full cap", func(b *testing.B) { benchmarkHandler(b, "stopped by a cap", 0) })
	b.Run("held", func(b *testing.B) { benchmarkHandler(b, "cooling down, held", 0) })
}

// Against BenchmarkHotPollNothing it shows what looking for a traceparent costs.
func BenchmarkHotPollUntraced(b *testing.B) {
	tracer, _ := newTracer(b)
	f := newServer(b, func(c *Config) { c.Tracer = tracer })
	ctx := newContext(b, pollLine+" HTTP/1.1"+hostLine+"\r\n")
	b.ReportAllocs()
	for b.Loop() {
		ctx.Response.Reset()
		f.handle(ctx)
	}
}

func BenchmarkHotPollServed(b *testing.B) { benchmarkHandler(b, "served", time.Second) }

// Against BenchmarkHotPollServed it shows what it costs that only some users are held.
func BenchmarkHotPollServedHeld(b *testing.B) { benchmarkHandler(b, "served, held", time.Second) }

// Against BenchmarkHotPollServed it shows what three caps cost whose impressions are found
// in memory: twenty of a user who is shown a popup a second.
func BenchmarkHotPollServedUnderCaps(b *testing.B) {
	benchmarkHandler(b, "served under caps", time.Second)
}

// Against BenchmarkHotPollServed it shows what the body costs, and JSON instead of a query.
func BenchmarkHotPollPost(b *testing.B) {
	b.Run("served", func(b *testing.B) { benchmarkHandler(b, "served to a POST", time.Second) })
	b.Run("nothing", func(b *testing.B) { benchmarkHandler(b, "nothing to show to a POST", 0) })
}

func BenchmarkHotAction(b *testing.B) {
	b.Run("repeated", func(b *testing.B) { benchmarkHandler(b, "action repeated", 0) })
	b.Run("array", func(b *testing.B) { benchmarkHandler(b, "array of actions", 0) })
	b.Run("counted", func(b *testing.B) {
		const actions = 1 << 14
		f, _ := (&exchange{request: get("/"), specs: []string{""}}).server(b, 0)
		contexts := make([]*fasthttp.RequestCtx, 64)
		bodies := make([][]byte, actions)
		for i := range bodies {
			bodies[i] = []byte(click(f, i, "u"))
		}
		for i := range contexts {
			contexts[i] = newContext(b, post(func(*fixture, int) string { return "" })(f, 0))
		}
		f.clock.advance(actions * time.Second)
		i := 0
		b.ReportAllocs()
		for b.Loop() {
			if i == actions {
				// Every impression has its click: the user starts again.
				b.StopTimer()
				i, f.users = 0, frequency.New(frequency.Config{})
				b.StartTimer()
			}
			ctx := contexts[i%len(contexts)]
			ctx.Request.SetBodyRaw(bodies[i])
			ctx.Response.Reset()
			f.handle(ctx)
			i++
		}
		if got := contexts[0].Response.StatusCode(); got != fasthttp.StatusAccepted {
			b.Fatalf("status %d", got)
		}
	})
}

// BenchmarkHeader is why answers are copied as a whole.
func BenchmarkHeader(b *testing.B) {
	as := newAnswers(&origins{any: true})
	ctx := newContext(b, get("/")(nil, 0))
	b.Run("copied", func(b *testing.B) {
		for b.Loop() {
			ctx.Response.Reset()
			as.none[60].send(ctx)
		}
	})
	b.Run("set", func(b *testing.B) {
		for b.Loop() {
			ctx.Response.Reset()
			setFields(ctx)
		}
	})
}

// setFields sets what every answer has, as a handler usually does.
func setFields(ctx *fasthttp.RequestCtx) {
	ctx.SetStatusCode(fasthttp.StatusNoContent)
	h := &ctx.Response.Header
	h.Set(fasthttp.HeaderCacheControl, cacheControl)
	h.Set(fasthttp.HeaderAccessControlAllowOrigin, "*")
	h.Set(fasthttp.HeaderAccessControlExposeHeaders, exposedHeaders)
}

// BenchmarkServer compares a poll with nothing to show with a handler of
// fasthttp that does nothing but give the same answer, both with the same
// time limits, over a connection in memory.
func BenchmarkServer(b *testing.B) {
	run := func(b *testing.B, server *fasthttp.Server, wrap func(net.Listener) net.Listener, request string) {
		c := dial(b, server, wrap)
		raw, buf := []byte(request), make([]byte, 64<<10)
		b.ReportAllocs()
		for b.Loop() {
			if status, err := roundTrip(c, raw, buf); err != nil || status != fasthttp.StatusNoContent {
				b.Fatal(status, err)
			}
		}
	}
	e := exchanges()[0]
	f, requests := e.server(b, 1)
	ours := func(ln net.Listener) net.Listener { return newListener(ln, f.Server) }
	bare := func() *fasthttp.Server {
		s := f.newHTTP()
		s.Handler = func(ctx *fasthttp.RequestCtx) {
			setFields(ctx)
			ctx.Response.Header.Set(nextPollHeader, "60")
		}
		return s
	}
	b.Run("popupd", func(b *testing.B) { run(b, f.http, ours, requests[0]) })
	b.Run("bare", func(b *testing.B) { run(b, bare(), ours, requests[0]) })
	b.Run("bare, its own timeouts", func(b *testing.B) {
		s := bare()
		s.ConnState = nil
		s.ReadTimeout, s.WriteTimeout, s.IdleTimeout = f.limits.read, f.limits.write, f.limits.idle
		run(b, s, func(ln net.Listener) net.Listener { return ln }, requests[0])
	})
}
