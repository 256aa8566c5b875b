package decision

import (
	"math"

	"github.com/popupd/popupd/frequency"
	"github.com/popupd/popupd/popup"
	"github.com/popupd/popupd/snapshot"
)

const (
	checkCost   = 32 // to check a popup takes as long as to skip that many entries of the user
	minChecks   = 4  // before it is asked how many popups are left
	minSkipLeft = 8  // fewer are checked one by one
)

// skipWaits has the search skip popups, if that takes less time than to check those that are
// left: the ones for which the user waits for the longest time between polls or longer. Limits,
// gap and caps of such a popup change neither the reason nor the next poll.
// BenchmarkSeen says what it saves.
func (d *Decision) skipWaits(user *frequency.User, nowMS int64) {
	left := d.search.left()
	if left < minSkipLeft+user.Entries()/checkCost || d.recorder != nil {
		d.checksLeft = max(left, minSkipLeft) // the cursors may have begun other batches then
		return
	}
	d.waits = user.AppendWaits(d.waits[:0], nowMS, nowMS+maxWaitSec*1000)
	d.search.skip(d.waits)
	d.skips = true
}

// skipped counts the popups that the search in a placement has skipped as stopped, up to the
// one with this priority and id.
func (d *Decision) skipped(placement, priority int, id uint32, nowMS int64) {
	s := d.search.matches[placement].Skipped()
	isBefore := func(p *snapshot.Popup) bool {
		return p != nil && (p.Priority > priority || p.Priority == priority && p.ID <= id)
	}
	if isBefore(s.Click) {
		d.Reason = max(d.Reason, popup.CooldownClick)
	}
	if isBefore(s.Dismiss) {
		d.Reason = max(d.Reason, popup.CooldownDismiss)
	}
	if isBefore(s.Impression) {
		d.Reason = max(d.Reason, popup.CooldownImpression)
	}
	if isBefore(s.Ends) {
		d.readyAtMS = min(d.readyAtMS, nowMS+maxWaitSec*1000)
	}
}

// allSkipped is skipped for the placements in which the search has come to the end.
func (d *Decision) allSkipped(nowMS int64) {
	for open := d.search.open; open != 0; open &= open - 1 {
		d.skipped(open.first(), math.MinInt, 0, nowMS)
	}
}

// left returns how many popups the search will look at, at least.
func (s *search) left() (n int) {
	for i := range s.n {
		n += s.matches[i].Left()
	}
	return n
}

// skip has the search skip popups that the user waits for.
func (s *search) skip(waits []popup.Wait) {
	for i := range s.n {
		s.matches[i].Skip(waits)
	}
}
