package userstate

import (
	"log/slog"
	"time"
)

// fullFor is how long nothing has been refused when the users' state is full no more:
// a user who is known may be recorded now and then while others are refused.
const fullFor = time.Minute

// fullWatch logs once that the users' state is full, and once that it is over.
type fullWatch struct {
	log      *slog.Logger
	refused  uint64    // by the table, at the latest look
	lastSeen time.Time // when the latest refusals were seen; zero: the state is not full
}

// look takes note of how many states the table has refused by now.
func (w *fullWatch) look(refused uint64, now time.Time) {
	switch {
	case refused != w.refused:
		if w.lastSeen.IsZero() {
			w.log.Warn("the users' state is full: polls of unknown users get 204, raise -state-max")
		}
		w.refused, w.lastSeen = refused, now
	case !w.lastSeen.IsZero() && now.Sub(w.lastSeen) >= fullFor:
		w.log.Info("the users' state has room again")
		w.lastSeen = time.Time{}
	}
}
