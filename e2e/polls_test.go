//go:build linux

package e2e

import (
	"fmt"
	"slices"
	"time"
)

// repeatable is how long after a poll its repeat is held against its answer, well below
// what the server allows.
const repeatable = 20 * time.Second

// pollAll polls until nothing more is shown, in any way a page may.
func (v *loadClient) pollAll(u *loadUser) {
	for range len(v.history.popups) + 1 {
		if !v.pollSomehow(u) {
			return
		}
	}
}

// poll polls once by GET and reports whether something was shown.
func (v *loadClient) poll(u *loadUser) bool {
	popups, _ := v.send(u, &postedPoll{User: u.name, Placements: placements[:1]}, false, nil)
	return len(popups) > 0
}

// pollSomehow polls once, by GET or by POST, and reports whether something was shown.
// With an id of the request it may send it again, answered or not.
func (v *loadClient) pollSomehow(u *loadUser) bool {
	q := &postedPoll{User: u.name, Placements: placements}
	post := v.rand.IntN(3) == 0
	if post {
		q.Showing = u.showing()
	} else {
		n := v.rand.IntN(len(placements))
		q.Placements = placements[n : n+1]
	}
	if v.rand.IntN(2) == 0 {
		q.RID = fmt.Sprintf("%016x", v.rand.Uint64())
	}
	starts, begun := v.server.Starts(), time.Now() // no other start remembers the answer
	popups, err := v.send(u, q, post, nil)
	if q.RID == "" || v.rand.IntN(3) > 0 {
		return len(popups) > 0
	}
	again, errAgain := v.send(u, q, post, popups)
	if len(popups) > 0 && errAgain == nil && v.server.Starts() == starts && time.Since(begun) < repeatable && !slices.EqualFunc(popups, again, sameToken) {
		v.history.report("%s: a poll is answered with %d popups, its repeat with %d or others", u.name, len(popups), len(again))
	}
	return len(popups) > 0 || err != nil && len(again) > 0
}

func sameToken(a, b *pollAnswer) bool { return a.Token == b.Token }

// send polls once and records what was answered, but for popups that were shown already
// when the poll was sent before.
func (v *loadClient) send(u *loadUser, q *postedPoll, post bool, before []*pollAnswer) ([]*pollAnswer, error) {
	a := attempt{At: time.Now(), User: u.name, Action: "poll", Outcome: nothingShown}
	popups, err := v.ask(q, post)
	a.Took = time.Since(a.At)
	switch {
	case err != nil:
		a.Outcome, a.Detail = outcomeOf(err), err.Error()
		v.history.add(a)
		if a.Outcome == unknown {
			u.unansweredPoll = a.At
			for range q.Placements[1:] { // in each there may have been a popup
				v.history.add(a)
			}
		}
	case len(popups) == 0:
		v.history.add(a)
	}
	for _, p := range popups {
		a.Outcome, a.Popup = acked, p.Popup.ID
		if a.Served, err = servedAt(p.Token); err != nil {
			v.history.report("%v", err)
		}
		if !slices.ContainsFunc(before, func(b *pollAnswer) bool { return sameToken(b, p) }) {
			v.history.recordShown(u, p, &a)
		}
		v.history.add(a)
	}
	return popups, err
}

// ask sends a poll and returns what is shown.
func (v *loadClient) ask(q *postedPoll, post bool) ([]*pollAnswer, error) {
	if post {
		answer, err := v.server.askPost(q)
		if err != nil {
			return nil, err
		}
		if len(answer.Withdraw) > 0 {
			v.history.report("%s is to withdraw %d popups, which are all active", q.User, len(answer.Withdraw))
		}
		return answer.Popups, nil
	}
	p, err := v.server.ask(q.User, "placement="+q.Placements[0], "rid="+q.RID)
	if err != nil || p == nil {
		return nil, err
	}
	return []*pollAnswer{p}, nil
}

// showing returns the tokens of what the user was shown last, which may be on screen.
func (u *loadUser) showing() []string {
	var tokens []string
	for _, s := range u.seen {
		tokens = append(tokens, s.latest.token)
	}
	return tokens
}
