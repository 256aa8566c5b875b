//go:build linux

package e2e

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// once is a popup that no user is shown twice within a test.
var once = popupSpecs{{key: "once", afterImpression: 24 * time.Hour, afterClick: 48 * time.Hour, afterDismiss: 24 * time.Hour}}

// flood is new users who come without pause, until done says so. Half of what
// they are shown they click.
func flood(s *server, h *history, name string, within time.Duration, done func() bool) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	l := &load{server: s, history: h, name: name, cancel: cancel}
	var wg sync.WaitGroup
	for g := range 8 {
		v := &loadClient{load: l, rand: rand.New(rand.NewPCG(0, uint64(g)))}
		wg.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				u := newLoadUser(fmt.Sprintf("%s-%d-%d", name, g, n))
				for v.poll(u) {
				}
				for key, s := range u.seen {
					if n%2 == 0 {
						v.act(u, key, s.latest, "click")
					}
				}
			}
		})
	}
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	ok := false
	for ; !ok && ctx.Err() == nil; <-tick.C {
		ok = done()
	}
	cancel()
	wg.Wait()
	client.CloseIdleConnections()
	if !ok {
		s.t.Fatalf("%s: not within %v", name, within)
	}
}

// mustMetric is metric where an error ends the test.
func (s *server) mustMetric(name string) float64 {
	s.t.Helper()
	n, err := s.metric(name)
	if err != nil {
		s.t.Fatal(err)
	}
	return n
}

// unrecorded counts polls that could not be recorded.
const unrecorded = `popupd_decisions_total{outcome="unrecorded"}`

// floodUntilFull floods until the server has refused to record for a while.
func floodUntilFull(s *server, h *history, name string) {
	s.t.Helper()
	before := s.mustMetric(unrecorded)
	flood(s, h, name, 60*time.Second, func() bool { return s.mustMetric(unrecorded) > before+500 })
}

// waitRefuses floods until a poll of a new user is answered 204 and an action of one
// of shown, who have not acted yet, 503, as they must be while nothing can be recorded.
// Between a flood and these two there may be room for a moment: a dump was given up,
// a segment committed.
func (s *server) waitRefuses(h *history, shown []*loadUser, name string) {
	s.t.Helper()
	v := &loadClient{load: &load{server: s, history: h}}
	for n, u := range shown {
		floodUntilFull(s, h, fmt.Sprintf("%s-%d", name, n))
		recorded := v.poll(newLoadUser(fmt.Sprintf("%s-refused-%d", name, n)))
		if outcome := v.act(u, "once", u.seen["once"].latest, "dismiss"); !recorded && outcome == refused {
			return
		}
	}
	s.t.Errorf("%s: after each flood something was recorded", name)
}

// waitShownMany waits until n new users are shown something.
func (s *server) waitShownMany(h *history, n int) []*loadUser {
	s.t.Helper()
	users := make([]*loadUser, n)
	for i := range users {
		users[i] = s.waitShown(h, fmt.Sprintf("first-%d", i), time.Second)
	}
	return users
}

// waitShown waits until a new user is shown something.
func (s *server) waitShown(h *history, user string, within time.Duration) *loadUser {
	s.t.Helper()
	u := newLoadUser(user)
	v := &loadClient{load: &load{server: s, history: h}}
	eventually(s.t, within, func() error {
		if !v.poll(u) {
			return fmt.Errorf("%s is shown nothing", user)
		}
		return nil
	})
	return u
}

// checkHistory ends a history: it waits until all that was acknowledged is committed, and
// nothing else.
func (s *server) checkHistory(t *testing.T, h *history, dsn string) {
	t.Helper()
	(&load{server: s, history: h, cancel: func() {}}).check(t, openDB(t, dsn))
	for _, fall := range s.Crashes() {
		t.Errorf("popupd ended by itself: %s", fall)
	}
	if line := trouble.FindString(s.Log()); line != "" {
		t.Errorf("popupd logs %q", line)
	}
}

// TestDiskFull fills the disk of the data directory with something else. Polls are
// answered 204 and actions 503 until there is room again, also by a server that
// starts meanwhile; nothing acknowledged is lost and nothing refused is committed.
func TestDiskFull(t *testing.T) {
	t.Parallel()
	dir := mount(t, "tmpfs", "size=16m")
	st := startStores(t)
	s := launchIn(t, filepath.Join(dir, "data"), append(st.args(), "-journal-max", "8MiB")...)
	s.waitReady()
	once.create(s)
	h := newHistory(once)
	first := s.waitShownMany(h, 15)

	for round := range 2 {
		flood(s, h, fmt.Sprintf("before-%d", round), 20*time.Second, func() bool { return s.mustMetric("popupd_state_entries") > float64(100*(round+1)) })
		full := ballast(t, dir)
		s.waitRefuses(h, first[5*round:5*round+5], fmt.Sprintf("full-%d", round))
		if round == 1 {
			s.Kill()
			s.restart()
			s.waitRefuses(h, first[10:], "started-full")
		}
		if err := os.Remove(full); err != nil {
			t.Fatal(err)
		}
		s.waitShown(h, fmt.Sprintf("after-%d", round), 20*time.Second)
	}
	s.checkHistory(t, h, st.dsn)
}

// TestJournalFillsDisk: a disk that the journal itself has filled while the database
// is down, long before its quota, is free again once everything is committed.
func TestJournalFillsDisk(t *testing.T) {
	t.Parallel()
	dir := mount(t, "tmpfs", "size=6m")
	st := startStores(t)
	s := launchIn(t, filepath.Join(dir, "data"), append(st.args(), "-journal-max", "64MiB")...)
	s.waitReady()
	once.create(s)
	h := newHistory(once)
	st.mysql.Kill()
	floodUntilFull(s, h, "fill")
	st.mysql.Restart(t)
	s.waitShown(h, "after", 60*time.Second)
	s.checkHistory(t, h, st.dsn)
}

// TestQuotaFull: the quota of the journal is used up while the database is down.
func TestQuotaFull(t *testing.T) {
	t.Parallel()
	const quota = 2 << 20
	st := startStores(t)
	s := start(t, append(st.args(), "-journal-max", "2MiB")...)
	once.create(s)
	h := newHistory(once)
	first := s.waitShownMany(h, 5)
	st.mysql.Kill()
	s.waitRefuses(h, first, "down")
	if used := s.mustMetric("popupd_journal_bytes"); used > quota {
		t.Errorf("the journal takes %.0f bytes, its quota is %d", used, quota)
	}
	st.mysql.Restart(t)
	s.waitShown(h, "after", 60*time.Second)
	s.checkHistory(t, h, st.dsn)
}
