package tokens

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/popupd/popupd/popup"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// memory is a store with the contract of persist.DB. down, if set, fails every call.
type memory struct {
	mu     sync.Mutex
	down   error
	hangs  bool                        // AdminTokens does not answer
	full   error                       // AdminTokenUsed's answer
	tokens map[string]popup.AdminToken // by id
	uses   []string                    // that were stored
	after  func()                      // called when AdminTokens has read, if set
}

func (m *memory) AdminTokens(ctx context.Context) (list []popup.AdminToken, err error) {
	m.mu.Lock()
	if m.hangs {
		m.mu.Unlock()
		<-ctx.Done()
		return nil, ctx.Err()
	}
	for _, t := range m.tokens {
		list = append(list, t)
	}
	err = m.down
	after := m.after
	m.mu.Unlock()
	if after != nil {
		after()
	}
	return list, err
}

func (m *memory) CreateAdminToken(_ context.Context, _ popup.Change, t popup.AdminToken) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.down == nil {
		m.tokens[t.ID] = t
	}
	return m.down
}

func (m *memory) DeleteAdminToken(_ context.Context, _ popup.Change, name string) (string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for id, t := range m.tokens {
		if t.Name == name && m.down == nil {
			delete(m.tokens, id)
			return id, nil
		}
	}
	return "", errors.Join(m.down, popup.ErrNoSuchToken)
}

func (m *memory) AdminTokenUsed(_ context.Context, id string, atMS int64) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	t, ok := m.tokens[id]
	if m.full != nil {
		return m.full
	}
	if m.down == nil && ok {
		t.LastUsedAt = popup.TimeOf(atMS)
		m.tokens[id] = t
		m.uses = append(m.uses, id)
	}
	return m.down
}

func (m *memory) set(fn func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	fn()
}

// servers are caches of one store, by the clock of the bubble that it is called in. They run
// until the test ends.
func servers(t *testing.T, n int) (store *memory, all []*Cache, log *strings.Builder) {
	t.Helper()
	store, log = &memory{tokens: map[string]popup.AdminToken{}}, &strings.Builder{}
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	for range n {
		c := New(store, func() int64 { return time.Now().UnixMilli() }, slog.New(slog.NewTextHandler(log, nil)))
		all = append(all, c)
		go c.Run(ctx)
	}
	synctest.Wait()
	return store, all, log
}

func (m *memory) mustCreate(t *testing.T, c *Cache, id, name string) {
	t.Helper()
	if err := c.CreateAdminToken(t.Context(), popup.Change{}, popup.AdminToken{ID: id, Name: name}); err != nil {
		t.Fatal(err)
	}
}

func knows(t *testing.T, c *Cache, id string, want bool) {
	t.Helper()
	if _, ok, err := c.Find(t.Context(), id); err != nil || ok != want {
		t.Errorf("%s is known: %v, %v; want %v", id, ok, err, want)
	}
}

func TestChangesReachEveryServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, s, _ := servers(t, 2)
		store.mustCreate(t, s[0], "id-1", "ci")
		knows(t, s[0], "id-1", true)
		knows(t, s[1], "id-1", true)

		// An expired token was replaced by another of its name.
		store.mustCreate(t, s[0], "id-2", "ci")
		store.set(func() { delete(store.tokens, "id-1") })
		knows(t, s[0], "id-1", false)
		knows(t, s[0], "id-2", true)

		if err := s[0].DeleteAdminToken(t.Context(), popup.Change{}, "ci"); err != nil {
			t.Fatal(err)
		}
		knows(t, s[0], "id-2", false)
		time.Sleep(readEvery)
		synctest.Wait()
		knows(t, s[1], "id-2", false)
	})
}

// While the store hangs, one request a second waits for it, and no longer than that.
func TestMissesWhileTheStoreHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, s, _ := servers(t, 1)
		store.set(func() { store.hangs = true })
		time.Sleep(readEvery) // its own read hangs, too
		start := time.Now()
		for range 20 {
			if _, _, err := s[0].Find(t.Context(), "unknown"); !errors.Is(err, ErrNotKnown) {
				t.Errorf("%v, want %v", err, ErrNotKnown)
			}
		}
		if took := time.Since(start); took != missTimeout {
			t.Errorf("20 requests took %v, want %v", took, missTimeout)
		}
	})
}

