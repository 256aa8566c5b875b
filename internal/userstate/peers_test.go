package userstate

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"

	"github.com/popupd/popupd/frequency"
	"github.com/popupd/popupd/persist"
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

	var p *peers
	asked := 0
	behind := func() {
		asked++
		if p.mu.TryLock() {
			p.mu.Unlock()
			t.Error("a read that takes the request may begin before the subscription")
		}
	}
	p = newPeers(func(context.Context, func(*popup.Event), func(popup.StreamID, uint64, uint64)) error { return nil }, nil)
	lags(p, true)
	p.end(p.begin())
	lags(p, true) // there is no subscription
	p.subscribe(true, behind)
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

	p.subscribe(false, behind)
	lags(p, true)
	read = p.begin()
	p.subscribe(true, behind)
	p.end(read) // that began before the subscription
	lags(p, true)
	p.end(p.begin())
	lags(p, false)
	if asked != 2 {
		t.Errorf("a read was asked for %d times, want once for each subscription", asked)
	}
}

// While the lists of other servers cannot be read, the whole database is read again and
// again: ever less often, and one warning is logged for it.
func TestUnheardBacksOff(t *testing.T) {
	db, err := persist.Open(persist.Config{SQLite: filepath.Join(t.TempDir(), "popupd.db")})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	var logged bytes.Buffer
	down := errors.New("the node of a slot is down")
	s := New(Config{
		Database: db, Table: frequency.New(frequency.Config{}), Now: func() int64 { return 1 }, Log: slog.New(slog.NewTextHandler(&logged, nil)),
		Shipped: func(context.Context, func(*popup.Event), func(popup.StreamID, uint64, uint64)) error { return down },
	})
	s.Connect(openJournal(t, t.TempDir()), nil)
	s.Subscribed(true)
	tries := func(n int) {
		t.Helper()
		for range n {
			if err := s.mergeMissed(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
	tries(8)
	if s.pause < unheardRetry/2 || s.pause > unheardRetry || len(s.behind) == 0 {
		t.Errorf("the next try in %v, asked for: %v", s.pause, len(s.behind) > 0)
	}
	if n := strings.Count(logged.String(), "level=WARN"); n != 1 {
		t.Errorf("%d warnings, want 1:\n%s", n, &logged)
	}
	down = nil
	tries(1)
	if s.pause != restoreRetry || len(s.behind) != 0 || s.peers.lag() != 0 {
		t.Errorf("after all: %v, asked for: %v, lag %v", s.pause, len(s.behind) > 0, s.peers.lag())
	}
}
