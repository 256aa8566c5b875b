package popups

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/popupd/popupd/internal/cli"
	"github.com/popupd/popupd/internal/configfile"
	"github.com/popupd/popupd/popup"
)

const (
	timeout   = 3 * time.Minute // of a whole request; a server takes up to 150 s for an import
	maxAnswer = 256 << 20
)

// client asks the control plane of one server.
type client struct {
	server, token string
	http          http.Client
}

func newClient(c cli.Popups) *client {
	return &client{server: c.Server, token: c.Token, http: http.Client{
		Timeout:       timeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }, // the token is for this server
	}}
}

// exported is the answer to an export.
type exported struct {
	Popups    []json.RawMessage `json:"popups"`
	Settings  json.RawMessage   `json:"settings"`
	Audiences []json.RawMessage `json:"audiences"`
}

func (c *client) export() (e exported, err error) {
	_, answer, err := c.ask(http.MethodGet, "/v1/admin/export", "", nil, "")
	if err != nil {
		return e, err
	}
	if err := json.Unmarshal(answer, &e); err != nil || e.Popups == nil || e.Settings == nil {
		return e, fmt.Errorf("%s does not answer as popupd does", c.server)
	}
	return e, nil
}

// importFiles asks what an import would change, or makes it if nothing has changed since match,
// which is the state that a dry run was compared with.
func (c *client) importFiles(body []byte, dryRun bool, match string) (a *changes, at string, err error) {
	query := ""
	if dryRun {
		query = "?dry_run=1"
	}
	header, answer, err := c.ask(http.MethodPut, "/v1/admin/import", query, body, match)
	if err != nil {
		return nil, "", err
	}
	a = &changes{text: answer, isInForce: header.Get("Popupd-In-Force") != "false"}
	if err := json.Unmarshal(answer, a); err != nil || a.Objects == nil {
		return nil, "", fmt.Errorf("%s does not answer as popupd does", c.server)
	}
	return a, header.Get("ETag"), nil
}

func (c *client) ask(method, path, query string, body []byte, match string) (http.Header, []byte, error) {
	target, err := url.JoinPath(c.server, path)
	if err != nil {
		return nil, nil, err
	}
	request, err := http.NewRequest(method, target+query, bytes.NewReader(body))
	if err != nil {
		return nil, nil, err
	}
	request.Header.Set("Authorization", "Bearer "+c.token)
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	if match != "" {
		request.Header.Set("If-Match", match)
	}
	response, err := c.http.Do(request)
	if failed, ok := errors.AsType[*url.Error](err); ok {
		return nil, nil, fmt.Errorf("no answer from %s: %w", c.server, failed.Err)
	}
	if err != nil {
		return nil, nil, err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err != nil {
		return nil, nil, fmt.Errorf("read the answer of %s: %w", c.server, err)
	}
	if response.StatusCode != http.StatusOK {
		return nil, nil, c.refused(response.StatusCode, answer)
	}
	return response.Header, answer, nil
}

// refusal is why a server does not do what it was asked.
type refusal struct {
	text   string
	fields popup.FieldErrors // what of the body it is about
}

func (r *refusal) Error() string { return r.text }

func (c *client) refused(status int, answer []byte) *refusal {
	var p struct {
		Title, Code, Detail string
		Errors              popup.FieldErrors
	}
	if json.Unmarshal(answer, &p) != nil || p.Code == "" || status == http.StatusNotFound {
		return &refusal{text: fmt.Sprintf("%s answers %d %s: is it the control plane of a popupd that can export and import?", c.server, status, http.StatusText(status))}
	}
	why := configfile.Printable(p.Detail)
	if why == "" {
		why = configfile.Printable(p.Title)
	}
	switch {
	case status == http.StatusUnauthorized:
		return &refusal{text: c.server + " does not take this token"}
	case status == http.StatusForbidden:
		return &refusal{text: fmt.Sprintf("%s does not allow this with the role of this token: %s", c.server, why)}
	case p.Code == "stale_revision":
		return &refusal{text: fmt.Sprintf("something has been changed on %s since the files were compared with it; nothing was applied: see popupd popups diff, and apply again", c.server)}
	case len(p.Errors) > 0:
		return &refusal{fields: p.Errors, text: fmt.Sprintf("%s refuses %s, nothing was changed: %s", c.server, count(len(p.Errors), "member"), why)}
	}
	return &refusal{text: fmt.Sprintf("%s answers %d, nothing was changed: %s", c.server, status, why)}
}
