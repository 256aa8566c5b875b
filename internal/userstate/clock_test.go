package userstate

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/popupd/popupd/frequency"
	"github.com/popupd/popupd/handler"
	"github.com/popupd/popupd/persist"
	"github.com/popupd/popupd/popup"
	"github.com/popupd/popupd/queue/journal"
	"github.com/popupd/popupd/snapshot"
	"github.com/popupd/popupd/snapshot/follow"
)

// clocked is a server without its outer parts, whose clock a test sets. Its events
// stay in the journal.
type clocked struct {
	t      *testing.T
	dir    string
	nowMS  *atomic.Int64
	state  *State
	server *handler.Server
	addr   string
	end    func()
	resets map[uint64]int64 // that were told since open, by the hash of the user
}

// onePopup is a catalog of one popup, which waits for three hours, and for eight
// after a click.
type onePopup struct{}

func (onePopup) Position(context.Context) (popup.Position, error) {
	return popup.Position{Revision: 1}, nil
}

func (onePopup) Changes(context.Context, popup.Position) (c popup.CatalogChange, known bool, err error) {
	return c, false, nil
}

func (onePopup) WriteAudienceList(context.Context, uint64, io.Writer) error {
	return popup.ErrNotFound
}

func (onePopup) Rows(context.Context) (popup.Catalog, error) {
	spec := `{"key":"one","status":"active","frequency":{"after_impression_sec":10800,"after_click_sec":28800},"variants":[{"key":"a","content":{}}]}`
	return popup.Catalog{Revision: 1, Popups: []popup.Row{{ID: 1, Version: 1, Key: "one", Spec: []byte(spec)}}}, nil
}

const (
	shownWait   = 3 * time.Hour
	clickedWait = 8 * time.Hour
)

// open starts it on its directory, as a start of popupd does.
func (c *clocked) open() {
	c.t.Helper()
	must := func(err error) {
		c.t.Helper()
		if err != nil {
			c.t.Fatal(err)
		}
	}
	now := c.nowMS.Load
	db, err := persist.Open(persist.Config{SQLite: filepath.Join(c.dir, "popupd.db"), Now: now})
	must(err)
	journal, err := journal.Open(journal.Config{Dir: filepath.Join(c.dir, "journal"), MaxBytes: 8 << 20, Sync: time.Hour, Now: now})
	must(err)
	popups := snapshot.NewStore()
	c.resets = map[uint64]int64{}
	table := frequency.New(frequency.Config{OnReset: func(hash uint64, atMS int64) { c.resets[hash] = atMS }})
	s := New(Config{Database: db, Table: table, Dump: filepath.Join(c.dir, "state"), Now: now, Log: slog.New(slog.DiscardHandler)})
	s.Connect(journal, follow.New(popups, follow.Config{Source: onePopup{}, File: filepath.Join(c.dir, "popups"), OnSwap: s.SetPopups, Now: now}))
	_, err = s.Restore(c.t.Context())
	must(err)
	server, err := handler.New(handler.Config{
		Snapshots: popups, Users: s.table, Journal: journal, Secrets: [][]byte{[]byte("secret")}, AllowOrigins: []string{"*"}, Ready: s.Ready, Now: now,
	})
	must(err)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(err)
	served := make(chan error, 1)
	go func() { served <- server.Serve(l) }()
	c.state, c.server, c.addr = s, server, l.Addr().String()
	c.end = func() {
		c.t.Helper()
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		http.DefaultClient.CloseIdleConnections()
		must(server.Shutdown(ctx))
		must(<-served)
		must(journal.Release())
		must(db.Close())
	}
}

