package sessions

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/popupd/popupd/popup"
)

// memory is a store with the contract of persist.DB. down, if set, fails every call.
type memory struct {
	mu       sync.Mutex
	down     error
	hangs    bool  // ConsoleSessions does not answer
	full     error // ConsoleSessionSeen's answer
	sessions map[string]popup.ConsoleSession
	reads    int
	seen     []string // ids whose use was stored
	after    func()   // called when ConsoleSessions has read, if set
}

func (m *memory) ConsoleSessions(ctx context.Context, ids []string) (list []popup.ConsoleSession, err error) {
	m.mu.Lock()
	if m.hangs {
		m.mu.Unlock()
		<-ctx.Done()
		return nil, ctx.Err()
	}
	m.reads++
	for _, id := range ids {
		if s, ok := m.sessions[id]; ok {
			list = append(list, s)
		}
	}
	err = m.down
	after := m.after
	m.mu.Unlock()
	if after != nil {
		after()
	}
	return list, err
}

func (m *memory) OpenConsoleSession(_ context.Context, _ popup.Change, s popup.ConsoleSession, replaces string) error {
	m.end(func(old popup.ConsoleSession) bool { return old.ID == replaces })
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.down == nil {
		m.sessions[s.ID] = s
	}
	return m.down
}

func (m *memory) EndConsoleSession(_ context.Context, _ popup.Change, id string) error {
	return m.end(func(s popup.ConsoleSession) bool { return s.ID == id })
}

func (m *memory) EndConsoleSessions(_ context.Context, _ popup.Change, name string) error {
	return m.end(func(s popup.ConsoleSession) bool { return s.Name == name })
}

func (m *memory) end(which func(popup.ConsoleSession) bool) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for id, s := range m.sessions {
		if m.down == nil && which(s) {
			s.EndsMS = min(s.EndsMS, time.Now().UnixMilli())
			m.sessions[id] = s
		}
	}
	return m.down
}

func (m *memory) ConsoleSessionSeen(_ context.Context, id string, atMS int64) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.full != nil {
		return m.full
	}
	if s, ok := m.sessions[id]; ok && m.down == nil {
		s.SeenMS = max(s.SeenMS, atMS)
		m.sessions[id] = s
		m.seen = append(m.seen, id)
	}
	return m.down
}

func (m *memory) AuditLogIn(context.Context, popup.Change, string) error { return m.down }

func (m *memory) set(fn func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	fn()
}

func clock() int64 { return time.Now().UnixMilli() }

// servers are caches of one store, by the clock of the bubble that it is called in. They run
// until the test ends.
func servers(t *testing.T, n int) (store *memory, all []*Cache, log *strings.Builder) {
	t.Helper()
	store, log = &memory{sessions: map[string]popup.ConsoleSession{}}, &strings.Builder{}
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	for range n {
		c := New(store, clock, slog.New(slog.NewTextHandler(log, nil)))
		all = append(all, c)
		go c.Run(ctx)
	}
	return store, all, log
}

// mustLogIn begins a session of a name that lasts for half a day.
func mustLogIn(t *testing.T, c *Cache, id, name, replaces string) {
	t.Helper()
	now := clock()
	s := popup.ConsoleSession{ID: id, Name: name, CreatedMS: now, SeenMS: now, EndsMS: now + popup.SessionLife.Milliseconds()}
	if err := c.Open(t.Context(), popup.Change{}, s, replaces); err != nil {
		t.Fatal(err)
	}
}

// lives fails the test unless a session is there and has not ended, or the contrary.
func lives(t *testing.T, c *Cache, id string, want bool) {
	t.Helper()
	s, ok, err := c.Find(t.Context(), id)
	if got := ok && !s.Over(clock()); err != nil || got != want {
		t.Errorf("%s lives: %v, %v; want %v", id, got, err, want)
	}
}

