// Package userstate keeps what this server knows of its users true: it restores
// the table of package frequency at start, merges what other servers and the
// database tell, sweeps and dumps the table while the server runs, and resets
// users. What a state means and how it merges lives in popup and frequency.
package userstate

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"github.com/popupd/popupd/frequency"
	"github.com/popupd/popupd/internal/retry"
	"github.com/popupd/popupd/persist"
	"github.com/popupd/popupd/popup"
	"github.com/popupd/popupd/queue/journal"
	"github.com/popupd/popupd/snapshot"
	"github.com/popupd/popupd/snapshot/follow"
)

var errRestoring = errors.New("the users' state is being restored")

// Config is what a [State] works with.
type Config struct {
	Database *persist.DB
	Table    *frequency.Table
	Dump     string                      // path of the dump
	DiskRoom func() int64                // bytes of disk that other files beside it may take; nil: none
	Seed     func(context.Context) error // called with each restore, after migrations; nil: nothing
	// Shipped calls its functions as [queue.Shipped] does: with what other servers have
	// shipped and nobody has committed. nil: there are no other servers, and Subscribed
	// is never called.
	Shipped func(context.Context, func(*popup.Event), func(stream popup.StreamID, first, last uint64)) error
	Now     func() int64 // ms since the epoch, UTC
	Log     *slog.Logger

	Registerer prometheus.Registerer // nil: metrics are not registered
}

// State keeps the users' state. Its methods may be called from any goroutine,
// unless they say otherwise.
type State struct {
	db       *persist.DB
	table    *frequency.Table
	heldOnly bool
	lookUps  *lookUps
	dump     string
	room     func() int64
	seed     func(context.Context) error
	peers    *peers
	known    *known
	now      func() int64
	log      *slog.Logger

	// Set by Connect.
	journal *journal.Journal
	watcher *follow.Watcher

	ready    atomic.Bool   // what users have seen is known
	restored chan struct{} // closed when ready is set
	behind   chan struct{} // cap 1, see Behind

	// Owned by Restore, and by CatchUp after it.
	unheard retry.Outage  // of the lists of what other servers have shipped
	backoff retry.Backoff // while they cannot be read
	pause   time.Duration // before the database is asked again

	// Owned by save.
	lastDump prometheus.Gauge
	dumped   map[popup.StreamID]uint64 // what the last dump, or the one that was loaded, covers

	// Set by SetPopups, which the watcher calls one at a time.
	caps     atomic.Pointer[snapshot.Snapshot] // in force, nil at first
	archived archivedPopups
}

// New returns a State that is not ready: see Connect and Restore.
func New(c Config) *State {
	return &State{
		peers: newPeers(c.Shipped, c.Registerer), known: newKnown(c.Table.HeldOnly()), lookUps: newLookUps(c.Log, c.Registerer),
		db: c.Database, table: c.Table, heldOnly: c.Table.HeldOnly(), dump: c.Dump, room: c.DiskRoom, seed: c.Seed, now: c.Now, log: c.Log,
		unheard: retry.Outage{
			Log: c.Log, Begins: "what other servers have shipped is not known yet", Ends: "what other servers have shipped is known again", EachCause: true,
		},
		backoff: retry.Backoff{First: restoreRetry, Most: unheardRetry}, pause: restoreRetry,
		restored: make(chan struct{}), behind: make(chan struct{}, 1), archived: archivedPopups{ids: make(map[uint32]bool)},
		lastDump: promauto.With(c.Registerer).NewGauge(prometheus.GaugeOpts{
			Name: "popupd_last_dump_timestamp_seconds",
			Help: "When the users' state was last dumped, in seconds since the epoch; 0 if this process has not yet.",
		}),
	}
}

// Connect gives the state the journal and the watcher, which are made after it
// because they call Merge and SetPopups. It is called before all other methods
// but those two.
func (s *State) Connect(j *journal.Journal, w *follow.Watcher) { s.journal, s.watcher = j, w }

// Ready reports whether this server knows what its users have seen.
func (s *State) Ready() bool { return s.ready.Load() }

// Restored returns a channel that is closed once Ready.
func (s *State) Restored() <-chan struct{} { return s.restored }

func (s *State) setReady() {
	if s.ready.CompareAndSwap(false, true) {
		close(s.restored)
	}
}

// Readiness returns why the server is not ready, or nil.
func (s *State) Readiness() error {
	if !s.Ready() {
		return errRestoring
	}
	return nil
}
