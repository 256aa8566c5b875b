package journal

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/popupd/popupd/internal/failpoint"
	"github.com/popupd/popupd/internal/retry"
	"github.com/popupd/popupd/popup"
)

// Stream is the events of one start of one server, on disk: the one that is being
// written, or one that has ended and is to be shipped. Its directory holds
// a lock file, locked by the process that writes or drains it, and segments.
// Its methods may be called from many goroutines.
type Stream struct {
	id       popup.StreamID
	dir      string
	journal  *Journal
	readable atomic.Uint64 // see Last

	// Guarded by Journal.mu:
	segs    []*segment // ascending; none once the stream is to be deleted
	times   appendTimes
	lock    *os.File
	sealed  bool
	acked   uint64 // MySQL has committed up to here
	covered uint64 // a state dump knows up to here
	removed bool   // to be deleted when a dump covers it
	dueMS   int64  // since when it may be deleted; 0: it may not
}

// ID returns the stream's name.
func (s *Stream) ID() popup.StreamID { return s.id }

// First returns the first sequence number that is still kept; 1 if nothing was
// appended yet. It may be one more than Last, when all was trimmed.
func (s *Stream) First() uint64 {
	s.journal.mu.Lock()
	defer s.journal.mu.Unlock()
	return s.firstLocked()
}

func (s *Stream) firstLocked() uint64 {
	if len(s.segs) == 0 {
		return s.Last() + 1
	}
	return s.segs[0].first
}

// Last returns the last sequence number that may be shipped, 0 if there is none:
// the last one appended, and with Sync = 0 the last one on stable storage.
func (s *Stream) Last() uint64 { return s.readable.Load() }

// Sealed reports whether nothing will be appended any more.
func (s *Stream) Sealed() bool {
	s.journal.mu.Lock()
	defer s.journal.mu.Unlock()
	return s.sealed
}

// Ack tells that MySQL has committed the stream's events up to seq, which lets
// segments be deleted (see [Journal.Run]). It may go back: MySQL may have been restored to an
// earlier state.
func (s *Stream) Ack(seq uint64) {
	s.journal.mu.Lock()
	defer s.journal.mu.Unlock()
	s.acked = seq
}

// Remove says that a sealed stream is no longer needed: all its events are committed.
// It is no longer among [Journal.Streams], and [Journal.Run] deletes it when a state dump covers
// it (see [Journal.Covered]) and the grace is over; until then [Stream.Revive]
// takes that back. It may be called again.
func (s *Stream) Remove() error {
	s.journal.mu.Lock()
	defer s.journal.mu.Unlock()
	if !s.sealed {
		return fmt.Errorf("remove stream %s: it is being written", s.id)
	}
	s.removed = true
	return nil
}

// Revive takes Remove back: MySQL has less of the stream than it had. It returns
// false if the stream is deleted by now.
func (s *Stream) Revive() bool {
	j := s.journal
	j.mu.Lock()
	defer j.mu.Unlock()
	if !slices.Contains(j.streams, s) {
		return false
	}
	s.removed, s.acked, s.dueMS = false, 0, 0
	retry.Notify(j.changed)
	return true
}

// inspect reads a segment again in which a reader has met damage, cause, and
// replaces what was known of it by what is still there. It returns cause while
// the segment is being written, and errors of the disk.
func (s *Stream) inspect(g *segment, cause error) error {
	j := s.journal
	j.mu.Lock()
	listed, written, path := slices.Contains(s.segs, g), !s.sealed && g == s.segs[len(s.segs)-1], g.path
	j.mu.Unlock()
	switch {
	case !listed:
		return nil // trimmed
	case written:
		return cause
	}
	found, err := j.disk.scan(path, g.first, s.id, limits{next: g.first, last: s.Last()})
	missing := errors.Is(err, fs.ErrNotExist)
	if missing {
		// One file is lost. If all of them are, they may come back.
		_, err = os.Stat(filepath.Join(s.dir, lockName))
	}
	if err != nil {
		return err
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if missing {
		g.extents, g.index = nil, nil
	} else if !found.clean() {
		g.extents, g.index = found.extents, found.index
	} else {
		return nil // whole after all
	}
	j.metrics.errors.Inc()
	j.c.Log.Error("journal segment is damaged, the events in it are lost in part", "stream", s.id.String(), "err", cause)
	if !missing && !g.bad {
		j.disk.setAside(g, j.c.Log)
	}
	return nil
}

// discard deletes a stream's directory and unlocks it. Damaged files are kept, in a
// directory of the same name with .bad behind it. It may be called again after an error.
func (d *disk) discard(dir string, lock *os.File) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return unlock(lock)
	}
	if err != nil {
		return fmt.Errorf("list stream: %w", err)
	}
	if d.noDirRename {
		if err := unlock(lock); err != nil {
			return err
		}
	}
	if slices.ContainsFunc(entries, func(e os.DirEntry) bool { return strings.HasSuffix(e.Name(), badSuffix) }) {
		for _, e := range entries {
			if strings.HasSuffix(e.Name(), badSuffix) {
				continue
			}
			if err := d.remove(filepath.Join(dir, e.Name())); err != nil {
				return err
			}
		}
		if err := d.rename(dir, dir+badSuffix); err != nil {
			return err
		}
		return unlock(lock)
	}
	// Renamed first, so that nobody finds half a stream.
	gone := filepath.Join(filepath.Dir(dir), gonePrefix+filepath.Base(dir))
	if err := d.rename(dir, gone); err != nil {
		return err
	}
	failpoint.Reach(failpoint.JournalDiscardRenamed)
	if err := d.removeAll(gone); err != nil {
		return err
	}
	return unlock(lock)
}
