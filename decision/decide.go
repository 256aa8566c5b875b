package decision

import (
	"github.com/popupd/popupd/frequency"
	"github.com/popupd/popupd/popup"
	"github.com/popupd/popupd/snapshot"
)

// Decide finds the popup that the user sees now and reserves it: until Undo is
// called nobody else gets it for this user. Nothing is recorded yet. With a nil
// newUsers every user may be new.
//
// Candidates go from high to low priority, within one from the least recently
// served to this user, then by id. A control variant is reserved like a popup
// that is shown, and the search goes on. It ends with the first popup to show:
// neither the reason nor the next poll knows of those behind it.
func (d *Decision) Decide(snap *snapshot.Snapshot, users *frequency.Table, r *popup.Request, nowMS int64, newUsers NewUsers) {
	d.newUsers = newUsers
	d.Winner, d.Variant, d.ServedAtMS = nil, nil, 0
	d.Reason, d.Limited = popup.Eligible, false
	d.readyAtMS = popup.Never
	d.Events, d.undos = d.Events[:0], d.undos[:0]

	snap.Match(&d.matches, r, nowMS)
	user := users.Lock(r.User)
	defer user.Unlock()
	for p := d.matches.Next(); p != nil; {
		var over bool
		if p, over = d.tryPriority(p, &user, r, nowMS); over {
			break
		}
	}
	if d.Winner == nil && d.Reason == popup.Eligible { // else a popup came further than a match
		d.Reason = d.matches.Reason()
	}
	d.NextPollSec = nextPoll(d.readyAtMS, nowMS, user.Hash())
}

// tryPriority tries p and what follows with the same priority. It returns the
// first popup of the next one, nil if there is none, and whether the search is over.
func (d *Decision) tryPriority(p *snapshot.Popup, user *frequency.User, r *popup.Request, nowMS int64) (next *snapshot.Popup, over bool) {
	d.servedBefore = d.servedBefore[:0]
	for priority := p.Priority; p != nil && p.Priority == priority; p = d.matches.Next() {
		v := user.Check(p.ID, &p.Frequency, nowMS)
		switch {
		case v.Reason != popup.Eligible:
			d.Reason = max(d.Reason, v.Reason)
			d.readyAtMS = min(d.readyAtMS, v.ReadyAtMS)
		case v.ServedAtMS != 0:
			d.servedBefore = append(d.servedBefore, candidate{p, v.ServedAtMS})
		case d.reserve(p, user, r, nowMS): // was never served: no other comes before it
			return nil, true
		}
	}
	for len(d.servedBefore) > 0 {
		if d.reserve(d.takeFirst(), user, r, nowMS) {
			return nil, true
		}
	}
	return p, false
}

// reserve reserves a popup that the user may see. It reports whether the search is over.
func (d *Decision) reserve(p *snapshot.Popup, user *frequency.User, r *popup.Request, nowMS int64) bool {
	known := user.Known()
	if !known && d.newUsers != nil && !d.newUsers.Admit(nowMS) {
		d.Limited = true
		return true
	}
	v := p.Variant(r.User)
	action := popup.Impression
	if v.Control {
		action = popup.Control
	}
	d.Events = append(d.Events, popup.Event{
		AtMS: nowMS, User: r.User, Popup: p.ID, Version: p.Version, Variant: v.Key, Action: action,
	})
	ev := &d.Events[len(d.Events)-1]
	undo, ok := user.Serve(ev, &p.Frequency)
	if !ok {
		d.Events = d.Events[:len(d.Events)-1]
		d.Reason = popup.StateFull
		return !known // the next popup would need the same memory
	}
	d.undos = append(d.undos, undo)
	if v.Control {
		d.Reason = max(d.Reason, popup.InControl)
		return false
	}
	d.Winner, d.Variant, d.ServedAtMS = p, v, ev.ServedAtMS
	return true
}

// takeFirst removes from d.servedBefore the popup least recently served, of these
// the one with the lowest id.
func (d *Decision) takeFirst() *snapshot.Popup {
	first := 0
	for i := range d.servedBefore {
		if d.servedBefore[i].before(&d.servedBefore[first]) {
			first = i
		}
	}
	p := d.servedBefore[first].popup
	last := len(d.servedBefore) - 1
	d.servedBefore[first] = d.servedBefore[last]
	d.servedBefore = d.servedBefore[:last]
	return p
}

// candidate is a popup that may be shown again.
type candidate struct {
	popup      *snapshot.Popup
	servedAtMS int64
}

// before reports whether c is shown rather than o of the same priority.
func (c *candidate) before(o *candidate) bool {
	if c.servedAtMS != o.servedAtMS {
		return c.servedAtMS < o.servedAtMS
	}
	return c.popup.ID < o.popup.ID
}
