package frequency

import (
	"math"
	"time"

	"github.com/popupd/popupd/popup"
)

// A user of whom something is in the table, or who was looked up, takes a slot more in a table
// that is [Config.HeldOnly]:
//
//	key    hash 54 | 0 9 | held 1
//	times  latest poll 32 | era in which the user was held 32
//	rest   first 32 | last 32: epochs in which something was added
const isHeld = 1 << 0

const (
	// EpochLength is the time from one [Table.NextEpoch] to the next.
	EpochLength = 10 * time.Second

	// How many epochs a user is held who does not poll: longer than a client is told to wait.
	idleEpochs  = uint32(30 * time.Minute / EpochLength)
	emptyEpochs = uint32(6 * time.Minute / EpochLength) // with nothing to remember, or while memory is short; at once if both
)

// lossEpochs is for how many epochs after a loss nobody else is held, should it never be
// committed.
const lossEpochs = uint32(time.Hour / EpochLength)

// heldID is the popup, which no popup has, of the entry of a dump that says that its user is
// held.
const heldID = math.MaxUint32

// Epochs are those from one to another.
type Epochs struct{ From, To uint32 }

// uncommitted is what [Table.SetUncommitted] has said.
type uncommitted struct {
	next uint32   // of the epochs before this one
	open []Epochs // in these not all is committed
}

// HeldOnly reports whether the table was made with [Config.HeldOnly].
func (t *Table) HeldOnly() bool { return t.holds != nil }

// Held reports whether the user was looked up, and the one with the id before: only then is
// it known what they have seen. It counts as a poll.
func (u *User) Held() bool { return u.t.holds == nil || u.polled() }

// polled is Held in a table that is HeldOnly.
func (u *User) polled() bool {
	return u.t.polledLocked(&u.span) && (u.prior.s == nil || u.t.polledLocked(&u.prior))
}

// Holds is [User.Held] for those who only ask; a nil prior is none.
func (t *Table) Holds(user, prior []byte) bool { return t.holds == nil || t.holdsBoth(user, prior) }

func (t *Table) holdsBoth(user, prior []byte) bool {
	u := t.LockBoth(user, prior)
	defer u.Unlock()
	return u.polled()
}

// polledLocked reports whether a user is held, who polls now.
func (t *Table) polledLocked(of *span) bool {
	s := &t.holds[t.shardOf(of.hash)]
	i, hi := s.run(keyOf(of.hash))
	if i == hi || !t.isHeld(&s.slots[i]) {
		return false
	}
	s.slots[i].times = uint64(t.epoch.Load())<<32 | s.slots[i].times&math.MaxUint32
	return true
}

func (t *Table) isHeld(v *slot) bool { return v.key&isHeld != 0 && uint32(v.times) == t.Era() }

// Era is what [Table.Hold] asks for: take it before the store is asked.
func (t *Table) Era() uint32 { return uint32(t.held.Load() >> 32) }

// HeldUsers returns how many users are held; 0 in a table that holds everyone.
func (t *Table) HeldUsers() int { return int(uint32(t.held.Load())) }

// LookingUp says that the store is about to be asked for a user. Until the next epoch has ended
// nothing of the user is forgotten: what was not committed when the store answers is in the
// table, and stays there until the answer is, too. It returns false if there is no memory for it.
func (t *Table) LookingUp(user []byte) bool {
	u := t.Lock(user)
	defer u.Unlock()
	return t.storeHasLost() && u.added(t.nowMS.Load(), t.forNew())
}

// LookedUp adds a state that the store has of a user who is looked up. It returns false if there
// is no memory for it: what has happened may take more of it than who comes anew.
func (t *Table) LookedUp(user []byte, id uint32, s popup.State) bool {
	u := t.Lock(user)
	defer u.Unlock()
	nowMS := t.nowMS.Load()
	if e := quantize(u.hash, id, &s); t.expired(&e, nowMS) { // the store has all that there ever was
		return true
	}
	return u.merge(id, s, nowMS, t.forNew())
}

