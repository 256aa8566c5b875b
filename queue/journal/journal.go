package journal

import (
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/popupd/popupd/internal/failpoint"
	"github.com/popupd/popupd/internal/retry"
	"github.com/popupd/popupd/popup"
	"github.com/prometheus/client_golang/prometheus"
)

// What [Journal.Append] may answer, besides an I/O error.
var (
	ErrFull   = errors.New("journal: full")
	ErrClosed = errors.New("journal: closed")
)

// Config says where and how events are kept until they are committed.
type Config struct {
	// Dir is made if need be. Several journals, of several processes, may share
	// it: each writes a stream of its own.
	Dir string
	// MaxBytes is the quota on the streams that this journal holds, its own and
	// those it adopted; default 1 GiB. It covers what they take on disk, with what
	// is allocated and not yet used, but not damaged files that were set aside.
	MaxBytes int64
	// SegmentBytes is the size of a segment; default 64 MiB, at most MaxBytes/8.
	// When the disk or the quota leaves less room, segments are made smaller.
	SegmentBytes int64
	// Sync is how often what was appended is synced to stable storage, by Run. 0
	// is always: Append returns after the sync that covers its events.
	Sync time.Duration
	// Grace is how long a segment is kept that is no longer needed, against the
	// day that MySQL is restored to an earlier state; 0 is 10 minutes, less is
	// none. While more than half of the quota is used, or the disk is nearly full,
	// nothing is kept for grace.
	Grace time.Duration
	// RollAfter is how long after its first events Run ends a segment that is not full,
	// so that those of a server with few of them are not kept for ever; 0 is an hour.
	RollAfter time.Duration
	// OnAdopt is called by Run with every event of a stream that it adopts, before
	// the stream is listed; those that Open adopts are for Replay. The event
	// and its bytes are valid during the call. May be nil.
	OnAdopt    func(*popup.Event)
	Now        func() int64          // ms; default the system's clock
	Log        *slog.Logger          // default: nothing is logged
	Registerer prometheus.Registerer // default: no metrics
}

