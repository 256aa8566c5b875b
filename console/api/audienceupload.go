package api

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/popupd/popupd/audience"
	"github.com/popupd/popupd/console"
)

const (
	// maxUpload has room for as many ids as a list may have, each as long as it may be.
	maxUpload = 2 << 30
	// uploadStall is how long an upload may stand still, and uploadLimit how long all of it
	// may take.
	uploadStall = 15 * time.Second
	uploadLimit = time.Hour
	// uploadStore bounds how long the store may take for a list that was read.
	uploadStore = 5 * time.Minute
)

// uploads lets one upload run at a time: each takes 8 bytes of memory an id.
type uploads struct {
	mu      sync.Mutex
	current *upload
}

// upload is one that is under way.
type upload struct {
	key          string
	startedAt    time.Time
	lines, bytes atomic.Int64
}

// runningUpload is an upload as operators see it.
type runningUpload struct {
	Key       string    `json:"key"`
	Lines     int64     `json:"lines"`
	Bytes     int64     `json:"bytes"`
	StartedAt time.Time `json:"started_at"` // UTC
}

// begin returns false while another upload is under way.
func (u *uploads) begin(key string, at time.Time) (*upload, bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.current != nil {
		return nil, false
	}
	u.current = &upload{key: key, startedAt: at}
	return u.current, true
}

func (u *uploads) end() {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.current = nil
}

// running returns the upload that is under way, nil without one.
func (u *uploads) running() *runningUpload {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.current == nil {
		return nil
	}
	return &runningUpload{u.current.key, u.current.lines.Load(), u.current.bytes.Load(), u.current.startedAt}
}

// of is running for one audience.
func (u *uploads) of(key string) *runningUpload {
	if r := u.running(); r != nil && r.Key == key {
		return r
	}
	return nil
}

// uploadAudience reads a list of user ids as it comes. Nothing of it is stored before all of it
// was read and is right.
func (a *API) uploadAudience(w http.ResponseWriter, r *http.Request, isCSV bool) error {
	ctx, cancel := reading(r)
	defer cancel()
	// What can't be is told before the client has sent all of it.
	change, match, err := a.expectAudience(ctx, r)
	if err != nil {
		return err
	}
	if match.any() {
		change.Version = 0 // other than a rule, the list can't be sent again
	}
	if r.ContentLength > maxUpload {
		return uploadTooLarge()
	}
	key, err := a.config.Audiences.AudienceKey(ctx)
	if err != nil {
		return err
	}
	u, ok := a.uploads.begin(change.Key, time.UnixMilli(a.config.Now()).UTC())
	if !ok {
		return console.NewProblem(http.StatusServiceUnavailable, "upload_running", "Another list is being uploaded to this server: wait until it is done, or use another server.")
	}
	defer a.uploads.end()

	body := &uploadBody{from: http.MaxBytesReader(w, r.Body, maxUpload), control: http.NewResponseController(w), read: &u.bytes, until: time.Now().Add(uploadLimit)}
	parser := audience.Upload{Key: key, CSV: isCSV, Size: r.ContentLength, Progress: func(lines int) { u.lines.Store(int64(lines)) }}
	fingerprints, err := parser.Read(body)
	if err != nil {
		return uploadProblem(err)
	}
	ids := len(fingerprints)
	set, err := audience.Build(fingerprints)
	if err != nil {
		return fmt.Errorf("compile audience %s: %w", change.Key, err)
	}
	storing, cancelStoring := context.WithTimeout(context.WithoutCancel(r.Context()), uploadStore)
	defer cancelStoring()
	stored, err := a.config.Audiences.PutAudienceList(storing, change, set, uint64(set.Len()))
	if err != nil {
		return audienceProblem(r, err)
	}
	a.writeChangedAudience(w, r, change, changedAudience{stored, ids, ids - set.Len()})
	return nil
}

// uploadBody counts what is read of a body, and moves the deadlines of its connection on for
// as long as something comes. Those of the listener are for requests of the usual size.
type uploadBody struct {
	from    io.Reader
	control *http.ResponseController
	read    *atomic.Int64
	until   time.Time
	moved   time.Time // when the deadlines were
}

func (b *uploadBody) Read(p []byte) (int, error) {
	if now := time.Now(); now.Sub(b.moved) > time.Second {
		b.moved = now
		deadline := now.Add(uploadStall)
		if deadline.After(b.until) {
			deadline = b.until
		}
		_ = b.control.SetReadDeadline(deadline) // in tests there may be none
		_ = b.control.SetWriteDeadline(deadline.Add(uploadStore))
	}
	n, err := b.from.Read(p)
	b.read.Add(int64(n))
	return n, err
}

func uploadTooLarge() error {
	return console.NewProblem(http.StatusRequestEntityTooLarge, "upload_too_large", "A list may be uploaded in at most 2 GiB.")
}

// uploadProblem says why an upload was not read to its end.
func uploadProblem(err error) error {
	var tooLarge *http.MaxBytesError
	var broken *audience.BrokenLinesError
	switch {
	case errors.As(err, &tooLarge):
		return uploadTooLarge()
	case errors.Is(err, audience.ErrTooMany):
		return console.NewProblem(http.StatusRequestEntityTooLarge, "too_many_ids", "A list has at most "+strconv.Itoa(audience.MaxMembers)+" user ids, counting those that occur twice.")
	case errors.As(err, &broken):
		p := console.NewProblem(http.StatusUnprocessableEntity, "invalid_lines", "Lines that hold no user id: "+strconv.Itoa(broken.Total)+". Nothing was changed.")
		p.Lines, p.BrokenLines = broken.Lines, broken.Total
		return p
	case errors.Is(err, os.ErrDeadlineExceeded):
		return console.NewProblem(http.StatusRequestTimeout, "upload_stalled", "Nothing came for 15 s, or all of it took more than an hour. Nothing was changed.")
	}
	return console.NewProblem(http.StatusBadRequest, "unreadable_body", "The body ended early. Nothing was changed.")
}