// LookedUpImpression is LookedUp for what [Table.RestoreImpression] adds.
func (t *Table) LookedUpImpression(user []byte, id uint32, servedAtMS int64, acted uint8) bool {
	u := t.Lock(user)
	defer u.Unlock()
	return u.restoreImpression(id, servedAtMS, acted, t.forNew())
}

// Hold says that all that the store knew of a user after [Table.LookingUp] is in the table. It
// returns false if an era has ended since, or there is no memory for it.
func (t *Table) Hold(user []byte, era uint32) bool {
	u := t.Lock(user)
	defer u.Unlock()
	return t.holds == nil || t.storeHasLost() && u.hold(era)
}

func (u *User) hold(era uint32) bool {
	v := u.slotOfUser(u.t.nowMS.Load(), u.t.forNew())
	if v == nil {
		return false
	}
	for held := u.t.held.Load(); ; held = u.t.held.Load() {
		if uint32(held>>32) != era {
			return false
		}
		if u.t.isHeld(v) || u.t.held.CompareAndSwap(held, held+1) {
			break
		}
	}
	v.key |= isHeld
	v.times = uint64(u.t.epoch.Load())<<32 | uint64(era)
	return true
}

// Unhold ends an era: nobody is held any more, until [Table.Hold] says so with the next one.
func (t *Table) Unhold() {
	for held := t.held.Load(); !t.held.CompareAndSwap(held, (held>>32+1)<<32); held = t.held.Load() {
	}
}

// added notes that something is about to be added to what is known of the user, that may not be
// committed. It returns false if there is no memory for it, as put does. Slots of entries may
// have moved then.
func (u *User) added(nowMS, limit int64) bool { return u.t.holds == nil || u.addedNow(nowMS, limit) }

func (u *User) addedNow(nowMS, limit int64) bool {
	v := u.slotOfUser(nowMS, limit)
	if v == nil {
		return false
	}
	epoch, told := u.t.epoch.Load(), u.t.uncommitted.Load()
	first, last := uint32(v.rest>>32), uint32(v.rest)
	if last+1 < told.next && (len(told.open) == 0 || last+1 < told.open[0].From) {
		first = epoch
	}
	v.rest = uint64(first)<<32 | uint64(epoch)
	return true
}

// slotOfUser returns the user's slot, a new one if need be; nil if there is no memory for it.
func (u *User) slotOfUser(nowMS, limit int64) *slot {
	s, key := &u.t.holds[u.t.shardOf(u.hash)], keyOf(u.hash)
	for {
		i, hi := s.run(key)
		if i < hi {
			return &s.slots[i]
		}
		epoch := uint64(u.t.epoch.Load())
		if s.put(i, slot{key: key, times: epoch << 32, rest: epoch<<32 | epoch}) {
			return &s.slots[i]
		}
		if !u.t.growLocked(s, limit) && !u.t.reclaimLocked(u.hash, nowMS) {
			u.look()
			u.t.refused.Add(1)
			return nil
		}
		u.look()
	}
}

// NextEpoch begins an epoch and returns the one that has ended.
func (t *Table) NextEpoch() (ended uint32) { return t.epoch.Add(1) - 1 }

// SetUncommitted says in which of the epochs up to the one that has ended last something was
// heard that is not committed yet, ascending. Until it is called that may be any of them.
func (t *Table) SetUncommitted(ended uint32, open []Epochs) {
	t.uncommitted.Store(&uncommitted{next: ended + 1, open: open})
}

// isCommitted reports whether all that was added in these epochs, which are the rest of a user's
// slot, is committed. An event is in the table shortly before its stream's position is noted, and
// a look-up takes a while, though less than an epoch: so the epoch after the last one counts, too,
// and must have ended.
func (t *Table) isCommitted(rest uint64) bool {
	first, after, told := uint32(rest>>32), uint32(rest)+1, t.uncommitted.Load()
	if after >= told.next {
		return false
	}
	for _, open := range told.open {
		if first <= open.To && open.From <= after {
			return false
		}
	}
	return true
}

