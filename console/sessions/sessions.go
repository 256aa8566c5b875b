// Package sessions keeps in memory which browsers are logged in to the console, so that hardly
// a request waits for the database, where every server finds them and a restart leaves them.
//
// A session is looked for in the database when this server sees it first. From then on it is
// read anew every 2 s, together with the others that are in use here, so that what ends it on
// one server ends it on all within 5 s; on this one it ends when the call returns. While the
// database does not answer, sessions that are known go on for 15 minutes, as named tokens do,
// and none can begin. When each was last used is stored to the minute.
//
// Who may do what, cookies and log-in pages are the matter of package console.
package sessions

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/popupd/popupd/internal/retry"
	"github.com/popupd/popupd/popup"
)

// Store keeps the sessions. A change is one transaction: once it returns without an error it
// is durable. Calls block until the store answers or ctx ends; then the outcome of a change is
// not known. An error means that the store can't be used now.
type Store interface {
	// ConsoleSessions returns those of the sessions that there are, ended ones among them.
	ConsoleSessions(ctx context.Context, ids []string) ([]popup.ConsoleSession, error)
	// OpenConsoleSession stores a session and ends the one with the id replaces, if there is one.
	OpenConsoleSession(ctx context.Context, c popup.Change, s popup.ConsoleSession, replaces string) error
	EndConsoleSession(ctx context.Context, c popup.Change, id string) error
	// EndConsoleSessions ends all sessions of a name.
	EndConsoleSessions(ctx context.Context, c popup.Change, name string) error
	// ConsoleSessionSeen notes that a session was used, unless a later use is known.
	ConsoleSessionSeen(ctx context.Context, id string, atMS int64) error
	// AuditLogIn records that somebody was not let in.
	AuditLogIn(ctx context.Context, c popup.Change, why string) error
}

// How often and how long the store is asked, and for how long what it said is believed.
const (
	readEvery   = 2 * time.Second
	readTimeout = 3 * time.Second
	maxAge      = 15 * time.Minute
	findTimeout = time.Second
	maxFinds    = 4 // at a time
	noteEvery   = time.Minute
	maxKnown    = 1000
)

// Cache knows the sessions that are in use on this server. Its methods may be called from any
// goroutine.
type Cache struct {
	store   Store
	now     func() int64
	reading retry.Outage
	noting  retry.Outage
	finds   chan struct{} // has a value for each search in the store that is under way

	mu    sync.Mutex        // guards what follows
	known map[string]*entry // by id
	ended uint64            // how often sessions were ended here
}

// entry is a session as the store had it at readAt, but for what has happened here since.
type entry struct {
	session popup.ConsoleSession
	readAt  time.Time // of the monotonic clock: one that is set back makes no outage longer
	noted   int64     // the last use that the store knows of, ms
}

// New returns a cache that knows no sessions yet: see [Cache.Run]. now returns ms since the
// epoch, UTC.
func New(s Store, now func() int64, log *slog.Logger) *Cache {
	return &Cache{
		store: s, now: now, known: map[string]*entry{}, finds: make(chan struct{}, maxFinds),
		reading: retry.Outage{
			Log:    log,
			Begins: "the sessions of the console can't be read: those that are known are taken for 15 minutes more",
			Ends:   "the sessions of the console are read again",
		},
		noting: retry.Outage{Log: log, Begins: "the last use of sessions can't be stored", Ends: "the last use of sessions is stored again"},
	}
}

// Run reads the sessions that are in use every 2 s until ctx ends, and then returns nil.
func (c *Cache) Run(ctx context.Context) error {
	retry.Every(ctx, readEvery, func() {
		limited, cancel := context.WithTimeout(ctx, readTimeout)
		defer cancel()
		err := c.read(limited)
		if ctx.Err() != nil {
			return
		}
		c.reading.Report(err)
		if err != nil {
			return
		}
		if err := c.noteUses(limited); ctx.Err() == nil {
			c.noting.Report(err)
		}
	})
	return nil
}

