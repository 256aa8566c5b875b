package tracing

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"go.uber.org/goleak"
	"google.golang.org/protobuf/proto"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// receiver is a collector that keeps what it is sent.
type receiver struct {
	*httptest.Server
	t *testing.T

	mu       sync.Mutex // guards what follows
	status   int        // of answers
	requests []*http.Request
	spans    []*tracepb.Span
	resource string // of the last spans
}

func newReceiver(t *testing.T) *receiver {
	r := &receiver{t: t, status: http.StatusOK}
	r.Server = httptest.NewServer(r)
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	r.mu.Lock()
	defer r.mu.Unlock()
	var body io.Reader = request.Body
	if request.Header.Get("Content-Encoding") == "gzip" {
		unpacked, err := gzip.NewReader(body)
		if err != nil {
			r.t.Error(err)
			return
		}
		body = unpacked
	}
	text, err := io.ReadAll(body)
	if err != nil {
		r.t.Error(err)
	}
	var data tracepb.TracesData
	if err := proto.Unmarshal(text, &data); err != nil {
		r.t.Error(err)
	}
	r.requests = append(r.requests, request)
	for _, of := range data.ResourceSpans {
		r.resource = of.Resource.String()
		for _, scope := range of.ScopeSpans {
			r.spans = append(r.spans, scope.Spans...)
		}
	}
	w.WriteHeader(r.status)
}

