// Package tokens keeps the named tokens of the control plane in memory, so that hardly a
// request waits for the database: it reads them anew every 2 s and notes when each was last used.
//
// A change that is made on this server is in force here when it returns. Other servers take a
// new token at once, since they look for one that they do not know, and refuse one that was
// deleted after their next read, within 5 s. While the database does not answer, a server goes
// on with the tokens that it knows, for 15 minutes: a token that was deleted meanwhile must
// not last for as long as the outage. The token of -admin-token is none of them, and always
// works.
//
// Who may do what, and what a wrong token is answered with, is said in packages console and
// console/api.
package tokens

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"sync"
	"sync/atomic"
	"time"

	"github.com/popupd/popupd/internal/retry"
	"github.com/popupd/popupd/popup"
)

// Store keeps the tokens. A change is one transaction: once it returns without an error it
// is durable. Calls block until the store answers or ctx ends; then the outcome of a change
// is not known. Errors it may name are [popup.ErrTokenExists], [popup.ErrTooManyTokens] and
// [popup.ErrNoSuchToken]; any other one means that the store can't be used now.
type Store interface {
	// AdminTokens returns all tokens by name, expired ones among them.
	AdminTokens(ctx context.Context) ([]popup.AdminToken, error)
	CreateAdminToken(ctx context.Context, c popup.Change, t popup.AdminToken) error
	// DeleteAdminToken returns the id of the token that had the name.
	DeleteAdminToken(ctx context.Context, c popup.Change, name string) (id string, err error)
	// AdminTokenUsed notes that a token was used, unless a later use is known.
	AdminTokenUsed(ctx context.Context, id string, atMS int64) error
}

// How often and how long the store is asked, and for how long what it said is believed.
const (
	readEvery   = 2 * time.Second
	readTimeout = 3 * time.Second
	maxAge      = 15 * time.Minute
	missEvery   = time.Second // between two reads because of tokens that are not known
	missTimeout = time.Second
	noteEvery   = time.Minute // between two uses of a token that are stored, by whichever servers
)

// Cache knows the tokens of a store. Its methods may be called from any goroutine.
type Cache struct {
	store   Store
	now     func() int64
	reading retry.Outage
	noting  retry.Outage

	known atomic.Pointer[known] // nil: the tokens were never read

	// busy has a value while somebody asks the store for what replaces known, so that a read
	// that began before a change does not undo it.
	busy chan struct{}

	missBusy   chan struct{} // has a value while the store is read because of a miss; guards the next two
	missAt     time.Time     // when that was last done
	missErr    error         // what it came to
	missBegins atomic.Uint64 // how many such reads have begun

	usedMu sync.Mutex       // guards used
	used   map[string]int64 // id -> last use that is not stored yet, ms
}

// known is what the store had at one time. It does not change.
type known struct {
	tokens map[string]popup.AdminToken // by id
	readAt time.Time                   // of the monotonic clock: one that is set back makes no outage longer
}

// New returns a cache that knows no tokens yet: see [Cache.Run]. now returns ms since the
// epoch, UTC.
func New(s Store, now func() int64, log *slog.Logger) *Cache {
	return &Cache{
		store: s, now: now, used: map[string]int64{}, busy: make(chan struct{}, 1), missBusy: make(chan struct{}, 1),
		reading: retry.Outage{
			Log:    log,
			Begins: "the named tokens can't be read: those that are known are taken for 15 minutes more",
			Ends:   "the named tokens are read again",
		},
		noting: retry.Outage{Log: log, Begins: "the last use of named tokens can't be stored", Ends: "the last use of named tokens is stored again"},
	}
}

// Run reads the tokens every 2 s until ctx ends, and then returns nil.
func (c *Cache) Run(ctx context.Context) error {
	c.refresh(ctx)
	retry.Every(ctx, readEvery, func() { c.refresh(ctx) })
	return nil
}

func (c *Cache) refresh(ctx context.Context) {
	limited, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	err := c.Read(limited)
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
}

