package sample

import (
	"cmp"
	"context"
	"log/slog"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"github.com/popupd/popupd/frequency"
	"github.com/popupd/popupd/internal/durable"
	"github.com/popupd/popupd/internal/retry"
	"github.com/popupd/popupd/popup"
	"github.com/popupd/popupd/snapshot"
)

const (
	bucketMS     = 5 * 60 * 1000
	windowMS     = int64(popup.SampleWindow / time.Millisecond) // how old polls become
	sweepEvery   = time.Second
	advanceEvery = time.Minute // the file too is written as often, while users are reset
	saveEvery    = 5 * time.Minute

	// maxBytes is how much all polls may take: some hundred thousand. Polls that have left
	// take maxGarbage at most, and little for long.
	maxBytes   = 16 << 20
	maxGarbage = 8 << 20

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
	key       uint64 // see keyCheck; set by Load
	perBucket int
	below     atomic.Uint64 // users with a hash below this are kept; written with mu locked

	resets  resets
	unswept atomic.Bool // since a sweep began, resets has new ones
	inFile  atomic.Bool // of users with new resets the file may have polls

	mu       sync.Mutex
	buckets  []bucket // by time
	live     int      // bytes of the polls that are in the sample
	held     int      // bytes of these and of those that have left
	changed  bool     // since the file was written
	versions uint32   // the last version of a bucket

	unsaved retry.Outage // of writing the file

	simulating sync.Mutex
}

// NewReservoir returns an empty reservoir, see [Reservoir.Load].
func NewReservoir(c Config) *Reservoir {
	r := &Reservoir{config: c, file: durable.File{Path: c.File}}
	if r.config.Now == nil {
		r.config.Now = func() int64 { return time.Now().UnixMilli() }
	}
	r.config.Log = cmp.Or(r.config.Log, slog.New(slog.DiscardHandler))
	r.unsaved = retry.Outage{Log: r.config.Log, Begins: "polls that are kept for simulations can't be written and are in memory only", Ends: "polls that are kept for simulations are written again"}
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
	fingerprint := r.config.Snapshots.Current().Fingerprint(request.User)
	r.mu.Lock()
	defer r.mu.Unlock()
	b := r.bucketLocked(atMS)
	if hash >= r.below.Load() { // it has been lowered
		return
	}
	before := len(b.polls)
	b.polls = appendPoll(b.polls, request, hash, prior, fingerprint, atMS)
	if p := b.polls[before:]; len(p) > maxPoll || r.resets.cover(p) {
		b.polls = b.polls[:before]
		return
	}
	n := len(b.polls) - before
	b.count(b.polls[before:])
	r.live += n
	r.held += n
	r.changed = true
	for int(b.live.polls) > r.perBucket {
		r.lowerLocked(b.below / 2)
		r.live -= b.thin(b.below / 2)
	}
	if r.live > maxBytes {
		r.thinLocked()
	}
	if r.held-r.live > maxGarbage {
		r.sweepLocked()
	}
}

// thinLocked lowers the threshold of all buckets until there is room.
func (r *Reservoir) thinLocked() {
	for lowest := r.lowestLocked(); r.live > maxBytes && lowest > 0; lowest /= 2 {
		r.lowerLocked(lowest / 2)
		for i := range r.buckets {
			r.live -= r.buckets[i].thin(lowest / 2)
		}
	}
}

// bucketLocked returns the bucket of a time: a new one, once the last one is over.
func (r *Reservoir) bucketLocked(atMS int64) *bucket {
	startMS := atMS - atMS%bucketMS
	last := len(r.buckets) - 1
	if last >= 0 && r.buckets[last].expired(atMS) { // the clock was set back
		r.expireLocked(atMS)
		last = len(r.buckets) - 1
	}
	if last >= 0 && startMS <= r.buckets[last].startMS { // also when the clock was set back a little
		return &r.buckets[last]
	}
	if last >= 0 && int(r.buckets[last].live.polls) <= r.perBucket/4 {
		r.below.Store(max(r.below.Load(), doubled(r.buckets[last].below)))
	}
	r.expireLocked(atMS)
	r.versions++
	r.buckets = append(r.buckets, bucket{startMS: startMS, below: r.below.Load(), version: r.versions})
	return &r.buckets[len(r.buckets)-1]
}

func doubled(below uint64) uint64 {
	return below<<1 | 1
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

// expireLocked removes the buckets that have expired.
func (r *Reservoir) expireLocked(nowMS int64) {
	kept := r.buckets[:0]
	for i := range r.buckets {
		b := &r.buckets[i]
		if b.expired(nowMS) {
			r.live -= int(b.live.bytes)
			r.held -= len(b.polls)
			r.changed = true
		} else {
			kept = append(kept, *b)
		}
	}
	clear(r.buckets[len(kept):])
	r.buckets = kept
}

// advance goes on to the bucket of the time, which only polls that are kept do otherwise:
// when hardly anybody is, the threshold must rise all the same.
func (r *Reservoir) advance() {
	nowMS := r.config.Now()
	r.resets.expire(nowMS - windowMS - bucketMS)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.bucketLocked(nowMS)
}

// Run sweeps, and writes the file now and then, until ctx ends, and then writes it once more.
func (r *Reservoir) Run(ctx context.Context) error {
	if r.perBucket == 0 {
		return nil
	}
	sweep, advance, save := time.NewTicker(sweepEvery), time.NewTicker(advanceEvery), time.NewTicker(saveEvery)
	defer sweep.Stop()
	defer advance.Stop()
	defer save.Stop()
	for {
		select {
		case <-ctx.Done():
			r.sweep()
			r.save()
			return nil
		case <-sweep.C:
			r.sweep()
		case <-advance.C:
			r.advance()
			if r.inFile.Load() {
				r.save()
			}
		case <-save.C:
			r.save()
		}
	}
}
