package userstate

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	dto "github.com/prometheus/client_model/go"

	"github.com/popupd/popupd/frequency"
	"github.com/popupd/popupd/persist"
	"github.com/popupd/popupd/popup"
	"github.com/popupd/popupd/queue/journal"
	"github.com/popupd/popupd/snapshot"
	"github.com/popupd/popupd/snapshot/follow"
)

// newLooking returns a state of held users on a store of its own, whose look-ups run.
func newLooking(t *testing.T, maxBytes int64) *State {
	t.Helper()
	db, err := persist.Open(persist.Config{SQLite: filepath.Join(t.TempDir(), "popupd.db"), Host: "test"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	if err := db.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	s := New(Config{
		Database: db, Table: frequency.New(frequency.Config{HeldOnly: true, MaxBytes: maxBytes}),
		Now: func() int64 { return time.Now().UnixMilli() }, Log: slog.New(slog.DiscardHandler),
	})
	return s
}

// run looks users up until the test ends, or the function it returns is called.
func (s *State) run(t *testing.T) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.RunLookUps(ctx) }()
	stop = func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		done <- nil
	}
	t.Cleanup(stop)
	return stop
}

func (s *State) counted(result string) float64 { return testutil.ToFloat64(s.lookUps.results[result]) }

// users returns some ids.
func users(from, to int) (ids [][]byte) {
	for n := from; n < to; n++ {
		ids = append(ids, fmt.Append(nil, "u", n))
	}
	return ids
}

func TestLookUps(t *testing.T) {
	s := newLooking(t, 0)
	s.run(t)
	if !s.LookUp([]byte("a"), nil) || !s.LookUp([]byte("b"), []byte("a")) || !s.table.Holds([]byte("a"), []byte("b")) {
		t.Error("who was looked up is not held")
	}
	if err := s.LookUpWithin(t.Context(), users(0, 3*persist.MaxLookUp+1)...); err != nil || s.table.HeldUsers() != 3*persist.MaxLookUp+3 {
		t.Errorf("%v, %d users are held", err, s.table.HeldUsers())
	}
	before := s.counted(lookUpHeld)
	if !s.LookUp([]byte("a")) || s.counted(lookUpHeld) != before {
		t.Error("who is held is looked up again")
	}
}

// Of many requests that wait those come together that fit into a query.
func TestLookUpsGather(t *testing.T) {
	s := newLooking(t, 0)
	for _, user := range users(0, 600) {
		if _, err := s.lookUps.ask([][]byte{user}); err != nil {
			t.Fatal(err)
		}
	}
	last, err := s.lookUps.ask(users(600, 601))
	if err != nil {
		t.Fatal(err)
	}
	stop := s.run(t)
	<-last.done
	stop()
	var m dto.Metric
	if err := s.lookUps.seconds.(prometheus.Metric).Write(&m); err != nil || m.Histogram.GetSampleCount() != 3 {
		t.Errorf("601 users were looked up by %d queries, %v; want 3", m.Histogram.GetSampleCount(), err)
	}
	if n := s.table.HeldUsers(); n != 601 {
		t.Errorf("%d users are held", n)
	}
}

// A request does not wait for long, nor where too many do; what is found counts all the same.
func TestLookUpsAreBounded(t *testing.T) {
	s := newLooking(t, 0) // nobody answers
	begin := time.Now()
	if s.LookUp([]byte("a")) || time.Since(begin) < LookUpWait {
		t.Errorf("a look-up that nobody answers ends after %v", time.Since(begin))
	}
	for len(s.lookUps.waiting) < maxLookUps {
		if _, err := s.lookUps.ask(users(0, 1)); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := s.LookUpWithin(ctx, []byte("b")); !errors.Is(err, errManyWait) {
		t.Errorf("one too many: %v", err)
	}
	if late, rejected := s.counted(lookUpLate), s.counted(lookUpRejected); late != 1 || rejected != 1 {
		t.Errorf("%v were late, %v rejected; want 1 each", late, rejected)
	}
	s.run(t)
	for deadline := time.Now().Add(10 * time.Second); !s.table.Holds([]byte("a"), nil); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("who was looked up too late is not held")
		}
	}
}

// While the store does not answer, nobody waits for it; then it is asked again.
func TestLookUpsWhileTheStoreIsAway(t *testing.T) {
	s := newLooking(t, 0)
	var log strings.Builder
	s.lookUps.outage.Log = slog.New(slog.NewTextHandler(&log, nil))
	s.db.Close()
	s.run(t)
	if s.LookUp([]byte("a")) || s.counted(lookUpFailed) != 1 {
		t.Errorf("%v look-ups failed, want 1", s.counted(lookUpFailed))
	}
	if err := s.LookUpWithin(t.Context(), []byte("a")); !errors.Is(err, errAway) {
		t.Errorf("at once afterwards: %v", err)
	}
	time.Sleep(lookUpPause)
	if s.LookUp([]byte("a")) || s.counted(lookUpFailed) != 2 {
		t.Errorf("after a pause: %v look-ups failed, want 2", s.counted(lookUpFailed))
	}
	if n := strings.Count(log.String(), "cannot be looked up"); n != 1 {
		t.Errorf("logged %d times:\n%s", n, &log)
	}
}

// Without memory for more users nobody else is held.
func TestLookUpsWithoutMemory(t *testing.T) {
	s := newLooking(t, 64<<10)
	s.run(t)
	var err error
	n := 0
	for ; err == nil && n < 10_000; n++ {
		err = s.LookUpWithin(t.Context(), users(n, n+1)...)
	}
	if err == nil || s.table.HeldUsers() != n-1 {
		t.Errorf("%v after %d users, of whom %d are held", err, n, s.table.HeldUsers())
	}
}

