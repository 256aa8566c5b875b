package frequency

import (
	"math/bits"

	"github.com/popupd/popupd/popup"
)

// An impression takes a slot of its own:
//
//	key    hash 54 | 0 7 | acted 1 | released 1 | seen 1
//	times  served 32 | popup 32
//	rest   era 48 | caps that cover it in that era 16; 0: not known yet
//
// A user's are sorted by times.
const (
	impressionSeen     = 1 << 0 // it was returned to be seen at once, or confirmed
	impressionReleased = 1 << 1 // it was not shown after all
	impressionActed    = 1 << 2 // but what was clicked, dismissed or converted on was

	// maxImpressions is how many are kept of a user: all that count, unless users get more
	// than their caps allow.
	maxImpressions = popup.MaxCaps*popup.MaxCapImpressions + 4

	// tidyFrom is how many a user has when each new one takes the slot of an old one.
	tidyFrom = 24

	// An impression so far ahead of the clock was named by a clock that was wrong.
	impressionAhead tick = 86400 * 1000 / tickMS
)

// KeepImpressions says for how many ms after it was served an impression of a popup is
// kept for caps, 0 if none covers the popup. Without a function none are. What the one
// before has left out only the database knows. It is called with a shard locked: it must
// be quick and must not use the table.
func (t *Table) KeepImpressions(f func(id uint32) int64) {
	if f == nil {
		t.keep.Store(nil)
		return
	}
	t.keep.Store(&f)
}

// keptUntil returns until when an impression is kept; 0: it is not.
func (t *Table) keptUntil(id uint32, served tick) int64 {
	if f := t.keep.Load(); f != nil {
		if ms := (*f)(id); ms > 0 {
			return capEndMS(served, ms)
		}
	}
	return 0
}

// isOld reports whether no cap counts an impression any more.
func (t *Table) isOld(s *slot, nowMS int64) bool {
	return nowMS >= t.keptUntil(uint32(s.times), tick(s.times>>32))
}

// capEndMS returns when an impression no longer counts within so many ms.
func capEndMS(served tick, ms int64) int64 { return served.ms() + tickMS - 1 + ms }

// firstCounted returns the first tick whose impressions count at nowMS within so many ms:
// the first for which capEndMS is later.
func firstCounted(nowMS, ms int64) tick { return max(floorTick(nowMS-ms-tickMS+1).after(), 1) }

// flagsOf returns what an event says of its impression; 0: nothing.
func flagsOf(ev *popup.Event) uint64 {
	switch ev.Action {
	case popup.Impression:
		if ev.Nth != 0 { // else the page has to confirm it
			return impressionSeen
		}
	case popup.View:
		return impressionSeen
	case popup.Click, popup.Dismiss, popup.Convert:
		return impressionSeen | impressionActed
	case popup.Release:
		return impressionReleased
	}
	return 0
}

// RestoreImpression adds an impression of the store with the [popup.Action.Bit]s of what
// the user did with it. It returns false if there is no memory for it.
func (t *Table) RestoreImpression(user []byte, id uint32, servedAtMS int64, acted uint8) bool {
	u := t.Lock(user)
	defer u.Unlock()
	noted := u.restoreImpression(id, servedAtMS, acted, t.maxBytes)
	if !noted {
		u.lose()
	}
	return noted
}

func (u *User) restoreImpression(id uint32, servedAtMS int64, acted uint8, limit int64) bool {
	flags, s := uint64(0), popup.State{Acted: acted}
	if s.Confirmed() {
		flags |= impressionSeen
	}
	if acted&(popup.Click.Bit()|popup.Dismiss.Bit()|popup.Convert.Bit()) != 0 {
		flags |= impressionActed
	}
	if acted&releaseBit != 0 {
		flags |= impressionReleased
	}
	nowMS := u.t.nowMS.Load()
	if !u.added(nowMS, limit) {
		return false
	}
	_, ok := u.note(id, clock(servedAtMS), flags, nowMS, limit)
	return ok
}

// noted is what [User.note] has changed.
type noted struct {
	changed bool
	existed bool
	before  uint64 // its flags, if it existed
}