// take waits until nobody has put a value into busy, and does. The caller takes it out.
func take(ctx context.Context, busy chan struct{}) error {
	select {
	case busy <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Read reads the tokens from the store now.
func (c *Cache) Read(ctx context.Context) error {
	if err := take(ctx, c.busy); err != nil {
		return err
	}
	defer func() { <-c.busy }()
	readAt := time.Now()
	list, err := c.store.AdminTokens(ctx)
	if err != nil {
		return err
	}
	k := &known{tokens: make(map[string]popup.AdminToken, len(list)), readAt: readAt}
	for _, t := range list {
		k.tokens[t.ID] = t
	}
	c.known.Store(k)
	return nil
}

// ErrNotKnown means that the store did not tell in time whether there is a token.
var ErrNotKnown = errors.New("it is not known whether there is such a token")

// Find returns the token with an id, expired or not, or [ErrNotKnown]. It looks for one that it
// does not know in the store, once a second at most: another server may just have made it.
func (c *Cache) Find(ctx context.Context, id string) (t popup.AdminToken, ok bool, err error) {
	if t, ok, err = c.find(id); ok || err != nil {
		return t, ok, err
	}
	if c.readAfterMiss(ctx) != nil {
		return t, false, ErrNotKnown
	}
	return c.find(id)
}

func (c *Cache) find(id string) (t popup.AdminToken, ok bool, err error) {
	k := c.known.Load()
	if k == nil || time.Since(k.readAt) > maxAge {
		return t, false, ErrNotKnown
	}
	t, ok = k.tokens[id]
	return t, ok, nil
}

// readAfterMiss returns what a read of the store came to that began after the call: an earlier
// one may lack a token that another server has made since. Requests at the same time wait for
// one read, also when the client of the one that reads goes away, and two reads are a second
// apart. While the store fails they wait no second, and are told what the last read came to.
func (c *Cache) readAfterMiss(ctx context.Context) error {
	begun := c.missBegins.Load()
	if err := take(ctx, c.missBusy); err != nil {
		return err
	}
	defer func() { <-c.missBusy }()
	if c.missBegins.Load() > begun {
		return c.missErr
	}
	if wait := missEvery - time.Since(c.missAt); wait > 0 {
		if c.missErr != nil {
			return c.missErr
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	c.missBegins.Add(1)
	limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), missTimeout)
	defer cancel()
	c.missErr = c.Read(limited)
	c.missAt = time.Now()
	return c.missErr
}

// AdminTokens returns all tokens by name, as the store has them.
func (c *Cache) AdminTokens(ctx context.Context) ([]popup.AdminToken, error) {
	return c.store.AdminTokens(ctx)
}

// CreateAdminToken stores a token, which this server then takes at once.
func (c *Cache) CreateAdminToken(ctx context.Context, change popup.Change, t popup.AdminToken) error {
	if err := take(ctx, c.busy); err != nil {
		return err
	}
	defer func() { <-c.busy }()
	if err := c.store.CreateAdminToken(ctx, change, t); err != nil {
		return err
	}
	c.replaceLocked(func(tokens map[string]popup.AdminToken) {
		maps.DeleteFunc(tokens, func(_ string, old popup.AdminToken) bool { return old.Name == t.Name })
		tokens[t.ID] = t
	})
	return nil
}

// DeleteAdminToken deletes a token, which this server then takes no more.
func (c *Cache) DeleteAdminToken(ctx context.Context, change popup.Change, name string) error {
	if err := take(ctx, c.busy); err != nil {
		return err
	}
	defer func() { <-c.busy }()
	id, err := c.store.DeleteAdminToken(ctx, change, name)
	if err != nil {
		return err
	}
	c.replaceLocked(func(tokens map[string]popup.AdminToken) { delete(tokens, id) })
	return nil
}

// replaceLocked makes a change of what is known, if anything is.
func (c *Cache) replaceLocked(change func(tokens map[string]popup.AdminToken)) {
	old := c.known.Load()
	if old == nil {
		return
	}
	k := &known{tokens: maps.Clone(old.tokens), readAt: old.readAt}
	change(k.tokens)
	c.known.Store(k)
}

// Used notes that a request came with a token. It is stored later.
func (c *Cache) Used(id string) {
	c.usedMu.Lock()
	defer c.usedMu.Unlock()
	c.used[id] = c.now()
}

// noteUses stores the last use of each token of which no use within the minute before is
// stored, and forgets the uses of tokens that are gone.
func (c *Cache) noteUses(ctx context.Context) error {
	c.usedMu.Lock()
	used := maps.Clone(c.used)
	c.usedMu.Unlock()
	tokens := c.known.Load().tokens
	for id, atMS := range used {
		t, ok := tokens[id]
		if ok && t.LastUsedAt != nil && atMS-t.LastUsedAt.UnixMilli() < noteEvery.Milliseconds() {
			continue // a later look stores it
		}
		if ok {
			if err := c.store.AdminTokenUsed(ctx, id, atMS); err != nil {
				return err
			}
		}
		c.usedMu.Lock()
		if c.used[id] == atMS {
			delete(c.used, id)
		}
		c.usedMu.Unlock()
	}
	return nil
}
