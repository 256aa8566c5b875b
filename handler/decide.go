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
	newUsers *clientRate
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
	matches   snapshot.Matches
	open      []candidate // those of one priority that may be shown again
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
// that is shown, and the search goes on. It ends with the first popup to show:
// neither the reason nor the next poll knows of those behind it.
func decide(snap *snapshot.Snapshot, users *frequency.Table, r *popup.Request, nowMS int64, d *decision) {
	d.winner, d.variant, d.servedAtMS = nil, nil, 0
	d.reason, d.limited = popup.Eligible, false
	d.readyAtMS = popup.Never
	d.events, d.undos = d.events[:0], d.undos[:0]

	snap.Match(&d.matches, r, nowMS)
	user := users.Lock(r.User)
	defer user.Unlock()
	for p := d.matches.Next(); p != nil; {
		var over bool
		if p, over = d.tryPriority(p, &user, r, nowMS); over {
			break
		}
	}
	if d.winner == nil && d.reason == popup.Eligible { // else a popup came further than a match
		d.reason = d.matches.Reason()
	}
	d.nextPollSec = nextPoll(d.readyAtMS, nowMS, user.Hash())
}

// tryPriority tries p and what follows with the same priority. It returns the
// first popup of the next one, nil if there is none, and whether the search is over.
func (d *decision) tryPriority(p *snapshot.Popup, user *frequency.User, r *popup.Request, nowMS int64) (next *snapshot.Popup, over bool) {
	d.open = d.open[:0]
	for priority := p.Priority; p != nil && p.Priority == priority; p = d.matches.Next() {
		v := user.Check(p.ID, &p.Frequency, nowMS)
		switch {
		case v.Reason != popup.Eligible:
			d.reason = max(d.reason, v.Reason)
			d.readyAtMS = min(d.readyAtMS, v.ReadyAtMS)
		case v.ShownAtMS != 0:
			d.open = append(d.open, candidate{p, v.ShownAtMS})
		case d.reserve(p, user, r, nowMS): // was never shown: no other comes before it
			return nil, true
		}
	}
	for len(d.open) > 0 {
		if d.reserve(d.takeFirst(), user, r, nowMS) {
			return nil, true
		}
	}
	return p, false
}

// reserve reserves a popup that the user may see. It reports whether the search is over.
func (d *decision) reserve(p *snapshot.Popup, user *frequency.User, r *popup.Request, nowMS int64) bool {
	known := user.Known()
	if !known && !d.newUsers.admit(d.client, nowMS, 1) {
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
		return !known // the next popup would need the same memory
	}
	d.undos = append(d.undos, undo)
	if v.Control {
		d.reason = max(d.reason, popup.InControl)
		return false
	}
	d.winner, d.variant, d.servedAtMS = p, v, ev.ServedAtMS
	return true
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
	d.matches.Release()
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
