package notice

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/popupd/popupd/internal/storetest"
	"github.com/popupd/popupd/popup"
)

func TestMain(m *testing.M) { os.Exit(storetest.Main(m)) }

// testSecret is the one in the examples of Standard Webhooks' libraries.
const testSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

// delivery is a request that a receiver got.
type delivery struct {
	header http.Header
	body   string
	atMS   int64
}

// receiver takes webhooks, and answers as the test says.
type receiver struct {
	*httptest.Server
	answer func(w http.ResponseWriter, r *http.Request) // nil: 204

	mu  sync.Mutex
	got []delivery
}

func newReceiver(t *testing.T, answer func(http.ResponseWriter, *http.Request)) *receiver {
	r := &receiver{answer: answer}
	r.Server = httptest.NewServer(r)
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	body, err := io.ReadAll(request.Body)
	if err != nil || request.Method != http.MethodPost {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	r.mu.Lock()
	r.got = append(r.got, delivery{request.Header, string(body), time.Now().UnixMilli()})
	r.mu.Unlock()
	if r.answer == nil {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	r.answer(w, request)
}

// ids returns the ids of what was delivered, in its order.
func (r *receiver) ids() (ids []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, d := range r.got {
		ids = append(ids, d.header.Get("webhook-id"))
	}
	return ids
}

func status(code int) func(http.ResponseWriter, *http.Request) {
	return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
}

// memory is an outbox with a clock that only the test moves.
type memory struct {
	mu    sync.Mutex
	now   time.Duration
	rows  []*row
	down  bool // the store is away
	adds  int  // how often it was given a notice
	trims int  // how often it was trimmed
}

type row struct {
	popup.ClaimedNotice
	keptAt, dueAt time.Duration
	settled       bool
	result        string
}

func (m *memory) AddNotice(_ context.Context, n popup.Notice) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.adds++
	if m.down {
		return io.ErrUnexpectedEOF
	}
	for _, r := range m.rows {
		if r.Subject == n.Subject {
			return nil
		}
	}
	m.rows = append(m.rows, &row{ClaimedNotice: popup.ClaimedNotice{Notice: n, Row: uint64(len(m.rows))}, keptAt: m.now, dueAt: m.now})
	return nil
}

func (m *memory) ClaimNotice(_ context.Context, life time.Duration) (popup.ClaimedNotice, bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.down {
		return popup.ClaimedNotice{}, false, io.ErrUnexpectedEOF
	}
	for _, r := range m.rows {
		if !r.settled && r.dueAt <= m.now {
			r.Attempt++
			r.Age = m.now - r.keptAt
			r.dueAt = m.now + life
			return r.ClaimedNotice, true, nil
		}
	}
	return popup.ClaimedNotice{}, false, nil
}

func (m *memory) NoticeSent(_ context.Context, n popup.ClaimedNotice, a popup.Attempt) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.down {
		return io.ErrUnexpectedEOF
	}
	r := m.rows[n.Row]
	r.result, r.settled, r.dueAt = a.Result, a.Settled, m.now+a.Again
	return nil
}

func (m *memory) TrimOutbox(context.Context, time.Duration, int) (dropped, pending int, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.trims++
	return 0, len(m.rows), nil
}

// add keeps a notice of its own.
func (m *memory) add(t *testing.T, id string) {
	t.Helper()
	n := popup.Notice{Subject: id, ID: id, Body: []byte(`{"type":"test"}`)}
	if err := m.AddNotice(t.Context(), n); err != nil {
		t.Fatal(err)
	}
}

// testLog is a log that a test reads.
type testLog struct {
	mu sync.Mutex
	b  strings.Builder
}

func (l *testLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *testLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// newTestSender returns a sender to a URL, and its log.
func newTestSender(t *testing.T, outbox Outbox, to string) (*Sender, *testLog) {
	t.Helper()
	u, err := ParseURL(to)
	if err != nil {
		t.Fatal(err)
	}
	secrets, err := ParseSecrets(testSecret)
	if err != nil {
		t.Fatal(err)
	}
	log := &testLog{}
	return NewSender(Config{
		URL: u, Secrets: secrets, Outbox: outbox, UserAgent: "popupd/test", Now: func() int64 { return time.Now().UnixMilli() },
		Log: slog.New(slog.NewTextHandler(log, nil)), Registerer: prometheus.NewRegistry(),
	}), log
}

// closed returns a URL at which nobody listens.
func closed(t *testing.T) string {
	t.Helper()
	s := httptest.NewServer(http.NotFoundHandler())
	s.Close()
	return s.URL
}

// wantSame fails the test unless two values print the same.
func wantSame(t *testing.T, what string, got, want any) {
	t.Helper()
	if g, w := fmt.Sprint(got), fmt.Sprint(want); g != w {
		t.Errorf("%s: got %s, want %s", what, g, w)
	}
}
