package server

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/popupd/popupd/internal/cli"
	"github.com/popupd/popupd/internal/storetest"
)

func TestMain(m *testing.M) {
	os.Exit(storetest.Main(m,
		// fasthttp's clock never ends, its pool of workers ends 10 s late.
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.updateServerDate.func1"),
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.(*workerPool).Start.func2"),
	))
}

// testLog writes to the log of a test.
type testLog struct{ testing.TB }

func (l testLog) Write(b []byte) (int, error) { l.Logf("%s", b); return len(b), nil }

// runServer runs a server with a data directory of its own, or that of -data, and returns what
// ends it as SIGTERM does, and waits for that.
func runServer(t *testing.T, flags ...string) (stop func()) { return runServerIn(t, nil, flags...) }

// runServerIn is runServer in an environment.
func runServerIn(t *testing.T, environ []string, flags ...string) (stop func()) {
	t.Helper()
	flags = append([]string{"-listen=127.0.0.1:0", "-admin-listen=127.0.0.1:0", "-data=" + t.TempDir(), "-drain=0s"}, flags...)
	config, err := cli.ParseServe(flags, nil, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	ctx, end := context.WithCancelCause(context.Background())
	done := make(chan error, 1)
	go func() {
		done <- serve(ctx, config, environ, io.Discard, slog.New(slog.NewTextHandler(testLog{t}, nil)), new(slog.LevelVar))
	}()
	ended := false
	stop = func() {
		if ended {
			return
		}
		ended = true
		end(errTerminated)
		if err := <-done; err != nil && !errors.Is(err, context.Canceled) {
			t.Errorf("the server ended with %v", err)
		}
	}
	t.Cleanup(stop)
	return stop
}

// serveOnce runs a server that is to fail at the start.
func serveOnce(t *testing.T, environ []string) error {
	config, err := cli.ParseServe([]string{"-listen=127.0.0.1:0", "-admin-listen=127.0.0.1:0", "-data=" + t.TempDir()}, nil, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	ctx, end := context.WithTimeout(context.Background(), 20*time.Second)
	defer end()
	return serve(ctx, config, environ, io.Discard, slog.New(slog.DiscardHandler), new(slog.LevelVar))
}

// eventually fails the test unless what is true within 20 s.
func eventually(t *testing.T, what string, isTrue func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !isTrue(); {
		if time.Now().After(deadline) {
			t.Fatalf("not within 20 s: %s", what)
		}
		time.Sleep(20 * time.Millisecond)
	}
}
