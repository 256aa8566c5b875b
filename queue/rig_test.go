package queue

import (
	"context"
	"crypto/tls"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"log/slog"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/rueidis"

	"github.com/popupd/popupd/internal/storetest"
	"github.com/popupd/popupd/popup"
	"github.com/popupd/popupd/queue/journal"
)

// patience is how long a test waits for what must happen.
const patience = 30 * time.Second

// await waits until ok holds.
func await(t testing.TB, what string, ok func() bool) {
	t.Helper()
	deadline := time.Now().Add(patience)
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for ; !ok(); <-tick.C {
		if time.Now().After(deadline) {
			t.Fatalf("after %v still not: %s", patience, what)
		}
	}
}

// rig is a server's pipeline: a journal, a shipper, consumers, a Redis and a
// store that a test may break.
type rig struct {
	t        testing.TB
	dir      string
	window   int64
	client   rueidis.Client
	store    *memoryStore
	registry *prometheus.Registry

	mu      sync.Mutex // guards shipper while consumers run
	journal *journal.Journal
	shipper *Shipper
	id      popup.StreamID // of the journal's own stream
	users   []string       // of the events appended to it
	stops   []func()
}

// newRig opens a journal. Nothing runs yet.
func newRig(t testing.TB, client rueidis.Client) *rig {
	r := &rig{t: t, dir: t.TempDir(), client: client, store: newMemoryStore()}
	t.Cleanup(r.stop)
	r.open()
	return r
}

// open opens the journal, as a new start of the server does.
func (r *rig) open() {
	r.t.Helper()
	var err error
	r.journal, err = journal.Open(journal.Config{
		Dir: r.dir, Sync: 20 * time.Millisecond, SegmentBytes: 128 << 10, Grace: time.Nanosecond, Log: testLog(r.t),
	})
	if err != nil {
		r.t.Fatal(err)
	}
	r.users = nil
	for _, s := range r.journal.Streams() {
		if !s.Sealed() {
			r.id = s.ID()
		}
	}
	r.newShipper()
}

// newShipper makes a shipper that knows nothing of what the last one did.
func (r *rig) newShipper() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.registry = prometheus.NewRegistry()
	r.shipper = NewShipper(ShipperConfig{
		Journal: r.journal, Redis: r.client, Prefix: "test", Ledger: r.store, Window: r.window,
		Log: testLog(r.t), Registerer: r.registry,
	})
	r.shipper.pace = pace{check: 100 * time.Millisecond, idle: time.Second, stall: time.Minute}
}

// start runs something until the rig stops or the returned function is called.
func (r *rig) start(run func(ctx context.Context) error) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var done sync.WaitGroup
	done.Go(func() {
		if err := run(ctx); err != nil {
			r.t.Errorf("run: %v", err)
		}
	})
	stop = func() { cancel(); done.Wait() }
	r.stops = append(r.stops, stop)
	return stop
}

func (r *rig) startJournal() { r.start(r.journal.Run) }
func (r *rig) startShipper() { r.start(r.shipper.Run) }

// startConsumer runs a consumer of this server.
func (r *rig) startConsumer() (stop func()) {
	return r.start(NewConsumer(ConsumerConfig{
		Redis: r.client, Prefix: "test", Ledger: r.store, Sink: r.store,
		Own: r.streams, OnFlush: r.acked, Log: testLog(r.t),
	}).Run)
}

// acked tells the shipper there is now.
func (r *rig) acked(stream popup.StreamID, last uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.shipper.Acked(stream, last)
}

func (r *rig) streams() (ids []popup.StreamID) {
	for _, s := range r.journal.Streams() {
		ids = append(ids, s.ID())
	}
	return ids
}

// stop ends everything and gives the journal back, as the end of the process does.
func (r *rig) stop() {
	for _, stop := range slices.Backward(r.stops) {
		stop()
	}
	r.stops = nil
	if err := r.journal.Release(); err != nil {
		r.t.Errorf("release journal: %v", err)
	}
}

// append appends n events, in frames of at most size.
func (r *rig) append(n, size int) {
	r.t.Helper()
	for n > 0 {
		events := make([]popup.Event, min(n, size))
		for i := range events {
			user := fmt.Sprintf("user-%d", len(r.users)+1)
			events[i] = popup.Event{AtMS: 1, User: []byte(user), Popup: 1, Version: 1, Variant: []byte("a"), Action: popup.Click, Nth: 1}
			r.users = append(r.users, user)
		}
		if err := r.journal.Append(events); err != nil {
			r.t.Fatal(err)
		}
		n -= len(events)
	}
}

// waitDrained waits until all is committed and checks that it was, once and in order.
func (r *rig) waitDrained() {
	r.t.Helper()
	await(r.t, "drained", r.shipper.Drained)
	r.verify(r.id, r.users)
}

// awaitRound waits until what runs (a consumer with a list of which it can count
// nothing, or a shipper that may push nothing) has asked for the progress twice
// more: it does so once in each round, so what it does in a round it has done.
func (r *rig) awaitRound() {
	r.t.Helper()
	before := r.store.made("progress")
	await(r.t, "another round", func() bool { return r.store.made("progress") > before+1 })
}

