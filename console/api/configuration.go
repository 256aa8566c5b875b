package api

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"github.com/popupd/popupd/popup"
)

// configurationTimeout bounds an export or an import of all that is configured, for which the
// listener's and a change's own limits are too short.
const configurationTimeout = time.Minute

// positionTag is the ETag of all that is configured: the revision and what tells it from the
// same one of a database that was restored.
func positionTag(p popup.Position) string {
	return `"` + strconv.FormatInt(p.Revision, 10) + "." + strconv.FormatInt(p.Nonce, 36) + `"`
}

// exportConfiguration streams all that is configured. What goes wrong after the first bytes
// cuts the answer off.
func (a *API) exportConfiguration(w http.ResponseWriter, r *http.Request) error {
	ctx, cancel := context.WithTimeout(r.Context(), configurationTimeout)
	defer cancel()
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(configurationTimeout + storeTimeout)) // in tests there may be none
	out := bufio.NewWriter(w)
	encode := json.NewEncoder(out)
	encode.SetEscapeHTML(false)
	begun, separator := false, ""
	var settings popup.StoredSettings
	var audiences []popup.ExportedAudience
	err := a.config.Configurations.ExportCatalog(ctx, func(at popup.Position, s popup.StoredSettings, rules []popup.ExportedAudience) error {
		begun, settings, audiences = true, s, rules
		settings.Settings = s.Canonical()
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("ETag", positionTag(at))
		_, err := out.WriteString(`{"revision":` + strconv.FormatInt(at.Revision, 10) + `,"popups":[`)
		return err
	}, func(p popup.Popup) error {
		_, _ = out.WriteString(separator) // Flush tells
		separator = ","
		return encode.Encode(p)
	})
	if err == nil {
		_, _ = out.WriteString(`],"settings":`)
		err = encode.Encode(settings)
	}
	if err == nil {
		_, _ = out.WriteString(`,"audiences":`)
		err = encode.Encode(audiences)
	}
	if err == nil {
		_, _ = out.WriteString("}\n")
		err = out.Flush()
	}
	if err != nil && begun {
		if r.Context().Err() == nil {
			a.config.Log.Warn("export of the configuration was cut off", "err", err)
		}
		panic(http.ErrAbortHandler)
	}
	return err
}
