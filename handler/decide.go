package handler

import (
	"github.com/popupd/popupd/frequency"
	"github.com/popupd/popupd/popup"
	"github.com/popupd/popupd/snapshot"
)

// The time until the next poll, in seconds. With the jitter it never exceeds 300.
const (
	minNextPoll     = 30
	defaultNextPoll = 60
	maxNextPoll     = 272
	nextPollJitter  = 10 // up to a tenth
)

// decision is what a poll comes to, and the memory it takes to find out, which
// is used again and again.
type decision struct {
	// newUsers, if set, limits how many users not known yet client may bring.
	newUsers *newIDs
	client   uint64

	winner      *snapshot.Popup // nil: nothing to show
	variant     *snapshot.Variant
	servedAtMS  int64
	reason      popup.Reason // of nothing to show: the gate that stopped the best candidate
	limited     bool         // nothing is shown because of newUsers
	nextPollSec int
	events      []popup.Event // to be journaled before the answer leaves; they refer to the request
	undos       []frequency.Undo

	readyAtMS int64 // when the first of the popups that wait returns
	matched   []*snapshot.Popup
	open      []candidate // those of one priority that may be shown
}

type candidate struct {
	popup     *snapshot.Popup
	shownAtMS int64
}

// decide finds the popup that the user sees now and reserves it: until undo is
// called nobody else gets it for this user. Nothing is recorded yet.
//
// Candidates go from high to low priority, within one from the least recently
// shown to this user, then by id. A control variant is reserved like a popup
// that is shown, and the search goes on.
func decide(snap *snapshot.Snapshot, users *frequency.Table, r *popup.Request, nowMS int64, d *decision) {
	d.winner, d.variant, d.servedAtMS = nil, nil, 0
	d.limited = false
	d.readyAtMS = popup.Never
	d.events, d.undos = d.events[:0], d.undos[:0]

	d.matched, d.reason = snap.Match(d.matched[:0], r, nowMS)
	user := users.Lock(r.User)
	defer user.Unlock()
	for rest := d.matched; len(rest) > 0; {
		n := 1
		for n < len(rest) && rest[n].Priority == rest[0].Priority {
			n++
		}
		d.check(&user, rest[:n], nowMS)
		if d.choose(&user, r, nowMS) {
			break
		}
		rest = rest[n:]
	}
	d.nextPollSec = nextPoll(d.readyAtMS, nowMS, user.Hash())
}

// check puts those of the popups that may be shown now into d.open.
func (d *decision) check(user *frequency.User, popups []*snapshot.Popup, nowMS int64) {
	d.open = d.open[:0]
	for _, p := range popups {
		v := user.Check(p.ID, &p.Frequency, nowMS)
		if v.Reason == popup.Eligible {
			d.open = append(d.open, candidate{p, v.ShownAtMS})
			continue
		}
		d.reason = max(d.reason, v.Reason)
		d.readyAtMS = min(d.readyAtMS, v.ReadyAtMS)
	}
}

// choose reserves the best of d.open, and the controls on the way to it. It
// reports whether the search is over.
func (d *decision) choose(user *frequency.User, r *popup.Request, nowMS int64) bool {
	for len(d.open) > 0 {
		p := d.takeFirst()
		known := user.Known()
		if !known && !d.newUsers.admit(d.client, nowMS) {
			d.limited = true
			return true
		}
		v := p.Variant(r.User)
		action := popup.Impression
		if v.Control {
			action = popup.Control
		}
		d.events = append(d.events, popup.Event{
			AtMS: nowMS, User: r.User, Popup: p.ID, Version: p.Version, Variant: v.Key, Action: action,
		})
		ev := &d.events[len(d.events)-1]
		undo, ok := user.Serve(ev, &p.Frequency)
		if !ok {
			d.events = d.events[:len(d.events)-1]
			d.reason = popup.StateFull
			if !known {
				return true // the next popup would need the same memory
			}
			continue
		}
		d.undos = append(d.undos, undo)
		if !v.Control {
			d.winner, d.variant, d.servedAtMS = p, v, ev.ServedAtMS
			return true
		}
		d.reason = max(d.reason, popup.InControl)
	}
	return false
}

// takeFirst removes from d.open the one least recently shown, of these the one
// with the lowest id.
func (d *decision) takeFirst() *snapshot.Popup {
	first := 0
	for i := range d.open {
		if d.open[i].before(&d.open[first]) {
			first = i
		}
	}
	p := d.open[first].popup
	last := len(d.open) - 1
	d.open[first] = d.open[last]
	d.open = d.open[:last]
	return p
}

// before reports whether c is shown rather than o of the same priority.
func (c *candidate) before(o *candidate) bool {
	if c.shownAtMS != o.shownAtMS {
		return c.shownAtMS < o.shownAtMS
	}
	return c.popup.ID < o.popup.ID
}

// undo gives back what decide reserved, when it could not be recorded.
func (d *decision) undo(users *frequency.Table, r *popup.Request) {
	user := users.Lock(r.User)
	for i := len(d.undos) - 1; i >= 0; i-- {
		user.Undo(d.undos[i])
	}
	user.Unlock()
	d.winner, d.variant = nil, nil
}

// release forgets the popups, so that an idle decision keeps no old snapshot alive.
func (d *decision) release() {
	d.winner, d.variant = nil, nil
	clear(d.matched)
	clear(d.open[:cap(d.open)])
	clear(d.events)
}

// nextPoll returns in how many seconds the user should ask again: when the
// first of the popups that wait returns, within limits, and a little later, by
// user and time, so that those who came together do not come together again.
func nextPoll(readyAtMS, nowMS int64, hash uint64) int {
	sec := int64(defaultNextPoll)
	if readyAtMS < popup.Never {
		sec = min(max((readyAtMS-nowMS+999)/1000, minNextPoll), maxNextPoll)
	}
	const mix = 0x9e3779b97f4a7c15 // spreads the low bits of its multiplicand over the high ones
	draw := (hash ^ uint64(nowMS)) * mix >> 32
	return int(sec) + int(draw%uint64(sec/nextPollJitter+1))
}
