package userstate

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/popupd/popupd/decision"
	"github.com/popupd/popupd/frequency"
	"github.com/popupd/popupd/persist"
	"github.com/popupd/popupd/popup"
	"github.com/popupd/popupd/snapshot"
)

// The popups of the test have one goal, for an hour and for a minute, and three variants.
const (
	goalNowMS    = 1_760_000_000_000
	goalVariants = `"variants":[{"key":"a","weight":40},{"key":"b","weight":40},{"key":"c","weight":20,"control":true}]`
	goalWaits    = `"status":"active","frequency":{"after_impression_sec":0}`
)

var goalWindowsMS = map[uint32]int64{1: 3_600_000, 2: 60_000}

// goalStream is the journal of one start of a server. It survives the server.
type goalStream struct {
	id      popup.StreamID
	events  []popup.Event
	flushed int
	heard   int // by the other server
}

// goalServer is what of a server ends with it, and its streams, the last of which is open.
type goalServer struct {
	table   *frequency.Table
	streams []*goalStream
}

// goalKey is a user and a popup.
type goalKey struct {
	user  string
	popup uint32
}

// goalModel is two servers and their store, and what is to come of it by the naive rule:
// a goal counts once, if the server that hears of it knows of an exposure in its window.
type goalModel struct {
	*rapid.T
	db      *persist.DB
	snap    *snapshot.Snapshot
	nowMS   int64
	servers [2]*goalServer
	reached map[goalKey]bool
}

func (m *goalModel) ok(err error) {
	if err != nil {
		m.Fatal(err)
	}
}

// start starts a server as after kill -9: it knows what the store knows and what of its
// journals is not committed.
func (m *goalModel) start(i int) {
	s := m.servers[i]
	s.table = frequency.New(frequency.Config{})
	_, err := m.db.Restore(m.Context(), m.nowMS, 0, nil, false, func(user []byte, id uint32, state popup.State) { s.table.Restore(user, id, state) })
	m.ok(err)
	for _, stream := range s.streams {
		for j := range stream.events[stream.flushed:] {
			s.table.Merge(&stream.events[stream.flushed+j])
		}
	}
	next := &goalStream{}
	for b := range next.id {
		next.id[b] = byte(rand.Uint32())
	}
	_, err = m.db.Register(m.Context(), next.id, 1)
	m.ok(err)
	s.streams = append(s.streams, next)
}

// journal appends events to a server's open stream.
func (m *goalModel) journal(i int, events []popup.Event) {
	stream := m.servers[i].streams[len(m.servers[i].streams)-1]
	for _, e := range events {
		e.Seq = uint64(len(stream.events) + 1)
		stream.events = append(stream.events, e)
	}
}

func (m *goalModel) visit(i int, user string) {
	var d decision.Decision
	d.Decide(m.snap, m.servers[i].table, &popup.Request{User: []byte(user), Placements: [][]byte{[]byte("default"), []byte("top")}}, m.nowMS, nil)
	m.journal(i, d.Events)
}

// reach reports a goal, and says by the naive rule of which popups it is one.
func (m *goalModel) reach(i int, user string) {
	events := decision.AppendGoals(nil, m.snap, m.servers[i].table, []byte(user), []byte("purchase"), m.nowMS)
	m.journal(i, events)
	got, want := map[uint32]bool{}, map[uint32]bool{}
	for _, e := range events {
		got[e.Popup] = true
	}
	for id, windowMS := range goalWindowsMS {
		if m.latest(i, user, id) >= m.nowMS-windowMS {
			want[id] = true
			m.reached[goalKey{user, id}] = true
		}
	}
	if d := cmp.Diff(want, got); d != "" {
		m.Fatalf("server %d, %s: popups of a goal (-want +got):\n%s", i, user, d)
	}
}

// latest returns the latest exposure of which a server has heard: it has served it, was
// told of it, or has found it in the store when it started.
func (m *goalModel) latest(i int, user string, id uint32) (latestMS int64) {
	known := func(events []popup.Event) {
		for _, e := range events {
			if e.Popup == id && string(e.User) == user && e.Action != popup.Goal {
				latestMS = max(latestMS, e.ServedAtMS)
			}
		}
	}
	for _, stream := range m.servers[i].streams {
		known(stream.events)
	}
	for _, stream := range m.servers[1-i].streams {
		known(stream.events[:stream.heard])
	}
	return latestMS
}

// tell has the other server hear of the next events of a stream, some of them twice.
func (m *goalModel) tell(i int, stream *goalStream, n int) {
	for j := stream.heard; j < min(stream.heard+n, len(stream.events)); j++ {
		m.servers[1-i].table.Merge(&stream.events[j])
		m.servers[1-i].table.Merge(&stream.events[j/2])
	}
	stream.heard = min(stream.heard+n, len(stream.events))
}

