package handler

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/valyala/fasthttp/fasthttputil"
	"go.uber.org/goleak"

	"github.com/popupd/popupd/frequency"
	"github.com/popupd/popupd/internal/apitest"
	"github.com/popupd/popupd/popup"
	"github.com/popupd/popupd/snapshot"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m,
		// fasthttp's clock never ends, its pool of workers ends 10 s late.
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.updateServerDate.func1"),
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.(*workerPool).Start.func2"),
	)
}

// clock is a clock that stands still until it is moved.
type clock struct{ ms atomic.Int64 }

const startMS = int64(1_760_000_000_000)

func (c *clock) now() int64              { return c.ms.Load() }
func (c *clock) advance(d time.Duration) { c.ms.Add(d.Milliseconds()) }

// fakeJournal keeps events in memory, or refuses them.
type fakeJournal struct {
	mu      sync.Mutex
	events  []popup.Event
	appends int
	err     error
	hook    func() // called before an append, outside the lock
}

var errFull = errors.New("journal is full")

func (j *fakeJournal) Append(events []popup.Event) error {
	if j.hook != nil {
		j.hook()
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.err != nil {
		return j.err
	}
	j.appends++
	for _, e := range events {
		if err := e.Validate(); err != nil {
			panic(err)
		}
		// As the real one does: encode, keep nothing.
		var kept popup.Event
		if _, err := popup.DecodeEvent(&kept, e.Append(nil)); err != nil {
			panic(err)
		}
		j.events = append(j.events, kept)
	}
	return nil
}

func (j *fakeJournal) refuse(err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.err = err
}

// take returns the events since the last call and how many appends they came in.
func (j *fakeJournal) take() (events []popup.Event, appends int) {
	j.mu.Lock()
	defer j.mu.Unlock()
	events, appends = j.events, j.appends
	j.events, j.appends = nil, 0
	return events, appends
}

// noJournal takes everything, for benchmarks and allocation tests.
type noJournal struct{}

func (noJournal) Append([]popup.Event) error { return nil }

// store returns a store with popups of these specs, with the ids 1, 2, 3...
// A spec is JSON without braces; the keys are p1, p2, p3..., and all are active.
func store(t testing.TB, specs ...string) *snapshot.Store {
	t.Helper()
	s := snapshot.NewStore()
	load(t, s, 1, specs...)
	return s
}

func load(t testing.TB, s *snapshot.Store, version uint32, specs ...string) {
	t.Helper()
	snap, err := compile(s.Current(), version, "", specs...)
	if err != nil {
		t.Fatal(err)
	}
	s.Set(snap)
}

// compile compiles popups of these specs; empty settings are the defaults.
func compile(last *snapshot.Snapshot, version uint32, settings string, specs ...string) (*snapshot.Snapshot, error) {
	catalog := popup.Catalog{Revision: 1}
	if settings != "" {
		catalog.Settings = popup.SettingsRow{Version: 1, Spec: []byte(settings)}
	}
	for i, spec := range specs {
		if spec == "archived" {
			catalog.Popups = append(catalog.Popups, popup.Row{ID: uint32(i + 1), Archived: true})
			continue
		}
		if spec != "" {
			spec = "," + spec
		}
		if !strings.Contains(spec, `"status"`) {
			spec += `,"status":"active"`
		}
		row := popup.Row{
			ID: uint32(i + 1), Version: version, Key: fmt.Sprintf("p%d", i+1),
			Spec: fmt.Appendf(nil, `{"key":"p%d"%s}`, i+1, spec),
		}
		if _, err := popup.Decode(row.Spec); err != nil {
			return nil, fmt.Errorf("%s: %w", row.Spec, err)
		}
		catalog.Popups = append(catalog.Popups, row)
	}
	snap, broken := snapshot.Compile(catalog, last)
	if len(broken) != 0 {
		return nil, fmt.Errorf("broken: %v", broken)
	}
	return snap, nil
}

// fixture is a server, in memory, with everything around it.
type fixture struct {
	testing.TB
	*Server
	clock     *clock
	store     *snapshot.Store
	events    *fakeJournal
	registry  *prometheus.Registry
	config    Config
	log       *bytes.Buffer
	ln        *fasthttputil.InmemoryListener
	client    *http.Client
	transport *http.Transport
}

// newServer returns a server with popups of these specs. change, if not nil,
// changes its configuration.
func newServer(t testing.TB, change func(*Config), specs ...string) *fixture {
	t.Helper()
	f := &fixture{
		TB: t, clock: new(clock), store: store(t, specs...), events: new(fakeJournal), registry: prometheus.NewRegistry(), log: new(bytes.Buffer),
	}
	f.clock.ms.Store(startMS)
	c := Config{
		Snapshots:    f.store,
		Users:        frequency.New(frequency.Config{}),
		Journal:      f.events,
		Secrets:      [][]byte{[]byte("secret")},
		AllowOrigins: []string{"*"},
		Now:          f.clock.now,
		Log:          slog.New(slog.NewTextHandler(f.log, nil)),
		PopupMetrics: true,
		Registerer:   f.registry,
	}
	if change != nil {
		change(&c)
	}
	f.config = c
	var err error
	if f.Server, err = New(c); err != nil {
		t.Fatal(err)
	}
	return f
}

// checker reads the API's description once.
var checker = sync.OnceValues(apitest.New)

// start serves in memory; every exchange of f.client is held against the API's description.
func (f *fixture) start() *fixture {
	f.Helper()
	f.ln = fasthttputil.NewInmemoryListener()
	return f.serve(f.ln)
}

// serve serves connections to f.ln that come in at ln.
func (f *fixture) serve(ln net.Listener) *fixture {
	f.Helper()
	done := make(chan error, 1)
	go func() { done <- f.Serve(ln) }()
	f.transport = &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) { return f.ln.Dial() }}
	api, err := checker()
	if err != nil {
		f.Fatal(err)
	}
	f.client = &http.Client{Transport: api.Transport(f, f.transport)}
	f.Cleanup(func() {
		f.transport.CloseIdleConnections()
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := f.Shutdown(ctx); err != nil {
			f.Errorf("shut down: %v", err)
		}
		if err := <-done; err != nil {
			f.Errorf("serve: %v", err)
		}
	})
	return f
}

