package snapshot

import (
	"math"
	"math/bits"
	"sort"
	"time"

	"github.com/popupd/popupd/popup"
)

// OpensAfter returns the first moment after nowMS at which the popup's schedule is open for
// a request, popup.Never if there is none.
func (p *Popup) OpensAfter(r *popup.Request, nowMS int64) int64 {
	return p.schedule.opensAfter(nowMS, r.Zone)
}

func (s *schedule) opensAfter(nowMS int64, user []byte) int64 {
	at := max(nowMS+1, s.startMS)
	if s.week != nil {
		at = s.week.opensAt(s.zoneOf(s.users.find(user)), at)
	}
	if at >= s.endMS {
		return popup.Never
	}
	return at
}

// opensAt returns the first moment from atMS on at which the week is open on the clocks of a
// zone, popup.Never if there is none. Between two changes of the zone's offset the minutes of
// the week follow each other.
func (w *week) opensAt(z *zone, atMS int64) int64 {
	for atMS < popup.Never {
		minute := z.minuteOfWeek(atMS)
		wait := w.minutesUntilOpen(minute)
		if wait == 0 {
			return atMS
		}
		if wait < 0 {
			return popup.Never
		}
		begin := atMS - floorMod(atMS+1000*z.offsetAt(floorDiv(atMS, 1000)), 60_000) // of the minute
		opens := begin + int64(wait)*60_000
		changes := z.changesAfter(floorDiv(atMS, 1000))
		if changes > opens/1000 {
			return opens
		}
		atMS = changes * 1000
	}
	return popup.Never
}

// minutesUntilOpen returns how many minutes after this one the week is open, 0 if it is
// now, -1 if it never is.
func (w *week) minutesUntilOpen(minute int) int {
	for wait := 0; wait < minutesPerWeek; {
		m := (minute + wait) % minutesPerWeek
		if left := w.minutes[m/64] >> (m % 64); left != 0 {
			return wait + bits.TrailingZeros64(left)
		}
		wait += min(64-m%64, minutesPerWeek-m)
	}
	return -1
}

// changesAfter returns when the offset of the zone changes next, in seconds, or a moment
// before that.
func (z *zone) changesAfter(sec int64) int64 {
	if sec < z.since[0] || sec >= z.until {
		if end, ok := offsetEnds(time.Unix(sec, 0).In(z.location)); ok {
			return end.Unix()
		}
		return popup.Never / 1000
	}
	if i := sort.Search(len(z.since), func(i int) bool { return z.since[i] > sec }); i < len(z.since) {
		return z.since[i]
	}
	return z.until
}

func floorMod(a, b int64) int64 { return a - b*floorDiv(a, b) }

// TargetingChangesAfter returns the first moment after nowMS at which a condition on the age
// of an attribute, of the popup or of a rule of an audience that it depends on, holds that does
// not now, or the other way round; popup.Never if there is none. Other conditions do not depend
// on the time.
func (s *Snapshot) TargetingChangesAfter(p *Popup, r *popup.Request, nowMS int64) int64 {
	first := p.targeting.changesAfter(r, nowMS)
	if len(p.targeting.audiences) > 0 {
		s.currentAudiences().eachRule(p.targeting.audiences, func(t *targeting) {
			first = min(first, t.changesAfter(r, nowMS))
		})
	}
	return min(first, popup.Never)
}

// eachRule calls f for each rule of the audiences with these keys, and of those that they name.
func (a *audiences) eachRule(keys []string, f func(*targeting)) {
	seen := map[*userSet]bool{}
	var visit func(s *userSet)
	visit = func(s *userSet) {
		if s == nil || s.rule == nil || seen[s] {
			return
		}
		seen[s] = true
		f(s.rule)
		for _, ref := range s.refs {
			visit(ref)
		}
	}
	for _, key := range keys {
		visit(a.find(key))
	}
}

// changesAfter is TargetingChangesAfter of these conditions alone; math.MaxInt64: there is none.
func (t *targeting) changesAfter(r *popup.Request, nowMS int64) int64 {
	first := int64(math.MaxInt64)
	for _, group := range [][]*condition{t.all, t.any, t.none} {
		for _, c := range group {
			if c.test != testOlder && c.test != testNewer {
				continue
			}
			m := membersOf(r, c.attr, c.name)
			for text := m.next(); text != nil; text = m.next() {
				ms, isTime := popup.ParseTime(text)
				if !isTime {
					continue
				}
				for _, edge := range []int64{ms + c.ms, ms + c.ms + 1} {
					if edge > nowMS {
						first = min(first, edge)
					}
				}
			}
		}
	}
	return first
}
