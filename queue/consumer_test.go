package queue

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/rueidis"

	"github.com/popupd/popupd/popup"
	"github.com/popupd/popupd/queue/journal"
)

// TestFlushFails has the store fail in each way, one call in three, while two
// consumers are at work on the same stream.
func TestFlushFails(t *testing.T) {
	for _, c := range []struct {
		name string
		what outcome
		op   string
	}{
		{"flush fails", fails, "flush"},
		{"flush is done, its reply lost", replyLost, "flush"},
		{"flush panics", panics, "flush"},
		{"progress fails", fails, "progress"},
		{"progress panics", panics, "progress"},
		{"register is done, its reply lost", replyLost, "register"},
		{"close is done, its reply lost", replyLost, "close"},
	} {
		t.Run(c.name, func(t *testing.T) {
			eachRedis(t, func(t *testing.T, client rueidis.Client) {
				r := newRig(t, client)
				calls := 0
				r.store.setFault(func(op string) outcome {
					if op == c.op {
						if calls++; calls%3 != 0 {
							return c.what
						}
					}
					return works
				})
				r.startJournal()
				r.startShipper()
				r.startConsumer()
				r.startConsumer()
				for range 10 {
					r.append(200, 20)
					r.waitShipped()
				}
				r.waitDrained()
				if err := r.journal.Close(); err != nil {
					t.Fatal(err)
				}
				await(t, "stream given up", func() bool { return len(r.journal.Streams()) == 0 })
				r.verify(r.id, r.users)
			})
		})
	}
}

// TestTwoConsumers has two at work on one stream, and both do work.
func TestTwoConsumers(t *testing.T) {
	eachRedis(t, func(t *testing.T, client rueidis.Client) {
		r := newRig(t, client)
		r.startJournal()
		r.startShipper()
		r.startConsumer()
		r.startConsumer()
		for range 50 {
			r.append(400, 100)
			r.waitShipped() // so that there is something to count again and again
		}
		r.waitDrained()
	})
}

// TestOrphan counts the stream of a server that runs no consumer, and lets go of
// it when another moves it.
func TestOrphan(t *testing.T) {
	eachRedis(t, func(t *testing.T, client rueidis.Client) {
		r := newRig(t, client)
		r.startJournal()
		r.startShipper()
		r.append(1000, 50)
		r.waitShipped()
		r.store.age(r.id, time.Hour)
		other := NewConsumer(ConsumerConfig{
			Redis: client, Prefix: "test", Ledger: r.store, Sink: r.store,
			Own: func() []popup.StreamID { return nil }, Log: testLog(t),
		})
		r.start(other.Run)
		r.waitDrained()
		r.append(1000, 50) // it goes on for as long as there is something
		r.waitDrained()

		// It is moved by another now, while this one has a batch in hand.
		moved := false
		r.store.setFault(func(op string) outcome {
			if op == "flush" && !moved {
				moved = true
				row := r.store.rows[r.id]
				row.users = append(row.users, r.users[len(row.users)])
				return fails
			}
			return works
		})
		r.append(1000, 50)
		await(t, "let go of", func() bool { return !draining(other, r.id) })
		r.store.age(r.id, time.Hour)
		stop := r.startConsumer()
		r.waitDrained()
		stop()
	})
}

func draining(k *Consumer, id popup.StreamID) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.drains[id] != nil
}

// TestOrphanWithoutEvents costs one look.
func TestOrphanWithoutEvents(t *testing.T) {
	t.Parallel()
	r := newRig(t, inProcess(t))
	if _, err := r.store.Register(t.Context(), r.id, 1); err != nil {
		t.Fatal(err)
	}
	r.store.age(r.id, time.Hour)
	k := NewConsumer(ConsumerConfig{
		Redis: r.client, Prefix: "test", Ledger: r.store, Sink: r.store,
		Own: func() []popup.StreamID { return nil }, Log: testLog(t),
	})
	r.start(k.Run)
	await(t, "asked for orphans", func() bool { return r.store.made("orphans") > 0 })
	await(t, "let go of", func() bool { return !draining(k, r.id) })
}

// TestUnknownStream is not committed from 0: nobody has said where it stands.
func TestUnknownStream(t *testing.T) {
	t.Parallel()
	r := newRig(t, inProcess(t))
	r.do("RPUSH", r.key(), string(journal.AppendEvents(nil, r.id, 1, testEvents(1, 3))))
	r.startConsumer()
	r.awaitRound()
	if n := r.store.made("flush"); n != 0 {
		t.Errorf("%d flushes of a stream that is not registered", n)
	}
	if n := len(r.list()); n != 1 {
		t.Errorf("%d elements are left in the list, want 1", n)
	}
}

