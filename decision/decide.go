package decision

import (
	"math"

	"github.com/popupd/popupd/frequency"
	"github.com/popupd/popupd/popup"
	"github.com/popupd/popupd/snapshot"
)

// Decide finds the popups that the user sees now, at most one in each placement
// of the request and each popup at most once, and reserves them: until Undo is
// called nobody else gets them for this user. Nothing is recorded yet. With a nil
// newUsers every user may be new. What the user saw and did under a prior id counts,
// and nothing is reserved under it.
//
// Candidates of all placements go from high to low priority, within one from the
// least recently served to this user, then by id. A popup is shown in the first of
// its placements, in the order of the request, that is still open. What follows
// from its being shown, such as the least gap between popups, holds for the
// candidates after it. A control variant is reserved like a popup that is shown,
// takes no placement, and the search goes on. For a user in the holdout whatever would be
// reserved is, as a control of the variant holdout, which takes the placement in which it
// would have been shown. The search ends when every placement has its
// popup: neither the reason nor the next poll knows of those behind.
//
// Of a user who is not held nothing is decided: Unheld is true, and NextPollSec is not set.
func (d *Decision) Decide(snap *snapshot.Snapshot, users *frequency.Table, r *popup.Request, nowMS int64, newUsers NewUsers) {
	d.newUsers, d.snap, d.minGapMS = newUsers, snap, users.MinGap().Milliseconds()
	d.Winners = d.Winners[:0]
	d.Reason, d.Limited, d.Unheld = popup.Eligible, false, false
	d.readyAtMS = popup.Never
	d.Events, d.undos = d.Events[:0], d.undos[:0]

	if !d.search.hasBegun {
		d.search.begin(snap, r, nowMS)
	}
	d.search.hasBegun = false
	user := users.LockBoth(r.User, r.PriorUser)
	defer user.Unlock()
	if !user.Held() {
		d.Unheld, d.UserHash = true, user.Hash()
		return
	}
	d.checksLeft, d.skips = minChecks, false
	for p, in := d.search.next(); p != nil; {
		var over bool
		if p, in, over = d.tryPriority(p, in, &user, r, nowMS); over {
			break
		}
	}
	if d.skips {
		d.allSkipped(nowMS)
	}
	if len(d.Winners) == 0 && d.Reason == popup.Eligible { // else a popup came further than a match
		d.Reason = d.search.reason()
	}
	d.UserHash = user.Hash()
	d.NextPollSec = nextPoll(d.readyAtMS, nowMS, d.UserHash)
}

// tryPriority tries p, which fits the placements in, and what follows with the same
// priority. It returns the first popup of the next one with its placements, nil if
// there is none, and whether the search is over.
func (d *Decision) tryPriority(p *snapshot.Popup, in placements, user *frequency.User, r *popup.Request, nowMS int64) (next *snapshot.Popup, nextIn placements, over bool) {
	d.servedBefore = d.servedBefore[:0]
	for priority := p.Priority; p != nil && p.Priority == priority; p, in = d.search.next() {
		v := user.Check(p.ID, &p.Frequency, nowMS)
		if p.Caps != 0 && v.ReadyAtMS < nowMS+maxWaitSec*1000 { // else a full cap changes nothing, not even the next poll
			user.CheckCaps(&v, p.Caps, &d.full, d.snap, nowMS)
		}
		switch {
		case v.Reason != popup.Eligible:
			d.stopped(p, v)
			if d.checksLeft--; d.checksLeft == 0 {
				d.skipWaits(user, nowMS)
			}
		case v.ServedAtMS != 0:
			d.servedBefore = append(d.servedBefore, candidate{p, in, v.ServedAtMS})
		case d.reserve(p, in, p.ID, user, r, nowMS): // was never served: no other comes before it
			return nil, 0, true
		}
	}
	for len(d.servedBefore) > 0 {
		c := d.takeFirst()
		open := c.in & d.search.open
		if open == 0 {
			continue
		}
		if len(d.Winners) > 0 { // which may stop it
			v := user.Check(c.popup.ID, &c.popup.Frequency, nowMS)
			if c.popup.Caps != 0 {
				user.CheckCaps(&v, c.popup.Caps, &d.full, d.snap, nowMS)
			}
			if v.Reason != popup.Eligible {
				d.stopped(c.popup, v)
				continue
			}
		}
		if d.reserve(c.popup, open, math.MaxUint32, user, r, nowMS) {
			return nil, 0, true
		}
	}
	if in &= d.search.open; in == 0 && p != nil { // they have been filled since it was found
		p, in = d.search.next()
	}
	return p, in, false
}

