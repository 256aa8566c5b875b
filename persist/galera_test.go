package persist

import (
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/popupd/popupd/internal/storetest"
	"github.com/popupd/popupd/popup"
)

// TestGalera flushes goals on one node of a Galera cluster and their exposures, which say
// nothing new of their users, on another at the same time. Neither waits for the other,
// and yet each goal counts.
func TestGalera(t *testing.T) {
	if os.Getenv("POPUPD_CLUSTER") == "" {
		t.Skip("starts a cluster: make galera")
	}
	const rounds, users = 20, 50
	nodes := storetest.StartGalera(t, 2)
	dsn := nodes[0].CreateDatabase(t, "popupd")
	s := newStore(t, "mysql", dsn, Config{DSN: dsn})
	other := newEmptyStore(t, "mysql", dsn, Config{DSN: nodes[1].DSN("popupd")}).DB
	goals, exposures := streamID(1), streamID(2)
	s.register(t, goals)
	s.register(t, exposures)
	for round := range rounds {
		var first, later, reported []popup.Event
		for u := range users {
			user := fmt.Sprintf("%d of round %d", u, round)
			first = append(first, shown(user, startMS+100), shown(user, startMS+101))
			later = append(later, shown(user, startMS))
			reported = append(reported, purchased(user, startMS+50, startMS))
		}
		s.mustFlush(t, batchOf(exposures, s.progress(t, exposures), first...))
		s.mustFlush(t, batchOf(exposures, s.progress(t, exposures), first...)) // so that ever_before is as ever
		flushed := make(chan error, 2)
		go func() { flushed <- flushUntilDone(t, other, goals, reported) }()
		go func() { flushed <- flushUntilDone(t, s.DB, exposures, later) }()
		for range 2 {
			if err := <-flushed; err != nil {
				t.Fatal(err)
			}
		}
	}
	if n := s.number(t, "SELECT COUNT(*) FROM event WHERE action = 9 AND repeated = 0"); n != rounds*users {
		t.Errorf("%d goals count, want %d", n, rounds*users)
	}
	if n := s.number(t, "SELECT COUNT(*) FROM goal_pending"); n != 0 {
		t.Errorf("%d goals are pending, want none", n)
	}
	conflicts := testutil.ToFloat64(s.metrics.errors[classDeadlock]) + testutil.ToFloat64(other.metrics.errors[classDeadlock])
	t.Logf("%v conflicts in %d rounds", conflicts, rounds)
	if conflicts == 0 {
		t.Error("the nodes never met")
	}
}

// flushUntilDone flushes as a server does: after an error it reads the progress.
func flushUntilDone(t *testing.T, db *DB, id popup.StreamID, events []popup.Event) (err error) {
	after, _, err := db.Progress(t.Context(), id)
	if err != nil {
		return err
	}
	b := batchOf(id, after, events...)
	for until := time.Now().Add(10 * time.Second); time.Now().Before(until); {
		if _, err = db.Flush(t.Context(), b); err == nil {
			return nil
		}
		if last, _, err := db.Progress(t.Context(), id); err == nil && last == b.Last {
			return nil
		}
	}
	return err
}
