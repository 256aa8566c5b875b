package handler

import (
	"fmt"
	"math"
	"net"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/valyala/fasthttp"
	"github.com/valyala/fasthttp/fasthttputil"
)

func TestDelayWindow(t *testing.T) {
	type sample struct {
		after time.Duration
		late  bool
	}
	const tick = overloadTick
	late, inTime := sample{tick, true}, sample{tick, false}
	repeat := func(n int, samples ...sample) []sample { return slices.Repeat(samples, n) }
	for _, c := range []struct {
		name    string
		samples []sample
		want    bool
	}{
		{"a queue of 100 ms", repeat(10, late), true},
		{"a shorter one", repeat(9, late), false},
		{"three of four are late", repeat(20, inTime, late, late, late), true},
		{"one of two", repeat(1000, late, inTime), false},
		{"it is over", append(repeat(1000, late), inTime), false},
		{"and back", append(repeat(1000, late), inTime, late), true},
		{"it is long over", append(repeat(1000, late), append(repeat(10, inTime), repeat(9, late)...)...), false},
		{"few come, each of them late", repeat(1000, sample{sampleLife + 1, true}), false},
		{"not so few", repeat(10, sample{sampleLife, true}), true},
	} {
		var w delayWindow
		now, got := time.Second, false
		for _, one := range c.samples {
			now += one.after
			got = w.note(now, one.late)
		}
		if got != c.want {
			t.Errorf("%s: above the target: %v, want %v", c.name, got, c.want)
		}
	}
}

// An overload period ends when hardly anything is rejected.
func TestOverloadEnds(t *testing.T) {
	for _, c := range []struct {
		name           string
		came, rejected int64
		slower         int32 // than half as many rejections a second
		want           bool
	}{
		{"half are rejected", 9000, 4500, -1, false},
		{"one more", 9000, 4501, 1, false},
		{"one in 64", 6400, 100, -1, true},
		{"one more than that", 6400, 101, -1, false},
		{"no requests come", 0, 0, -1, true},
		{"few come, and all are rejected", 10, 10, 1, false},
	} {
		o := newTestOverload(t, time.Hour)
		o.shedding.Store(true)
		o.slower.Store(1)
		for i := range o.windows {
			o.windows[i].late = lateSamples - 1
		}
		o.came.Store(c.came)
		o.rejected.Store(c.rejected)
		for range second - 1 {
			if n := o.tick(); n != math.MaxInt64 || !o.shedding.Load() {
				t.Errorf("%s: asks %d requests, shedding %v within the first second", c.name, n, o.shedding.Load())
			}
		}
		wantStamps, wantLate := int64(math.MaxInt64), lateSamples-1
		if c.want {
			wantStamps, wantLate = 1, 0
		}
		if n := o.tick(); n != wantStamps || o.shedding.Load() == c.want || o.windows[0].late != wantLate || o.windows[1].late != wantLate {
			t.Errorf("%s: asks %d requests, shedding %v, late samples %d and %d; want an end: %v", c.name, n, o.shedding.Load(), o.windows[0].late, o.windows[1].late, c.want)
		}
		if got := o.slower.Load(); got != 1+c.slower {
			t.Errorf("%s: %d times half as many rejections, want %d", c.name, got, 1+c.slower)
		}
		if o.came.Load() != 0 || o.rejected.Load() != 0 {
			t.Errorf("%s: requests of one second count in the next", c.name)
		}
	}
}

