package api

import (
	"context"
	"errors"
	"io"
	"mime"
	"net/http"
	"strconv"

	"github.com/popupd/popupd/console"
	"github.com/popupd/popupd/popup"
)

// Audiences keeps the audiences. It blocks and fails as a [Catalog]; changes return what
// [popup.AudienceChange] says, too.
type Audiences interface {
	// Audiences returns all audiences by key.
	Audiences(ctx context.Context) ([]popup.StoredAudience, error)
	Audience(ctx context.Context, key string) (popup.StoredAudience, error)
	PutAudienceRule(ctx context.Context, c popup.AudienceChange, rule popup.Targeting) (popup.StoredAudience, error)
	// PutAudienceList takes the compiled list as it comes, and changes nothing if it fails.
	PutAudienceList(ctx context.Context, c popup.AudienceChange, list io.WriterTo, members uint64) (popup.StoredAudience, error)
	DeleteAudience(ctx context.Context, c popup.AudienceChange) error
	// AudienceKey returns the key of the fingerprints in lists.
	AudienceKey(ctx context.Context) ([16]byte, error)
}

// shownAudience is an audience with the upload that is under way on this server.
type shownAudience struct {
	popup.StoredAudience
	Upload *runningUpload `json:"upload,omitempty"`
}

// changedAudience is the answer to a change of an audience.
type changedAudience struct {
	popup.StoredAudience
	IDs        int `json:"ids"`        // that were uploaded, 0 of a rule
	Duplicates int `json:"duplicates"` // of them, those that were there before
}

func (a *API) listAudiences(w http.ResponseWriter, r *http.Request) error {
	ctx, cancel := reading(r)
	defer cancel()
	list, err := a.config.Audiences.Audiences(ctx)
	if err != nil {
		return err
	}
	items := make([]shownAudience, 0, len(list))
	for _, stored := range list {
		items = append(items, shownAudience{stored, a.uploads.of(stored.Key)})
	}
	console.WriteJSON(w, http.StatusOK, struct {
		Items  []shownAudience `json:"items"`
		Upload *runningUpload  `json:"upload,omitempty"` // also of an audience that is not there yet
	}{items, a.uploads.running()})
	return nil
}

func (a *API) getAudience(w http.ResponseWriter, r *http.Request) error {
	key := r.PathValue("key")
	ctx, cancel := reading(r)
	defer cancel()
	stored, err := a.config.Audiences.Audience(ctx, key)
	if err != nil {
		return audienceProblem(r, err)
	}
	w.Header().Set("ETag", etag(stored.Version))
	console.WriteJSON(w, http.StatusOK, shownAudience{stored, a.uploads.of(key)})
	return nil
}

// replaceAudience makes an audience or replaces it: by a rule as JSON, or by a list of ids as
// text or CSV.
func (a *API) replaceAudience(w http.ResponseWriter, r *http.Request) error {
	mediaType, parameters, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err == nil && mediaType == "application/json" {
		return a.replaceAudienceRule(w, r)
	}
	isText := mediaType == "text/plain" || mediaType == "text/csv"
	if charset := parameters["charset"]; err != nil || !isText || charset != "" && charset != "utf-8" && charset != "UTF-8" || r.Header.Get("Content-Encoding") != "" {
		return console.NewProblem(http.StatusUnsupportedMediaType, "unsupported_media_type",
			"The body must be application/json for a rule, or text/plain or text/csv in UTF-8, not compressed, for a list of user ids, and Content-Type must say so.")
	}
	return a.uploadAudience(w, r, mediaType == "text/csv")
}

func (a *API) replaceAudienceRule(w http.ResponseWriter, r *http.Request) error {
	body, err := readBody(w, r)
	if err != nil {
		return err
	}
	if err := checkJSON(body); err != nil {
		return err
	}
	rule, err := popup.DecodeAudience(body)
	if err != nil {
		return err
	}
	ctx, cancel := writing(r)
	defer cancel()
	for try := 1; ; try++ {
		change, match, err := a.expectAudience(ctx, r)
		if err != nil {
			return err
		}
		stored, err := a.config.Audiences.PutAudienceRule(ctx, change, rule)
		if errors.Is(err, popup.ErrStale) && match.any() && try < maxTries {
			continue
		}
		if err != nil {
			return audienceProblem(r, err)
		}
		a.writeChangedAudience(w, r, change, changedAudience{StoredAudience: stored})
		return nil
	}
}

