package frequency

import (
	"time"

	"github.com/popupd/popupd/popup"
)

// User is one user's entries, with the shard that holds them locked: everything
// between [Table.Lock] and [User.Unlock] is one step. It must not be used after
// Unlock, nor by two goroutines.
type User struct {
	t *Table
	span
	prior span // of the id that the user had before, see [Table.LockBoth]; without a shard if there is none

	gapMS    int64 // see gapEnd
	gapKnown bool

	caps *FullCaps // nil until [User.CheckCaps]
}

// Unlock ends the step.
func (u *User) Unlock() {
	u.s.mu.Unlock()
	if u.prior.s != nil && u.prior.s != u.s {
		u.prior.s.mu.Unlock()
	}
}

// Known reports whether anything is remembered of the user.
func (u *User) Known() bool { return u.hi > u.lo }

// Hash returns the keyed hash of the user's id, never 0.
func (u *User) Hash() uint64 { return u.hash }

// Verdict is what [User.Check] says of one popup.
type Verdict struct {
	Reason     popup.Reason // Eligible, or the first gate that stops it
	ReadyAtMS  int64        // when all gates will be open; not after now if eligible, popup.Never if never
	ServedAtMS int64        // the latest impression or control; 0: none yet
}

// Check says whether the user may see a popup at nowMS: [popup.Eligible], or
// CooldownClick, CooldownDismiss, CooldownImpression, MaxImpressionsSeen or MinGap. What a
// clock that was wrong left in the future it moves to nowMS. Where the user had
// another id before, the later wait counts, and the impressions of both.
func (u *User) Check(id uint32, f *popup.Frequency, nowMS int64) Verdict {
	var v Verdict
	now := clock(nowMS)
	seen := u.wait(&u.span, &v, id, now)
	if u.prior.s != nil {
		seen += u.wait(&u.prior, &v, id, now)
	}
	if f.MaxImpressions > 0 && seen >= f.MaxImpressions {
		v.stop(popup.MaxImpressionsSeen, popup.Never)
	}
	if gap := u.t.gapMS.Load(); gap > 0 && !f.IgnoreMinGap {
		if end := u.gapEnd(gap, now); min(nowMS, latest.ms()) < end {
			v.stop(popup.MinGap, end)
		}
	}
	return v
}

// wait adds to v what an entry for the popup asks to wait, and returns how many
// impressions count.
func (u *User) wait(of *span, v *Verdict, id uint32, now tick) (seen uint32) {
	i := of.find(id)
	if i < 0 {
		return 0
	}
	e := of.s.unpack(i, of.hash)
	if e.at > now+maxSkew || e.shown > now+maxSkew {
		u.settle(of, i, &e, now)
	}
	v.ServedAtMS = max(v.ServedAtMS, e.served.ms())
	if ready := e.ready(now); ready > now && ready.ms() > v.ReadyAtMS {
		v.Reason, v.ReadyAtMS = e.held(), ready.ms()
	}
	return e.seen()
}

// gapEnd returns when another popup may follow what the user saw; 0 if nothing
// was seen. It is looked for once, whatever the number of popups to check.
func (u *User) gapEnd(gapMS int64, now tick) int64 {
	if !u.gapKnown {
		seen := u.lastSeen(&u.span, now)
		if u.prior.s != nil {
			seen = max(seen, u.lastSeen(&u.prior, now))
		}
		u.gapMS, u.gapKnown = gapEndMS(seen, gapMS), true
	}
	return u.gapMS
}

// lastSeen returns when the user last saw a popup.
func (u *User) lastSeen(of *span, now tick) (seen tick) {
	for i := of.lo; i < of.hi; i += of.s.width(i) {
		at := of.s.seen(i)
		if at > now+maxSkew {
			e := of.s.unpack(i, of.hash)
			u.settle(of, i, &e, now)
			i, at = of.find(e.popup), e.lastSeen()
		}
		seen = max(seen, at)
	}
	return seen
}

// settle moves the entry whose first slot is i from the future to now.
func (u *User) settle(of *span, i int, e *entry, now tick) {
	e.settle(now)
	u.put(of, i, e, now.ms(), u.t.maxBytes) // without memory for it the next check tries again
}

// stop adds a closed gate. The first one is the reason, the last one to open
// decides when.
func (v *Verdict) stop(r popup.Reason, untilMS int64) {
	if v.Reason == popup.Eligible {
		v.Reason = r
	}
	v.ReadyAtMS = max(v.ReadyAtMS, untilMS)
}

// Undo takes back a [User.Serve] or [User.Act]. The zero Undo takes back nothing.
type Undo struct {
	before entry // zero: there was none
	after  entry
	bit    uint8 // of an action on the latest impression
	noted  noted
	token  tick // of the impression that was noted
}

