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
// waited for long is refused, with 503, and told when to come back, which makes
// room for others. Long is far less than the wait that may stand, so that what is
// answered is answered as if there was no crowd, however large it is.
//
// A refusal costs little less than an answer. Clients that come back at once would
// keep popupd busy with refusals until whatever it reads has waited too long. So
// refusals wait for their turn, and there are so many a second that there is time
// to answer; while a client waits for its own, it asks nothing.
//
// Whether the queue would still stand is not to be seen while it is kept short.
// So from time to time it is tried, ever less often as long as it would.
type overload struct {
	metrics *metrics
	start   time.Time     // as the server's
	target  time.Duration // the wait that may stand
	stop    chan struct{}
	ended   chan struct{}

	current       atomic.Pointer[episode] // nil: there is no overload
	came, refused atomic.Int64            // requests in this second of it

	sampled atomic.Bool // a request has been asked about since the latest tick
	samples [2]standing // of requests on connections that were used before, and on new ones

	// The goroutine of run owns these, which count ticks.
	lasted int // this episode
	quiet  int // without one
	unseen int // without a sample
	trial  int // until it is tried without
}

// episode is one overload.
type episode struct {
	turns chan struct{} // gives turns to those who are refused
	over  chan struct{} // closed after its end, when nobody waits any more
}

// MinShedAfter is the shortest Config.ShedAfter: a server that is not overloaded
// makes requests wait nearly as long.
const MinShedAfter = time.Millisecond

const (
	overloadTick = 10 * time.Millisecond
	lateSamples  = 10 // make an overload: 100 ms at least
	sampleLife   = 100 * time.Millisecond

	longWait = 300 * time.Microsecond // refused beyond; an idle server now and then needs as long

	turnsAtOnce = 8 // and processor; each takes 20 to 30 us, or 110 if the client connects anew
	turnPause   = time.Millisecond

	second     = int(time.Second / overloadTick)
	few        = 16  // one request in as many is few to refuse in a second
	fewAtLeast = 100 // and so are these, which cost 1/300 of a core
	firstTrial = 30 * second
	lastTrial  = 300 * second
)

// newOverload returns nil, which sends nothing away, if the target is 0.
func newOverload(s *Server, target time.Duration) *overload {
	if target == 0 {
		return nil
	}
	return &overload{metrics: s.metrics, start: s.start, target: target, stop: make(chan struct{}), ended: make(chan struct{}), trial: firstTrial}
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
	for {
		select {
		case <-ticker.C:
			stamp(o.tick())
		case <-o.stop:
			return
		}
	}
}

// tick looks how an overload goes on, and returns how many requests to ask about
// until the next tick.
func (o *overload) tick() int64 {
	if o.unseen++; o.sampled.Swap(false) {
		o.unseen = 0
	} else if o.unseen == second {
		o.metrics.wait.Set(0) // nobody comes
	}
	if o.current.Load() == nil {
		o.lasted = 0
		if o.quiet++; o.quiet >= second {
			o.trial = firstTrial
		}
		return 1
	}
	o.lasted++
	o.quiet = 0
	if o.lasted%second != 0 {
		return math.MaxInt64
	}
	came, refused := o.came.Swap(0), o.refused.Swap(0)
	if refused > max(came/few, fewAtLeast) && o.lasted < o.trial {
		return math.MaxInt64
	}
	o.trial = min(2*o.trial, lastTrial)
	o.lasted = 0
	o.samples[0].reset()
	o.samples[1].reset()
	o.current.Store(nil)
	return 1
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
	if queue.note(time.Since(o.start), wait > o.target) && o.current.Load() == nil {
		o.begin()
	}
}

// begin begins an episode, if there is none.
func (o *overload) begin() {
	e := &episode{turns: make(chan struct{}), over: make(chan struct{})}
	if o.current.CompareAndSwap(nil, e) {
		go o.giveTurns(e)
	}
}

// giveTurns lets those go on who are refused, a few at a time, until the episode
// has ended and they are all gone.
func (o *overload) giveTurns(e *episode) {
	defer close(e.over)
	atOnce := turnsAtOnce * runtime.GOMAXPROCS(0)
	pause := time.NewTicker(turnPause)
	defer pause.Stop()
	for {
		select {
		case <-pause.C:
		case <-o.stop:
			return
		}
		ended := o.current.Load() != e
		n := 0
		for n < atOnce && e.giveTurn() {
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
	e := o.current.Load()
	if e == nil {
		return false
	}
	o.came.Add(1)
	if waited <= longWait {
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

func (s *standing) reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.late = 0
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
