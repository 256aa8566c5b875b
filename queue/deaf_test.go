package queue

import (
	"context"
	"sync/atomic"
	"testing"

	"github.com/redis/rueidis"

	"github.com/popupd/popupd/popup"
)

// leftNode is a client whose first subscription is at a Redis that has left the others:
// it answers, and hears nothing of what is published at them.
type leftNode struct {
	rueidis.Client
	left rueidis.Client
	once atomic.Bool
}

func (n *leftNode) Dedicate() (rueidis.DedicatedClient, func()) {
	if n.once.CompareAndSwap(false, true) {
		return n.left.Dedicate()
	}
	return n.Client.Dedicate()
}

// TestListenDeaf: who listens at a Redis that hears nothing of the others subscribes
// anew, and who listens where nothing is said does not.
func TestListenDeaf(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for ten seconds")
	}
	t.Parallel()
	r := newRig(t, inProcess(t))
	type hearer struct{ begun, ended, heard atomic.Int64 }
	listen := func(client rueidis.Client) *hearer {
		h := new(hearer)
		r.start(func(ctx context.Context) error {
			return Listen(ctx, ListenConfig{
				Redis: client, Prefix: "test", Log: testLog(t),
				OnEvent: func(*popup.Event) { h.heard.Add(1) },
				OnSubscribed: func(up bool) {
					if up {
						h.begun.Add(1)
					} else {
						h.ended.Add(1)
					}
				},
			})
		})
		return h
	}
	deaf, well := listen(&leftNode{Client: r.client, left: inProcess(t)}), listen(r.client)
	await(t, "subscribed anew", func() bool { return deaf.begun.Load() == 2 })
	if begun, ended := well.begun.Load(), well.ended.Load(); begun != 1 || ended != 0 {
		t.Errorf("who hears all that is said subscribed %d times and lost that %d times, want 1 and 0", begun, ended)
	}
	r.startShipper()
	r.append(10, 1)
	await(t, "heard", func() bool { return deaf.heard.Load() == 10 && well.heard.Load() == 10 })
}
