package api

import (
	"context"
	"errors"
	"net/http"

	"github.com/popupd/popupd/console"
	"github.com/popupd/popupd/popup"
)

func invalidFields(errs popup.FieldErrors) *console.Problem {
	p := console.NewProblem(http.StatusUnprocessableEntity, "invalid_fields", "The members named in errors are not as they must be.")
	p.Errors = errs
	return p
}

func invalidField(pointer, detail string) *console.Problem {
	return invalidFields(popup.FieldErrors{{Pointer: pointer, Detail: detail}})
}

func invalidParameter(name, detail string) *console.Problem {
	return console.NewProblem(http.StatusBadRequest, "invalid_parameter", name+" "+detail)
}

// asProblem says how err is told to the client. What it does not know comes
// from the store.
func asProblem(err error) *console.Problem {
	var p *console.Problem
	var fields popup.FieldErrors
	var inWay *popup.ImportError
	switch {
	case errors.As(err, &p):
		return p
	case errors.As(err, &fields):
		return invalidFields(fields)
	case errors.As(err, &inWay):
		p = asProblem(inWay.Err)
		p.Errors = inWay.Objects
		return p
	case errors.Is(err, popup.ErrNotFound):
		return console.NewProblem(http.StatusNotFound, "popup_not_found", "There is no popup with this key.")
	case errors.Is(err, popup.ErrExists):
		return console.NewProblem(http.StatusConflict, "key_exists", "There is a popup with this key, or there was one: keys are not used again.")
	case errors.Is(err, popup.ErrArchived):
		return console.NewProblem(http.StatusConflict, "archived", "The popup is archived, which is final.")
	case errors.Is(err, popup.ErrStale):
		return console.NewProblem(http.StatusPreconditionFailed, "stale_version", "It has changed since it was read; read it again.")
	case errors.Is(err, popup.ErrCursor):
		return invalidParameter("after", "is not a cursor of this list.")
	case errors.Is(err, popup.ErrCursorLost):
		return console.NewProblem(http.StatusGone, "cursor_lost", "The cursor does not tell any more what was read: streams that had long ended went on, or the database was restored. Read from the beginning.")
	case errors.Is(err, popup.ErrNoSample):
		return console.NewProblem(http.StatusConflict, "no_sample", "This server keeps no polls to try changes on: start it with -sample.")
	case errors.Is(err, popup.ErrBusy):
		return console.NewProblem(http.StatusServiceUnavailable, "busy", "Another simulation is running, or this one took too long.")
	case errors.Is(err, context.DeadlineExceeded):
		return console.Unavailable("store_unavailable", "The store did not answer in time. Read again to see whether a change was made.", err)
	}
	return console.Unavailable("store_unavailable", "The store can't be used at the moment.", err)
}
