package journal

import (
	"errors"
	"io/fs"
	"slices"
)

// retired is a segment that is no longer written, on its way to be closed. It
// belongs to whoever holds Journal.mu or, while syncing is set, to whoever set it.
type retired struct {
	stream  *Stream // nil for a spare
	seg     *segment
	writer  writer
	path    string
	used    int64 // where its accepted events end
	sync    bool  // they are not on stable storage yet
	named   bool  // nor, if false, is the segment's name
	refused bool  // behind them are refused ones, which must go
	remove  bool  // the file is not needed at all
}

// retire takes the active segment out of use.
func (a *activeSegment) retire() *retired {
	return &retired{
		stream: a.stream, seg: a.seg, writer: a.writer, path: a.seg.path, used: a.seg.used(),
		sync: a.synced < a.next-1, named: a.named,
	}
}

// cut takes refused events away, if it has not been done yet.
func (r *retired) cut() error {
	if !r.refused {
		return nil
	}
	if err := r.writer.cut(r.used); err != nil {
		return err
	}
	r.refused = false
	return nil
}

// syncLocked returns once t is on stable storage up to seq, or has failed. Of many
// callers one syncs, for all that was appended by then: group commit.
func (j *Journal) syncLocked(a *activeSegment, seq uint64) error {
	for a.synced < seq && a.failed == nil {
		if j.syncing {
			j.synced.Wait()
		} else {
			j.commitLocked()
		}
	}
	if a.synced < seq {
		return a.failed
	}
	return nil
}

// syncRetiredLocked syncs what was appended, closes retired segments, and tries
// again what did not work.
func (j *Journal) syncRetiredLocked() {
	for j.syncing {
		j.synced.Wait()
	}
	j.retired, j.pendingCut = append(j.retired, j.pendingCut...), nil
	j.commitLocked()
}

// commitLocked syncs what was appended so far and closes retired segments. The
// caller has seen that nobody else does. It releases mu meanwhile.
func (j *Journal) commitLocked() {
	c, ok := j.beginCommitLocked()
	if !ok {
		return
	}
	j.syncing = true
	j.mu.Unlock()
	failed, cause := j.sync(c)
	j.mu.Lock()
	j.syncing = false
	j.synced.Broadcast()
	for _, r := range c.retired {
		j.accountLocked(r)
	}
	if failed == nil {
		j.advanceSyncedLocked(c)
	} else if a := j.active; a != nil && a.stream == failed {
		// What is not refused stays, in the hope that it will be read.
		j.failLocked(a, cause, j.c.Sync == 0)
	}
}

// commit is what one call of commitLocked puts on stable storage, as it was when
// the call began: events are appended meanwhile.
type commit struct {
	retired []*retired
	active  *activeSegment // nil: all of it is synced
	seg     *segment       // of active
	writer  writer
	named   bool
	next    uint64
	used    int64
}

// beginCommitLocked takes what is to be synced and closed; ok is false if there is
// nothing.
func (j *Journal) beginCommitLocked() (c commit, ok bool) {
	c.retired, j.retired = j.retired, nil
	if a := j.active; a != nil && a.synced < a.next-1 {
		c.active, c.seg, c.writer, c.named, c.next, c.used = a, a.seg, a.writer, a.named, a.next, a.seg.used()
	}
	return c, c.active != nil || len(c.retired) > 0
}

// sync syncs and closes what c holds, without mu. It returns the stream that a
// sync failed for, and the error.
func (j *Journal) sync(c commit) (failed *Stream, cause error) {
	for _, r := range c.retired {
		if r.sync {
			if err := j.syncFile(r.writer, r.stream.dir, r.named); err != nil {
				failed, cause = r.stream, err
			}
			r.sync = false // the kernel does not say twice that it lost something
		}
		j.finish(r)
	}
	if c.active == nil || failed != nil {
		return failed, cause
	}
	if err := j.syncFile(c.writer, c.active.stream.dir, c.named); err != nil {
		return c.active.stream, err
	}
	return nil, nil
}

// advanceSyncedLocked records that c is on stable storage.
func (j *Journal) advanceSyncedLocked(c commit) {
	a := c.active
	if a == nil || a.failed != nil {
		return
	}
	a.synced = c.next - 1
	if a.seg == c.seg {
		a.named, a.syncedEnd = true, c.used
	}
	if j.c.Sync == 0 {
		a.stream.readable.Store(a.synced)
	}
}

// syncFile puts a segment, and its name, on stable storage.
func (j *Journal) syncFile(w writer, dir string, named bool) error {
	if err := w.sync(); err != nil || named {
		return err
	}
	return j.disk.syncDir(dir)
}

// finish closes a segment and frees the room that it does not use. A segment whose
// refused events cannot be cut off stays open.
func (j *Journal) finish(r *retired) {
	if r.cut() != nil {
		return // it was logged when it failed first
	}
	err := r.writer.close()
	if r.remove {
		err = errors.Join(err, j.disk.remove(r.path))
	} else if truncErr := j.disk.truncate(r.path, r.used); !errors.Is(truncErr, fs.ErrNotExist) { // trimmed
		err = errors.Join(err, truncErr)
	}
	if err != nil {
		j.c.Log.Warn("journal keeps an unused piece of disk", "err", err)
	}
}

// accountLocked takes what finish freed off the journal's size, or keeps the segment
// for another try.
func (j *Journal) accountLocked(r *retired) {
	switch {
	case r.refused:
		j.pendingCut = append(j.pendingCut, r)
	case r.remove:
		j.growLocked(-r.seg.size)
	case slices.Contains(r.stream.segs, r.seg): // else it was deleted with all its bytes
		j.growLocked(r.used - r.seg.size)
		r.seg.size = r.used
	}
}
