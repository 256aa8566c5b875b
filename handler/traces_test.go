package handler

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/popupd/popupd/internal/tracing"
)

// collector is a server that keeps the bytes of the traces that it is sent.
type collector struct {
	mu   sync.Mutex
	sent strings.Builder
}

func (c *collector) ServeHTTP(_ http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, _ = io.Copy(&c.sent, r.Body)
}

// newTracer returns a tracer, and a function that closes it and returns what it has sent.
func newTracer(t testing.TB) (tracer *tracing.Tracer, sent func() string) {
	t.Helper()
	c := new(collector)
	server := httptest.NewServer(c)
	env := map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": server.URL}
	tracer, err := tracing.Open(t.Context(), func(name string) string { return env[name] }, "", "", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	end := sync.OnceFunc(func() {
		if err := tracer.Close(context.Background()); err != nil {
			t.Error(err)
		}
		server.Close()
	})
	t.Cleanup(end)
	return tracer, func() string { end(); return c.sent.String() }
}

const sampledLine = "Traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\n"

// withHeader adds a line to the headers of a request.
func withHeader(request, line string) string {
	return strings.Replace(request, "\r\n\r\n", "\r\n"+line+"\r\n", 1)
}

// TestTracedPolls: a poll is traced if its traceparent is sampled, and by its outcome alone.
func TestTracedPolls(t *testing.T) {
	tracer, sent := newTracer(t)
	f := newServer(t, func(c *Config) { c.Tracer = tracer }, everyTime)
	poll := get("/v1/poll?uid=somebody&placement=default&a.secret=value")(f, 0)
	for _, request := range []string{
		poll, withHeader(poll, strings.Replace(sampledLine, "-01\r\n", "-00\r\n", 1)), withHeader(poll, "Traceparent: nonsense\r\n"),
		withHeader(poll, strings.ToLower(sampledLine)),
		withHeader(postPoll(func(*fixture, int) string { return `{"uid":"somebody","placements":["elsewhere"]}` })(f, 0), sampledLine),
		withHeader(get("/v1/poll?uid=")(f, 0), sampledLine),
	} {
		f.handle(newContext(t, request))
	}
	text := sent()
	for part, times := range map[string]int{"popupd.outcome": 3, "GET /v1/poll": 2, "POST /v1/poll": 1, "served": 1, "none": 1, "invalid": 1} {
		if n := strings.Count(text, part); n != times {
			t.Errorf("%q was sent %d times, want %d", part, n, times)
		}
	}
	for _, private := range []string{"somebody", "secret", "elsewhere"} {
		if strings.Contains(text, private) {
			t.Errorf("%q was sent", private)
		}
	}
}
