package queue

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/rueidis"

	"github.com/popupd/popupd/internal/retry"
	"github.com/popupd/popupd/popup"
)

// Sink commits events. Flush applies a batch in one transaction that also moves
// the stream's progress from b.After to b.Last, if it stands there, and returns
// the new progress. After an error the batch was applied as a whole or not at
// all: the caller reads [Ledger.Progress] and goes on from there. The batch is
// the sink's until it returns.
type Sink interface {
	Flush(ctx context.Context, b *popup.Batch) (last uint64, err error)
}

// ConsumerConfig says whose events are committed, and by whom.
type ConsumerConfig struct {
	Redis  rueidis.Client // see ShipperConfig.Redis
	Prefix string
	Ledger Ledger
	Sink   Sink
	// Own returns the streams of this server. Those of servers that do not flush
	// theirs are taken over when they have not moved for 30 s.
	Own func() []popup.StreamID
	// OnFlush is told what is committed now (see Shipper.Acked). May be nil.
	OnFlush    func(stream popup.StreamID, last uint64)
	Log        *slog.Logger          // default: nothing is logged
	Registerer prometheus.Registerer // default: no metrics
}

// The paces of committing.
const (
	flushEvery    = 200 * time.Millisecond // when there is little to commit: see bench/results/pipeline.md
	followEvery   = 250 * time.Millisecond
	orphansIdle   = 30 * time.Second
	adoptEvery    = 10 * time.Second
	releaseAfter  = 30 * time.Second // an adopted stream without events
	fruitlessMost = time.Second      // between looks at a list that holds nothing to commit yet
)

// Sizes of what is committed at once.
const (
	batchEvents = 16_000  // in one transaction, about
	peekBytes   = 1 << 20 // at once, about
	peekLeast   = 16      // elements
	peekMost    = 512     // elements: 32 MiB if they are suddenly full
	adoptAtOnce = 2       // adopted streams that are in memory at a time
)

// Consumer takes events from Redis to MySQL. Several, in several processes, may
// be at work on one stream: only one of them gets a batch committed.
type Consumer struct {
	c       ConsumerConfig
	damaged prometheus.Counter
	slots   chan struct{} // of adopted streams, adoptAtOnce

	outage    retry.Outage // of all drains: one cause is logged once, however many streams it stops
	blindness retry.Outage // of adopt

	mu     sync.Mutex
	drains map[popup.StreamID]*drain // running
}

// NewConsumer returns a consumer that does nothing before [Consumer.Run].
func NewConsumer(c ConsumerConfig) *Consumer {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.OnFlush == nil {
		c.OnFlush = func(popup.StreamID, uint64) {}
	}
	k := &Consumer{
		c: c,
		damaged: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "popupd_damaged_elements_total", Help: "Times that a list in Redis was found to hold something that is not a whole frame of its stream.",
		}),
		slots:     make(chan struct{}, adoptAtOnce),
		drains:    make(map[popup.StreamID]*drain),
		outage:    retry.Outage{Log: c.Log, Begins: "committing is interrupted", Ends: "committing goes on", EachCause: true},
		blindness: retry.Outage{Log: c.Log, Begins: "MySQL does not say which streams are left", Ends: "MySQL says again which streams are left"},
	}
	if c.Registerer != nil {
		c.Registerer.MustRegister(k.damaged)
	}
	return k
}

// Run flushes until ctx ends. It returns nil, when all it started has ended.
func (k *Consumer) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	var running sync.WaitGroup
	defer running.Wait()
	defer cancel() // also after a panic
	tick := time.NewTicker(followEvery)
	defer tick.Stop()
	running.Go(func() {
		for ctx.Err() == nil {
			k.adopt(ctx, &running)
			_ = retry.Pause(ctx, adoptEvery) // ctx is looked at above
		}
	})
	for {
		k.follow(ctx, &running)
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// follow flushes our own streams, and stops with those that were.
func (k *Consumer) follow(ctx context.Context, running *sync.WaitGroup) {
	own := k.c.Own()
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, id := range own {
		if k.drains[id] == nil {
			k.startLocked(ctx, running, id, false)
		}
	}
	for id, d := range k.drains {
		if !d.adopted && !slices.Contains(own, id) {
			d.stop()
		}
	}
}

// adopt flushes the streams that nobody else does.
func (k *Consumer) adopt(ctx context.Context, running *sync.WaitGroup) {
	orphans, err := k.c.Ledger.Orphans(ctx, orphansIdle)
	if ctx.Err() != nil {
		return
	}
	k.blindness.Report(err)
	if err != nil {
		return
	}
	own := k.c.Own()
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, id := range orphans {
		if k.drains[id] == nil && !slices.Contains(own, id) {
			k.startLocked(ctx, running, id, true)
		}
	}
}

func (k *Consumer) startLocked(ctx context.Context, running *sync.WaitGroup, id popup.StreamID, adopted bool) {
	ctx, stop := context.WithCancel(ctx)
	d := newDrain(k, id, adopted, stop)
	k.drains[id] = d
	running.Go(func() {
		defer stop()
		d.run(ctx)
		k.mu.Lock()
		defer k.mu.Unlock()
		delete(k.drains, id)
	})
}
