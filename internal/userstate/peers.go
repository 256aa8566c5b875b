package userstate

import (
	"context"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"github.com/popupd/popupd/popup"
)

// subscribeTimeout is how long a start waits for the subscription to what other servers
// serve. Redis may be away.
const subscribeTimeout = time.Second

// peers says since when this server may lack what other servers have served.
//
// Nothing is lacking after a read that began under a subscription: what is shipped
// later is heard; what was shipped before is in the lists, which are read first, or
// was committed by then, and the database is read after them. Only what another
// server has journaled and not yet shipped is unknown, for some 20 ms. Events and
// states merge in any order, so what is heard meanwhile is merged at once.
type peers struct {
	shipped    shipped
	subscribed chan struct{} // closed by the first subscription

	mu       sync.Mutex // guards what follows
	up       bool       // subscribed now
	ever     bool
	breaks   int       // times that events may have been missed
	lackFrom time.Time // zero: nothing is lacking
}

// shipped is [Config.Shipped].
type shipped = func(context.Context, func(*popup.Event), func(stream popup.StreamID, first, last uint64)) error

func newPeers(shipped shipped, r prometheus.Registerer) *peers {
	p := &peers{shipped: shipped, subscribed: make(chan struct{})}
	if shipped != nil {
		p.lackFrom = time.Now()
	}
	promauto.With(r).NewGaugeFunc(prometheus.GaugeOpts{
		Name: "popupd_peer_lag_seconds",
		Help: "For how long this server may have missed what other servers served; 0 while it is subscribed and has caught up.",
	}, p.lag)
	return p
}

func (p *peers) lag() float64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.lackFrom.IsZero() {
		return 0
	}
	return time.Since(p.lackFrom).Seconds()
}

// miss says that events may have been missed.
func (p *peers) miss() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.missLocked()
}

func (p *peers) missLocked() {
	p.breaks++
	if p.lackFrom.IsZero() {
		p.lackFrom = time.Now()
	}
}

// subscribe says that a subscription begins or ends. Of one that begins it calls
// behind, which asks for a read, before a start that waits for the subscription goes
// on, and under the lock: a read that takes the request begins after the subscription.
func (p *peers) subscribe(up bool, behind func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.missLocked()
	p.up = up
	if up {
		behind()
	}
	if up && !p.ever {
		p.ever = true
		close(p.subscribed)
	}
}

// await waits for the first subscription, if there are other servers, and not for long.
func (p *peers) await(ctx context.Context) {
	if p.shipped == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, subscribeTimeout)
	defer cancel()
	select {
	case <-p.subscribed:
	case <-ctx.Done():
	}
}

// begin returns what end needs to know of a read that begins.
func (p *peers) begin() (breaks int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.breaks
}

// end says that a read has found all there was. It means nothing if events may have been
// missed since it began.
func (p *peers) end(breaks int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.up && p.breaks == breaks {
		p.lackFrom = time.Time{}
	}
}

func (p *peers) subscribedNow() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.up
}

// Subscribed says that what other servers ship is heard from now on, or no more.
func (s *State) Subscribed(up bool) { s.peers.subscribe(up, s.Behind) }

// Heard says that the events from first to last of another server's stream are merged.
// Where some before them were not, they were missed.
func (s *State) Heard(stream popup.StreamID, first, last uint64) {
	if s.known.hear(stream, first, last) {
		s.Missed()
	}
}

// Missed says that some of what other servers shipped was not heard.
func (s *State) Missed() {
	s.peers.miss()
	s.Behind()
}
