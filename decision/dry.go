package decision

import (
	"github.com/popupd/popupd/frequency"
	"github.com/popupd/popupd/popup"
	"github.com/popupd/popupd/snapshot"
)

// Dry is [Decision.Decide] without its effects: it decides on a copy of what is known of
// the user, which is locked only while it is copied. Nothing is reserved, so there is nothing
// to undo, and no new user counts against a limit. What Events and Winners say would have
// been. The time may be another one than now; snap is a detached one then.
func (d *Decision) Dry(snap *snapshot.Snapshot, users *frequency.Table, r *popup.Request, nowMS int64) {
	d.copied = users.Copy(d.copied, r.User, r.PriorUser, nowMS)
	d.Decide(snap, d.copied, r, nowMS, nil)
}
