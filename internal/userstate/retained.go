package userstate

import (
	"maps"
	"math"
)

// retained says for how long the table keeps something of each popup, and the least of
// it since the latest full read.
type retained struct {
	keeps, kept map[uint32]int64 // ms, by popup. Of one that is not new, and not in kept, nothing was kept
}

const (
	forEver = math.MaxInt64 // how long the impressions of a popup are kept that limits them
	dropped = -1            // not even while they wait: the popup was archived, or not known
	notKept = math.MinInt64 // nothing is to be kept: the popup is archived, or no cap covers it
)

// isLonger reports whether something is to be kept that may be gone.
func (r *retained) isLonger() bool {
	for id, ms := range r.keeps {
		if ms > r.kept[id] {
			return true
		}
	}
	return false
}

// allRead says that all was read that is to be kept, for ever only of some popups.
func (r *retained) allRead(whateverItsAge func(id uint32) bool) {
	for id, ms := range r.keeps {
		if ms != forEver || whateverItsAge(id) {
			r.kept[id] = ms
		}
	}
}

// set reports whether anything is another than before.
func (r *retained) set(keeps map[uint32]int64, newest uint32) (isOther bool) {
	hasKept := r.kept != nil // else nothing was kept yet to be dropped
	if r.keeps == nil {
		r.keeps = make(map[uint32]int64, len(keeps))
		kept := make(map[uint32]int64, len(keeps)) // of others nothing is kept any more
		for id := range keeps {
			if ms, ok := r.kept[id]; ok {
				kept[id] = ms
			}
		}
		r.kept = kept
	}
	for id, ms := range keeps {
		switch last, was := r.keeps[id]; {
		case ms == notKept:
			isOther = isOther || was
			delete(r.keeps, id)
			delete(r.kept, id)
			continue
		case was && last == ms:
			continue
		}
		isOther = true
		r.keeps[id] = ms
		switch kept, ok := r.kept[id]; {
		case ok:
			r.kept[id] = min(kept, ms)
		case hasKept && id <= newest:
			r.kept[id] = dropped
		default:
			r.kept[id] = ms
		}
	}
	return isOther
}

// loaded takes over what a dump had kept, of popups up to newest.
func (r *retained) loaded(then map[uint32]int64, newest uint32) {
	for id, ms := range r.kept {
		old, ok := then[id]
		switch {
		case ok:
			r.kept[id] = min(ms, old)
		case id <= newest:
			r.kept[id] = dropped
		}
	}
}

// least returns the lesser of both for each popup of a.
func least(a, b map[uint32]int64) map[uint32]int64 {
	m := maps.Clone(a)
	for id, ms := range b {
		if old, ok := m[id]; ok {
			m[id] = min(old, ms)
		}
	}
	return m
}
