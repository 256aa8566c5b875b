package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"regexp"

	"github.com/popupd/popupd/console"
	"github.com/popupd/popupd/popup"
	"github.com/popupd/popupd/snapshot/lint"
)

// keyPattern is what every key of a popup looks like; others need no look at the store.
var keyPattern = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,63}$`)

// pathKey returns the key of the popup that the path names.
func pathKey(r *http.Request) (string, error) {
	key := r.PathValue("key")
	if !keyPattern.MatchString(key) {
		return "", popup.ErrNotFound
	}
	return key, nil
}

// writePopup answers with a popup and the ETag that names its version.
func writePopup(w http.ResponseWriter, status int, p popup.Popup) {
	w.Header().Set("ETag", etag(p.Version))
	console.WriteJSON(w, status, p)
}

// changedPopup is the answer to a change of a popup.
type changedPopup struct {
	popup.Popup
	Warnings []popup.Warning `json:"warnings"`
}

// writeChanged answers a change with the popup and with what of it has no effect among
// the popups that are in force.
func (a *API) writeChanged(w http.ResponseWriter, status int, p popup.Popup) {
	w.Header().Set("ETag", etag(p.Version))
	console.WriteJSON(w, status, changedPopup{p, lint.Check(&p.Spec, p.ID, a.config.Snapshots.Current(), a.config.Now())})
}

func (a *API) getPopup(w http.ResponseWriter, r *http.Request) error {
	key, err := pathKey(r)
	if err != nil {
		return err
	}
	ctx, cancel := reading(r)
	defer cancel()
	p, err := a.config.Catalog.Popup(ctx, key)
	if err != nil {
		return err
	}
	writePopup(w, http.StatusOK, p)
	return nil
}

func (a *API) createPopup(w http.ResponseWriter, r *http.Request) error {
	body, err := readBody(w, r)
	if err != nil {
		return err
	}
	spec, err := decodePopup(body)
	if err != nil {
		return err
	}
	if spec.Status == popup.Archived {
		return invalidField("/status", "a new popup can't be archived: that is final")
	}
	if err := editing(r, popup.Draft, spec.Status); err != nil {
		return err
	}
	ctx, cancel := writing(r)
	defer cancel()
	change := popup.Change{Actor: actor(r), Action: "create"}
	p, err := a.config.Catalog.Create(ctx, change, spec)
	if err != nil {
		return err
	}
	a.putPopupInForce(w, r, change, p)
	w.Header().Set("Location", "/v1/admin/popups/"+p.Key)
	a.writeChanged(w, http.StatusCreated, p)
	return nil
}

// replacePopup writes the whole popup: a member that is absent gets its default.
func (a *API) replacePopup(w http.ResponseWriter, r *http.Request) error {
	key, err := pathKey(r)
	if err != nil {
		return err
	}
	match, err := requireIfMatch(r)
	if err != nil {
		return err
	}
	body, err := readBody(w, r)
	if err != nil {
		return err
	}
	spec, err := decodePopup(withKey(body, key))
	if err != nil {
		return err
	}
	if spec.Key != key {
		return invalidField("/key", "must be the key in the path or absent: a popup's key never changes")
	}
	action := "update"
	if spec.Status == popup.Archived {
		action = "archive"
	}
	return a.change(w, r, action, match, func(popup.Popup) (popup.Spec, error) { return spec, nil })
}

// withKey returns the body with its key set to the one in the path if it has none.
func withKey(body []byte, key string) []byte {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(body, &members); err != nil || members == nil {
		return body // decoding it says what is wrong
	}
	if _, ok := members["key"]; ok {
		return body
	}
	// Spliced in rather than encoded anew, which would drop members that occur twice.
	member := `{"key":"` + key + `"`
	if len(members) > 0 {
		member += ","
	}
	return bytes.Replace(body, []byte("{"), []byte(member), 1)
}

// archivePopup ends a popup's life. The popup stays readable, so the answer is the popup.
func (a *API) archivePopup(w http.ResponseWriter, r *http.Request) error {
	match, err := requireIfMatch(r)
	if err != nil {
		return err
	}
	return a.setStatus(w, r, "archive", match, popup.Archived)
}

func (a *API) activatePopup(w http.ResponseWriter, r *http.Request) error {
	match, err := parseIfMatch(r)
	if err != nil {
		return err
	}
	return a.setStatus(w, r, "activate", match, popup.Active)
}

func (a *API) pausePopup(w http.ResponseWriter, r *http.Request) error {
	match, err := parseIfMatch(r)
	if err != nil {
		return err
	}
	return a.setStatus(w, r, "pause", match, popup.Paused)
}

func (a *API) setStatus(w http.ResponseWriter, r *http.Request, action string, match ifMatch, to popup.Status) error {
	return a.change(w, r, action, match, func(current popup.Popup) (popup.Spec, error) {
		if current.Status == to {
			return popup.Spec{}, errUnchanged
		}
		spec := current.Spec
		spec.Status = to
		return spec, nil
	})
}

// rollbackPopup writes an earlier version anew. The popup stays active or
// paused as it is: what is rolled back is what it shows and to whom.
func (a *API) rollbackPopup(w http.ResponseWriter, r *http.Request) error {
	key, err := pathKey(r)
	if err != nil {
		return err
	}
	match, err := parseIfMatch(r)
	if err != nil {
		return err
	}
	body, err := readBody(w, r)
	if err != nil {
		return err
	}
	var to struct {
		Version *uint32 `json:"version"`
	}
	if err := decodeBody(body, &to); err != nil {
		return err
	}
	if to.Version == nil {
		return invalidField("/version", "is required")
	}
	return a.change(w, r, "rollback", match, func(current popup.Popup) (popup.Spec, error) {
		spec, err := a.specOf(r, key, *to.Version)
		spec.Status = current.Status
		return spec, err
	})
}

// specOf returns what a popup was at a version.
func (a *API) specOf(r *http.Request, key string, version uint32) (popup.Spec, error) {
	ctx, cancel := reading(r)
	defer cancel()
	revisions, err := a.config.Trail.Revisions(ctx, key)
	if err != nil {
		return popup.Spec{}, err
	}
	for _, rev := range revisions {
		if rev.Version == version {
			return rev.Spec, nil
		}
	}
	return popup.Spec{}, invalidField("/version", "the popup never had this version")
}

// errUnchanged is an edit's answer when the popup is already as it should be.
var errUnchanged = errors.New("unchanged")

// maxTries bounds how often a change without a precondition starts anew
// because others change the same popup.
const maxTries = 10

// change reads the popup that the path names, edits it and writes it back if it
// is still what was read. A precondition that fails is the client's to settle;
// without one the change is tried again on the newer version.
func (a *API) change(w http.ResponseWriter, r *http.Request, action string, match ifMatch, edit func(current popup.Popup) (popup.Spec, error)) error {
	key, err := pathKey(r)
	if err != nil {
		return err
	}
	ctx, cancel := writing(r)
	defer cancel()
	change := popup.Change{Actor: actor(r), Action: action}
	for try := 1; ; try++ {
		current, err := a.config.Catalog.Popup(ctx, key)
		switch {
		case err != nil:
			return err
		case current.Status == popup.Archived:
			return popup.ErrArchived
		}
		if err := match.check(current.Version); err != nil {
			return err
		}
		spec, err := edit(current)
		if errors.Is(err, errUnchanged) {
			a.writeChanged(w, http.StatusOK, current)
			return nil
		}
		if err != nil {
			return err
		}
		if err := editing(r, current.Status, spec.Status); err != nil {
			return err
		}
		if err := checkStored(&spec); err != nil {
			return err
		}
		after, err := a.config.Catalog.Put(ctx, change, current.Version, spec)
		if errors.Is(err, popup.ErrStale) && match.any() && try < maxTries {
			continue
		}
		if err != nil {
			return err
		}
		a.putPopupInForce(w, r, change, after)
		a.writeChanged(w, http.StatusOK, after)
		return nil
	}
}

// editing returns why a caller may not make a change of a popup, or nil. An editor makes and
// changes drafts, and archives them: what was live once may be so again at any moment,
// and whoever looks at it then has approved something else.
func editing(r *http.Request, before, after popup.Status) error {
	if before == popup.Draft && (after == popup.Draft || after == popup.Archived) {
		return nil
	}
	return console.CallerOf(r).Require(popup.RolePublisher, "Changing a popup that is not a draft, or making it one no more,")
}

// checkStored returns why a spec, of which parts were stored before, may not be written
// anew. They may be broken: written under other rules, or by hand. Then it would not
// come into force; only archived it does no harm. What has come to be against the
// rules, and runs, may be paused, or nobody could stop it.
func checkStored(s *popup.Spec) error {
	switch s.Status {
	case popup.Archived:
		return nil
	case popup.Paused:
		return s.ValidateStored()
	}
	return s.Validate()
}
