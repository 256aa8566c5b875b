package api

import (
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/popupd/popupd/console"
	"github.com/popupd/popupd/popup"
)

// journalKept is how long after a reset the journal of a server that runs may hold the
// user's id: an hour until the segment is full or rolled, two dumps of the users'
// state and the journal's grace after that, and time to spare.
const journalKept = 2 * time.Hour

// sampleKept is how long after a reset a server that is cut off and does not hear of it may keep
// polls of before for simulations, in memory or in its file, which is written every five minutes.
const sampleKept = popup.SampleWindow + 15*time.Minute

// erasureState is how far an erasure has come. Times are RFC 3339, UTC.
type erasureState struct {
	ID          int64      `json:"id"`
	State       string     `json:"state"` // pending or done
	RequestedAt *time.Time `json:"requested_at"`
	DoneAt      *time.Time `json:"done_at"` // null: not yet
	Kept        []keptIn   `json:"kept"`
}

// keptIn is a place that still holds something of the user.
type keptIn struct {
	Where string     `json:"where"`
	Until *time.Time `json:"until"` // null: no end is known
}

// erasureURL returns where an erasure is told.
func erasureURL(id int64) string { return "/v1/admin/erasures/" + strconv.FormatInt(id, 10) }

// getErasure tells how far a reset has come in the store, and what is still kept.
func (a *API) getErasure(w http.ResponseWriter, r *http.Request) error {
	id, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
	if err != nil || id < 1 {
		return invalidParameter("id", "must be a number, as the reset was answered with.")
	}
	ctx, cancel := reading(r)
	defer cancel()
	e, err := a.config.Trail.Erasure(ctx, id)
	if errors.Is(err, popup.ErrNotFound) {
		return console.NewProblem(http.StatusNotFound, "erasure_not_found", "No reset was answered with this id.")
	}
	if err != nil {
		return err
	}
	console.WriteJSON(w, http.StatusOK, stateOf(e, a.config.Now()))
	return nil
}

func stateOf(e popup.Erasure, nowMS int64) erasureState {
	s := erasureState{ID: e.ID, State: "pending", RequestedAt: popup.TimeOf(e.AskedMS), DoneAt: popup.TimeOf(e.DoneMS), Kept: []keptIn{}}
	// keep adds a place that is rid of the user at untilMS; 0: nobody knows when.
	keep := func(where string, untilMS int64) {
		if untilMS == 0 || nowMS < untilMS {
			s.Kept = append(s.Kept, keptIn{where, popup.TimeOf(untilMS)})
		}
	}
	life := popup.TokenLife.Milliseconds()
	if e.DoneMS == 0 {
		keep("events", 0)
		keep("journals", 0)
		keep("erasures", 0)
	} else {
		s.State = "done"
		keep("journals", e.AskedMS+journalKept.Milliseconds())
		keep("erasures", e.DoneMS+life)
	}
	keep("samples", e.AskedMS+sampleKept.Milliseconds())
	keep("dumps", e.AskedMS+life)
	if e.Audited {
		keep("audit", 0)
	}
	return s
}
