package frequency

import (
	"math/bits"

	"github.com/popupd/popupd/popup"
)

// CapCounts returns how many impressions each of the caps counts at nowMS, for people to
// read: [User.CheckCaps] decides.
func (u *User) CapCounts(caps Caps, nowMS int64) (counts [popup.MaxCaps]int) {
	list, ahead := caps.Caps(), clock(nowMS)+impressionAhead
	runs := [][]slot{u.t.impressionsOf(u.hash).of(u.hash)}
	if u.prior.s != nil {
		runs = append(runs, u.t.impressionsOf(u.prior.hash).of(u.prior.hash))
	}
	for _, run := range runs {
		for i := range run {
			served := tick(run[i].times >> 32)
			if !run[i].counts() || served > ahead {
				continue
			}
			for of := caps.CapsOf(uint32(run[i].times)); of != 0; of &= of - 1 {
				if c := bits.TrailingZeros16(uint16(of)); served >= firstCounted(nowMS, list[c].PerSec*1000) {
					counts[c]++
				}
			}
		}
	}
	return counts
}
