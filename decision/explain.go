package decision

import (
	"sort"

	"github.com/popupd/popupd/frequency"
	"github.com/popupd/popupd/popup"
	"github.com/popupd/popupd/snapshot"
)

// Query is a poll to be explained.
type Query struct {
	popup.Request
	AtMS  int64  // when the poll takes place
	NowMS int64  // of a poll before it, what happened since is left out, as far as that can be told
	Key   string // explain this popup only; empty: all
	After int64  // explain those behind this [Position]; 0: from the first one on
	Limit int    // explain at most so many popups
}

// Position returns where a popup stands in an explanation: later ones have greater positions.
func Position(p *snapshot.Popup) int64 {
	return int64(popup.MaxPriority-p.Priority)<<32 | int64(p.ID)
}

// Explain says what a poll comes to, and of each popup on a page what stops it and when it
// could be returned. It changes nothing: it decides as [Decision.Dry] does, with a recorder.
// more is the position behind which the next page begins; 0: this is the last one.
//
// A popup that comes behind those that are returned is decided on alone, as if there was no
// other, by the same decision. So is each popup at later times, from one moment at which one
// of its gates opens to the next, until it is returned: that moment is its EligibleAt.
func Explain(snap *snapshot.Snapshot, users *frequency.Table, q *Query) (e popup.Explanation, more int64) {
	x := newExplanation(snap, users, q)
	x.shareGates()
	e = popup.Explanation{
		Revision: snap.Revision, At: *popup.TimeOf(q.AtMS), NextPollSec: x.whole.NextPollSec,
		Winners: []popup.ExplainedWinner{}, Candidates: []popup.Candidate{},
	}
	for i := range x.whole.Winners {
		w := &x.whole.Winners[i]
		e.Winners = append(e.Winners, popup.ExplainedWinner{
			Key: w.Popup.Key, Variant: string(w.Variant.Key), Placement: string(q.PlacementNames()[w.Placement]),
		})
	}
	if len(e.Winners) > 0 {
		e.Winner = &e.Winners[0].Key
	} else {
		e.Reason = popup.Because(x.whole.Reason)
	}
	all := snap.All()
	first := sort.Search(len(all), func(i int) bool { return Position(all[i]) > q.After })
	for _, p := range all[first:] {
		if q.Key != "" && p.Key != q.Key {
			continue
		}
		if len(e.Candidates) == q.Limit {
			return e, more
		}
		e.Candidates = append(e.Candidates, x.candidate(p))
		more = Position(p)
	}
	return e, 0
}

// explanation is what explaining one poll takes.
type explanation struct {
	*Query
	snap        *snapshot.Snapshot
	known       *frequency.Table // what is known of the user, before the poll
	states      map[uint32]popup.State
	priorStates map[uint32]popup.State
	heldOut     bool

	// See shareGates.
	holdout, minGap popup.Gate
	caps            []popup.Gate
	capCounts       [popup.MaxCaps]int // how many impressions each of the caps counts
	ahead           string

	whole      Decision // the poll, with a recorder
	alone      Decision // that on one popup
	isReserved bool     // in the copy of alone
}

func newExplanation(snap *snapshot.Snapshot, users *frequency.Table, q *Query) *explanation {
	x := &explanation{Query: q, snap: snap, heldOut: snap.InHoldout(q.User)}
	x.known = users.Copy(nil, q.User, q.PriorUser, q.AtMS)
	if q.AtMS < q.NowMS {
		x.known.Rewind(q.AtMS)
	}
	x.states, x.priorStates = statesOf(x.known, q.User), statesOf(x.known, q.PriorUser)
	x.settle()
	x.whole.recorder = recorder{}
	if q.AtMS != q.NowMS {
		snap = snap.Detached()
	}
	x.whole.Dry(snap, x.known, &q.Request, q.AtMS)
	x.isReserved = true // alone has no copy yet
	return x
}

// settle moves to now what a clock left in the future, as the poll does.
func (x *explanation) settle() {
	user := x.known.LockBoth(x.User, x.PriorUser)
	defer user.Unlock()
	for _, states := range []map[uint32]popup.State{x.states, x.priorStates} {
		for id, s := range states {
			if max(s.AtMS, s.ShownAtMS) > x.AtMS {
				user.Check(id, &popup.Frequency{}, x.AtMS)
			}
		}
	}
}

// statesOf returns what is known of a user, by popup.
func statesOf(users *frequency.Table, user []byte) map[uint32]popup.State {
	states := map[uint32]popup.State{}
	if user != nil {
		users.States(user, func(id uint32, s popup.State) { states[id] = s })
	}
	return states
}

