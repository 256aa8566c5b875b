package userstate

import (
	"database/sql"
	"fmt"
	"log/slog"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/popupd/popupd/frequency"
	"github.com/popupd/popupd/internal/storetest"
	"github.com/popupd/popupd/persist"
	"github.com/popupd/popupd/popup"
	"github.com/popupd/popupd/snapshot"
)

// TestArchivedPopupsAreForgotten: the state of an archived popup is swept; that
// of a popup which comes back, as with a restored database, is kept.
func TestArchivedPopupsAreForgotten(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).UnixMilli()
	s := New(Config{Table: frequency.New(frequency.Config{})})
	with, broken := snapshot.Compile(popup.Catalog{Revision: 1, Popups: []popup.Row{{ID: 1, Version: 1, Key: "one", Spec: []byte(`{"key":"one","status":"active"}`)}}}, nil)
	if len(broken) > 0 {
		t.Fatal(broken[0].Err)
	}
	without, _ := snapshot.Compile(popup.Catalog{Revision: 2}, with)
	remembered := func() (n int) {
		for range 100 { // a sweep looks at a piece of the table
			s.table.Sweep(now)
		}
		s.table.States([]byte("u"), func(uint32, popup.State) { n++ })
		return n
	}
	show := func() {
		s.table.Merge(&popup.Event{
			AtMS: now, ServedAtMS: now, User: []byte("u"), Popup: 1, Version: 1, Action: popup.Impression, Nth: 1, ReadyAtMS: now + 86_400_000,
		})
	}

	s.SetPopups(with)
	show()
	if n := remembered(); n != 1 {
		t.Fatalf("%d states of an active popup, want 1", n)
	}
	s.SetPopups(without)
	if n := remembered(); n != 0 {
		t.Errorf("%d states of an archived popup, want none", n)
	}
	restoredTo(s.known, "nothing is known yet", nil)
	s.SetPopups(with)
	show()
	if n := remembered(); n != 1 {
		t.Errorf("%d states of a popup that came back, want 1", n)
	}
	if _, known := s.known.beginRead(0, 0, 0); known != nil || len(s.behind) == 0 {
		t.Error("what was dropped of a popup that came back is not read again")
	}
}

// A popup that is limited where it was not has its history read from the database.
func TestNewLimitAsksTheDatabase(t *testing.T) {
	s := New(Config{Table: frequency.New(frequency.Config{})})
	var last *snapshot.Snapshot
	for i, c := range []struct {
		limit int
		want  bool
	}{{1, false}, {0, false}, {0, false}, {1, true}, {2, false}, {0, false}, {3, true}} {
		spec := fmt.Sprintf(`{"key":"one","status":"active","frequency":{"max_impressions":%d}}`, c.limit)
		next, broken := snapshot.Compile(popup.Catalog{Revision: int64(i + 1), Popups: []popup.Row{{ID: 1, Version: uint32(i + 1), Key: "one", Spec: []byte(spec)}}}, last)
		if len(broken) > 0 {
			t.Fatal(broken[0].Err)
		}
		last = next
		if behind := asks(s, next); behind != c.want {
			t.Errorf("change %d, to a limit of %d: behind the database %v, want %v", i, c.limit, behind, c.want)
		}
	}
}

// asks puts popups in force and reports whether the server then asks the database.
func asks(s *State, popups *snapshot.Snapshot) bool {
	s.SetPopups(popups)
	select {
	case <-s.behind:
		return true
	default:
		return false
	}
}

// What only a longer gap asks for is read from the database, all of it.
func TestLongerGapAsksTheDatabase(t *testing.T) {
	s := New(Config{Table: frequency.New(frequency.Config{MinGap: time.Minute})})
	var last *snapshot.Snapshot
	first, _ := s.known.beginRead(0, s.table.MinGap(), 0)
	s.known.restored(first, &persist.Found{Full: allUnknown}, 0)
	for i, c := range []struct {
		gapSec int64
		want   bool
	}{{0, false}, {60, false}, {61, true}, {61, false}, {5, false}, {3600, true}} {
		last, _ = snapshot.Compile(popup.Catalog{
			Revision: int64(i), Settings: popup.SettingsRow{Version: uint32(i + 1), Spec: fmt.Appendf(nil, `{"min_gap_sec":%d}`, c.gapSec)},
		}, last)
		if behind := asks(s, last); behind != c.want {
			t.Errorf("change %d, to %d s: behind the database %v, want %v", i, c.gapSec, behind, c.want)
		}
		if r, known := s.known.beginRead(0, s.table.MinGap(), 0); (known == nil) != (c.gapSec > 60) {
			t.Errorf("change %d, to %d s: all is read %v (%s), want %v", i, c.gapSec, known == nil, r.all, c.gapSec > 60)
		}
	}
}

