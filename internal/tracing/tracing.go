// Package tracing sends OpenTelemetry traces of what popupd does to a collector: requests of the
// control plane, changes of popups, flushes, deliveries of notices, and those polls whose client
// asks for it by a sampled traceparent. It is off unless the standard variables OTEL_* turn it on;
// then every method of a nil [*Tracer] does nothing.
//
// It is the only package that knows OpenTelemetry. Spans carry names, numbers and outcomes: no
// ids of users, tokens, addresses or texts of errors, which may quote them.
//
// Nothing waits for the collector: spans are queued, 2,048 of them at most by default
// (OTEL_BSP_MAX_QUEUE_SIZE), and dropped when there is no room.
package tracing

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// Tracer makes spans. Its methods may be called from any goroutine, and on nil, which makes none.
type Tracer struct {
	provider *sdk.TracerProvider
	tracer   trace.Tracer

	pollSecond, pollsInSecond atomic.Int64 // bound Poll, see admitsPoll
}

// Open returns a tracer as the environment asks for, nil if it asks for none. It sends
// nothing before a span has ended. The version is that of the program, the host its name.
func Open(ctx context.Context, getenv func(string) string, version, host string, log *slog.Logger) (*Tracer, error) {
	on, err := isOn(getenv)
	if err != nil || !on {
		return nil, err
	}
	if err := checkBatches(getenv); err != nil {
		return nil, err
	}
	c, err := newCollector(getenv, log)
	if err != nil {
		return nil, err
	}
	exporter, err := otlptrace.New(ctx, c)
	if err != nil {
		return nil, err
	}
	about, err := resource.New(ctx, resource.WithTelemetrySDK(),
		resource.WithAttributes(attribute.String("service.name", "popupd"), attribute.String("service.version", version), attribute.String("host.name", host)),
		resource.WithFromEnv()) // last: OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES have their way
	if err != nil {
		return nil, fmt.Errorf("OTEL_RESOURCE_ATTRIBUTES: %w", err)
	}
	// What the library finds wrong with its own variables it tells to this handler only.
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) { log.Warn("traces", "err", err) }))
	provider := sdk.NewTracerProvider(sdk.WithBatcher(exporter), sdk.WithResource(about)) // sampler: OTEL_TRACES_SAMPLER
	log.Info("traces are sent", "to", c.host())
	return &Tracer{provider: provider, tracer: provider.Tracer("popupd", trace.WithInstrumentationVersion(version))}, nil
}

// isOn reports whether traces are asked for: by the name of the exporter, or by the address of a collector.
func isOn(getenv func(string) string) (bool, error) {
	if strings.EqualFold(getenv("OTEL_SDK_DISABLED"), "true") {
		return false, nil
	}
	switch exporter := getenv("OTEL_TRACES_EXPORTER"); exporter {
	case "otlp":
		return true, nil
	case "none":
		return false, nil
	case "":
		return getenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")+getenv("OTEL_EXPORTER_OTLP_ENDPOINT") != "", nil
	default:
		return false, fmt.Errorf("OTEL_TRACES_EXPORTER is %q: want otlp or none", exporter)
	}
}

// checkBatches refuses what the library, which reads these variables itself, would take: it
// panics at numbers below 1, or sends without a pause, and allocates a queue of any length.
func checkBatches(getenv func(string) string) error {
	const longest, most = 3_600_000, 100_000 // an hour in ms, spans
	for variable, max := range map[string]int{
		"OTEL_BSP_SCHEDULE_DELAY": longest, "OTEL_BSP_EXPORT_TIMEOUT": longest,
		"OTEL_BSP_MAX_QUEUE_SIZE": most, "OTEL_BSP_MAX_EXPORT_BATCH_SIZE": most,
	} {
		text := getenv(variable)
		if n, err := strconv.Atoi(text); text != "" && (err != nil || n < 1 || n > max) {
			return fmt.Errorf("%s is %q: want 1 to %d", variable, text, max)
		}
	}
	return nil
}

// Close sends what is queued, for as long as ctx allows.
func (t *Tracer) Close(ctx context.Context) error {
	if t == nil {
		return nil
	}
	return t.provider.Shutdown(ctx)
}

// Span is work that has begun.
type Span struct{ span trace.Span }

// Start begins a span, within that of ctx if it has one.
func (t *Tracer) Start(ctx context.Context, name string) (context.Context, Span) {
	if t == nil {
		return ctx, Span{}
	}
	ctx, span := t.tracer.Start(ctx, name)
	return ctx, Span{span}
}