func newTestOverload(t *testing.T, target time.Duration) *overload {
	t.Helper()
	metrics, err := newMetrics(nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	return newOverload(&Server{metrics: metrics, start: time.Now()}, target)
}

// A period begins when the delay has been above the target for 100 ms, on new
// connections or on others, and ends a second after the last rejection.
func TestOverloadPeriod(t *testing.T) {
	for _, fresh := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			const target = 50 * time.Millisecond
			o := newTestOverload(t, target)
			var stamps atomic.Int64
			go o.run(stamps.Store)
			// for has requests of an age come for a while, and reports how long it took to get to a state.
			until := func(age, most time.Duration, shedding bool) time.Duration {
				begin := time.Now()
				for time.Since(begin) < most && o.shedding.Load() != shedding {
					o.waited(age, fresh)
					o.rejects(age)
					time.Sleep(time.Millisecond)
					synctest.Wait()
				}
				return time.Since(begin).Round(overloadTick)
			}
			if until(target, time.Minute, true) != time.Minute {
				t.Error("a delay that is not above the target begins a period")
			}
			if o.rejects(time.Hour) {
				t.Error("a request is rejected while there is no overload")
			}
			if took := until(target+1, time.Minute, true); took != lateSamples*overloadTick && took != (lateSamples-1)*overloadTick {
				t.Errorf("a period begins after %v", took)
			}
			if !o.rejects(maxAge+1) || o.rejects(maxAge) {
				t.Errorf("requests of more than %v, and no others, are to be rejected", maxAge)
			}
			if until(maxAge+1, time.Minute, false); !o.shedding.Load() || stamps.Load() != math.MaxInt64 {
				t.Errorf("a period ends while requests are rejected, or does not ask each of them: %d", stamps.Load())
			}
			if took := until(maxAge, time.Minute, false); took > 2*time.Second {
				t.Errorf("a period ends %v after the last rejection", took)
			}
			if o.close(); stamps.Load() != 1 {
				t.Errorf("asks %d requests after a period", stamps.Load())
			}
		})
	}
	if o := newTestOverload(t, MinShedAfter); true {
		if o.shedding.Store(true); o.rejects(MinShedAfter) || !o.rejects(MinShedAfter+1) {
			t.Error("a target that is below the greatest age is not the limit")
		}
	}
}

// The gauge says what the latest request has waited, if that was within a second.
func TestQueueWaitMetric(t *testing.T) {
	f := newServer(t, func(c *Config) { c.ShedAfter = time.Hour })
	said := func(want float64) {
		t.Helper()
		if got := f.metric("popupd_queue_wait_seconds"); got != want {
			t.Errorf("%v s, want %v", got, want)
		}
	}
	f.overload.waited(2*time.Millisecond, true)
	f.overload.waited(time.Second, true) // one a tick is enough
	said(0.002)
	for range second {
		f.overload.tick()
	}
	said(0.002)
	f.overload.tick()
	said(0)
	f.overload.waited(time.Millisecond, false)
	said(0.001)
}

func TestPacer(t *testing.T) {
	p := pacer{interval: time.Millisecond}
	for i, c := range []struct{ now, cost, want time.Duration }{
		{5000, 1, 0},
		{5000, 1, 1},
		{5000, 4, 2},
		{5001, 1, 5},
		{5010, 1, 0}, // what was not used is lost
		{5010, 1, 1},
		{5010, 10_000, 2},
		{5010, 1, 4000}, // the longest delay
		{5011, 1, 4000},
	} {
		if got := p.reserve(c.now*time.Millisecond, c.cost); got != c.want*time.Millisecond {
			t.Errorf("reservation %d waits for %v, want %d ms", i, got, c.want)
		}
	}
}

