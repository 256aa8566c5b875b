package journal

import (
	"crypto/rand"
	"errors"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/popupd/popupd/internal/failpoint"
	"github.com/popupd/popupd/internal/retry"
	"github.com/popupd/popupd/popup"
	"golang.org/x/sys/unix"
)

// tail is the end of the stream that is being written. Guarded by Journal.mu.
type tail struct {
	stream *Stream
	seg    *segment // the stream's last one
	writer writer   // of seg
	named  bool     // seg's name is on stable storage
	next   uint64   // the next sequence number
	synced uint64   // up to here it is on stable storage
	cutAt  int64    // where synced ends in seg, or 0 if that is in an earlier segment
	failed error    // the stream has ended with this error
	bornMS int64

	spare     writer // the next segment, not yet named; nil: there is none
	spareSize int64
}

// errQuota is made once: an overloaded server says it often.
var errQuota = fmt.Errorf("%w: quota reached", ErrFull)

// write encodes events behind the last frame. The caller has seen to the room.
func (t *tail) write(events []popup.Event, size int) error {
	off := t.seg.used()
	if err := t.writer.write(off, size, t.stream.id, t.next, events); err != nil {
		return err
	}
	last := t.next + uint64(len(events)) - 1
	t.seg.add(off, int64(size), t.next, last)
	t.next = last + 1
	return nil
}

// retryMS is how long the disk is left alone after it gave no room.
const retryMS = 1000

