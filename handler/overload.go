package handler

import (
	"math"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/valyala/fasthttp"
)

// overload notices that more comes in than can be answered in time, and sends
// away what has waited too long.
//
// A request waits for others in the backlog of the listener, in the queue of the
// poller and in that of the scheduler. All of it is in one figure: how long after
// it came in it is read. The kernel knows when it came in. To ask is not free, so
// one request in 10 ms is asked about, and each one only during an overload.
//
// A queue that goes away by itself is none, one that stands is: the rule of CoDel
// (RFC 8289; K. Nichols and V. Jacobson, Controlling Queue Delay, 2012). B. Maurer,
// Fail at Scale (2015), has found it of use for requests. From then on what has
// waited beyond a limit is answered with 503, and told when to come back, which
// makes room for others. Those are answered as if there was no crowd, however
// large it is, so the limit is far shorter than the wait that may stand.
//
// A refusal costs little less than an answer. Clients that come back at once would
// keep popupd busy with refusals until whatever it reads has waited too long. So
// refusals wait for their turn, and there are not more of those than leave time to
// answer; while a client waits for its own, it asks nothing.
type overload struct {
	metrics *metrics
	start   time.Time     // as the server's
	target  time.Duration // the wait that may stand
	stop    chan struct{}
	ended   chan struct{}

	now           atomic.Pointer[episode] // nil: there is no overload
	came, refused atomic.Int64            // requests since the latest look

	sampled atomic.Bool // a request has been asked about since the latest tick
	samples [2]standing // of requests on connections that were used before, and on new ones
}

// episode is one overload.
type episode struct {
	limit time.Duration // that a request may have waited
	turns chan struct{} // gives turns to those who are refused
	over  chan struct{} // closed after its end, when nobody waits any more
}

const (
	overloadTick = 10 * time.Millisecond
	lateSamples  = 10 // make an overload: 100 ms at least
	sampleLife   = 100 * time.Millisecond

	shortestLimit = 300 * time.Microsecond // an idle server now and then needs as long
	turnsAtOnce   = 16                     // for each 20 to 30 us of a core, or more with a new connection
	turnPause     = time.Millisecond

	lookTicks = 100 // a second between two looks at how an episode goes
	few       = 16  // one in as many
	maxLooks  = 300
)

// newOverload returns nil, which sends nothing away, if the target is 0.
func newOverload(s *Server, target time.Duration) *overload {
	if target == 0 {
		return nil
	}
	return &overload{metrics: s.metrics, start: s.start, target: target, stop: make(chan struct{}), ended: make(chan struct{})}
}

// stamper is a listener whose connections can say when what they read came in.
type stamper interface {
	// Stamp has the next n reads of all its connections take note of that.
	Stamp(n int64)
}

// stamped is a connection of a stamper.
type stamped interface {
	// Arrived returns it in ns since the epoch, 0 if it was not taken note of.
	Arrived() int64
}

// run asks about requests until close is called.
func (o *overload) run(stamp func(n int64)) {
	defer close(o.ended)
	ticker := time.NewTicker(overloadTick)
	defer ticker.Stop()
	for ticks := 0; ; {
		select {
		case <-ticker.C:
		case <-o.stop:
			return
		}
		if !o.sampled.Swap(false) {
			o.metrics.wait.Set(0) // nobody came
		}
		if o.now.Load() == nil {
			ticks = 0
			stamp(1)
			continue
		}
		stamp(math.MaxInt64)
		if ticks++; ticks%lookTicks == 0 && o.look(ticks/lookTicks) {
			o.now.Store(nil)
		}
	}
}

// close ends run.
func (o *overload) close() {
	close(o.stop)
	<-o.ended
}

// waited takes note of how long a request has waited, which is on a new
// connection or on one that was used before.
func (o *overload) waited(wait time.Duration, fresh bool) {
	if o.sampled.Load() || !o.sampled.CompareAndSwap(false, true) {
		return
	}
	o.metrics.wait.Set(wait.Seconds())
	queue := &o.samples[0]
	if fresh {
		queue = &o.samples[1]
	}
	if queue.note(time.Since(o.start), wait > o.target) && o.now.Load() == nil {
		o.begin()
	}
}

// begin begins an episode, if there is none.
func (o *overload) begin() {
	e := &episode{limit: min(o.target, shortestLimit), turns: make(chan struct{}), over: make(chan struct{})}
	if o.now.CompareAndSwap(nil, e) {
		go o.giveTurns(e)
	}
}

// look reports whether an episode is to end: few are refused, or it has gone on
// for so long that it is time to see whether the queue would still stand.
func (o *overload) look(n int) bool {
	came, refused := o.came.Swap(0), o.refused.Swap(0)
	return refused <= came/few || n >= maxLooks
}

// giveTurns lets those go on who are refused, a few at a time, until the episode
// has ended and they are all gone.
func (o *overload) giveTurns(e *episode) {
	defer close(e.over)
	pause := time.NewTicker(turnPause)
	defer pause.Stop()
	for {
		select {
		case <-pause.C:
		case <-o.stop:
			return
		}
		ended := o.now.Load() != e
		n := 0
		for n < turnsAtOnce && e.giveTurn() {
			n++
		}
		if n == 0 && ended {
			return
		}
	}
}

// giveTurn reports whether anybody has waited for one.
func (e *episode) giveTurn() bool {
	select {
	case e.turns <- struct{}{}:
		return true
	default:
		return false
	}
}

// sheds reports whether to send away a request that has waited, when it is its
// turn to be.
func (o *overload) sheds(waited time.Duration) bool {
	e := o.now.Load()
	if e == nil {
		return false
	}
	o.came.Add(1)
	if waited <= e.limit {
		return false
	}
	o.refused.Add(1)
	select {
	case <-e.turns:
	case <-e.over:
	}
	return true
}

// standing knows whether a queue stands: late samples outnumber those in time.
// CoDel would want all to be late, but what the poller finds last the scheduler
// runs first, so that in the longest queue some are in time.
type standing struct {
	mu     sync.Mutex
	late   int
	latest time.Duration // sample; if that is long ago, it says nothing about now
}

// note takes a sample and reports whether the queue stands.
func (s *standing) note(now time.Duration, late bool) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if now-s.latest > sampleLife {
		s.late = 0
	}
	s.latest = now
	if late {
		s.late = min(s.late+1, lateSamples)
	} else {
		s.late = max(s.late-1, 0)
	}
	return s.late == lateSamples
}

// sheds answers a request if it has waited too long.
func (s *Server) sheds(ctx *fasthttp.RequestCtx) bool {
	if s.overload == nil {
		return false
	}
	c, ok := ctx.Conn().(*conn)
	if !ok || !s.overload.sheds(c.waited) {
		return false
	}
	s.fail(ctx, overloaded)
	ctx.Response.Header.SetCanonical(retryAfterName, retries[rand.IntN(len(retries))])
	return true
}

// retries are values of Retry-After: those who are sent away together shall not
// come back together.
var retries = [][]byte{[]byte("1"), []byte("2"), []byte("3"), []byte("4")}

var retryAfterName = []byte(fasthttp.HeaderRetryAfter)