// reply is an answer.
type reply struct {
	status int
	header http.Header
	body   string
}

func (f *fixture) do(method, target, body string, header ...string) reply {
	f.Helper()
	req, err := http.NewRequest(method, "http://popupd.test"+target, strings.NewReader(body))
	if err != nil {
		f.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	return f.send(req)
}

func (f *fixture) send(req *http.Request) reply {
	f.Helper()
	res, err := f.client.Do(req)
	if err != nil {
		f.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		f.Fatal(err)
	}
	return reply{res.StatusCode, res.Header, string(b)}
}

// code returns the code of a problem.
func (r reply) code() string {
	var p struct {
		Status int    `json:"status"`
		Code   string `json:"code"`
	}
	if err := json.Unmarshal([]byte(r.body), &p); err != nil || p.Status != r.status {
		return ""
	}
	return p.Code
}

// served is the body of a 200.
type servedBody struct {
	Popup struct {
		ID                      uint32
		Key, Variant, Placement string
		Version                 uint32
		Content                 json.RawMessage
		Locale                  string
	}
	Token       string
	Preview     bool
	NextPollSec int `json:"next_poll_sec"`
}

// asks polls for a user and returns what is shown: nil for nothing.
func (f *fixture) asks(user string, more ...string) *servedBody {
	f.Helper()
	r := f.do("GET", "/v1/poll?uid="+user+strings.Join(more, ""), "")
	if r.status == http.StatusNoContent {
		return nil
	}
	if r.status != http.StatusOK {
		f.Fatalf("poll: %d %s", r.status, r.body)
	}
	var b servedBody
	d := json.NewDecoder(strings.NewReader(r.body))
	d.DisallowUnknownFields()
	if err := d.Decode(&b); err != nil {
		f.Fatalf("poll: %s: %v", r.body, err)
	}
	return &b
}

// sees polls and fails the test unless the popup with this key, or nothing for "", is shown.
func (f *fixture) sees(user, key string, more ...string) *servedBody {
	f.Helper()
	b := f.asks(user, more...)
	got := ""
	if b != nil {
		got = b.Popup.Key
	}
	if got != key {
		f.Fatalf("%s sees %q, want %q", user, got, key)
	}
	return b
}

// acceptedOne is the body of the answer to a single action that is taken.
const acceptedOne = `{"accepted":1,"rejected":[]}`

// does reports an action and fails the test unless it is taken.
func (f *fixture) does(action, token string) {
	f.Helper()
	r := f.act(action, token)
	if r.status != http.StatusAccepted || r.body != acceptedOne {
		f.Fatalf("%s: %d %s", action, r.status, r.body)
	}
}

func (f *fixture) act(action, token string) reply {
	f.Helper()
	return f.do("POST", "/v1/actions", fmt.Sprintf(`{"token":%q,"action":%q}`, token, action), "Content-Type", "application/json")
}

// journaled fails the test unless exactly these events came since the last call.
func (f *fixture) journaled(want ...string) []popup.Event {
	f.Helper()
	events, _ := f.events.take()
	var got []string
	for _, e := range events {
		got = append(got, fmt.Sprintf("%s %s %d", e.User, e.Action, e.Popup))
	}
	if !slices.Equal(got, want) {
		f.Fatalf("journal has %q, want %q", got, want)
	}
	return events
}

// metric returns the value of a counter with these labels, given as name, value...
func (f *fixture) metric(name string, labels ...string) float64 {
	f.Helper()
	families, err := f.registry.Gather()
	if err != nil {
		f.Fatal(err)
	}
	for _, family := range families {
		if family.GetName() != name {
			continue
		}
		for _, m := range family.Metric {
			var got []string
			for _, l := range m.Label {
				got = append(got, l.GetName(), l.GetValue())
			}
			switch {
			case !slices.Equal(got, labels):
			case m.Histogram != nil:
				return float64(m.Histogram.GetSampleCount())
			case m.Gauge != nil:
				return m.Gauge.GetValue()
			default:
				return m.Counter.GetValue()
			}
		}
	}
	f.Fatalf("no metric %s%q", name, labels)
	return 0
}

// counts fails the test unless a counter has this value.
func (f *fixture) counts(want float64, name string, labels ...string) {
	f.Helper()
	if got := f.metric(name, labels...); got != want {
		f.Errorf("%s%q = %v, want %v", name, labels, got, want)
	}
}