// TestNewerVersion leaves frames that a newer popupd wrote to a newer popupd,
// and counts what stands before them.
func TestNewerVersion(t *testing.T) {
	t.Parallel()
	r := newRig(t, inProcess(t))
	if _, err := r.store.Register(t.Context(), r.id, 1); err != nil {
		t.Fatal(err)
	}
	newer := newerVersion(journal.AppendEvents(nil, r.id, 4, testEvents(4, 3)))
	r.do("RPUSH", r.key(), string(journal.AppendEvents(nil, r.id, 1, testEvents(1, 3))), string(newer))
	r.startConsumer()
	await(t, "the first element committed and trimmed", func() bool {
		return len(r.store.committed(r.id)) == 3 && len(r.list()) == 1
	})
	r.awaitRound()
	if list := r.list(); len(list) != 1 || list[0] != string(newer) {
		t.Errorf("the newer frame was touched: %d elements are left", len(list))
	}
}

// TestStall sends again what nobody can count, after ever longer pauses.
func TestStall(t *testing.T) {
	t.Parallel()
	r := newRig(t, inProcess(t))
	r.shipper.pace = pace{check: 10 * time.Millisecond, idle: time.Second, stall: 100 * time.Millisecond}
	r.startJournal()
	r.startShipper()
	r.append(100, 10)
	r.waitShipped()
	await(t, "sent again", func() bool { return r.metric("popupd_resends_total") == 2 })
	newer := newerVersion(journal.AppendEvents(nil, r.id, 1, testEvents(1, 3)))
	// Not a loss, but nothing will come of it here.
	lset := func() rueidis.Completed {
		return r.client.B().Lset().Key(r.key()).Index(0).Element(string(newer)).Build()
	}
	await(t, "head replaced", func() bool { return r.client.Do(t.Context(), lset()).Error() == nil })
	await(t, "sent again", func() bool { return r.metric("popupd_resends_total") == 3 })
	r.startConsumer()
	r.waitDrained()
}

// TestListen hears of events, but of its own, also after Redis was away.
func TestListen(t *testing.T) {
	t.Parallel()
	client, server := realRedis(t)
	r := newRig(t, client)
	r.startJournal()
	r.startShipper()
	r.startConsumer()
	own := popup.StreamID{1}
	var subscribed atomic.Int32
	var mu sync.Mutex
	var heard []string
	r.start(func(ctx context.Context) error {
		return Listen(ctx, ListenConfig{
			Redis: client, Prefix: "test", Log: testLog(t),
			Own: func(s popup.StreamID) bool { return s == own },
			OnSubscribed: func(begins bool) {
				if begins {
					subscribed.Add(1)
				}
			},
			OnEvent: func(e *popup.Event) {
				mu.Lock()
				defer mu.Unlock()
				heard = append(heard, string(e.User))
			},
		})
	})
	hears := func(want []string) func() bool {
		return func() bool {
			mu.Lock()
			defer mu.Unlock()
			return slices.Equal(heard, want)
		}
	}
	await(t, "subscribed", func() bool { return subscribed.Load() == 1 })
	r.do("PUBLISH", "test:events", string(journal.AppendEvents(nil, own, 1, testEvents(1, 3))))
	r.do("PUBLISH", "test:events", "boo")
	r.append(100, 10)
	await(t, "events heard", hears(r.users))
	r.waitDrained()

	server.Restart(t)
	await(t, "subscribed again", func() bool { return subscribed.Load() >= 2 })
	r.append(100, 10)
	await(t, "events heard", hears(r.users))
}

// TestListenSlow drops what it cannot hold, and says so.
func TestListenSlow(t *testing.T) {
	t.Parallel()
	client := inProcess(t)
	r := newRig(t, client)
	release := make(chan struct{})
	var missed, heard atomic.Int32
	subscribed := make(chan struct{})
	r.start(func(ctx context.Context) error {
		return Listen(ctx, ListenConfig{
			Redis: client, Prefix: "test", Log: testLog(t),
			OnSubscribed: func(begins bool) {
				if begins {
					close(subscribed)
				}
			},
			OnMissed: func() { missed.Add(1) },
			OnEvent:  func(*popup.Event) { heard.Add(1); <-release },
		})
	})
	<-subscribed
	message := string(journal.AppendEvents(nil, popup.StreamID{1}, 1, testEvents(1, 1)))
	for range 2 * listenBacklog {
		r.do("PUBLISH", "test:events", message)
	}
	close(release)
	await(t, "told of it", func() bool { return missed.Load() >= 1 })
	if n := heard.Load(); n >= 2*listenBacklog {
		t.Errorf("all %d messages were heard: the test shows nothing", n)
	}
}
