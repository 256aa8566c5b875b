package frequency

import "github.com/popupd/popupd/popup"

// slot is an entry packed into 24 bytes: of a hash the bits that do not say in
// which shard it is, and of the times those that do not follow from each other.
// An entry that does not fit, which is rare (see entry.fits), takes a second slot
// behind the first, its tail. The zero slot is empty.
//
//	key    hash 54 | tail 1 | long 1 | waits for an action 1 | shown when served 1 | acted 6
//	times  at 32 | next 32
//	rest   popup 21 | at - served 23 | last 3 | shown at 1 | impressions 16
//
// and with a tail, which has the same hash in its key:
//
//	rest   0 | acted 8 | last 8 | impressions 16
//	times  served 32 | click until 32
//	rest   popup 32 | shown 32
type slot struct{ key, times, rest uint64 }

// slotSize is the size of a slot in bytes.
const slotSize = 24

const (
	hashBits  = 54 // of a hash that are in a key
	flagBits  = 64 - hashBits
	isTail    = 1 << 9
	isLong    = 1 << 8 // has a tail
	isActed   = 1 << 7 // clickUntil is next
	isServed  = 1 << 6 // shown is served
	actedMask = 1<<6 - 1

	popupBit = 43
	sinceBit = 20
	lastBit  = 17
	isAt     = 1 << 16 // shown is at
	lastMask = 1<<3 - 1

	maxShortPopup = 1<<21 - 1
	maxShortSince = 1<<23 - 1 // ticks from served to at: 9 days, longer than popup.TokenLife

	// Where a long entry has what does not fit the bits of a short one.
	longActedBit = 24
	longLastBit  = 16
)

// keyOf returns the key of a hash without flags, which is not 0 for a hash that
// [Table.Lock] makes.
func keyOf(hash uint64) uint64 { return hash << flagBits }

// has reports whether the slot belongs to the user with this key.
func (s *slot) has(key uint64) bool { return (s.key^key)>>flagBits == 0 }

// A short entry has popup.Unconfirmed in the place of popup.ControlBit, which no
// state has, and popup.Release in that of popup.Reset, which is never the last action.
const (
	shortUnconfirmed = popup.ControlBit
	shortRelease     = popup.Reset
)

func shortActed(acted uint8) uint8 {
	return acted&^popup.Unconfirmed | acted&popup.Unconfirmed>>1
}

func longActed(short uint8) uint8 {
	return short&^shortUnconfirmed | short&shortUnconfirmed<<1
}

// fits reports whether one slot holds the entry. Not if an action's wait still
// counts but is not the longest, as after a click on an impression before the
// latest, nor if the user saw the popup neither when it was last served nor when
// the latest thing happened, as when a control followed.
func (e *entry) fits() bool {
	return e.served <= e.at && e.at-e.served <= maxShortSince && e.popup <= maxShortPopup &&
		(e.clickUntil == 0 || e.clickUntil == e.next) &&
		(e.shown == 0 || e.shown == e.served || e.shown == e.at) &&
		e.acted&popup.ControlBit == 0 && shortActed(e.acted) <= actedMask && e.last <= popup.Release && e.last != popup.Reset
}

// shorten makes an entry fit one slot that needs two for its times, and reports
// whether it does now. An action's wait then lasts as long as the longest, and the
// popup counts as seen later: a user may wait too long, but is not
// shown anything too early.
func (e *entry) shorten() bool {
	if e.fits() {
		return false
	}
	if e.clickUntil != 0 {
		e.clickUntil = e.next
	}
	switch {
	case e.shown == 0:
	case e.shown <= e.served:
		e.shown = e.served
	case e.shown <= e.at:
		e.shown = e.at
	}
	return e.fits()
}

// pack returns the entry's slot, and its tail if it needs two.
func (e *entry) pack() (head, tail slot, long bool) {
	head = slot{
		key:   keyOf(e.hash),
		times: uint64(e.at)<<32 | uint64(e.next),
		rest:  uint64(e.impressions),
	}
	if !e.fits() {
		head.key |= isLong
		head.rest |= uint64(e.acted)<<longActedBit | uint64(e.last)<<longLastBit
		return head, slot{
			key:   keyOf(e.hash) | isTail,
			times: uint64(e.served)<<32 | uint64(e.clickUntil),
			rest:  uint64(e.popup)<<32 | uint64(e.shown),
		}, true
	}
	head.key |= uint64(shortActed(e.acted))
	if e.clickUntil != 0 {
		head.key |= isActed
	}
	last := e.last
	if last == popup.Release {
		last = shortRelease
	}
	head.rest |= uint64(e.popup)<<popupBit | uint64(e.at-e.served)<<sinceBit | uint64(last)<<lastBit
	switch e.shown {
	case 0:
	case e.served:
		head.key |= isServed
	case e.at:
		head.rest |= isAt
	}
	return head, slot{}, false
}

// unpack returns the entry whose first slot is s.slots[i] and whose user has
// this hash.
func (s *shard) unpack(i int, hash uint64) entry {
	h := &s.slots[i]
	e := entry{
		hash:        hash,
		at:          tick(h.times >> 32),
		next:        tick(h.times),
		impressions: uint16(h.rest),
	}
	if h.key&isLong != 0 {
		t := &s.slots[i+1]
		e.popup, e.shown = uint32(t.rest>>32), tick(t.rest)
		e.served, e.clickUntil = tick(t.times>>32), tick(t.times)
		e.acted, e.last = uint8(h.rest>>longActedBit), popup.Action(h.rest>>longLastBit)
		return e
	}
	e.popup = uint32(h.rest >> popupBit)
	e.served = e.at - tick(h.rest>>sinceBit&maxShortSince)
	e.acted = longActed(uint8(h.key & actedMask))
	if e.last = popup.Action(h.rest >> lastBit & lastMask); e.last == shortRelease {
		e.last = popup.Release
	}
	if h.key&isActed != 0 {
		e.clickUntil = e.next
	}
	switch {
	case h.key&isServed != 0:
		e.shown = e.served
	case h.rest&isAt != 0:
		e.shown = e.at
	}
	return e
}

// seen returns when the user last saw the popup of an entry, which the gap between
// popups asks for. It is for every entry of a user, and so cheaper than unpack.
func (s *shard) seen(i int) tick {
	h := &s.slots[i]
	switch {
	case h.key&(isLong|releaseBit) != 0:
		e := s.unpack(i, 0)
		return e.lastSeen()
	case h.key&isServed != 0:
		return tick(h.times>>32) - tick(h.rest>>sinceBit&maxShortSince)
	case h.rest&isAt != 0:
		return tick(h.times >> 32)
	}
	return 0
}

// popup returns the popup of the entry whose first slot is s.slots[i].
func (s *shard) popup(i int) uint32 {
	if s.slots[i].key&isLong != 0 {
		return uint32(s.slots[i+1].rest >> 32)
	}
	return uint32(s.slots[i].rest >> popupBit)
}

// width returns how many slots the entry whose first slot is s.slots[i] takes.
func (s *shard) width(i int) int { return 1 + int(s.slots[i].key/isLong&1) }
