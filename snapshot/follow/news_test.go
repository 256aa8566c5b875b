package follow

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/rueidis"

	"github.com/popupd/popupd/internal/embedded"
	"github.com/popupd/popupd/internal/storetest"
	"github.com/popupd/popupd/snapshot"
)

// connect returns a client with the settings of the server.
func connect(t *testing.T, option rueidis.ClientOption) rueidis.Client {
	t.Helper()
	option.ForceSingleClient, option.DisableCache, option.DisableRetry = true, true, true
	option.PipelineMultiplex, option.BlockingPoolSize = -1, 4
	option.ConnWriteTimeout, option.Dialer.Timeout = 2*time.Second, time.Second
	client, err := rueidis.NewClient(option)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client
}

func redisAt(addr string) rueidis.ClientOption {
	return rueidis.ClientOption{InitAddress: []string{addr}}
}

// run runs the watcher until the test ends.
func run(t *testing.T, w *Watcher) {
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := w.Run(ctx); err != nil {
			t.Errorf("Run = %v", err)
		}
	})
	t.Cleanup(func() { cancel(); wg.Wait() })
}

// eventually fails the test unless ok becomes true in time.
func eventually(t *testing.T, what string, within time.Duration, ok func() bool) {
	t.Helper()
	deadline := time.Now().Add(within)
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for ; !ok(); <-tick.C {
		if time.Now().After(deadline) {
			t.Fatalf("not within %v: %s", within, what)
		}
	}
}

