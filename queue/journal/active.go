package journal

import (
	"crypto/rand"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"syscall"

	"github.com/popupd/popupd/internal/failpoint"
	"github.com/popupd/popupd/internal/retry"
	"github.com/popupd/popupd/popup"
)

// activeSegment is the segment that is being appended to, the last one of a stream.
// Guarded by Journal.mu.
type activeSegment struct {
	stream    *Stream
	seg       *segment
	writer    writer // of seg
	named     bool   // seg's name is on stable storage
	next      uint64 // the next sequence number
	synced    uint64 // up to here it is on stable storage
	syncedEnd int64  // where synced ends in seg, or 0 if that is in an earlier segment
	failed    error  // the stream has ended with this error
	bornMS    int64
	filledMS  int64 // when rollOld first saw events in seg; 0: not yet
	old       bool  // nothing is appended to seg any more: see rollOld

	spare     writer // the next segment, not yet named; nil: there is none
	spareSize int64
}

// errQuota is made once: an overloaded server says it often.
var errQuota = fmt.Errorf("%w: quota reached", ErrFull)

// write encodes events behind the last frame. The caller has seen to the room.
func (a *activeSegment) write(events []popup.Event, size int) error {
	off := a.seg.used()
	if err := a.writer.write(off, size, a.stream.id, a.next, events); err != nil {
		return err
	}
	last := a.next + uint64(len(events)) - 1
	a.seg.add(off, int64(size), a.next, last)
	a.next = last + 1
	return nil
}

// retryMS is how long the disk is left alone after it gave no room.
const retryMS = 1000

// roomLocked returns the active segment with room for a frame of size bytes.
func (j *Journal) roomLocked(size int) (*activeSegment, error) {
	for {
		if j.closed {
			return nil, ErrClosed
		}
		a := j.active
		switch {
		case a == nil:
			if err := j.retryLocked(func() error { return j.openStreamLocked(int64(size)) }); err != nil {
				return nil, err
			}
		case a.seg.used()+int64(size) <= a.seg.size && !a.old:
			return a, nil
		case a.next == 1:
			// The first segment is too small for its first frame: made when the
			// disk or the quota was nearly full.
			j.endStreamLocked(a, a.retire())
		case j.c.Sync == 0 && a.synced < a.next-1:
			// What may have to be cut stays within one segment.
			if err := j.syncLocked(a, a.next-1); err != nil && j.active == a {
				return nil, err
			}
		case a.old:
			j.endOldLocked(a, int64(size))
		default:
			if err := j.retryLocked(func() error { return j.rollLocked(a, int64(size)) }); err != nil {
				return nil, err
			}
		}
	}
}

// retryLocked runs f, which asks the disk for room, unless that failed within the
// last second: it repeats the answer then.
func (j *Journal) retryLocked(f func() error) error {
	now := j.c.Now()
	if j.failure != nil && now >= j.failedMS && now < j.failedMS+retryMS {
		return j.failure
	}
	err := f()
	switch {
	case err == nil && j.failure != nil:
		j.c.Log.Info("journal accepts events again")
	case err != nil && j.failure == nil:
		j.c.Log.Error("journal refuses events", "err", err)
	}
	j.failure, j.failedMS = err, now
	return err
}

// rollLocked makes the stream's next segment, with room for a frame of size bytes,
// the active one. No room is [ErrFull] and leaves everything as it is; any other error
// ends the stream.
func (j *Journal) rollLocked(a *activeSegment, size int64) error {
	path := filepath.Join(a.stream.dir, segmentName(a.next))
	w, room := a.spare, a.spareSize
	if w != nil && room >= size {
		if err := j.disk.rename(filepath.Join(a.stream.dir, spareName), path); err != nil {
			return j.failLocked(a, err, false)
		}
		w.renamed(path)
		a.spare = nil
	} else {
		var err error
		w, room, err = j.allocateLocked(path, size)
		switch {
		case errors.Is(err, ErrFull):
			return err
		case err != nil:
			return j.failLocked(a, err, false)
		}
		j.growLocked(room)
	}
	failpoint.Reach(failpoint.JournalRollCreated)
	j.retired = append(j.retired, a.retire())
	a.seg, a.writer, a.named, a.syncedEnd = newSegment(path, a.next, room), w, false, 0
	a.filledMS = 0
	a.stream.segs = append(a.stream.segs, a.seg)
	return nil
}

