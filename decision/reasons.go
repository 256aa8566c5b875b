package decision

import (
	"github.com/popupd/popupd/frequency"
	"github.com/popupd/popupd/popup"
	"github.com/popupd/popupd/snapshot"
)

// Reasons calls each for every active popup, in the order of selection, with what stops it
// in a poll, [popup.Eligible] if it is returned: what [Explain] says of it, without the rest.
// It changes nothing. At other times than now snap is a detached one.
func Reasons(snap *snapshot.Snapshot, users *frequency.Table, r *popup.Request, nowMS int64, each func(p *snapshot.Popup, reason popup.Reason)) {
	x := newExplanation(snap, users, &Query{Request: *r, AtMS: nowMS, NowMS: nowMS})
	for _, p := range snap.All() {
		if p.Status == popup.Active {
			alone, _ := x.decideAlone(p, nowMS)
			each(p, x.reason(p, alone))
		}
	}
}
