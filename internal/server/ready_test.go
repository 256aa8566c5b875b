package server

import (
	"io"
	"log/slog"
	"net/http"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/popupd/popupd/internal/cli"
)

// TestReadyOnceDataPlaneListens: a server that has restored its users' state is
// unready until the data plane takes connections: who asks the control plane and is
// told that it is ready then polls.
func TestReadyOnceDataPlaneListens(t *testing.T) {
	config, err := cli.ParseServe([]string{"-listen=127.0.0.1:0", "-admin-listen=127.0.0.1:0", "-data", t.TempDir()}, nil, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	s := &server{
		config: config, log: slog.New(slog.DiscardHandler), level: new(slog.LevelVar), registry: prometheus.NewRegistry(),
		now: func() int64 { return time.Now().UnixMilli() },
	}
	defer s.close()
	if err := s.wire(t.Context()); err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 2)
	go func() { served <- s.console.Serve(s.admin) }()
	defer s.console.Shutdown(t.Context())
	if _, err := s.users.Restore(t.Context()); err != nil {
		t.Fatal(err)
	}
	<-s.users.Restored()

	readyz := func(want int) {
		t.Helper()
		resp, err := http.Get("http://" + s.admin.Addr().String() + "/readyz")
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("/readyz answers %d, want %d", resp.StatusCode, want)
		}
	}
	readyz(http.StatusServiceUnavailable)
	if err := s.servePolls(t.Context(), served); err != nil {
		t.Fatal(err)
	}
	defer s.polls.Shutdown(t.Context())
	readyz(http.StatusOK)
}