// Serve records that a popup is returned to the user, or with the action
// [popup.Control] that it would have been. The caller has checked that it may
// and gives User, Popup, Version, Variant, Action and AtMS; Serve fills the
// rest. AtMS is not before what happened already, and ServedAtMS later than that of
// every impression before and than a reset, should the clock have been set back or
// the user ask twice in a tick. It returns false if there is no memory for it: then
// nothing has changed.
func (u *User) Serve(ev *popup.Event, f *popup.Frequency) (Undo, bool) {
	if !u.added(ev.AtMS, u.t.forNew()) {
		return Undo{}, false
	}
	i, e := u.entry(ev.Popup)
	before := e
	e.settle(clock(ev.AtMS))
	e.forget(clock(ev.AtMS))
	served := *ev
	served.AtMS = max(ev.AtMS, e.at.ms(), tick(1).ms())
	served.ServedAtMS = max(served.AtMS, max(e.served, u.resetAt()).after().ms())
	served.Nth, served.ReadyAtMS = e.seen()+1, popup.Until(served.AtMS, f.AfterImpressionSec)
	switch {
	case ev.Action == popup.Control && e.last == popup.Control:
		served.Nth = 2 // not the user's first, so nobody need ask the database
	case ev.Action == popup.Control:
		served.Nth = 1
	case f.ConfirmSec > 0: // it counts, and its wait begins, once the page says that it was seen
		served.Nth, served.ReadyAtMS = 0, popup.Until(served.AtMS, f.ConfirmSec)
	}
	served.ClickUntilMS = 0
	after := e.merged(u.hash, ev.Popup, stateOf(&served))
	token := clock(served.ServedAtMS)
	n, ok := u.note(ev.Popup, token, flagsOf(&served), ev.AtMS, u.t.forNew())
	if !ok {
		return Undo{}, false
	}
	if n.changed {
		i = u.find(ev.Popup)
	}
	if !u.put(&u.span, i, &after, ev.AtMS, u.t.forNew()) {
		u.unnote(n, ev.Popup, token)
		return Undo{}, false
	}
	*ev = served
	return Undo{before: before, after: after, noted: n, token: token}, true
}

// Outcome is what became of an action.
type Outcome uint8

// What [User.Act] returns. What is counted or repeated goes on to be recorded: the
// database knows impressions by the millisecond, and decides whether an action counts.
const (
	Counted  Outcome = iota + 1 // new, as far as this server knows
	Repeated                    // done before with an impression of that tick, this one or another server's; nothing has changed
	Void                        // the user was reset since
	Full                        // no memory; nothing has changed
)

// Act records what the user did ageMS ago with an impression: ev.Popup, ServedAtMS
// and Action say what, AtMS is now. Unless it is void, Act fills Nth (0 if this server
// does not know the impression), ReadyAtMS and ClickUntilMS, and moves AtMS to when
// it happened, at most now and not before the impression. A nil f is a popup that
// is no longer configured and asks for no wait.
//
// A repeat asks for the wait that runs already: see entry.repeat. An action on an
// impression before the latest, or on one that is not known, may be a repeat, too: its
// wait then runs anew, but from no later than [popup.TokenLife] after the impression.
func (u *User) Act(ev *popup.Event, f *popup.Frequency, ageMS int64) (Undo, Outcome) {
	if !u.added(ev.AtMS, u.t.maxBytes) {
		return Undo{}, Full
	}
	i, e := u.entry(ev.Popup)
	before := e
	e.settle(clock(ev.AtMS))
	token, bit := clock(ev.ServedAtMS), ev.Action.Bit()
	if token <= u.resetAt() {
		return Undo{}, Void
	}
	acted := *ev
	acted.AtMS = actedAtMS(max(ev.AtMS, e.at.ms()), ageMS, ev.ServedAtMS)
	acted.Nth, acted.ReadyAtMS, acted.ClickUntilMS = 0, 0, 0
	confirms := ev.Action != popup.Release && e.unconfirmed(token, f)
	switch {
	case token == e.served && e.acted&bit != 0:
		e.repeat(&acted)
		*ev = acted
		return Undo{}, Repeated
	case confirms:
		acted.Nth = e.seen() + 1
	case token == e.served:
		acted.Nth = uint32(e.impressions)
	}
	switch ev.Action {
	case popup.View:
		if confirms && f != nil {
			acted.ReadyAtMS = popup.Until(acted.AtMS, f.AfterImpressionSec)
		}
	case popup.Dismiss:
		acted.ReadyAtMS = popup.Until(acted.AtMS, wait(ev.Action, f))
	case popup.Click, popup.Convert:
		acted.ReadyAtMS = popup.Until(acted.AtMS, wait(ev.Action, f))
		acted.ClickUntilMS = acted.ReadyAtMS
	}
	after := e.merged(u.hash, ev.Popup, stateOf(&acted))
	n, ok := u.note(ev.Popup, token, flagsOf(&acted), ev.AtMS, u.t.maxBytes)
	if !ok {
		return Undo{}, Full
	}
	if n.changed {
		i = u.find(ev.Popup)
	}
	if !u.put(&u.span, i, &after, ev.AtMS, u.t.maxBytes) {
		u.unnote(n, ev.Popup, token)
		return Undo{}, Full
	}
	*ev = acted
	undo := Undo{before: before, after: after, noted: n, token: token}
	if token == after.served {
		undo.bit = bit
	}
	return undo, Counted
}

