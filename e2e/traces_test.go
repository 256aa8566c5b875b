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
	spans map[string]*tracepb.Span // by id
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
				r.spans[string(span.SpanId)] = span
			}
		}
	}
}

// within returns a span that has a name and stands within spans of other names, outermost
// last; nil if there is none.
func (r *otlpReceiver) within(names ...string) *tracepb.Span {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, span := range r.spans {
		at := span
		for i, name := range names {
			if at.GetName() != name {
				break
			}
			if i == len(names)-1 {
				return span
			}
			at = r.spans[string(at.ParentSpanId)]
		}
	}
	return nil
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
	s.post(`{"key":"first"}`) // the first change has everything read
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
		for _, names := range [][]string{{"compile what has changed", "reload", "POST /v1/admin/popups"}, {"GET /v1/poll"}, {"flush"}, {"deliver notice"}} {
			if r.within(names...) == nil {
				return fmt.Errorf("no span %q", names)
			}
		}
		return nil
	})
	if got := fmt.Sprintf("%x", r.within("GET /v1/poll").TraceId); got != trace {
		t.Errorf("the poll is of trace %s, want %s", got, trace)
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
