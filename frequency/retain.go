package frequency

import "github.com/popupd/popupd/popup"

// Keep says how long the entries of a popup are kept.
type Keep uint8

const (
	// KeepWhileWaiting keeps an entry until the last of: [popup.KeepAfterWait]
	// after its wait and after the latest thing that happened; the least gap after
	// the user saw the popup; [popup.TokenLife] after an impression that was acted on.
	KeepWhileWaiting Keep = iota
	// KeepForever is for a popup whose impressions are limited.
	KeepForever
	// Drop is for a popup that will never be shown again: its entries are kept for
	// the least gap only.
	Drop
)

// Retention says how long the entries of one popup are kept.
type Retention struct {
	Keep
	GoalMS int64 // not less than this after the latest exposure, which a goal may count for
}

// SetPolicy says how long entries are kept from now on, by popup; without it all
// are KeepWhileWaiting. The function is called with a shard locked: it must be
// quick and must not use the table.
func (t *Table) SetPolicy(f func(id uint32) Retention) { t.policy.Store(&f) }

// expired reports whether an entry is of no more use at nowMS.
func (t *Table) expired(e *entry, nowMS int64) bool {
	if e.popup == resetID {
		return nowMS >= e.next.ms()
	}
	var r Retention
	if f := t.policy.Load(); f != nil {
		r = (*f)(e.popup)
	}
	switch {
	case r.Keep == KeepForever:
		return false
	case nowMS < gapEndMS(e.lastSeen(), t.gapMS.Load()):
		return false
	case r.Keep == Drop:
		return true
	case r.GoalMS > 0 && nowMS < e.served.ms()+r.GoalMS: // served may be ahead of a clock
		return false
	case nowMS < max(e.next, e.at).ms()+popup.KeepAfterWait.Milliseconds(): // always, if it is popup.Never
		return false
	case e.acted != 0 && nowMS < e.served.ms()+popup.TokenLife.Milliseconds():
		return false
	}
	return true
}

// A sweep looks at sweepSlots slots, sweepSlotsLocked of them under one lock. Called
// each 100 ms it goes round a table at the default budget in seven minutes.
const (
	sweepSlots       = 8192
	sweepSlotsLocked = 512
)

// Sweep reclaims expired entries and impressions in a bounded number of slots, going on
// where the last sweep stopped.
func (t *Table) Sweep(nowMS int64) {
	t.nowMS.Store(nowMS)
	t.sweepMu.Lock()
	defer t.sweepMu.Unlock()
	for slots, shards := 0, 0; slots < sweepSlots && shards < len(t.shards); {
		n, last := t.sweepPiece(nowMS)
		slots += n
		if last {
			shards++
		}
	}
}

// part is a part of a shard.
type part uint8

const (
	entriesPart part = iota
	impressionsPart
	usersPart
	numParts
)

// partLocked returns the slots of a part of a shard.
func (t *Table) partLocked(shard int, p part) *sorted {
	switch {
	case p == impressionsPart:
		return &t.seen[shard]
	case p == usersPart && t.holds != nil:
		return &t.holds[shard]
	case p == usersPart:
		return &sorted{}
	}
	return &t.shards[shard].sorted
}

// sweepPiece goes on by a piece through one part of a shard after the other. It returns how
// many slots it looked at, and whether it has come to the end of the shard.
func (t *Table) sweepPiece(nowMS int64) (slots int, last bool) {
	c := &t.cursor
	s := &t.shards[c.shard]
	s.mu.Lock()
	defer s.mu.Unlock()
	of := t.partLocked(c.shard, c.part)
	if c.part == impressionsPart && t.keep.Load() == nil {
		t.releaseImpressionsLocked(of)
	}
	from := min(c.slot, len(of.slots)) // they may have been released meanwhile
	end := min(from+sweepSlotsLocked, len(of.slots))
	switch c.part {
	case impressionsPart:
		t.removeOldLocked(of, from, end, nowMS)
	case usersPart:
		t.forgetLeavingLocked(uint64(c.shard), from, end, false)
	default:
		t.removeExpiredLocked(s, from, end, nowMS)
	}
	c.slot = end
	if end < len(of.slots) {
		return end - from, false
	}
	c.slot = 0
	for c.part++; c.part < numParts; c.part++ {
		if len(t.partLocked(c.shard, c.part).slots) > 0 {
			return end - from, false
		}
	}
	c.part = entriesPart
	c.shard = (c.shard + 1) % len(t.shards)
	return end - from, true
}

// scanEveryMS is how often one shard is searched for room at the memory budget.
// A flood of new users must not have every one of them look at every slot.
const scanEveryMS = 1000

// isRecent reports whether a search at atMS was so recent that there is no other yet.
func isRecent(atMS, nowMS int64) bool {
	since := nowMS - atMS
	return -scanEveryMS < since && since < scanEveryMS
}

// reclaimLocked makes room in the shard of a hash, which may not grow. It reports whether
// anything had expired.
func (t *Table) reclaimLocked(hash uint64, nowMS int64) bool {
	s := &t.shards[t.shardOf(hash)]
	if isRecent(s.scanMS, nowMS) {
		return false
	}
	s.scanMS = nowMS
	removed, seen := t.removeExpiredLocked(s, 0, len(s.slots), nowMS), t.impressionsOf(hash)
	if t.holds != nil {
		shard := t.shardOf(hash)
		removed += t.forgetLeavingLocked(shard, 0, len(t.holds[shard].slots), true)
	}
	if t.keep.Load() == nil {
		return removed+t.releaseImpressionsLocked(seen) > 0
	}
	return removed+t.removeOldLocked(seen, 0, len(seen.slots), nowMS) > 0
}

// removeExpiredLocked removes the expired entries from slots from to to-1 and
// those that move there, and returns their number.
func (t *Table) removeExpiredLocked(s *shard, from, to int, nowMS int64) (removed int) {
	for i := from; i < to; {
		if k := s.slots[i].key; k == 0 || k&isTail != 0 {
			i++
		} else if e := s.unpack(i, k>>flagBits); t.expired(&e, nowMS) {
			s.remove(i)
			removed++
		} else {
			i++
		}
	}
	return removed
}
