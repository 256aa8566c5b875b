package persist

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/popupd/popupd/popup"
)

// sweepAll runs the walks to their end.
func (s *store) sweepAll(t testing.TB) {
	t.Helper()
	finished, err := s.sweep(t.Context(), s.oldRows(), time.Now().Add(time.Minute))
	if err != nil || !finished {
		t.Fatalf("sweep = %v, %v", finished, err)
	}
}

func (s *store) oldRows() *oldRows { return &oldRows{expiry: expiry{DB: s.DB}} }

func TestRetention(t *testing.T) {
	eachStore(t, func(t *testing.T, s *store) {
		const day = 24 * 3600 * 1000
		s.retain(t, startMS-day)
		for i := range byte(2) {
			s.register(t, streamID(i))
		}
		var old []popup.Event
		for i := range 2*retentionBatch + 10 {
			old = append(old, shown(fmt.Sprintf("u%d", i), startMS-2*day))
		}
		old[5].AtMS = startMS + day // a clock that was wrong for a moment
		s.mustFlush(t, batchOf(streamID(0), 0, old...))
		s.mustFlush(t, batchOf(streamID(1), 0, append(poisoned(3, 1), shown("young", startMS))...))
		s.exec(t, "UPDATE event SET at_ms = ? WHERE user_id IN ('u0', 'u2') AND stream_no = 2", startMS-2*day)
		s.sweepAll(t)
		for query, want := range map[string]int64{
			"SELECT COUNT(*) FROM event":                              2,
			"SELECT COUNT(*) FROM event WHERE user_id = 'young'":      1,
			"SELECT removed FROM ingest_stream WHERE stream_no = 1":   int64(len(old)) - 1,
			"SELECT removed FROM ingest_stream WHERE stream_no = 2":   2,
			"SELECT SUM(impressions) FROM popup_stats":                int64(len(old)) + 3,
			"SELECT COUNT(*) FROM dead_frame WHERE bytes IS NOT NULL": 1,
		} {
			if got := s.number(t, query); got != want {
				t.Errorf("%s = %d, want %d", query, got, want)
			}
		}
		if got, want := testutil.ToFloat64(s.metrics.removed[eventTable]), float64(len(old)+1); got != want {
			t.Errorf("popupd_retention_removed_total of events = %v, want %v", got, want)
		}
		s.checkIdentity(t)
		s.retain(t, startMS+2*day)
		s.pass(t, s.retention+time.Hour)
		s.sweepAll(t)
		if n := s.number(t, "SELECT COUNT(*) FROM event"); n != 0 {
			t.Errorf("%d events are left", n)
		}
		if n := s.number(t, "SELECT COUNT(*) FROM dead_frame WHERE bytes IS NOT NULL"); n != 0 {
			t.Errorf("%d dead frames kept their bytes", n)
		}
		s.mustFlush(t, batchOf(streamID(0), uint64(len(old)), shown("u", s.now())))
	})
}

func TestNoRetention(t *testing.T) {
	s := onSQLite(t)
	s.register(t, streamID(1))
	s.mustFlush(t, batchOf(streamID(1), 0, shown("u", 1)))
	s.sweepAll(t)
	if n := s.number(t, "SELECT COUNT(*) FROM event"); n != 1 {
		t.Errorf("%d events are left, want 1", n)
	}
}

func TestRetentionOfTwoServers(t *testing.T) {
	eachStore(t, func(t *testing.T, s *store) {
		s.retain(t, startMS)
		s.config.Retention = s.retention
		s.register(t, streamID(1))
		var old []popup.Event
		for i := range 6 * retentionBatch {
			old = append(old, shown(fmt.Sprintf("u%d", i), 1))
		}
		s.mustFlush(t, batchOf(streamID(1), 0, old...))
		done := make(chan error, 2)
		for _, db := range []*DB{s.DB, s.open(t)} {
			go func() {
				var err error
				for n := int64(1); n > 0 && err == nil; {
					if _, err = db.removeOld(t.Context(), time.Now().Add(time.Minute)); err == nil {
						err = db.read.QueryRow("SELECT COUNT(*) FROM event").Scan(&n)
					}
				}
				done <- err
			}()
		}
		for range 2 {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
		if n := s.number(t, "SELECT removed FROM ingest_stream"); n != int64(len(old)) {
			t.Errorf("removed %d, want %d", n, len(old))
		}
	})
}

func TestSweepGoesOnWhereItStopped(t *testing.T) {
	eachStore(t, func(t *testing.T, s *store) {
		s.retain(t, startMS-time.Hour.Milliseconds())
		s.register(t, streamID(1))
		var events []popup.Event
		for i := range 3 * retentionBatch {
			events = append(events, shown(fmt.Sprintf("u%d", i), startMS))
		}
		s.mustFlush(t, batchOf(streamID(1), 0, append(events, reset("u1", startMS))...))
		s.pass(t, erasureSettle)
		old := s.oldRows()
		rounds := 0
		for finished := false; !finished; rounds++ {
			var err error
			if finished, err = s.sweep(t.Context(), old, time.Now()); err != nil {
				t.Fatal(err)
			}
		}
		s.retain(t, startMS+1)
		for finished := false; !finished; rounds++ {
			var err error
			if finished, err = s.sweep(t.Context(), old, time.Now()); err != nil {
				t.Fatal(err)
			}
		}
		if n := s.number(t, "SELECT COUNT(*) FROM event"); n != 0 || rounds < 5 {
			t.Errorf("%d events are left after %d rounds", n, rounds)
		}
	})
}

func TestRun(t *testing.T) {
	eachStore(t, func(t *testing.T, s *store) {
		s.retain(t, startMS-time.Hour.Milliseconds())
		s.register(t, streamID(1))
		s.mustFlush(t, batchOf(streamID(1), 0, shown("u", 1), shown("u", startMS)))
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- s.Run(ctx) }()
		eventually(t, "the old event is gone", func() bool { return s.number(t, "SELECT COUNT(*) FROM event") == 1 })
		if up := testutil.ToFloat64(s.metrics.up); up != 1 {
			t.Errorf("mysql_up = %v", up)
		}
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run = %v", err)
		}
	})
}