// Rejections are spaced, those of clients that come back early do not delay the
// others, and no delay is longer than 4 s.
func TestRejectionsArePaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newTestOverload(t, time.Hour)
		begin := time.Now()
		var sent [2][]time.Duration
		var mu sync.Mutex
		var clients sync.WaitGroup
		for i := range 100_000 {
			clients.Go(func() {
				early := i%10 > 0
				o.pace(early, false)
				mu.Lock()
				defer mu.Unlock()
				kind := &sent[0]
				if early {
					kind = &sent[1]
				}
				*kind = append(*kind, time.Since(begin))
			})
		}
		clients.Wait()
		for i := range sent {
			n, last := len(sent[i]), sent[i][len(sent[i])-1]
			if want := min(time.Duration(n-1)*o.pacers[i].interval, maxRejectDelay); last != want {
				t.Errorf("pacer %d: the last of %d is sent after %v, want %v", i, n, last, want)
			}
			if middle := sent[i][1000]; middle != 1000*o.pacers[i].interval {
				t.Errorf("pacer %d: the thousandth is sent after %v, want %v", i, middle, 1000*o.pacers[i].interval)
			}
		}
		begin = time.Now()
		o.slower.Store(1)
		o.pace(false, false)
		o.pace(false, false)
		if took := time.Since(begin); took != 2*o.pacers[0].interval {
			t.Errorf("half as many rejections are %v apart, want %v", took, 2*o.pacers[0].interval)
		}
		o.slower.Store(0)
		time.Sleep(time.Second)
		begin = time.Now()
		o.pace(false, true)
		o.pace(false, true)
		if took := time.Since(begin); took != newConnectionCost*o.pacers[0].interval {
			t.Errorf("a rejection on a new connection delays the next by %v, want %v", took, newConnectionCost*o.pacers[0].interval)
		}
	})
}

// lateListener is one whose connections say how long a request has waited.
type lateListener struct {
	net.Listener
	by atomic.Int64 // ns
}

func (l *lateListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	return &lateConn{c, l}, err
}

func (*lateListener) Stamp(int64) {}

type lateConn struct {
	net.Conn
	listener *lateListener
}

func (c *lateConn) Arrived() int64 { return time.Now().UnixNano() - c.listener.by.Load() }

// In an overload period those that have waited are answered with 503 and told when
// to come back, and all others are served.
func TestOverloadedAnswers(t *testing.T) {
	f := newServer(t, func(c *Config) { c.ShedAfter = time.Hour }, "")
	f.ln = fasthttputil.NewInmemoryListener()
	f.Server.limits.settle = 0
	late := &lateListener{Listener: f.ln}
	f.serve(late)
	f.transport.DisableKeepAlives = true // or a request is no older than the answer to the one before it
	shown := f.sees("u", "p1")
	f.overload.rejected.Store(math.MaxInt32) // the period does not end
	f.overload.shedding.Store(true)
	f.sees("u", "")
	late.by.Store(int64(maxAge))
	var all [5]bool
	for range 100 {
		r := f.do("GET", "/v1/poll?uid=v", "")
		after, _ := strconv.Atoi(r.header.Get("Retry-After"))
		if r.status != http.StatusServiceUnavailable || r.code() != "overloaded" || after < 1 || after > 4 {
			t.Fatalf("poll: %+v", r)
		}
		wantNextPoll(t, r)
		all[after] = true
		f.overload.rejected.Store(math.MaxInt32)
	}
	if all != [5]bool{false, true, true, true, true} {
		t.Errorf("Retry-After is %v, want each of 1 to 4", all)
	}
	if r := f.act("click", shown.Token); r.status != http.StatusServiceUnavailable || r.code() != "overloaded" {
		t.Errorf("action: %+v", r)
	}
	f.counts(100, "popupd_decisions_total", "outcome", "shed")
	f.counts(101, "popupd_http_errors_total", "code", "overloaded")
	f.journaled("u impression 1")
	late.by.Store(0)
	f.sees("v", "p1")
}

