package queue

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/rueidis"

	"github.com/popupd/popupd/internal/retry"
	"github.com/popupd/popupd/popup"
	"github.com/popupd/popupd/queue/journal"
)

// ListenConfig says who hears of what other servers ship.
type ListenConfig struct {
	Redis  rueidis.Client // see ShipperConfig.Redis
	Prefix string
	// Own reports whether a stream is this server's: its events are not news. May be nil.
	Own func(popup.StreamID) bool
	// OnEvent is called with every event, one at a time. The event and its bytes
	// are valid during the call. An event may come more than once.
	OnEvent func(*popup.Event)
	// OnFrame is called after OnEvent was called with all events of a frame: those from
	// first to last of their stream. A gap frame has none, they are lost. May be nil.
	OnFrame func(stream popup.StreamID, first, last uint64)
	// OnSubscribed is called with true when a subscription begins: what is shipped
	// from then on is heard, and what was before is in the lists (see [Shipped]) or in
	// MySQL. It is called with false when the subscription ends. It must not wait. May
	// be nil.
	OnSubscribed func(bool)
	// OnMissed is called, between events, when some were missed because OnEvent was
	// too slow. May be nil.
	OnMissed func()
	Log      *slog.Logger // default: nothing is logged
}

const (
	listenBacklog = 256 // messages of at most about 64 KiB
	listenAtMost  = 2 * time.Second
	deafAfter     = 5 * time.Second
)

// errDeaf says that a subscription hears nothing of what is published.
var errDeaf = errors.New("what is published is not heard at this Redis")

// Listen calls c.OnEvent with the events that other servers ship, until ctx
// ends. It subscribes again when the connection breaks. It returns nil, when all
// it started has ended.
func Listen(ctx context.Context, c ListenConfig) error {
	if c.Own == nil {
		c.Own = func(popup.StreamID) bool { return false }
	}
	if c.OnFrame == nil {
		c.OnFrame = func(popup.StreamID, uint64, uint64) {}
	}
	if c.OnSubscribed == nil {
		c.OnSubscribed = func(bool) {}
	}
	if c.OnMissed == nil {
		c.OnMissed = func() {}
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	l := &listener{c: c, messages: make(chan string, listenBacklog), wake: make(chan struct{}, 1)}
	defer l.running.Wait()
	l.running.Go(func() { l.deliver(ctx) })

	pause := retry.Backoff{First: retryFirst, Most: listenAtMost}
	for {
		err := l.subscribe(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if l.subscribed.Swap(false) {
			c.OnSubscribed(false)
			pause.Reset()
			c.Log.Warn("the events of other servers are not heard", "err", err)
		}
		if retry.Pause(ctx, pause.Next()) != nil {
			return nil
		}
	}
}

// listener takes messages off the connection at once, since the client's reader
// waits for it, and delivers them at the pace of OnEvent.
type listener struct {
	c          ListenConfig
	running    sync.WaitGroup
	messages   chan string
	wake       chan struct{} // cap 1: missed was set
	missed     atomic.Bool
	subscribed atomic.Bool
	heard      atomic.Uint64 // messages
}

// subscribe listens until the connection breaks, hears nothing any more or ctx ends. The
// connection is one of its own.
func (l *listener) subscribe(ctx context.Context) error {
	client, _ := l.c.Redis.Dedicate()
	defer client.Close()
	ctx, end := context.WithCancelCause(ctx)
	defer end(nil)
	l.running.Go(func() { // not waited for here: a connection may take its time
		retry.Every(ctx, deafAfter, func() {
			if l.isDeaf(ctx) {
				end(errDeaf)
			}
		})
	})
	hooked := rueidis.WithOnSubscriptionHook(ctx, func(s rueidis.PubSubSubscription) {
		if s.Kind == "subscribe" {
			l.subscribed.Store(true)
			l.c.OnSubscribed(true)
		}
	})
	subscribe := client.B().Subscribe().Channel(eventsChannel(l.c.Prefix)).Build()
	err := client.Receive(hooked, subscribe, func(m rueidis.PubSubMessage) {
		l.heard.Add(1)
		if m.Message == "" { // see isDeaf
			return
		}
		select {
		case l.messages <- m.Message:
		default:
			l.miss()
		}
	})
	if cause := context.Cause(ctx); errors.Is(cause, errDeaf) {
		return cause
	}
	return err
}

// isDeaf publishes a message without frames, and reports whether nothing was heard since.
// A node that has left a Redis Cluster, or is cut off from it, keeps its connections and
// goes on answering, and hears nothing of what is published at the others. The message
// goes where a list could be: a node without slots would hear itself.
func (l *listener) isDeaf(ctx context.Context) bool {
	before := l.heard.Load()
	c := l.c.Redis
	replies := c.DoMulti(ctx,
		c.B().Rpushx().Key(probeKey(l.c.Prefix)).Element("").Build(),
		c.B().Publish().Channel(eventsChannel(l.c.Prefix)).Message("").Build())
	for _, reply := range replies {
		if reply.Error() != nil {
			return false // that is not what is asked for here
		}
	}
	return retry.Pause(ctx, deafAfter) == nil && l.heard.Load() == before
}

func (l *listener) miss() {
	l.missed.Store(true)
	retry.Notify(l.wake)
}

func (l *listener) deliver(ctx context.Context) {
	var events []popup.Event
	for {
		select {
		case <-ctx.Done():
			return
		case <-l.wake:
		case m := <-l.messages:
			err := retry.Guard(func() (err error) {
				events, err = decode([]byte(m), l.c.Own, l.c.OnEvent, l.c.OnFrame, events)
				return err
			})
			if err != nil {
				l.c.Log.Warn("a message is not understood", "err", err)
			}
		}
		if l.missed.Swap(false) {
			l.c.OnMissed()
		}
	}
}

// decode calls fn with the events of a message, and onFrame after those of each frame,
// unless their stream is our own. Frames of a newer version and gaps are passed over: what
// a gap declares as lost may still be in the list, and then the database takes that. buf
// is returned for the next call.
func decode(message []byte, isOwn func(popup.StreamID) bool, fn func(*popup.Event), onFrame func(popup.StreamID, uint64, uint64), buf []popup.Event,
) ([]popup.Event, error) {
	var stream popup.StreamID // of the frame before: a message has one
	own := false
	for rest := message; len(rest) > 0; {
		f, size, err := journal.ParseFrame(rest)
		if err != nil && size == 0 {
			return buf, fmt.Errorf("read frame: %w", err)
		}
		rest = rest[size:]
		if err != nil {
			continue
		}
		if f.Stream != stream {
			stream, own = f.Stream, isOwn(f.Stream)
		}
		if own {
			continue
		}
		if buf, err = f.Events(buf[:0]); err != nil {
			return buf, err
		}
		for i := range buf {
			fn(&buf[i])
		}
		if !f.Gap {
			onFrame(f.Stream, f.First, f.Last())
		}
	}
	return buf, nil
}