func (x *explanation) candidate(p *snapshot.Popup) popup.Candidate {
	alone, readyAtMS := x.decideAlone(p, x.AtMS)
	reason := x.reason(p, alone)
	c := popup.Candidate{
		Key: p.Key, PopupID: p.ID, Version: p.Version, Priority: p.Priority,
		Eligible: reason == popup.Eligible, BlockedBy: popup.Because(reason),
		Gates: x.gates(p, reason), State: reportOf(x.states, p.ID), PriorState: reportOf(x.priorStates, p.ID),
	}
	if at := x.eligibleAtMS(p, alone, readyAtMS); at != popup.Never {
		c.EligibleAt = popup.TimeOf(at)
	}
	return c
}

func reportOf(states map[uint32]popup.State, id uint32) *popup.StateReport {
	s, known := states[id]
	if !known {
		return nil
	}
	r := s.Report()
	return &r
}

// reason returns what stops a popup, the first gate in the order of [popup.Reason];
// [popup.Eligible] if it is returned. alone is what stops it if there was no other.
func (x *explanation) reason(p *snapshot.Popup, alone popup.Reason) popup.Reason {
	switch {
	case x.winner(p) != nil:
		return popup.Eligible
	case alone != popup.Eligible:
		return alone
	}
	if reason := x.whole.recorder[p.ID]; reason != popup.Eligible {
		return reason
	}
	return popup.Outranked
}

// winner returns the popup as it is returned, nil if it is not.
func (x *explanation) winner(p *snapshot.Popup) *Winner {
	for i := range x.whole.Winners {
		if w := &x.whole.Winners[i]; w.Popup.ID == p.ID {
			return w
		}
	}
	return nil
}

// never returns why the user is not shown the popup at any time, though it may be reserved
// as a control; [popup.Eligible] if that is not so.
func (x *explanation) never(p *snapshot.Popup) popup.Reason {
	switch {
	case x.heldOut:
		return popup.InHoldout
	case p.Variant(x.User).Control:
		return popup.InControl
	}
	return popup.Eligible
}

// decideAlone decides on a popup as if there was no other, with the user's state as it is
// before the poll. It returns what stops the popup, [popup.Eligible] if it is returned, and
// of waits when the last of them ends. Of popups that are controls to this user, or that
// the holdout stops, it is that, and not the wait of the control.
func (x *explanation) decideAlone(p *snapshot.Popup, atMS int64) (reason popup.Reason, readyAtMS int64) {
	d := &x.alone
	if reason = d.search.beginAlone(x.snap, p, &x.Request, atMS); reason != popup.Eligible {
		return reason, popup.Never
	}
	if reason = x.never(p); reason != popup.Eligible {
		return reason, popup.Never
	}
	if x.isReserved || !x.known.HasRoom() { // of what is full it depends on the time whether there is room
		d.copied = x.known.Copy(d.copied, x.User, x.PriorUser, atMS)
	}
	d.Decide(x.snap, d.copied, &x.Request, atMS, nil)
	x.isReserved = len(d.Events) > 0
	if len(d.Winners) > 0 {
		return popup.Eligible, atMS
	}
	return d.Reason, d.readyAtMS
}

// maxMoments is at how many moments a popup is tried, far more than its gates have.
const maxMoments = 1000

// eligibleAtMS returns the first moment from that of the poll on at which the popup would be
// returned if there was no other, popup.Never if there is none: each gate that is closed
// says when it opens, and the decision says which is closed then. reason and next are what
// decideAlone returns at the time of the poll.
func (x *explanation) eligibleAtMS(p *snapshot.Popup, reason popup.Reason, next int64) int64 {
	at := x.AtMS
	for range maxMoments {
		switch reason {
		case popup.Eligible:
			return at
		case popup.NotStarted, popup.OutsideHours:
			next = p.OpensAfter(&x.Request, at)
		case popup.NotTargeted:
			next = x.snap.TargetingChangesAfter(p, &x.Request, at)
		}
		if next == popup.Never || next <= at {
			return popup.Never
		}
		at = next
		reason, next = x.decideAlone(p, at)
	}
	return popup.Never
}

// Explainer explains polls to a running server.
type Explainer struct {
	Snapshots *snapshot.Store
	Users     *frequency.Table
}

// Explain is the function of this name under the popups that are in force.
func (e Explainer) Explain(q *Query) (_ popup.Explanation, more int64) {
	return Explain(e.Snapshots.Current(), e.Users, q)
}
