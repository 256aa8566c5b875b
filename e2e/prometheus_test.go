//go:build linux

package e2e

import (
	"encoding/json"
	"fmt"
	"net/url"
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

// alertsFile has the recording rules and alerts, the only place of their expressions.
const alertsFile = "../deploy/prometheus/alerts.yml"

// promRule is a rule as Prometheus evaluated it last.
type promRule struct {
	Name, Query, Type, Health, LastError string
	State                                string // of an alert: inactive, pending or firing
}

// promRules returns all rules of a Prometheus.
func promRules(s *testbed.Prometheus) (rules []promRule, err error) {
	resp, err := client.Get("http://" + s.Addr + "/api/v1/rules")
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	var answer struct {
		Data struct {
			Groups []struct{ Rules []promRule }
		}
	}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		return nil, err
	}
	for _, group := range answer.Data.Groups {
		rules = append(rules, group.Rules...)
	}
	return rules, nil
}

// TestPrometheus has a Prometheus scrape a popupd: all metrics that docs/operations.md
// names are there, and each rule of deploy/prometheus is evaluated, on series that
// exist. All alerts are quiet.
func TestPrometheus(t *testing.T) {
	t.Parallel()
	s := start(t, "-demo")
	if _, _, err := s.get(s.adminURL + "/livez"); err != nil { // requests of the control plane are counted by status
		t.Fatal(err)
	}
	prometheus := storetest.StartPrometheus(t, s.Admin, alertsFile)
	eventually(t, 20*time.Second, func() error { // a ratio needs polls between two scrapes
		s.mustAsk("prometheus")
		ratio, err := promQuery(prometheus, "job:popupd_polls_failed:ratio_rate5m")
		if err == nil && !slices.Equal(ratio, []string{"0"}) {
			err = fmt.Errorf("of the polls fail %q, want none", ratio)
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
	checkRules(t, prometheus)
	checkMetrics(t, s)
}

// selector is a series in an expression of PromQL.
var selector = regexp.MustCompile(`\b(job:)?(popupd|process)_\w+(:\w+)?(\{[^}]*\})?`)

// checkRules holds the rules of a Prometheus that scrapes a popupd which is well.
func checkRules(t *testing.T, s *testbed.Prometheus) {
	t.Helper()
	rules, err := promRules(s)
	if err != nil || len(rules) < 40 {
		t.Fatalf("%d rules, %v; want those of %s", len(rules), err, alertsFile)
	}
	for _, rule := range rules {
		if rule.Health != "ok" {
			t.Errorf("%s is %s: %s", rule.Name, rule.Health, rule.LastError)
		}
		// Users' states are first dumped after a minute; that alert waits for five.
		if rule.Type == "alerting" && rule.State != "inactive" && rule.Name != "PopupdDumpOld" {
			t.Errorf("%s is %s", rule.Name, rule.State)
		}
		for _, series := range selector.FindAllString(rule.Query, -1) {
			if samples, err := promQuery(s, series); err != nil || len(samples) == 0 {
				t.Errorf("%s: %s has the samples %q, %v; want some", rule.Name, series, samples, err)
			}
		}
	}
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
