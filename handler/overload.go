package handler

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"sync/atomic"
	"time"

	"github.com/valyala/fasthttp"
)

// overload notices that more comes in than can be answered, and says which
// share of it to send away.
//
// Nearly all that a request costs is the kernel's and HTTP's, so that a refusal
// costs little less than an answer: sending away saves the others from waiting
// only because those that are sent away close their connections and come back
// later. What a request waits for is all the others that wait, so the time that
// it waits is what is measured, and nothing is counted per request: a probe, a
// byte in a pipe, goes the way of a request through the poller and the
// scheduler, a hundred times a second, and takes as long as a request that comes
// in at the same time. A new connection waits in the backlog of the listener
// before that: for the length of it divided by how many are accepted in a second.
//
// A queue that goes away by itself is no overload, one that stands is: the rule
// of CoDel (RFC 8289; K. Nichols and V. Jacobson, Controlling Queue Delay, 2012).
// B. Maurer, Fail at Scale (2015), has found it of use for requests.
type overload struct {
	server *Server
	target time.Duration // the wait that may stand
	ended  chan struct{}
	pipe   [2]*os.File // read, write

	sent     atomic.Int64 // the probe under way, as server.start
	requests shedding
	conns    shedding

	// The goroutine of run owns these.
	counted  time.Duration // when accepted was
	accepted int64
	waiting  int // in the backlog then
}

const (
	probePause    = 10 * time.Millisecond // between probes
	pressedPause  = time.Millisecond      // while there is overload, or was a moment ago
	standing      = 100 * time.Millisecond
	sheddingLasts = time.Second // without a queue, until there is none
)

// newOverload returns nil, which sends nothing away, if the target is 0.
func newOverload(s *Server, target time.Duration) *overload {
	if target == 0 {
		return nil
	}
	return &overload{server: s, target: target, ended: make(chan struct{})}
}

// open makes the pipe of the probe. It is called once, before run.
func (o *overload) open() (err error) {
	if o.pipe[0], o.pipe[1], err = os.Pipe(); err != nil {
		return fmt.Errorf("probe for overload: %w", err)
	}
	return nil
}

// run probes until close is called.
func (o *overload) run() {
	defer close(o.ended)
	out, in := make([]byte, 1), make([]byte, 1)
	probe := time.AfterFunc(math.MaxInt64, func() {
		o.sent.Store(int64(time.Since(o.server.start)))
		o.pipe[1].Write(out)
	})
	defer probe.Stop()
	for pause := probePause; ; {
		probe.Reset(pause)
		if _, err := o.pipe[0].Read(in); err != nil {
			return
		}
		now := time.Since(o.server.start)
		pause = o.note(now, now-time.Duration(o.sent.Load()))
	}
}

// close ends run.
func (o *overload) close() {
	o.pipe[0].Close()
	<-o.ended
	o.pipe[1].Close()
}

// note takes what the probe found and returns the time until the next one.
func (o *overload) note(now, wait time.Duration) time.Duration {
	o.server.metrics.wait.Set(wait.Seconds())
	o.requests.note(now, wait, o.target)
	if elapsed := now - o.counted; elapsed >= probePause {
		accepted := o.server.accepted.Load()
		// If there was a backlog all the time, as many as could be were accepted,
		// and the last one waits as long as it takes to accept as many. If none
		// was, that cannot be told; out of descriptors, say.
		n, waiting := accepted-o.accepted, o.server.backlog()
		if n > 0 && o.waiting > 0 {
			wait += elapsed * time.Duration(waiting) / time.Duration(n)
		}
		o.counted, o.accepted, o.waiting = now, accepted, waiting
		o.conns.note(now, wait, o.target)
	}
	if o.requests.recent(now) || o.conns.recent(now) {
		return pressedPause
	}
	return probePause
}

// shedding is the share of requests, or of connections, to send away.
type shedding struct {
	share atomic.Uint32 // of 1<<32

	above time.Duration // since when each probe has waited too long; 0: the last one has not
	last  time.Duration // when the share was last above 0; 0: never
}

// note sends away what waits beyond the target, when that has been standing. If
// it was a moment ago, that does not take as long.
func (s *shedding) note(now, wait, target time.Duration) {
	if wait <= target {
		// Halved, since an overload that goes on is back with the next probe.
		s.above = 0
		s.share.Store(s.share.Load() / 2)
		return
	}
	if s.above == 0 {
		s.above = now
	}
	if age := now - s.above; age < target || age < standing && !s.recent(now) {
		return
	}
	s.last = now
	s.share.Store(uint32((1 - float64(target)/float64(wait)) * math.MaxUint32))
}

func (s *shedding) recent(now time.Duration) bool {
	return s.last != 0 && now-s.last < sheddingLasts
}

// sheds reports whether to send away what has just come.
func (s *shedding) sheds() bool {
	share := s.share.Load()
	return share != 0 && rand.Uint32() < share
}

// sheds answers a request if there are too many.
func (s *Server) sheds(ctx *fasthttp.RequestCtx) bool {
	if s.overload == nil || !s.overload.requests.sheds() {
		return false
	}
	s.fail(ctx, overloaded)
	ctx.Response.Header.SetCanonical(retryAfterName, retries[rand.IntN(len(retries))])
	ctx.SetConnectionClose()
	return true
}

// retries are values of Retry-After: those who are sent away together shall not
// come back together.
var retries = [][]byte{[]byte("1"), []byte("2"), []byte("3"), []byte("4")}

var retryAfterName = []byte(fasthttp.HeaderRetryAfter)