// note adds flags to an impression, unless a reset or the newest ones leave it out. It
// returns false, with nothing changed, if there is no memory for it, as put does. Slots
// of entries may have moved then, and if noted says that something has changed.
func (u *User) note(id uint32, served tick, flags uint64, nowMS, limit int64) (noted, bool) {
	if flags == 0 || u.t.keep.Load() == nil || served <= u.resetAt() || nowMS >= u.t.keptUntil(id, served) {
		return noted{}, true
	}
	s := u.t.impressionsOf(u.hash)
	v := slot{key: keyOf(u.hash) | flags, times: uint64(served)<<32 | uint64(id)}
	u.caps.forget()
	for {
		i, lo, hi := s.findTimes(v.key&^impressionMask, v.times)
		switch {
		case i < hi && s.slots[i].times == v.times:
			before := s.slots[i].key & impressionMask
			s.slots[i].key |= flags
			return noted{changed: true, existed: true, before: before}, true
		case hi-lo >= tidyFrom && u.t.isOld(&s.slots[lo], nowMS): // not all wait for a sweep
			s.empty(lo)
			continue
		case hi-lo < maxImpressions:
		default:
			if last := u.t.leastNeeded(s, lo, hi, nowMS); last > lo || i > lo {
				s.empty(last)
				continue
			}
			return noted{}, true // older than all that are kept
		}
		if s.put(i, v) {
			return noted{changed: true}, true
		}
		if !u.t.growLocked(s, limit) && !u.t.reclaimLocked(u.hash, nowMS) {
			u.look()
			u.t.refused.Add(1)
			return noted{}, false
		}
		u.look()
	}
}

// leastNeeded returns which of a user's impressions, slots lo to hi-1, makes room for
// another: the oldest that counts for nothing, or the oldest of all. Else a page that
// releases again and again would have caps forget what the user saw.
func (t *Table) leastNeeded(s *sorted, lo, hi int, nowMS int64) int {
	for i := lo; i < hi; i++ {
		if v := &s.slots[i]; !v.counts() || t.isOld(v, nowMS) {
			return i
		}
	}
	return lo
}

// impressionMask are the flags in a key.
const impressionMask = impressionSeen | impressionReleased | impressionActed

// counts reports whether caps count an impression, as [popup.State.Seen] does.
func (s *slot) counts() bool {
	return s.key&impressionActed != 0 || s.key&impressionMask == impressionSeen
}

// findTimes returns the first of the slots of a key whose times are not before these,
// and where the slots are.
func (s *sorted) findTimes(key, times uint64) (i, lo, hi int) {
	lo, hi = s.run(key)
	for i = hi; i > lo && s.slots[i-1].times >= times; i-- {
	}
	return i, lo, hi
}

// of returns the slots of a hash.
func (s *sorted) of(hash uint64) []slot {
	lo, hi := s.run(keyOf(hash))
	return s.slots[lo:hi]
}

// unnote takes back what note has changed.
func (u *User) unnote(n noted, id uint32, served tick) {
	if !n.changed {
		return
	}
	s, times := u.t.impressionsOf(u.hash), uint64(served)<<32|uint64(id)
	i, _, hi := s.findTimes(keyOf(u.hash), times)
	if i == hi || s.slots[i].times != times {
		return
	}
	u.caps.forget()
	if n.existed {
		s.slots[i].key = s.slots[i].key&^impressionMask | n.before
		return
	}
	s.empty(i)
}

// forgetImpressions removes those that were served up to then.
func (u *User) forgetImpressions(at tick) {
	u.caps.forget()
	s := u.t.impressionsOf(u.hash)
	for lo, hi := s.run(keyOf(u.hash)); lo < hi && tick(s.slots[lo].times>>32) <= at; hi-- {
		s.empty(lo)
	}
}

// removeOldLocked removes from slots from to to-1, and those that move there, the
// impressions that are of no more use at nowMS, and returns their number.
func (t *Table) removeOldLocked(s *sorted, from, to int, nowMS int64) (removed int) {
	for i := from; i < to; {
		if v := &s.slots[i]; v.key != 0 && t.isOld(v, nowMS) {
			s.empty(i)
			removed++
		} else {
			i++
		}
	}
	return removed
}

// releaseImpressionsLocked gives back the memory of a shard's impressions, of which none
// are kept without caps. It returns how many there were.
func (t *Table) releaseImpressionsLocked(s *sorted) (removed int) {
	removed = s.used
	t.bytes.Add(-footprint(len(s.slots)))
	release(s.slots)
	*s = sorted{}
	return removed
}

