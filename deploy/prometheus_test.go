package deploy

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"

	"github.com/popupd/popupd/internal/testbed"
)

const (
	runbooksFile = "../docs/runbooks.md"
	runbooksURL  = "https://github.com/popupd/popupd/blob/main/docs/runbooks.md"
)

// alert is a rule of prometheus/alerts.yml that has people look.
type alert struct {
	Alert, Expr, For    string
	Labels, Annotations map[string]string
}

// alerts returns the alerts of prometheus/alerts.yml.
func alerts(t *testing.T) (all []alert) {
	t.Helper()
	var file struct {
		Groups []struct{ Rules []alert }
	}
	readYAML(t, "prometheus/alerts.yml", &file)
	for _, group := range file.Groups {
		for _, rule := range group.Rules {
			if rule.Alert != "" {
				all = append(all, rule)
			}
		}
	}
	if len(all) < 30 {
		t.Fatalf("%d alerts: are they read at all?", len(all))
	}
	return all
}

func readYAML(t *testing.T, path string, into any) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(text, into); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}

// promtool runs promtool in prometheus/.
func promtool(t *testing.T, args ...string) {
	t.Helper()
	path, err := testbed.LookPath("promtool")
	if err != nil {
		if os.Getenv("POPUPD_REQUIRE_STORES") != "" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	cmd := exec.Command(path, args...)
	cmd.Dir = "prometheus"
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("promtool %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

// TestPromtool has promtool check the files for Prometheus, and run the tests of the alerts.
func TestPromtool(t *testing.T) {
	if testing.Short() {
		t.Skip("takes some seconds")
	}
	promtool(t, "check", "config", "prometheus.yml")
	promtool(t, "check", "rules", "alerts.yml")
	promtool(t, "test", "rules", "alerts_test.yml", "alerts_hours_test.yml")
}

// TestAlerts: each alert tells what happens, with its values, and where to read what to do.
func TestAlerts(t *testing.T) {
	names := map[string]bool{}
	for _, a := range alerts(t) {
		if names[a.Alert] || !strings.HasPrefix(a.Alert, "Popupd") {
			t.Errorf("alert %q: want a name of its own that begins with Popupd", a.Alert)
		}
		names[a.Alert] = true
		if s := a.Labels["severity"]; s != "critical" && s != "warning" {
			t.Errorf("%s has the severity %q", a.Alert, s)
		}
		for _, text := range []string{"summary", "description"} {
			if a.Annotations[text] == "" {
				t.Errorf("%s has no %s", a.Alert, text)
			}
		}
		if got, want := a.Annotations["runbook_url"], runbooksURL+"#"+strings.ToLower(a.Alert); got != want {
			t.Errorf("%s has the runbook %s, want %s", a.Alert, got, want)
		}
	}
}

// TestAlertsAreTested: a test of promtool has each alert fire, and one has it be quiet:
// a moment before, or on another server.
func TestAlertsAreTested(t *testing.T) {
	type promTest struct {
		InputSeries   []struct{ Series string } `yaml:"input_series"`
		AlertRuleTest []struct {
			Alertname string
			ExpAlerts []any `yaml:"exp_alerts"`
		} `yaml:"alert_rule_test"`
	}
	fires, quiet := map[string]bool{}, map[string]bool{}
	paths, _ := filepath.Glob("prometheus/*_test.yml")
	for _, path := range paths {
		var file struct{ Tests []promTest }
		readYAML(t, path, &file)
		for _, test := range file.Tests {
			bystander := slices.ContainsFunc(test.InputSeries, func(s struct{ Series string }) bool { return strings.Contains(s.Series, `"good"`) })
			for _, at := range test.AlertRuleTest {
				fires[at.Alertname] = fires[at.Alertname] || len(at.ExpAlerts) == 1
				quiet[at.Alertname] = quiet[at.Alertname] || len(at.ExpAlerts) == 0 || bystander
			}
		}
	}
	for _, a := range alerts(t) {
		if !fires[a.Alert] || !quiet[a.Alert] {
			t.Errorf("%s: tested that it fires: %v, that it is quiet: %v", a.Alert, fires[a.Alert], quiet[a.Alert])
		}
	}
}

// runbookParts are what each runbook says after what the alert means, in this order.
var runbookParts = []string{"**Look**", "**Do**", "**Not**", "**Over**"}

// TestRunbooks: each alert has a section in docs/runbooks.md, and each section an alert.
func TestRunbooks(t *testing.T) {
	page, err := os.ReadFile(runbooksFile)
	if err != nil {
		t.Fatal(err)
	}
	sections := map[string]string{}
	for _, section := range regexp.MustCompile(`(?m)^### `).Split(string(page), -1)[1:] {
		name, text, _ := strings.Cut(section, "\n")
		sections[name] = text
	}
	for _, a := range alerts(t) {
		text, ok := sections[a.Alert]
		if !ok {
			t.Errorf("docs/runbooks.md has no section %s", a.Alert)
			continue
		}
		delete(sections, a.Alert)
		for _, part := range runbookParts {
			if !strings.Contains(strings.ReplaceAll(text, "**Look**, **do**, **not**", "**Look** **Do** **Not**"), part) {
				t.Errorf("runbook %s does not say %s", a.Alert, part)
			}
		}
	}
	for name := range sections {
		t.Errorf("docs/runbooks.md has a section %s, and there is no such alert", name)
	}
}
