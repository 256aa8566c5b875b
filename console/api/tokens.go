package api

import (
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/popupd/popupd/console"
	"github.com/popupd/popupd/popup"
)

// createdToken is the only answer that has the token itself.
type createdToken struct {
	popup.AdminToken
	Token string `json:"token"`
}

func (a *API) listTokens(w http.ResponseWriter, r *http.Request) error {
	ctx, cancel := reading(r)
	defer cancel()
	list, err := a.config.Tokens.AdminTokens(ctx)
	if err != nil {
		return err
	}
	console.WriteJSON(w, http.StatusOK, struct {
		Items []popup.AdminToken `json:"items"`
	}{append([]popup.AdminToken{}, list...)})
	return nil
}

func (a *API) createToken(w http.ResponseWriter, r *http.Request) error {
	body, err := readBody(w, r)
	if err != nil {
		return err
	}
	var in struct {
		Name      string     `json:"name"`
		Role      popup.Role `json:"role"`
		ExpiresAt *time.Time `json:"expires_at"`
	}
	if err := decodeBody(body, &in); err != nil {
		return err
	}
	now := time.UnixMilli(a.config.Now()).UTC()
	latest := now.Add(popup.MaxAdminTokenLife)
	expires := latest
	if in.ExpiresAt != nil {
		expires = in.ExpiresAt.UTC().Truncate(time.Millisecond)
	}
	var errs popup.FieldErrors
	refuse := func(pointer, detail string) { errs = append(errs, popup.FieldError{Pointer: pointer, Detail: detail}) }
	if !popup.ValidAdminTokenName(in.Name) {
		refuse("/name", "must be 1 to 64 of a-z, 0-9, '_', '.' and '-', the first a letter or a digit, and not admin")
	}
	if !in.Role.Valid() {
		refuse("/role", "must be viewer, editor, publisher or admin")
	}
	if !expires.After(now) || expires.After(latest) {
		refuse("/expires_at", "must lie in the future, at most 366 days from now")
	}
	if len(errs) > 0 {
		return errs
	}
	token, id := popup.NewAdminTokenSecret()
	change := popup.Change{Actor: actor(r), Action: "create_token"}
	t := popup.AdminToken{
		ID: id, Name: in.Name, Role: in.Role, CreatedAt: now, CreatedBy: change.Actor, ExpiresAt: expires, Hash: popup.HashAdminToken(token),
	}
	ctx, cancel := writing(r)
	defer cancel()
	if err := a.config.Tokens.CreateAdminToken(ctx, change, t); err != nil {
		return tokenProblem(err)
	}
	a.config.Log.Info("token created", "token", t.Name, "role", string(t.Role), "expires", t.ExpiresAt, "actor", change.Actor)
	console.WriteJSON(w, http.StatusCreated, createdToken{t, token})
	return nil
}

// deleteToken ends a token. It may be the caller's own.
func (a *API) deleteToken(w http.ResponseWriter, r *http.Request) error {
	names := r.URL.Query()["name"]
	if len(names) != 1 || !popup.ValidAdminTokenName(names[0]) {
		return invalidParameter("name", "must be the name of a token, once.")
	}
	change := popup.Change{Actor: actor(r), Action: "delete_token"}
	ctx, cancel := writing(r)
	defer cancel()
	if err := a.config.Tokens.DeleteAdminToken(ctx, change, names[0]); err != nil {
		return tokenProblem(err)
	}
	a.config.Log.Info("token deleted", "token", names[0], "actor", change.Actor)
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// tokenProblem says what a change of the tokens has run into. Any other error is as
// everywhere.
func tokenProblem(err error) error {
	switch {
	case errors.Is(err, popup.ErrNoSuchToken):
		return console.NewProblem(http.StatusNotFound, "token_not_found", "There is no token with this name.")
	case errors.Is(err, popup.ErrTokenExists):
		return console.NewProblem(http.StatusConflict, "name_exists", "There is a token with this name: delete it first, or wait until it expires.")
	case errors.Is(err, popup.ErrTooManyTokens):
		return console.NewProblem(http.StatusConflict, "too_many_tokens", "There are "+strconv.Itoa(popup.MaxAdminTokens)+" tokens, with those that have expired: delete some.")
	}
	return err
}
