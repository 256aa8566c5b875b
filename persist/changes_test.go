package persist

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/popupd/popupd/popup"
)

// reader is a server that restores, and remembers what it has found.
type reader struct {
	known *Known
	limit uint64 // of changes
}

// read restores and returns what was found and whose states came.
func (r *reader) read(t testing.TB, s *store) (Found, []string) {
	t.Helper()
	if r.limit > 0 {
		s.changesAtLeast = r.limit
	}
	users := map[string]bool{}
	f, err := s.Restore(t.Context(), startMS, 0, r.known, false, func(user []byte, _ uint32, _ popup.State) { users[string(user)] = true })
	if err != nil {
		t.Fatal(err)
	}
	seqs := maps.Clone(f.Committed)
	r.known = &Known{Seqs: seqs, Committed: f.Committed, QuietMS: f.QuietMS}
	return f, slices.Sorted(maps.Keys(users))
}

func (r *reader) wantRead(t testing.TB, s *store, full string, users ...string) {
	t.Helper()
	f, got := r.read(t, s)
	if f.Full != full || !slices.Equal(got, users) {
		t.Errorf("read %q, users %q; want %q, %q", f.Full, got, full, users)
	}
}

// TestRestoreChanges: only what has changed is read, whichever stream it came by.
func TestRestoreChanges(t *testing.T) {
	eachStore(t, func(t *testing.T, s *store) {
		a, b := streamID(1), streamID(2)
		var r reader
		s.register(t, a)
		s.mustFlush(t, batchOf(a, 0, shown("a1", startMS), shown("a2", startMS)))
		r.wantRead(t, s, fullUnknown, "a1", "a2")
		r.wantRead(t, s, "")

		s.register(t, b) // new since
		s.mustFlush(t, batchOf(b, 0, shown("b1", startMS), shown("a1", startMS+1)))
		r.wantRead(t, s, "", "a1", "b1")
		s.mustFlush(t, batchOf(a, 2, clicked("a2", startMS, startMS+1), shown("old", startMS-30*24*time.Hour.Milliseconds())))
		r.wantRead(t, s, "", "a2") // what matters no more is left out

		// What was heard meanwhile is not read.
		s.mustFlush(t, batchOf(b, 2, shown("b3", startMS), shown("b4", startMS)))
		r.known.Seqs[b] = 3
		r.wantRead(t, s, "", "b4")
		r.known.Seqs[b] = 9 // and not committed yet
		r.wantRead(t, s, "")

		// A user who was reset has no name in the events, and no state of before.
		s.mustFlush(t, batchOf(b, 4, shown("gone", startMS), reset("gone", startMS+1), clicked("gone", startMS, startMS+2), shown("gone", startMS+3)))
		s.exec(t, "UPDATE event SET user_id = '' WHERE user_id = ? AND served_at_ms <= ?", "gone", startMS+1)
		r.wantRead(t, s, "", "gone")

		// A hole that was declared lost is known.
		s.mustFlush(t, &popup.Batch{Stream: b, After: 8, Last: 12, Gaps: []popup.Gap{{First: 9, Last: 12}}})
		r.known.Seqs[b] = 10
		s.mustFlush(t, batchOf(b, 12, shown("b13", startMS)))
		r.wantRead(t, s, "", "b13")
	})
}

