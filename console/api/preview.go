package api

import (
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/popupd/popupd/console"
	"github.com/popupd/popupd/popup"
)

// previewLife is how long a preview token is good for.
const previewLife = time.Hour

// previewPopup answers with a token that shows a variant of a popup: as it is stored, or
// of a draft that need not be. Nothing is changed.
func (a *API) previewPopup(w http.ResponseWriter, r *http.Request) error {
	key, err := pathKey(r)
	if err != nil {
		return err
	}
	body, err := readBody(w, r)
	if err != nil {
		return err
	}
	var of struct {
		Variant *string         `json:"variant"`
		Popup   json.RawMessage `json:"popup"`
	}
	if err := decodeBody(body, &of); err != nil {
		return err
	}
	p, err := a.previewed(r, key, of.Popup)
	if err != nil {
		return err
	}
	if p.Variants, err = previewedVariant(p.Variants, of.Variant); err != nil {
		return err
	}
	ends := time.UnixMilli(a.config.Now()).UTC().Add(previewLife)
	token, err := a.config.Previews.Preview(&p, ends.UnixMilli())
	if errors.Is(err, popup.ErrPreviewTooLarge) {
		return invalidField("/variant", "is too large for a preview: with its translations it may have 512 KiB, and some 35 KiB when compressed")
	}
	if err != nil {
		return err
	}
	console.WriteJSON(w, http.StatusOK, struct {
		Token     string    `json:"token"`
		ExpiresAt time.Time `json:"expires_at"`
	}{token, ends})
	return nil
}

// previewed returns the popup with this key, or the draft with the id of that popup and
// without a version. A draft may have a key that no popup has yet.
func (a *API) previewed(r *http.Request, key string, draft json.RawMessage) (popup.Popup, error) {
	ctx, cancel := reading(r)
	defer cancel()
	if draft == nil {
		return a.config.Catalog.Popup(ctx, key)
	}
	spec, err := decodePopup(withKey(draft, key))
	var fields popup.FieldErrors
	if errors.As(err, &fields) {
		for i := range fields {
			fields[i].Pointer = "/popup" + fields[i].Pointer
		}
	}
	if err != nil {
		return popup.Popup{}, err
	}
	if spec.Key != key {
		return popup.Popup{}, invalidField("/popup/key", "must be the key in the path or absent")
	}
	stored, err := a.config.Catalog.Popup(ctx, key)
	if err != nil && !errors.Is(err, popup.ErrNotFound) {
		return popup.Popup{}, err
	}
	return popup.Popup{ID: stored.ID, Spec: spec}, nil
}

// previewedVariant returns the one variant that is shown: that with this key, the first that is
// no control without a key. It has a weight, which it may have lost.
func previewedVariant(variants []popup.Variant, key *string) ([]popup.Variant, error) {
	i := slices.IndexFunc(variants, func(v popup.Variant) bool { return key == nil && !v.Control || key != nil && v.Key == *key })
	switch {
	case i < 0 && key != nil:
		return nil, invalidField("/variant", "is not the key of one of the popup's variants")
	case i < 0 || variants[i].Control:
		return nil, invalidField("/variant", "is a control, which is never shown")
	}
	v := variants[i]
	v.Weight = 1
	return []popup.Variant{v}, nil
}
