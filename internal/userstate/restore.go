package userstate

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"time"

	"github.com/popupd/popupd/frequency"
	"github.com/popupd/popupd/internal/retry"
	"github.com/popupd/popupd/persist"
	"github.com/popupd/popupd/popup"
	"github.com/popupd/popupd/queue/journal"
)

const (
	restoreRetry = 2 * time.Second
	// unheardRetry bounds the pause while the lists in Redis cannot be read: each try
	// reads all states from the database too.
	unheardRetry = time.Minute
	storeTimeout = 10 * time.Second // of migrations and the first read of the popups
	pingTimeout  = time.Second      // after which a server with a dump does not wait for the database
)

// Restore makes the server know what its users have seen, from the data directory
// and the database or, while that is away, from the data directory alone. It
// returns an error if the database refuses this server, which no waiting mends.
// caughtUp is false when the database has yet to be asked: see CatchUp.
func (s *State) Restore(ctx context.Context) (caughtUp bool, err error) {
	dumped, err := s.fromDataDirectory()
	if err != nil {
		return false, err
	}
	s.peers.await(ctx)
	if dumped {
		err = s.ping(ctx)
	}
	if err == nil {
		err = s.fromDatabase(ctx)
	}
	if err == nil {
		s.setReady()
		return true, nil
	}
	if !persist.Unavailable(err) {
		return false, err
	}
	s.log.Warn("the database is away, serving from the data directory", "err", err)
	if dumped {
		s.setReady()
	} else {
		s.log.Warn("no usable dump of the users' state: unready until the database answers")
	}
	return false, nil
}

// fromDataDirectory loads the last good popups and the dump, and merges the
// journal. It reports whether there was a dump of all that this server is to know.
func (s *State) fromDataDirectory() (dumped bool, err error) {
	if err := s.watcher.LoadFile(); err != nil {
		s.log.Error("not all files of the last good popups can be used", "err", err)
	}
	s.table.Sweep(s.now()) // tells the table what has expired
	positions, note, err := s.table.Load(s.dump)
	ofHeld := errors.Is(err, frequency.ErrDumpOfHeld)
	switch {
	case err == nil:
		s.dumped = positions
	case ofHeld:
		s.log.Info("the dump was made with -state-scope hashed: the database has the rest", "err", err)
	case !errors.Is(err, fs.ErrNotExist):
		s.log.Error("not all dumps of the users' state can be used", "err", err)
	}
	s.known.loaded(positions, note, s.now())
	return positions != nil && !ofHeld, s.journal.Replay(s.table.Merge)
}

// ping asks the database for a sign of life, but not for long: one that hangs is
// worse than one that is down.
func (s *State) ping(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, pingTimeout)
	defer cancel()
	return s.db.Ping(ctx)
}

// fromDatabase merges what the database knows into the table. All it does may
// be repeated.
func (s *State) fromDatabase(ctx context.Context) error {
	first, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	if err := s.db.Migrate(first); err != nil {
		return err
	}
	if s.seed != nil {
		if err := s.seed(first); err != nil {
			return err
		}
	}
	if err := s.watcher.Reload(first); err != nil {
		return err
	}
	return s.mergeMissed(ctx)
}

// mergeMissed merges what other servers have served: first what they have shipped, then
// what is committed. What is in neither has been heard: see peers.
func (s *State) mergeMissed(ctx context.Context) error {
	select {
	case <-s.behind: // this read is what it asks for
	default:
	}
	breaks := s.peers.begin()
	var unheard error
	if s.peers.shipped != nil {
		unheard = s.peers.shipped(ctx, s.table.Merge, func(id popup.StreamID, first, last uint64) { s.known.hear(id, first, last) })
	}
	holes, err := s.mergeStates(ctx)
	if err != nil {
		return err
	}
	if holes && unheard == nil {
		unheard = errHoles
	}
	s.unheard.Report(unheard)
	if unheard == nil {
		s.known.listsRead()
		s.peers.end(breaks)
		s.backoff.Reset()
		s.pause = restoreRetry
		return nil
	}
	s.pause = s.backoff.Next()
	if s.peers.subscribedNow() { // else the next subscription asks again
		s.Behind()
	}
	return nil
}

