package e2e

import (
	"bytes"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
)

// documented are the metrics that dashboards and alerts are built on.
const documented = `
	poll_duration_seconds decisions_total rejections_total actions_total http_errors_total queue_wait_seconds
	config_revision config_age_seconds config_reload_errors_total config_propagation_seconds state_entries state_bytes state_full_total
	journal_bytes journal_events_total journal_append_duration_seconds journal_errors_total shipped_events_total resends_total queue_depth_events
	flushed_events_total flush_duration_seconds flush_lag_seconds flush_errors_total dead_frames_total gap_events_total redis_up mysql_up build_info`

func TestMetrics(t *testing.T) {
	s := start(t, "-demo")
	s.mustAsk("metrics")
	_, text, err := s.get(s.rest + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	for name := range strings.FieldsSeq(documented) {
		if !bytes.Contains(text, []byte("\n# TYPE popupd_"+name+" ")) {
			t.Errorf("no metric popupd_%s", name)
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
