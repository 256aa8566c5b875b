package userstate

import (
	"bytes"
	"database/sql"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/popupd/popupd/frequency"
	"github.com/popupd/popupd/internal/storetest"
	"github.com/popupd/popupd/persist"
	"github.com/popupd/popupd/popup"
	"github.com/popupd/popupd/queue/journal"
	"github.com/popupd/popupd/snapshot"
)

func openJournal(t testing.TB, dir string) *journal.Journal {
	t.Helper()
	j, err := journal.Open(journal.Config{Dir: dir, MaxBytes: 8 << 20, Sync: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := j.Release(); err != nil {
			t.Error(err)
		}
	})
	return j
}

// cluster is a database with what it was like earlier, the streams of other servers, and
// one server that is started again and again.
type cluster struct {
	*testing.T
	r   *rand.Rand
	db  *persist.DB
	raw *sql.DB
	now int64
	dir string

	popups *snapshot.Snapshot // 1, 2 and 3, with a cap for each of the newest 16 impressions of a user

	streams []*stream       // of other servers
	own     []*stream       // of the server under test
	saved   map[*stream]int // done, as the database was saved
	rebuilt map[string]bool // users of whom a reset came to the database after what is newer

	wereReset map[string]bool

	state *State
	log   bytes.Buffer

	heldOnly            bool   // the server under test
	epochs              epochs // of it
	lookedUp, forgotten int    // users
}

// stream is what a server has shipped.
type stream struct {
	id     popup.StreamID
	events []popup.Event
	done   int // committed
	lost   int // up to here the journal has them no more: what is not committed never is

	heard, dumped map[int]bool // which of them the server under test has heard, and its dump has
}

// hears says that the server under test hears of an event.
func (s *stream) hears(i int) {
	if s.heard == nil {
		s.heard = make(map[int]bool)
	}
	s.heard[i] = true
}

func newCluster(t *testing.T, seed uint64) *cluster {
	t.Logf("seed %d", seed)
	dsn := storetest.MySQL(t)
	c := &cluster{T: t, r: rand.New(rand.NewPCG(seed, 0)), now: time.Now().UnixMilli(), dir: t.TempDir(), rebuilt: map[string]bool{}, wereReset: map[string]bool{}}
	var err error
	if c.db, err = persist.Open(persist.Config{DSN: dsn, Host: "test"}); err != nil {
		t.Fatal(err)
	}
	if c.raw, err = sql.Open("mysql", dsn); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.db.Close(); c.raw.Close() })
	if err := c.db.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	catalog := popup.Catalog{Revision: 1, Settings: popup.SettingsRow{Version: 1}}
	for id := range uint32(3) {
		catalog.Popups = append(catalog.Popups, popup.Row{ID: id + 1, Version: 1, Key: fmt.Sprint(id), Spec: fmt.Appendf(nil, `{"key":"%d","status":"active"}`, id)})
	}
	var caps []string
	for n := range popup.MaxCaps {
		caps = append(caps, fmt.Sprintf(`{"key":"%d","max":%d,"per_sec":2592000}`, n, n+1))
	}
	catalog.Settings.Spec = fmt.Appendf(nil, `{"caps":[%s]}`, strings.Join(caps, ","))
	var broken []snapshot.Broken
	if c.popups, broken = snapshot.Compile(catalog, nil); len(broken) > 0 {
		t.Fatal(broken)
	}
	return c
}

func (c *cluster) exec(query string, args ...any) {
	c.Helper()
	if _, err := c.raw.Exec(query, args...); err != nil {
		c.Fatalf("%s: %v", query, err)
	}
}

// server makes a server of this database, with an empty table.
func (c *cluster) server(heldOnly bool) *State {
	s := New(Config{
		Database: c.db, Table: frequency.New(frequency.Config{HeldOnly: heldOnly}), Dump: filepath.Join(c.dir, "state"),
		Now: func() int64 { return c.now }, Log: slog.New(slog.NewJSONHandler(&c.log, nil)),
	})
	s.table.Sweep(c.now)
	s.SetPopups(c.popups)
	return s
}

