package popup

import "time"

// How long what is known of users is kept.
const (
	// TokenLife is how long after an impression its actions are taken, and so how
	// long everything is kept that tells whether they count.
	TokenLife = 7 * 24 * time.Hour
	// KeepAfterWait is how long a state is kept after its last wait has ended.
	KeepAfterWait = time.Hour
)

// State is what is remembered of one user and one popup. The zero State is
// nothing known.
type State struct {
	Impressions  uint32 // shown or, as a control, counted so often
	ServedAtMS   int64  // the latest impression
	Acted        uint8  // Action.Bit of what the user did with that impression
	Last         Action // the latest thing that happened
	AtMS         int64  // and when
	ClickUntilMS int64  // no return before this: what a click asked for
	NextAtMS     int64  // no return before this: the greater of ClickUntilMS and what Last asked for
}

// State returns what the event alone says of its user and popup. It has no
// meaning for a [Reset].
func (e *Event) State() State {
	return State{
		Impressions:  e.Nth,
		ServedAtMS:   e.ServedAtMS,
		Acted:        e.Action.Bit(),
		Last:         e.Action,
		AtMS:         e.AtMS,
		ClickUntilMS: e.ClickUntilMS,
		NextAtMS:     max(e.ReadyAtMS, e.ClickUntilMS),
	}
}

// Merge adds what o knows to s. It is idempotent, commutative and associative,
// so replays, other servers and MySQL may deliver events in any order and any
// number of times. The flusher's upsert says the same in SQL.
func (s *State) Merge(o State) {
	s.Impressions = max(s.Impressions, o.Impressions)
	switch {
	case o.ServedAtMS > s.ServedAtMS:
		s.ServedAtMS, s.Acted = o.ServedAtMS, o.Acted
	case o.ServedAtMS == s.ServedAtMS:
		s.Acted |= o.Acted
	}
	s.ClickUntilMS = max(s.ClickUntilMS, o.ClickUntilMS)
	switch {
	case o.newer(s):
		s.Last, s.AtMS, s.NextAtMS = o.Last, o.AtMS, o.NextAtMS
	case !s.newer(&o):
		s.NextAtMS = max(s.NextAtMS, o.NextAtMS)
	}
	s.NextAtMS = max(s.NextAtMS, s.ClickUntilMS)
}

// newer orders states by time, then by action, so that a tie has one winner.
func (s *State) newer(o *State) bool {
	if s.AtMS != o.AtMS {
		return s.AtMS > o.AtMS
	}
	return s.Last > o.Last
}