// actedAtMS returns when it was ageMS before nowMS, but not before the impression.
// The name of an impression that is days ahead does not tell when it was.
func actedAtMS(nowMS, ageMS, servedMS int64) int64 {
	at := nowMS - ageMS
	if servedMS-nowMS <= (24 * time.Hour).Milliseconds() {
		at = max(at, servedMS)
	}
	return at
}

// wait returns the seconds that an action asks for.
func wait(a popup.Action, f *popup.Frequency) int64 {
	switch {
	case f == nil:
		return 0
	case a == popup.Dismiss:
		return f.AfterDismissSec
	}
	return f.AfterClickSec
}

// Undo takes back what could not be journaled, if the entry still carries the
// same impression. If something else was added to the entry meanwhile, only the
// action's bit is taken back, so that it can be repeated: the waits may then
// be too long, but nothing that was recorded is lost.
func (u *User) Undo(x Undo) {
	if x.after.hash != u.hash {
		return
	}
	u.unnote(x.noted, x.after.popup, x.token)
	i, e := u.entry(x.after.popup)
	if i < 0 {
		return
	}
	switch {
	case e.served != x.after.served:
	case e != x.after:
		e.acted &^= x.bit
		u.put(&u.span, i, &e, 0, u.t.maxBytes)
	case x.before.hash == 0, x.before.served <= u.resetAt():
		u.s.remove(i)
		u.look()
		u.gapKnown = false
	case !u.put(&u.span, i, &x.before, 0, u.t.maxBytes):
		// It needs more memory than is left: as if something was added.
		e.acted &^= x.bit
		u.put(&u.span, i, &e, 0, u.t.maxBytes)
	}
}

// merge adds a state to the user's entry for a popup, unless a reset covers it. It
// returns false, with nothing changed, if the table would have more than limit bytes even
// without what has expired at nowMS.
func (u *User) merge(id uint32, s popup.State, nowMS, limit int64) bool {
	if clock(s.ServedAtMS) <= u.resetAt() && id != resetID {
		return true
	}
	if !u.added(nowMS, limit) {
		return false
	}
	i, e := u.entry(id)
	e = e.merged(u.hash, id, s)
	e.forget(min(e.at, clock(nowMS)))
	return u.put(&u.span, i, &e, nowMS, limit)
}

// reset removes what was served up to at, and has what comes later from then
// removed, too, for as long as tokens live.
func (u *User) reset(at tick, nowMS int64) bool {
	for i := u.lo; i < u.hi; {
		if e := u.s.unpack(i, u.hash); e.served <= at && e.popup != resetID {
			u.hi -= u.s.width(i)
			u.s.remove(i)
		} else {
			i += u.s.width(i)
		}
	}
	u.look()
	u.gapKnown = false
	u.forgetImpressions(at)
	return u.merge(resetID, popup.State{
		ServedAtMS: at.ms(), AtMS: at.ms(), NextAtMS: at.ms() + popup.TokenLife.Milliseconds(),
	}, nowMS, u.t.maxBytes)
}

// put replaces the entry whose first slot is i, or adds one if i is -1. Where the
// table has limit bytes it makes room only by reclaiming what has expired at nowMS;
// if that is not enough it shortens an entry that is there already, or else counts
// the failure, changes nothing else and returns false.
func (u *User) put(of *span, i int, e *entry, nowMS, limit int64) bool {
	s, used := of.s, of.s.used
	u.gapKnown = false
	for i >= 0 && !s.replace(i, e) || i < 0 && !s.insert(e) {
		if !u.t.growLocked(&s.sorted, limit) && !u.t.reclaimLocked(of.hash, nowMS) {
			if i >= 0 && e.shorten() {
				continue
			}
			u.t.refused.Add(1)
			return false
		}
		u.look()
		i, used = of.find(e.popup), s.used // it may have been what was reclaimed
	}
	if s.used != used {
		u.look()
	}
	return true
}

// look finds the user's slots again.
func (u *User) look() {
	u.span.look()
	if u.prior.s != nil {
		u.prior.look()
	}
}
