package handler

import (
	"math"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/valyala/fasthttp"
)

// overload rejects requests while more come in than can be answered in time.
//
// A request waits in the backlog of the listener, in the queue of the poller and
// in that of the scheduler. Its age when it is read is all of that. The kernel
// stamps what comes in; to ask for a stamp costs 0.3 us, so one request in 10 ms
// is asked for it, and each one only during an overload period.
//
// A period begins when the queueing delay stays above the target for 100 ms: a
// queue that goes away by itself needs no help (CoDel, RFC 8289; B. Maurer, Fail
// at Scale, 2015). From then on what is older than maxAge is rejected. That age is
// long enough for the server never to run out of requests, and short enough for
// the responses. The period ends when for a second next to nothing was rejected.
//
// A rejection costs about as much as an answer to a poll. Rejections are paced, so
// that clients that come back at once cannot take the time that answers need, and
// more slowly while there are more of them than answers, as on a slow machine. A
// client that waits for its rejection sends nothing.
type overload struct {
	metrics *metrics
	start   time.Time     // as the server's
	target  time.Duration // of the queueing delay
	stop    chan struct{}
	ended   chan struct{}

	shedding       atomic.Bool  // an overload period is under way
	came, rejected atomic.Int64 // requests in this second of it
	slower         atomic.Int32 // each is half as many rejections a second

	sampled atomic.Bool    // a request has been asked for its age since the latest tick
	windows [2]delayWindow // of requests on connections that were used before, and on new ones
	pacers  [2]pacer       // of clients that heed Retry-After, and of those that came back early

	// The goroutine of run owns these, which count ticks.
	lasted int // since the period began
	unseen int // since a request was asked
}

// MinShedAfter is the shortest Config.ShedAfter: a server that is not overloaded
// makes requests wait nearly as long.
const MinShedAfter = time.Millisecond

const (
	overloadTick = 10 * time.Millisecond
	second       = int(time.Second / overloadTick)
	lateSamples  = 10 // begin a period: 100 ms at least
	sampleLife   = 100 * time.Millisecond

	maxAge   = 20 * time.Millisecond // of what is answered during a period
	rareness = 64                    // a period ends when one request in as many is rejected

	// A rejection takes 20 to 30 us of a core, and 110 with a connection of its own.
	heededInterval    = time.Second / 5000 // between rejections, on one core
	earlyInterval     = time.Second / 3000
	newConnectionCost = 4
	maxSlower         = 4
	maxRejectDelay    = 4 * time.Second
)

// newOverload returns nil, which rejects nothing, if the target is 0.
func newOverload(s *Server, target time.Duration) *overload {
	if target == 0 {
		return nil
	}
	o := &overload{metrics: s.metrics, start: s.start, target: target, stop: make(chan struct{}), ended: make(chan struct{})}
	cores := time.Duration(runtime.GOMAXPROCS(0))
	o.pacers[0].interval, o.pacers[1].interval = heededInterval/cores, earlyInterval/cores
	return o
}

// run asks requests for their age until close is called.
func (o *overload) run(stamp func(n int64)) {
	defer close(o.ended)
	ticker := time.NewTicker(overloadTick)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			stamp(o.tick())
		case <-o.stop:
			return
		}
	}
}

// tick ends a period that is over, and returns how many requests to ask for their
// age until the next tick.
func (o *overload) tick() int64 {
	if o.unseen++; o.sampled.Swap(false) {
		o.unseen = 0
	} else if o.unseen == second {
		o.metrics.wait.Set(0) // no requests come
	}
	if !o.shedding.Load() {
		o.lasted = 0
		return 1
	}
	if o.lasted++; o.lasted%second != 0 {
		return math.MaxInt64
	}
	switch came, rejected := o.came.Swap(0), o.rejected.Swap(0); {
	case rejected > came/2:
		o.slower.Store(min(o.slower.Load()+1, maxSlower))
	case rejected > came/rareness:
		o.slower.Store(max(o.slower.Load()-1, 0))
	default:
		o.windows[0].reset()
		o.windows[1].reset()
		o.slower.Store(0)
		o.shedding.Store(false)
		return 1
	}
	return math.MaxInt64
}

// close ends run.
func (o *overload) close() {
	close(o.stop)
	<-o.ended
}

// waited takes note of the age of a request, which is on a new connection or on
// one that was used before: each kind has a queue of its own.
func (o *overload) waited(age time.Duration, fresh bool) {
	if o.sampled.Load() || !o.sampled.CompareAndSwap(false, true) {
		return
	}
	o.metrics.wait.Set(age.Seconds())
	window := &o.windows[0]
	if fresh {
		window = &o.windows[1]
	}
	if window.note(time.Since(o.start), age > o.target) {
		o.shedding.Store(true)
	}
}

// rejects reports whether to reject a request of this age.
func (o *overload) rejects(age time.Duration) bool {
	if !o.shedding.Load() {
		return false
	}
	o.came.Add(1)
	if age <= min(maxAge, o.target) {
		return false
	}
	o.rejected.Add(1)
	return true
}

// pace waits until a rejection may be sent. The client of an early one was
// rejected before, and has come back before its Retry-After had passed.
func (o *overload) pace(early, fresh bool) {
	p, cost := &o.pacers[0], time.Duration(1)
	if early {
		p = &o.pacers[1]
	}
	if fresh {
		cost = newConnectionCost
	}
	time.Sleep(p.reserve(time.Since(o.start), cost<<o.slower.Load()))
}

// pacer spaces rejections (the generic cell rate algorithm, ITU-T I.371).
type pacer struct {
	interval time.Duration
	mu       sync.Mutex
	next     time.Duration // when the next one may be sent
}

// reserve returns how long to wait with a rejection that costs as much as so many.
func (p *pacer) reserve(now, cost time.Duration) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	at := min(max(p.next, now), now+maxRejectDelay)
	p.next = at + cost*p.interval
	return at - now
}

// delayWindow knows whether the queueing delay stays above the target: late
// samples outnumber those in time. CoDel would want all to be late, but what the
// poller finds last the scheduler runs first, so that in the longest queue some
// are in time.
type delayWindow struct {
	mu     sync.Mutex
	late   int
	latest time.Duration // sample; if that is long ago, it says nothing about now
}

// note takes a sample and reports whether the delay stays above the target.
func (w *delayWindow) note(now time.Duration, late bool) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if now-w.latest > sampleLife {
		w.late = 0
	}
	w.latest = now
	if late {
		w.late = min(w.late+1, lateSamples)
	} else {
		w.late = max(w.late-1, 0)
	}
	return w.late == lateSamples
}

func (w *delayWindow) reset() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.late = 0
}

// sheds answers a request with 503 if it has waited too long.
func (s *Server) sheds(ctx *fasthttp.RequestCtx) bool {
	if s.overload == nil {
		return false
	}
	c, ok := ctx.Conn().(*conn)
	if !ok || !s.overload.rejects(c.age) {
		return false
	}
	s.overload.pace(time.Since(s.start)-c.age < c.retryAt, c.wrote == 0)
	after := 1 + rand.IntN(len(retries))
	c.retryAt = time.Since(s.start) + time.Duration(after)*time.Second
	s.fail(ctx, overloaded)
	ctx.Response.Header.SetCanonical(retryAfterName, retries[after-1])
	return true
}

// retries are values of Retry-After in seconds: clients that are rejected together
// shall not come back together.
var retries = [][]byte{[]byte("1"), []byte("2"), []byte("3"), []byte("4")}

var retryAfterName = []byte(fasthttp.HeaderRetryAfter)
