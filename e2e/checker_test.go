//go:build linux

package e2e

import (
	"cmp"
	"database/sql"
	"fmt"
	"slices"
	"time"
)

// eventID names an event: a user sees a popup once at a time.
type eventID struct {
	user   string
	popup  uint32
	action int
	served int64 // ms
}

// erased is the event as it is kept when its user was reset.
func (id eventID) erased() eventID {
	id.user = ""
	return id
}

// storedEvent is a row of event.
type storedEvent struct {
	eventID
	at       int64 // ms
	repeated bool  // it was counted before, or has been void when it came
}

// Actions as they are in the database.
const (
	impression = 1
	control    = 6
	release    = 8
)

var actions = map[string]int{"poll": impression, "click": 2, "dismiss": 3, "convert": 4, "view": 7, "release": release}

// names is the reverse of actions.
var names = map[int]string{impression: "poll", 2: "click", 3: "dismiss", 4: "convert", 7: "view", release: "release"}

// storedEvents reads all events but resets and goals.
func storedEvents(db *sql.DB) ([]storedEvent, error) {
	rows, err := db.Query("SELECT user_id, popup_id, action, served_at_ms, at_ms, repeated FROM event WHERE action NOT IN (5, 9)")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []storedEvent
	for rows.Next() {
		var r storedEvent
		if err := rows.Scan(&r.user, &r.popup, &r.action, &r.served, &r.at, &r.repeated); err != nil {
			return nil, err
		}
		all = append(all, r)
	}
	return all, rows.Err()
}

// findings are how a history and the events in the database differ.
type findings struct {
	acked               int // events whose client was told
	lost, twice         []string
	invented, forbidden []string
}

func (v *findings) String() string {
	s := fmt.Sprintf("%d acknowledged", v.acked)
	for _, list := range []struct {
		name string
		what []string
	}{{"lost", v.lost}, {"counted twice", v.twice}, {"invented", v.invented}, {"shown though it was not allowed", v.forbidden}} {
		s += fmt.Sprintf(", %d %s", len(list.what), list.name)
		if len(list.what) > 0 {
			s += fmt.Sprintf(" %q", list.what[:min(len(list.what), 5)])
		}
	}
	return s
}

// err returns the findings unless all is well. lost events are forgiven up to the
// number that was declared lost.
func (v *findings) err(declared int) error {
	if len(v.lost) <= declared && len(v.twice)+len(v.invented)+len(v.forbidden) == 0 {
		return nil
	}
	return fmt.Errorf("%v", v)
}

// checkHistory compares attempts with the events that were committed. rows is reordered.
func checkHistory(attempts []attempt, rows []storedEvent, popups map[uint32]*popupSpec, caps capSpecs) *findings {
	v := new(findings)
	o := newOrigins(attempts)
	v.acked = len(o.acked)
	v.cooldowns(rows, popups, o)
	v.overCaps(rows, popups, caps, o)
	times := make(map[eventID]int, len(rows)) // how often each is counted
	stored := make(map[eventID]int, len(rows))
	for _, r := range rows {
		stored[r.eventID]++
		if r.repeated && r.user != "" {
			continue
		}
		if times[r.eventID]++; times[r.eventID] == 2 && r.user != "" {
			v.twice = append(v.twice, fmt.Sprint(r.eventID))
		}
	}
	for id, a := range o.acked {
		switch erased := id.erased(); {
		case times[id] > 0:
		case o.resets[id.user] != nil && times[erased] > 0:
			times[erased]--
		default:
			v.lost = append(v.lost, fmt.Sprintf("%v of %v", id, a.At.Format(time.StampMilli)))
		}
	}
	for id, n := range o.actions { // a repeat is recorded too
		if o.resets[id.user] == nil && times[id] > 0 && stored[id] < n {
			v.lost = append(v.lost, fmt.Sprintf("%v, %d of %d times", id, n-stored[id], n))
		}
	}
	slices.Sort(v.lost)
	for _, r := range rows {
		if !o.explain(r) {
			v.invented = append(v.invented, fmt.Sprint(r.eventID))
		}
	}
	return v
}

// origins are the attempts that events may come from.
type origins struct {
	acked   map[eventID]*attempt // the first of each event
	actions map[eventID]int      // how often each was acked, of polls aside
	// What is not acknowledged may have been committed all the same, if nobody
	// was told otherwise.
	unanswered map[userAction][]*attempt
	polls      map[string][]*attempt // by user
	resets     map[string][]*attempt // by user, but for those that were refused
	erased     map[eventID]bool      // acked events of users who were reset, without them
}

type userAction struct{ user, action string }

func newOrigins(attempts []attempt) *origins {
	o := &origins{
		acked: make(map[eventID]*attempt), actions: make(map[eventID]int), unanswered: make(map[userAction][]*attempt),
		polls: make(map[string][]*attempt), resets: make(map[string][]*attempt), erased: make(map[eventID]bool),
	}
	for i := range attempts {
		a := &attempts[i]
		switch {
		case a.Action == "goal": // makes no event of its own: see books
			continue
		case a.Action == "reset" && a.Outcome != refused:
			o.resets[a.User] = append(o.resets[a.User], a)
			continue
		case a.Action == "reset":
			continue
		}
		if a.Action == "poll" {
			o.polls[a.User] = append(o.polls[a.User], a)
		}
		switch id := a.event(); {
		case a.Outcome == acked:
			if o.acked[id] == nil {
				o.acked[id] = a
			}
			if a.Action != "poll" {
				o.actions[id]++
			}
		case a.Outcome == unknown:
			key := userAction{a.User, a.Action}
			o.unanswered[key] = append(o.unanswered[key], a)
		}
	}
	for id := range o.acked {
		if o.resets[id.user] != nil {
			o.erased[id.erased()] = true
		}
	}
	return o
}

