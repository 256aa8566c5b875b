package api

import (
	"log/slog"
	"net/http"
	"strings"

	"github.com/popupd/popupd/console"
	"github.com/popupd/popupd/popup"
)

// logLevelBody is the body of the requests and answers.
type logLevelBody struct {
	Level string `json:"level"`
}

// levels are those that -log-level takes too.
var levels = []slog.Level{slog.LevelDebug, slog.LevelInfo, slog.LevelWarn, slog.LevelError}

func nameOf(l slog.Level) string { return strings.ToLower(l.String()) }

// getLogLevel shows from which level on this server logs.
func (a *API) getLogLevel(w http.ResponseWriter, _ *http.Request) error {
	console.WriteJSON(w, http.StatusOK, logLevelBody{nameOf(a.config.LogLevel.Level())})
	return nil
}

// setLogLevel changes it, until this server ends. More of the log is wanted most when
// the store is away, so a store that takes no line of the audit trail does not stop it:
// the log then says who changed the level.
func (a *API) setLogLevel(w http.ResponseWriter, r *http.Request) error {
	body, err := readBody(w, r)
	if err != nil {
		return err
	}
	var to logLevelBody
	if err := decodeBody(body, &to); err != nil {
		return err
	}
	for _, level := range levels {
		if to.Level != nameOf(level) {
			continue
		}
		a.config.LogLevel.Set(level)
		a.auditLogLevel(r, level)
		console.WriteJSON(w, http.StatusOK, to)
		return nil
	}
	return invalidField("/level", "must be debug, info, warn or error")
}

func (a *API) auditLogLevel(r *http.Request, level slog.Level) {
	ctx, cancel := writing(r)
	defer cancel()
	change := popup.Change{Actor: actor(r), Action: "log_level"}
	if err := a.config.Trail.AuditServer(ctx, change, nameOf(level)); err != nil {
		a.config.Log.Error("a change of the log level is not in the audit trail", "actor", change.Actor, "level", nameOf(level), "err", err)
	}
}
