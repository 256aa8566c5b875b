package api

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/popupd/popupd/console"
	"github.com/popupd/popupd/popup"
)

// userState is what is remembered of a user and one popup.
type userState struct {
	PopupID uint32 `json:"popup_id"`
	Popup   string `json:"popup"` // its key; empty once it is archived
	popup.StateReport
}

// userOf returns the user that the path names, or the query where the path has
// no id, once this server knows its users. Browsers and many programs take "."
// and ".." out of a path, even when they are percent-encoded, so ids that are
// one of these need the query.
func (a *API) userOf(r *http.Request) ([]byte, error) {
	ids := r.URL.Query()["uid"]
	if id := r.PathValue("uid"); id != "" {
		ids = []string{id}
	}
	if len(ids) != 1 || !popup.ValidUserID([]byte(ids[0])) {
		return nil, invalidParameter("uid", "must be given once: 1 to 128 bytes of UTF-8 without control characters.")
	}
	if err := a.config.Ready(); err != nil {
		return nil, console.NotReady(err)
	}
	return []byte(ids[0]), nil
}

// servedPopup is an impression of a user, or a control.
type servedPopup struct {
	ServedAt *time.Time `json:"served_at"`
	PopupID  uint32     `json:"popup_id"`
	Popup    string     `json:"popup"` // its key; empty once it is archived
	Version  uint32     `json:"version"`
	Variant  string     `json:"variant"`
	Control  bool       `json:"control"`
	Acted    []string   `json:"acted"`
}

const (
	recentImpressions = 20              // listed of a user, of as many popups at most
	historyTimeout    = 2 * time.Second // what is remembered does not wait longer for them
)

// getUser shows what this server remembers, and the latest impressions that the store has. A
// user of whom nothing is remembered is no error: nobody registers users.
func (a *API) getUser(w http.ResponseWriter, r *http.Request) error {
	uid, err := a.userOf(r)
	if err != nil {
		return err
	}
	if err := a.lookUp(r.Context(), uid); err != nil {
		return err
	}
	popups := a.config.Snapshots.Current()
	key := func(id uint32) string {
		if p := popups.Popup(id); p != nil {
			return p.Key
		}
		return ""
	}
	states, served := []userState{}, []popup.Served{}
	a.config.Users.States(uid, func(id uint32, st popup.State) {
		states = append(states, userState{PopupID: id, Popup: key(id), StateReport: st.Report()})
		if st.ServedAtMS > 0 {
			served = append(served, popup.Served{PopupID: id, AtMS: st.ServedAtMS})
		}
	})
	slices.SortFunc(states, func(x, y userState) int { return cmp.Compare(x.PopupID, y.PopupID) })
	console.WriteJSON(w, http.StatusOK, struct {
		UID    string        `json:"uid"`
		States []userState   `json:"states"`
		Recent []servedPopup `json:"recent"` // null: the store can't be asked now
	}{string(uid), states, a.recent(r.Context(), uid, served, key)})
	return nil
}

// lookUp waits until it is known what these users have seen, but not for long.
func (a *API) lookUp(ctx context.Context, users ...[]byte) error {
	ctx, cancel := context.WithTimeout(ctx, historyTimeout)
	defer cancel()
	if err := a.config.Users.LookUpWithin(ctx, users...); err != nil {
		return console.Unavailable("store_unavailable", "What this user has seen can't be looked up at the moment.", err)
	}
	return nil
}

// recent returns the latest impressions of a user, nil if the store does not answer. latest
// has the last one of each popup: those of the popups that were served last are all that
// can be among them.
func (a *API) recent(ctx context.Context, uid []byte, latest []popup.Served, key func(id uint32) string) []servedPopup {
	slices.SortFunc(latest, func(x, y popup.Served) int { return cmp.Compare(y.AtMS, x.AtMS) })
	var ids []uint32
	for _, s := range latest[:min(len(latest), recentImpressions)] {
		ids = append(ids, s.PopupID)
	}
	ctx, cancel := context.WithTimeout(ctx, historyTimeout)
	defer cancel()
	list, err := a.config.History.RecentImpressions(ctx, uid, ids, recentImpressions)
	if err != nil {
		a.config.Log.Warn("the latest impressions of a user could not be read", "err", err)
		return nil
	}
	recent := []servedPopup{}
	for i := range list {
		s := &list[i]
		recent = append(recent, servedPopup{popup.TimeOf(s.AtMS), s.PopupID, key(s.PopupID), s.Version, s.Variant, s.Acted&popup.ControlBit != 0, s.Did()})
	}
	return recent
}

// resetUser forgets a user. The audit line comes first: it must not be missing
// for something that has happened, while a line too many only says that someone tried.
func (a *API) resetUser(w http.ResponseWriter, r *http.Request) error {
	uid, err := a.userOf(r)
	if err != nil {
		return err
	}
	ctx, cancel := writing(r)
	defer cancel()
	change := popup.Change{Actor: actor(r), Action: "reset"}
	id, err := a.config.Trail.AuditUser(ctx, change, string(uid))
	if err != nil {
		return err
	}
	if err := a.config.Users.Reset(uid); err != nil {
		return console.Unavailable("journal_unavailable", "The reset could not be recorded; the user is as before.", err)
	}
	w.Header().Set("Location", erasureURL(id))
	console.WriteJSON(w, http.StatusAccepted, struct {
		ID int64 `json:"id"`
	}{id})
	return nil
}
