package queue

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/rueidis"

	"github.com/popupd/popupd/internal/retry"
	"github.com/popupd/popupd/popup"
	"github.com/popupd/popupd/queue/journal"
)

// Ledger is what MySQL says of streams. A call that fails says nothing: the row
// may have been changed or not. Calls end with their context or sooner.
type Ledger interface {
	// Register makes the stream's progress row, if there is none, with the
	// events before first declared lost, and reopens it if it was closed. It
	// returns last_seq: events up to this are committed, and no others are.
	Register(ctx context.Context, s popup.StreamID, first uint64) (last uint64, err error)
	// Progress returns last_seq. An unknown stream is not one that stands at 0.
	Progress(ctx context.Context, s popup.StreamID) (last uint64, known bool, err error)
	// CloseStream says that the stream has ended and is committed.
	CloseStream(ctx context.Context, s popup.StreamID) error
	// Orphans returns the streams that are not closed and were not moved for idle.
	Orphans(ctx context.Context, idle time.Duration) ([]popup.StreamID, error)
}

// ShipperConfig says what is shipped, and where to.
type ShipperConfig struct {
	Journal *journal.Journal
	// Redis needs DisableCache, DisableRetry (a command is repeated by those who
	// know what it did), PipelineMultiplex -1 (so that what is written in order
	// arrives in order) and a ConnWriteTimeout of seconds, which bounds every
	// command. The Consumer and Listen use the same client.
	Redis  rueidis.Client
	Prefix string // first part of the names of keys and channels
	Ledger Ledger
	// PeerDelay is how long events are gathered before they are pushed and other servers
	// are told of them, 0 for not at all: what comes while a push is on its way goes with
	// the next one. The shorter, the more elements (bench/results/doubleshows.md).
	PeerDelay time.Duration
	// Window is how many bytes of the stream that is being written may be in
	// Redis and not committed, default 32 MiB. Old streams share another Window.
	Window     int64
	Log        *slog.Logger          // default: nothing is logged
	Registerer prometheus.Registerer // default: no metrics
}

// The paces of shipping.
const (
	probeEvery  = time.Second // is Redis there, are there other streams
	stallAtMost = 5 * time.Minute
	retryFirst  = 100 * time.Millisecond
	retryAtMost = 5 * time.Second
)

// pace is how often a shipment looks after what it has pushed.
type pace struct {
	check time.Duration // is anything lost
	idle  time.Duration // the same, when all is committed
	stall time.Duration // all is sent again after so long without progress, then after twice that, ...
}

// newBackoff spaces out what failed: Redis or MySQL is away.
func newBackoff() retry.Backoff { return retry.Backoff{First: retryFirst, Most: retryAtMost} }

var defaultPace = pace{check: time.Second, idle: 10 * time.Second, stall: 10 * time.Second}

// Sizes of what is shipped.
const (
	elementBytes  = 64 << 10  // of one list element, about
	pipelineMax   = 16        // elements in one round trip
	defaultWindow = 32 << 20  // bytes
	leastWindow   = 256 << 10 // bytes, of each of many old streams
	keyTTL        = 7 * 24 * time.Hour
)

// Shipper brings the journal's streams to Redis, sees to it that what Redis
// loses comes again, and lets the journal delete what MySQL has committed.
type Shipper struct {
	c       ShipperConfig
	pace    pace
	metrics shipperMetrics

	// Of all shipments: one cause is logged once, however many streams it stops.
	outage, blindness retry.Outage

	mu        sync.Mutex
	shipments map[popup.StreamID]*shipment // of Journal.Streams
	old       int                          // of these, sealed ones
	reachable bool                         // Redis answered last time
}

type shipperMetrics struct {
	shipped, resends prometheus.Counter
}

// NewShipper returns a shipper that does nothing before [Shipper.Run].
func NewShipper(c ShipperConfig) *Shipper {
	if c.Window == 0 {
		c.Window = defaultWindow
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	s := &Shipper{
		c: c, pace: defaultPace, shipments: make(map[popup.StreamID]*shipment),
		outage:    retry.Outage{Log: c.Log, Begins: "shipping is interrupted, events wait in the journal", Ends: "shipping goes on", EachCause: true},
		blindness: retry.Outage{Log: c.Log, Begins: "MySQL does not say what is committed"},
	}
	s.metrics = shipperMetrics{
		shipped: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "popupd_shipped_events_total", Help: "Events pushed to Redis, those pushed again included.",
		}),
		resends: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "popupd_resends_total", Help: "Times that a stream's list was deleted and sent again because Redis had lost some of it or nothing moved.",
		}),
	}
	if c.Registerer != nil {
		c.Registerer.MustRegister(s.metrics.shipped, s.metrics.resends,
			prometheus.NewGaugeFunc(prometheus.GaugeOpts{
				Name: "popupd_queue_depth_events", Help: "Events in this server's journal that MySQL has not committed yet.",
			}, func() float64 { return float64(s.depth()) }),
			prometheus.NewGaugeFunc(prometheus.GaugeOpts{
				Name: "popupd_oldest_uncounted_event_seconds", Help: "How long ago the oldest event was appended to this server's journal that MySQL is not known to have committed; 0 if there is none.",
			}, func() float64 { return s.Oldest().Seconds() }),
			prometheus.NewGaugeFunc(prometheus.GaugeOpts{
				Name: "popupd_redis_up", Help: "Whether Redis takes writes.",
			}, s.up),
		)
	}
	return s
}