// read reads the sessions that are known, and forgets those that are over. A session never gets
// a later end, so a read that began before an end does not undo it.
func (c *Cache) read(ctx context.Context) error {
	c.mu.Lock()
	ids := slices.Collect(maps.Keys(c.known))
	c.mu.Unlock()
	if len(ids) == 0 {
		return nil
	}
	readAt := time.Now()
	list, err := c.store.ConsoleSessions(ctx, ids)
	if err != nil {
		return err
	}
	stored := make(map[string]popup.ConsoleSession, len(list))
	for _, s := range list {
		stored[s.ID] = s
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, id := range ids {
		e, s := c.known[id], stored[id]
		switch {
		case e == nil: // forgotten meanwhile
		case s.ID == "" || e.session.Over(c.now()):
			delete(c.known, id)
		default:
			e.mergeLocked(s, readAt)
		}
	}
	return nil
}

func (e *entry) mergeLocked(s popup.ConsoleSession, readAt time.Time) {
	e.noted = s.SeenMS
	s.SeenMS, s.EndsMS = max(s.SeenMS, e.session.SeenMS), min(s.EndsMS, e.session.EndsMS)
	e.session, e.readAt = s, readAt
}

// ErrNotKnown means that the store did not tell in time whether there is a session.
var ErrNotKnown = errors.New("it is not known whether there is such a session")

// Find returns the session with an id, ended or not, or [ErrNotKnown].
func (c *Cache) Find(ctx context.Context, id string) (s popup.ConsoleSession, ok bool, err error) {
	c.mu.Lock()
	e, before := c.known[id], c.ended
	if e != nil && time.Since(e.readAt) <= maxAge {
		defer c.mu.Unlock()
		return e.session, true, nil
	}
	c.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, findTimeout)
	defer cancel()
	select {
	case c.finds <- struct{}{}:
		defer func() { <-c.finds }()
	case <-ctx.Done():
		return s, false, ErrNotKnown
	}
	readAt := time.Now()
	list, err := c.store.ConsoleSessions(ctx, []string{id})
	if err != nil {
		return s, false, ErrNotKnown
	}
	if len(list) == 0 {
		return s, false, nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if e := c.known[id]; e != nil {
		e.mergeLocked(list[0], readAt)
		return e.session, true, nil
	}
	if c.ended == before && !list[0].Over(c.now()) { // else it may have ended since the store was asked
		c.addLocked(list[0], readAt)
	}
	return list[0], true, nil
}

// addLocked adds a session, in the place of the one that was used last longest ago if there
// are too many: that one is looked for again when it is used.
func (c *Cache) addLocked(s popup.ConsoleSession, readAt time.Time) {
	if len(c.known) >= maxKnown {
		oldest := ""
		for id, e := range c.known {
			if oldest == "" || e.session.SeenMS < c.known[oldest].session.SeenMS {
				oldest = id
			}
		}
		delete(c.known, oldest)
	}
	c.known[s.ID] = &entry{session: s, readAt: readAt, noted: s.SeenMS}
}

// Open stores a session, and ends the one with the id replaces, if there is one.
func (c *Cache) Open(ctx context.Context, change popup.Change, s popup.ConsoleSession, replaces string) error {
	readAt := time.Now()
	if err := c.store.OpenConsoleSession(ctx, change, s, replaces); err != nil {
		return err
	}
	c.end(func(old *popup.ConsoleSession) bool { return old.ID == replaces })
	c.mu.Lock()
	defer c.mu.Unlock()
	c.addLocked(s, readAt)
	return nil
}

// End ends a session.
func (c *Cache) End(ctx context.Context, change popup.Change, id string) error {
	if err := c.store.EndConsoleSession(ctx, change, id); err != nil {
		return err
	}
	c.end(func(s *popup.ConsoleSession) bool { return s.ID == id })
	return nil
}

// EndAll ends all sessions of a name.
func (c *Cache) EndAll(ctx context.Context, change popup.Change, name string) error {
	if err := c.store.EndConsoleSessions(ctx, change, name); err != nil {
		return err
	}
	c.end(func(s *popup.ConsoleSession) bool { return s.Name == name })
	return nil
}

func (c *Cache) end(which func(*popup.ConsoleSession) bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ended++
	for _, e := range c.known {
		if which(&e.session) {
			e.session.EndsMS = min(e.session.EndsMS, c.now())
		}
	}
}

// Refused records that somebody was not let in, and why.
func (c *Cache) Refused(ctx context.Context, change popup.Change, why string) error {
	return c.store.AuditLogIn(ctx, change, why)
}

// Used notes that somebody has used a session. It is stored later.
func (c *Cache) Used(id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e := c.known[id]; e != nil {
		e.session.SeenMS = max(e.session.SeenMS, c.now())
	}
}

// noteUses stores the last use of each session of which no use within the minute before is
// stored.
func (c *Cache) noteUses(ctx context.Context) error {
	used := map[string]int64{}
	c.mu.Lock()
	for id, e := range c.known {
		if e.session.SeenMS-e.noted >= noteEvery.Milliseconds() {
			used[id] = e.session.SeenMS
		}
	}
	c.mu.Unlock()
	for id, atMS := range used {
		if err := c.store.ConsoleSessionSeen(ctx, id, atMS); err != nil {
			return err
		}
	}
	return nil
}