// flush commits the next events of a stream. A batch that is sent again is refused.
func (m *goalModel) flush(stream *goalStream, n int) {
	to := min(stream.flushed+n, len(stream.events))
	if to == stream.flushed {
		return
	}
	b := &popup.Batch{Stream: stream.id, After: uint64(stream.flushed), Last: uint64(to), Events: stream.events[stream.flushed:to]}
	_, err := m.db.Flush(m.Context(), b)
	m.ok(err)
	if _, err := m.db.Flush(m.Context(), b); !errors.Is(err, persist.ErrConflict) {
		m.Fatalf("a batch is taken twice: %v", err)
	}
	stream.flushed = to
}

// Goals count as a naive model says, whichever server hears of them, in whatever order
// streams are committed, through kill -9 and the replay of journals.
func TestGoalsAreLikeTheModel(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		dir, err := os.MkdirTemp(t.TempDir(), "")
		if err != nil {
			rt.Fatal(err)
		}
		defer os.RemoveAll(dir)
		db, err := persist.Open(persist.Config{SQLite: filepath.Join(dir, "popupd.db")})
		if err != nil {
			rt.Fatal(err)
		}
		defer db.Close()
		m := &goalModel{T: rt, db: db, nowMS: goalNowMS, servers: [2]*goalServer{{}, {}}, reached: map[goalKey]bool{}}
		m.ok(db.Migrate(rt.Context()))
		m.snap = goalSnapshot(rt, db)
		for i := range m.servers {
			m.start(i)
		}
		user := rapid.SampledFrom([]string{"u", "v", "w", "x"})
		server := rapid.IntRange(0, 1)
		rt.Repeat(map[string]func(*rapid.T){
			"time passes": func(rt *rapid.T) {
				m.nowMS += 100 * rapid.SampledFrom([]int64{1, 100, 500, 9000, 36_000}).Draw(rt, "ticks")
			},
			"visit": func(rt *rapid.T) { m.visit(server.Draw(rt, "server"), user.Draw(rt, "user")) },
			"reach": func(rt *rapid.T) { m.reach(server.Draw(rt, "server"), user.Draw(rt, "user")) },
			"kill": func(rt *rapid.T) {
				i := server.Draw(rt, "server")
				for _, stream := range m.servers[1-i].streams { // what it was told it has forgotten
					stream.heard = stream.flushed
				}
				m.start(i)
			},
			"tell": func(rt *rapid.T) {
				i := server.Draw(rt, "server")
				m.tell(i, rapid.SampledFrom(m.servers[i].streams).Draw(rt, "stream"), rapid.IntRange(1, 9).Draw(rt, "events"))
			},
			"flush": func(rt *rapid.T) {
				m.flush(rapid.SampledFrom(m.servers[server.Draw(rt, "server")].streams).Draw(rt, "stream"), rapid.IntRange(1, 9).Draw(rt, "events"))
			},
		})
		for _, i := range rapid.SampledFrom([][]int{{0, 1}, {1, 0}}).Draw(rt, "order") {
			for _, stream := range m.servers[i].streams {
				m.flush(stream, len(stream.events))
			}
		}
		m.compare()
	})
}

// compare holds the statistics against what was reached, by popup and variant.
func (m *goalModel) compare() {
	want, got := map[string][2]uint64{}, map[string][2]uint64{}
	add := func(to map[string][2]uint64, id uint32, variant string, converts, users uint64) {
		if converts+users > 0 {
			key := fmt.Sprint(id, " ", variant)
			to[key] = [2]uint64{to[key][0] + converts, to[key][1] + users}
		}
	}
	for k := range m.reached {
		add(want, k.popup, string(m.snap.Popup(k.popup).Variant([]byte(k.user)).Key), 1, 1)
	}
	for id := range goalWindowsMS {
		counts, err := m.db.Stats(m.Context(), id, 0, m.nowMS+time.Hour.Milliseconds()*2)
		m.ok(err)
		for _, c := range counts {
			add(got, id, c.Variant, c.Converts, c.ConvertUsers)
		}
	}
	if d := cmp.Diff(want, got); d != "" {
		m.Fatalf("conversions and their users (-model +store):\n%s", d)
	}
}

func goalSnapshot(t *rapid.T, db *persist.DB) *snapshot.Snapshot {
	for i, more := range []string{`"goal":{"event":"purchase","window_sec":3600}`, `"goal":{"event":"purchase","window_sec":60},"placements":["top"]`} {
		spec, err := popup.Decode(fmt.Appendf(nil, `{"key":"p%d",%s,%s,%s}`, i+1, goalWaits, goalVariants, more))
		if err == nil {
			_, err = db.Create(t.Context(), popup.Change{Actor: "test"}, spec)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	catalog, err := db.Rows(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	snap, broken := snapshot.Compile(catalog, nil)
	if len(broken) > 0 {
		t.Fatal(broken[0].Err)
	}
	return snap
}
