package userstate

import (
	"context"
	"testing"

	"github.com/popupd/popupd/popup"
)

// What other servers served is known after a read that began under a subscription
// which has lasted since, and not before.
func TestPeerLag(t *testing.T) {
	lags := func(p *peers, want bool) {
		t.Helper()
		if lag := p.lag(); (lag > 0) != want {
			t.Errorf("lag %v, want some: %v", lag, want)
		}
	}
	alone := newPeers(nil, nil)
	alone.await(t.Context()) // for nobody
	lags(alone, false)

	p := newPeers(func(context.Context, func(*popup.Event)) error { return nil }, nil)
	lags(p, true)
	p.end(p.begin())
	lags(p, true) // there is no subscription
	p.subscribe(true)
	p.await(t.Context())
	read := p.begin()
	lags(p, true)
	p.end(read)
	lags(p, false)

	p.miss()
	lags(p, true)
	p.end(read) // of before
	lags(p, true)
	p.end(p.begin())
	lags(p, false)

	p.subscribe(false)
	lags(p, true)
	read = p.begin()
	p.subscribe(true)
	p.end(read) // that began before the subscription
	lags(p, true)
	p.end(p.begin())
	lags(p, false)
}
