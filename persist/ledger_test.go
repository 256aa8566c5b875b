package persist

import (
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/popupd/popupd/popup"
)

func TestRegister(t *testing.T) {
	eachStore(t, func(t *testing.T, s *store) {
		for _, c := range []struct {
			name        string
			id          byte
			first, want uint64
			gaps        int64 // events in all gap rows then
		}{
			{"a new stream", 1, 1, 0, 0},
			{"again", 1, 1, 0, 0},
			{"a stream of which the store has lost all", 2, 11, 10, 10},
			{"again", 2, 11, 10, 10},
			{"a stream of which the store has lost a part", 2, 21, 20, 20},
			{"a stream of which the journal has more than the store needs", 2, 5, 20, 20},
		} {
			last, err := s.Register(t.Context(), streamID(c.id), c.first)
			if err != nil || last != c.want {
				t.Errorf("%s: Register = %d, %v; want %d", c.name, last, err, c.want)
			}
			if n := s.number(t, "SELECT COALESCE(SUM(last_seq - first_seq + 1), 0) FROM dead_frame WHERE reason = 'gap'"); n != c.gaps {
				t.Errorf("%s: gaps of %d events, want %d", c.name, n, c.gaps)
			}
		}
		if n := testutil.ToFloat64(s.metrics.gaps); n != 20 {
			t.Errorf("%v lost events counted, want 20", n)
		}
		s.mustFlush(t, batchOf(streamID(2), 20, shown("u", startMS)))
	})
}

func TestRegisterAtOnce(t *testing.T) {
	eachStore(t, func(t *testing.T, s *store) {
		var servers sync.WaitGroup
		for _, db := range []*DB{s.DB, s.open(t), s.open(t), s.open(t)} {
			servers.Go(func() {
				for i := range byte(20) {
					if last, err := db.Register(t.Context(), streamID(i), 6); err != nil || last != 5 {
						t.Errorf("Register = %d, %v; want 5", last, err)
					}
				}
			})
		}
		servers.Wait()
		if n := s.number(t, "SELECT COUNT(*) FROM dead_frame"); n != 20 {
			t.Errorf("%d gap rows, want 20", n)
		}
	})
}

func TestProgress(t *testing.T) {
	eachStore(t, func(t *testing.T, s *store) {
		if last, known, err := s.Progress(t.Context(), streamID(1)); last != 0 || known || err != nil {
			t.Errorf("unknown stream: %d, %v, %v", last, known, err)
		}
		s.register(t, streamID(1))
		if last, known, err := s.Progress(t.Context(), streamID(1)); last != 0 || !known || err != nil {
			t.Errorf("new stream: %d, %v, %v", last, known, err)
		}
	})
}

func TestOrphans(t *testing.T) {
	eachStore(t, func(t *testing.T, s *store) {
		for i := range byte(4) {
			s.register(t, streamID(i))
		}
		s.pass(t, 30*time.Second)
		s.mustFlush(t, batchOf(streamID(1), 0, shown("u", startMS)))
		if err := s.CloseStream(t.Context(), streamID(2)); err != nil {
			t.Fatal(err)
		}
		want := func(ids ...popup.StreamID) {
			t.Helper()
			got, err := s.Orphans(t.Context(), 30*time.Second)
			if d := cmp.Diff(ids, got); err != nil || d != "" {
				t.Errorf("orphans (-want +got): %v\n%s", err, d)
			}
		}
		want(streamID(0), streamID(3))
		s.register(t, streamID(2)) // whoever ships into a stream opens it
		s.pass(t, 30*time.Second)
		want(streamID(0), streamID(1), streamID(2), streamID(3))
		s.pass(t, forgottenAfter)
		want()
	})
}

func TestRegisterErrorsAreNotSwallowed(t *testing.T) {
	s := onSQLite(t)
	s.exec(t, "ALTER TABLE ingest_stream RENAME TO elsewhere")
	if _, err := s.Register(t.Context(), streamID(1), 1); err == nil || errors.Is(err, ErrConflict) {
		t.Errorf("Register = %v", err)
	}
	s.exec(t, "ALTER TABLE elsewhere RENAME TO ingest_stream")
}
