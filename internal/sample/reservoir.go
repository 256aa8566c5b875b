package sample

import (
	"cmp"
	"context"
	"log/slog"
	"math"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/popupd/popupd/frequency"
	"github.com/popupd/popupd/internal/durable"
	"github.com/popupd/popupd/popup"
	"github.com/popupd/popupd/snapshot"
)

const (
	bucketMS     = 5 * 60 * 1000
	windowMS     = 24 * 3600 * 1000 // how old polls become
	advanceEvery = time.Minute
	saveEvery    = 5 * time.Minute

	// maxBytes is how much all polls may take: some hundred thousand.
	maxBytes = 16 << 20

	everybody = math.MaxUint64 // threshold with which all users are in the sample
)

// Config is what a [Reservoir] is made of.
type Config struct {
	PerSecond float64         // polls kept a second, on average over five minutes; 0: none
	File      string          // where they outlive the process
	MinGap    time.Duration   // least time between two popups, of the server
	Snapshots *snapshot.Store // what simulations take for how things are
	Now       func() int64    // ms since the epoch, UTC; nil: the system's clock
	Log       *slog.Logger    // nil: nothing is logged
}

// Reservoir keeps recent polls of some users. The zero value keeps none. Its methods may be
// called from any goroutine.
type Reservoir struct {
	config    Config
	file      durable.File
	perBucket int
	below     atomic.Uint64 // users with a hash below this are kept; written with mu locked

	mu      sync.Mutex
	buckets []bucket // by time
	bytes   int      // of the polls of all buckets
	changed bool     // since the file was written

	simulating sync.Mutex
}

// bucket has the polls of some minutes.
type bucket struct {
	startMS int64
	below   uint64 // the polls of users with a hash below this are complete
	polls   []byte // appended to, else replaced: readers may keep it
	n       int
}

// NewReservoir returns an empty reservoir, see [Reservoir.Load].
func NewReservoir(c Config) *Reservoir {
	r := &Reservoir{config: c, file: durable.File{Path: c.File, Unusable: []error{errDamaged, errNewer}}}
	if r.config.Now == nil {
		r.config.Now = func() int64 { return time.Now().UnixMilli() }
	}
	r.config.Log = cmp.Or(r.config.Log, slog.New(slog.DiscardHandler))
	r.perBucket = int(math.Ceil(c.PerSecond * bucketMS / 1000))
	if r.perBucket > 0 {
		r.below.Store(everybody)
	}
	return r
}

// Keeps reports whether the polls of a user with this hash are to be given to Keep.
func (r *Reservoir) Keeps(hash uint64) bool { return hash < r.below.Load() }

// Keep copies a poll of a user for whom Keeps is true. users gives the hash of the id that
// the user had before.
func (r *Reservoir) Keep(request *popup.Request, hash uint64, users *frequency.Table, atMS int64) {
	var prior uint64
	if request.PriorUser != nil {
		prior = users.Hash(request.PriorUser)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	b := r.bucketLocked(atMS)
	if hash >= r.below.Load() { // it has been lowered
		return
	}
	before := len(b.polls)
	if b.polls = appendPoll(b.polls, request, hash, prior, atMS); len(b.polls)-before > maxPoll {
		b.polls = b.polls[:before]
		return
	}
	b.n++
	r.bytes += len(b.polls) - before
	r.changed = true
	for b.n > r.perBucket {
		r.lowerLocked(b.below / 2)
		r.thinLocked(b, b.below/2)
	}
	for r.bytes > maxBytes {
		r.lowerLocked(r.lowestLocked() / 2)
		for i := range r.buckets {
			r.thinLocked(&r.buckets[i], r.below.Load())
		}
	}
}

// bucketLocked returns the bucket of a time: a new one, once the last one is over.
func (r *Reservoir) bucketLocked(atMS int64) *bucket {
	startMS := atMS - atMS%bucketMS
	last := len(r.buckets) - 1
	if last >= 0 && startMS <= r.buckets[last].startMS { // also when the clock was set back
		return &r.buckets[last]
	}
	if last >= 0 && r.buckets[last].n <= r.perBucket/4 {
		r.below.Store(max(r.below.Load(), doubled(r.buckets[last].below)))
	}
	r.expireLocked(atMS)
	r.buckets = append(r.buckets, bucket{startMS: startMS, below: r.below.Load()})
	return &r.buckets[len(r.buckets)-1]
}

func doubled(below uint64) uint64 {
	if below >= everybody/2 {
		return everybody
	}
	return 2 * below
}

// lowerLocked lowers the threshold of the polls to come.
func (r *Reservoir) lowerLocked(below uint64) { r.below.Store(min(r.below.Load(), below)) }

// lowestLocked returns the threshold below which the polls of all buckets are complete.
func (r *Reservoir) lowestLocked() uint64 {
	lowest := r.below.Load()
	for i := range r.buckets {
		lowest = min(lowest, r.buckets[i].below)
	}
	return lowest
}

// thinLocked removes the polls of users who are not below the threshold.
func (r *Reservoir) thinLocked(b *bucket, below uint64) {
	if b.below <= below {
		return
	}
	b.below = below
	r.removeLocked(b, func(p []byte) bool { return userOf(p) >= below })
}

func (r *Reservoir) removeLocked(b *bucket, isRemoved func(p []byte) bool) {
	var kept []byte
	n := 0
	for p, rest, ok := nextPoll(b.polls); ok; p, rest, ok = nextPoll(rest) {
		if !isRemoved(p) {
			kept = append(kept, p...)
			n++
		}
	}
	r.changed = r.changed || n < b.n
	r.bytes += len(kept) - len(b.polls)
	b.polls, b.n = kept, n
}

// expireLocked removes the buckets that are too old.
func (r *Reservoir) expireLocked(nowMS int64) {
	r.buckets = slices.DeleteFunc(r.buckets, func(b bucket) bool {
		isOld := b.startMS+bucketMS <= nowMS-windowMS
		if isOld {
			r.bytes -= len(b.polls)
			r.changed = true
		}
		return isOld
	})
}

// Forget removes the polls of a user who was reset.
func (r *Reservoir) Forget(hash uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := range r.buckets {
		r.removeLocked(&r.buckets[i], func(p []byte) bool { return userOf(p) == hash || priorOf(p) == hash })
	}
}

// advance goes on to the bucket of the time, which only polls that are kept do otherwise:
// when hardly anybody is, the threshold must rise all the same.
func (r *Reservoir) advance() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.bucketLocked(r.config.Now())
}

// Run writes the file now and then until ctx ends, and then once more.
func (r *Reservoir) Run(ctx context.Context) error {
	if r.perBucket == 0 {
		return nil
	}
	advance, save := time.NewTicker(advanceEvery), time.NewTicker(saveEvery)
	defer advance.Stop()
	defer save.Stop()
	for {
		select {
		case <-ctx.Done():
			r.save()
			return nil
		case <-advance.C:
			r.advance()
		case <-save.C:
			r.save()
		}
	}
}