// allocateLocked makes a segment file with room for a frame of size bytes, in the
// size configured or as near as quota and disk allow. The caller adds it to what the journal takes.
func (j *Journal) allocateLocked(path string, size int64) (w writer, room int64, err error) {
	room, least, err := j.roomLeftLocked(size)
	for err == nil {
		if w, err = j.newWriter(path, room); err == nil || !isFull(err) {
			return w, room, err
		}
		err = fmt.Errorf("%w: %w", ErrFull, err)
		if room == least {
			break
		}
		room, err = max(room/2, least), nil
	}
	return nil, 0, err
}

// newWriter is disk.newWriter for a disk of which something is to be left. Twice
// what the segment takes is left too: dumps grow with what is journaled, and a third
// of it is three times there, as dumps of three moments.
func (j *Journal) newWriter(path string, room int64) (w writer, err error) {
	if leave := j.leave.Load(); j.disk.free(filepath.Dir(path)) < leave+3*room {
		err = fmt.Errorf("allocate %s: less than %d bytes would be left: %w", path, leave+2*room, syscall.ENOSPC)
	} else {
		w, err = j.disk.newWriter(path, room)
	}
	switch {
	case isFull(err):
		if !j.tight.Swap(true) {
			j.c.Log.Warn("the disk of the journal is nearly full", "err", err)
		}
	case err == nil && room >= j.c.SegmentBytes:
		j.tight.Store(false)
	}
	return w, err
}

// roomLeftLocked returns how big the quota lets the next segment be, and how
// small it may become: a sixteenth of what is configured, but at least a frame.
func (j *Journal) roomLeftLocked(size int64) (room, least int64, err error) {
	room, least = max(j.c.SegmentBytes, size), max(j.c.SegmentBytes/16, size)
	if room = min(room, j.c.MaxBytes-j.bytes.Load()); room < least {
		return 0, 0, errQuota
	}
	return room, least, nil
}

// openStreamLocked starts a new stream, with room for a frame of size bytes. Its
// directory gets its name only when it is locked and has a segment, so that nobody
// takes it for one that has ended. Where a directory with open files cannot be
// renamed it has the name from the start: whoever locks it first then adopts an
// empty stream, and this call fails.
func (j *Journal) openStreamLocked(size int64) error {
	var id popup.StreamID
	rand.Read(id[:])
	s := &Stream{id: id, journal: j, dir: filepath.Join(j.c.Dir, id.String())}
	temp := filepath.Join(j.c.Dir, newPrefix+id.String())
	if j.disk.noDirRename {
		temp = s.dir
	}
	name := segmentName(1)
	w, room, err := j.makeStreamLocked(s, temp, name, size)
	if err != nil {
		j.removeUnborn(s, temp, w)
		return asFull(err)
	}
	j.growLocked(room)
	seg := newSegment(filepath.Join(s.dir, name), 1, room)
	w.renamed(seg.path)
	s.segs = []*segment{seg}
	now := j.c.Now()
	s.times.note(1, now)
	j.streams = append(j.streams, s)
	j.active = &activeSegment{stream: s, seg: seg, writer: w, named: true, next: 1, bornMS: now}
	retry.Notify(j.changed)
	return nil
}

