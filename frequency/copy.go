package frequency

import (
	"math"
	"runtime"
)

// Copy returns a table with what is known of a user, and of the id that the user had
// before unless prior is nil, under the rules of t. What happens to the copy does not
// reach t, so a decision can be tried on it. Where t has no memory at nowMS for another
// popup of the user, the copy has none either: what t would reclaim is looked for once a second.
// The shards are locked only while the slots are copied. The memory of into, an earlier copy
// that is not used any more, is used again; it may be nil.
func (t *Table) Copy(into *Table, user, prior []byte, nowMS int64) *Table {
	if into == nil {
		into = &Table{shards: make([]shard, 1), seen: make([]sorted, 1), copyScans: make([]copyScan, 1)}
		runtime.AddCleanup(into, releaseAll, memory{shards: into.shards, seen: into.seen})
	}
	c := into
	c.k0, c.k1, c.leastGap, c.maxBytes = t.k0, t.k1, t.leastGap, math.MaxInt64
	c.keep.Store(t.keep.Load())
	c.policy.Store(t.policy.Load())
	c.gapMS.Store(t.gapMS.Load())
	c.nowMS.Store(t.nowMS.Load())

	u := t.LockBoth(user, prior)
	defer u.Unlock()
	var entries, seen [2][]slot
	entries[0], seen[0] = u.s.slots[u.lo:u.hi], t.impressionsOf(u.hash).of(u.hash)
	if u.prior.s != nil {
		entries[1], seen[1] = u.prior.s.slots[u.prior.lo:u.prior.hi], t.impressionsOf(u.prior.hash).of(u.prior.hash)
	}
	spare := copyRoom
	if !t.hasRoomLocked(u.hash, nowMS) {
		spare, c.maxBytes = 0, 0
	}
	s := &c.shards[0]
	s.fill(spare, entries)
	s.long, s.scanMS, c.copyScans[0] = 0, nowMS, copyScan{} // nothing is reclaimed: what has expired is part of what is known
	for _, run := range entries {
		for i := range run {
			s.long += int(run[i].key / isTail & 1)
		}
	}
	c.seen[0].fill(spare, seen)
	c.bytes.Store(footprint(len(s.slots)) + footprint(len(c.seen[0].slots)))
	return c
}

// copyRoom is how many slots are added to a copy before it has to grow.
const copyRoom = 16

// HasRoom reports whether a copy has memory for another popup of its user.
func (t *Table) HasRoom() bool { return t.maxBytes > 0 }

// hasRoomLocked reports whether there is memory for another entry and impression of a hash,
// where need be in place of what has expired at nowMS.
func (t *Table) hasRoomLocked(hash uint64, nowMS int64) bool {
	s, seen, taken := &t.shards[t.shardOf(hash)], t.impressionsOf(hash), t.bytes.Load()
	grows := func(of *sorted) bool {
		if !of.crowded(1) {
			return true
		}
		_, slots := of.next()
		ok := taken+footprint(slots) <= t.forNew()
		taken += footprint(slots) - footprint(len(of.slots))
		return ok
	}
	if (t.keep.Load() == nil || grows(seen)) && grows(&s.sorted) {
		return true
	}
	return t.hasExpiredLocked(t.shardOf(hash), nowMS)
}

// hasExpiredLocked reports whether reclaimLocked would find an entry of the shard that has
// expired. Other polls wait meanwhile, and there may be many copies, so it searches no more
// often than that does.
func (t *Table) hasExpiredLocked(shard uint64, nowMS int64) bool {
	s, last := &t.shards[shard], &t.copyScans[shard]
	switch {
	case isRecent(s.scanMS, nowMS):
		return false
	case !isRecent(last.atMS, nowMS):
		*last = copyScan{nowMS, t.findExpiredLocked(s, nowMS) || t.anyLeavesLocked(shard)}
	}
	return last.found
}

// copyScan is the last search of a shard for expired entries that left them where they are.
type copyScan struct {
	atMS  int64
	found bool
}

// findExpiredLocked reports whether an entry of the shard has expired.
func (t *Table) findExpiredLocked(s *shard, nowMS int64) bool {
	for i := 0; i < len(s.slots); i++ {
		k := s.slots[i].key
		if k == 0 || k&isTail != 0 {
			continue
		}
		if e := s.unpack(i, k>>flagBits); t.expired(&e, nowMS) {
			return true
		}
	}
	return false
}

// fill replaces the slots by those of two users, with room for so many more; 0: for none.
func (s *sorted) fill(spare int, runs [2][]slot) {
	used := len(runs[0]) + len(runs[1])
	homes := used*loadUnit/maxLoad + spare
	if slots := homes + used + spare + 1; len(s.slots) < slots {
		release(s.slots)
		s.slots = allocate(slots)
	} else {
		clear(s.slots)
	}
	s.homes, s.used = homes, used
	if len(runs[0]) > 0 && len(runs[1]) > 0 && runs[0][0].key > runs[1][0].key {
		runs[0], runs[1] = runs[1], runs[0]
	}
	end := 0
	for _, run := range runs {
		if len(run) > 0 {
			end = max(end, s.home(run[0].key))
			end += copy(s.slots[end:], run)
		}
	}
}

// Rewind takes out of a copy what happened after ms, as far as that can be told: of an
// impression that is left the waits stay that later actions asked for, and of what later
// impressions replaced nothing is known.
func (t *Table) Rewind(ms int64) {
	s, seen, now := &t.shards[0], &t.seen[0], clock(ms)
	for i := 0; i < len(s.slots); {
		k := s.slots[i].key
		if k == 0 || k&isTail != 0 {
			i++
			continue
		}
		e := s.unpack(i, k>>flagBits)
		switch {
		case e.served > now:
			s.remove(i)
			continue
		case e.at > now || e.shown > now:
			e.at, e.shown = min(e.at, now), min(e.shown, now)
			s.replace(i, &e)
		}
		i++
	}
	for i := 0; i < len(seen.slots); {
		if v := &seen.slots[i]; v.key != 0 && tick(v.times>>32) > now {
			seen.empty(i)
		} else {
			i++
		}
	}
}
