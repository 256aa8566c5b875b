package persist

import (
	"bytes"
	"cmp"
	"database/sql"

	"github.com/popupd/popupd/popup"
)

// experimentUser is a row of experiment_user: what a user did in the experiment of a popup.
// In whatever order events come, each of its times ends up as the earliest of all events,
// and a click, which is on an exposure, does not come before the first of them. Conversions
// by the popup's goal may, and then the earliest may be forgotten: see convert.
type experimentUser struct {
	user      []byte
	popup     uint32
	exposedMS int64 // first exposure; 0: none yet
	version   uint32
	variant   []byte
	mixedMS   int64 // first exposure to another variant than that; 0: none
	clickMS   int64 // 0: none
	convertMS int64 // 0: none; before exposedMS: none that counts
}

// experimentEvent is an event of a popup that has, or had, an experiment.
type experimentEvent struct {
	seq        uint64
	atMS       int64
	user       []byte
	popup      uint32
	version    uint32
	variant    []byte
	action     popup.Action
	servedAtMS int64
	nth        uint32
	acted      sql.Null[uint8] // of its impression; NULL if there is no row of it any more
}

// exposes reports whether the impression of the event is an exposure: one that was
// confirmed, and not released.
func (e *experimentEvent) exposes() bool {
	if e.acted.Valid {
		return isExposure(e.acted.V)
	}
	return e.action != popup.Release && (e.action != popup.Impression || e.nth > 0)
}

func isExposure(acted uint8) bool {
	s := popup.State{Acted: acted}
	return s.Confirmed() && !s.Released()
}

// add adds an event. It reports whether what was an exposure is none any more, so that the
// user's exposures have to be read anew.
func (u *experimentUser) add(e *experimentEvent) (released bool) {
	switch {
	case e.action == popup.Goal:
		u.convert(e.atMS)
		return false
	case !e.exposes():
		return e.servedAtMS == u.exposedMS || e.servedAtMS == u.mixedMS
	}
	u.expose(e.servedAtMS, e.version, e.variant)
	switch e.action {
	case popup.Click:
		if u.clickMS == 0 || e.atMS < u.clickMS {
			u.clickMS = e.atMS
		}
	case popup.Convert:
		u.convert(e.atMS)
	}
	return false
}

func (u *experimentUser) expose(atMS int64, version uint32, variant []byte) {
	isOther := u.exposedMS != 0 && !bytes.Equal(variant, u.variant)
	switch {
	case u.exposedMS == 0 || atMS < u.exposedMS:
		if isOther {
			u.mixedMS = u.exposedMS
		}
		u.exposedMS, u.version, u.variant = atMS, version, variant
	case isOther && (u.mixedMS == 0 || atMS < u.mixedMS):
		u.mixedMS = atMS
	}
}

// convert takes the earliest conversion that follows the exposure. Until there is one it
// keeps the latest of the others, whose exposure may be still to come: from another stream, or
// because it is confirmed late. So a user who has converted is known to have. But if there were
// several conversions before the exposure came, the earliest may be forgotten, and the user
// counts with a later one. Only a release may lose all: the exposure is a later impression
// then, and of what follows that nothing was kept but the earliest conversion of all.
func (u *experimentUser) convert(atMS int64) {
	had := u.isConverted()
	switch follows := u.exposedMS != 0 && atMS >= u.exposedMS; {
	case follows && (!had || atMS < u.convertMS), !follows && !had && atMS > u.convertMS:
		u.convertMS = atMS
	}
}

// isConverted reports whether the conversion follows the exposure.
func (u *experimentUser) isConverted() bool { return u.exposedMS != 0 && u.convertMS >= u.exposedMS }

func (u *experimentUser) equal(o *experimentUser) bool {
	return u.exposedMS == o.exposedMS && u.version == o.version && bytes.Equal(u.variant, o.variant) &&
		u.mixedMS == o.mixedMS && u.clickMS == o.clickMS && u.convertMS == o.convertMS
}

// drop forgets what is not after a reset of the user.
func (u *experimentUser) drop(resetMS int64) {
	if u.exposedMS <= resetMS {
		u.exposedMS, u.version, u.variant, u.mixedMS, u.clickMS = 0, 0, nil, 0, 0
		if u.convertMS <= resetMS {
			u.convertMS = 0
		}
	}
}

// experimentKey is the key of a row of experiment_count.
type experimentKey struct {
	popup   uint32
	version uint32
	variant string
	outcome popup.Outcome
	days    uint32
}

func (k experimentKey) compare(o experimentKey) int {
	return cmp.Or(cmp.Compare(k.popup, o.popup), cmp.Compare(k.version, o.version), cmp.Compare(k.variant, o.variant),
		cmp.Compare(k.outcome, o.outcome), cmp.Compare(k.days, o.days))
}

// count adds n to the counts that the user is one of.
func (u *experimentUser) count(counts map[experimentKey]int64, n int64) {
	if u.exposedMS == 0 {
		return
	}
	key := experimentKey{popup: u.popup, version: u.version, variant: string(u.variant), outcome: popup.Exposed}
	if u.mixedMS != 0 {
		key.outcome = popup.Mixed
		counts[key] += n
		return
	}
	counts[key] += n
	if u.clickMS != 0 {
		counts[key.after(popup.Clicked, u.clickMS-u.exposedMS)] += n
	}
	if u.isConverted() {
		counts[key.after(popup.Converted, u.convertMS-u.exposedMS)] += n
	}
}

func (k experimentKey) after(outcome popup.Outcome, ms int64) experimentKey {
	const dayMS = 86_400_000
	k.outcome, k.days = outcome, uint32(min(max(ms, 0)/dayMS, popup.MaxExperimentDays))
	return k
}
