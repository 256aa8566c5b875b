package follow

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/redis/rueidis"

	"github.com/popupd/popupd/internal/retry"
)

const (
	publishTimeout = time.Second
	listenFirst    = 100 * time.Millisecond // pauses between attempts to subscribe
	listenMost     = time.Second
)

func (w *Watcher) channel() string { return w.c.Prefix + ":config" }

// publish tells the other servers which revision is in force here. It is only
// news: whoever misses it sees the revision change within a second.
func (w *Watcher) publish(ctx context.Context) {
	if w.c.Redis == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, publishTimeout)
	defer cancel()
	revision := strconv.FormatInt(w.store.Current().Revision, 10)
	cmd := w.c.Redis.B().Publish().Channel(w.channel()).Message(revision).Build()
	done := make(chan error, 1)
	// On its own goroutine, since a connection that is being dialled is waited
	// for without regard to the context. The client's time limits end it.
	go func() { done <- w.c.Redis.Do(ctx, cmd).Error() }()
	var err error
	select {
	case err = <-done:
	case <-ctx.Done():
		err = ctx.Err()
	}
	w.publishing.Report(err)
}

// listen signals wake on every news of a revision that is not in force here and
// on every (re)subscription, before which news may have been missed.
func (w *Watcher) listen(ctx context.Context, wake chan<- struct{}) {
	redis := retry.Outage{
		Log:    w.c.Log,
		Begins: "config: no news of changes from Redis; the store is asked each second",
		Ends:   "config: news of changes come from Redis again",
	}
	pause := retry.Backoff{First: listenFirst, Most: listenMost}
	for ctx.Err() == nil {
		err := w.subscription(ctx, wake, func() {
			pause.Reset()
			redis.Report(nil)
			retry.Notify(wake)
		})
		if ctx.Err() != nil {
			return
		}
		redis.Report(err)
		if retry.Pause(ctx, pause.Next()) != nil {
			return
		}
	}
}

// subscription subscribes on a connection of its own and returns when it is lost
// or ctx ends.
func (w *Watcher) subscription(ctx context.Context, wake chan<- struct{}, subscribed func()) error {
	conn, _ := w.c.Redis.Dedicate()
	defer conn.Close()
	lost := conn.SetPubSubHooks(rueidis.PubSubHooks{
		// Runs on the connection's reader: it must not block.
		OnMessage: func(m rueidis.PubSubMessage) {
			revision, err := strconv.ParseInt(m.Message, 10, 64)
			if err != nil || revision != w.store.Current().Revision {
				retry.Notify(wake)
			}
		},
	})
	if err := conn.Do(ctx, conn.B().Subscribe().Channel(w.channel()).Build()).Error(); err != nil {
		return err
	}
	subscribed()
	select {
	case err := <-lost:
		if err == nil {
			err = errors.New("subscription ended")
		}
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}
