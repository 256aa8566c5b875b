package persist

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/popupd/popupd/popup"
)

// A goal and an exposure change the row of user_popup that they lock, also when they say
// nothing new: of two transactions that change no row in common, nodes of a Galera
// cluster commit both.
func TestEveryUpsertChangesItsRow(t *testing.T) {
	eachGoalStore(t, func(t *testing.T, s *store) {
		s.register(t, streamID(1))
		row := func() string {
			t.Helper()
			var before, ever int
			if err := s.raw.QueryRow("SELECT ever_before, ever FROM user_popup WHERE user_id = 'u' AND popup_id = 1").Scan(&before, &ever); err != nil {
				t.Fatal(err)
			}
			return fmt.Sprint(before, " ", ever)
		}
		again := shown("u", startMS)
		again.Action = popup.View
		after, last := uint64(0), ""
		for _, e := range []popup.Event{
			shown("u", startMS), purchased("u", startMS-1, startMS-2), purchased("u", startMS-1, startMS-2), again, shown("u", startMS-5), shown("u", startMS-5),
		} {
			s.mustFlush(t, batchOf(streamID(1), after, e))
			if now := row(); now == last {
				t.Errorf("event %d, %s, leaves the row as it was: %s", after+1, e.Action, now)
			} else {
				last = now
			}
			after++
		}
	})
}

// A goal of one flusher and a click on its exposure of another lock their rows in one
// order, so that neither is a victim of a deadlock.
func TestGoalsLockInOneOrder(t *testing.T) {
	s := onMySQL(t)
	other := s.open(t)
	for i := range byte(3) {
		s.register(t, streamID(i))
	}
	s.mustFlush(t, batchOf(streamID(0), 0, shown("a", startMS), shown("z", startMS)))
	tx := s.blocker(t, "UPDATE user_popup SET ever = ever | 64 WHERE user_id = 'z'")
	goals := s.flushing(t.Context(), batchOf(streamID(1), 0, purchased("a", startMS+5, startMS), purchased("z", startMS+5, startMS)))
	s.blockedID(t, "INSERT INTO user_popup") // it has locked that of a
	clicks := make(chan error, 1)
	go func() {
		_, err := other.Flush(t.Context(), batchOf(streamID(2), 0, clicked("a", startMS, startMS+9)))
		clicks <- err
	}()
	eventually(t, "both wait", func() bool {
		var n int
		err := s.raw.QueryRow("SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE DB = DATABASE() AND INFO LIKE 'INSERT INTO user_popup%'").Scan(&n)
		return err == nil && n == 2
	})
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	for _, done := range []<-chan error{goals, clicks} {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	for _, db := range []*DB{s.DB, other} {
		if n := testutil.ToFloat64(db.metrics.errors[classDeadlock]); n != 0 {
			t.Errorf("%v deadlocks, want none", n)
		}
	}
	if n := s.number(t, "SELECT COUNT(*) FROM event WHERE action = 9 AND repeated = 0"); n != 2 {
		t.Errorf("%d goals count, want 2", n)
	}
}

// A goal whose exposure was committed and is among the impressions no longer waits for
// nothing; one whose exposure may yet be committed waits.
func TestGoalsOfImpressionsThatAreGone(t *testing.T) {
	type gone struct {
		latestMS, atMS int64
		pending        int64
		counts         map[string][2]uint64 // once there is another exposure
	}
	counts := map[string][2]uint64{"a +0": {1, 1}}
	eachGoalCase(t, map[string]gone{
		"the one that its server knew":     {startMS, startMS + 50, 0, map[string][2]uint64{}},
		"one by the tick":                  {startMS - 99, startMS + 50, 0, map[string][2]uint64{}},
		"another one, its server knew one": {startMS + 20, startMS + 50, 1, counts},
		"one that is later than the goal":  {startMS - 40, startMS - 1, 1, map[string][2]uint64{}},
		"its server did not say":           {0, startMS + 50, 1, counts},
	}, func(t *testing.T, s *store, _ string, c gone) {
		s.register(t, streamID(1))
		s.mustFlush(t, batchOf(streamID(1), 0, shown("u", startMS)))
		s.exec(t, "DELETE FROM impression")
		goal := purchased("u", c.atMS, startMS-1000)
		goal.ReadyAtMS = c.latestMS
		s.mustFlush(t, batchOf(streamID(1), 1, goal))
		if n := s.number(t, "SELECT COUNT(*) FROM goal_pending"); n != c.pending {
			t.Errorf("%d goals are pending, want %d", n, c.pending)
		}
		s.mustFlush(t, batchOf(streamID(1), 2, shown("u", startMS+20)))
		if d := cmp.Diff(c.counts, s.conversions(t)); d != "" {
			t.Errorf("conversions (-want +got):\n%s", d)
		}
	})
}

// A goal that waits is met by its exposure in the same transaction, which takes the two
// apart since the store refuses an event between them; no popup has a goal any more.
func TestGoalMeetsItsExposureBesidePoison(t *testing.T) {
	eachStore(t, func(t *testing.T, s *store) {
		s.register(t, streamID(1))
		poison := poisoned(1, 0)[0]
		s.mustFlush(t, batchOf(streamID(1), 0, purchased("u", startMS+5, startMS), poison, shown("u", startMS)))
		if d := cmp.Diff(map[string][2]uint64{"a +0": {1, 1}}, s.conversions(t)); d != "" {
			t.Errorf("conversions (-want +got):\n%s", d)
		}
	})
}