// A client that comes back before its Retry-After has passed has a pacer of its
// own to wait for.
func TestEarlyClients(t *testing.T) {
	f := newServer(t, func(c *Config) { c.ShedAfter = time.Hour })
	f.overload.shedding.Store(true)
	c := &conn{Conn: peer{}}
	for i, step := range []struct {
		retryAt, age time.Duration // from now
		wrote        time.Duration
		used         int // pacer
		cost         time.Duration
	}{
		{-time.Minute, maxAge + 1, 0, 0, newConnectionCost},
		{time.Hour, maxAge + 1, 1, 1, 1},
		{-time.Minute, maxAge + 1, 1, 0, 1},
		{-time.Minute, time.Hour, 1, 1, 1}, // it came before
	} {
		now := time.Since(f.Server.start)
		c.retryAt, c.age, c.wrote = now+step.retryAt, step.age, step.wrote
		for j := range f.overload.pacers {
			f.overload.pacers[j].next = now - time.Hour
		}
		ctx := newContext(t, get("/v1/poll?uid=u")(f, 0))
		ctx.Init2(c, nil, false)
		f.handle(ctx)
		p := &f.overload.pacers[step.used]
		if ctx.Response.StatusCode() != http.StatusServiceUnavailable || p.next < now+step.cost*p.interval || f.overload.pacers[1-step.used].next != now-time.Hour {
			t.Errorf("step %d: status %d, pacers at %v and %v, now %v", i, ctx.Response.StatusCode(), f.overload.pacers[0].next, f.overload.pacers[1].next, now)
		}
		after, _ := strconv.Atoi(string(ctx.Response.Header.Peek("Retry-After")))
		if least := now + time.Duration(after)*time.Second; c.retryAt < least || c.retryAt > least+time.Minute {
			t.Errorf("step %d: Retry-After: %d passes at %v, now %v", i, after, c.retryAt, now)
		}
	}
}

// stampedConn is a connection whose reads return what they are given, and say how
// long it has waited for them.
type stampedConn struct {
	net.Conn
	waited []time.Duration // of each read
}

func (c *stampedConn) Read([]byte) (int, error)         { return 1, nil }
func (c *stampedConn) Write(b []byte) (int, error)      { return len(b), nil }
func (c *stampedConn) SetReadDeadline(time.Time) error  { return nil }
func (c *stampedConn) SetWriteDeadline(time.Time) error { return nil }

func (c *stampedConn) Arrived() int64 {
	waited := c.waited[0]
	c.waited = c.waited[1:]
	return time.Now().Add(-waited).UnixNano()
}

// What a request has waited is what its first bytes have, and not since before the
// answer to the one before it, or before the listener began. New connections have a queue of
// their own.
func TestRequestAge(t *testing.T) {
	metrics, err := newMetrics(nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{metrics: metrics, start: time.Now().Add(-time.Hour)}
	s.overload = newOverload(s, time.Minute)
	const short = time.Second // what the test itself may take
	inner := &stampedConn{waited: []time.Duration{2 * time.Minute, 0, 3 * time.Minute, 0}}
	c := &conn{Conn: inner, stamped: inner, listener: &listener{limits: defaultLimits, server: s}}
	waited := func(what string, want time.Duration, late [2]int) {
		t.Helper()
		if c.age < want || c.age > want+short {
			t.Errorf("%s: has waited %v, want %v", what, c.age, want)
		}
		if got := [2]int{s.overload.windows[0].late, s.overload.windows[1].late}; got != late {
			t.Errorf("%s: late samples %d, want %d", what, got, late)
		}
		s.overload.sampled.Store(false)
	}
	b := make([]byte, 1)
	c.Read(b)
	waited("the first", 2*time.Minute, [2]int{0, 1})
	connState(c, fasthttp.StateActive)
	c.Read(b)
	waited("more of it", 2*time.Minute, [2]int{0, 1})
	c.Write(b)
	connState(c, fasthttp.StateIdle)
	c.Read(b)
	waited("sent before the answer to the first", 0, [2]int{0, 1})
	c.wrote -= time.Hour / 2 // the answer was long ago
	inner.waited[0] = 3 * time.Minute
	c.Read(b)
	waited("the third", 3*time.Minute, [2]int{1, 1})
	// While one process has ended and the next has not begun, connections wait in a socket that
	// was passed. That is no overload of the next.
	for began, want := range map[time.Duration]time.Duration{time.Second: 0, 3 * time.Second: 2 * time.Minute} {
		s.overload.windows[1].reset()
		c = &conn{Conn: inner, stamped: inner, listener: &listener{limits: defaultLimits, server: s, began: time.Since(s.start) - began}}
		inner.waited = []time.Duration{2 * time.Minute}
		c.Read(b)
		waited(fmt.Sprintf("%v after the listener began", began), want, [2]int{1, int(want / (2 * time.Minute))})
	}
}
