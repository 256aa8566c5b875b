package frequency

import (
	"math"

	"github.com/popupd/popupd/popup"
)

// entry is what is remembered of one user and one popup, a [popup.State] in 36
// bytes, as a dump has it. In memory it is packed: see slot.
type entry struct {
	hash        uint64 // of the user
	popup       uint32
	served      tick
	at          tick
	shown       tick
	clickUntil  tick
	next        tick   // never before clickUntil, as a merge leaves it
	impressions uint16 // saturates
	acted       uint8
	last        popup.Action
}

// resetID is the popup, which no popup has, of the entry that says when its user was
// reset: at served, and at. What was served up to then is dropped, until next.
const resetID = 0

// ResetAt returns the time of a reset of what was served up to ms: the last ms of the
// tick, so that this table, which knows ticks, and the database drop the same.
func ResetAt(ms int64) int64 {
	ms = max(ms, epochMS)
	return ms + tickMS - 1 - (ms-epochMS)%tickMS
}

// The size of an entry in a dump, in bytes.
const (
	entrySize   = 36
	entrySizeV1 = 32 // in one of version 1, which does not say shown
)

func (e *entry) state() popup.State {
	return popup.State{
		Impressions:  uint32(e.impressions),
		ServedAtMS:   e.served.ms(),
		ShownAtMS:    e.shown.ms(),
		Acted:        e.acted,
		Last:         e.last,
		AtMS:         e.at.ms(),
		ClickUntilMS: e.clickUntil.ms(),
		NextAtMS:     e.next.ms(),
	}
}

// quantize rounds a state. What happened is rounded down, which keeps served_at
// an identity; waits are rounded up, so that none ends early. A state of a time that
// the table can't hold becomes one of latest, with waits as long.
func quantize(hash uint64, id uint32, s *popup.State) entry {
	at, late := floorTick(s.AtMS), int64(0)
	if at == never {
		at, late = latest, s.AtMS-latest.ms()
	}
	return entry{
		hash:        hash,
		popup:       id,
		served:      clock(s.ServedAtMS),
		at:          at,
		shown:       clock(s.ShownAtMS),
		clickUntil:  until(s.ClickUntilMS, late),
		next:        until(s.NextAtMS, late),
		impressions: uint16(min(s.Impressions, math.MaxUint16)),
		acted:       s.Acted,
		last:        s.Last,
	}
}

// until returns the end of a wait, less what its clock is too late by.
func until(ms, late int64) tick {
	if ms == popup.Never {
		return never
	}
	return ceilTick(ms - late)
}

// stateOf returns what an event says. A wait of nothing is none: rounded up, it
// would last to the end of the tick.
func stateOf(ev *popup.Event) popup.State {
	s := ev.State()
	if s.NextAtMS <= s.AtMS {
		s.NextAtMS, s.ClickUntilMS = 0, 0
	}
	return s
}