// Run ships until ctx ends. It returns nil, when all it started has ended.
func (s *Shipper) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	var running sync.WaitGroup
	defer running.Wait()
	defer cancel() // also after a panic
	running.Go(func() { retry.Every(ctx, s.pace.idle, func() { s.revise(ctx) }) })
	probe := time.NewTicker(probeEvery)
	defer probe.Stop()
	s.probe(ctx)
	for {
		s.follow(ctx, &running)
		select {
		case <-ctx.Done():
			return nil
		case <-probe.C:
			s.probe(ctx)
		case <-s.c.Journal.Changed():
		}
		if s.c.PeerDelay > 0 && retry.Pause(ctx, s.c.PeerDelay) != nil {
			return nil
		}
	}
}

// follow starts a shipment for each new stream, forgets those of streams that
// are gone, and wakes all.
func (s *Shipper) follow(ctx context.Context, running *sync.WaitGroup) {
	streams := s.c.Journal.Streams()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.old = 0
	listed := make(map[popup.StreamID]bool, len(streams))
	for _, stream := range streams {
		id := stream.ID()
		listed[id] = true
		if stream.Sealed() {
			s.old++
		}
		p := s.shipments[id]
		if p == nil {
			p = newShipment(s, stream)
			s.shipments[id] = p
			running.Go(func() { p.run(ctx) })
		}
		retry.Notify(p.wake)
	}
	for id := range s.shipments {
		if !listed[id] {
			delete(s.shipments, id) // its stream is removed, so it has ended or is about to
		}
	}
}

// revise looks whether MySQL still has the streams that were removed, and takes
// those back that it does not: it was restored to an earlier state.
func (s *Shipper) revise(ctx context.Context) {
	for _, stream := range s.c.Journal.Kept() {
		id := stream.ID()
		last, known, err := s.c.Ledger.Progress(ctx, id)
		if err != nil {
			return // it does not answer now
		}
		if known && last >= stream.Last() || !stream.Revive() {
			continue
		}
		s.c.Log.Warn("MySQL has committed less of an ended stream than it had, shipping it again", "stream", id.String(), "committed", last, "events", stream.Last())
		s.mu.Lock()
		delete(s.shipments, id) // the one that has ended
		s.mu.Unlock()
	}
}

// window returns how many bytes of a stream may be in Redis and not committed.
func (s *Shipper) window(sealed bool) int64 {
	if !sealed {
		return s.c.Window
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return max(s.c.Window/int64(max(s.old, 1)), leastWindow)
}

// Acked tells that MySQL has committed the stream up to last, as the local consumer has
// just seen. Without it the shipper finds out within a second.
func (s *Shipper) Acked(stream popup.StreamID, last uint64) {
	s.mu.Lock()
	p := s.shipments[stream]
	s.mu.Unlock()
	if p == nil {
		return
	}
	for {
		old := p.hint.Load()
		if old >= last {
			return
		}
		if p.hint.CompareAndSwap(old, last) {
			retry.Notify(p.wake)
			return
		}
	}
}

// Drained reports whether everything that was appended is committed.
func (s *Shipper) Drained() bool {
	streams := s.c.Journal.Streams()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, stream := range streams {
		last := stream.Last()
		if p := s.shipments[stream.ID()]; last > 0 && (p == nil || p.committed.Load() < last) {
			return false
		}
	}
	return true
}

// depth returns how many events wait to be committed, also of streams whose shipment has
// not begun: a server that was just started has events of the previous process.
func (s *Shipper) depth() (n uint64) {
	streams := s.c.Journal.Streams()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, stream := range streams {
		next := stream.First() // of a stream that MySQL has not told of, all that is kept
		if p := s.shipments[stream.ID()]; p != nil {
			next = max(next, p.committed.Load()+1)
		}
		if last := stream.Last(); last >= next {
			n += last - next + 1
		}
	}
	return n
}

// Oldest returns how long the oldest event has waited that is not known to be
// committed.
func (s *Shipper) Oldest() (age time.Duration) {
	streams := s.c.Journal.Streams()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, stream := range streams {
		next := stream.First() // of a stream that MySQL has not told of, all that is kept
		if p := s.shipments[stream.ID()]; p != nil {
			next = max(next, p.committed.Load()+1)
		}
		age = max(age, stream.Age(next))
	}
	return age
}

// up returns 1 if Redis takes writes and no shipment is refused by it, else 0.
func (s *Shipper) up() float64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.reachable {
		return 0
	}
	for _, p := range s.shipments {
		if p.refused.Load() {
			return 0
		}
	}
	return 1
}

// probe finds out whether Redis takes writes, with one that changes nothing: RPUSHX
// makes no list. A replica, a Redis that is full and one that cannot save refuse it.
func (s *Shipper) probe(ctx context.Context) {
	err := s.c.Redis.Do(ctx, s.c.Redis.B().Rpushx().Key(probeKey(s.c.Prefix)).Element("").Build()).Error()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reachable = err == nil
}
