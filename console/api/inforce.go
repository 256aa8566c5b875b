package api

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/popupd/popupd/console"
	"github.com/popupd/popupd/popup"
)

// inForceTimeout bounds how long the answer to a change that is already stored
// waits for the change to be loaded.
const inForceTimeout = 5 * time.Second

// putPopupInForce is putInForce for a popup.
func (a *API) putPopupInForce(w http.ResponseWriter, r *http.Request, c popup.Change, p popup.Popup) {
	a.putInForce(w, r, "popup", a.config.Log.With("key", p.Key, "version", p.Version, "status", string(p.Status), "action", c.Action, "actor", c.Actor))
}

// putInForce loads a change that the store has committed, and tells the other
// servers. what names it in the log. The package comment says what happens when that
// fails.
func (a *API) putInForce(w http.ResponseWriter, r *http.Request, what string, log *slog.Logger) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), inForceTimeout)
	defer cancel()
	if err := a.config.Watcher.Changed(ctx); err != nil {
		w.Header().Set("Popupd-In-Force", "false")
		log.Error(what+" changed, but not yet in force", "err", err)
		return
	}
	log.Info(what + " changed")
}

// reload reads the popups anew, for an operator who changed them in the
// database by hand.
func (a *API) reload(w http.ResponseWriter, r *http.Request) error {
	ctx, cancel := reading(r)
	defer cancel()
	if err := a.config.Watcher.Reload(ctx); err != nil {
		return err
	}
	console.WriteJSON(w, http.StatusOK, struct {
		Revision int64 `json:"revision"`
	}{a.config.Snapshots.Current().Revision})
	return nil
}
