//go:build linux

package e2e

import (
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/popupd/popupd/internal/storetest"
	"github.com/popupd/popupd/internal/testbed"
)

// promAnswer is an answer of Prometheus.
type promAnswer struct {
	Status, Error string
	Data          struct {
		Result []struct{ Value [2]any } // time and number of each series
	}
}

// promQuery evaluates an expression in a Prometheus now, and returns the values of the
// series that it gives.
func promQuery(s *testbed.Prometheus, expression string) (values []string, err error) {
	resp, err := client.Get("http://" + s.Addr + "/api/v1/query?query=" + url.QueryEscape(expression))
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	var answer promAnswer
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		return nil, err
	}
	if answer.Status != "success" {
		return nil, fmt.Errorf("%s: %s", expression, answer.Error)
	}
	for _, series := range answer.Data.Result {
		values = append(values, fmt.Sprint(series.Value[1]))
	}
	return values, nil
}

// documentedAlerts returns the expressions in the first column of the table of alerts.
func documentedAlerts(t *testing.T) (expressions []string) {
	t.Helper()
	page, err := os.ReadFile("../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(page), "\n### Alerts\n")
	section, _, _ = strings.Cut(section, "\n## ")
	for line := range strings.Lines(section) {
		if !strings.HasPrefix(line, "| `") {
			continue
		}
		first, _, _ := strings.Cut(line[1:], " | ")
		for n, part := range strings.Split(first, "`") {
			if n%2 == 1 {
				expressions = append(expressions, part)
			}
		}
	}
	return expressions
}

// TestPrometheus has a Prometheus scrape a popupd: all metrics that docs/operations.md
// names are there, and each of its alerts is evaluated, on series that exist, and is
// quiet.
func TestPrometheus(t *testing.T) {
	t.Parallel()
	s := start(t, "-demo")
	s.mustAsk("prometheus")
	if _, _, err := s.get(s.adminURL + "/livez"); err != nil { // requests of the control plane are counted by status
		t.Fatal(err)
	}
	prometheus := storetest.StartPrometheus(t, s.Admin)
	eventually(t, 10*time.Second, func() error { // rates need two scrapes
		up, err := promQuery(prometheus, `count_over_time(up{job="popupd"}[1m]) >= 2 and up == 1`)
		if err == nil && len(up) != 1 {
			err = fmt.Errorf("popupd is not up to Prometheus: %q", up)
		}
		return err
	})
	if up, err := promQuery(prometheus, "up"); err != nil || !slices.Equal(up, []string{"1"}) {
		t.Errorf("up: %q, %v; want 1", up, err)
	}
	for metric, is := range documentedMetrics(t) {
		if strings.HasPrefix(is, "histogram") {
			metric += "_count"
		}
		if samples, err := promQuery(prometheus, metric); err != nil || len(samples) == 0 {
			t.Errorf("%s: %q, %v; want samples", metric, samples, err)
		}
	}

	alerts := documentedAlerts(t)
	if len(alerts) < 17 {
		t.Errorf("docs/operations.md has the alerts %q, want 17 or more", alerts)
	}
	selector := regexp.MustCompile(`popupd_\w+(\{[^}]*\})?`)
	for _, alert := range alerts {
		firing, err := promQuery(prometheus, alert)
		// Users' states are first dumped after a minute, and this alert waits for five.
		if err != nil || len(firing) > 0 && !strings.Contains(alert, "popupd_last_dump_timestamp_seconds") {
			t.Errorf("alert %s: %q, %v; want none", alert, firing, err)
		}
		for _, series := range selector.FindAllString(alert, -1) {
			if samples, err := promQuery(prometheus, series); err != nil || len(samples) == 0 {
				t.Errorf("alert %s: %s has the samples %q, %v; want some", alert, series, samples, err)
			}
		}
	}
	checkMetrics(t, s)
}

// checkMetrics holds /metrics against promtool, which comes with Prometheus.
func checkMetrics(t *testing.T, s *server) {
	t.Helper()
	_, text, err := s.get(s.adminURL + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	promtool, err := testbed.LookPath("promtool")
	if err != nil {
		t.Fatal(err)
	}
	check := exec.Command(promtool, "check", "metrics")
	check.Stdin = strings.NewReader(string(text))
	if out, err := check.CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("promtool check metrics: %v\n%s", err, out)
	}
}
