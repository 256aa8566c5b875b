package frequency

import (
	"time"

	"github.com/popupd/popupd/popup"
)

// Reach reports whether the user may have been exposed to a popup, by an impression or
// a control, in the time before a [popup.Goal] in which that counts for it. The caller
// gives User, Popup, Version, Action and AtMS, which is now; Reach fills in ServedAtMS,
// the earliest exposure that counts, and ReadyAtMS, the latest one that is known. It moves
// AtMS if that is later by the clock of the server that served it. It changes nothing that
// is remembered.
//
// Only the latest exposure is known here, and by the tick. The window begins with a
// tick, too, so that the database, which knows all of them by the millisecond, does not
// find that one outside of it.
func (u *User) Reach(ev *popup.Event, window time.Duration) bool {
	i, e := u.entry(ev.Popup)
	if i < 0 || e.served == 0 {
		return false
	}
	at := actedAtMS(ev.AtMS, 0, e.served.ms()+tickMS-1)
	since := clock(at - window.Milliseconds())
	if e.served < since || e.served > clock(at) {
		return false
	}
	ev.AtMS, ev.ServedAtMS, ev.ReadyAtMS = at, since.ms(), e.served.ms()
	return true
}