// forget drops waits that are over at now.
func (e *entry) forget(now tick) {
	if e.clickUntil <= now {
		e.clickUntil = 0
	}
	if e.next <= now {
		e.next = 0
	}
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

const (
	// maxAhead is how far the names of impressions may run ahead of the clock, when
	// a user polls faster than once a tick.
	maxAhead tick = 1000 / tickMS
	// maxSkew is how far the clocks of servers may differ. What is further ahead is
	// of a clock that was wrong.
	maxSkew tick = 60_000 / tickMS
)

// ready returns when the popup's own waits are over.
func (e *entry) ready(now tick) tick {
	if e.served >= now+maxAhead && e.served <= e.at+maxAhead { // else the clock was set back
		return max(e.next, e.served.after()-maxAhead)
	}
	return e.next
}

// held says which wait e.ready ends.
func (e *entry) held() popup.Reason {
	switch {
	case e.next == 0 || e.clickUntil != e.next:
		return popup.CooldownImpression
	case e.last == popup.Dismiss && e.acted&(popup.Click.Bit()|popup.Convert.Bit()) == 0:
		return popup.CooldownDismiss
	}
	return popup.CooldownClick
}

// settle moves an entry to now if it is from the future.
// Its waits then last as long as they would have if the clock had been right.
// Served stays, since it names the impression.
func (e *entry) settle(now tick) {
	limit := now + maxSkew
	if e.at <= limit && e.shown <= limit {
		return
	}
	if wrong := e.at; wrong > limit {
		e.at = now
		for _, until := range []*tick{&e.clickUntil, &e.next} {
			if *until >= wrong && *until != never {
				*until -= wrong - now
			}
		}
	}
	e.shown = min(e.shown, now)
}

// unconfirmed reports whether the impression of a token waits for the page to confirm
// that it was seen: the latest one if it does, one that is yet unknown if popups like
// it do.
func (e *entry) unconfirmed(token tick, f *popup.Frequency) bool {
	if token == e.served {
		s := popup.State{Acted: e.acted}
		return !s.Confirmed()
	}
	return token > e.served && f != nil && f.ConfirmSec > 0
}

// repeat fills in an action that the entry has already. The event asks for what the
// entry holds and no more, so it lengthens no wait and no gap wherever it is merged. It
// does ask for that, since it may arrive before the action that it repeats.
func (e *entry) repeat(ev *popup.Event) {
	ev.Nth = uint32(e.impressions)
	switch {
	case ev.Action == popup.View && e.acted&popup.Unconfirmed != 0: // the wait and the gap began with the first view
		ev.ReadyAtMS = e.next.earliest()
		ev.AtMS = min(ev.AtMS, max(e.shown.ms(), ev.ServedAtMS))
	case ev.Action == popup.Dismiss:
		ev.ReadyAtMS = e.clickUntil.earliest()
	case ev.Action == popup.Click, ev.Action == popup.Convert:
		ev.ReadyAtMS = e.clickUntil.earliest()
		ev.ClickUntilMS = ev.ReadyAtMS
	}
}

// releaseBit is the bit in acted of a release.
const releaseBit = 16

// seen is [popup.State.Seen].
func (e *entry) seen() uint32 {
	if e.acted&releaseBit == 0 { // as nearly always
		return uint32(e.impressions)
	}
	s := popup.State{Impressions: uint32(e.impressions), Acted: e.acted}
	return s.Seen()
}

// lastSeen is [popup.State.SeenAtMS].
func (e *entry) lastSeen() tick {
	if e.acted&releaseBit == 0 { // as nearly always
		return e.shown
	}
	if s := e.state(); s.SeenAtMS() == 0 {
		return 0
	}
	return e.shown
}

// An entry counts as far as max_impressions may be set.
const _ = uint16(popup.MaxMaxImpressions)

// gapEndMS returns when another popup may follow one that was seen then, with
// gapMS between any two; 0 if nothing was seen or there need be no gap.
func gapEndMS(seen tick, gapMS int64) int64 {
	if seen == 0 || gapMS == 0 {
		return 0
	}
	return seen.ms() + tickMS - 1 + gapMS
}

// tick is a time in steps of 100 ms since the table's epoch. 0 is not set, or
// before the epoch.
type tick uint32

const (
	tickMS       = 100
	epochMS      = 1735689600000 // 2025-01-01T00:00:00Z
	never   tick = math.MaxUint32
	// latest is the time of what happens too late to be told: a year before never, so
	// that waits fit behind it.
	latest = never - 365*86400*1000/tickMS
)

func floorTick(ms int64) tick { return clampTick((ms - epochMS) / tickMS) }

func ceilTick(ms int64) tick { return clampTick((ms - epochMS + tickMS - 1) / tickMS) }

func clampTick(n int64) tick { return tick(min(max(n, 0), int64(never))) }

// clock returns the tick of a time that a clock shows, at most latest.
func clock(ms int64) tick {
	if t := floorTick(ms); t != never {
		return t
	}
	return latest
}

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

// earliest returns the first ms that is rounded up to the tick, 0 if it is not set.
func (t tick) earliest() int64 {
	if t == 0 || t == never {
		return t.ms()
	}
	return t.ms() - tickMS + 1
}

// after returns the next tick.
func (t tick) after() tick {
	if t == never {
		return never
	}
	return t + 1
}
