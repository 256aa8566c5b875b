//go:build linux

package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/popupd/popupd/internal/storetest"
)

// dashboardQueries returns the queries of the Grafana dashboard by their panels, with
// Grafana's variables replaced.
func dashboardQueries(t *testing.T) (panels []string, queries []string) {
	t.Helper()
	text, err := os.ReadFile("../deploy/grafana/popupd.json")
	if err != nil {
		t.Fatal(err)
	}
	var dashboard struct {
		Panels []struct {
			Title   string
			Targets []struct{ Expr string }
		}
	}
	if err := json.Unmarshal(text, &dashboard); err != nil {
		t.Fatal(err)
	}
	variables := strings.NewReplacer("$instance", ".*", "$__rate_interval", "1m")
	for _, panel := range dashboard.Panels {
		for _, target := range panel.Targets {
			panels, queries = append(panels, panel.Title), append(queries, variables.Replace(target.Expr))
		}
	}
	if len(queries) < 60 {
		t.Fatalf("%d queries: are they read at all?", len(queries))
	}
	return panels, queries
}

// TestDashboardQueries has a Prometheus that scrapes a popupd under a little load
// evaluate every query of the Grafana dashboard: none fails, and each gives a number.
func TestDashboardQueries(t *testing.T) {
	t.Parallel()
	s := start(t, "-demo", "-state-scope", "hashed") // which looks users up
	prometheus := storetest.StartPrometheus(t, s.Admin)
	panels, queries := dashboardQueries(t)
	users := 0
	eventually(t, 60*time.Second, func() error {
		for range 100 { // a random 1 in 64 is timed
			users++
			s.mustAsk(fmt.Sprint("user-", users))
		}
		s.post(fmt.Sprintf(`{"key":"dashboard-%d"}`, users)) // a change that comes into force
		for i, query := range queries {
			values, err := promQuery(prometheus, query)
			if err != nil {
				return fmt.Errorf("%s: %w", panels[i], err)
			}
			if !slices.ContainsFunc(values, func(v string) bool { return v != "NaN" }) {
				return fmt.Errorf("%s: %s gives %q, want a number", panels[i], query, values)
			}
		}
		return nil
	})
}