// start starts the server under test, and returns what of the database it read.
func (c *cluster) start() (read string) {
	c.Helper()
	c.state, c.epochs = c.server(c.heldOnly), epochs{}
	c.state.Connect(openJournal(c, filepath.Join(c.dir, "journal")), nil)
	positions, note, _ := c.state.table.Load(c.state.dump) // none at first
	c.state.known.loaded(positions, note, c.now)
	if err := c.state.journal.Replay(c.state.table.Merge); err != nil {
		c.Fatal(err)
	}
	for _, s := range c.streams {
		s.heard = maps.Clone(s.dumped)
	}
	read, _ = c.read()
	return read
}

// save has the server under test dump what it knows.
func (c *cluster) save() {
	if c.state.save() {
		for _, s := range c.streams {
			s.dumped = maps.Clone(s.heard)
		}
	}
}

// read has the server under test read what it has missed.
func (c *cluster) read() (read string, states int) {
	c.Helper()
	c.log.Reset()
	if _, err := c.state.mergeStates(c.Context()); err != nil {
		c.Fatal(err)
	}
	c.state.ready.Store(true)
	for line := range bytes.Lines(c.log.Bytes()) {
		var entry struct {
			Msg, Read string
			States    int
		}
		if json.Unmarshal(line, &entry) == nil && entry.Msg == "users' state restored" {
			return entry.Read, entry.States
		}
	}
	c.Fatalf("nothing was read:\n%s", &c.log)
	return "", 0
}

// stop ends the server under test, as kill -9 does.
func (c *cluster) stop() {
	c.Helper()
	if err := c.state.journal.Release(); err != nil {
		c.Fatal(err)
	}
}

func (c *cluster) user() string { return fmt.Sprint("u", c.r.IntN(40)) }

// event makes something that happens to somebody.
func (c *cluster) event() popup.Event {
	c.now += int64(c.r.IntN(1000))
	e := popup.Event{
		AtMS: c.now, ServedAtMS: c.now, User: []byte(c.user()), Popup: 1 + c.r.Uint32N(3), Version: 1,
		Action: popup.Impression, Nth: c.r.Uint32N(5), ReadyAtMS: c.now + 86_400_000,
	}
	switch c.r.IntN(20) {
	case 0:
		e = popup.Event{AtMS: c.now, User: e.User, Action: popup.Reset}
		c.wereReset[string(e.User)] = true
	case 1:
		e.Action, e.ServedAtMS, e.ReadyAtMS = popup.Release, c.now-int64(c.r.IntN(5000)), 0
	case 2, 3, 4:
		e.Action, e.ServedAtMS = popup.Click, c.now-int64(c.r.IntN(5000))
		e.ReadyAtMS = c.now + 1000*int64(c.r.IntN(1_000_000))
		e.ClickUntilMS = e.ReadyAtMS
	}
	return e
}

// ship adds events to another server's stream. What is not heard is missed.
func (c *cluster) ship(heard bool) {
	s := c.streams[c.r.IntN(len(c.streams))]
	first := uint64(len(s.events)) + 1
	for range 1 + c.r.IntN(6) {
		e := c.event()
		e.Seq = uint64(len(s.events)) + 1
		s.events = append(s.events, e)
	}
	if !heard {
		return
	}
	for i := int(first) - 1; i < len(s.events); i++ {
		c.state.Merge(&s.events[i])
		s.hears(i)
	}
	c.state.Heard(s.id, first, uint64(len(s.events)))
}

// serve has the server under test journal an event.
func (c *cluster) serve() {
	c.Helper()
	e := c.event()
	c.state.Merge(&e)
	if err := c.state.journal.Append([]popup.Event{e}); err != nil {
		c.Fatal(err)
	}
	var id popup.StreamID
	for _, s := range c.state.journal.Streams() {
		if !s.Sealed() {
			id = s.ID()
		}
	}
	if n := len(c.own); n == 0 || c.own[n-1].id != id {
		c.own = append(c.own, &stream{id: id})
	}
	s := c.own[len(c.own)-1]
	e.Seq = uint64(len(s.events)) + 1
	s.events = append(s.events, e)
	s.hears(len(s.events) - 1)
}