func testNewsTravels(t *testing.T, client rueidis.Client) {
	source, here, there := &catalog{revision: 1}, snapshot.NewStore(), snapshot.NewStore()
	prefix := "test-" + strconv.FormatInt(time.Now().UnixNano(), 36)
	local := New(here, Config{Source: source, Redis: client, Prefix: prefix})
	remote := New(there, Config{Source: source, Redis: client, Prefix: prefix})
	if err := local.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	run(t, local)
	run(t, remote)
	subscribers := func() int64 {
		reply, err := client.Do(t.Context(), client.B().PubsubNumsub().Channel(prefix+":config").Build()).ToArray()
		if err != nil || len(reply) != 2 {
			t.Fatalf("PUBSUB NUMSUB: %v, %v", reply, err)
		}
		n, _ := reply[1].AsInt64()
		return n
	}
	eventually(t, "both watchers are subscribed", 5*time.Second, func() bool { return subscribers() == 2 })
	eventually(t, "the first reload", 5*time.Second, func() bool { return there.Current().Revision == 1 })
	worst := time.Duration(0)
	for revision := int64(2); revision < 12; revision++ {
		source.set(revision, row(1, ``))
		begin := time.Now()
		if err := local.Changed(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := here.Current().Revision; got != revision {
			t.Fatalf("revision %d in force where the change was made, want %d", got, revision)
		}
		eventually(t, "the change reaches the other server", 5*time.Second, func() bool { return there.Current().Revision == revision })
		worst = max(worst, time.Since(begin))
	}
	// The poll alone would take half a second on average.
	if worst > 400*time.Millisecond {
		t.Errorf("the slowest of 10 changes took %v", worst)
	}
	t.Logf("slowest of 10 changes: %v", worst)
}

func TestNewsTravelsByRedis(t *testing.T) {
	testNewsTravels(t, connect(t, redisAt(storetest.Redis(t))))
}

func TestNewsTravelsByEmbeddedRedis(t *testing.T) {
	redis := embedded.NewRedis()
	t.Cleanup(redis.Close)
	testNewsTravels(t, connect(t, redis.Option()))
}

// TestRedisOutage kills Redis and starts it again: the poll goes on, the outage
// is logged once, and the subscription comes back with a reload.
func TestRedisOutage(t *testing.T) {
	server := storetest.StartRedis(t)
	var log logBuffer
	source, store := &catalog{revision: 1}, snapshot.NewStore()
	client := connect(t, redisAt(server.Addr))
	w := New(store, Config{Source: source, Redis: client, Prefix: "popupd", Log: log.logger()})
	run(t, w)
	eventually(t, "the first reload", 5*time.Second, func() bool { return store.Current().Revision == 1 })

	server.Kill()
	eventually(t, "the outage is logged", 5*time.Second, func() bool { return log.count("no news of changes") == 1 })
	source.set(2)
	eventually(t, "the poll finds the change", 5*time.Second, func() bool { return store.Current().Revision == 2 })
	for revision := int64(3); revision < 6; revision++ {
		source.set(revision)
		changedWithin(t, w, 1500*time.Millisecond)
	}

	before, _ := source.counts()
	server.Restart(t)
	eventually(t, "the end of the outage is logged", 10*time.Second, func() bool { return log.count("come from Redis again") == 1 })
	eventually(t, "a reload on re-subscribing", 5*time.Second, func() bool { after, _ := source.counts(); return after > before })
	if down, told := log.count("no news of changes"), log.count("can't tell the other servers"); down != 1 || told != 1 {
		t.Errorf("the outage was logged %d times, untold changes %d times, want once each", down, told)
	}
}

func changedWithin(t *testing.T, w *Watcher, most time.Duration) {
	t.Helper()
	begin := time.Now()
	if err := w.Changed(t.Context()); err != nil {
		t.Error(err)
	}
	if took := time.Since(begin); took > most {
		t.Errorf("Changed took %v, want at most %v", took, most)
	}
}

// TestChangedWhileOthersDial: whoever shares the client is dialling, for longer
// than news are worth waiting for.
func TestChangedWhileOthersDial(t *testing.T) {
	dialling, release := make(chan struct{}), make(chan struct{})
	var dials atomic.Int32
	option := rueidis.ClientOption{
		InitAddress:       []string{"nowhere"},
		ForceSingleClient: true, DisableCache: true, DisableRetry: true, PipelineMultiplex: -1,
		DialCtxFn: func(context.Context, string, *net.Dialer, *tls.Config) (net.Conn, error) {
			if dials.Add(1) == 2 { // the first is that of NewClient
				close(dialling)
				<-release
			}
			return nil, errors.New("no route to host")
		},
	}
	client, err := rueidis.NewClient(option)
	if client == nil {
		t.Fatal(err)
	}
	defer client.Close()
	var other sync.WaitGroup
	other.Go(func() { client.Do(context.Background(), client.B().Ping().Build()) })
	defer other.Wait()
	defer close(release)
	<-dialling
	w := New(snapshot.NewStore(), Config{Source: &catalog{revision: 1}, Redis: client, Prefix: "popupd"})
	changedWithin(t, w, 1500*time.Millisecond)
}

func TestNewsOfTheRevisionInForceIsIgnored(t *testing.T) {
	client := connect(t, redisAt(storetest.Redis(t)))
	source, store := &catalog{revision: 7}, snapshot.NewStore()
	w := New(store, Config{Source: source, Redis: client, Prefix: "popupd"})
	run(t, w)
	tell := func(message string) {
		t.Helper()
		eventually(t, "someone is subscribed", 5*time.Second, func() bool {
			n, err := client.Do(t.Context(), client.B().Publish().Channel("popupd:config").Message(message).Build()).AsInt64()
			return err == nil && n == 1
		})
	}
	tell("7")
	eventually(t, "the first reload", 5*time.Second, func() bool { return store.Current().Revision == 7 })
	settled := settledReads(t, source)
	for range 20 {
		tell("7")
	}
	if got := settledReads(t, source); got != settled {
		t.Errorf("%d reloads for news of the revision in force, want none", got-settled)
	}
	tell("not a number")
	eventually(t, "a reload for news that can't be read", 5*time.Second, func() bool { reads, _ := source.counts(); return reads == settled+1 })
	source.set(8)
	tell("8")
	eventually(t, "news of another revision", 5*time.Second, func() bool { return store.Current().Revision == 8 })
}

// settledReads returns how often the catalog was read, once no reload that was
// asked for can be under way: ten times the debouncing has passed without one.
func settledReads(t *testing.T, c *catalog) int {
	t.Helper()
	last, since := -1, time.Now()
	eventually(t, "reloads end", 5*time.Second, func() bool {
		if reads, _ := c.counts(); reads != last {
			last, since = reads, time.Now()
		}
		return time.Since(since) > 10*debounce
	})
	return last
}
