package userstate

import (
	"errors"
	"fmt"

	"github.com/popupd/popupd/popup"
)

// Reset drops what is known of a user, here and, by an event, everywhere. Once it
// returns nil the event survives the end of the process. It returns an error, and
// drops nothing, if the id is not valid or the journal refuses.
func (s *State) Reset(user []byte) error {
	if !popup.ValidUserID(user) {
		return errors.New("reset user: not a valid user id")
	}
	// What happened last may be in the future of a clock that was set back; it
	// must go all the same.
	ev := popup.Event{AtMS: s.now(), User: user, Action: popup.Reset}
	s.table.States(user, func(_ uint32, st popup.State) { ev.AtMS = max(ev.AtMS, st.AtMS) })
	if err := s.journal.Append([]popup.Event{ev}); err != nil {
		return fmt.Errorf("reset user: %w", err)
	}
	s.forget(&ev)
	return nil
}

// forget applies a reset and remembers it, because what it drops may still come
// from the journal or the database.
func (s *State) forget(ev *popup.Event) {
	s.resetsMu.Lock()
	s.resets[string(ev.User)] = max(s.resets[string(ev.User)], ev.AtMS)
	s.resetsMu.Unlock()
	s.table.Merge(ev)
}

// unlessReset calls fn unless the user was reset at this time or later. A reset
// that comes meanwhile waits for fn, and so drops what fn adds.
func (s *State) unlessReset(user []byte, atMS int64, fn func()) {
	s.resetsMu.Lock()
	defer s.resetsMu.Unlock()
	if len(s.resets) == 0 || atMS > s.resets[string(user)] {
		fn()
	}
}

// Merge merges an event of the journal or of another server.
func (s *State) Merge(ev *popup.Event) {
	if ev.Action == popup.Reset {
		s.forget(ev)
		return
	}
	s.unlessReset(ev.User, ev.AtMS, func() { s.table.Merge(ev) })
}