func (c *Config) setDefaults() error {
	if c.Dir == "" {
		return errors.New("no directory")
	}
	if c.MaxBytes < 0 || c.SegmentBytes < 0 || c.Sync < 0 {
		return errors.New("negative size or interval")
	}
	if c.MaxBytes == 0 {
		c.MaxBytes = 1 << 30
	}
	if c.SegmentBytes == 0 {
		c.SegmentBytes = 64 << 20
	}
	c.SegmentBytes = min(c.SegmentBytes, c.MaxBytes/8)
	if c.Grace == 0 {
		c.Grace = 10 * time.Minute
	}
	if c.RollAfter == 0 {
		c.RollAfter = time.Hour
	}
	if c.Now == nil {
		c.Now = func() int64 { return time.Now().UnixMilli() }
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return nil
}

// Journal keeps events on disk until MySQL has committed them. What [Journal.Append]
// has accepted survives the end of the process at any moment, and, once synced, that
// of the machine.
//
// Its life: [Open], then [Journal.Run] beside everything else, then
// [Journal.Close], which ends the writing, and [Journal.Release], which ends the
// rest. Methods may be called from many goroutines.
type Journal struct {
	c       Config
	disk    *disk
	metrics *metrics
	reports *reports
	changed chan struct{} // cap 1
	bytes   atomic.Int64  // see Config.MaxBytes; changed under mu
	leave   atomic.Int64  // see LeaveRoom
	tight   atomic.Bool   // the disk had no room for a segment as large as configured, when it was asked last

	mu         sync.Mutex
	synced     sync.Cond // on mu: syncing has become false
	syncing    bool      // somebody syncs and closes writers, without mu
	closed     bool
	released   bool
	streams    []*Stream      // all whose lock we hold
	active     *activeSegment // what is being written; nil: nothing, see openStreamLocked
	retired    []*retired     // segments that are no longer written and still open
	pendingCut []*retired     // those that still hold refused events, to be tried again
	warned     bool           // of the quota
	failure    error          // why the disk gave no room
	failedMS   int64          // when

	// Of whoever deletes what is no longer needed; taken before mu.
	sweeping      sync.Mutex
	pendingDelete []*segment // trimmed, to be deleted
	pendingRemove []pendingRemove

	// Of whoever looks for streams: Open, then Run.
	ignored map[string]bool // names in Dir that are not for us
}

// Open starts a new stream in c.Dir and adopts those left there by
// processes that have ended. A full disk is no error: Append says [ErrFull]
// then, until there is room.
func Open(c Config) (*Journal, error) { return open(c, newDisk()) }

func open(c Config, d *disk) (*Journal, error) {
	if err := c.setDefaults(); err != nil {
		return nil, fmt.Errorf("open journal: %w", err)
	}
	j := &Journal{
		c: c, disk: d,
		changed: make(chan struct{}, 1),
		ignored: make(map[string]bool),
		reports: newReports(c.Log),
	}
	j.synced.L = &j.mu
	var err error
	if j.metrics, err = newMetrics(c.Registerer, &j.bytes, j.c.MaxBytes); err != nil {
		return nil, fmt.Errorf("open journal: %w", err)
	}
	if err := os.MkdirAll(c.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("open journal: %w", err)
	}
	if err := j.adopt(nil); err != nil {
		return nil, errors.Join(fmt.Errorf("open journal: %w", err), j.Release())
	}
	j.mu.Lock()
	err = j.retryLocked(func() error { return j.openStreamLocked(0) })
	j.mu.Unlock()
	if err != nil && !errors.Is(err, ErrFull) {
		return nil, errors.Join(fmt.Errorf("open journal: %w", err), j.Release())
	}
	return j, nil
}

// Append adds 1 to [MaxFrameEvents] events to the stream, in one frame: all of
// them or none. It returns once they survive kill -9, with Sync = 0 once they
// are on stable storage. Errors: [popup.ErrEventInvalid], [ErrFull] (quota or disk; it
// goes away by itself), [ErrClosed], or an I/O error; nothing of the call will
// then ever be committed.
//
// After an I/O error the stream ends where its last accepted event does and the next
// call begins a new one. While that fails, the disk is asked again once a second.
func (j *Journal) Append(events []popup.Event) error {
	if len(events) == 0 {
		return nil
	}
	size, err := frameSize(events)
	if err != nil {
		return err
	}
	// A clock reading costs as much as the rest, so few calls are measured.
	measured := rand.Uint32()%measureEvery == 0
	var start time.Time
	if measured {
		start = time.Now()
	}
	if err := j.append(events, size); err != nil {
		if err != ErrClosed {
			j.metrics.errors.Inc()
		}
		return err
	}
	if measured {
		j.metrics.duration.Observe(time.Since(start).Seconds())
	}
	retry.Notify(j.changed)
	failpoint.Reach(failpoint.JournalAppendDone)
	return nil
}

// frameSize checks events and returns the size of their frame in bytes.
func frameSize(events []popup.Event) (int, error) {
	if len(events) > MaxFrameEvents {
		return 0, fmt.Errorf("%w: %d at once, at most %d", popup.ErrEventInvalid, len(events), MaxFrameEvents)
	}
	size := frameHeader + frameTrailer
	for i := range events {
		if err := events[i].Validate(); err != nil {
			return 0, err
		}
		size += events[i].Size()
	}
	return size, nil
}

func (j *Journal) append(events []popup.Event, size int) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	a, err := j.roomLocked(size)
	if err != nil {
		return err
	}
	seq := a.next + uint64(len(events)) - 1
	failpoint.Reach(failpoint.JournalAppendBefore)
	if err := a.write(events, size); err != nil {
		return j.failLocked(a, err, true)
	}
	failpoint.Reach(failpoint.JournalAppendWritten)
	if j.c.Sync > 0 {
		a.stream.readable.Store(seq)
	} else if err := j.syncLocked(a, seq); err != nil {
		return err
	}
	j.metrics.events.Add(float64(len(events)))
	return nil
}

