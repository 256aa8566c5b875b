package api

import (
	"errors"
	"net/http"

	"github.com/popupd/popupd/console"
	"github.com/popupd/popupd/popup"
	"github.com/popupd/popupd/snapshot/lint"
)

// changedSettings is the answer to a change of the settings.
type changedSettings struct {
	popup.StoredSettings
	Warnings []popup.Warning `json:"warnings"`
}

func (a *API) getSettings(w http.ResponseWriter, r *http.Request) error {
	ctx, cancel := reading(r)
	defer cancel()
	s, err := a.config.Catalog.Settings(ctx)
	if err != nil {
		return err
	}
	w.Header().Set("ETag", etag(s.Version))
	s.Settings = s.Canonical()
	console.WriteJSON(w, http.StatusOK, s)
	return nil
}

// replaceSettings writes all settings: a member that is absent gets its default.
func (a *API) replaceSettings(w http.ResponseWriter, r *http.Request) error {
	match, err := requireIfMatch(r)
	if err != nil {
		return err
	}
	body, err := readBody(w, r)
	if err != nil {
		return err
	}
	if err := checkJSON(body); err != nil {
		return err
	}
	settings, err := popup.DecodeSettings(body)
	if err != nil {
		return err
	}
	ctx, cancel := writing(r)
	defer cancel()
	change := popup.Change{Actor: actor(r), Action: "update"}
	for try := 1; ; try++ {
		current, err := a.config.Catalog.Settings(ctx)
		if err != nil {
			return err
		}
		if err := match.check(current.Version); err != nil {
			return err
		}
		after, err := a.config.Catalog.PutSettings(ctx, change, current.Version, settings)
		if errors.Is(err, popup.ErrStale) && match.any() && try < maxTries {
			continue
		}
		if err != nil {
			return err
		}
		a.putInForce(w, r, "settings", a.config.Log.With("version", after.Version, "action", change.Action, "actor", change.Actor))
		w.Header().Set("ETag", etag(after.Version))
		console.WriteJSON(w, http.StatusOK, changedSettings{after, lint.CheckSettings(&settings, a.config.Snapshots.Current())})
		return nil
	}
}
