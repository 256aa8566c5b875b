//go:build linux

package e2e

import (
	"bytes"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// TestMetrics holds /metrics against the table of docs/operations.md, which
// dashboards and alerts are built on: names, types and labels.
func TestMetrics(t *testing.T) {
	s := start(t, "-demo")
	s.mustAsk("metrics")
	if _, _, err := s.get(s.adminURL + "/livez"); err != nil { // requests of the control plane are counted by status
		t.Fatal(err)
	}
	_, text, err := s.get(s.adminURL + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	parser := expfmt.NewTextParser(model.LegacyValidation)
	families, err := parser.TextToMetricFamilies(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	for name, family := range families {
		if !strings.HasPrefix(name, "popupd_") {
			continue
		}
		var labels []string
		for _, label := range family.Metric[0].Label {
			labels = append(labels, "`"+label.GetName()+"`")
		}
		found[name] = fmt.Sprintf("%s, labels %s", strings.ToLower(family.GetType().String()), strings.Join(labels, ", "))
	}
	documented := documentedMetrics(t)
	for name, is := range found {
		if want, ok := documented[name]; !ok {
			t.Errorf("docs/operations.md does not list %s (%s)", name, is)
		} else if is != want {
			t.Errorf("%s is a %s; docs/operations.md says %s", name, is, want)
		}
	}
	for name := range documented {
		if _, ok := found[name]; !ok {
			t.Errorf("docs/operations.md lists %s, which does not exist", name)
		}
	}
	problems, err := promlint.New(bytes.NewReader(text)).Lint()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
}

// documentedMetrics reads the table: name, type, labels and a meaning.
func documentedMetrics(t *testing.T) map[string]string {
	t.Helper()
	page, err := os.ReadFile("../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	row := regexp.MustCompile("(?m)^\\| `(popupd_\\w+)` \\| (\\w+) \\| ?(.*?) ?\\| .+ \\|$")
	metrics := map[string]string{}
	for _, match := range row.FindAllStringSubmatch(string(page), -1) {
		if metrics[match[1]] != "" {
			t.Errorf("docs/operations.md lists %s twice", match[1])
		}
		metrics[match[1]] = fmt.Sprintf("%s, labels %s", match[2], match[3])
	}
	return metrics
}