// Streams returns the streams that this process may ship: its own and those it
// has adopted, in no particular order. An adopted one may have no events, since
// its process was killed before the first. An own one that has ended without any
// disappears by itself.
func (j *Journal) Streams() []*Stream {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.released {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(j.streams), func(s *Stream) bool { return s.removed })
}

// Kept returns the removed streams that are still on disk, see [Stream.Remove].
func (j *Journal) Kept() []*Stream {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.released {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(j.streams), func(s *Stream) bool { return !s.removed || s.Last() == 0 })
}

// Changed receives a value after there are new events or streams. Several changes may
// make one value.
func (j *Journal) Changed() <-chan struct{} { return j.changed }

// Pressure returns the share of the quota that is used, 0 to 1; 1 too while the
// disk is nearly full.
func (j *Journal) Pressure() float64 {
	if j.tight.Load() {
		return 1
	}
	return float64(j.bytes.Load()) / float64(j.c.MaxBytes)
}

// LeaveRoom says how much of the disk the journal is to leave to others, in bytes.
// It must be enough for a state dump: were the journal to fill the disk, there could
// be no dump, and without one nothing of the journal is trimmed, for ever.
func (j *Journal) LeaveRoom(bytes int64) { j.leave.Store(bytes) }

// Positions returns the last sequence number of each stream, for those that have
// events. Taken before a state dump begins, they say what the dump knows.
func (j *Journal) Positions() map[popup.StreamID]uint64 {
	j.mu.Lock()
	defer j.mu.Unlock()
	at := make(map[popup.StreamID]uint64, len(j.streams))
	for _, s := range j.streams {
		if last := s.Last(); last > 0 {
			at[s.id] = last
		}
	}
	return at
}

// Covered tells that a complete state dump knows the streams up to these positions.
func (j *Journal) Covered(at map[popup.StreamID]uint64) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, s := range j.streams {
		s.covered = max(s.covered, at[s.id])
	}
}

// WantsDump reports whether events that are committed are kept only because no dump
// covers them.
func (j *Journal) WantsDump() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return slices.ContainsFunc(j.streams, func(s *Stream) bool {
		return s.acked > s.covered || s.removed && s.Last() > s.covered
	})
}

// Close ends the writing: it seals the stream and syncs it. Append returns
// [ErrClosed] from now on, while streams can still be read, acked and removed.
// A stream to which nothing was appended is deleted. Only the first call does
// something and may return an error: what was accepted may not be on stable
// storage then.
func (j *Journal) Close() error {
	j.mu.Lock()
	if j.closed {
		j.mu.Unlock()
		return nil
	}
	j.closed = true
	var err error
	if a := j.active; a != nil {
		if err = j.syncLocked(a, a.next-1); a.failed == nil {
			j.endStreamLocked(a, a.retire())
		}
	}
	j.syncRetiredLocked()
	j.mu.Unlock()
	j.sweep()
	if err != nil {
		return fmt.Errorf("close journal: %w", err)
	}
	return nil
}

// Release closes the journal and unlocks the streams, so that another process,
// or another journal of this one, may adopt them. It is called when nothing reads
// any more and Run has returned. The end of the process does the same.
func (j *Journal) Release() error {
	err := j.Close()
	j.sweeping.Lock()
	defer j.sweeping.Unlock()
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.released {
		return err
	}
	j.released = true
	j.syncRetiredLocked()
	for _, r := range j.pendingCut { // the disk does not let us
		err = errors.Join(err, r.writer.close())
	}
	for _, s := range j.streams {
		err = errors.Join(err, s.lock.Close())
	}
	for _, l := range j.pendingRemove {
		err = errors.Join(err, unlock(l.stream.lock))
	}
	return err
}
