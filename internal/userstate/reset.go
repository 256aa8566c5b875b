package userstate

import (
	"context"
	"errors"
	"fmt"

	"github.com/popupd/popupd/frequency"
	"github.com/popupd/popupd/popup"
)

// Reset drops what is known of a user, here and, by an event, everywhere, and makes
// the tokens of before void. Once it returns nil the event survives the end of the
// process. It returns an error, and drops nothing, if the id is not valid or the
// journal refuses.
func (s *State) Reset(user []byte) error {
	if !popup.ValidUserID(user) {
		return errors.New("reset user: not a valid user id")
	}
	// What was served last may be in the future of a clock that was set back; it
	// must go all the same.
	at := s.now()
	ctx, cancel := context.WithTimeout(context.Background(), lookUpTimeout)
	defer cancel()
	if err := s.LookUpWithin(ctx, user); err != nil {
		s.log.Warn("a user is reset who could not be looked up", "err", err)
	}
	s.table.States(user, func(_ uint32, st popup.State) { at = max(at, st.ServedAtMS) })
	ev := popup.Event{AtMS: frequency.ResetAt(at), User: user, Action: popup.Reset}
	if err := s.journal.Append([]popup.Event{ev}); err != nil {
		return fmt.Errorf("reset user: %w", err)
	}
	s.table.Merge(&ev)
	return nil
}

// Merge merges an event of the journal or of another server.
func (s *State) Merge(ev *popup.Event) { s.table.Merge(ev) }