// What begins or ends on one server does so on the other: ends within some seconds.
func TestSessionsOnEveryServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, s, _ := servers(t, 2)
		mustLogIn(t, s[0], "1", "ann", "")
		mustLogIn(t, s[0], "2", "ann", "")
		mustLogIn(t, s[1], "3", "bob", "")
		for _, c := range s {
			for _, id := range []string{"1", "2", "3"} {
				lives(t, c, id, true)
			}
			lives(t, c, "4", false)
		}
		end := func(err error, here, there *Cache, ids ...string) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
			for _, id := range ids {
				lives(t, here, id, false)
			}
			time.Sleep(readEvery)
			synctest.Wait()
			for _, id := range ids {
				lives(t, there, id, false)
			}
		}
		end(s[0].End(t.Context(), popup.Change{}, "3"), s[0], s[1], "3")
		lives(t, s[1], "1", true)
		mustLogIn(t, s[1], "5", "bob", "")
		mustLogIn(t, s[0], "6", "bob", "5") // the browser of 5 logs in anew
		end(nil, s[0], s[1], "5")
		lives(t, s[1], "6", true)
		end(s[1].EndAll(t.Context(), popup.Change{}, "ann"), s[1], s[0], "1", "2")
		lives(t, s[0], "6", true)
		if err := s[0].Refused(t.Context(), popup.Change{}, "no_role"); err != nil {
			t.Error(err)
		}
	})
}

// Sessions that are in use are read together, and are forgotten when they are over.
func TestReads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, s, _ := servers(t, 1)
		time.Sleep(10 * readEvery)
		synctest.Wait()
		if store.reads != 0 {
			t.Errorf("%d reads while nobody is logged in", store.reads)
		}
		for i := range 100 {
			mustLogIn(t, s[0], fmt.Sprint(i), "ann", "")
		}
		for range 10 {
			time.Sleep(readEvery)
			for i := range 100 {
				lives(t, s[0], fmt.Sprint(i), true)
			}
		}
		synctest.Wait()
		if store.reads != 10 {
			t.Errorf("%d reads in 20 s, want 10", store.reads)
		}
		store.set(func() { delete(store.sessions, "0") }) // the database came back from a dump
		time.Sleep(readEvery)
		synctest.Wait()
		lives(t, s[0], "0", false)
		time.Sleep(popup.SessionIdle)
		synctest.Wait()
		if n := len(s[0].known); n != 0 {
			t.Errorf("%d sessions are known that are over", n)
		}
		lives(t, s[0], "1", false)
		if n := len(s[0].known); n != 0 {
			t.Errorf("a session that is over is known again")
		}
	})
}

// Whoever works goes on, and the use is stored once a minute, by whichever server.
func TestUseKeepsTheSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, s, _ := servers(t, 2)
		mustLogIn(t, s[0], "1", "ann", "")
		for range 3 * 60 * 2 { // three hours
			for _, c := range s {
				lives(t, c, "1", true)
				c.Used("1")
			}
			time.Sleep(30 * time.Second)
		}
		synctest.Wait()
		if n := len(store.seen); n < 170 || n > 370 {
			t.Errorf("three hours of use on two servers were stored %d times", n)
		}
		s[0].Used("unknown")
		time.Sleep(popup.SessionIdle)
		lives(t, s[0], "1", false)
		lives(t, s[1], "1", false)
	})
}

// A read that began before an end must not bring the session back: neither one of those that are
// known, nor the search for one that is not known, or was read too long ago.
func TestSlowReadUndoesNoEnd(t *testing.T) {
	read := func(c *Cache) error { return c.read(t.Context()) }
	find := func(c *Cache) error { _, _, err := c.Find(t.Context(), "1"); return err }
	for name, slow := range map[string]struct {
		before func(c *Cache)
		ask    func(c *Cache) error
	}{
		"known":     {func(*Cache) {}, read},
		"not known": {func(c *Cache) { delete(c.known, "1") }, find},
		"long ago":  {func(c *Cache) { c.known["1"].readAt = time.Now().Add(-2 * maxAge) }, find},
	} {
		store := &memory{sessions: map[string]popup.ConsoleSession{}}
		c := New(store, clock, slog.New(slog.DiscardHandler))
		mustLogIn(t, c, "1", "ann", "")
		reading, goOn, asked := make(chan struct{}), make(chan struct{}), make(chan error, 1)
		store.after = func() {
			store.set(func() { store.after = nil })
			close(reading)
			<-goOn
		}
		slow.before(c)
		go func() { asked <- slow.ask(c) }()
		<-reading
		if err := c.EndAll(t.Context(), popup.Change{}, "ann"); err != nil {
			t.Fatal(err)
		}
		close(goOn)
		if err := <-asked; err != nil {
			t.Fatal(err)
		}
		if s, ok, err := c.Find(t.Context(), "1"); err != nil || ok && !s.Over(clock()) {
			t.Errorf("%s: it lives again: %+v, %v", name, s, err)
		}
	}
}

