package lint

import (
	"fmt"
	"slices"
	"strings"

	"github.com/popupd/popupd/popup"
	"github.com/popupd/popupd/snapshot"
)

// Of the popups of a placement that may outrank one so many are looked at, and so many of
// those are read in full, so that a change among ten thousand takes no longer: the warning is
// probable anyway.
const mostLooked, mostRead = 1000, 50

// checkRank warns if in each of its placements another popup with a higher priority is
// shown to everybody who would get this one, every time. It is probable and not proved:
// a user who polls twice within the 100 ms to which waits resolve gets this one next.
func (w *warnings) checkRank(s *popup.Spec, t *targeting, id uint32, others *snapshot.Snapshot, nowMS int64) {
	above := map[string]string{} // the key of such a popup, by placement
	for _, name := range s.Placements {
		looked, read := 0, 0
		// In a poll of several placements a popup takes one alone, so one with several
		// may leave any of them to this one.
		for o := range others.Outranking(name, s.Trigger, s.Priority) {
			if looked++; looked > mostLooked || read == mostRead {
				break
			}
			if o.ID == id || !neverWaits(&o.Frequency) {
				continue
			}
			read++
			other, _, err := popup.DecodeStored(o.Row().Spec)
			if err == nil && covers(&other, s, t, nowMS) {
				above[name] = other.Key
				break
			}
		}
		if above[name] == "" {
			return
		}
	}
	var keys []string
	for _, name := range s.Placements {
		if !slices.Contains(keys, above[name]) {
			keys = append(keys, above[name])
		}
	}
	w.suspect("/priority", popup.AlwaysOutranked,
		fmt.Sprintf("whoever would get this popup gets %s, whose priority is higher and which never waits", strings.Join(keys, " or ")))
}

// neverWaits reports whether a popup may be shown again at once, always.
func neverWaits(f *popup.Frequency) bool {
	return f.AfterImpressionSec == 0 && f.AfterClickSec == 0 && f.AfterDismissSec == 0 && f.MaxImpressions == 0 && f.ConfirmSec == 0
}

// covers reports whether another popup may be shown to everybody whenever this one may.
func covers(other, s *popup.Spec, t *targeting, nowMS int64) bool {
	return other.Trigger == s.Trigger && (other.Frequency.IgnoreMinGap || !s.Frequency.IgnoreMinGap) &&
		!slices.ContainsFunc(other.Tags, func(tag string) bool { return !slices.Contains(s.Tags, tag) }) && // a cap on it is one on this
		!hasVariant(other, func(v *popup.Variant) bool { return v.Control }) &&
		coversUsers(&other.Rollout, &s.Rollout) && coversTime(&other.Schedule, &s.Schedule, nowMS) && t.within(&other.Targeting)
}

// coversUsers reports whether everybody in one rollout is in another.
func coversUsers(other, r *popup.Rollout) bool {
	return other.Percent == 100 || other.Salt != "" && other.Salt == r.Salt && other.Percent >= r.Percent
}

// coversTime reports whether from now on another schedule is open whenever one is.
func coversTime(other, s *popup.Schedule, nowMS int64) bool {
	if other.StartAt != nil && other.StartAt.UnixMilli() > nowMS && (s.StartAt == nil || s.StartAt.Before(*other.StartAt)) {
		return false
	}
	if other.EndAt != nil && (s.EndAt == nil || other.EndAt.Before(*s.EndAt)) {
		return false
	}
	return len(other.Days) == 0 && len(other.Hours) == 0 ||
		other.Timezone == s.Timezone && other.UserTime == s.UserTime && slices.Equal(other.Days, s.Days) && slices.Equal(other.Hours, s.Hours)
}

// within reports whether it is proved that everybody who fits t fits another targeting.
func (t *targeting) within(other *popup.Targeting) bool {
	for i := range other.All {
		if !t.excludes(newLiteral(&other.All[i], "", false)) {
			return false
		}
	}
	for i := range other.None {
		if !t.excludes(newLiteral(&other.None[i], "", true)) {
			return false
		}
	}
	return len(other.Any) == 0 || t.meetsOne(other.Any)
}

// meetsOne reports whether it is proved that everybody who fits t meets one of these
// conditions: because of all and none, or whichever condition of any it is that holds.
func (t *targeting) meetsOne(conditions []popup.Condition) bool {
	var failing []literal
	for i := range conditions {
		failing = append(failing, newLiteral(&conditions[i], "", false))
	}
	if slices.ContainsFunc(failing, func(l literal) bool { return t.excludes(l) }) {
		return true
	}
	for _, holding := range t.any {
		if !slices.ContainsFunc(failing, func(l literal) bool {
			return l.condition.Attr == holding.condition.Attr && t.excludes(holding, l)
		}) {
			return false
		}
	}
	return len(t.any) > 0
}
