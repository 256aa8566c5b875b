// Package decision decides which popups a user sees. It reads a compiled
// snapshot and the table of the users' state, and changes nothing but that
// state: a popup that is returned is reserved for its user in the same step.
//
// It is the only evaluator: whatever has to know what a user would see asks
// here. It knows no HTTP, no journal and no clock of its own, and nothing of
// what limits its callers but the answer of [NewUsers]; recording what was
// decided is the caller's.
package decision

import (
	"github.com/popupd/popupd/frequency"
	"github.com/popupd/popupd/popup"
	"github.com/popupd/popupd/snapshot"
)

// NewUsers limits how many users of whom nothing is remembered get a popup,
// since each of them takes memory.
type NewUsers interface {
	// Admit reports whether one more of them may. It is called with the lock of
	// the user's shard held, so it must be quick and must not use the table.
	Admit(nowMS int64) bool
}

// Decision is what a poll comes to, and the memory it takes to find out. The
// zero value is ready for use, and one is meant to be used again and again: a
// decision then allocates nothing. It serves one goroutine at a time.
type Decision struct {
	Winners     []Winner     // what is shown, in the order of selection; empty: nothing
	Reason      popup.Reason // of nothing to show: the gate that stopped the best candidate
	Limited     bool         // nothing is shown because NewUsers did not admit the user
	Unheld      bool         // nothing was decided: the user, or the one with the id before, is not held, see [frequency.User.Held]
	NextPollSec int          // in how many seconds the user should poll again, at most MaxNextPollSec
	UserHash    uint64       // keyed hash of the user's id, see [frequency.User.Hash]
	// Events are to be journaled, all together, before the answer leaves: of the
	// winners, and of the controls that came before them. They refer to the request.
	Events []popup.Event

	newUsers     NewUsers // of the decision under way
	snap         *snapshot.Snapshot
	full         frequency.FullCaps
	minGapMS     int64 // least time between two popups
	undos        []frequency.Undo
	readyAtMS    int64 // when the first of the popups that wait returns
	search       search
	servedBefore []candidate // popups of one priority that may be shown again

	// Of skipWaits.
	checksLeft int  // popups that may be stopped before it is called
	skips      bool // the search skips waits
	waits      []popup.Wait

	copied   *frequency.Table // memory of Dry
	recorder recorder         // nil: what becomes of a single popup is not recorded
}

// Winner is a popup that is shown.
type Winner struct {
	Popup      *snapshot.Popup
	Variant    *snapshot.Variant
	ServedAtMS int64
	Placement  int // index into the request's PlacementNames
}

// Undo gives back all that was reserved, when the events could not be recorded.
func (d *Decision) Undo(users *frequency.Table, r *popup.Request) {
	user := users.Lock(r.User)
	for i := len(d.undos) - 1; i >= 0; i-- {
		user.Undo(d.undos[i])
	}
	user.Unlock()
	d.Winners = d.Winners[:0]
}

// Release forgets the popups and the request, so that an idle decision keeps no
// old snapshot alive.
func (d *Decision) Release() {
	d.newUsers, d.snap = nil, nil
	d.search.matches[0].Release()
	if d.search.n > 1 {
		d.search.releaseSeveral()
	}
	clear(d.Winners[:cap(d.Winners)])
	clear(d.servedBefore[:cap(d.servedBefore)])
	clear(d.Events)
}
