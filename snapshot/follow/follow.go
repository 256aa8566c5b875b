// Package follow keeps a [snapshot.Store] at the newest revision of the catalog:
// it polls the database for the revision, hears of changes on other servers from
// Redis, reloads and compiles, and keeps the last good popups in a file for a start
// without a database. Matching requests is not done here, and nothing on the data
// plane calls this package: handlers read the store.
package follow

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/rueidis"

	"github.com/popupd/popupd/internal/retry"
	"github.com/popupd/popupd/internal/tracing"
	"github.com/popupd/popupd/popup"
	"github.com/popupd/popupd/snapshot"
)

// Source is where the catalog is kept. The calls may block for as long as
// their context allows; nothing on the data plane waits for them.
type Source interface {
	// Position returns what is another one after every change of a popup or of the
	// settings. After a restore of the store its revision may go back.
	Position(ctx context.Context) (popup.Position, error)
	// Changes returns what has changed since a position, read in one consistent view. It
	// reports false unless it is certain that nothing else has.
	Changes(ctx context.Context, since popup.Position) (c popup.CatalogChange, known bool, err error)
	// Rows returns every popup that is not archived, the newest one even if it is, the
	// settings and the position that they are of, read in one consistent view.
	Rows(ctx context.Context) (popup.Catalog, error)
	// WriteAudienceList writes the list of users with this number, as package audience reads it.
	WriteAudienceList(ctx context.Context, list uint64, to io.Writer) error
}

// Config is what a [Watcher] works with.
type Config struct {
	Source     Source
	Redis      rueidis.Client           // carries news between servers; nil: there are none
	Prefix     string                   // of the channel, PREFIX:config
	File       string                   // path of the last-good file; empty: none
	OnSwap     func(*snapshot.Snapshot) // called with each new snapshot, in order, once it is in force; may be nil
	Now        func() int64             // ms since the epoch; nil: the system's clock
	Log        *slog.Logger             // nil: nothing is logged
	Registerer prometheus.Registerer    // nil: metrics are not registered
	Tracer     *tracing.Tracer          // of reloads; nil: none
}

// How often and how long the store is asked.
const (
	pollEvery     = time.Second
	pollTimeout   = 5 * time.Second
	reloadTimeout = 30 * time.Second
	listTimeout   = 5 * time.Minute
	debounce      = 10 * time.Millisecond // news of several changes in a row make one reload

	quiet        = 5 * time.Second // without a change, after which the popups are compacted
	compactShare = 50              // popups are being compacted for at most one part in so many of the time
)

// Watcher keeps a [snapshot.Store] at the newest revision of the catalog. The revision in
// the store is the truth and is polled each second; Redis only makes it faster. Of what it
// has read once it reads the changes alone, if the store can tell them.
// Its methods may be called from any goroutine.
type Watcher struct {
	store   *snapshot.Store
	c       Config
	metrics metrics

	confirmedMS atomic.Int64                   // when the snapshot in force was last known to be the newest
	loaded      atomic.Bool                    // a reload has succeeded
	position    atomic.Pointer[popup.Position] // what the snapshot in force is of
	publishing  retry.Outage
	lists       retry.Outage // of loading lists of users
	savingLists retry.Outage
	listsWanted chan struct{} // wakes runLists

	listsSlot chan struct{} // holds one while lists are loaded; taken before mu

	// mu serialises what changes the store, so that a slow read never replaces
	// the result of a later one. It guards:
	mu          sync.Mutex
	broken      map[rowName]uint32 // versions of the broken rows, which have been logged
	unavailable map[string]string  // why audiences can't be used that popups name, which has been logged
	swapped     time.Time          // when the snapshot in force was put there
	toCompact   time.Duration      // how long after swapped it is compacted

	compacted *snapshot.Snapshot // need not be again; of Run's goroutine only

	// saveMu serialises writing the last-good file. It guards:
	saveMu  sync.Mutex
	changes *changeFile // since the last-good file; nil: that is to be written
	saving  retry.Outage

	unsavedMu sync.Mutex // guards unsaved
	unsaved   []unsaved  // put in force since save has looked
}

