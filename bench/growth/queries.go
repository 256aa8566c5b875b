//go:build linux

package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"
)

// get asks the control plane.
func (m *measurement) get(ctx context.Context, path string) (time.Duration, []byte, error) {
	return m.ask(ctx, "GET", path, "")
}

func (m *measurement) ask(ctx context.Context, method, path, body string) (took time.Duration, answer []byte, err error) {
	r, err := http.NewRequestWithContext(ctx, method, "http://"+m.server.Admin+path, strings.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	r.Header.Set("Authorization", "Bearer "+m.server.Token)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	start := time.Now()
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, nil, err
	}
	defer response.Body.Close()
	answer, err = io.ReadAll(response.Body)
	if err == nil && response.StatusCode/100 != 2 {
		err = fmt.Errorf("%s %s: status %d: %s", method, path, response.StatusCode, answer)
	}
	return time.Since(start), answer, err
}

// measureQueries times what the console and other clients ask the control plane for, and counts the rows that
// MariaDB reads for it.
func (m *measurement) measureQueries(ctx context.Context) error {
	if err := m.restart(0); err != nil {
		return err
	}
	cursor, err := m.lateCursor(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintf(&m.report, "## What the control plane asks for\n\n%d requests each, of popups and users all over the tables, one at a time; MariaDB was started just before. Rows are those that its storage engine has read (`Rows_read`), what popupd asks for beside that included.\n\n"+
		"| | median, ms | largest, ms | rows read, median | largest |\n|---|---:|---:|---:|---:|\n", rounds)
	from := time.Now().Add(-90 * 24 * time.Hour).UTC().Format(time.RFC3339)
	for _, q := range []struct{ name, method, path, body string }{
		{"popups: a page with statistics", "GET", "/v1/admin/popups?stats=1&facets=1&sort=-updated_at", ""},
		{"one popup", "GET", "/v1/admin/popups/KEY", ""},
		{"its revisions", "GET", "/v1/admin/popups/KEY/revisions", ""},
		{"its statistics, 7 days by hour", "GET", "/v1/admin/popups/KEY/stats", ""},
		{"its statistics, 90 days by day", "GET", "/v1/admin/popups/KEY/stats?interval=day&from=" + from, ""},
		{"its experiment", "GET", "/v1/admin/popups/KEY/experiment", ""},
		{"a user", "GET", "/v1/admin/users/USER", ""},
		{"explain a poll", "POST", "/v1/admin/explain", `{"uid":"USER","placement":"PLACE"}`},
		{"1,000 events, from the beginning", "GET", "/v1/admin/events?limit=1000", ""},
		{"1,000 events, after 100,000", "GET", "/v1/admin/events?limit=1000&after=" + cursor, ""},
		{"the audit trail", "GET", "/v1/admin/audit", ""},
		{"the audit trail of a popup", "GET", "/v1/admin/audit?object=KEY", ""},
		{"settings", "GET", "/v1/admin/settings", ""},
		{"audiences", "GET", "/v1/admin/audiences", ""},
		{"tokens", "GET", "/v1/admin/tokens", ""},
		{"all popups (export)", "GET", "/v1/admin/export", ""},
	} {
		var took []time.Duration
		var read []int
		for n := range rounds {
			number := 1 + n*37%popups
			if strings.Contains(q.path, "experiment") {
				number = popups/2 + 1 + n*37%(popups/2)
			}
			words := strings.NewReplacer("KEY", fmt.Sprintf("popup-%d", number), "PLACE", fmt.Sprintf("place-%d", number),
				"USER", fmt.Sprintf("u%015d", n*permuting%(servers*m.visits()/2)))
			before, err := m.rowsRead()
			if err != nil {
				return err
			}
			t, _, err := m.ask(ctx, q.method, words.Replace(q.path), words.Replace(q.body))
			if err != nil {
				return err
			}
			after, err := m.rowsRead()
			if err != nil {
				return err
			}
			took, read = append(took, t), append(read, after-before)
		}
		fmt.Fprintf(&m.report, "| %s | %.1f | %.1f | %d | %d |\n", q.name, median(took).Seconds()*1000, slices.Max(took).Seconds()*1000, median(read), slices.Max(read))
		fmt.Fprintln(os.Stderr, q.name)
	}
	m.report.WriteString("\n")
	return nil
}

// rounds is how often each is asked for.
const rounds = 20

func median[T cmp.Ordered](of []T) T {
	slices.Sort(of)
	return of[len(of)/2]
}

func (m *measurement) rowsRead() (int, error) {
	return m.number("SELECT VARIABLE_VALUE FROM information_schema.GLOBAL_STATUS WHERE VARIABLE_NAME = 'ROWS_READ'")
}

// lateCursor returns the cursor behind 100,000 events.
func (m *measurement) lateCursor(ctx context.Context) (string, error) {
	_, answer, err := m.get(ctx, "/v1/admin/events?limit=100000")
	if err != nil {
		return "", err
	}
	last := answer[1+max(-1, strings.LastIndexByte(strings.TrimSpace(string(answer)), '\n')):]
	var line struct{ Cursor string }
	if err := json.Unmarshal(last, &line); err != nil || line.Cursor == "" {
		return "", fmt.Errorf("no cursor behind %d bytes of events: %w", len(answer), err)
	}
	return line.Cursor, nil
}

// measureReset resets a user, whose id then leaves all rows of event.
func (m *measurement) measureReset(ctx context.Context) error {
	if err := m.restart(0); err != nil {
		return err
	}
	start := time.Now()
	took, _, err := m.ask(ctx, "DELETE", fmt.Sprintf("/v1/admin/users/u%015d", servers*m.visits()/4), "")
	if err != nil {
		return err
	}
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for seen := false; ; {
		pending, err := m.server.Metric(ctx, "popupd_erasures_pending")
		if err != nil {
			return err
		}
		if pending > 0 {
			seen = true
		} else if seen {
			break
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	fmt.Fprintf(&m.report, "A reset of a user was answered after %.0f ms; %.0f s later no row of `event` named the user any more. popupd walks through all of them for that, for at most 3 s of every 5.\n\n", took.Seconds()*1000, time.Since(start).Seconds())
	return nil
}