// writeChangedAudience puts a change in force and answers it.
func (a *API) writeChangedAudience(w http.ResponseWriter, r *http.Request, c popup.AudienceChange, changed changedAudience) {
	a.putInForce(w, r, "audience", a.config.Log.With("key", c.Key, "version", changed.Version, "kind", changed.Kind, "members", changed.Members, "action", c.Action, "actor", c.Actor))
	w.Header().Set("ETag", etag(changed.Version))
	status := http.StatusOK
	if c.New {
		status = http.StatusCreated
		w.Header().Set("Location", "/v1/admin/audiences/"+c.Key)
	}
	console.WriteJSON(w, status, changed)
}

func (a *API) deleteAudience(w http.ResponseWriter, r *http.Request) error {
	match, err := requireIfMatch(r)
	if err != nil {
		return err
	}
	ctx, cancel := writing(r)
	defer cancel()
	for try := 1; ; try++ {
		stored, err := a.config.Audiences.Audience(ctx, r.PathValue("key"))
		if err != nil {
			return audienceProblem(r, err)
		}
		if err := match.check(stored.Version); err != nil {
			return err
		}
		change := audienceChange(r, "delete_audience")
		change.Version = stored.Version
		err = a.config.Audiences.DeleteAudience(ctx, change)
		if errors.Is(err, popup.ErrStale) && match.any() && try < maxTries {
			continue
		}
		if err != nil {
			return audienceProblem(r, err)
		}
		a.putInForce(w, r, "audience", a.config.Log.With("key", change.Key, "action", change.Action, "actor", change.Actor))
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
}

func audienceChange(r *http.Request, action string) popup.AudienceChange {
	return popup.AudienceChange{
		Change: popup.Change{Actor: actor(r), Action: action}, Key: r.PathValue("key"),
		Live: console.CallerOf(r).Require(popup.RolePublisher, "") == nil,
	}
}

// expectAudience returns the change that a PUT may make of the audience as it is now. One that
// is there must be named by If-Match; where none is, there is nothing to overwrite, and
// If-None-Match says that nothing else will do.
func (a *API) expectAudience(ctx context.Context, r *http.Request) (change popup.AudienceChange, match ifMatch, err error) {
	if change = audienceChange(r, "update_audience"); !popup.ValidAudienceKey(change.Key) {
		return change, match, invalidParameter("key", "must be 1 to 64 of a-z, 0-9 and '-', the first not '-'.")
	}
	if match, err = parseIfMatch(r); err != nil {
		return change, match, err
	}
	none := r.Header.Get("If-None-Match")
	if none != "" && (none != "*" || match.given) {
		return change, match, console.NewProblem(http.StatusBadRequest, "invalid_if_none_match", "If-None-Match must be *, and without If-Match.")
	}
	stored, err := a.config.Audiences.Audience(ctx, change.Key)
	switch {
	case errors.Is(err, popup.ErrNotFound) && !match.given:
		change.New, change.Action = true, "create_audience"
		return change, match, nil
	case err != nil:
		return change, match, audienceProblem(r, err)
	case none != "":
		return change, match, audienceProblem(r, popup.ErrExists)
	case !match.given:
		_, err := requireIfMatch(r)
		return change, match, err
	}
	change.Version = stored.Version
	return change, match, match.check(stored.Version)
}

// audienceProblem says what a change of an audience has run into. Any other error is as
// everywhere.
func audienceProblem(r *http.Request, err error) error {
	var inUse *popup.AudienceInUseError
	switch {
	case errors.Is(err, popup.ErrNotFound):
		return console.NewProblem(http.StatusNotFound, "audience_not_found", "There is no audience with this key.")
	case errors.Is(err, popup.ErrExists):
		return console.NewProblem(http.StatusPreconditionFailed, "audience_exists", "There is an audience with this key: read it, and send its ETag in If-Match to replace it.")
	case errors.Is(err, popup.ErrTooManyAudiences):
		return console.NewProblem(http.StatusConflict, "too_many_audiences", "There are "+strconv.Itoa(popup.MaxAudiences)+" audiences: delete some.")
	case errors.Is(err, popup.ErrAudienceLive):
		return console.CallerOf(r).Require(popup.RolePublisher, "Changing an audience on which a popup depends that is not a draft")
	case errors.As(err, &inUse):
		p := console.NewProblem(http.StatusConflict, "audience_in_use", "Popups or audiences name it: "+inUse.Error()+".")
		p.UsedBy = &inUse.By
		return p
	}
	return err
}
