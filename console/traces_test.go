package console_test

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"

	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/popupd/popupd/console"
	"github.com/popupd/popupd/internal/tracing"
	"github.com/popupd/popupd/popup"
)

// TestTraces: requests of the API are traced by their route and status, also those that panic.
// What is asked for all the time is not, nor what the caller may not ask for, whatever its
// traceparent says.
func TestTraces(t *testing.T) {
	var got []string
	collector := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		var data tracepb.TracesData
		if err := proto.Unmarshal(body, &data); err != nil {
			t.Error(err)
		}
		for _, of := range data.ResourceSpans {
			for _, span := range of.ScopeSpans[0].Spans {
				status := span.Attributes[len(span.Attributes)-1]
				got = append(got, span.Name+" "+status.Key+" "+status.Value.String())
			}
		}
	}))
	defer collector.Close()
	env := map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": collector.URL}
	tracer, err := tracing.Open(t.Context(), func(name string) string { return env[name] }, "", "", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	p := newPlane(t)
	c := p.config
	c.Tracer, c.Registerer = tracer, nil
	c.Routes = append(slices.Clone(c.Routes), console.Route{Method: "GET", Path: "/v1/admin/things/{key}", Role: popup.RoleViewer,
		Endpoint: func(http.ResponseWriter, *http.Request) error { panic("broken") }})
	server, err := console.New(c)
	if err != nil {
		t.Fatal(err)
	}
	for _, request := range []struct{ method, path, token string }{
		{"GET", popupsPath, token}, {"GET", "/v1/admin/things/private", token}, {"POST", reloadPath, "wrong"}, {"GET", popupsPath, ""}, {"GET", "/metrics", ""}, {"GET", "/v1/nothing", token},
	} {
		r := httptest.NewRequest(request.method, request.path, nil)
		r.Header.Set("Authorization", "Bearer "+request.token)
		r.Header.Set("Traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
		server.ServeHTTP(httptest.NewRecorder(), r)
	}
	if err := tracer.Close(context.Background()); err != nil {
		t.Error(err)
	}
	const status = " http.response.status_code int_value:"
	want := []string{"GET " + popupsPath + status + "200", "GET /v1/admin/things/{key}" + status + "500"}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}