// verify checks what the store counts of a stream.
func (r *rig) verify(id popup.StreamID, want []string) {
	r.t.Helper()
	r.store.verify(r.t)
	got := r.store.committed(id)
	for i := range max(len(got), len(want)) {
		if i >= len(got) || i >= len(want) || got[i] != want[i] {
			r.t.Fatalf("committed %d events, want %d; the first difference is event %d", len(got), len(want), i+1)
		}
	}
}

// key returns the name of the own stream's list.
func (r *rig) key() string { return listKey("test", r.id.String()) }

// do runs a command in Redis.
func (r *rig) do(args ...string) rueidis.RedisResult {
	r.t.Helper()
	reply := r.client.Do(context.Background(), r.client.B().Arbitrary(args...).Build())
	if err := reply.Error(); err != nil && !rueidis.IsRedisNil(err) {
		r.t.Fatalf("%v: %v", args[0], err)
	}
	return reply
}

// list returns the own stream's list.
func (r *rig) list() []string {
	r.t.Helper()
	elements, err := r.do("LRANGE", r.key(), "0", "-1").AsStrSlice()
	if err != nil {
		r.t.Fatal(err)
	}
	return elements
}

// shipped returns how many events were pushed.
func (r *rig) shipped() uint64 { return uint64(r.metric("popupd_shipped_events_total")) }

// waitShipped waits until everything appended was pushed.
func (r *rig) waitShipped() {
	r.t.Helper()
	await(r.t, "shipped", func() bool { return r.shipped() >= uint64(len(r.users)) })
}

// metric returns the value of a counter or gauge without labels.
func (r *rig) metric(name string) float64 {
	r.t.Helper()
	families, err := r.registry.Gather()
	if err != nil {
		r.t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == name {
			m := f.GetMetric()[0]
			return m.GetCounter().GetValue() + m.GetGauge().GetValue()
		}
	}
	r.t.Fatalf("no metric %s", name)
	return 0
}

// clientOption is what popupd's own client is like.
func clientOption() rueidis.ClientOption {
	return rueidis.ClientOption{
		ForceSingleClient: true, DisableCache: true, DisableRetry: true,
		PipelineMultiplex: -1, BlockingPoolSize: 8,
		ReadBufferEachConn: 64 << 10, WriteBufferEachConn: 64 << 10,
		ConnWriteTimeout: 3 * time.Second, Dialer: net.Dialer{Timeout: time.Second},
	}
}

func newClient(t testing.TB, option rueidis.ClientOption) rueidis.Client {
	t.Helper()
	client, err := rueidis.NewClient(option)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client
}

// inProcess returns a client of a Redis in this process.
func inProcess(t testing.TB) rueidis.Client {
	t.Helper()
	server := miniredis.NewMiniRedis()
	t.Cleanup(server.Close)
	option := clientOption()
	option.InitAddress = []string{"in-process"}
	option.DialCtxFn = func(context.Context, string, *net.Dialer, *tls.Config) (net.Conn, error) { return server.Dial() }
	return newClient(t, option)
}

// realRedis returns a client of a redis-server, and the server.
func realRedis(t testing.TB, args ...string) (rueidis.Client, *storetest.RedisServer) {
	t.Helper()
	server := storetest.StartRedis(t, args...)
	option := clientOption()
	option.InitAddress = []string{server.Addr}
	return newClient(t, option), server
}

// eachRedis runs the test on both kinds of Redis.
func eachRedis(t *testing.T, test func(t *testing.T, client rueidis.Client)) {
	t.Run("in process", func(t *testing.T) { t.Parallel(); test(t, inProcess(t)) })
	t.Run("redis-server", func(t *testing.T) { t.Parallel(); client, _ := realRedis(t); test(t, client) })
}

// testLog writes to the test's output, which is shown when it fails.
func testLog(t testing.TB) *slog.Logger { return slog.New(slog.NewTextHandler(t.Output(), nil)) }

// testEvent makes the n-th event of a test; its user tells it from all others.
func testEvent(n int) popup.Event {
	return popup.Event{
		AtMS: 1_700_000_000_000 + int64(n), ServedAtMS: 1_700_000_000_000, User: fmt.Appendf(nil, "user-%d", n),
		Popup: 7, Version: 3, Variant: []byte("a"), Action: popup.Click, Nth: 2, ReadyAtMS: 1_700_000_100_000,
	}
}

func testEvents(first, count int) []popup.Event {
	var list []popup.Event
	for n := first; n < first+count; n++ {
		list = append(list, testEvent(n))
	}
	return list
}

// newerVersion makes a frame one of a version that is not known yet.
func newerVersion(frame []byte) []byte {
	frame[4] = 255
	body := frame[:len(frame)-4]
	return binary.LittleEndian.AppendUint32(body, crc32.Checksum(body, crc32.MakeTable(crc32.Castagnoli)))
}
