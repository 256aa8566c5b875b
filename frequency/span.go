package frequency

// span is where one user's entries are. The shard's lock is held.
type span struct {
	s      *shard
	hash   uint64
	lo, hi int // the user's slots
}

// look finds the user's slots again.
func (r *span) look() { r.lo, r.hi = r.s.run(keyOf(r.hash)) }

// find returns the first slot of the user's entry for a popup, -1 if there is
// none. Among thousands of popups users have thousands of entries, each to be found.
func (r *span) find(id uint32) int {
	lo, hi := r.lo, r.hi
	for lo < hi {
		i := int(uint(lo+hi) / 2)
		if r.s.slots[i].key&isTail != 0 {
			i-- // lo is no tail
		}
		if r.s.popup(i) < id {
			lo = i + r.s.width(i)
		} else {
			hi = i
		}
	}
	if lo < r.hi && r.s.popup(lo) == id {
		return lo
	}
	return -1
}

// entry returns the user's entry for a popup and its first slot: -1 and the zero
// entry if there is none.
func (r *span) entry(id uint32) (i int, e entry) {
	if i = r.find(id); i >= 0 {
		e = r.s.unpack(i, r.hash)
	}
	return i, e
}

// resetAt returns when the user was reset, 0 if that is not known. Its entry is the
// first.
func (r *span) resetAt() tick {
	if r.lo < r.hi && r.s.popup(r.lo) == resetID {
		return tick(r.s.slots[r.lo].times >> 32)
	}
	return 0
}