// errHoles is why a read has to be repeated although all answered.
var errHoles = errors.New("events before those that were heard are not committed yet")

// mergeStates merges the states and the resets that the database holds and that are not
// known yet. It reports whether events are missing between those that are known now. Ten
// million states take some seconds (BenchmarkRestoreState).
func (s *State) mergeStates(ctx context.Context) (holes bool, err error) {
	start, now, states, lost := time.Now(), s.now(), 0, 0
	s.noteJournaled()
	gap := s.table.MinGap()
	reading, known := s.known.beginRead(s.table.Lost(), gap, now)
	found, err := s.db.Restore(ctx, now, gap, known, s.heldOnly, func(user []byte, id uint32, st popup.State) {
		states++
		if !s.table.Restore(user, id, st) {
			lost++
		}
	})
	isAnew := s.heldOnly && found.Full != "" // then users are looked up when they poll
	if longest := s.capMS(); err == nil && longest > 0 && !isAnew {
		err = s.db.RestoreImpressions(ctx, &found, now-longest, func(user []byte, id uint32, servedAtMS int64, acted uint8) {
			if !s.table.RestoreImpression(user, id, servedAtMS, acted) {
				lost++
			}
		})
	}
	if err == nil { // after the states: what was reset meanwhile goes too
		err = s.db.RestoreResets(ctx, func(user []byte, atMS int64) {
			s.table.Merge(&popup.Event{AtMS: atMS, User: user, Action: popup.Reset})
		})
	}
	if err != nil {
		return false, err
	}
	if isAnew {
		if reading.isPast(&found) {
			s.mergeJournal()
		}
		s.table.Unhold()
	}
	holes = s.known.restored(reading, &found, now)
	read := "changes"
	switch {
	case isAnew:
		read = "users when they poll, " + cmp.Or(reading.all, found.Full)
	case found.Full != "":
		read = "all, " + cmp.Or(reading.all, found.Full)
	}
	s.log.Info("users' state restored", "read", read, "events", found.Events, "states", states, "took", time.Since(start))
	if lost > 0 { // a server that does not start would help nobody
		s.log.Error("not all of the users' state fits: popups may return too early, raise -state-max", "left_out", lost)
	}
	return holes, nil
}

// mergeJournal merges what the journal has: a database of the past lacks what was committed, and
// so forgotten here.
func (s *State) mergeJournal() {
	err := s.journal.ReplayKept(s.table.Merge)
	for errors.Is(err, journal.ErrTrimmed) { // meanwhile
		err = s.journal.ReplayKept(s.table.Merge)
	}
	if err != nil {
		s.log.Error("the journal cannot be read again: of the past, users may see what they have seen", "err", err)
	}
}

// noteJournaled tells how far the stream that is being written is known. Of others in
// the journal only the database says that nothing of them was damaged.
func (s *State) noteJournaled() {
	for _, stream := range s.journal.Streams() {
		if last := stream.Last(); !stream.Sealed() && last > 0 {
			s.known.journaled(stream.ID(), last)
		}
	}
}

// Behind says that the database may know what this server has missed.
func (s *State) Behind() {
	retry.Notify(s.behind)
}

// CatchUp asks the database whenever this server is behind, until it has
// answered. The pause before keeps it from being asked all the time.
func (s *State) CatchUp(ctx context.Context) error {
	refused := retry.Outage{Log: s.log, Begins: "the database refuses this server, which goes on from memory", Ends: "the database takes this server again", EachCause: true}
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-s.behind:
		}
		for caughtUp := false; !caughtUp; {
			if retry.Pause(ctx, s.pause) != nil {
				return nil
			}
			err := s.fromDatabase(ctx)
			if caughtUp = err == nil; caughtUp {
				s.setReady()
			}
			if caughtUp || ctx.Err() == nil && !persist.Unavailable(err) {
				refused.Report(err)
			}
		}
	}
}