// What only caps ask for is read from the database: when there are caps, when they count
// for longer, and when one covers a popup that none did.
func TestNewCapsAskTheDatabase(t *testing.T) {
	s := New(Config{Table: frequency.New(frequency.Config{})})
	var last *snapshot.Snapshot
	for i, c := range []struct {
		tags, caps string
		want       bool
	}{
		{"", ``, false},
		{"", `{"key":"sales","max":1,"per_sec":3600,"tags":["sale"]}`, true},
		{"", `{"key":"sales","max":2,"per_sec":3600,"tags":["sale"]}`, false},
		{`"sale"`, `{"key":"sales","max":2,"per_sec":3600,"tags":["sale"]}`, true},
		{`"sale"`, `{"key":"sales","max":2,"per_sec":60,"tags":["sale"]}`, false},
		{`"sale"`, `{"key":"all","max":2,"per_sec":60}`, false},
		{`"sale"`, `{"key":"all","max":2,"per_sec":61}`, true},
		{`"sale"`, ``, false},
	} {
		next, broken := snapshot.Compile(popup.Catalog{
			Popups:   []popup.Row{{ID: 1, Version: uint32(i + 1), Key: "one", Spec: fmt.Appendf(nil, `{"key":"one","status":"active","tags":[%s]}`, c.tags)}},
			Settings: popup.SettingsRow{Version: uint32(i + 1), Spec: fmt.Appendf(nil, `{"caps":[%s]}`, c.caps)},
		}, last)
		if len(broken) > 0 {
			t.Fatal(broken[0].Err)
		}
		last = next
		if behind := asks(s, next); behind != c.want {
			t.Errorf("change %d, to caps %s with tags %s: behind the database %v, want %v", i, c.caps, c.tags, behind, c.want)
		}
	}
}

// BenchmarkRestoreState restores the state of POPUPD_BENCH_ENTRIES users and
// popups, or of a million, as a server does at its start: from a MariaDB that has
// the rows in memory. A user has two popups; every third was dismissed, every
// thirtieth clicked.
func BenchmarkRestoreState(b *testing.B) {
	entries := 1_000_000
	if n, err := strconv.Atoi(os.Getenv("POPUPD_BENCH_ENTRIES")); err == nil {
		entries = n
	}
	server := storetest.StartMySQL(b, "--innodb-buffer-pool-size=2G", "--innodb-log-file-size=512M")
	dsn := server.CreateDatabase(b, "popupd")
	db, err := persist.Open(persist.Config{DSN: dsn, Host: "bench"})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = db.Close() })
	if err := db.Migrate(b.Context()); err != nil {
		b.Fatal(err)
	}
	now := time.Now().UnixMilli()
	raw, err := sql.Open("mysql", dsn)
	if err != nil {
		b.Fatal(err)
	}
	defer raw.Close()
	const fill = `INSERT INTO user_popup (user_id, popup_id, impressions, last_impression_ms, acted, last_action, last_action_ms, click_until_ms, next_at_ms)
		SELECT CONCAT('user-', LPAD(seq DIV 2, 15, '0')), 1 + seq % 2, 1 + seq % 3, NOW - seq % 86400000,
		IF(seq % 3 = 0, 2, IF(seq % 30 = 1, 1, 0)), IF(seq % 3 = 0, 3, IF(seq % 30 = 1, 2, 1)),
		NOW - seq % 86400000 + IF(seq % 3 = 0 OR seq % 30 = 1, 5000, 0),
		IF(seq % 30 = 1, NOW + 2592000000 - seq % 86400000, 0), NOW - seq % 86400000 + IF(seq % 30 = 1, 2592000000, 86400000)
		FROM seq_0_to_LAST`
	query := strings.NewReplacer("NOW", fmt.Sprint(now), "LAST", fmt.Sprint(entries-1)).Replace(fill)
	if _, err := raw.ExecContext(b.Context(), query); err != nil {
		b.Fatal(err)
	}

	b.ReportAllocs()
	var took time.Duration
	for b.Loop() {
		s := New(Config{Database: db, Table: frequency.New(frequency.Config{}), Now: func() int64 { return now }, Log: slog.New(slog.DiscardHandler)})
		s.Connect(openJournal(b, b.TempDir()), nil)
		start := time.Now()
		if _, err := s.mergeStates(b.Context()); err != nil {
			b.Fatal(err)
		}
		took += time.Since(start)
		known := 0
		s.table.States([]byte("user-000000000000001"), func(uint32, popup.State) { known++ })
		if known != 2 {
			b.Fatalf("%d states of a user, want 2", known)
		}
	}
	b.ReportMetric(float64(entries)*float64(b.N)/took.Seconds(), "entries/s")
}

