//go:build linux

package bench

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"flag"
	"math/rand/v2"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/redis/rueidis"

	"github.com/popupd/popupd/internal/storetest"
	"github.com/popupd/popupd/internal/testbed"
	"github.com/popupd/popupd/persist"
	"github.com/popupd/popupd/popup"
	"github.com/popupd/popupd/queue"
	"github.com/popupd/popupd/queue/journal"
)

var peerDelay = flag.Duration("peer-delay", 20*time.Millisecond, "how long BenchmarkPipeline and BenchmarkPipelineSteady gather events before they are shipped")

// pipeline is what a server does with its events, from the journal to the
// database, with real stores on the same machine.
type pipeline struct {
	journal *journal.Journal
	shipper *queue.Shipper
	sink    *meter
	mysqld  int // pids
	redis   int
}

// startPipeline runs until the benchmark ends.
func startPipeline(b *testing.B) *pipeline {
	b.Helper()
	// As a small production server is set: storetest's 128 MB would measure how
	// fast the disk is read.
	mysqld := storetest.StartMySQL(b, "--innodb-buffer-pool-size=1G", "--innodb-log-file-size=1G")
	redisd := storetest.StartRedis(b)
	db, err := persist.Open(persist.Config{DSN: mysqld.CreateDatabase(b, "popupd")})
	if err != nil {
		b.Fatal(err)
	}
	if err := db.Migrate(b.Context()); err != nil {
		b.Fatal(err)
	}
	client, err := rueidis.NewClient(rueidis.ClientOption{
		InitAddress: []string{redisd.Addr}, ForceSingleClient: true, DisableCache: true, DisableRetry: true,
		PipelineMultiplex: -1, BlockingPoolSize: 8, ReadBufferEachConn: 64 << 10, WriteBufferEachConn: 64 << 10,
		ConnWriteTimeout: 3 * time.Second,
	})
	if err != nil {
		b.Fatal(err)
	}
	journal, err := journal.Open(journal.Config{Dir: b.TempDir(), Sync: 200 * time.Millisecond})
	if err != nil {
		b.Fatal(err)
	}
	p := &pipeline{journal: journal, sink: &meter{db: db}, mysqld: mysqld.Pid(), redis: redisd.Pid()}
	p.shipper = queue.NewShipper(queue.ShipperConfig{Journal: journal, Redis: client, Prefix: "bench", Ledger: db, PeerDelay: *peerDelay})
	consumer := queue.NewConsumer(queue.ConsumerConfig{
		Redis: client, Prefix: "bench", Ledger: db, Sink: p.sink, OnFlush: p.shipper.Acked,
		Own: func() (ids []popup.StreamID) {
			for _, s := range journal.Streams() {
				ids = append(ids, s.ID())
			}
			return ids
		},
	})
	ctx, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	for _, run := range []func(context.Context) error{journal.Run, p.shipper.Run, consumer.Run} {
		running.Go(func() {
			if err := run(ctx); err != nil {
				b.Error(err)
			}
		})
	}
	b.Cleanup(func() {
		stop()
		running.Wait()
		if err := journal.Release(); err != nil {
			b.Error(err)
		}
		client.Close()
		if err := db.Close(); err != nil {
			b.Error(err)
		}
	})
	return p
}

// append journals an event as the handler does: alone.
func (p *pipeline) append(b *testing.B, e popup.Event) {
	if err := p.journal.Append([]popup.Event{e}); err != nil {
		b.Fatal(err)
	}
}

func (p *pipeline) awaitDrained(b *testing.B) {
	b.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for !p.shipper.Drained() {
		select {
		case <-b.Context().Done():
			b.Fatal("the time is up before all events are counted")
		case <-tick.C:
		}
	}
}

// meter is the database, and how it is used.
type meter struct {
	db *persist.DB

	mu      sync.Mutex
	events  int
	flushes int
	lags    []time.Duration // of the oldest event of each flush
}

func (m *meter) Flush(ctx context.Context, b *popup.Batch) (uint64, error) {
	last, err := m.db.Flush(ctx, b)
	if err == nil && len(b.Events) > 0 {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.events += len(b.Events)
		m.flushes++
		m.lags = append(m.lags, time.Since(time.UnixMilli(b.Events[0].AtMS)))
	}
	return last, err
}