// StartRequest begins the span of a request, within that of its traceparent if it has one.
func (t *Tracer) StartRequest(r *http.Request, method, route string) (*http.Request, Span) {
	if t == nil {
		return r, Span{}
	}
	// Without tracestate: it is passed on as it is, and anybody may send it.
	ctx := propagation.TraceContext{}.Extract(r.Context(), propagation.MapCarrier{"traceparent": r.Header.Get("traceparent")})
	ctx, span := t.tracer.Start(ctx, method+" "+route, trace.WithSpanKind(trace.SpanKindServer),
		trace.WithAttributes(attribute.String("http.request.method", method), attribute.String("http.route", route)))
	return r.WithContext(ctx), Span{span}
}

// Set adds a number to a span.
func (s Span) Set(key string, value int) {
	if s.span != nil {
		s.span.SetAttributes(attribute.Int(key, value))
	}
}

// SetText adds a text to a span: one of a closed set, or a name that operators gave.
func (s Span) SetText(key, value string) {
	if s.span != nil {
		s.span.SetAttributes(attribute.String(key, value))
	}
}

// Status ends the span of a request with what it was answered with.
func (s Span) Status(code int) {
	if s.span == nil {
		return
	}
	s.span.SetAttributes(attribute.Int("http.response.status_code", code))
	if code >= http.StatusInternalServerError {
		s.span.SetStatus(codes.Error, "")
	}
	s.span.End()
}

// End ends a span. Of err it tells that there is one, and whether time was up.
func (s Span) End(err error) {
	if s.span == nil {
		return
	}
	if err != nil {
		why := ""
		if errors.Is(err, context.DeadlineExceeded) {
			why = "deadline exceeded"
		}
		s.span.SetStatus(codes.Error, why)
	}
	s.span.End()
}

// maxPolls is how many polls are traced in a second: whoever polls can ask for it.
const maxPolls = 100

// Poll makes the span of a poll that took so long until now, if its traceparent is sampled.
// It keeps nothing of the bytes.
func (t *Tracer) Poll(traceparent []byte, method, outcome string, took time.Duration) {
	if t == nil || !isSampled(traceparent) {
		return
	}
	now := time.Now()
	if !t.admitsPoll(now.Unix()) {
		return
	}
	ctx := propagation.TraceContext{}.Extract(context.Background(), propagation.MapCarrier{"traceparent": string(traceparent)})
	_, span := t.tracer.Start(ctx, method+" /v1/poll", trace.WithSpanKind(trace.SpanKindServer), trace.WithTimestamp(now.Add(-took)),
		trace.WithAttributes(attribute.String("http.request.method", method), attribute.String("http.route", "/v1/poll"), attribute.String("popupd.outcome", outcome)))
	span.End(trace.WithTimestamp(now))
}

// isSampled reports whether a traceparent, VERSION-TRACE-SPAN-FLAGS in hexadecimal digits, is one
// and has the flag sampled, https://www.w3.org/TR/trace-context/#traceparent-header. It allocates
// nothing: anybody may send anything, as often as they like.
func isSampled(traceparent []byte) bool {
	const trace, span, flags, end = 3, 3 + 32 + 1, 3 + 32 + 1 + 16 + 1, 3 + 32 + 1 + 16 + 1 + 2
	if len(traceparent) < end || traceparent[trace-1] != '-' || traceparent[span-1] != '-' || traceparent[flags-1] != '-' {
		return false
	}
	version := traceparent[:2]
	switch {
	case string(version) == "ff", len(traceparent) > end && traceparent[end] != '-':
		return false
	case string(version) == "00" && (len(traceparent) > end || traceparent[flags] != '0' || traceparent[flags+1] > '3'):
		return false
	}
	isHex := hexDigits(version) == 2 && hexDigits(traceparent[flags:end]) == 2 && hexDigits(traceparent[trace:span-1]) == 32 && hexDigits(traceparent[span:flags-1]) == 16
	return isHex && !isZero(traceparent[trace:span-1]) && !isZero(traceparent[span:flags-1]) && isOdd(traceparent[flags+1])
}

// hexDigits is how many hexadecimal digits a text begins with, in lower case.
func hexDigits(text []byte) (n int) {
	for _, c := range text {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			break
		}
		n++
	}
	return n
}

func isZero(digits []byte) bool { return len(bytes.TrimLeft(digits, "0")) == 0 }

// isOdd reports whether the lowest bit of a hexadecimal digit is set.
func isOdd(digit byte) bool {
	if digit >= 'a' {
		return (digit-'a')%2 == 1
	}
	return (digit-'0')%2 == 1
}

// admitsPoll reports whether another poll may be traced in a second. Two that meet as it
// begins may let one more in.
func (t *Tracer) admitsPoll(second int64) bool {
	if t.pollSecond.Swap(second) != second {
		t.pollsInSecond.Store(0)
	}
	return t.pollsInSecond.Add(1) <= maxPolls
}
