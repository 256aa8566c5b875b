package bench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"time"
	_ "time/tzdata" // the benchmarks need no zones of the host

	"github.com/popupd/popupd/frequency"
	"github.com/popupd/popupd/handler"
	"github.com/popupd/popupd/internal/testbed"
	"github.com/popupd/popupd/popup"
	"github.com/popupd/popupd/queue/journal"
)

// BenchmarkDecision measures requests from their bytes to those of the answer:
// fasthttp's server, routing, matching, users' state, and a journal in a
// temporary directory. What is not real is the socket and the clock, which
// stands still. Every fifth popup fits; users who have seen something have seen
// all of these, which is the longest way to nothing.
func BenchmarkDecision(b *testing.B) {
	describe()
	for _, kind := range []struct {
		name string
		run  func(*testing.B, *site)
	}{
		{"nothing", nothing}, {"seen", seen}, {"served", served}, {"action", action}, {"mixed", mixed},
	} {
		for _, n := range []catalog{26, 200, 1000, 10000} {
			var s *site // from one value of b.N to the next
			b.Run(fmt.Sprintf("%s/popups=%d", kind.name, n), func(b *testing.B) {
				if s == nil {
					s = newSite(b, n)
				}
				b.ReportAllocs()
				b.ResetTimer()
				kind.run(b, s)
			})
			if s != nil {
				s.close(b)
			}
		}
	}
}

// describe says once where the figures are from, in lines that benchstat passes over.
var describe = sync.OnceFunc(func() { fmt.Print(testbed.Environment("make bench")) })

// nothing polls from a platform that no popup is for.
func nothing(b *testing.B, s *site) {
	s.serve(b, b.N, func(i int) ([]byte, int) { return s.poll(i%s.known, "tv"), nothingToShow })
}

// seen polls for users who wait for everything that fits them.
func seen(b *testing.B, s *site) {
	s.serve(b, b.N, func(i int) ([]byte, int) { return s.poll(i%s.known, "ios"), nothingToShow })
}

// served polls for another new user each time.
func served(b *testing.B, s *site) {
	s.serve(b, b.N, func(int) ([]byte, int) { return s.poll(s.newUser(), "ios"), shown })
}

// action reports a click on an impression that has none yet.
func action(b *testing.B, s *site) {
	const batch = 4096
	tokens := make([][]byte, 0, batch)
	for left := b.N; left > 0; left -= len(tokens) {
		b.StopTimer()
		tokens = tokens[:0]
		s.serve(b, min(batch, left), func(i int) ([]byte, int) {
			if i > 0 {
				tokens = append(tokens, bytes.Clone(s.token))
			}
			return s.poll(s.newUser(), "ios"), shown
		})
		tokens = append(tokens, bytes.Clone(s.token))
		b.StartTimer()
		s.serve(b, len(tokens), func(i int) ([]byte, int) { return s.click(tokens[i]), accepted })
	}
}

// mixed is of 50 requests 45 polls of users who wait for everything, 4 of new
// users, and a click on what the last of these was shown.
func mixed(b *testing.B, s *site) {
	s.serve(b, b.N, func(i int) ([]byte, int) {
		switch i % 50 {
		case 49:
			return s.click(s.token), accepted
		case 11, 23, 35, 47:
			return s.poll(s.newUser(), "ios"), shown
		}
		return s.poll(i%s.known, "ios"), nothingToShow
	})
}

// The statuses of the answers.
const (
	shown         = 200
	accepted      = 202
	nothingToShow = 204
)

// site is a server with its users, and the client that talks to it.
type site struct {
	client
	known int // users 0 to known-1 have seen all that fits
	users int // known and new ones so far

	bed     *testbed.Testbed // has the journal; not that of a run, for it outlives them
	server  *handler.Server
	journal *journal.Journal
	stop    context.CancelFunc
	ended   [2]chan error // of the server and the journal
}

// entries bounds the state of the known users together: at most 5,000 users, and
// fewer the more they have seen.
const (
	maxKnown = 5000
	entries  = 100_000
)

func newSite(b *testing.B, n catalog) *site {
	b.Helper()
	s := &site{client: newClient(), known: min(maxKnown, entries/n.fits()), ended: [2]chan error{make(chan error, 1), make(chan error, 1)}}
	s.users = s.known
	table := frequency.New(frequency.Config{})
	state := popup.State{Impressions: 1, ServedAtMS: startMS - 1000, Last: popup.Impression, AtMS: startMS - 1000, NextAtMS: startMS + 86_400_000}
	for u := range s.known {
		for i := 0; i < int(n); i += 5 {
			if !table.Restore(appendUser(nil, u), uint32(i+1), state) {
				b.Fatal("no memory for the users")
			}
		}
	}
	var err error
	if s.bed, err = testbed.New(context.Background()); err != nil {
		b.Fatal(err)
	}
	if s.journal, err = journal.Open(journal.Config{Dir: filepath.Join(s.bed.Dir(), "journal"), MaxBytes: 8 << 30, Sync: 200 * time.Millisecond}); err != nil {
		b.Fatal(err)
	}
	s.server, err = handler.New(handler.Config{
		Snapshots: n.store(b), Users: table, Journal: s.journal, Secrets: [][]byte{[]byte("secret")}, AllowOrigins: []string{"*"},
		Now: func() int64 { return startMS },
	})
	if err != nil {
		b.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	s.stop = stop
	go func() { s.ended[0] <- s.server.Serve(&s.client) }()
	go func() { s.ended[1] <- s.journal.Run(ctx) }()
	return s
}

func (s *site) close(b *testing.B) {
	b.Helper()
	err := errors.Join(s.server.Shutdown(context.Background()), <-s.ended[0])
	s.stop()
	if err = errors.Join(err, <-s.ended[1], s.journal.Close(), s.journal.Release()); err != nil {
		b.Error(err)
	}
	s.bed.Close()
}

func (s *site) newUser() int {
	s.users++
	return s.users - 1
}
