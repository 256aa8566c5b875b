package frequency

import (
	"math"

	"github.com/popupd/popupd/popup"
)

// entry is what is remembered of one user and one popup, a [popup.State] in 32
// bytes, as a dump has it. In memory it is packed: see slot.
type entry struct {
	hash        uint64 // of the user
	popup       uint32
	served      tick
	at          tick
	clickUntil  tick   // 0 once it is not after at
	next        tick   // never before clickUntil, as a merge leaves it
	impressions uint16 // saturates
	acted       uint8
	last        popup.Action
}

// entrySize is the size of an entry in a dump, in bytes.
const entrySize = 32

func (e *entry) state() popup.State {
	return popup.State{
		Impressions:  uint32(e.impressions),
		ServedAtMS:   e.served.ms(),
		Acted:        e.acted,
		Last:         e.last,
		AtMS:         e.at.ms(),
		ClickUntilMS: e.clickUntil.ms(),
		NextAtMS:     e.next.ms(),
	}
}

// quantize rounds a state. What happened is rounded down, which keeps served_at
// an identity; waits are rounded up, so that none ends early. A click's wait that
// was over when something else happened is dropped: no wait ends before what
// asked for it, so a later merge can't need it, in whatever order they come.
func quantize(hash uint64, id uint32, s *popup.State) entry {
	e := entry{
		hash:        hash,
		popup:       id,
		served:      floorTick(s.ServedAtMS),
		at:          floorTick(s.AtMS),
		clickUntil:  ceilTick(s.ClickUntilMS),
		next:        ceilTick(s.NextAtMS),
		impressions: uint16(min(s.Impressions, math.MaxUint16)),
		acted:       s.Acted,
		last:        s.Last,
	}
	if e.clickUntil <= e.at {
		e.clickUntil = 0
	}
	return e
}

// merged returns the entry with what s knows added. Both sides are rounded
// before they are compared, so the order of arrival makes no difference here
// either.
func (e *entry) merged(hash uint64, id uint32, s popup.State) entry {
	o := quantize(hash, id, &s)
	m := e.state()
	m.Merge(o.state())
	return quantize(hash, id, &m)
}

// ready returns when the popup's own waits are over. It is later than the
// latest thing that happened by at least a tick: two impressions must differ in
// served, and a new one must count as newer than what came before it.
func (e *entry) ready() tick { return max(e.next, e.at.after()) }

// held says which wait e.ready ends.
func (e *entry) held() popup.Reason {
	switch {
	case e.last == popup.Click, e.last == popup.Convert, e.clickUntil != 0 && e.clickUntil == e.next:
		return popup.CooldownClick
	case e.last == popup.Dismiss:
		return popup.CooldownDismiss
	}
	return popup.CooldownImpression
}

// capped reports whether the entry has used up the allowed impressions.
func (e *entry) capped(limit uint32) bool {
	return limit > 0 && uint32(e.impressions) >= limit
}

// An entry counts as far as max_impressions may be set.
const _ = uint16(popup.MaxMaxImpressions)

// gapEndMS returns when another popup may follow one that was served then, with
// gapMS between any two; 0 if nothing was shown.
func gapEndMS(served tick, last popup.Action, gapMS int64) int64 {
	switch {
	case served == 0, last == popup.Control:
		return 0
	case served == never:
		return popup.Never
	}
	return served.ms() + tickMS - 1 + gapMS
}

// tick is a time in steps of 100 ms since the table's epoch. 0 is not set, or
// before the epoch.
type tick uint32

const (
	tickMS       = 100
	epochMS      = 1735689600000 // 2025-01-01T00:00:00Z
	never   tick = math.MaxUint32
)

func floorTick(ms int64) tick { return clampTick((ms - epochMS) / tickMS) }

func ceilTick(ms int64) tick { return clampTick((ms - epochMS + tickMS - 1) / tickMS) }

func clampTick(n int64) tick { return tick(min(max(n, 0), int64(never))) }

// ms returns the start of the tick, 0 if it is not set.
func (t tick) ms() int64 {
	switch t {
	case 0:
		return 0
	case never:
		return popup.Never
	}
	return epochMS + int64(t)*tickMS
}

// after returns the next tick.
func (t tick) after() tick {
	if t == never {
		return never
	}
	return t + 1
}
