// Package explain is the command popupd explain: it asks the control plane of a running
// popupd what a poll would come to, and prints the answer as a table. What is decided and
// why is the business of package decision, on the server.
package explain

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/popupd/popupd/internal/cli"
	"github.com/popupd/popupd/popup"
)

const timeout = 30 * time.Second // of the whole request

// Run prints what the server says.
func Run(c cli.Explain, stdout io.Writer) error {
	answer, err := ask(c)
	if err != nil {
		return err
	}
	if c.JSON {
		_, err = fmt.Fprintf(stdout, "%s\n", bytes.TrimSpace(answer))
		return err
	}
	var e popup.Explanation
	if err := json.Unmarshal(answer, &e); err != nil {
		return fmt.Errorf("%s does not answer as popupd does: %w", c.Server, err)
	}
	return write(stdout, &c, &e)
}

// ask returns the server's explanation, JSON.
func ask(c cli.Explain) ([]byte, error) {
	body, err := json.Marshal(poll(c))
	if err != nil {
		return nil, err
	}
	target, err := url.JoinPath(c.Server, "/v1/admin/explain")
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequest(http.MethodPost, target+"?limit="+strconv.Itoa(c.Limit), bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Authorization", "Bearer "+c.Token)
	request.Header.Set("Content-Type", "application/json")
	client := http.Client{Timeout: timeout}
	response, err := client.Do(request)
	var failed *url.Error
	if errors.As(err, &failed) {
		return nil, fmt.Errorf("no answer from %s: %w", c.Server, failed.Err)
	}
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, fmt.Errorf("read the answer of %s: %w", c.Server, err)
	}
	if response.StatusCode != http.StatusOK {
		return nil, refusal(c.Server, response.StatusCode, answer)
	}
	return answer, nil
}

// poll returns the members of the poll that are given.
func poll(c cli.Explain) map[string]any {
	in := map[string]any{"uid": c.UID}
	for name, value := range map[string]string{"prior_uid": c.PriorUID, "trigger": c.Trigger, "tz": c.Zone, "at": c.At, "popup": c.Popup} {
		if value != "" {
			in[name] = value
		}
	}
	if len(c.Placements) > 0 {
		in["placements"] = c.Placements
	}
	attributes := map[string][]string{}
	for _, a := range c.Attrs {
		switch a.Name {
		case "platform", "app_version", "locale", "country", "path", "ip":
			in[a.Name] = a.Value
		default:
			attributes[a.Name] = append(attributes[a.Name], a.Value)
		}
	}
	in["attributes"] = attributes
	return in
}

// refusal says why the server does not explain; a mistake in the call is one of usage.
func refusal(server string, status int, answer []byte) error {
	var p struct {
		Title, Code, Detail string
		Errors              popup.FieldErrors
	}
	if json.Unmarshal(answer, &p) != nil || status == http.StatusNotFound && p.Code != "popup_not_found" {
		return fmt.Errorf("%s answers %d %s: is it the control plane of a popupd that can explain?", server, status, http.StatusText(status))
	}
	switch status {
	case http.StatusUnauthorized:
		return fmt.Errorf("%s does not take this token", server)
	case http.StatusUnprocessableEntity:
		parts := make([]string, len(p.Errors))
		for i, e := range p.Errors {
			parts[i] = strings.TrimPrefix(e.Pointer, "/") + " " + e.Detail
		}
		return fmt.Errorf("%s; %w", strings.Join(parts, "; "), cli.ErrUsage)
	}
	if p.Detail == "" {
		p.Detail = p.Title
	}
	return fmt.Errorf("%s answers %d: %s", server, status, p.Detail)
}
