package persist

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"

	"github.com/popupd/popupd/popup"
)

// execer is a connection or a transaction.
type execer interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// remains is what a user's impressions since a reset say of one popup.
type remains struct {
	seen  uint32 // impressions that count
	acted uint8  // what was done with any of them
	ever  uint8
}

func (r *remains) add(acted uint8) {
	r.acted |= acted
	if acted&popup.ControlBit != 0 {
		r.ever |= everControl
	} else {
		r.ever |= everSaw
		if s := (popup.State{Acted: acted}); !s.Released() {
			r.seen++
		}
	}
	if acted&popup.Click.Bit() != 0 {
		r.ever |= everClicked
	}
	if acted&(popup.Convert.Bit()|popup.GoalBit) != 0 {
		r.ever |= everConverted
	}
}

// apply takes out of a state what is older than a reset. A wait that an action asked for
// stays if there was an action since. The row does not tell the own wait of the latest
// impression from an action's that was longer: then neither holds.
func (r *remains) apply(s *popup.State) {
	seen := r.seen
	switch released, confirmed := s.Released(), s.Confirmed(); { // of the latest impression
	case released && confirmed: // State.Seen leaves it out
		seen++
	case !released && !confirmed && seen > 0:
		seen--
	}
	s.Impressions = min(s.Impressions, seen)
	if r.acted&(popup.Click.Bit()|popup.Dismiss.Bit()|popup.Convert.Bit()) == 0 {
		if s.NextAtMS == s.ClickUntilMS {
			s.NextAtMS = 0
		}
		s.ClickUntilMS = 0
	}
}

// rebuildStates takes out of a user's states what is older than a reset, where an
// impression is newer: a server may have served that before it heard of the reset. What
// is newer is in the rows of impression.
func rebuildStates(ctx context.Context, to execer, user any, atMS int64) error {
	// The rows stay locked from here on, so that no flush adds to them between what is
	// read of impression and what is written here.
	if _, err := to.ExecContext(ctx, "UPDATE user_popup SET last_shown_ms = CASE WHEN last_shown_ms > ? THEN last_shown_ms ELSE 0 END"+
		" WHERE user_id = ? AND last_impression_ms > ?", atMS, user, atMS); err != nil {
		return fmt.Errorf("drop what was seen before a reset: %w", err)
	}
	stale, err := staleStates(ctx, to, user, atMS)
	if err != nil {
		return err
	}
	for id, s := range stale {
		_, err := to.ExecContext(ctx, "UPDATE user_popup SET ever = ?, impressions = ?, click_until_ms = ?, next_at_ms = ?"+
			" WHERE user_id = ? AND popup_id = ?", s.ever, s.Impressions, s.ClickUntilMS, s.NextAtMS, user, id)
		if err != nil {
			return fmt.Errorf("rebuild a state after a reset: %w", err)
		}
	}
	return nil
}

// stateSince is a row of user_popup whose impression is newer than its user's reset.
type stateSince struct {
	popup.State
	ever uint8
}

// staleStates returns, by popup, the user's states that still have something of before
// a reset, as they are to be.
func staleStates(ctx context.Context, to execer, user any, atMS int64) (map[uint32]stateSince, error) {
	stale, err := statesSince(ctx, to, user, atMS)
	if err != nil || len(stale) == 0 {
		return nil, err
	}
	since, err := remainsSince(ctx, to, user, atMS)
	if err != nil {
		return nil, err
	}
	for id, was := range stale {
		s := was
		if s.ShownAtMS <= atMS {
			s.ShownAtMS = 0
		}
		if r := since[id]; r != nil { // nil: written by a version that did not keep impressions
			r.apply(&s.State)
			s.ever = r.ever | everKept
		}
		stale[id] = s
		if s == was {
			delete(stale, id)
		}
	}
	return stale, nil
}

func statesSince(ctx context.Context, to execer, user any, atMS int64) (map[uint32]stateSince, error) {
	rows, err := to.QueryContext(ctx, "SELECT popup_id, ever, impressions, last_shown_ms, acted, click_until_ms, next_at_ms FROM user_popup"+
		" WHERE user_id = ? AND last_impression_ms > ?", user, atMS)
	if err != nil {
		return nil, fmt.Errorf("read states after a reset: %w", err)
	}
	defer rows.Close()
	states := map[uint32]stateSince{}
	for rows.Next() {
		var id uint32
		var s stateSince
		if err := rows.Scan(&id, &s.ever, &s.Impressions, &s.ShownAtMS, &s.Acted, &s.ClickUntilMS, &s.NextAtMS); err != nil {
			return nil, fmt.Errorf("read states after a reset: %w", err)
		}
		states[id] = s
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read states after a reset: %w", err)
	}
	return states, nil
}

func remainsSince(ctx context.Context, to execer, user any, atMS int64) (map[uint32]*remains, error) {
	rows, err := to.QueryContext(ctx, "SELECT popup_id, acted FROM impression WHERE user_id = ? AND served_at_ms > ?", user, atMS)
	if err != nil {
		return nil, fmt.Errorf("read impressions after a reset: %w", err)
	}
	defer rows.Close()
	since := map[uint32]*remains{}
	for rows.Next() {
		var id uint32
		var acted uint8
		if err := rows.Scan(&id, &acted); err != nil {
			return nil, fmt.Errorf("read impressions after a reset: %w", err)
		}
		if since[id] == nil {
			since[id] = &remains{}
		}
		since[id].add(acted)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read impressions after a reset: %w", err)
	}
	return since, nil
}

// correctStates rebuilds the states of the batch whose users were reset, where a server
// that had not heard of the reset has numbered the impression. It looks first, since a
// user who was reset may see the popup again and again for as long as resets are kept.
func (w *writer) correctStates(ctx context.Context, conn *sql.Conn) error {
	var last []byte
	for i := range w.sums.states {
		s := &w.sums.states[i]
		at, ok := w.resets.of(s.user)
		if !ok || s.Impressions <= 1 || bytes.Equal(s.user, last) {
			continue
		}
		last = s.user
		user := w.dialect.user(s.user)
		stale, err := staleStates(ctx, conn, user, at)
		if err == nil && len(stale) > 0 {
			err = rebuildStates(ctx, conn, user, at)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
