package api

import (
	"cmp"
	"net/http"
	"slices"

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

// getUser shows what this server remembers. A user of whom nothing is
// remembered is no error: nobody registers users.
func (a *API) getUser(w http.ResponseWriter, r *http.Request) error {
	uid, err := a.userOf(r)
	if err != nil {
		return err
	}
	popups := a.config.Snapshots.Current()
	states := []userState{}
	a.config.Users.States(uid, func(id uint32, st popup.State) {
		u := userState{PopupID: id, StateReport: st.Report()}
		if p := popups.Popup(id); p != nil {
			u.Popup = p.Key
		}
		states = append(states, u)
	})
	slices.SortFunc(states, func(x, y userState) int { return cmp.Compare(x.PopupID, y.PopupID) })
	console.WriteJSON(w, http.StatusOK, struct {
		UID    string      `json:"uid"`
		States []userState `json:"states"`
	}{string(uid), states})
	return nil
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
