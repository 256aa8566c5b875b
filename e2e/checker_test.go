//go:build linux

package e2e

import (
	"cmp"
	"database/sql"
	"fmt"
	"slices"
	"testing"
	"time"
)

// eventID names an event: a user sees a popup once at a time.
type eventID struct {
	user   string
	popup  uint32
	action int
	served int64 // ms
}

// storedEvent is a row of event.
type storedEvent struct {
	eventID
	at int64 // ms
}

// Actions as they are in the database.
const (
	impression = 1
	control    = 6
)

var actions = map[string]int{"poll": impression, "click": 2, "dismiss": 3, "convert": 4}

// storedEvents reads all events of users.
func storedEvents(db *sql.DB) ([]storedEvent, error) {
	rows, err := db.Query("SELECT user_id, popup_id, action, served_at_ms, at_ms FROM event WHERE action <> 5")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []storedEvent
	for rows.Next() {
		var r storedEvent
		if err := rows.Scan(&r.user, &r.popup, &r.action, &r.served, &r.at); err != nil {
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
func checkHistory(attempts []attempt, rows []storedEvent, popups map[uint32]*popupSpec) *findings {
	v := new(findings)
	times := make(map[eventID]int, len(rows))
	for _, r := range rows {
		if times[r.eventID]++; times[r.eventID] == 2 {
			v.twice = append(v.twice, fmt.Sprint(r.eventID))
		}
	}
	impressions := v.cooldowns(rows, popups)
	origins := v.lostEvents(attempts, times, impressions)
	for _, r := range rows {
		if !origins.explain(r) {
			v.invented = append(v.invented, fmt.Sprint(r.eventID))
		}
	}
	return v
}

// origins are the attempts that events may come from.
type origins struct {
	acked map[eventID]bool
	// What is not acknowledged may have been committed all the same, if nobody
	// was told otherwise.
	unanswered map[userAction][]*attempt
	polls      map[string][]*attempt // by user
}

type userAction struct{ user, action string }

// lostEvents looks for what was acknowledged and is not there (times is how often
// each event is), and returns the attempts as origins.
func (v *findings) lostEvents(attempts []attempt, times map[eventID]int, impressions map[userPopup][]int64) *origins {
	o := &origins{acked: make(map[eventID]bool), unanswered: make(map[userAction][]*attempt), polls: make(map[string][]*attempt)}
	for i := range attempts {
		a := &attempts[i]
		id := eventID{a.User, a.Popup, actions[a.Action], a.Served}
		if a.Action == "poll" {
			o.polls[a.User] = append(o.polls[a.User], a)
		}
		switch {
		case a.Outcome == acked && !o.acked[id]:
			o.acked[id] = true
			v.acked++
			// An action on an impression that is not the latest is not committed.
			if times[id] == 0 && (a.Action == "poll" || !overtaken(a, impressions[userPopup{a.User, a.Popup}])) {
				v.lost = append(v.lost, fmt.Sprintf("%v of %v", id, a.At.Format(time.StampMilli)))
			}
		case a.Outcome == unknown:
			key := userAction{a.User, a.Action}
			o.unanswered[key] = append(o.unanswered[key], a)
		}
	}
	return o
}

// explain reports whether an event comes from an attempt. One without an answer
// makes one event.
func (o *origins) explain(r storedEvent) bool {
	if o.acked[r.eventID] {
		return true
	}
	if r.action == control { // of any poll that was decided
		return slices.ContainsFunc(o.polls[r.user], func(a *attempt) bool { return a.Outcome != refused && decided(a, r.at) })
	}
	key := userAction{r.user, names[r.action]}
	n := slices.IndexFunc(o.unanswered[key], func(a *attempt) bool {
		return decided(a, r.at) && (a.Action == "poll" || a.Popup == r.popup && a.Served == r.served)
	})
	if n < 0 {
		return false
	}
	o.unanswered[key] = slices.Delete(o.unanswered[key], n, n+1)
	return true
}

// names is the reverse of actions.
var names = map[int]string{1: "poll", 2: "click", 3: "dismiss", 4: "convert"}

// decided reports whether the server may have decided an attempt at this time.
// One that nobody waits for any more may still be read, by a server that was stopped.
func decided(a *attempt, atMS int64) bool {
	at := time.UnixMilli(atMS)
	late := time.Duration(0)
	if a.Outcome == unknown {
		late = time.Minute
	}
	return at.After(a.At.Add(-resolution)) && at.Before(a.end().Add(late+resolution))
}

// userPopup names a cooldown.
type userPopup struct {
	user  string
	popup uint32
}

// overtaken reports whether a newer impression than an action's had been made
// when it was decided.
func overtaken(a *attempt, served []int64) bool {
	return slices.ContainsFunc(served, func(ms int64) bool { return ms > a.Served && ms <= a.end().UnixMilli() })
}

// cooldowns looks for popups that were shown too soon or too often, answered
// or not, and returns the times of each.
func (v *findings) cooldowns(rows []storedEvent, popups map[uint32]*popupSpec) map[userPopup][]int64 {
	slices.SortFunc(rows, func(a, b storedEvent) int { return cmp.Compare(a.served, b.served) })
	impressions := make(map[userPopup][]int64)
	for _, r := range rows {
		o := popups[r.popup]
		if o == nil || r.action != impression && r.action != control {
			continue
		}
		key := userPopup{r.user, r.popup}
		before := impressions[key]
		impressions[key] = append(before, r.served)
		// The shortest wait: what was done meanwhile may have changed it.
		wait := min(o.afterImpression, o.afterClick, o.afterDismiss) - resolution
		if n := len(before); n > 0 && r.served-before[n-1] < wait.Milliseconds() {
			v.forbidden = append(v.forbidden, fmt.Sprintf("%s %s after %d ms", r.user, o.key, r.served-before[n-1]))
		}
		if o.maxImpressions > 0 && len(before) >= o.maxImpressions {
			v.forbidden = append(v.forbidden, fmt.Sprintf("%s %s for the %d. time", r.user, o.key, len(before)+1))
		}
	}
	return impressions
}

// compare holds a history against the database.
func (h *history) compare(db *sql.DB) (*findings, error) {
	rows, err := storedEvents(db)
	if err != nil {
		return nil, err
	}
	popups := make(map[uint32]*popupSpec)
	for i := range h.popups {
		id, err := queryInt(db, "SELECT id FROM popups WHERE `key` = ?", h.popups[i].key)
		if err != nil {
			return nil, err
		}
		popups[uint32(id)] = &h.popups[i]
	}
	return checkHistory(h.since(0), rows, popups), nil
}

// check stops the load, waits until everything acknowledged is in the database,
// and fails the test if any of it is missing or anything is there twice.
func (l *load) check(t *testing.T, db *sql.DB) {
	t.Helper()
	l.stop()
	for _, w := range l.history.violations {
		t.Error(w)
	}
	var v *findings
	eventually(t, 60*time.Second, func() error {
		var err error
		if v, err = l.history.compare(db); err != nil {
			return err
		}
		if err := v.err(0); err != nil {
			return err
		}
		return checkInvariants(db)
	})
	t.Logf("answers: %v; %v", countOutcomes(l.history.since(0)), v)
	if v.acked == 0 {
		t.Error("the load did nothing")
	}
}

// failures counts the attempts that were not answered, or refused.
func (l *load) failures() int {
	n := countOutcomes(l.history.since(0))
	return n[unknown] + n[refused]
}
