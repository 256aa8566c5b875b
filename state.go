package main

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"maps"
	"sync"
	"sync/atomic"
	"time"

	"github.com/popupd/popupd/frequency"
	"github.com/popupd/popupd/persist"
	"github.com/popupd/popupd/popup"
	"github.com/popupd/popupd/queue/journal"
	"github.com/popupd/popupd/snapshot"
	"github.com/popupd/popupd/snapshot/follow"
)

const (
	sweepEvery   = 100 * time.Millisecond
	dumpEvery    = time.Minute
	dumpSooner   = 10 * time.Second // when the journal waits for it: what is not dumped cannot be trimmed
	dumpAtOnce   = time.Second      // when it can take hardly any more
	highPressure = 0.25             // of the journal
	mostPressure = 0.9              // of it
	spareRoom    = 1 << 20          // bytes of disk for small files, beside dumps
	restoreRetry = 2 * time.Second
	storeTimeout = 10 * time.Second // of a first word with the database
	patience     = time.Second      // with one that does not answer, of a server that can do without
)

var errRestoring = errors.New("the users' state is being restored")

// state keeps the users' table: brought back at start, swept and dumped while
// the server runs.
type state struct {
	db      *persist.DB
	journal *journal.Journal
	table   *frequency.Table
	watcher *follow.Watcher
	dump    string // path of the dump
	demo    bool
	now     func() int64
	log     *slog.Logger

	ready  atomic.Bool   // what users have seen is known
	missed chan struct{} // cap 1, see behind

	resetsMu sync.Mutex       // guards resets
	resets   map[string]int64 // by user: when they were last reset, as far as this process has heard

	// Of save.
	dumped map[popup.StreamID]uint64 // what the last dump, or the one that was loaded, covers

	// Of swapped, which the watcher calls one at a time.
	current  []*snapshot.Popup
	archived map[uint32]bool
}

// restore makes the server know what its users have seen, from the database
// or, while that is away, from the data directory. It returns an error if the
// database refuses us, which no waiting mends. caughtUp is false when the
// database has yet to be asked: see catchUp.
func (s *state) restore(ctx context.Context) (caughtUp bool, err error) {
	if err := s.watcher.LoadFile(); err != nil {
		s.log.Warn("last good popups", "err", err)
	}
	s.table.Sweep(s.now()) // tells the table what has expired
	dumped, err := s.table.Load(s.dump)
	switch {
	case err == nil:
		s.dumped = dumped
	case !errors.Is(err, fs.ErrNotExist):
		s.log.Error("not all dumps of the users' state can be used", "err", err)
	}
	if err := s.replay(); err != nil {
		return false, err
	}
	if err = nil; dumped != nil {
		err = s.reach(ctx)
	}
	if err == nil {
		err = s.fromDatabase(ctx)
	}
	switch {
	case err == nil:
		s.ready.Store(true)
		return true, nil
	case !persist.Unavailable(err):
		return false, err
	default:
		s.log.Warn("the database is away, serving from the data directory", "err", err)
	}
	if dumped == nil {
		s.log.Warn("no usable dump of the users' state: unready until the database answers")
		return false, nil
	}
	s.ready.Store(true)
	return false, nil
}

// replay merges the journal. Streams come in any order, so it looks for resets
// first: what a reset forgot must not come back from an older stream.
func (s *state) replay() error {
	if err := s.journal.Resets(s.forgot); err != nil {
		return err
	}
	return s.journal.Replay(s.merge)
}

// forgot applies a reset and remembers it, because what it forgot may still come
// from the journal or the database.
func (s *state) forgot(ev *popup.Event) {
	s.resetsMu.Lock()
	s.resets[string(ev.User)] = max(s.resets[string(ev.User)], ev.AtMS)
	s.resetsMu.Unlock()
	s.table.Merge(ev)
}

// unlessForgotten calls fn unless the user was reset at this time or later. A
// reset that comes meanwhile waits, and so forgets what fn adds.
func (s *state) unlessForgotten(user []byte, atMS int64, fn func()) {
	s.resetsMu.Lock()
	defer s.resetsMu.Unlock()
	if len(s.resets) == 0 || atMS > s.resets[string(user)] {
		fn()
	}
}

// merge merges an event of the journal or of another server.
func (s *state) merge(ev *popup.Event) {
	if ev.Action == popup.Reset {
		s.forgot(ev)
		return
	}
	s.unlessForgotten(ev.User, ev.AtMS, func() { s.table.Merge(ev) })
}

// behind says that the database may know what this server has missed.
func (s *state) behind() {
	select {
	case s.missed <- struct{}{}:
	default:
	}
}

