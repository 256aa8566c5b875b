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

// A sweep looks at sweepSlots slots, sweepPiece of them under one lock. Called
// each 100 ms it goes round a table at the default budget in seven minutes.
const (
	sweepSlots = 8192
	sweepPiece = 512
)

// Sweep reclaims expired entries in a bounded number of slots, going on where
// the last sweep stopped.
func (t *Table) Sweep(nowMS int64) {
	t.nowMS.Store(nowMS)
	t.sweepMu.Lock()
	defer t.sweepMu.Unlock()
	for slots, shards := 0, 0; slots < sweepSlots && shards < len(t.shards); {
		s := &t.shards[t.cursor.shard]
		s.mu.Lock()
		end := min(t.cursor.slot+sweepPiece, len(s.slots))
		t.removeExpiredLocked(s, t.cursor.slot, end, nowMS)
		last := end == len(s.slots)
		s.mu.Unlock()
		slots += end - t.cursor.slot
		t.cursor.slot = end
		if last {
			slots += t.sweepImpressions(t.cursor.shard, nowMS)
			t.cursor.slot = 0
			t.cursor.shard = (t.cursor.shard + 1) % len(t.shards)
			shards++
		}
	}
}

// scanEveryMS is how often one shard is searched for room at the memory budget.
// A flood of new users must not have every one of them look at every slot.
const scanEveryMS = 1000

// reclaimLocked makes room in the shard of a hash, which may not grow. It reports whether
// anything had expired.
func (t *Table) reclaimLocked(hash uint64, nowMS int64) bool {
	s := &t.shards[t.shardOf(hash)]
	if since := nowMS - s.scanMS; -scanEveryMS < since && since < scanEveryMS {
		return false
	}
	s.scanMS = nowMS
	removed := t.removeExpiredLocked(s, 0, len(s.slots), nowMS)
	return removed+t.removeOldLocked(t.impressionsOf(hash), nowMS) > 0
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

// sweepImpressions reclaims the impressions of a shard that are too old. It returns how
// many slots it looked at.
func (t *Table) sweepImpressions(shard int, nowMS int64) int {
	t.shards[shard].mu.Lock()
	defer t.shards[shard].mu.Unlock()
	s := &t.seen[shard]
	slots := len(s.slots)
	t.removeOldLocked(s, nowMS)
	return slots
}
