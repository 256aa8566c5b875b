package live

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"github.com/popupd/popupd/console"
	"github.com/popupd/popupd/popup"
	"github.com/popupd/popupd/tuning"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fixture is a hub on a console that listens in memory, all within a synctest bubble.
type fixture struct {
	*testing.T
	hub     *Hub
	console *console.Server
	pipes   pipes
	stop    func() // ends the hub

	revision, counted                    atomic.Int64
	countedReads, systemReads, examiners atomic.Int64

	mu  sync.Mutex
	err error // of reading
	log bytes.Buffer

	tokens map[string]popup.AdminToken
}

const adminToken = "secret-token"

// inBubble runs a test with a hub that runs.
func inBubble(t *testing.T, test func(f *fixture)) {
	synctest.Test(t, func(t *testing.T) {
		f := &fixture{T: t, pipes: make(pipes), tokens: map[string]popup.AdminToken{}}
		f.revision.Store(1)
		var err error
		f.hub, err = New(Config{
			Revision: f.revision.Load,
			Counted: func(context.Context) (int64, error) {
				f.countedReads.Add(1)
				return f.counted.Load(), f.failing()
			},
			System: func(context.Context) System {
				if err := f.failing(); err != nil {
					panic(err)
				}
				return System{Revision: f.revision.Load(), Journal: Journal{Bytes: f.systemReads.Add(1)}}
			},
			Examine: func(context.Context) (Findings, error) {
				n := f.examiners.Add(1)
				time.Sleep(time.Second)
				return Findings{Report: tuning.Report{Kernel: fmt.Sprint("kernel ", n), Findings: []tuning.Finding{}}}, f.failing()
			},
			Log: slog.New(slog.NewTextHandler(f, nil)),
		})
		if err != nil {
			t.Fatal(err)
		}
		f.console, err = console.New(console.Config{
			Routes: f.hub.Routes(), Token: adminToken, Tokens: f, Ready: func() error { return nil }, OpenAPI: []byte("-"), Gatherer: prometheus.NewRegistry(),
		})
		if err != nil {
			t.Fatal(err)
		}
		served := make(chan error, 1)
		go func() { served <- f.console.Serve(f.pipes) }()
		ctx, cancel := context.WithCancel(t.Context())
		ran := make(chan error, 1)
		go func() { ran <- f.hub.Run(ctx) }()
		f.stop = sync.OnceFunc(func() {
			cancel()
			if err := <-ran; err != nil {
				t.Errorf("Run: %v", err)
			}
		})
		test(f)
		f.stop()
		if err := f.console.Shutdown(t.Context()); err != nil {
			t.Errorf("Shutdown: %v", err)
		}
		if err := <-served; err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
}

func (f *fixture) Write(b []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.log.Write(b)
}

func (f *fixture) logged() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.log.String()
}

// fail has everything that is read fail from now on; nil: no more.
func (f *fixture) fail(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.err = err
}

func (f *fixture) failing() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.err
}

func (f *fixture) Find(_ context.Context, id string) (popup.AdminToken, bool, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	t, ok := f.tokens[id]
	return t, ok, nil
}

func (f *fixture) Used(string) {}

// token makes a named token of the role viewer that ends after some time.
func (f *fixture) token(ends time.Duration) string {
	token, id := popup.NewAdminTokenSecret()
	f.mu.Lock()
	defer f.mu.Unlock()
	f.tokens[id] = popup.AdminToken{ID: id, Name: "v", Role: popup.RoleViewer, ExpiresAt: time.Now().Add(ends), Hash: popup.HashAdminToken(token)}
	return token
}

// change puts another revision in force.
func (f *fixture) change(revision int64) {
	f.revision.Store(revision)
	f.hub.Changed()
}

// reader is a client of a stream, which reads what comes at once.
type reader struct {
	*http.Response
	conn net.Conn

	mu     sync.Mutex
	events []string // "NAME DATA"
	ended  bool
}

// request sends a request on a connection of its own and returns the head of the answer.
func (f *fixture) request(method, path, token string) *reader {
	f.Helper()
	conn := f.pipes.dial()
	_, err := fmt.Fprintf(conn, "%s %s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Length: 0\r\n\r\n", method, path, token)
	if err != nil {
		f.Fatal(err)
	}
	res, err := http.ReadResponse(bufio.NewReader(conn), &http.Request{Method: method})
	if err != nil {
		f.Fatal(err)
	}
	return &reader{Response: res, conn: conn}
}

// open opens a stream and reads it until it ends or is closed.
func (f *fixture) open(query, token string) *reader {
	f.Helper()
	r := f.request("GET", "/live"+query, token)
	if r.StatusCode != http.StatusOK {
		f.Fatalf("GET /live%s: %d", query, r.StatusCode)
	}
	go func() {
		var name string
		lines := bufio.NewScanner(r.Body)
		for lines.Scan() {
			line := lines.Text()
			if rest, ok := strings.CutPrefix(line, "event: "); ok {
				name = rest
			}
			data, ok := strings.CutPrefix(line, "data: ")
			if line == ":" {
				name, data, ok = "comment", "", true
			}
			if ok {
				r.mu.Lock()
				r.events = append(r.events, strings.TrimSpace(name+" "+data))
				r.mu.Unlock()
			}
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		r.ended = true
	}()
	synctest.Wait()
	return r
}

// take returns what has come since the last call.
func (r *reader) take() []string {
	synctest.Wait()
	r.mu.Lock()
	defer r.mu.Unlock()
	events := r.events
	r.events = nil
	return events
}

func (r *reader) isEnded() bool {
	synctest.Wait()
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.ended
}

// pipes is a listener in memory.
type pipes chan net.Conn

func (p pipes) dial() net.Conn {
	client, server := net.Pipe()
	p <- server
	return client
}

func (p pipes) Accept() (net.Conn, error) {
	conn, ok := <-p
	if !ok {
		return nil, net.ErrClosed
	}
	return conn, nil
}

func (p pipes) Close() error { close(p); return nil }

func (p pipes) Addr() net.Addr { return &net.IPAddr{} }

var errAway = errors.New("away")