// ask polls and returns when what is shown was served, and its token; 0 for nothing.
func (c *clocked) ask(user string) (servedMS int64, token string) {
	c.t.Helper()
	resp, err := http.Get("http://" + c.addr + "/v1/poll?uid=" + user)
	if err != nil {
		c.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	switch resp.StatusCode {
	case http.StatusNoContent:
		return 0, ""
	case http.StatusOK:
	default:
		c.t.Fatalf("poll answers %d: %s", resp.StatusCode, body)
	}
	var p struct{ Token string }
	if err := json.Unmarshal(body, &p); err != nil {
		c.t.Fatal(err)
	}
	c.state.table.States([]byte(user), func(_ uint32, s popup.State) { servedMS = s.ServedAtMS })
	return servedMS, p.Token
}

// act reports an action and returns the status of the answer.
func (c *clocked) act(action, token string) int {
	c.t.Helper()
	resp, err := http.Post("http://"+c.addr+"/v1/actions", "application/json", strings.NewReader(fmt.Sprintf(`{"token":%q,"action":%q}`, token, action)))
	if err != nil {
		c.t.Fatal(err)
	}
	resp.Body.Close()
	return resp.StatusCode
}

// TestClockJump has the clock jump once by an hour, forward or back, with or without
// a start in between.
func TestClockJump(t *testing.T) {
	// asks are at times by the clock, since the first, that the popup was served at.
	type ask struct {
		at    time.Duration
		shown bool
	}
	// What a clock that has been set back finds in the future it moves to now, so that
	// the wait is as long as it was to be; after a start the journal tells the wait anew.
	for _, c := range []struct {
		name      string
		asks      []ask
		restarted []ask // the same with starts in between; nil: as without
	}{
		{"none", []ask{{shownWait - time.Minute, false}, {shownWait, true}}, nil},
		{"back before the wait is over", []ask{{2 * time.Hour, false}, {time.Hour, false}, {shownWait - time.Minute, false}, {shownWait, true}}, nil},
		{
			"back across the end of the wait",
			[]ask{{shownWait + 50*time.Minute, true}, {shownWait - 10*time.Minute, false}, {2*shownWait - 11*time.Minute, false}, {2*shownWait - 10*time.Minute, true}},
			[]ask{{shownWait + 50*time.Minute, true}, {shownWait - 10*time.Minute, false}, {2*shownWait + 49*time.Minute, false}, {2*shownWait + 50*time.Minute, true}},
		},
		{
			"back before it was shown",
			[]ask{{-time.Hour, false}, {shownWait - time.Hour - time.Minute, false}, {shownWait - time.Hour, true}},
			[]ask{{-time.Hour, false}, {shownWait - time.Minute, false}, {shownWait, true}},
		},
		{"forward and back before the wait is over", []ask{{time.Hour, false}, {0, false}, {shownWait - time.Minute, false}, {shownWait, true}}, nil},
		{"forward across the end of the wait, and nobody asks, and back", []ask{{shownWait + 59*time.Minute, true}}, nil},
	} {
		for _, between := range []string{"nothing", "a sweep", "a dump and a start", "a start"} {
			t.Run(c.name+", "+between+" in between", func(t *testing.T) {
				began := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC).UnixMilli()
				s := &clocked{t: t, dir: t.TempDir(), nowMS: new(atomic.Int64)}
				s.nowMS.Store(began)
				s.open()
				defer func() { s.end() }()
				pass := func() {
					switch between {
					case "a sweep":
						for range 200 { // round the whole table
							s.state.table.Sweep(s.nowMS.Load())
						}
					case "a dump and a start":
						s.state.save()
						s.end()
						s.open()
					case "a start":
						s.end()
						s.open()
					}
				}
				if _, token := s.ask("u"); token == "" {
					t.Fatal("nothing is shown")
				}
				if strings.Contains(c.name, "nobody asks") {
					s.nowMS.Store(began + (shownWait + 59*time.Minute).Milliseconds())
					pass()
					s.nowMS.Store(began + (shownWait - time.Minute).Milliseconds())
					if _, token := s.ask("u"); token != "" {
						t.Error("shown again before the wait is over")
					}
				}
				asks := c.asks
				if c.restarted != nil && strings.HasSuffix(between, "start") {
					asks = c.restarted
				}
				for _, a := range asks {
					s.nowMS.Store(began + a.at.Milliseconds())
					pass()
					if _, token := s.ask("u"); (token != "") != a.shown {
						t.Errorf("after %v by the clock: shown %v, want %v", a.at, token != "", a.shown)
					}
				}
			})
		}
	}
}

// TestClockJumps has the clock jump by up to an hour, forward and back, between
// polls, clicks, sweeps, dumps and starts. No popup returns before its wait is over, less
// what the clock was wrong by, neither by the clock that it was served by nor by the
// time that really went by.
func TestClockJumps(t *testing.T) {
	const users, steps, most = 8, 500, time.Hour
	for _, seed := range []uint64{1, rand.Uint64()} {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 0))
			real := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
			off := time.Duration(0)
			c := &clocked{t: t, dir: t.TempDir(), nowMS: new(atomic.Int64)}
			set := func() { c.nowMS.Store(real.Add(off).UnixMilli()) }
			set()
			c.open()
			defer func() { c.end() }()
			type memory struct {
				servedMS int64
				at       time.Time // really
				wait     time.Duration
				token    string
			}
			var seen [users]memory
			shown, jumps, starts := 0, 0, 0
			for step := range steps {
				real = real.Add(time.Duration(r.Int64N(int64(20 * time.Minute))))
				switch r.IntN(12) {
				case 0:
					off, jumps = time.Duration(r.Int64N(int64(most)))-most/2, jumps+1
				case 1:
					off, jumps = []time.Duration{-most / 2, most / 2}[r.IntN(2)], jumps+1
				}
				set()
				switch r.IntN(20) {
				case 0:
					c.state.save()
				case 1:
					for range 200 { // round the whole table
						c.state.table.Sweep(c.nowMS.Load())
					}
				case 2:
					c.end()
					c.open()
					starts++
				}
				n := r.IntN(users)
				m := &seen[n]
				if m.token != "" && r.IntN(6) == 0 {
					if status := c.act("click", m.token); status != http.StatusAccepted {
						t.Fatalf("click answers %d", status)
					}
					m.wait, m.token = clickedWait, ""
					m.at, m.servedMS = real, max(m.servedMS, c.nowMS.Load())
				}
				servedMS, token := c.ask(fmt.Sprint("user-", n))
				if token == "" {
					if went := real.Sub(m.at); went > m.wait+most+time.Minute {
						t.Fatalf("step %d: user %d is shown nothing %v after what asked to wait %v", step, n, went, m.wait)
					}
					continue
				}
				shown++
				if m.wait > 0 {
					if by := time.Duration(servedMS-m.servedMS) * time.Millisecond; by < m.wait-most-100*time.Millisecond {
						t.Fatalf("step %d: user %d is shown the popup again %v later by the clock, want at least %v less an hour", step, n, by, m.wait)
					}
					if went := real.Sub(m.at); went < m.wait-most {
						t.Fatalf("step %d: user %d is shown the popup again after %v, want at least %v less an hour", step, n, went, m.wait)
					}
				}
				*m = memory{servedMS, real, shownWait, token}
			}
			t.Logf("%d shown, %d jumps, %d starts", shown, jumps, starts)
			if shown < 50 || jumps < 30 || starts < 8 {
				t.Error("too little of it happened")
			}
		})
	}
}