// catchUp asks the database whenever this server is behind, until it has
// answered. The pause before gives what was missed time to be counted.
func (s *state) catchUp(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-s.missed:
		}
		for caughtUp := false; !caughtUp; {
			select {
			case <-ctx.Done():
				return nil
			case <-time.After(restoreRetry):
			}
			err := s.fromDatabase(ctx)
			if caughtUp = err == nil; caughtUp {
				s.ready.Store(true)
			} else if !persist.Unavailable(err) {
				s.log.Error("catch up with the database", "err", err)
			}
		}
	}
}

// reach waits until the database answers, but not for long: one that hangs is
// worse than one that is down.
func (s *state) reach(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return s.db.Ping(ctx)
}

// fromDatabase merges what the database knows into the table. All it does may
// be repeated.
func (s *state) fromDatabase(ctx context.Context) error {
	first, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	if err := s.db.Migrate(first); err != nil {
		return err
	}
	if s.demo {
		if err := seedDemo(first, s.db); err != nil {
			return err
		}
	}
	if err := s.watcher.Reload(first); err != nil {
		return err
	}
	return s.mergeStates(ctx)
}

// mergeStates merges the states that the database holds: ten million in some
// seconds (BenchmarkRestoreState).
func (s *state) mergeStates(ctx context.Context) error {
	start, refused := time.Now(), 0
	err := s.db.Restore(ctx, s.now(), func(user []byte, id uint32, st popup.State) {
		s.unlessForgotten(user, st.AtMS, func() {
			if !s.table.Restore(user, id, st) {
				refused++
			}
		})
	})
	if err != nil {
		return err
	}
	s.log.Info("users' state restored", "took", time.Since(start))
	if refused > 0 { // a server that does not start would help nobody
		s.log.Error("not all of the users' state fits: popups may return too early, raise -state-max", "left_out", refused)
	}
	return nil
}

// readiness returns why the server is not ready, or nil.
func (s *state) readiness() error {
	if !s.ready.Load() {
		return errRestoring
	}
	return nil
}

// run sweeps and dumps until ctx ends, then dumps once more.
func (s *state) run(ctx context.Context) error {
	sweep, dump := time.NewTicker(sweepEvery), time.NewTicker(dumpAtOnce)
	defer sweep.Stop()
	defer dump.Stop()
	last, took := time.Now(), time.Duration(0)
	for {
		s.journal.LeaveRoom(s.table.DumpRoom(s.dump) + spareRoom)
		select {
		case <-ctx.Done():
			s.save()
			return nil
		case <-sweep.C:
			s.table.Sweep(s.now())
		case <-dump.C:
			if time.Since(last) < dumpPause(s.journal.Pressure(), s.journal.WantsDump(), took) {
				continue
			}
			last = time.Now()
			if took = dumpSooner; s.save() {
				took = time.Since(last)
			}
		}
	}
}

// dumpPause returns how long after a dump began, which took so long, the next one
// is to, of a journal that is so full and wants one or not.
func dumpPause(pressure float64, wanted bool, took time.Duration) time.Duration {
	switch {
	case pressure < highPressure || !wanted:
		return dumpEvery
	case pressure < mostPressure:
		return dumpSooner
	}
	return min(max(dumpAtOnce, 10*took), dumpSooner) // dumps are not to be all it does
}

// save dumps the table. The positions are taken first: an event is in the
// table before it is in the journal, so the dump holds all up to them. The
// journal keeps what the dump before this one lacks, should this one be damaged.
// It reports whether there is a dump.
func (s *state) save() bool {
	if !s.ready.Load() {
		return false // an incomplete table must not replace a complete dump
	}
	at := s.journal.Positions()
	if err := s.table.Dump(s.dump, at); err != nil {
		s.log.Error("users' state was not dumped", "err", err)
		return false
	}
	s.journal.Covered(s.dumped)
	s.dumped = at
	return true
}

// swapped follows a change of the popups: entries of one that has left the
// snapshot are of no more use, since only archiving, which is final, removes it.
func (s *state) swapped(next *snapshot.Snapshot) {
	for _, p := range s.current {
		if next.Popup(p.ID) == nil {
			s.archived[p.ID] = true
		}
	}
	s.current = next.All()
	for _, p := range s.current {
		delete(s.archived, p.ID) // it has come back with a restored database
	}
	archived := maps.Clone(s.archived)
	s.table.SetPolicy(func(id uint32) frequency.Keep {
		switch p := next.Popup(id); {
		case p != nil && p.Frequency.MaxImpressions > 0:
			return frequency.KeepForever
		case archived[id]:
			return frequency.Drop
		}
		return frequency.KeepWhileWaiting // also of a popup that is too new to be known here
	})
}
