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

// retire takes the tail's segment out of use.
func (t *tail) retire() *retired {
	return &retired{
		stream: t.stream, seg: t.seg, writer: t.writer, path: t.seg.path, used: t.seg.used(),
		sync: t.synced < t.next-1, named: t.named,
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
func (j *Journal) syncLocked(t *tail, seq uint64) error {
	for t.synced < seq && t.failed == nil {
		if j.syncing {
			j.synced.Wait()
		} else {
			j.commitLocked()
		}
	}
	if t.synced < seq {
		return t.failed
	}
	return nil
}

// settleLocked syncs what is to be synced, closes what can be closed, and tries
// again what did not work.
func (j *Journal) settleLocked() {
	for j.syncing {
		j.synced.Wait()
	}
	j.retired, j.stuck = append(j.retired, j.stuck...), nil
	j.commitLocked()
}

// commitLocked syncs what was appended so far and closes retired segments. The
// caller has seen that nobody else does. It gives mu back meanwhile.
func (j *Journal) commitLocked() {
	t, work := j.tail, j.retired
	var now tail // as it is at this moment
	var used int64
	due := t != nil && t.synced < t.next-1
	if due {
		now, used = *t, t.seg.used()
	} else if len(work) == 0 {
		return
	}
	j.retired = nil
	j.syncing = true
	j.mu.Unlock()

	var broken *Stream // that a sync failed for
	var cause error
	for _, r := range work {
		if r.sync {
			if err := j.syncFile(r.writer, r.stream.dir, r.named); err != nil {
				broken, cause = r.stream, err
			}
			r.sync = false // the kernel does not say twice that it lost something
		}
		j.finish(r)
	}
	if due && broken == nil {
		if cause = j.syncFile(now.writer, now.stream.dir, now.named); cause != nil {
			broken = now.stream
		}
	}

	j.mu.Lock()
	j.syncing = false
	j.synced.Broadcast()
	for _, r := range work {
		j.accountLocked(r)
	}
	switch {
	case broken != nil:
		if t := j.tail; t != nil && t.stream == broken {
			// What is not refused stays, in the hope that it will be read.
			j.failLocked(t, cause, j.c.Sync == 0)
		}
	case due && t.failed == nil:
		t.synced = now.next - 1
		if t.seg == now.seg {
			t.named, t.cutAt = true, used
		}
		if j.c.Sync == 0 {
			t.stream.shown.Store(t.synced)
		}
	}
}

// syncFile puts a segment, and its name, on stable storage.
func (j *Journal) syncFile(w writer, dir string, named bool) error {
	if err := w.sync(); err != nil || named {
		return err
	}
	return j.disk.syncDir(dir)
}

// finish closes a segment and gives back the room that it does not use. A segment
// that cannot be rid of refused events stays open.
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

// accountLocked counts what finish gave back, or puts the segment aside for
// another try.
func (j *Journal) accountLocked(r *retired) {
	switch {
	case r.refused:
		j.stuck = append(j.stuck, r)
	case r.remove:
		j.growLocked(-r.seg.size)
	case slices.Contains(r.stream.segs, r.seg): // else it is counted as deleted
		j.growLocked(r.used - r.seg.size)
		r.seg.size = r.used
	}
}