// open returns a tracer with these variables, and its log. Those of the library are those
// of the process.
func open(t *testing.T, env map[string]string) (*Tracer, *bytes.Buffer) {
	t.Helper()
	log := new(bytes.Buffer)
	tracer, err := Open(t.Context(), func(name string) string { return env[name] }, "v1", "host", slog.New(slog.NewTextHandler(log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	return tracer, log
}

func (t *Tracer) mustClose(test *testing.T) {
	test.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := t.Close(ctx); err != nil {
		test.Error(err)
	}
}

// describe returns a span as text: its name, status and attributes.
func describe(s *tracepb.Span) string {
	text := s.Name
	if s.Status.GetCode() != 0 {
		text += fmt.Sprintf(" %v %s", s.Status.Code, s.Status.Message)
	}
	for _, a := range s.Attributes {
		text += " " + a.Key + "=" + cmp.Or(a.Value.GetStringValue(), fmt.Sprint(a.Value.GetIntValue()))
	}
	return text
}

const (
	sampledTrace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	traceID      = "0af7651916cd43dd8448eb211c80319c"
	clientSpan   = "b7ad6b7169203331"
)

// TestSends: spans arrive with their names, numbers and parents.
func TestSends(t *testing.T) {
	t.Setenv("OTEL_SERVICE_NAME", "popupd-of-shop")
	r := newReceiver(t)
	tracer, _ := open(t, map[string]string{
		"OTEL_EXPORTER_OTLP_ENDPOINT": r.URL + "/tenant", "OTEL_EXPORTER_OTLP_HEADERS": "authorization=Bearer%20secret, x=1", "OTEL_EXPORTER_OTLP_COMPRESSION": "gzip",
	})
	request := httptest.NewRequest("PUT", "/v1/admin/popups/sale", nil)
	request.Header.Set("Traceparent", sampledTrace)
	request, span := tracer.StartRequest(request, "PUT", "/v1/admin/popups/{key}")
	_, inner := tracer.Start(request.Context(), "reload")
	inner.Set("popupd.revision", 7)
	inner.End(fmt.Errorf("read popups of user-1: %w", context.DeadlineExceeded))
	span.Status(503)
	tracer.Poll([]byte(sampledTrace), "GET", "served", time.Second)
	_, flush := tracer.Start(t.Context(), "flush")
	flush.SetText("popupd.stream", "ab")
	flush.End(nil)
	tracer.mustClose(t)

	want := []string{
		"reload STATUS_CODE_ERROR deadline exceeded popupd.revision=7",
		"PUT /v1/admin/popups/{key} STATUS_CODE_ERROR  http.request.method=PUT http.route=/v1/admin/popups/{key} http.response.status_code=503",
		"GET /v1/poll http.request.method=GET http.route=/v1/poll popupd.outcome=served",
		"flush popupd.stream=ab",
	}
	var got []string
	for _, s := range r.spans {
		got = append(got, describe(s))
	}
	if !slices.Equal(got, want) {
		t.Fatalf("got  %q\nwant %q", got, want)
	}
	outer := r.spans[1]
	for i, parent := range []string{fmt.Sprintf("%x", outer.SpanId), clientSpan, clientSpan} {
		if s := r.spans[i]; fmt.Sprintf("%x", s.TraceId) != traceID || fmt.Sprintf("%x", s.ParentSpanId) != parent {
			t.Errorf("%s is of trace %x within %x, want %s within %s", s.Name, s.TraceId, s.ParentSpanId, traceID, parent)
		}
	}
	if s := r.spans[3]; len(s.ParentSpanId) != 0 || fmt.Sprintf("%x", s.TraceId) == traceID {
		t.Errorf("%s is of trace %x within %x, want one of its own", s.Name, s.TraceId, s.ParentSpanId)
	}
	if s := r.spans[2]; s.EndTimeUnixNano-s.StartTimeUnixNano != 1e9 {
		t.Errorf("the poll took %d ns, want a second", s.EndTimeUnixNano-s.StartTimeUnixNano)
	}
	for _, part := range []string{"popupd-of-shop", "v1", "host"} {
		if !strings.Contains(r.resource, part) {
			t.Errorf("resource %s, want %s in it", r.resource, part)
		}
	}
	first := r.requests[0]
	if first.URL.Path != "/tenant/v1/traces" || first.Header.Get("Content-Type") != "application/x-protobuf" ||
		first.Header.Get("Authorization") != "Bearer secret" || first.Header.Get("X") != "1" {
		t.Errorf("sent to %s with %v", first.URL.Path, first.Header)
	}
}

// TestOff: nothing is traced unless somebody asks for it, and a tracer that is off does nothing.
func TestOff(t *testing.T) {
	for _, env := range []map[string]string{
		nil,
		{"OTEL_TRACES_EXPORTER": "none", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://x"},
		{"OTEL_SDK_DISABLED": "true", "OTEL_TRACES_EXPORTER": "otlp"},
		{"OTEL_SERVICE_NAME": "popupd"},
	} {
		if tracer, _ := open(t, env); tracer != nil {
			t.Errorf("%v: traces are on", env)
		}
	}
	var off *Tracer
	ctx, span := off.Start(t.Context(), "x")
	if ctx != t.Context() {
		t.Error("the context has changed")
	}
	span.Set("x", 1)
	span.SetText("x", "y")
	span.Status(200)
	span.End(nil)
	request, _ := off.StartRequest(&http.Request{}, "GET", "/")
	if request == nil {
		t.Error("no request")
	}
	off.Poll([]byte(sampledTrace), "GET", "none", 0)
	off.mustClose(t)
}

// TestOnByName: the default collector is that of this host.
func TestOnByName(t *testing.T) {
	tracer, log := open(t, map[string]string{"OTEL_TRACES_EXPORTER": "otlp"})
	tracer.mustClose(t)
	if !strings.Contains(log.String(), "http://localhost:4318") {
		t.Errorf("log %q", log)
	}
}

// TestPolls: a poll is traced if its traceparent says so, and no more than 100 a second.
func TestPolls(t *testing.T) {
	r := newReceiver(t)
	tracer, _ := open(t, map[string]string{"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": r.URL + "/traces"})
	for _, none := range []string{
		"", "x", sampledTrace[:54], strings.Repeat("1", 100),
		"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00",
		"00-00000000000000000000000000000000-b7ad6b7169203331-01",
		"00-0af7651916cd43dd8448eb211c80319c-b7ad6b716920333g-01",
		"ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
	} {
		tracer.Poll([]byte(none), "GET", "none", 0)
	}
	for second := range int64(3) {
		admitted := 0
		for range 150 {
			if tracer.admitsPoll(second) {
				admitted++
			}
		}
		if admitted != maxPolls {
			t.Errorf("%d polls are traced in a second, want %d", admitted, maxPolls)
		}
	}
	tracer.Poll([]byte(sampledTrace), "POST", "none", 0)
	tracer.mustClose(t)
	if len(r.spans) != 1 || r.spans[0].Name != "POST /v1/poll" || r.requests[0].URL.Path != "/traces" {
		t.Errorf("spans %v", r.spans)
	}
}

// TestIsSampled: what is a sampled traceparent to us is one to the library, and nothing else.
func TestIsSampled(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	random := rand.New(rand.NewPCG(seed, 0))
	const digits = "0123456789abcdefABCFg-0011 "
	sampled := 0
	for range 100_000 {
		text := []byte(sampledTrace)
		switch random.IntN(8) {
		case 0:
			copy(text[:2], []string{"01", "cc", "ff", "0g", "00"}[random.IntN(5)])
		case 1:
			copy(text[3:], strings.Repeat("0", []int{32, 31}[random.IntN(2)]))
		case 2:
			copy(text[36:], strings.Repeat("0", []int{16, 15}[random.IntN(2)]))
		}
		for range random.IntN(3) {
			text[random.IntN(len(text))] = digits[random.IntN(len(digits))]
		}
		copy(text[53:], []string{"01", "00", "03", "04", "05", "0b", "f1", "fe", "ff", string(text[53:])}[random.IntN(10)])
		switch random.IntN(6) {
		case 0:
			text = text[:random.IntN(len(text))]
		case 1:
			text = append(text, []string{"-what", "what", "0"}[random.IntN(3)]...) // the library takes a "-" too much
		}
		ctx := propagation.TraceContext{}.Extract(t.Context(), propagation.MapCarrier{"traceparent": string(text)})
		want := trace.SpanContextFromContext(ctx).IsSampled()
		if got := isSampled(text); got != want {
			t.Fatalf("%q is sampled: %v, want %v (seed %d)", text, got, want, seed)
		}
		if want {
			sampled++
		}
	}
	if sampled < 1000 {
		t.Errorf("%d were sampled, want many (seed %d)", sampled, seed)
	}
	flags := []byte(sampledTrace)
	if n := testing.AllocsPerRun(100, func() { isSampled(flags) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// TestNonsenseTakesNoPlace: of the polls that are traced in a second none is lost to a traceparent
// that is none.
func TestNonsenseTakesNoPlace(t *testing.T) {
	r := newReceiver(t)
	tracer, _ := open(t, map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": r.URL})
	for range 10 * maxPolls {
		tracer.Poll([]byte(strings.Repeat("1", 55)), "GET", "none", 0)
	}
	if n := tracer.pollsInSecond.Load(); n != 0 {
		t.Errorf("they have taken %d places", n)
	}
	tracer.mustClose(t)
}

// TestSamplers: the flag of a traceparent decides where the sampler is based on it, as by default.
func TestSamplers(t *testing.T) {
	notSampled := sampledTrace[:53] + "00"
	for _, c := range []struct {
		sampler, arg                      string
		withSampled, withNot, withoutSpan int
	}{
		{"", "", 1, 0, 1},
		{"parentbased_always_on", "", 1, 0, 1},
		{"parentbased_traceidratio", "0", 1, 0, 0},
		{"traceidratio", "0", 0, 0, 0},
		{"always_off", "", 0, 0, 0},
		{"always_on", "", 1, 1, 1},
	} {
		t.Setenv("OTEL_TRACES_SAMPLER", c.sampler)
		t.Setenv("OTEL_TRACES_SAMPLER_ARG", c.arg)
		for traceparent, want := range map[string]int{sampledTrace: c.withSampled, notSampled: c.withNot, "": c.withoutSpan} {
			r := newReceiver(t)
			tracer, _ := open(t, map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": r.URL})
			request := httptest.NewRequest("GET", "/v1/admin/popups", nil)
			request.Header.Set("Traceparent", traceparent)
			_, span := tracer.StartRequest(request, "GET", "/v1/admin/popups")
			span.Status(200)
			tracer.mustClose(t)
			if len(r.spans) != want {
				t.Errorf("%s %s, traceparent %q: %d spans, want %d", c.sampler, c.arg, traceparent, len(r.spans), want)
			}
		}
	}
}

// TestHeaders: lists may have members that are empty, and the value of a header any character
// that is percent-encoded.
func TestHeaders(t *testing.T) {
	for text, want := range map[string]http.Header{
		"":                    {},
		",":                   {},
		"a=1,":                {"A": {"1"}},
		" , a = 1 ,, b=2 , ":  {"A": {"1"}, "B": {"2"}},
		"a=x%2Cy%3Dz,b=p=q==": {"A": {"x,y=z"}, "B": {"p=q=="}},
		"a=":                  {"A": {""}},
	} {
		c, err := newCollector(func(name string) string { return map[string]string{"OTEL_EXPORTER_OTLP_HEADERS": text}[name] }, slog.New(slog.DiscardHandler))
		if err != nil || !reflect.DeepEqual(c.headers, want) {
			t.Errorf("%q: %v, want %v", text, err, want)
		}
	}
}

// TestCollectorAway: nothing waits for a collector that does not answer, what is queued is
// bounded, and one line says so.
func TestCollectorAway(t *testing.T) {
	t.Setenv("OTEL_BSP_SCHEDULE_DELAY", "1")
	r := newReceiver(t)
	r.status = http.StatusServiceUnavailable
	tracer, log := open(t, map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": r.URL})
	const spans = 50_000
	begin := time.Now()
	for range spans {
		_, span := tracer.Start(t.Context(), "flush")
		span.End(nil)
	}
	if took := time.Since(begin); took > 20*time.Second {
		t.Errorf("%d spans took %v", spans, took)
	}
	tracer.mustClose(t)
	if lines := strings.Count(log.String(), "traces can't be sent"); lines != 1 {
		t.Errorf("%d lines say that traces can't be sent, want 1:\n%s", lines, log)
	}
	if len(r.requests) < 2 || len(r.spans) >= spans {
		t.Errorf("%d requests with %d spans of %d: want several, and what found no room dropped", len(r.requests), len(r.spans), spans)
	}
}

// TestCollectorHangs: the end of the program does not wait for it.
func TestCollectorHangs(t *testing.T) {
	release := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	defer server.Close()
	defer close(release)
	tracer, log := open(t, map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": server.URL, "OTEL_EXPORTER_OTLP_TIMEOUT": "100"})
	_, span := tracer.Start(t.Context(), "flush")
	span.End(nil)
	tracer.mustClose(t)
	if !strings.Contains(log.String(), "traces can't be sent") {
		t.Errorf("log %q", log)
	}
}

// TestRefuses: what is not understood is told, by the name of its variable and without what
// may be a secret.
func TestRefuses(t *testing.T) {
	for _, c := range []struct{ variable, value string }{
		{"OTEL_TRACES_EXPORTER", "zipkin"},
		{"OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4318"},
		{"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "ftp://secret@collector"},
		{"OTEL_EXPORTER_OTLP_ENDPOINT", "http://se cret"},
		{"OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"},
		{"OTEL_EXPORTER_OTLP_TRACES_COMPRESSION", "zstd"},
		{"OTEL_EXPORTER_OTLP_TIMEOUT", "10s"},
		{"OTEL_EXPORTER_OTLP_TIMEOUT", "0"},
		{"OTEL_EXPORTER_OTLP_HEADERS", "secret"},
		{"OTEL_EXPORTER_OTLP_HEADERS", "a=%0d%0asecret"},
		{"OTEL_EXPORTER_OTLP_HEADERS", "a=%00secret"},
		{"OTEL_EXPORTER_OTLP_HEADERS", "a=%secret"},
		{"OTEL_EXPORTER_OTLP_HEADERS", "a secret=1"},
		{"OTEL_EXPORTER_OTLP_HEADERS", "a=1,=secret"},
		{"OTEL_EXPORTER_OTLP_CERTIFICATE", "/ca.pem"},
		{"OTEL_EXPORTER_OTLP_TRACES_CLIENT_KEY", "/key.pem"},
		{"OTEL_BSP_MAX_QUEUE_SIZE", "-1"},
		{"OTEL_BSP_MAX_QUEUE_SIZE", "99999999999999"},
		{"OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "0"},
		{"OTEL_BSP_SCHEDULE_DELAY", "0"},
		{"OTEL_BSP_EXPORT_TIMEOUT", "5s"},
	} {
		env := map[string]string{"OTEL_TRACES_EXPORTER": "otlp", c.variable: c.value}
		_, err := Open(t.Context(), func(name string) string { return env[name] }, "", "", slog.New(slog.DiscardHandler))
		if err == nil || !strings.Contains(err.Error(), c.variable) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s=%s: %v", c.variable, c.value, err)
		}
	}
}
