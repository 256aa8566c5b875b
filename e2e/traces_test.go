//go:build linux

package e2e

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/popupd/popupd/internal/testbed"
)

// otlpReceiver is a collector of traces, https://opentelemetry.io/docs/specs/otlp/#otlphttp.
type otlpReceiver struct {
	mu    sync.Mutex // guards what follows
	bytes strings.Builder
	spans map[string]*tracepb.Span // the latest of a name
}

func (r *otlpReceiver) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	body, err := io.ReadAll(request.Body)
	var data tracepb.TracesData
	if err != nil || request.URL.Path != "/v1/traces" || proto.Unmarshal(body, &data) != nil {
		http.Error(w, "no traces", http.StatusBadRequest)
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.bytes.Write(body)
	for _, of := range data.ResourceSpans {
		for _, scope := range of.ScopeSpans {
			for _, span := range scope.Spans {
				r.spans[span.Name] = span
			}
		}
	}
}

// span returns the latest span of a name.
func (r *otlpReceiver) span(name string) *tracepb.Span {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.spans[name]
}

// TestTraces: a popupd that is told of a collector sends it a change with what follows from
// it, flushes, notices, and the poll whose client asks for it. No user, token or secret is
// among them.
func TestTraces(t *testing.T) {
	t.Parallel()
	r := &otlpReceiver{spans: map[string]*tracepb.Span{}}
	collector := httptest.NewServer(r)
	defer collector.Close()
	webhook := httptest.NewServer(http.NotFoundHandler())
	defer webhook.Close()
	s := launchWith(t, testbed.PopupdOptions{
		Flags: []string{"-webhook", webhook.URL, "-webhook-secret", "whsec_dGhlIHNlY3JldCBvZiB0aGUgdGVzdHMgb2YgcG9wdXBk"},
		Env:   []string{"OTEL_EXPORTER_OTLP_ENDPOINT=" + collector.URL, "OTEL_BSP_SCHEDULE_DELAY=50"},
	})
	s.waitReady()
	s.post(`{"key":"traced","status":"active"}`)
	const trace = "0af7651916cd43dd8448eb211c80319c"
	request, _ := http.NewRequest("GET", s.dataURL+"/v1/poll?uid=traced-user", nil)
	request.Header.Set("traceparent", "00-"+trace+"-b7ad6b7169203331-01")
	answer, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		t.Fatalf("the poll is answered with %d", answer.StatusCode)
	}
	eventually(t, 20*time.Second, func() error {
		for _, name := range []string{"POST /v1/admin/popups", "reload", "compile what has changed", "GET /v1/poll", "flush", "deliver notice"} {
			if r.span(name) == nil {
				return fmt.Errorf("no span %q", name)
			}
		}
		return nil
	})
	if got := fmt.Sprintf("%x", r.span("GET /v1/poll").TraceId); got != trace {
		t.Errorf("the poll is of trace %s, want %s", got, trace)
	}
	change, reload, compile := r.span("POST /v1/admin/popups"), r.span("reload"), r.span("compile what has changed")
	if string(reload.ParentSpanId) != string(change.SpanId) || string(compile.ParentSpanId) != string(reload.SpanId) {
		t.Errorf("the change is %x, its reload %x within %x, that compiles within %x", change.SpanId, reload.SpanId, reload.ParentSpanId, compile.ParentSpanId)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, private := range []string{"traced-user", s.Token, "whsec_", "dGhlIHNlY3JldCBvZiB0aGUgdGVzdHMgb2YgcG9wdXBk", strings.TrimPrefix(webhook.URL, "http://")} {
		if strings.Contains(r.bytes.String(), private) {
			t.Errorf("a trace has %q", private)
		}
	}
}

// TestTracesAway: a collector that is away delays neither polls nor the end, and one line tells of it.
func TestTracesAway(t *testing.T) {
	t.Parallel()
	collector := httptest.NewServer(nil)
	collector.Close()
	s := launchWith(t, testbed.PopupdOptions{
		Flags: []string{"-demo"}, Env: []string{"OTEL_EXPORTER_OTLP_ENDPOINT=" + collector.URL, "OTEL_BSP_SCHEDULE_DELAY=50"},
	})
	s.waitReady()
	eventually(t, 20*time.Second, func() error {
		s.post(fmt.Sprintf(`{"key":"p-%d"}`, time.Now().UnixNano()))
		s.mustAsk("traced-user")
		if !strings.Contains(s.Log(), "traces can't be sent") {
			return fmt.Errorf("nothing is logged")
		}
		return nil
	})
	s.stop()
	if lines := strings.Count(s.Log(), "traces can't be sent"); lines != 1 {
		t.Errorf("%d lines tell of the collector, want 1", lines)
	}
}
