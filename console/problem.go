package console

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"

	"github.com/popupd/popupd/popup"
)

// Problem is an error as RFC 9457 puts it on the wire. Code is stable: programs
// branch on it, while titles and details are for people and may change.
type Problem struct {
	Title  string            `json:"title"`
	Status int               `json:"status"`
	Code   string            `json:"code"`
	Detail string            `json:"detail,omitempty"`
	Errors popup.FieldErrors `json:"errors,omitempty"`
	Role   popup.Role        `json:"role,omitempty"` // that the operation needs

	UsedBy      *popup.AudienceUse `json:"used_by,omitempty"`      // what is in the way of a delete
	Lines       []popup.BrokenLine `json:"lines,omitempty"`        // of an upload, the first that are broken
	BrokenLines int                `json:"broken_lines,omitempty"` // of an upload, how many are

	cause error // logged, never shown
}

// NewProblem returns an error that the client made or can understand.
func NewProblem(status int, code, detail string) *Problem {
	return &Problem{Title: http.StatusText(status), Status: status, Code: code, Detail: detail}
}

// Unavailable returns the problem 503: something that this server needs does
// not answer. The cause is logged and not shown to the client.
func Unavailable(code, detail string, cause error) *Problem {
	p := NewProblem(http.StatusServiceUnavailable, code, detail)
	p.cause = cause
	return p
}

// NotReady returns the problem 503 that says why. It has no cause, as it is no
// fault: nothing is logged.
func NotReady(why error) *Problem {
	return NewProblem(http.StatusServiceUnavailable, "not_ready", why.Error())
}

func (p *Problem) Error() string {
	if p.cause != nil {
		return p.Code + ": " + p.cause.Error()
	}
	return p.Code + ": " + p.Detail
}

func (p *Problem) Unwrap() error { return p.cause }

// asProblem returns the problem that err is. Any other error is a fault of ours.
func asProblem(err error) *Problem {
	var p *Problem
	if errors.As(err, &p) {
		return p
	}
	p = internalError()
	p.cause = err
	return p
}

func internalError() *Problem {
	return NewProblem(http.StatusInternalServerError, "internal_error", "The server failed to answer; its log says more.")
}

// retryAfterSec is what a client is asked to wait when something that this
// server needs does not answer; the server itself looks again each second.
const retryAfterSec = 2

func (p *Problem) setRetryAfter(w http.ResponseWriter) {
	if p.Status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", strconv.Itoa(retryAfterSec))
	}
}

func (p *Problem) write(w http.ResponseWriter) {
	p.setRetryAfter(w)
	writeAs(w, "application/problem+json", p.Status, p)
}

// WriteJSON answers with v.
func WriteJSON(w http.ResponseWriter, status int, v any) { writeAs(w, "application/json", status, v) }

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
