package sample

import (
	"cmp"
	"math"
	"slices"

	"github.com/popupd/popupd/decision"
	"github.com/popupd/popupd/popup"
)

const dayMS = 24 * 3600 * 1000

// reach has the users poll as they did, again and again from nowMS on, and returns how many
// see each popup that is proposed. Users do not depend on each other, so they are taken one
// by one, in the order of their hashes, for as long as maxAhead allows.
func (s *simulation) reach(nowMS int64) (map[string]*popup.Reach, error) {
	out := map[string]*popup.Reach{}
	if s.proposal.ReachDays == 0 {
		return out, nil
	}
	for i := range s.proposal.Popups {
		out[s.proposal.Popups[i].Key] = &popup.Reach{Days: s.proposal.ReachDays}
	}
	if len(out) == 0 {
		return out, nil
	}
	a := forecast{
		simulation: s, replay: decision.NewReplay(s.after, s.minGap), nowMS: nowMS, untilMS: nowMS + int64(s.proposal.ReachDays)*dayMS,
		spanMS: max(s.trace.toMS-s.trace.fromMS, bucketMS), proposed: out, left: maxAhead,
	}
	polls := slices.Clone(s.trace.polls)
	slices.SortStableFunc(polls, func(a, b tracedPoll) int { return cmp.Compare(a.user, b.user) })
	users := 0
	for _, of := range byUser(polls) {
		if err := a.follow(of); err != nil {
			return nil, err
		}
		if a.left <= 0 {
			break // it may not have come to its end
		}
		users++
		for key := range a.seen {
			out[key].Reached++
		}
	}
	for _, r := range out {
		r.Users = users
		r.Share, r.ShareLow, r.ShareHigh = wilson(r.Reached, users)
	}
	return out, nil
}

// byUser divides polls that are sorted by user.
func byUser(polls []tracedPoll) (users [][]tracedPoll) {
	for start, i := 0, 1; i <= len(polls); i++ {
		if i == len(polls) || polls[i].user != polls[start].user {
			users = append(users, polls[start:i])
			start = i
		}
	}
	return users
}

// forecast looks ahead for one user after another.
type forecast struct {
	*simulation
	replay   *decision.Replay
	nowMS    int64
	untilMS  int64
	spanMS   int64 // after which the polls of a user come again
	proposed map[string]*popup.Reach
	left     int // polls that may still be decided

	seen map[string]bool // proposed popups that the user saw
}

// follow decides the polls of one user until all proposed popups were seen or the time is over.
func (a *forecast) follow(polls []tracedPoll) error {
	a.seen = map[string]bool{}
	for startMS := a.nowMS; ; startMS += a.spanMS {
		for i := range polls {
			atMS := startMS + polls[i].atMS - a.trace.fromMS
			if atMS >= a.untilMS || len(a.seen) == len(a.proposed) || a.left <= 0 {
				return nil
			}
			a.left--
			won, err := a.decide(a.replay, &polls[i], atMS)
			if err != nil {
				return err
			}
			for j := range won {
				if key := won[j].Popup.Key; a.proposed[key] != nil {
					a.seen[key] = true
				}
			}
		}
	}
}

// wilson returns k/n and its 95 % interval by Wilson's score, which holds for few users and
// for shares near 0 and 1, too. Without users nothing is known: 0 to 1.
func wilson(k, n int) (share, low, high float64) {
	if n == 0 {
		return 0, 0, 1
	}
	const z = 1.959964
	share, size := float64(k)/float64(n), float64(n)
	middle := share + z*z/(2*size)
	width := z * math.Sqrt(share*(1-share)/size+z*z/(4*size*size))
	scale := 1 + z*z/size
	return share, max(0, (middle-width)/scale), min(1, (middle+width)/scale)
}