// visitors makes events: of five, four are impressions and one is what became of
// an impression a moment ago. A million users see one of ten popups.
type visitors struct {
	random *rand.Rand
	recent [512]popup.Event
	made   int
}

func newVisitors() *visitors { return &visitors{random: rand.New(rand.NewPCG(1, 2))} }

func (v *visitors) next() popup.Event {
	const users = 1_000_000
	now := time.Now().UnixMilli()
	if v.made > len(v.recent) && v.random.IntN(5) == 0 {
		e := v.recent[v.random.IntN(len(v.recent))]
		e.Action, e.AtMS = popup.Dismiss, now
		if v.random.IntN(3) == 0 {
			e.Action, e.ClickUntilMS = popup.Click, now+86_400_000
		}
		e.ReadyAtMS = now + 86_400_000
		return e
	}
	var id [4]byte
	binary.LittleEndian.PutUint32(id[:], v.random.Uint32N(users)*2654435761) // spread over the keys, each user the same again
	e := popup.Event{
		AtMS: now, ServedAtMS: now, ReadyAtMS: now + 86_400_000,
		User:  hex.AppendEncode(append(make([]byte, 0, 16), "user-"...), id[:]),
		Popup: v.random.Uint32N(10) + 1, Version: 3, Variant: []byte("ab"[v.made%2:][:1]),
		Action: popup.Impression, Nth: v.random.Uint32N(3) + 1,
	}
	v.recent[v.made%len(v.recent)] = e
	v.made++
	return e
}

// used is the processor time of the three processes so far.
type used struct{ popupd, mysqld, redis time.Duration }

func (p *pipeline) used(b *testing.B) (u used) {
	b.Helper()
	var own syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &own); err != nil {
		b.Fatal(err)
	}
	u.popupd = time.Duration(own.Utime.Nano() + own.Stime.Nano())
	var err error
	if u.mysqld, err = testbed.CPU(p.mysqld); err != nil {
		b.Fatal(err)
	}
	if u.redis, err = testbed.CPU(p.redis); err != nil {
		b.Fatal(err)
	}
	return u
}

// report tells what the events since before cost each process; popupd's share
// includes making them.
func (p *pipeline) report(b *testing.B, before used) {
	b.Helper()
	after := p.used(b)
	p.sink.mu.Lock()
	defer p.sink.mu.Unlock()
	each := func(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1000 / float64(p.sink.events) }
	b.ReportMetric(each(after.mysqld-before.mysqld), "mariadbd-us/event")
	b.ReportMetric(each(after.redis-before.redis), "redis-us/event")
	b.ReportMetric(each(after.popupd-before.popupd), "popupd-us/event")
	b.ReportMetric(float64(p.sink.events)/float64(p.sink.flushes), "events/flush")
}

// BenchmarkPipeline brings events to the database as fast as it goes. An
// iteration is an event; run it with a million or more.
func BenchmarkPipeline(b *testing.B) {
	p, v := startPipeline(b), newVisitors()
	before := p.used(b)
	b.ResetTimer()
	for range b.N {
		p.append(b, v.next())
	}
	p.awaitDrained(b)
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
	p.report(b, before)
}

// BenchmarkPipelineSteady is the load that 50,000 requests a second make, 8 % of
// them served and 2 % actions. An iteration is a second.
func BenchmarkPipelineSteady(b *testing.B) {
	const perSecond = 5000
	const every = 2 * time.Millisecond
	p, v := startPipeline(b), newVisitors()
	before := p.used(b)
	start := time.Now()
	tick := time.NewTicker(every)
	defer tick.Stop()
	b.ResetTimer()
	for made := 0; made < b.N*perSecond; {
		<-tick.C
		for due := int(time.Since(start).Seconds() * perSecond); made < min(due, b.N*perSecond); made++ {
			p.append(b, v.next())
		}
	}
	p.awaitDrained(b)
	b.StopTimer()
	after := p.used(b)
	b.ReportMetric(100*(after.mysqld-before.mysqld).Seconds()/b.Elapsed().Seconds(), "mariadbd-core-%")
	p.report(b, before)
	slices.Sort(p.sink.lags)
	b.ReportMetric(float64(p.sink.lags[len(p.sink.lags)*99/100].Milliseconds()), "p99-lag-ms")
}