// TestRestoreAll: where changes are not enough, or not worth it, all is read.
func TestRestoreAll(t *testing.T) {
	all := []string{"a1", "a2", "a3", "b1", "b2"}
	for _, c := range []struct {
		name   string
		change func(t *testing.T, s *store, r *reader)
		full   string
		users  []string
	}{
		{"nothing has changed", func(*testing.T, *store, *reader) {}, "", nil},
		{"nothing is known", func(_ *testing.T, _ *store, r *reader) { r.known = nil }, fullUnknown, all},
		{"the store is of the past", func(t *testing.T, s *store, _ *reader) {
			s.exec(t, "DELETE FROM event WHERE user_id = ?", "b2")
			s.exec(t, "UPDATE ingest_stream SET last_seq = 1 WHERE last_seq = 2")
		}, fullRestored, all},
		{"a stream is not known to the store", func(t *testing.T, _ *store, r *reader) { r.known.Committed[streamID(9)] = 1 }, fullRestored, all},
		{"another store", func(t *testing.T, _ *store, r *reader) {
			r.known.Committed, r.known.Seqs = nil, map[popup.StreamID]uint64{streamID(9): 1}
		}, fullRestored, all},
		{"events that are known were removed", func(t *testing.T, s *store, r *reader) {
			s.exec(t, "DELETE FROM event WHERE seq = 1")
			s.exec(t, "UPDATE ingest_stream SET removed = 1")
			r.known.Seqs[streamID(1)] = 1
		}, "", []string{"a2", "a3"}},
		{"others were, too", func(t *testing.T, s *store, r *reader) {
			s.exec(t, "DELETE FROM event WHERE seq = 1")
			s.exec(t, "UPDATE ingest_stream SET removed = 1")
			r.known.Seqs[streamID(1)] = 0
		}, fullRemoved, all},
		{"one in between was", func(t *testing.T, s *store, r *reader) {
			s.exec(t, "DELETE FROM event WHERE seq = 2")
			s.exec(t, "UPDATE ingest_stream SET removed = 1")
			r.known.Seqs[streamID(1)] = 1
		}, fullRemoved, all},
		{"as much as is worth it", func(_ *testing.T, _ *store, r *reader) { r.limit, r.known.Seqs[streamID(1)] = 2, 1 }, "", []string{"a2", "a3"}},
		{"more than that", func(_ *testing.T, _ *store, r *reader) { r.limit, r.known.Seqs[streamID(1)] = 1, 1 }, fullMany, all},
	} {
		t.Run(c.name, func(t *testing.T) {
			eachStore(t, func(t *testing.T, s *store) {
				var r reader
				s.register(t, streamID(1))
				s.register(t, streamID(2))
				s.mustFlush(t, batchOf(streamID(1), 0, shown("a1", startMS), shown("a2", startMS), shown("a3", startMS)))
				s.mustFlush(t, batchOf(streamID(2), 0, shown("b1", startMS), shown("b2", startMS)))
				r.read(t, s)
				c.change(t, s, &r)
				r.wantRead(t, s, c.full, c.users...)
			})
		})
	}
}

// TestRestoreForgetsStreams that are over, and reads one that moves all the same.
func TestRestoreForgetsStreams(t *testing.T) {
	eachStore(t, func(t *testing.T, s *store) {
		now, closed, open, lost := streamID(1), streamID(2), streamID(3), streamID(4)
		var r reader
		for _, id := range []popup.StreamID{closed, open, lost, now} {
			s.register(t, id)
			s.mustFlush(t, batchOf(id, 0, shown(fmt.Sprint("u", id[15]), startMS)))
		}
		if err := s.CloseStream(t.Context(), closed); err != nil {
			t.Fatal(err)
		}
		age := func(id popup.StreamID, d time.Duration) {
			s.exec(t, "UPDATE ingest_stream SET updated_ms = updated_ms - ? WHERE stream_id = ?", d.Milliseconds(), id.String())
		}
		age(closed, forgottenAfter+time.Minute)
		age(open, forgottenAfter+time.Minute)
		age(lost, quietOpen+time.Minute)
		f, _ := r.read(t, s)
		if d := cmp.Diff(map[popup.StreamID]uint64{now: 1, open: 1}, f.Committed); d != "" {
			t.Errorf("streams to remember (-want +got):\n%s", d)
		}
		r.wantRead(t, s, "")
		s.mustFlush(t, batchOf(closed, 1, shown("late", startMS)))
		r.wantRead(t, s, "", "late", "u2")
	})
}

// TestChangesAreLookedUp: the plan walks through the events of the range, and looks up
// each state by its primary key, however the tables look.
func TestChangesAreLookedUp(t *testing.T) {
	s := onMySQL(t)
	id := streamID(1)
	s.register(t, id)
	for i := range uint64(10) {
		var events []popup.Event
		for j := range 2000 {
			events = append(events, shown(fmt.Sprintf("u%d", (i*2000+uint64(j))%500), startMS)) // few states, many events
		}
		s.mustFlush(t, batchOf(id, i*2000, events...))
	}
	s.exec(t, "ANALYZE TABLE event, user_popup")
	for _, after := range []int64{0, 10_000, 19_999} {
		where := "(u.next_at_ms > 1 OR u.last_impression_ms > 1)"
		rows, err := s.raw.Query("EXPLAIN "+s.dialect.changedStates(where), 1, after, 20_000)
		if err != nil {
			t.Fatal(err)
		}
		type step struct{ Table, Type, Key string }
		got, err := collect(rows, func(r scanner) (p step, err error) {
			var skip any
			err = r.Scan(&skip, &skip, &p.Table, &p.Type, &skip, &p.Key, &skip, &skip, &skip, &skip)
			return p, err
		})
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff([]step{{"e", "range", "PRIMARY"}, {"u", "eq_ref", "PRIMARY"}}, got); d != "" {
			t.Errorf("after %d (-want +got):\n%s", after, d)
		}
	}
}