// stopped takes note of why a popup that fits is not shown, and until when.
func (d *Decision) stopped(p *snapshot.Popup, v frequency.Verdict) {
	d.Reason = max(d.Reason, v.Reason)
	d.readyAtMS = min(d.readyAtMS, v.ReadyAtMS)
	if d.recorder != nil {
		d.recorder[p.ID] = v.Reason
	}
}

// reserve reserves a popup that the user may see, in the first of the placements
// in. Of its priority the popups up to an id have been tried. It reports whether the search
// is over.
func (d *Decision) reserve(p *snapshot.Popup, in placements, tried uint32, user *frequency.User, r *popup.Request, nowMS int64) bool {
	if len(d.Winners) > 0 && d.minGapMS > 0 && !p.Frequency.IgnoreMinGap {
		// The user's state knows nothing of a gap after what waits to be confirmed, but
		// what is in one answer is seen together.
		d.stopped(p, frequency.Verdict{Reason: popup.MinGap, ReadyAtMS: nowMS + d.minGapMS})
		return false
	}
	known := user.Known()
	if !known && d.newUsers != nil && !d.newUsers.Admit(nowMS) {
		d.Limited = true
		return true
	}
	v := p.Variant(r.User)
	key, action := v.Key, popup.Impression
	if v.Control {
		action = popup.Control
	}
	heldOut := d.snap.InHoldout(r.User)
	if heldOut { // whichever variant it would have been, so that none loses more users than others
		key, action = holdoutVariant, popup.Control
	}
	d.Events = append(d.Events, popup.Event{
		AtMS: nowMS, User: r.User, Popup: p.ID, Version: p.Version, Variant: key, Action: action,
	})
	ev := &d.Events[len(d.Events)-1]
	undo, ok := user.Serve(ev, &p.Frequency)
	if !ok {
		d.Events = d.Events[:len(d.Events)-1]
		d.Reason = popup.StateFull
		if d.recorder != nil {
			d.recorder[p.ID] = popup.StateFull
		}
		return !known // the next popup would need the same memory
	}
	d.undos = append(d.undos, undo)
	placement := in.first()
	switch {
	case heldOut:
		d.Reason = max(d.Reason, popup.InHoldout)
		if v.Control {
			return false
		}
	case v.Control:
		d.Reason = max(d.Reason, popup.InControl)
		return false
	default:
		d.Winners = append(d.Winners, Winner{p, v, ev.ServedAtMS, placement})
		if ev.Nth == 0 {
			user.CountUnconfirmed(p.Caps, &d.full)
		}
	}
	if d.skips {
		d.skipped(placement, p.Priority, tried, nowMS)
	}
	d.search.open &^= 1 << placement
	return d.search.open == 0
}

var holdoutVariant = []byte(popup.HoldoutVariant)

// takeFirst removes from d.servedBefore the popup least recently served, of these
// the one with the lowest id.
func (d *Decision) takeFirst() candidate {
	first := 0
	for i := range d.servedBefore {
		if d.servedBefore[i].before(&d.servedBefore[first]) {
			first = i
		}
	}
	c := d.servedBefore[first]
	last := len(d.servedBefore) - 1
	d.servedBefore[first] = d.servedBefore[last]
	d.servedBefore = d.servedBefore[:last]
	return c
}

// candidate is a popup that may be shown again.
type candidate struct {
	popup      *snapshot.Popup
	in         placements // that it fits
	servedAtMS int64
}

// before reports whether c is shown rather than o of the same priority.
func (c *candidate) before(o *candidate) bool {
	if c.servedAtMS != o.servedAtMS {
		return c.servedAtMS < o.servedAtMS
	}
	return c.popup.ID < o.popup.ID
}