// roomLocked returns the tail with room for a frame of size bytes.
func (j *Journal) roomLocked(size int) (*tail, error) {
	for {
		if j.closed {
			return nil, ErrClosed
		}
		t := j.tail
		switch {
		case t == nil:
			if err := j.retryLocked(func() error { return j.openTailLocked(int64(size)) }); err != nil {
				return nil, err
			}
		case t.seg.used()+int64(size) <= t.seg.size:
			return t, nil
		case t.next == 1:
			// The first segment is too small for its first frame: made when the
			// disk or the quota was nearly full.
			j.endTailLocked(t, t.retire())
		case j.c.Sync == 0 && t.synced < t.next-1:
			// What may have to be cut stays within one segment.
			if err := j.syncLocked(t, t.next-1); err != nil && j.tail == t {
				return nil, err
			}
		default:
			if err := j.retryLocked(func() error { return j.rollLocked(t, int64(size)) }); err != nil {
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

// rollLocked makes the next segment, with room for a frame of size bytes, the
// tail's. No room is [ErrFull] and leaves everything as it is; any other error
// ends the stream.
func (j *Journal) rollLocked(t *tail, size int64) error {
	path := filepath.Join(t.stream.dir, segmentName(t.next))
	w, room := t.spare, t.spareSize
	if w != nil && room >= size {
		if err := j.disk.rename(filepath.Join(t.stream.dir, spareName), path); err != nil {
			return j.failLocked(t, err, false)
		}
		w.renamed(path)
		t.spare = nil
	} else {
		var err error
		w, room, err = j.allocateLocked(path, size)
		switch {
		case errors.Is(err, ErrFull):
			return err
		case err != nil:
			return j.failLocked(t, err, false)
		}
		j.growLocked(room)
	}
	failpoint.Reach(failpoint.JournalRollCreated)
	j.retired = append(j.retired, t.retire())
	t.seg, t.writer, t.named, t.cutAt = newSegment(path, t.next, room), w, false, 0
	t.stream.segs = append(t.stream.segs, t.seg)
	return nil
}

// allocateLocked makes a segment file with room for a frame of size bytes, in the
// size configured or as near as quota and disk allow. It does not count it.
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
		err = fmt.Errorf("allocate %s: less than %d bytes would be left: %w", path, leave+2*room, unix.ENOSPC)
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

// openTailLocked starts a new stream, with room for a frame of size bytes. Its directory gets its name only when it is
// locked and has a segment, so that nobody takes it for one that has ended.
func (j *Journal) openTailLocked(size int64) (err error) {
	var id popup.StreamID
	rand.Read(id[:])
	s := &Stream{id: id, journal: j, dir: filepath.Join(j.c.Dir, id.String())}
	temp := filepath.Join(j.c.Dir, newPrefix+id.String())
	var w writer
	defer func() {
		if err == nil {
			return
		}
		if w != nil {
			w.close()
		}
		// Either name: a step that failed may have been done all the same.
		for _, dir := range []string{temp, s.dir} {
			if removeErr := j.disk.removeAll(dir); removeErr != nil {
				j.c.Log.Warn("journal leaves an empty stream behind", "err", removeErr)
			}
		}
		if s.lock != nil {
			s.lock.Close()
		}
		if isFull(err) && !errors.Is(err, ErrFull) {
			err = fmt.Errorf("%w: %w", ErrFull, err)
		}
	}()
	if err := j.disk.mkdir(temp); err != nil {
		return err
	}
	if s.lock, err = j.disk.lock(temp); err != nil {
		return err
	}
	name := segmentName(1)
	w, room, err := j.allocateLocked(filepath.Join(temp, name), size)
	if err != nil {
		return err
	}
	if err := j.disk.syncDir(temp); err != nil {
		return err
	}
	if err := j.disk.rename(temp, s.dir); err != nil {
		return err
	}
	failpoint.Reach(failpoint.JournalStreamNamed)
	if err := j.disk.syncDir(j.c.Dir); err != nil {
		return err
	}
	j.growLocked(room)
	seg := newSegment(filepath.Join(s.dir, name), 1, room)
	w.renamed(seg.path)
	s.segs = []*segment{seg}
	j.streams = append(j.streams, s)
	j.tail = &tail{stream: s, seg: seg, writer: w, named: true, next: 1, bornMS: j.c.Now()}
	retry.Notify(j.changed)
	return nil
}

// failLocked ends the tail's stream after an error of the disk. What was accepted
// stays. If refused, there are refused events behind it: they are cut away, now
// or, if the disk refuses that too, as soon as it is possible. It returns the
// error for Append.
func (j *Journal) failLocked(t *tail, cause error, refused bool) error {
	if isFull(cause) && !errors.Is(cause, ErrFull) {
		cause = fmt.Errorf("%w: %w", ErrFull, cause)
	}
	if t.failed != nil {
		return cause
	}
	t.failed = cause
	j.metrics.errors.Inc()
	j.c.Log.Error("journal ends its stream", "stream", t.stream.id.String(), "err", cause)
	if now := j.c.Now(); now < t.bornMS+retryMS { // else the next call may try at once
		j.failure, j.failedMS = cause, now
	}
	if j.c.Sync == 0 && t.synced < t.next-1 {
		run := &t.seg.runs[0]
		run.end, run.last = t.cutAt, t.synced
		t.seg.marks = slices.DeleteFunc(t.seg.marks, func(m mark) bool { return m.off >= t.cutAt })
	}
	r := t.retire()
	r.sync = false
	if r.refused = refused; r.cut() != nil {
		j.metrics.errors.Inc()
		j.c.Log.Error("journal cannot take back refused events yet", "path", r.path)
	}
	j.endTailLocked(t, r)
	return cause
}

// endTailLocked seals the tail's stream. One that has nothing in it is given up.
func (j *Journal) endTailLocked(t *tail, r *retired) {
	j.retired = append(j.retired, r)
	if t.spare != nil {
		j.retired = append(j.retired, &retired{
			seg:    &segment{size: t.spareSize},
			writer: t.spare, path: filepath.Join(t.stream.dir, spareName), remove: true,
		})
		t.spare = nil
	}
	t.stream.sealed = true
	t.stream.removed = t.stream.Last() == 0
	j.tail = nil
	retry.Notify(j.changed)
}

// growLocked counts bytes of disk taken, or with n < 0 given back.
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
