package persist

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/popupd/popupd/popup"
)

// exportReader keeps what it has read of the export, and goes on from its cursor.
type exportReader struct {
	db     *DB
	cursor string
	read   []string
}

var errGone = errors.New("the reader is gone")

// line is what the tests compare of an event.
func line(no uint32, seq uint64, user string, id uint32, variant string, a popup.Action, servedAtMS int64) string {
	return fmt.Sprintf("%d/%d %s %d %s %s %d", no, seq, user, id, variant, a, servedAtMS)
}

// get reads at most limit events. It goes away after some batches, the last of which it
// may have got without the cursor behind it.
func (r *exportReader) get(ctx context.Context, limit, batches int) error {
	err := r.db.CountedEvents(ctx, r.cursor, limit, func(events []popup.CountedEvent, cursor string) error {
		if batches--; batches < 0 {
			return errGone
		}
		for _, e := range events {
			r.read = append(r.read, line(e.StreamNo, e.Seq, e.User, e.PopupID, e.Variant, e.Action, e.ServedAtMS))
		}
		r.cursor = cursor
		return nil
	})
	if errors.Is(err, errGone) {
		return nil
	}
	return err
}

func (r *exportReader) mustGet(t testing.TB, limit int) {
	t.Helper()
	if err := r.get(t.Context(), limit, limit+1); err != nil {
		t.Fatal(err)
	}
}

// counted returns what the table says that the export gives, of each stream in order.
func (s *store) counted(t testing.TB) map[string]bool {
	t.Helper()
	rows, err := s.raw.Query("SELECT stream_no, seq, user_id, popup_id, variant, action, served_at_ms FROM event WHERE repeated = 0")
	if err != nil {
		t.Fatal(err)
	}
	lines, err := collect(rows, func(r scanner) (string, error) {
		var no, id uint32
		var seq uint64
		var user, variant string
		var a popup.Action
		var servedAtMS int64
		err := r.Scan(&no, &seq, &user, &id, &variant, &a, &servedAtMS)
		return line(no, seq, user, id, variant, a, servedAtMS), err
	})
	if err != nil {
		t.Fatal(err)
	}
	set := map[string]bool{}
	for _, l := range lines {
		set[l] = true
	}
	return set
}

// wantAll fails unless the reader has read the table, each event once.
func (r *exportReader) wantAll(t testing.TB, s *store) {
	t.Helper()
	got := map[string]bool{}
	for _, l := range r.read {
		if got[l] {
			t.Errorf("read twice: %s", l)
		}
		got[l] = true
	}
	if d := cmp.Diff(s.counted(t), got); d != "" {
		t.Errorf("events (-table +read):\n%.3000s", d)
	}
}

// A reader that goes away and comes back at any time, while two servers flush one stream
// after another, gets each event that counts once.
func TestExportWhileEventsArrive(t *testing.T) {
	eachGoalStore(t, func(t *testing.T, s *store) {
		seed := rand.Uint64()
		t.Logf("seed %d", seed)
		r := rand.New(rand.NewPCG(seed, 0))
		h := makeHistory(r, 6000)
		r.Shuffle(len(h.events), func(i, j int) { h.events[i], h.events[j] = h.events[j], h.events[i] })
		servers := [2]*DB{s.DB, s.open(t)}
		var flushing sync.WaitGroup
		for i, events := range split(h.events, func(popup.Event) int { return r.IntN(2) }) {
			flushing.Go(func() {
				r := rand.New(rand.NewPCG(seed, uint64(i+1)))
				for stream := range 4 {
					id := streamID(byte(2*stream + i))
					if err := whileLocked(func() error { _, err := servers[i].Register(t.Context(), id, 1); return err }); err != nil {
						t.Error(err)
						return
					}
					part := events[stream*len(events)/4 : (stream+1)*len(events)/4]
					if err := flushAll(t, r, id, part, servers[i], servers[1-i]); err != nil {
						t.Error(err)
						return
					}
				}
			})
		}
		done := make(chan struct{})
		go func() { flushing.Wait(); close(done) }()
		reader := &exportReader{db: s.open(t)}
		for flushes := true; flushes; {
			select {
			case <-done:
				flushes = false
			default:
			}
			if err := reader.get(t.Context(), 1+r.IntN(500), r.IntN(4)); err != nil {
				t.Fatal(err)
			}
		}
		<-done
		s.exec(t, "DELETE FROM goal_pending") // as if their time were over
		for before := -1; before < len(reader.read); {
			before = len(reader.read)
			reader.mustGet(t, 1+r.IntN(3000))
		}
		reader.wantAll(t, s)
	})
}