// While the store is away, sessions that are known go on for a while, and others wait no
// longer than a second, however many requests there are.
func TestOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, s, log := servers(t, 1)
		mustLogIn(t, s[0], "1", "ann", "")
		time.Sleep(readEvery)
		synctest.Wait()
		store.set(func() { store.hangs = true })
		start := time.Now()
		var requests sync.WaitGroup
		for range 20 {
			requests.Go(func() {
				if _, _, err := s[0].Find(t.Context(), "2"); !errors.Is(err, ErrNotKnown) {
					t.Errorf("%v, want %v", err, ErrNotKnown)
				}
			})
		}
		requests.Wait()
		if took := time.Since(start); took != findTimeout {
			t.Errorf("20 requests took %v, want %v", took, findTimeout)
		}
		store.set(func() { store.hangs, store.down = false, errors.New("no database") })
		time.Sleep(maxAge - findTimeout)
		lives(t, s[0], "1", true)
		s[0].Used("1")
		time.Sleep(time.Millisecond)
		if _, _, err := s[0].Find(t.Context(), "1"); !errors.Is(err, ErrNotKnown) {
			t.Errorf("after %v without a database: %v, want %v", maxAge, err, ErrNotKnown)
		}
		if s[0].Open(t.Context(), popup.Change{}, popup.ConsoleSession{ID: "3"}, "") == nil ||
			s[0].End(t.Context(), popup.Change{}, "1") == nil || s[0].EndAll(t.Context(), popup.Change{}, "ann") == nil {
			t.Error("a session begins or ends without a database")
		}
		store.set(func() { store.down = nil })
		time.Sleep(readEvery)
		synctest.Wait()
		lives(t, s[0], "1", true)
		lives(t, s[0], "3", false)
		if len(store.seen) != 1 {
			t.Errorf("the use was stored %d times, want once", len(store.seen))
		}
		if n := strings.Count(log.String(), "\n"); n != 2 {
			t.Errorf("%d lines are logged, want that it began and that it ended:\n%s", n, log)
		}
	})
}

// A database that takes no writes is no reason to say that sessions can't be read.
func TestUsesWithoutWrites(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, s, log := servers(t, 1)
		mustLogIn(t, s[0], "1", "ann", "")
		store.set(func() { store.full = errors.New("read-only") })
		time.Sleep(noteEvery)
		s[0].Used("1")
		time.Sleep(2 * readEvery)
		lives(t, s[0], "1", true)
		store.set(func() { store.full = nil })
		time.Sleep(readEvery)
		synctest.Wait()
		if text := log.String(); strings.Count(text, "\n") != 2 || strings.Contains(text, "read:") || len(store.seen) != 1 {
			t.Errorf("stored %v; logged:\n%s", store.seen, text)
		}
	})
}

func TestFewSessionsAreKnown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, s, _ := servers(t, 1)
		for i := range maxKnown + 10 {
			mustLogIn(t, s[0], fmt.Sprint(i), "ann", "")
			time.Sleep(time.Millisecond)
			s[0].Used("0")
		}
		if n := len(s[0].known); n != maxKnown || s[0].known["0"] == nil || s[0].known["1"] != nil {
			t.Errorf("%d are known, the one in use: %v, the oldest: %v", n, s[0].known["0"] != nil, s[0].known["1"] != nil)
		}
		lives(t, s[0], "1", true) // it is looked for
	})
}
