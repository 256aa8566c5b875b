package handler

import (
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/valyala/fasthttp"
	"github.com/valyala/fasthttp/fasthttputil"
)

func TestStanding(t *testing.T) {
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
		var s standing
		now, got := time.Second, false
		for _, one := range c.samples {
			now += one.after
			got = s.note(now, one.late)
		}
		if got != c.want {
			t.Errorf("%s: it stands: %v, want %v", c.name, got, c.want)
		}
	}
}

// tickFor ticks for a second's worth or more, in each second of which so many come
// and are refused, until the episode ends, and returns how many ticks that took.
func (o *overload) tickFor(ticks int, came, refused int64) int {
	for i := range ticks {
		if o.lasted%second == 0 {
			o.came.Store(came)
			o.refused.Store(refused)
		}
		if n := o.tick(); (o.current.Load() != nil) != (n == math.MaxInt64) {
			panic(fmt.Sprintf("asks about %d requests at %d", n, i))
		}
		if o.current.Load() == nil {
			return i + 1
		}
	}
	return ticks
}

// An overload ends when few are refused, and after a while in any case.
func TestOverloadEnds(t *testing.T) {
	metrics, err := newMetrics(nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name          string
		came, refused int64
		want          int // seconds
	}{
		{"a third are refused", 10_000, 3333, 30},
		{"one in 16", 16_000, 1000, 1},
		{"one more", 16_000, 1001, 30},
		{"nobody comes", 0, 0, 1},
		{"all of the few who come", 100, 100, 1},
		{"of one more", 101, 101, 30},
	} {
		o := newOverload(&Server{metrics: metrics}, time.Hour)
		o.current.Store(new(episode))
		if got := o.tickFor(1000*second, c.came, c.refused); got != c.want*second {
			t.Errorf("%s: it ends after %d ticks, want %d s", c.name, got, c.want)
		}
	}

	// If the queue stands again when it is tried without, the next trial comes later.
	o := newOverload(&Server{metrics: metrics}, time.Hour)
	try := func(quiet, want int) {
		t.Helper()
		for range quiet {
			o.tick()
		}
		o.current.Store(new(episode))
		if got := o.tickFor(1000*second, 1000, 500); got != want*second {
			t.Errorf("tried without after %d ticks, want %d s", got, want)
		}
	}
	for _, want := range []int{30, 60, 120, 240, 300, 300} {
		try(second-1, want)
	}
	try(second, 30)
	for i := range o.samples {
		o.samples[i].late = lateSamples - 1
	}
	o.current.Store(new(episode))
	o.tickFor(second, 0, 0)
	for i := range o.samples {
		if o.samples[i].late != 0 {
			t.Error("what was sampled in an overload counts after it")
		}
	}
}