// New returns a watcher of the store. It does nothing before one of its
// methods is called; its metrics are registered.
func New(s *snapshot.Store, c Config) *Watcher {
	if c.Now == nil {
		c.Now = func() int64 { return time.Now().UnixMilli() }
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	w := &Watcher{
		store:  s,
		c:      c,
		broken: map[rowName]uint32{}, toCompact: quiet, listsWanted: make(chan struct{}, 1), listsSlot: make(chan struct{}, 1),
		lists: retry.Outage{
			Log:    c.Log,
			Begins: "config: lists of users can't be loaded; those in force stay so, and popups that name others are shown to nobody",
			Ends:   "config: lists of users can be loaded again",
		},
		savingLists: retry.Outage{
			Log:    c.Log,
			Begins: "config: the file of a list of users can't be written",
			Ends:   "config: files of lists of users are written again",
		},
		publishing: retry.Outage{
			Log:    c.Log,
			Begins: "config: Redis can't tell the other servers of a change; they see it within a second",
			Ends:   "config: Redis tells the other servers of changes again",
		},
		saving: retry.Outage{
			Log:    c.Log,
			Begins: "config: the last-good file can't be written",
			Ends:   "config: the last-good file is written again",
		},
	}
	w.confirmedMS.Store(c.Now())
	w.position.Store(&popup.Position{})
	w.metrics = newMetrics(w)
	return w
}

// Reload reads the whole catalog, compiles it, puts it in force, with the lists of users that it
// names as far as they can be loaded, and writes the last-good file. On return without an error, every change that was committed
// before the call is in force. A file that can't be written is logged, not
// returned: [Watcher.Run] tries again.
func (w *Watcher) Reload(ctx context.Context) error {
	if err := w.reloadAll(ctx); err != nil {
		return err
	}
	w.lists.Report(w.loadLists(ctx, w.store.Current().ListsToLoad()))
	w.save()
	return nil
}

// Changed is [Watcher.Reload] for the server on which a change was made: it reads what has
// changed, and tells the other servers, before it writes the file. A list of users that the
// change brings is in force on return. That Redis is down is logged, not returned, and costs
// at most a second.
func (w *Watcher) Changed(ctx context.Context) error {
	before := w.store.Current().ListsToLoad()
	if err := w.reload(ctx); err != nil {
		return err
	}
	w.publish(ctx)
	wanted := slices.DeleteFunc(w.store.Current().ListsToLoad(), func(r popup.AudienceRow) bool {
		return slices.ContainsFunc(before, func(b popup.AudienceRow) bool { return b.List == r.List })
	})
	err := w.loadLists(ctx, wanted)
	w.save()
	return err
}

// Run keeps the store up to date until ctx ends, then returns nil. It reloads at
// the start unless Reload has succeeded before, whenever another server tells of
// a change, whenever Redis is (back) within reach, and whenever the revision in
// the store is not the one in force. An outage is logged when it begins and when
// it ends; meanwhile the last good snapshot stays in force.
func (w *Watcher) Run(ctx context.Context) error {
	wake := make(chan struct{}, 1)
	ctx, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel() // also after a panic
	defer w.closeChanges()
	wg.Go(func() { w.runLists(ctx) })
	if w.c.Redis != nil {
		wg.Go(func() { w.listen(ctx, wake) })
	}
	if !w.loaded.Load() {
		retry.Notify(wake)
	}
	ticker := time.NewTicker(pollEvery)
	defer ticker.Stop()
	stale := false
	source := retry.Outage{
		Log:    w.c.Log,
		Begins: "config: the popups can't be read; those in force stay so",
		Ends:   "config: the popups can be read again",
	}
	for {
		var err error
		select {
		case <-ctx.Done():
			return nil
		case <-wake:
			if retry.Pause(ctx, debounce) != nil {
				return nil
			}
			select {
			case <-wake:
			default:
			}
			stale = true
		case <-ticker.C:
			w.syncSaved()
			if !stale {
				stale, err = w.differs(ctx)
			}
			if !stale {
				w.compact()
			}
		}
		if stale {
			if err = w.reloadWithin(ctx); err == nil {
				stale = false
			}
		}
		if ctx.Err() != nil {
			return nil
		}
		source.Report(err)
		w.save()
	}
}

// differs asks whether the store is at another position than the snapshot in force.
func (w *Watcher) differs(ctx context.Context) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, pollTimeout)
	defer cancel()
	askedMS := w.c.Now()
	at, err := w.c.Source.Position(ctx)
	if err != nil {
		w.metrics.reloadErrors.Inc()
		return false, fmt.Errorf("read the revision: %w", err)
	}
	if at != *w.position.Load() {
		return true, nil
	}
	w.confirmedMS.Store(askedMS)
	return false, nil
}

func (w *Watcher) reloadWithin(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, reloadTimeout)
	defer cancel()
	return w.reload(ctx)
}