// A read that began before a delete and ends after it must not bring the token back.
func TestSlowReadUndoesNoDelete(t *testing.T) {
	reading, goOn, deleted, read := make(chan struct{}), make(chan struct{}), make(chan error, 1), make(chan error, 1)
	store := &memory{tokens: map[string]popup.AdminToken{"id-1": {ID: "id-1", Name: "ci"}}}
	store.after = func() { close(reading); <-goOn }
	c := New(store, func() int64 { return 1 }, slog.New(slog.DiscardHandler))
	go func() { read <- c.Read(t.Context()) }()
	<-reading
	go func() { deleted <- c.DeleteAdminToken(t.Context(), popup.Change{}, "ci") }()
	select {
	case err := <-deleted:
		t.Errorf("the delete does not wait for the read: %v", err)
	case <-time.After(50 * time.Millisecond):
	}
	close(goOn)
	if err := errors.Join(<-read, <-deleted); err != nil {
		t.Fatal(err)
	}
	if _, ok, err := c.find("id-1"); ok || err != nil { // Find would read anew
		t.Errorf("the deleted token is known: %v, %v", ok, err)
	}
}

// Tokens that are not known are looked for once a second, however many requests have one.
func TestMisses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reads := 0
		store := &memory{tokens: map[string]popup.AdminToken{}, after: func() { reads++ }}
		c := New(store, func() int64 { return time.Now().UnixMilli() }, slog.New(slog.DiscardHandler))
		if err := c.Read(t.Context()); err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		for range 6 {
			var requests sync.WaitGroup
			for range 10 {
				requests.Go(func() { knows(t, c, "unknown", false) })
			}
			requests.Wait()
		}
		// Of requests at the same moment, those that came after the read had begun wait for another.
		if allowed := 1 + int(time.Since(start)/missEvery); reads-1 > allowed || reads-1 > 12 {
			t.Errorf("the store was read %d times because of misses in %v", reads-1, time.Since(start))
		}
		store.set(func() { store.down = errors.New("no database") })
		for range 2 {
			if _, _, err := c.Find(t.Context(), "unknown"); !errors.Is(err, ErrNotKnown) {
				t.Errorf("without a database: %v, want %v", err, ErrNotKnown)
			}
		}
	})
}

// Somebody tries tokens that are none, just before one is made on another server.
func TestNewTokenAfterMisses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, s, _ := servers(t, 2)
		knows(t, s[1], "unknown", false)
		store.mustCreate(t, s[0], "id-1", "ci")
		knows(t, s[1], "id-1", true)
	})
}

// A client that goes away while others wait keeps none of them from an answer.
func TestMissOfAClientThatGoes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, s, _ := servers(t, 2)
		knows(t, s[1], "unknown", false)
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		if _, _, err := s[1].Find(gone, "unknown"); !errors.Is(err, ErrNotKnown) {
			t.Errorf("%v, want %v", err, ErrNotKnown)
		}
		store.mustCreate(t, s[0], "id-1", "ci")
		knows(t, s[1], "id-1", true)
	})
}

// The system's clock is set back during an outage.
func TestOutageClockGoesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &memory{tokens: map[string]popup.AdminToken{"id-1": {ID: "id-1"}}}
		var back atomic.Int64
		c := New(store, func() int64 { return time.Now().UnixMilli() - back.Load() }, slog.New(slog.DiscardHandler))
		if err := c.Read(t.Context()); err != nil {
			t.Fatal(err)
		}
		back.Store(time.Hour.Milliseconds())
		time.Sleep(maxAge)
		knows(t, c, "id-1", true)
		time.Sleep(time.Millisecond)
		if _, _, err := c.Find(t.Context(), "id-1"); !errors.Is(err, ErrNotKnown) {
			t.Errorf("after %v without a database: %v, want %v", maxAge, err, ErrNotKnown)
		}
	})
}

func TestOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, s, log := servers(t, 1)
		store.mustCreate(t, s[0], "id-1", "ci")
		time.Sleep(readEvery)
		synctest.Wait()
		store.set(func() { store.down = errors.New("no database") })
		time.Sleep(maxAge)
		knows(t, s[0], "id-1", true)
		time.Sleep(time.Millisecond)
		if _, _, err := s[0].Find(t.Context(), "id-1"); !errors.Is(err, ErrNotKnown) {
			t.Errorf("after %v without a database: %v, want %v", maxAge, err, ErrNotKnown)
		}
		if err := s[0].CreateAdminToken(t.Context(), popup.Change{}, popup.AdminToken{}); err == nil {
			t.Error("a token is made without a database")
		}
		if err := s[0].DeleteAdminToken(t.Context(), popup.Change{}, "ci"); err == nil {
			t.Error("a token is deleted without a database")
		}
		store.set(func() { store.down = nil })
		time.Sleep(readEvery)
		synctest.Wait()
		knows(t, s[0], "id-1", true)
		if n := strings.Count(log.String(), "\n"); n != 2 {
			t.Errorf("%d lines are logged, want that it began and that it ended:\n%s", n, log)
		}
	})
}

func TestNeverRead(t *testing.T) {
	store := &memory{tokens: map[string]popup.AdminToken{}}
	c := New(store, func() int64 { return 1 }, slog.New(slog.DiscardHandler))
	store.mustCreate(t, c, "id-1", "ci")
	if _, _, err := c.Find(t.Context(), "id-1"); !errors.Is(err, ErrNotKnown) {
		t.Errorf("%v, want %v: nothing was read", err, ErrNotKnown)
	}
	if err := c.Read(t.Context()); err != nil {
		t.Fatal(err)
	}
	knows(t, c, "id-1", true)
	if list, err := c.AdminTokens(t.Context()); err != nil || len(list) != 1 {
		t.Errorf("list %v, %v", list, err)
	}
}

// Two servers store the use of a token once a minute together, and forget those that are gone.
func TestUsesAreStoredOnceAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, s, _ := servers(t, 2)
		store.mustCreate(t, s[0], "id-1", "ci")
		time.Sleep(readEvery)
		for range 10 * 60 {
			s[0].Used("id-1")
			time.Sleep(500 * time.Millisecond)
			s[1].Used("id-1")
			time.Sleep(500 * time.Millisecond)
		}
		last := time.Now()
		time.Sleep(noteEvery)
		synctest.Wait()
		if n := len(store.uses); n < 10 || n > 12 {
			t.Errorf("600 s of uses were stored %d times, want 10 to 12", n)
		}
		if used := store.tokens["id-1"].LastUsedAt; used == nil || last.Sub(*used) > noteEvery {
			t.Errorf("the last use is %v, want one up to a minute before %v", used, last)
		}
		s[0].Used("gone")
		time.Sleep(readEvery)
		synctest.Wait()
		if len(s[0].used) > 1 {
			t.Errorf("the uses of a token that is gone are kept: %v", s[0].used)
		}
	})
}

// A database that takes no writes is no reason to say that tokens can't be read. The use
// is stored once it takes them again.
func TestUsesWithoutWrites(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, s, log := servers(t, 1)
		store.mustCreate(t, s[0], "id-1", "ci")
		store.set(func() { store.full = errors.New("read-only") })
		s[0].Used("id-1")
		time.Sleep(maxAge + noteEvery)
		synctest.Wait()
		knows(t, s[0], "id-1", true)
		store.set(func() { store.full = nil })
		time.Sleep(readEvery)
		synctest.Wait()
		if len(store.uses) != 1 {
			t.Errorf("the use was stored %d times, want once", len(store.uses))
		}
		if text := log.String(); strings.Count(text, "\n") != 2 || strings.Contains(text, "read:") {
			t.Errorf("logged:\n%s", text)
		}
	})
}
