package handler

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

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

// An overload ends when few are refused, and after a while in any case.
func TestOverloadEnds(t *testing.T) {
	for _, c := range []struct {
		name          string
		came, refused int64
		look          int
		want          bool
	}{
		{"a third are refused", 1000, 333, 1, false},
		{"for long", 1000, 333, maxLooks - 1, false},
		{"for so long", 1000, 333, maxLooks, true},
		{"few are", 1600, 100, 1, true},
		{"not so few", 1600, 101, 1, false},
		{"nobody came", 0, 0, 1, true},
		{"all are", 10, 10, 1, false},
	} {
		var o overload
		o.came.Store(c.came)
		o.refused.Store(c.refused)
		if got := o.look(c.look); got != c.want {
			t.Errorf("%s: it ends: %v, want %v", c.name, got, c.want)
		}
		if o.came.Load() != 0 || o.refused.Load() != 0 {
			t.Errorf("%s: counted on", c.name)
		}
	}
}

// Refusals wait for their turn, answers do not.
func TestTurns(t *testing.T) {
	o := newOverload(&Server{}, time.Hour)
	e := &episode{limit: time.Millisecond, turns: make(chan struct{}), over: make(chan struct{})}
	o.now.Store(e)
	const n = 100
	refused := make(chan bool, n)
	wait := func(n int) {
		o.refused.Store(0)
		for range n {
			go func() { refused <- o.sheds(time.Millisecond + 1) }()
		}
		eventually(t, "they wait", func() bool { return int(o.refused.Load()) == n })
	}
	wait(n)
	if o.sheds(time.Millisecond) {
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
	o.now.Store(nil)
	begin := time.Now()
	o.giveTurns(e)
	for range n - 1 {
		if !<-refused {
			t.Error("not refused after the end")
		}
	}
	if took, least := time.Since(begin), (n-1)/turnsAtOnce*turnPause; took < least {
		t.Errorf("all refused in %v, want %v at least", took, least)
	}
	if o.sheds(time.Hour) {
		t.Error("refused after the end")
	}
	o.now.Store(e) // as it was for whoever looked before the end
	if !o.sheds(time.Hour) {
		t.Error("a latecomer is not refused")
	}

	// Nobody waits for a server that is shut down.
	e = &episode{limit: time.Millisecond, over: make(chan struct{})}
	o.now.Store(e)
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

// When requests have waited too long for a while, those that have are answered
// with 503 and told when to come back, over connections that stay, and all others
// are served.
func TestOverloadedAnswers(t *testing.T) {
	f := newServer(t, func(c *Config) { c.ShedAfter = 20 * time.Millisecond }, "")
	f.ln = fasthttputil.NewInmemoryListener()
	late := &lateListener{Listener: f.ln}
	f.serve(late)
	shown := f.sees("u", "p1")

	late.by.Store(int64(10 * time.Millisecond))
	for end := time.Now().Add(3 * lateSamples * overloadTick); time.Now().Before(end); {
		f.sees("u", "")
	}
	late.by.Store(int64(21 * time.Millisecond))
	eventually(t, "it is an overload", func() bool { return f.do("GET", "/v1/poll?uid=u", "").status == http.StatusServiceUnavailable })

	late.by.Store(int64(shortestLimit) / 2)
	f.sees("u", "")
	late.by.Store(int64(shortestLimit) + 1)
	shedBefore, errorsBefore := f.metric("popupd_decisions_total", "outcome", "shed"), f.metric("popupd_http_errors_total", "code", "overloaded")
	var all [5]bool
	for range 100 {
		r := f.do("GET", "/v1/poll?uid=v", "")
		after, _ := strconv.Atoi(r.header.Get("Retry-After"))
		if r.status != http.StatusServiceUnavailable || r.code() != "overloaded" || r.header.Get("Connection") == "close" || after < 1 || after > 4 {
			t.Fatalf("poll: %+v", r)
		}
		all[after] = true
	}
	if all != [5]bool{false, true, true, true, true} {
		t.Errorf("Retry-After is %v, want each of 1 to 4", all)
	}
	if r := f.act("click", shown.Token); r.status != http.StatusServiceUnavailable || r.code() != "overloaded" {
		t.Errorf("action: %+v", r)
	}
	if got := f.metric("popupd_decisions_total", "outcome", "shed") - shedBefore; got != 100 {
		t.Errorf("%v polls are counted as sent away, want 100", got)
	}
	if got := f.metric("popupd_http_errors_total", "code", "overloaded") - errorsBefore; got != 101 {
		t.Errorf("%v requests are counted as sent away, want 101", got)
	}
	f.journaled("u impression 1")

	late.by.Store(-int64(time.Hour)) // the clock was set
	f.sees("u", "")
	eventually(t, "it is over", func() bool { return f.overload.now.Load() == nil })
	late.by.Store(int64(time.Millisecond))
	f.sees("v", "p1")
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
	eventually(t, "it is over", func() bool { return f.overload.now.Load() == nil })
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