// some returns any stream.
func (c *cluster) some() *stream {
	all := slices.Concat(c.streams, c.own)
	return all[c.r.IntN(len(all))]
}

// commit commits some of what a stream has shipped.
func (c *cluster) commit(s *stream, most int) {
	c.Helper()
	n := min(len(s.events)-s.done, most)
	if n == 0 {
		return
	}
	c.flush(s, &popup.Batch{Last: uint64(s.done + n), Events: slices.Clone(s.events[s.done : s.done+n])})
}

func (c *cluster) flush(s *stream, b *popup.Batch) {
	c.Helper()
	b.Stream, b.After = s.id, uint64(s.done)
	if _, err := c.db.Register(c.Context(), s.id, 1); err != nil {
		c.Fatal(err)
	}
	if _, err := c.db.Flush(c.Context(), b); err != nil {
		c.Fatal(err)
	}
	s.done = int(b.Last)
	for i := range b.Events {
		if e := &b.Events[i]; e.Action == popup.Reset && c.count("SELECT COUNT(*) FROM user_popup WHERE user_id = ? AND last_impression_ms > ?", e.User, e.AtMS) > 0 {
			c.rebuilt[string(e.User)] = true
		}
	}
}

func (c *cluster) count(query string, args ...any) (n int) {
	c.Helper()
	if err := c.raw.QueryRow(query, args...).Scan(&n); err != nil {
		c.Fatalf("%s: %v", query, err)
	}
	return n
}

// retain deletes all events of a stream that are committed.
func (c *cluster) retain(s *stream) {
	const no = "(SELECT stream_no FROM ingest_stream WHERE stream_id = ?)"
	c.exec("UPDATE ingest_stream SET removed = removed + (SELECT COUNT(*) FROM event WHERE stream_no = "+no+") WHERE stream_id = ?", s.id.String(), s.id.String())
	c.exec("DELETE FROM event WHERE stream_no = "+no, s.id.String())
}

var tables = []string{"event", "user_popup", "impression", "ingest_stream", "erasure", "popup_stats", "dead_frame"}

func (c *cluster) saveDatabase() {
	for _, table := range tables {
		c.exec("DROP TABLE IF EXISTS saved_" + table)
		c.exec("CREATE TABLE saved_" + table + " AS SELECT * FROM " + table)
	}
	c.saved = map[*stream]int{}
	for _, s := range slices.Concat(c.streams, c.own) {
		c.saved[s] = s.done
	}
}

// bringBack brings the database of then back.
func (c *cluster) bringBack() {
	for _, table := range tables {
		c.exec("DELETE FROM " + table)
		c.exec("INSERT INTO " + table + " SELECT * FROM saved_" + table)
	}
	for _, s := range slices.Concat(c.streams, c.own) {
		for i := c.saved[s]; i < s.done && c.heldOnly; i++ { // it may be forgotten, until it is shipped again
			delete(s.heard, i)
			delete(s.dumped, i)
		}
		s.done = c.saved[s]
	}
}

// restoreDatabase brings the database of then back. What was committed since is shipped
// again, or declared lost if the journal has it no more. A server that holds users has noticed
// before that.
func (c *cluster) restoreDatabase() {
	had := map[*stream]int{}
	for _, s := range slices.Concat(c.streams, c.own) {
		had[s] = s.done
	}
	c.bringBack()
	if c.heldOnly {
		c.state.endEpoch(c.Context(), &c.epochs)
		c.read()
	}
	for _, s := range slices.Concat(c.streams, c.own) {
		if had[s] > s.done && c.r.IntN(2) == 0 {
			s.lost = max(s.lost, had[s])
		}
		if s.lost > s.done {
			c.flush(s, &popup.Batch{Last: uint64(s.lost), Gaps: []popup.Gap{{First: uint64(s.done + 1), Last: uint64(s.lost)}}})
		}
	}
}
