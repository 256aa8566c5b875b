package journal

import (
	"cmp"
	"context"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/popupd/popupd/internal/failpoint"
	"github.com/popupd/popupd/internal/retry"
)

// How often Run looks after what.
const (
	pulse       = 200 * time.Millisecond // the time, a spare segment, and what can be trimmed
	rescanEvery = 5 * time.Second        // streams of processes that have ended meanwhile
)

// Run does what is to be done beside appending, until ctx is done: it syncs every
// Sync, allocates the next segment ahead, adopts streams of processes that have
// ended, and deletes what is no longer needed.
// It also ends a segment that is not full an hour after its first events.
//
// A segment is deleted, oldest first, when MySQL has committed all of it ([Stream.Ack]),
// a state dump covers it ([Journal.Covered]), and both have been so for the grace;
// the last one of a stream is deleted with the stream ([Stream.Remove]).
func (j *Journal) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel() // also after a panic
	wg.Go(func() {
		retry.Every(ctx, cmp.Or(j.c.Sync, time.Second), func() {
			j.mu.Lock()
			defer j.mu.Unlock()
			j.syncRetiredLocked()
		})
	})
	wg.Go(func() {
		retry.Every(ctx, rescanEvery, func() {
			if err := j.adopt(j.c.OnAdopt); err != nil {
				j.reports.error("", "journal cannot look for streams", err)
			}
		})
	})
	retry.Every(ctx, pulse, func() {
		j.noteTime()
		j.rollOld()
		j.allocateSpare()
		j.sweep()
	})
	return nil
}

// rollOld ends the active segment when its events are old, so that they can be trimmed
// although it is not full.
func (j *Journal) rollOld() {
	j.mu.Lock()
	defer j.mu.Unlock()
	a, now := j.active, j.c.Now()
	switch {
	case j.closed || a == nil || a.next == a.seg.first:
		return
	case a.filledMS == 0 || now < a.filledMS: // the clock may step back
		a.filledMS = now
		return
	case now-a.filledMS < j.c.RollAfter.Milliseconds():
		return
	}
	a.old = true                              // while this waits for the disk, Append waits too, and may be the first to go on
	if j.c.Sync == 0 && a.synced < a.next-1 { // what may have to be cut stays within one segment
		if err := j.syncLocked(a, a.next-1); err != nil || j.active != a || !a.old {
			return
		}
	}
	j.endOldLocked(a, 0)
}

// endOldLocked ends the active segment, all of which is synced where Sync is 0, with
// room in the next one for a frame of size bytes. Without room it goes on for a minute.
func (j *Journal) endOldLocked(a *activeSegment, size int64) {
	a.old = false
	if err := j.rollLocked(a, size); err != nil {
		a.filledMS += time.Minute.Milliseconds()
	}
}

// allocateSpare makes the next segment ahead when the current one is half full,
// so that Append need not wait for it. That there is no room is for Append to say.
func (j *Journal) allocateSpare() {
	j.mu.Lock()
	a := j.active
	if a == nil || a.spare != nil || a.seg.used() < a.seg.size/2 {
		j.mu.Unlock()
		return
	}
	room, _, err := j.roomLeftLocked(0)
	if err != nil {
		j.mu.Unlock()
		return
	}
	j.growLocked(room)
	j.mu.Unlock()

	path := filepath.Join(a.stream.dir, spareName)
	w, err := j.newWriter(path, room)
	failpoint.Reach(failpoint.JournalSpareCreated)
	if err != nil && !isFull(err) {
		j.c.Log.Warn("journal cannot allocate ahead", "err", err)
	}

	j.mu.Lock()
	defer j.mu.Unlock()
	switch {
	case err != nil:
		j.growLocked(-room)
	case j.active == a:
		a.spare, a.spareSize = w, room
	default:
		j.retired = append(j.retired, &retired{seg: &segment{size: room}, writer: w, path: path, remove: true})
	}
}

// sweep deletes what is no longer needed.
func (j *Journal) sweep() {
	j.sweeping.Lock()
	defer j.sweeping.Unlock()
	j.mu.Lock()
	if j.released {
		j.mu.Unlock()
		return
	}
	j.pickLocked(j.c.Now())
	j.mu.Unlock()

	var freed int64
	j.pendingDelete = slices.DeleteFunc(j.pendingDelete, func(g *segment) bool {
		// Not synced: a segment that comes back after a power failure is known to be committed.
		if err := j.disk.remove(g.path); err != nil {
			j.reports.error(g.path, "journal cannot delete a segment", err)
			return false
		}
		failpoint.Reach(failpoint.JournalTrimUnlinked)
		freed += g.size
		return true
	})
	j.pendingRemove = slices.DeleteFunc(j.pendingRemove, func(l pendingRemove) bool {
		if err := j.disk.discard(l.stream.dir, l.stream.lock); err != nil {
			j.reports.error(l.stream.dir, "journal cannot delete a stream", err)
			return false
		}
		freed += l.bytes
		return true
	})

	j.mu.Lock()
	j.growLocked(-freed)
	j.mu.Unlock()
}

// pendingRemove is a stream that was removed and is to be deleted, and its bytes on disk.
type pendingRemove struct {
	stream *Stream
	bytes  int64
}

// pickLocked moves what is no longer needed to pendingDelete and pendingRemove.
func (j *Journal) pickLocked(now int64) {
	bytes, tight := j.bytes.Load(), j.tight.Load()
	// over reports whether what has been needless since *since may go.
	over := func(needless bool, since *int64) bool {
		switch {
		case !needless:
			*since = 0
			return false
		case *since == 0 || now < *since: // the clock may step back
			*since = now
		}
		return now-*since >= j.c.Grace.Milliseconds() || bytes > j.c.MaxBytes/2 || tight
	}
	j.streams = slices.DeleteFunc(j.streams, func(s *Stream) bool {
		if s.removed && (s.Last() == 0 || over(s.covered >= s.Last(), &s.dueMS)) {
			l := pendingRemove{stream: s}
			for _, g := range s.segs {
				if !g.bad {
					l.bytes += g.size
				}
			}
			s.segs = nil
			bytes -= l.bytes
			j.pendingRemove = append(j.pendingRemove, l)
			return true
		}
		needed := min(s.acked, s.covered) + 1
		for len(s.segs) > 1 && over(s.segs[0].last() < needed, &s.segs[0].dueMS) {
			if g := s.segs[0]; !g.bad { // a damaged one stays, for somebody to look at
				bytes -= g.size
				j.pendingDelete = append(j.pendingDelete, g)
			}
			s.segs = slices.Delete(s.segs, 0, 1)
		}
		return false
	})
}