// Caps are the caps that are in force.
type Caps interface {
	Caps() []popup.Cap
	CapsOf(id uint32) popup.CapSet // those that count impressions of a popup
	CapsEra() uint64               // never 0; where it is the same, so are the others
}

// FullCaps is which caps are full for a user, found once in a step whatever the number of
// popups to check. It is apart from User, of which it would be the most, and may be used for
// one step after the other.
type FullCaps struct {
	known       bool // see findFull
	full        popup.CapSet
	since       [popup.MaxCaps]tick  // of those that are full: the impression that has to become too old
	unconfirmed [popup.MaxCaps]uint8 // see CountUnconfirmed
}

// forget says that the user's impressions have changed.
func (f *FullCaps) forget() {
	if f != nil {
		f.known = false
	}
}

// use has f hold which caps are full for this user until Unlock.
func (u *User) use(f *FullCaps) {
	if u.caps == nil {
		*f = FullCaps{}
		u.caps = f
	}
}

// CheckCaps adds to a verdict that caps of a set are full. Until Unlock f and the caps must be
// the same.
func (u *User) CheckCaps(v *Verdict, of popup.CapSet, f *FullCaps, caps Caps, nowMS int64) {
	u.use(f)
	if !f.known {
		u.findFull(f, caps, nowMS)
		f.known = true
	}
	for of &= f.full; of != 0; of &= of - 1 {
		i := bits.TrailingZeros16(uint16(of))
		v.stop(popup.CapFull, capEndMS(f.since[i], caps.Caps()[i].PerSec*1000))
	}
}

// CountUnconfirmed has caps count a popup that was served since Lock, and that the page
// has yet to confirm: what is in one answer is seen together.
func (u *User) CountUnconfirmed(of popup.CapSet, f *FullCaps) {
	u.use(f)
	f.known = false
	for ; of != 0; of &= of - 1 {
		f.unconfirmed[bits.TrailingZeros16(uint16(of))]++
	}
}

// findFull finds the caps that are full. A cap is full for as long as the oldest of its
// newest Max impressions counts.
func (u *User) findFull(f *FullCaps, caps Caps, nowMS int64) {
	list, seen, decided := caps.Caps(), f.unconfirmed, popup.CapSet(0)
	f.full = 0
	var from [popup.MaxCaps]tick
	for i := range list {
		from[i] = firstCounted(nowMS, list[i].PerSec*1000)
		if uint32(seen[i]) >= list[i].Max {
			f.full |= 1 << i
			f.since[i] = clock(nowMS)
		}
	}
	decided = f.full
	all, ahead := popup.CapSet(1)<<len(list)-1, clock(nowMS)+impressionAhead
	mine := u.t.impressionsOf(u.hash).of(u.hash)
	var others []slot
	if u.prior.s != nil {
		others = u.t.impressionsOf(u.prior.hash).of(u.prior.hash)
	}
	for decided != all && len(mine)+len(others) > 0 {
		var newest *slot
		if n := len(mine); len(others) == 0 || n > 0 && mine[n-1].times >= others[len(others)-1].times {
			newest, mine = &mine[n-1], mine[:n-1]
		} else {
			newest, others = &others[len(others)-1], others[:len(others)-1]
		}
		served := tick(newest.times >> 32)
		if !newest.counts() || served > ahead {
			continue
		}
		for of := newest.caps(caps) &^ decided; of != 0; of &= of - 1 {
			i := bits.TrailingZeros16(uint16(of))
			if served < from[i] { // nor does any before
				decided |= 1 << i
			} else if seen[i]++; uint32(seen[i]) >= list[i].Max {
				decided |= 1 << i
				f.full |= 1 << i
				f.since[i] = served
			}
		}
	}
}

// caps returns the caps that count an impression. It remembers them: to look up a popup
// costs more than all else.
func (s *slot) caps(in Caps) popup.CapSet {
	if era := in.CapsEra(); s.rest>>popup.MaxCaps != era {
		s.rest = era<<popup.MaxCaps | uint64(in.CapsOf(uint32(s.times)))
	}
	return popup.CapSet(s.rest)
}