// leaves reports whether the user in slot i of a shard may be forgotten: the store knows all of
// it, and the user is not held, or has not polled for a while.
func (t *Table) leaves(shard uint64, i int, short bool) bool {
	v := &t.holds[shard].slots[i]
	if !t.isCommitted(v.rest) || t.dumping.Load() {
		return false
	}
	s, key := &t.shards[shard], v.key>>flagBits<<flagBits
	lo, hi := s.run(key)
	if lo < hi && s.popup(lo) == resetID {
		return false // a look-up would not find it
	}
	first, last := t.seen[shard].run(key)
	idle, empty := t.epoch.Load()-uint32(v.times>>32), lo == hi && first == last
	return !t.isHeld(v) || short && empty || idle > idleEpochs || idle > emptyEpochs && (short || empty)
}

// lose counts what has happened to a user and is not in the table: so the user is not held.
func (u *User) lose() {
	u.t.lost.Add(1)
	if u.t.holds == nil {
		return
	}
	u.t.noteLoss()
	if i, hi := u.t.holds[u.t.shardOf(u.hash)].run(keyOf(u.hash)); i < hi {
		u.t.unholdLocked(&u.t.holds[u.t.shardOf(u.hash)].slots[i])
	}
}

func (t *Table) unholdLocked(v *slot) {
	if !t.isHeld(v) {
		return
	}
	v.key &^= isHeld
	for held := t.held.Load(); uint32(held>>32) == uint32(v.times) && !t.held.CompareAndSwap(held, held-1); held = t.held.Load() {
	}
}

// noteLoss notes that something is lost in this epoch, and until it is committed nobody else is
// held: the store may not have it yet when it is asked. lostIn is like the rest of a slot, and
// one more, 0 for nothing.
func (t *Table) noteLoss() {
	epoch := uint64(t.epoch.Load())
	for {
		was, first := t.lostIn.Load(), epoch
		if was != 0 && !t.isCommitted(was-1) {
			first = (was - 1) >> 32
		}
		if t.lostIn.CompareAndSwap(was, (first<<32|epoch)+1) {
			return
		}
	}
}

// storeHasLost reports whether the store has all that is lost, or was waited for long enough.
func (t *Table) storeHasLost() bool {
	was := t.lostIn.Load()
	return was == 0 || t.isCommitted(was-1) || t.epoch.Load()-uint32(was-1) > lossEpochs
}

// forgetLocked removes all that is known of the user in slot i of a shard.
func (t *Table) forgetLocked(shard uint64, i int) {
	users, seen, s := &t.holds[shard], &t.seen[shard], &t.shards[shard]
	key := users.slots[i].key >> flagBits << flagBits
	t.unholdLocked(&users.slots[i])
	users.empty(i)
	for lo, hi := s.run(key); lo < hi; lo, hi = s.run(key) {
		s.remove(lo)
	}
	for lo, hi := seen.run(key); lo < hi; hi-- {
		seen.empty(lo)
	}
}

// forgetLeavingLocked forgets those in slots from to to-1, and those that move there, who may
// be, and returns their number.
func (t *Table) forgetLeavingLocked(shard uint64, from, to int, short bool) (removed int) {
	users := &t.holds[shard]
	for i := from; i < to; {
		if users.slots[i].key != 0 && t.leaves(shard, i, short) {
			t.forgetLocked(shard, i)
			removed++
		} else {
			i++
		}
	}
	return removed
}

// anyLeavesLocked reports whether somebody in a shard may be forgotten while memory is short.
func (t *Table) anyLeavesLocked(shard uint64) bool {
	if t.holds == nil {
		return false
	}
	for i := range t.holds[shard].slots {
		if t.holds[shard].slots[i].key != 0 && t.leaves(shard, i, true) {
			return true
		}
	}
	return false
}
