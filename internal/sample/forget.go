package sample

import (
	"slices"
	"sync"
	"time"
)

// clockSkew is how long after a reset polls still count as polls of before: the reset's time
// is that of another server, whose clock may be ahead.
const clockSkew = time.Minute

// resets are the users who were reset within the time that polls are kept, and up to when
// their polls go.
type resets struct {
	mu      sync.RWMutex
	untilMS map[uint64]int64 // by the hash of the user's id
}

// add reports whether the reset was not known yet.
func (s *resets) add(hash uint64, untilMS int64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if untilMS <= s.untilMS[hash] {
		return false
	}
	if s.untilMS == nil {
		s.untilMS = map[uint64]int64{}
	}
	s.untilMS[hash] = untilMS
	return true
}

// cover reports whether a poll is one of before a reset, under the user's id or the one that
// the user had before.
func (s *resets) cover(p []byte) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if len(s.untilMS) == 0 {
		return false
	}
	return timeOf(p) <= max(s.untilMS[userOf(p)], s.untilMS[priorOf(p)])
}

// expire drops the resets that cover only polls that are too old anyway.
func (s *resets) expire(cutoffMS int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for hash, untilMS := range s.untilMS {
		if untilMS < cutoffMS {
			delete(s.untilMS, hash)
		}
	}
}

// Forget has the polls go of a user who was reset at a time, now and when they are read from
// the file. Simulations are without them at once, the memory within seconds and the file within
// a minute: see [Reservoir.Run]. It may be called any number of times for a reset.
func (r *Reservoir) Forget(hash uint64, atMS int64) {
	untilMS := atMS + clockSkew.Milliseconds()
	if r.perBucket == 0 || untilMS < r.config.Now()-windowMS-bucketMS {
		return
	}
	if r.resets.add(hash, untilMS) {
		r.unswept.Store(true)
		r.inFile.Store(true)
	}
}

// sweep releases the memory of polls that are not in the sample any more, one bucket at a
// time. Polls wait for it only while one is swapped.
func (r *Reservoir) sweep() {
	forgotten := r.unswept.Swap(false)
	r.mu.Lock()
	var due []int64
	for i := range r.buckets {
		if b := &r.buckets[i]; forgotten || b.garbage() > 0 {
			due = append(due, b.startMS)
		}
	}
	r.mu.Unlock()
	for _, startMS := range due {
		r.sweepBucket(startMS, forgotten)
	}
}

func (r *Reservoir) sweepBucket(startMS int64, forgotten bool) {
	r.mu.Lock()
	var old bucket
	if b := r.startingLocked(startMS); b != nil {
		old = *b
	}
	r.mu.Unlock()
	if old.garbage() == 0 && !(forgotten && old.hasCovered(&r.resets)) {
		return
	}
	r.swap(old, old.without(&r.resets))
}

// swap takes a bucket in place of an older state of it, and adds the polls that came since.
func (r *Reservoir) swap(old, next bucket) {
	r.mu.Lock()
	defer r.mu.Unlock()
	b := r.startingLocked(old.startMS)
	if b == nil {
		return
	}
	if b.version != old.version { // replaced by Keep, or expired and begun anew when the clock was set
		next = b.without(&r.resets)
	} else {
		next.addLive(b.polls[len(old.polls):], &r.resets)
		next.thin(b.below)
	}
	r.replaceLocked(b, next)
}

// startingLocked returns the bucket that starts at a time, nil if there is none.
func (r *Reservoir) startingLocked(startMS int64) *bucket {
	i := slices.IndexFunc(r.buckets, func(b bucket) bool { return b.startMS == startMS })
	if i < 0 {
		return nil
	}
	return &r.buckets[i]
}

// sweepLocked is sweep for when there is no time to wait for it.
func (r *Reservoir) sweepLocked() {
	for i := range r.buckets {
		if b := &r.buckets[i]; b.garbage() > 0 {
			next := b.without(&r.resets)
			r.replaceLocked(b, next)
		}
	}
}

// replaceLocked takes another bucket in place of one.
func (r *Reservoir) replaceLocked(b *bucket, next bucket) {
	r.live += int(next.live.bytes) - int(b.live.bytes)
	r.held += len(next.polls) - len(b.polls)
	r.versions++
	next.version = r.versions
	*b = next
}
