package api

import (
	"net/http"

	"github.com/popupd/popupd/console"
	"github.com/popupd/popupd/popup"
)

// simulate tells what a proposal would have done to recent polls, and changes nothing. A
// server that starts does not know yet which users were reset since it kept theirs.
func (a *API) simulate(w http.ResponseWriter, r *http.Request) error {
	if err := a.config.Ready(); err != nil {
		return console.NotReady(err)
	}
	body, err := readBody(w, r)
	if err != nil {
		return err
	}
	if err := checkJSON(body); err != nil {
		return err
	}
	proposal, err := popup.DecodeProposal(body)
	if err != nil {
		return err
	}
	simulation, err := a.config.Simulator.Simulate(r.Context(), proposal)
	if err != nil {
		return err
	}
	console.WriteJSON(w, http.StatusOK, simulation)
	return nil
}