// What is young, and what follows a goal that may still count, comes later.
func TestExportHoldsBack(t *testing.T) {
	eachGoalStore(t, func(t *testing.T, s *store) {
		now, err := s.storeNow(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		s.register(t, streamID(1))
		s.register(t, streamID(2))
		ahead := now + 24*hourMS // by a clock that is wrong
		s.mustFlush(t, batchOf(streamID(1), 0, shown("u", startMS), purchased("v", startMS+9, startMS), shown("w", startMS), shown("x", ahead)))
		reader := &exportReader{db: s.DB}
		want := func(what string, n int) {
			t.Helper()
			reader.mustGet(t, 100)
			if len(reader.read) != n {
				t.Errorf("%s: %d events, want %d: %q", what, len(reader.read), n, reader.read)
			}
		}
		want("behind a pending goal", 1)
		s.mustFlush(t, batchOf(streamID(2), 0, shown("v", startMS+5), shown("young", now), shown("old", startMS)))
		want("counted, and before a young one", 5)
		s.exec(t, "UPDATE event SET at_ms = at_ms - 60000, served_at_ms = served_at_ms - 60000 WHERE user_id = 'young'")
		want("not young any more", 7)
		reader.wantAll(t, s)
	})
}

// A busy stream does not keep a reader from the others, within a call or from one to the next.
func TestExportTakesTurns(t *testing.T) {
	eachStore(t, func(t *testing.T, s *store) {
		events := make([]popup.Event, 2*exportBatch)
		for i := range events {
			events[i] = shown(fmt.Sprint("busy ", i), startMS)
		}
		s.register(t, streamID(1))
		s.register(t, streamID(2))
		s.mustFlush(t, batchOf(streamID(1), 0, events...))
		s.mustFlush(t, batchOf(streamID(2), 0, shown("a", startMS), shown("b", startMS), shown("c", startMS)))
		other := func(r *exportReader) (n int) {
			for _, l := range r.read {
				if strings.HasPrefix(l, "2/") {
					n++
				}
			}
			return n
		}
		long, short := &exportReader{db: s.DB}, &exportReader{db: s.DB}
		if long.mustGet(t, exportBatch+1); other(long) != 1 {
			t.Errorf("%d events of the other stream in a call for %d, want 1", other(long), exportBatch+1)
		}
		short.mustGet(t, 2)
		if short.mustGet(t, 2); other(short) != 2 {
			t.Errorf("%d events of the other stream in the second call for 2, want 2", other(short))
		}
		for _, r := range []*exportReader{long, short} {
			r.mustGet(t, 10*exportBatch)
			r.wantAll(t, s)
		}
	})
}

// Streams that have long ended take no room in the cursor, and are read on if they go on.
func TestExportOfManyStreams(t *testing.T) {
	eachStore(t, func(t *testing.T, s *store) {
		const streams = 60
		reader := &exportReader{db: s.DB}
		for i := range byte(streams) {
			s.register(t, streamID(i))
			s.mustFlush(t, batchOf(streamID(i), 0, shown("u", startMS+int64(i)), shown("v", startMS+int64(i))))
			if i == 20 {
				continue // a server that runs all the time
			}
			s.pass(t, forgottenAfter)
			s.exec(t, "UPDATE ingest_stream SET updated_ms = updated_ms + ? WHERE stream_no = 21", forgottenAfter.Milliseconds())
			reader.mustGet(t, 10)
		}
		reader.wantAll(t, s)
		if len(reader.cursor) > 40 {
			t.Errorf("the cursor has %d bytes: %s", len(reader.cursor), reader.cursor)
		}
		old := reader.cursor
		s.mustFlush(t, batchOf(streamID(30), 2, shown("w", startMS), shown("x", startMS)))
		reader.mustGet(t, 1)
		s.mustFlush(t, batchOf(streamID(40), 2, shown("y", startMS)))
		reader.mustGet(t, 100)
		reader.wantAll(t, s)
		if err := s.CountedEvents(t.Context(), old, 100, func([]popup.CountedEvent, string) error { return nil }); !errors.Is(err, popup.ErrCursorLost) {
			t.Errorf("two streams went on since: %v, want %v", err, popup.ErrCursorLost)
		}
	})
}

// What the retention has deleted is gone, and a user who was erased has no id any more.
func TestExportOverRetentionAndErasure(t *testing.T) {
	eachStore(t, func(t *testing.T, s *store) {
		reader := &exportReader{db: s.DB}
		s.register(t, streamID(1))
		s.register(t, streamID(2))
		s.mustFlush(t, batchOf(streamID(1), 0, shown("u", startMS), shown("v", startMS), shown("w", startMS), shown("new", startMS+hourMS)))
		s.mustFlush(t, batchOf(streamID(2), 0, shown("u", startMS), shown("v", startMS)))
		reader.mustGet(t, 1)
		s.retain(t, startMS+1)
		if _, err := s.sweep(t.Context(), &oldRows{expiry: expiry{DB: s.DB}}, time.Now().Add(time.Minute)); err != nil {
			t.Fatal(err)
		}
		reader.mustGet(t, 100)
		s.mustFlush(t, batchOf(streamID(2), 2, shown("erased", startMS+hourMS), reset("erased", startMS+2*hourMS)))
		s.pass(t, erasureSettle)
		if _, err := s.erase(t.Context(), &walk{}, time.Now().Add(time.Minute)); err != nil {
			t.Fatal(err)
		}
		reader.mustGet(t, 100)
		want := []string{
			line(1, 1, "u", 1, "a", popup.Impression, startMS), line(1, 4, "new", 1, "a", popup.Impression, startMS+hourMS),
			line(2, 3, "", 1, "a", popup.Impression, startMS+hourMS), line(2, 4, "", 0, "", popup.Reset, 0),
		}
		if d := cmp.Diff(want, reader.read); d != "" {
			t.Errorf("events (-want +got):\n%s", d)
		}
	})
}

// From a reset on its user is not exported, even if the rows have yet to be emptied.
func TestExportAfterReset(t *testing.T) {
	eachStore(t, func(t *testing.T, s *store) {
		reader := &exportReader{db: s.DB}
		s.register(t, streamID(1))
		s.mustFlush(t, batchOf(streamID(1), 0, shown("gone", startMS), shown("other", startMS)))
		s.mustFlush(t, batchOf(streamID(1), 2, clicked("gone", startMS, startMS+1), reset("gone", startMS+2), shown("gone", startMS+3)))
		reader.mustGet(t, 100)
		want := []string{
			line(1, 1, "", 1, "a", popup.Impression, startMS), line(1, 2, "other", 1, "a", popup.Impression, startMS),
			line(1, 4, "", 0, "", popup.Reset, 0), line(1, 5, "gone", 1, "a", popup.Impression, startMS+3),
		}
		if d := cmp.Diff(want, reader.read); d != "" {
			t.Errorf("events (-want +got):\n%s", d)
		}
	})
}

func TestExportOfAnotherDatabase(t *testing.T) {
	eachStore(t, func(t *testing.T, s *store) {
		for text, want := range map[string]error{
			"nonsense": popup.ErrCursor,
			(&cursor{positions: []position{{1, 1}}}).encode():           popup.ErrCursorLost,
			(&cursor{runs: []run{{1, 3}}, total: 1}).encode():           popup.ErrCursorLost,
			(&cursor{runs: []run{{1, 3}}, first: 9, total: 0}).encode(): nil,
		} {
			err := s.CountedEvents(t.Context(), text, 1, func([]popup.CountedEvent, string) error { return nil })
			if !errors.Is(err, want) {
				t.Errorf("%s: %v, want %v", text, err, want)
			}
		}
	})
}