// A look-up that an era has ended under is of no use.
func TestLookUpOfAnEraBefore(t *testing.T) {
	s := newLooking(t, 0)
	era := s.table.Era()
	s.table.Unhold()
	if s.table.Hold([]byte("a"), era) || s.table.Holds([]byte("a"), nil) {
		t.Error("held by what was read in an era before")
	}
}

// Where all users are held there is nothing to look up.
func TestNothingToLookUp(t *testing.T) {
	s := New(Config{Table: frequency.New(frequency.Config{}), Log: slog.New(slog.DiscardHandler)})
	if err := errors.Join(s.RunLookUps(t.Context()), s.RunEpochs(t.Context())); err != nil || !s.LookUp([]byte("a")) {
		t.Error("a user is looked up", err)
	}
}

// TestRemovedStreamOfThePast: the journal is merged again with the streams that it keeps though
// they were committed.
func TestRemovedStreamOfThePast(t *testing.T) {
	dir := t.TempDir()
	j, err := journal.Open(journal.Config{Dir: dir, MaxBytes: 8 << 20, Sync: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	s := newLooking(t, 0)
	ev := popup.Event{AtMS: s.now(), ServedAtMS: s.now(), User: []byte("u"), Popup: 1, Action: popup.Impression, Nth: 1, ReadyAtMS: s.now() + 86_400_000}
	if err := j.Append([]popup.Event{ev}); err != nil {
		t.Fatal(err)
	}
	if err := j.Release(); err != nil {
		t.Fatal(err)
	}
	s.Connect(openJournal(t, dir), nil)
	for _, stream := range s.journal.Streams() {
		if stream.Last() == 1 {
			stream.Ack(1)
			if err := stream.Remove(); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, again := range []bool{false, true} { // the first read is a start's, after which nothing was forgotten
		if _, err := s.mergeStates(t.Context()); err != nil {
			t.Fatal(err)
		}
		n := 0
		if s.table.States([]byte("u"), func(uint32, popup.State) { n++ }); (n == 1) != again {
			t.Errorf("again %v: %d states", again, n)
		}
		s.known.forget()
	}
}

// Of users who are looked up together those are held for whom there is memory.
func TestLookUpsWithLittleMemory(t *testing.T) {
	s := newLooking(t, 2<<20)
	s.run(t)
	var err error
	for n := 0; err == nil; n += persist.MaxLookUp {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		err = s.LookUpWithin(ctx, users(n, n+persist.MaxLookUp)...)
		cancel()
		if !errors.Is(err, errStateFull) && err != nil {
			t.Fatal(err)
		}
	}
	before := s.table.HeldUsers()
	if err := s.LookUpWithin(t.Context(), users(1e6, 1e6+persist.MaxLookUp)...); !errors.Is(err, errStateFull) {
		t.Errorf("more users than there is memory for: %v", err)
	}
	if n := s.table.HeldUsers() - before; n == 0 || n == persist.MaxLookUp {
		t.Errorf("%d of %d are held, want some", n, persist.MaxLookUp)
	}
}

// TestScopeChanges: a dump of held users is not all that a server needs which holds everybody:
// while the database is away it serves nobody from it. One of everybody holds nobody elsewhere;
// and those who were held still are.
func TestScopeChanges(t *testing.T) {
	for _, c := range []struct {
		before, after bool // HeldOnly
		all           bool // all is read
		held          int
	}{{true, true, false, 1}, {true, false, true, 0}, {false, true, false, 0}, {false, false, false, 0}} {
		t.Run(fmt.Sprint(c.before, c.after), func(t *testing.T) {
			dir := t.TempDir()
			j, err := journal.Open(journal.Config{Dir: filepath.Join(dir, "journal"), MaxBytes: 8 << 20})
			if err != nil {
				t.Fatal(err)
			}
			defer j.Release()
			db, err := persist.Open(persist.Config{DSN: "popupd@tcp(127.0.0.1:1)/popupd", Host: "test"})
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			now := time.Now().UnixMilli()
			open := func(heldOnly bool) *State {
				s := New(Config{
					Database: db, Table: frequency.New(frequency.Config{HeldOnly: heldOnly}), Dump: filepath.Join(dir, "state"),
					Now: func() int64 { return now }, Log: slog.New(slog.DiscardHandler),
				})
				s.Connect(j, follow.New(snapshot.NewStore(), follow.Config{Source: onePopup{}, File: filepath.Join(dir, "popups"), OnSwap: s.SetPopups, Now: s.now}))
				return s
			}
			s := open(c.before)
			s.ready.Store(true)
			r, _ := s.known.beginRead(0, 0, now)
			s.known.restored(r, &persist.Found{Full: allUnknown, Committed: map[popup.StreamID]uint64{{1}: 7}}, now)
			s.table.Merge(&popup.Event{AtMS: now, ServedAtMS: now, User: []byte("u"), Popup: 1, Action: popup.Impression, Nth: 1, ReadyAtMS: now + 1000})
			if s.table.Hold([]byte("u"), s.table.Era()); !s.save() {
				t.Fatal("no dump")
			}
			s = open(c.after)
			if caughtUp, err := s.Restore(t.Context()); caughtUp || err != nil || s.Ready() == c.all {
				t.Errorf("while the database is away: %v, ready %v, want %v", err, s.Ready(), !c.all)
			}
			if _, known := s.known.beginRead(0, 0, now); (known == nil) != c.all {
				t.Errorf("all is read: %v, want %v", known == nil, c.all)
			}
			n := 0
			s.table.States([]byte("u"), func(uint32, popup.State) { n++ })
			if n != 1 || s.table.HeldUsers() != c.held {
				t.Errorf("%d states, %d users are held; want 1 and %d", n, s.table.HeldUsers(), c.held)
			}
		})
	}
}