// event names what an attempt makes.
func (a *attempt) event() eventID { return eventID{a.User, a.Popup, actions[a.Action], a.Served} }

// explain reports whether an event comes from an attempt. One without an answer
// makes one event.
func (o *origins) explain(r storedEvent) bool {
	if r.user != "" {
		return o.acked[r.eventID] != nil || o.explainFor(r.user, r)
	}
	if o.erased[r.eventID] {
		return true
	}
	for user := range o.resets {
		if o.explainFor(user, r) {
			return true
		}
	}
	return false
}

// explainFor looks for an attempt of a user that was not acknowledged.
func (o *origins) explainFor(user string, r storedEvent) bool {
	if r.action == control { // of any poll that was decided
		return slices.ContainsFunc(o.polls[user], func(a *attempt) bool { return a.Outcome != refused && decided(a, r.at) })
	}
	key := userAction{user, names[r.action]}
	n := slices.IndexFunc(o.unanswered[key], func(a *attempt) bool {
		return decided(a, r.at) && (a.Action == "poll" || a.Popup == r.popup && a.Served == r.served)
	})
	if n < 0 {
		return false
	}
	o.unanswered[key] = slices.Delete(o.unanswered[key], n, n+1)
	return true
}

// decided reports whether the server may have decided an attempt at this time, which
// it moves past what happened before in the same tick.
// One that nobody waits for any more may still be read, by a server that was stopped.
func decided(a *attempt, atMS int64) bool {
	at := time.UnixMilli(atMS)
	late := time.Duration(0)
	if a.Outcome == unknown {
		late = time.Minute
	}
	return at.After(a.At.Add(-a.Age-resolution)) && at.Before(a.end().Add(late+2*resolution))
}

// resetBetween reports whether a user may have been reset between two impressions.
func (o *origins) resetBetween(user string, from, to int64) bool {
	return slices.ContainsFunc(o.resets[user], func(a *attempt) bool {
		return from <= a.end().Add(2*resolution).UnixMilli() && a.At.UnixMilli() <= to || a.Outcome == unknown && a.At.UnixMilli() <= to
	})
}

// userPopup names a cooldown.
type userPopup struct {
	user  string
	popup uint32
}

// shown is what a user has seen of a popup so far, in cooldowns.
type shown struct {
	last  int64 // when it was served, or counted as a control
	times int
}

// cooldowns looks for popups that were shown too soon or too often, answered
// or not, and sorts the rows by when the popup was served.
func (v *findings) cooldowns(rows []storedEvent, popups map[uint32]*popupSpec, o *origins) {
	slices.SortFunc(rows, func(a, b storedEvent) int { return cmp.Compare(a.served, b.served) })
	released := releasedImpressions(rows)
	seen := make(map[userPopup]shown)
	for _, r := range rows {
		spec := popups[r.popup]
		if spec == nil || r.action != impression && r.action != control || r.user == "" || released[r.eventID] {
			continue
		}
		key := userPopup{r.user, r.popup}
		s := seen[key]
		if s.last > 0 && o.resetBetween(r.user, s.last, r.served) {
			s = shown{}
		}
		// The shortest wait: what was done meanwhile may have changed it.
		wait := min(spec.afterImpression, spec.afterClick, spec.afterDismiss)
		if spec.confirm > 0 {
			wait = min(wait, spec.confirm)
		}
		wait -= resolution
		if s.last > 0 && r.served-s.last < wait.Milliseconds() {
			v.forbidden = append(v.forbidden, fmt.Sprintf("%s %s after %d ms", r.user, spec.key, r.served-s.last))
		}
		s.last = r.served
		if r.action == impression && spec.confirm == 0 { // users know which ones they confirmed
			s.times++
		}
		if spec.maxImpressions > 0 && s.times > spec.maxImpressions {
			v.forbidden = append(v.forbidden, fmt.Sprintf("%s %s for the %d. time", r.user, spec.key, s.times))
		}
		seen[key] = s
	}
}

// popupsByID returns the rules of the popups by the ids that the database gave them.
func (h *history) popupsByID(db *sql.DB) (map[uint32]*popupSpec, error) {
	popups := make(map[uint32]*popupSpec)
	for i := range h.popups {
		id, err := queryInt(db, "SELECT id FROM popups WHERE `key` = ?", h.popups[i].key)
		if err != nil {
			return nil, err
		}
		popups[uint32(id)] = &h.popups[i]
	}
	return popups, nil
}

// compare holds a history against the events in the database.
func (h *history) compare(db *sql.DB) (*findings, error) {
	rows, err := storedEvents(db)
	if err != nil {
		return nil, err
	}
	popups, err := h.popupsByID(db)
	if err != nil {
		return nil, err
	}
	return checkHistory(h.since(0), rows, popups, h.caps), nil
}
