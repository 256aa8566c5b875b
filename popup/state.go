package popup

import "time"

// How long what is known of users is kept.
const (
	// TokenLife is how long after an impression its actions are taken, and so how
	// long everything is kept that tells whether they count.
	TokenLife = 7 * 24 * time.Hour
	// KeepAfterWait is how long a state is kept after its last wait has ended.
	KeepAfterWait = time.Hour
	// ReleaseWithin is how long after an impression a [Release] is taken.
	ReleaseWithin = 10 * time.Minute
	// SampleWindow is how long a poll is kept for simulations.
	SampleWindow = 24 * time.Hour
)

// State is what is remembered of one user and one popup. The zero State is
// nothing known.
type State struct {
	Impressions  uint32 // the greatest Nth of an impression; see Seen
	ServedAtMS   int64  // names the latest impression or control
	ShownAtMS    int64  // when the user last saw the popup; 0: never, as far as is known
	Acted        uint8  // of the latest impression: Action.Bit of what the user did, and Unconfirmed
	Last         Action // the latest thing that happened
	AtMS         int64  // and when
	ClickUntilMS int64  // no return before this: the longest wait that actions asked for, on whichever impression
	NextAtMS     int64  // no return before this: ClickUntilMS, or the latest impression's own wait if that is longer and not ended by an action
}

const (
	// acts are the bits of the actions that ask for a wait.
	acts = clickBit | dismissBit | convertBit
	// endsWait are the bits of what ends the wait of its impression.
	endsWait = acts | releaseBit
)

// State returns what the event alone says of its user and popup. A [Goal] says
// nothing; for a [Reset] it has no meaning.
func (e *Event) State() State {
	if e.Action == Goal {
		return State{}
	}
	s := State{ServedAtMS: e.ServedAtMS, Acted: e.Action.Bit(), Last: e.Action, AtMS: e.AtMS}
	switch e.Action {
	case Impression:
		s.NextAtMS = e.ReadyAtMS
		if e.Nth == 0 {
			s.Acted = Unconfirmed
		} else {
			s.ShownAtMS = e.AtMS
		}
	case Control:
		s.NextAtMS = e.ReadyAtMS
		return s // takes no place among the impressions
	case View:
		s.NextAtMS = e.ReadyAtMS
		s.ShownAtMS = e.ServedAtMS
		if e.ReadyAtMS != 0 { // the wait begins with the view
			s.ShownAtMS = e.AtMS
		}
	case Click, Dismiss, Convert:
		s.ClickUntilMS = max(e.ReadyAtMS, e.ClickUntilMS)
		s.NextAtMS = s.ClickUntilMS
		s.ShownAtMS = e.ServedAtMS
	}
	s.Impressions = e.Nth
	return s
}

// Merge adds what o knows to s. It is idempotent, commutative and associative,
// so replays, other servers and MySQL may deliver events in any order and any
// number of times. The flusher's upsert says the same in SQL.
func (s *State) Merge(o State) {
	s.Impressions = max(s.Impressions, o.Impressions)
	s.ShownAtMS = max(s.ShownAtMS, o.ShownAtMS)
	s.ClickUntilMS = max(s.asked(), o.asked())
	switch {
	case o.ServedAtMS > s.ServedAtMS:
		s.ServedAtMS, s.Acted, s.NextAtMS = o.ServedAtMS, o.Acted, o.NextAtMS
	case o.ServedAtMS == s.ServedAtMS:
		s.Acted |= o.Acted
		s.NextAtMS = max(s.NextAtMS, o.NextAtMS)
	}
	if s.Acted&endsWait != 0 {
		s.NextAtMS = s.ClickUntilMS
	}
	s.NextAtMS = max(s.NextAtMS, s.ClickUntilMS)
	if o.newer(s) {
		s.Last, s.AtMS = o.Last, o.AtMS
	}
}

// asked returns the longest wait that actions asked for. Of states that earlier
// releases have stored, a dismiss's is in NextAtMS alone.
func (s *State) asked() int64 {
	if s.Acted&acts != 0 {
		return s.NextAtMS
	}
	return s.ClickUntilMS
}

// newer orders states by time, then by action, so that a tie has one winner.
func (s *State) newer(o *State) bool {
	if s.AtMS != o.AtMS {
		return s.AtMS > o.AtMS
	}
	return s.Last > o.Last
}

// Upgrade fills in what states do not say that were stored before there was ShownAtMS.
// It leaves later ones as they are: without ShownAtMS, they are of releases, controls and
// impressions that nobody has confirmed.
func (s *State) Upgrade() {
	if s.ShownAtMS == 0 && s.Impressions > 0 && s.Last != Control && s.Last != Release && s.Acted&(releaseBit|Unconfirmed) == 0 {
		s.ShownAtMS = s.ServedAtMS
	}
}

// Released reports whether the latest impression is as if it had not been served.
// What the user clicked, dismissed or converted on was shown, whatever the page says.
func (s *State) Released() bool { return s.Acted&endsWait == releaseBit }

// Confirmed reports whether the latest impression counts as seen.
func (s *State) Confirmed() bool { return s.Acted&(Unconfirmed|acts|viewBit) != Unconfirmed }

// Seen returns how many impressions count towards [Frequency.MaxImpressions].
func (s *State) Seen() uint32 {
	if s.Impressions > 0 && s.Released() && s.Confirmed() {
		return s.Impressions - 1
	}
	return s.Impressions
}

// SeenAtMS returns when the user last saw the popup, which the least gap between
// popups goes by; 0: never.
func (s *State) SeenAtMS() int64 {
	if s.Released() && s.Confirmed() { // else ShownAtMS is that of an impression before
		return 0
	}
	return s.ShownAtMS
}

// Wait says that a user waits for a popup, whatever becomes of other popups. A user may have
// thousands, so it is packed: popup 32, impressions 16, for ever 8, reason 8.
type Wait uint64

// NewWait returns a wait of a user who has seen a popup so many times, see [State.Seen]. The
// reason is CooldownClick, CooldownDismiss or CooldownImpression.
func NewWait(id uint32, seen uint16, forever bool, reason Reason) Wait {
	w := Wait(id)<<32 | Wait(seen)<<16 | Wait(reason)
	if forever {
		w |= 1 << 8
	}
	return w
}

// Popup returns the id of the popup.
func (w Wait) Popup() uint32 { return uint32(w >> 32) }

// Seen returns how many impressions count.
func (w Wait) Seen() uint32 { return uint32(w >> 16 & 0xffff) }

// Forever reports whether the wait never ends.
func (w Wait) Forever() bool { return w>>8&1 != 0 }

// IsUsual reports whether the wait is like most: it ends, and its reason is CooldownImpression.
func (w Wait) IsUsual() bool { return uint16(w) == uint16(CooldownImpression) }

// Reason returns what stops the popup.
func (w Wait) Reason() Reason { return Reason(w) }
