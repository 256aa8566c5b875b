package frequency

import (
	"slices"

	"github.com/popupd/popupd/popup"
)

// Entries returns how many popups are remembered of the user; those that take two slots
// count twice.
func (u *User) Entries() int { return u.hi - u.lo }

// AppendWaits appends to dst, by id, the popups for which the user waits at nowMS until untilMS,
// which is later, or longer. It is [User.Check] for all of them at once, without limits, gap and
// caps, and takes some nanoseconds for each. It leaves out the few whose entries are long,
// released or ahead of the clock, and all of a user who had another id before.
func (u *User) AppendWaits(dst []popup.Wait, nowMS, untilMS int64) []popup.Wait {
	if u.prior.s != nil {
		return dst
	}
	now, until := clock(nowMS), ceilTick(untilMS)
	slots := u.s.slots[u.lo:u.hi]
	dst = slices.Grow(dst, len(slots))
	out, n := dst[len(dst):len(dst)+len(slots)], 0
	for i := range slots {
		h := &slots[i]
		key, next := h.key, tick(h.times)
		// What is ahead of the clock waits for longer than next, or has to be settled.
		if next < until || tick(h.times>>32) > now || key&(isLong|isTail|releaseBit) != 0 {
			continue
		}
		reason := popup.CooldownImpression
		if key&isActed != 0 {
			e := u.s.unpack(u.lo+i, u.hash)
			reason = e.held()
		}
		out[n] = popup.NewWait(uint32(h.rest>>popupBit), uint16(h.rest), next == never, reason)
		n++
	}
	return dst[:len(dst)+n]
}
