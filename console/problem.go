package console

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"

	"github.com/popupd/popupd/popup"
)

// problem is an error as RFC 9457 puts it on the wire. Code is stable: programs
// branch on it, while titles and details are for people and may change.
type problem struct {
	Title  string            `json:"title"`
	Status int               `json:"status"`
	Code   string            `json:"code"`
	Detail string            `json:"detail,omitempty"`
	Errors popup.FieldErrors `json:"errors,omitempty"`

	cause error // logged, never shown
}

func (p *problem) Error() string {
	if p.cause != nil {
		return p.Code + ": " + p.cause.Error()
	}
	return p.Code + ": " + p.Detail
}

func (p *problem) Unwrap() error { return p.cause }

// retryAfterSec is what a client is asked to wait when something that this
// server needs does not answer; the server itself looks again each second.
const retryAfterSec = 2

func newProblem(status int, code, detail string) *problem {
	return &problem{Title: http.StatusText(status), Status: status, Code: code, Detail: detail}
}

func unavailable(code, detail string, cause error) *problem {
	p := newProblem(http.StatusServiceUnavailable, code, detail)
	p.cause = cause
	return p
}

func invalidFields(errs popup.FieldErrors) *problem {
	p := newProblem(http.StatusUnprocessableEntity, "invalid_fields", "The members named in errors are not as they must be.")
	p.Errors = errs
	return p
}

func invalidField(pointer, detail string) *problem {
	return invalidFields(popup.FieldErrors{{Pointer: pointer, Detail: detail}})
}

func invalidParameter(name, detail string) *problem {
	return newProblem(http.StatusBadRequest, "invalid_parameter", name+" "+detail)
}

// asProblem says how err is told to the client. What it does not know comes
// from the store.
func asProblem(err error) *problem {
	var p *problem
	var fields popup.FieldErrors
	switch {
	case errors.As(err, &p):
		return p
	case errors.As(err, &fields):
		return invalidFields(fields)
	case errors.Is(err, popup.ErrNotFound):
		return newProblem(http.StatusNotFound, "popup_not_found", "There is no popup with this key.")
	case errors.Is(err, popup.ErrExists):
		return newProblem(http.StatusConflict, "key_exists", "There is a popup with this key, or there was one: keys are not used again.")
	case errors.Is(err, popup.ErrArchived):
		return newProblem(http.StatusConflict, "archived", "The popup is archived, which is final.")
	case errors.Is(err, popup.ErrStale):
		return newProblem(http.StatusPreconditionFailed, "stale_version", "The popup has changed since it was read; read it again.")
	case errors.Is(err, context.DeadlineExceeded):
		return unavailable("store_unavailable", "The store did not answer in time. Read again to see whether a change was made.", err)
	}
	return unavailable("store_unavailable", "The store can't be used at the moment.", err)
}

func (p *problem) write(w http.ResponseWriter) {
	if p.Status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", strconv.Itoa(retryAfterSec))
	}
	writeAs(w, "application/problem+json", p.Status, p)
}

func writeJSON(w http.ResponseWriter, status int, v any) { writeAs(w, "application/json", status, v) }

// writeAs writes v. It is encoded before anything is sent: a value that can't be
// is a fault of ours, and its panic becomes a 500. A failed write is a client
// that has gone.
func writeAs(w http.ResponseWriter, mediaType string, status int, v any) {
	var body bytes.Buffer
	e := json.NewEncoder(&body)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic(err)
	}
	w.Header().Set("Content-Type", mediaType)
	w.WriteHeader(status)
	_, _ = w.Write(body.Bytes())
}