// What only a short cap counts does not take the room of what a long one counts.
func TestShortCapsLeaveRoomForLongOnes(t *testing.T) {
	s := New(Config{Table: frequency.New(frequency.Config{})})
	next, broken := snapshot.Compile(popup.Catalog{
		Popups: []popup.Row{
			{ID: 1, Version: 1, Key: "one", Spec: []byte(`{"key":"one","status":"active","tags":["sale"]}`)},
			{ID: 2, Version: 1, Key: "two", Spec: []byte(`{"key":"two","status":"active"}`)},
		},
		Settings: popup.SettingsRow{Version: 1, Spec: []byte(`{"caps":[{"key":"daily","max":20,"per_sec":86400},{"key":"sales","max":1,"per_sec":2592000,"tags":["sale"]}]}`)},
	}, nil)
	if len(broken) > 0 {
		t.Fatal(broken[0].Err)
	}
	s.SetPopups(next)
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for i := range 400 { // within 21 days
		id := uint32(2)
		if i == 0 {
			id = 1
		}
		ms := at.UnixMilli()
		s.table.Merge(&popup.Event{AtMS: ms, ServedAtMS: ms, User: []byte("u"), Popup: id, Version: 1, Action: popup.Impression, Nth: 1})
		at = at.Add(75 * time.Minute)
		s.table.Sweep(at.UnixMilli())
	}
	user := s.table.Lock([]byte("u"))
	defer user.Unlock()
	var v frequency.Verdict
	if user.CheckCaps(&v, next.Popup(1).Caps, new(frequency.FullCaps), next, at.UnixMilli()); v.Reason != popup.CapFull {
		t.Errorf("the only sale of the month is forgotten: %v", v.Reason)
	}
}

func TestDumpPause(t *testing.T) {
	for _, c := range []struct {
		pressure   float64
		wanted     bool
		took, want time.Duration
	}{
		{0.24, true, 0, time.Minute},
		{0.25, true, 0, 10 * time.Second},
		{0.89, true, 0, 10 * time.Second},
		{0.9, true, 50 * time.Millisecond, time.Second},
		{1, true, 300 * time.Millisecond, 3 * time.Second},
		{1, true, 2 * time.Second, 10 * time.Second},
		{1, false, 0, time.Minute},
	} {
		if got := dumpPause(c.pressure, c.wanted, c.took); got != c.want {
			t.Errorf("%+v: the next dump after %v", c, got)
		}
	}
}

// What the dump of the previous process covers need not wait for a second dump of
// this one.
func TestFirstDumpAfterStart(t *testing.T) {
	c := &clocked{t: t, dir: t.TempDir(), nowMS: new(atomic.Int64)}
	c.nowMS.Store(time.Now().UnixMilli())
	c.open()
	defer func() { c.end() }()
	if _, token := c.ask("u"); token == "" {
		t.Fatal("nothing is shown")
	}
	c.state.save()
	c.end()
	c.open()
	for _, s := range c.state.journal.Streams() {
		s.Ack(s.Last())
	}
	if !c.state.journal.WantsDump() {
		t.Fatal("nothing waits for a dump")
	}
	if !c.state.save() {
		t.Fatal("no dump")
	}
	if c.state.journal.WantsDump() {
		t.Error("it waits for another one")
	}
}
