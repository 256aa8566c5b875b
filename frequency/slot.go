package frequency

import "github.com/popupd/popupd/popup"

// slot is an entry packed into 24 bytes: of a hash the bits that do not say in
// which shard it is, and of the times those that do not follow from each other.
// An entry that does not fit, which is rare (see entry.fits), takes a second slot
// behind the first, its tail. The zero slot is empty.
//
//	key    hash 54 | tail 1 | long 1 | waits for a click 1 | acted 3 | last 3 | 0
//	times  at 32 | next 32
//	rest   popup 24 | at - served 24 | impressions 16
//
// and a tail, with the same hash in its key:
//
//	times  served 32 | click until 32
//	rest   popup 32 | 0 | acted 8 | last 8
type slot struct{ key, times, rest uint64 }

// slotSize is the size of a slot in bytes.
const slotSize = 24

const (
	hashBits  = 54 // of a hash that are in a key
	flagBits  = 64 - hashBits
	isTail    = 1 << 9
	isLong    = 1 << 8 // has a tail
	isClicked = 1 << 7 // clickUntil is next
	actedBit  = 4
	lastBit   = 1

	maxShortPopup = 1<<24 - 1
	maxShortSince = 1<<24 - 1 // ticks from served to at: 19 days, longer than popup.TokenLife
	maxShortEnum  = 1<<3 - 1
)

// keyOf returns the key of a hash without flags, which is not 0 for a hash that
// [Table.Lock] makes.
func keyOf(hash uint64) uint64 { return hash << flagBits }

// has reports whether the slot belongs to the user with this key.
func (s *slot) has(key uint64) bool { return (s.key^key)>>flagBits == 0 }

// fits reports whether one slot holds the entry. Not if a click's wait still
// counts but is not the longest, as after a dismiss that asks for more.
func (e *entry) fits() bool {
	return e.served <= e.at && e.at-e.served <= maxShortSince && e.popup <= maxShortPopup &&
		(e.clickUntil == 0 || e.clickUntil == e.next) &&
		e.acted <= maxShortEnum && e.last <= maxShortEnum
}

// shorten makes an entry fit one slot that needs two for its waits, and reports
// whether it does now. A click's wait then lasts as long as the longest: a user may
// wait too long, but is not shown anything too early.
func (e *entry) shorten() bool {
	if e.fits() {
		return false
	}
	e.clickUntil = e.next
	return e.fits()
}

// pack returns the entry's slot, and its tail if it needs two.
func (e *entry) pack() (head, tail slot, long bool) {
	head = slot{
		key:   keyOf(e.hash) | uint64(e.acted)<<actedBit&(maxShortEnum<<actedBit) | uint64(e.last)<<lastBit&(maxShortEnum<<lastBit),
		times: uint64(e.at)<<32 | uint64(e.next),
		rest:  uint64(e.popup)<<40 | uint64(e.at-e.served)&maxShortSince<<16 | uint64(e.impressions),
	}
	if e.clickUntil != 0 && e.clickUntil == e.next {
		head.key |= isClicked
	}
	if e.fits() {
		return head, slot{}, false
	}
	head.key |= isLong
	return head, slot{
		key:   keyOf(e.hash) | isTail,
		times: uint64(e.served)<<32 | uint64(e.clickUntil),
		rest:  uint64(e.popup)<<32 | uint64(e.acted)<<8 | uint64(e.last),
	}, true
}

// unpack returns the entry whose first slot is s.slots[i] and whose user has
// this hash.
func (s *shard) unpack(i int, hash uint64) entry {
	h := &s.slots[i]
	e := entry{
		hash:        hash,
		popup:       uint32(h.rest >> 40),
		at:          tick(h.times >> 32),
		next:        tick(h.times),
		impressions: uint16(h.rest),
		acted:       uint8(h.key >> actedBit & maxShortEnum),
		last:        popup.Action(h.key >> lastBit & maxShortEnum),
	}
	e.served = e.at - tick(h.rest>>16&maxShortSince)
	if h.key&isClicked != 0 {
		e.clickUntil = e.next
	}
	if h.key&isLong != 0 {
		t := &s.slots[i+1]
		e.popup = uint32(t.rest >> 32)
		e.served, e.clickUntil = tick(t.times>>32), tick(t.times)
		e.acted, e.last = uint8(t.rest>>8), popup.Action(t.rest)
	}
	return e
}

// shown returns the parts of an entry that the gap between popups asks for. It
// is for every entry of a user, and so cheaper than unpack.
func (s *shard) shown(i int) (served tick, last popup.Action) {
	h := &s.slots[i]
	if h.key&isLong != 0 {
		e := s.unpack(i, 0)
		return e.served, e.last
	}
	return tick(h.times>>32) - tick(h.rest>>16&maxShortSince), popup.Action(h.key >> lastBit & maxShortEnum)
}

// popup returns the popup of the entry whose first slot is s.slots[i].
func (s *shard) popup(i int) uint32 {
	if s.slots[i].key&isLong != 0 {
		return uint32(s.slots[i+1].rest >> 32)
	}
	return uint32(s.slots[i].rest >> 40)
}

// width returns how many slots the entry whose first slot is s.slots[i] takes.
func (s *shard) width(i int) int { return 1 + int(s.slots[i].key/isLong&1) }