// makeStreamLocked makes the directory temp with a lock and one segment and gives
// it the name of the stream. After an error it returns the writer that it made so far.
func (j *Journal) makeStreamLocked(s *Stream, temp, segment string, size int64) (w writer, room int64, err error) {
	if err := j.disk.mkdir(temp); err != nil {
		return nil, 0, err
	}
	if s.lock, err = j.disk.lock(temp); err != nil {
		return nil, 0, err
	}
	if w, room, err = j.allocateLocked(filepath.Join(temp, segment), size); err != nil {
		return w, 0, err
	}
	if err := j.disk.syncDir(temp); err != nil {
		return w, 0, err
	}
	if temp != s.dir {
		if err := j.disk.rename(temp, s.dir); err != nil {
			return w, 0, err
		}
	}
	failpoint.Reach(failpoint.JournalStreamNamed)
	return w, room, j.disk.syncDir(j.c.Dir)
}

// removeUnborn removes what makeStreamLocked has made, under either name: a step
// that failed may have been done all the same.
func (j *Journal) removeUnborn(s *Stream, temp string, w writer) {
	if w != nil {
		w.close()
	}
	if s.lock != nil {
		defer s.lock.Close()
		if j.disk.noDirRename { // nor removed while the lock is open
			s.lock.Close()
		}
	}
	for _, dir := range []string{temp, s.dir} {
		if err := j.disk.removeAll(dir); err != nil {
			j.c.Log.Warn("journal leaves an empty stream behind", "err", err)
		}
	}
}

// asFull makes an error that says that there is no room an [ErrFull].
func asFull(err error) error {
	if isFull(err) && !errors.Is(err, ErrFull) {
		return fmt.Errorf("%w: %w", ErrFull, err)
	}
	return err
}

// failLocked ends the active stream after an error of the disk. What was accepted
// stays. If refused, there are refused events behind it: they are cut away, now
// or, if the disk refuses that too, as soon as it is possible. It returns the
// error for Append.
func (j *Journal) failLocked(a *activeSegment, cause error, refused bool) error {
	cause = asFull(cause)
	if a.failed != nil {
		return cause
	}
	a.failed = cause
	j.metrics.errors.Inc()
	j.c.Log.Error("journal ends its stream", "stream", a.stream.id.String(), "err", cause)
	if now := j.c.Now(); now < a.bornMS+retryMS { // else the next call may try at once
		j.failure, j.failedMS = cause, now
	}
	if j.c.Sync == 0 && a.synced < a.next-1 {
		x := &a.seg.extents[0]
		x.end, x.last = a.syncedEnd, a.synced
		a.seg.index = slices.DeleteFunc(a.seg.index, func(e indexEntry) bool { return e.off >= a.syncedEnd })
	}
	r := a.retire()
	r.sync = false
	if r.refused = refused; r.cut() != nil {
		j.metrics.errors.Inc()
		j.c.Log.Error("journal cannot take back refused events yet", "path", r.path)
	}
	j.endStreamLocked(a, r)
	return cause
}

// endStreamLocked seals the active stream. One without events is removed.
func (j *Journal) endStreamLocked(a *activeSegment, r *retired) {
	j.retired = append(j.retired, r)
	if a.spare != nil {
		j.retired = append(j.retired, &retired{
			seg:    &segment{size: a.spareSize},
			writer: a.spare, path: filepath.Join(a.stream.dir, spareName), remove: true,
		})
		a.spare = nil
	}
	a.stream.sealed = true
	a.stream.removed = a.stream.Last() == 0
	j.active = nil
	retry.Notify(j.changed)
}

// growLocked adds n bytes to what the journal takes on disk; n < 0 gives some back.
func (j *Journal) growLocked(n int64) {
	bytes := j.bytes.Add(n)
	if n < 0 && j.failure == errQuota {
		j.failedMS = 0 // try at once
	}
	switch {
	case bytes >= j.c.MaxBytes/10*8 && !j.warned:
		j.warned = true
		j.c.Log.Warn("journal has used 80 % of its quota", "bytes", bytes, "quota", j.c.MaxBytes)
	case bytes < j.c.MaxBytes/10*7:
		j.warned = false
	}
}
