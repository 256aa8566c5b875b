package api

import (
	"net/http"
	"unicode/utf8"

	"github.com/popupd/popupd/console"
	"github.com/popupd/popupd/popup"
)

// listRevisions pages through the versions of a popup, newest first.
func (a *API) listRevisions(w http.ResponseWriter, r *http.Request) error {
	key, err := pathKey(r)
	if err != nil {
		return err
	}
	before, limit, err := page(r, "revision")
	if err != nil {
		return err
	}
	ctx, cancel := reading(r)
	defer cancel()
	revisions, err := a.config.Trail.Revisions(ctx, key)
	if err != nil {
		return err
	}
	if len(revisions) == 0 { // a popup has at least its first version
		return popup.ErrNotFound
	}
	for before > 0 && len(revisions) > 0 && int64(revisions[0].Version) >= before {
		revisions = revisions[1:]
	}
	revisions = revisions[:min(len(revisions), limit+1)]
	console.WriteJSON(w, http.StatusOK, newList("revision", revisions, limit, func(v popup.Revision) int64 { return int64(v.Version) }))
	return nil
}

// maxAuditObject is longer than what the trail keeps of an object, in bytes.
const maxAuditObject = 255

// listAudit pages through the audit trail, or what of it is about one object, newest first.
func (a *API) listAudit(w http.ResponseWriter, r *http.Request) error {
	object := r.URL.Query().Get("object")
	if len(object) > maxAuditObject || !utf8.ValidString(object) {
		return invalidParameter("object", "must be at most 255 bytes of UTF-8.")
	}
	before, limit, err := page(r, "audit")
	if err != nil {
		return err
	}
	ctx, cancel := reading(r)
	defer cancel()
	entries, err := a.config.Trail.Audit(ctx, object, before, limit+1)
	if err != nil {
		return err
	}
	console.WriteJSON(w, http.StatusOK, newList("audit", entries, limit, func(e popup.AuditEntry) int64 { return e.ID }))
	return nil
}
