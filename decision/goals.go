package decision

import (
	"github.com/popupd/popupd/frequency"
	"github.com/popupd/popupd/popup"
	"github.com/popupd/popupd/snapshot"
)

// AppendGoals appends to dst what is to be journaled when a user does something on the
// site: an event for each popup whose goal it is and that the user was exposed to within
// its window, as far as this server knows. The store decides whether it counts. Of users
// and names that mean nothing to it, it appends nothing. The events refer to user.
func AppendGoals(dst []popup.Event, snap *snapshot.Snapshot, users *frequency.Table, user, name []byte, nowMS int64) []popup.Event {
	popups := snap.Goals(name)
	if len(popups) == 0 {
		return dst
	}
	u := users.Lock(user)
	defer u.Unlock()
	if !u.Known() {
		return dst
	}
	for _, p := range popups {
		ev := popup.Event{AtMS: nowMS, User: user, Popup: p.ID, Version: p.Version, Action: popup.Goal}
		if u.Reach(&ev, p.GoalWindow) {
			dst = append(dst, ev)
		}
	}
	return dst
}