// The gauge says what the latest request has waited, if that was within a second.
func TestWaitIsSaid(t *testing.T) {
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

// Refusals wait for their turn, answers do not.
func TestTurns(t *testing.T) {
	metrics, err := newMetrics(nil)
	if err != nil {
		t.Fatal(err)
	}
	o := newOverload(&Server{metrics: metrics}, time.Hour)
	e := &episode{turns: make(chan struct{}), over: make(chan struct{})}
	o.current.Store(e)
	const n = 100
	refused := make(chan bool, n)
	wait := func(n int) {
		o.refused.Store(0)
		for range n {
			go func() { refused <- o.sheds(longWait + 1) }()
		}
		eventually(t, "they wait", func() bool { return int(o.refused.Load()) == n })
	}
	wait(n)
	if o.sheds(longWait) {
		t.Error("refused, though it has not waited too long")
	}
	e.turns <- struct{}{}
	if !<-refused {
		t.Error("not refused in its turn")
	}
	select {
	case <-refused:
		t.Error("it was not its turn")
	case <-time.After(10 * time.Millisecond):
	}

	// After the end there are turns for the others, and then for everybody.
	o.current.Store(nil)
	begin := time.Now()
	o.giveTurns(e)
	for range n - 1 {
		if !<-refused {
			t.Error("not refused after the end")
		}
	}
	if took, least := time.Since(begin), (n-1)/(turnsAtOnce*time.Duration(runtime.GOMAXPROCS(0)))*turnPause; took < least {
		t.Errorf("all refused in %v, want %v at least", took, least)
	}
	if o.sheds(time.Hour) {
		t.Error("refused after the end")
	}
	o.current.Store(e) // as it was for whoever looked before the end
	if !o.sheds(time.Hour) {
		t.Error("a latecomer is not refused")
	}

	// Nobody waits for a server that is shut down.
	e = &episode{over: make(chan struct{})}
	o.current.Store(e)
	go o.giveTurns(e) // there are none
	wait(n)
	go o.run(func(int64) {})
	o.close()
	for range n {
		<-refused
	}
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

// When requests have waited too long for a while it is an overload, until they
// have not.
func TestOverloadBeginsAndEnds(t *testing.T) {
	f := newServer(t, func(c *Config) { c.ShedAfter = 20 * time.Millisecond }, "")
	f.ln = fasthttputil.NewInmemoryListener()
	late := &lateListener{Listener: f.ln}
	f.serve(late)
	f.transport.DisableKeepAlives = true // or a request is no older than the answer to the one before it
	f.sees("u", "p1")
	late.by.Store(int64(10 * time.Millisecond))
	for end := time.Now().Add(3 * lateSamples * overloadTick); time.Now().Before(end); {
		f.sees("u", "")
	}
	late.by.Store(int64(21 * time.Millisecond))
	eventually(t, "it begins", func() bool { return f.do("GET", "/v1/poll?uid=u", "").status == http.StatusServiceUnavailable })
	late.by.Store(-int64(time.Hour)) // the clock was set
	f.sees("u", "")
	eventually(t, "it ends", func() bool { return f.overload.current.Load() == nil })
}

// In an overload those that have waited are answered with 503 and told when to
// come back, and all others are served.
func TestOverloadedAnswers(t *testing.T) {
	f := newServer(t, func(c *Config) { c.ShedAfter = time.Hour }, "")
	f.ln = fasthttputil.NewInmemoryListener()
	late := &lateListener{Listener: f.ln}
	f.serve(late)
	f.transport.DisableKeepAlives = true // or a request is no older than the answer to the one before it
	shown := f.sees("u", "p1")
	f.overload.begin()
	f.sees("u", "")
	late.by.Store(int64(longWait) + 1)
	var all [5]bool
	for range 100 {
		r := f.do("GET", "/v1/poll?uid=v", "")
		after, _ := strconv.Atoi(r.header.Get("Retry-After"))
		if r.status != http.StatusServiceUnavailable || r.code() != "overloaded" || after < 1 || after > 4 {
			t.Fatalf("poll: %+v", r)
		}
		all[after] = true
		f.overload.refused.Add(fewAtLeast) // it goes on
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
// answer to the one before it. New connections have a queue of their own.
func TestRequestsWait(t *testing.T) {
	metrics, err := newMetrics(nil)
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
		if c.waited < want || c.waited > want+short {
			t.Errorf("%s: has waited %v, want %v", what, c.waited, want)
		}
		if got := [2]int{s.overload.samples[0].late, s.overload.samples[1].late}; got != late {
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
}

// More clients than can be served within the target: some are sent away, and soon
// after the crowd has gone nobody is.
func TestOverload(t *testing.T) {
	f := newServer(t, func(c *Config) { c.ShedAfter = time.Millisecond }, everyTime)
	f.events.hook = func() { // makes a poll dear
		for begin := time.Now(); time.Since(begin) < 200*time.Microsecond; {
		}
	}
	address := f.serveTCP()
	var served, shed atomic.Int64
	stop := make(chan struct{})
	var clients sync.WaitGroup
	for i := range 300 {
		clients.Go(func() {
			transport := new(http.Transport)
			defer transport.CloseIdleConnections()
			client := http.Client{Transport: transport}
			for {
				select {
				case <-stop:
					return
				default:
				}
				res, err := client.Get(fmt.Sprintf("http://%s/v1/poll?uid=u%d", address, i))
				if err != nil {
					continue // the server has closed the connection that was used again
				}
				io.Copy(io.Discard, res.Body)
				res.Body.Close()
				switch res.StatusCode {
				case http.StatusServiceUnavailable:
					shed.Add(1)
				case http.StatusOK, http.StatusNoContent:
					served.Add(1)
				default:
					t.Errorf("poll: %s", res.Status)
				}
			}
		})
	}
	eventually(t, "some are sent away and others served", func() bool { return shed.Load() >= 100 && served.Load() >= 100 })
	close(stop)
	clients.Wait()
	f.client.CloseIdleConnections()
	eventually(t, "it is over", func() bool { return f.overload.current.Load() == nil })
	for i := range 10 {
		res, err := f.client.Get(fmt.Sprintf("http://%s/v1/poll?uid=after%d", address, i))
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != http.StatusOK {
			t.Errorf("after the overload: %s", res.Status)
		}
	}
}

// eventually waits until what is said is so.
func eventually(t testing.TB, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !is(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not so in 10 s: %s", what)
		}
	}
}
