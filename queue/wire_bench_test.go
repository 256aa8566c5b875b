package queue

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/popupd/popupd/popup"
)

// countingStore is a Ledger of one stream and a Sink that does nothing but count.
type countingStore struct {
	*memoryStore
	last atomic.Uint64
}

func (c *countingStore) Register(context.Context, popup.StreamID, uint64) (uint64, error) {
	return c.last.Load(), nil
}

func (c *countingStore) Progress(context.Context, popup.StreamID) (uint64, bool, error) {
	return c.last.Load(), true, nil
}

func (c *countingStore) Flush(_ context.Context, b *popup.Batch) (uint64, error) {
	c.last.Store(b.Last)
	return b.Last, nil
}

// wireRig is a rig on a redis-server whose journal holds b.N events, in frames
// of one as a poll makes them, and that is held back by nothing.
func wireRig(b *testing.B) (*rig, *countingStore) {
	client, _ := realRedis(b)
	r := newRig(b, client)
	sink := &countingStore{memoryStore: r.store}
	r.shipper.c.Ledger, r.shipper.c.Window = sink, 1<<40
	r.append(b.N, 1)
	return r, sink
}

func reportEvents(b *testing.B) {
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
}

// poll waits without the granularity of a test's await.
func poll(ok func() bool) {
	tick := time.NewTicker(100 * time.Microsecond)
	defer tick.Stop()
	for ; !ok(); <-tick.C {
	}
}

// BenchmarkShip brings events from the journal to a Redis on the same machine.
func BenchmarkShip(b *testing.B) {
	r, _ := wireRig(b)
	b.ResetTimer()
	r.startShipper()
	poll(func() bool { return r.shipped() >= uint64(b.N) })
	reportEvents(b)
}

// BenchmarkConsume takes them from there to a sink that does nothing.
func BenchmarkConsume(b *testing.B) {
	r, sink := wireRig(b)
	r.startShipper()
	poll(func() bool { return r.shipped() >= uint64(b.N) })
	k := NewConsumer(ConsumerConfig{Redis: r.client, Prefix: "test", Ledger: sink, Sink: sink, Own: r.streams})
	b.ResetTimer()
	r.start(k.Run)
	poll(func() bool { return sink.last.Load() >= uint64(b.N) })
	reportEvents(b)
}

// BenchmarkShipAndConsume does both at once, within the usual window.
func BenchmarkShipAndConsume(b *testing.B) {
	r, sink := wireRig(b)
	r.shipper.c.Window = defaultWindow
	k := NewConsumer(ConsumerConfig{
		Redis: r.client, Prefix: "test", Ledger: sink, Sink: sink, Own: r.streams, OnFlush: r.acked,
	})
	b.ResetTimer()
	r.startShipper()
	r.start(k.Run)
	poll(func() bool { return sink.last.Load() >= uint64(b.N) })
	reportEvents(b)
}
