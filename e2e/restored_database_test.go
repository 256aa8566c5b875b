//go:build linux

package e2e

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/popupd/popupd/internal/storetest"
)

// backUp copies the data of a mariadbd, which starts again, and returns what puts
// the copy in the place of what it has by then.
func backUp(t testing.TB, mysql *storetest.MySQLServer) (restore func()) {
	t.Helper()
	copied := t.TempDir()
	mysql.Stop()
	if err := os.CopyFS(copied, os.DirFS(mysql.DataDir())); err != nil {
		t.Fatal(err)
	}
	mysql.Restart(t)
	return func() {
		t.Helper()
		mysql.Kill()
		if err := os.RemoveAll(mysql.DataDir()); err != nil {
			t.Fatal(err)
		}
		if err := os.CopyFS(mysql.DataDir(), os.DirFS(copied)); err != nil {
			t.Fatal(err)
		}
		mysql.Restart(t)
	}
}

// waitDrained waits until the server's journal holds nothing that is not committed.
func (s *server) waitDrained() {
	s.t.Helper()
	eventually(s.t, 30*time.Second, func() error {
		if n := s.mustMetric("popupd_queue_depth_events"); n > 0 {
			return fmt.Errorf("%v events wait to be committed", n)
		}
		return nil
	})
}

// TestDatabaseOfThePast puts the database back to an earlier state under a server
// that goes on. What was committed since is sent again, of the stream that is being
// written and of one that was sealed and committed, and given up.
func TestDatabaseOfThePast(t *testing.T) {
	t.Parallel()
	st := startStores(t)
	s := start(t, st.args()...)
	once.create(s)
	h := newHistory(once)
	more := func(name string, n float64) {
		t.Helper()
		before := s.mustMetric("popupd_journal_events_total")
		flood(s, h, name, 20*time.Second, func() bool { return s.mustMetric("popupd_journal_events_total") >= before+n })
		s.waitDrained()
	}
	more("first", 300)
	restore := backUp(t, st.mysql)
	more("then", 300)
	s.stop()
	s.restart()
	more("later", 300)
	eventually(t, 30*time.Second, func() error {
		if !strings.Contains(s.Log(), "the stream has ended and is committed") {
			return fmt.Errorf("the stream of the first start has not ended")
		}
		return nil
	})
	restore()
	more("last", 10)
	s.checkHistory(t, h, st.dsn)
}

// TestDatabaseOfALongPast: of what the journal no longer has, it is said loudly
// and in the database that it is lost, and nothing else is.
func TestDatabaseOfALongPast(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("waits for dumps, which come every 10 s")
	}
	st := startStores(t)
	s := start(t, append(st.args(), "-journal-max", "2MiB")...)
	once.create(s)
	h := newHistory(once)
	flood(s, h, "first", 20*time.Second, func() bool { return s.mustMetric("popupd_journal_events_total") > 300 })
	s.waitDrained()
	restore := backUp(t, st.mysql)
	// More than half of the quota is in use now and then, so nothing is kept for grace.
	flood(s, h, "then", 90*time.Second, func() bool { return s.mustMetric("popupd_journal_events_total") > 30_000 })
	s.waitDrained()
	restore()
	flood(s, h, "last", 20*time.Second, func() bool { return s.mustMetric("popupd_gap_events_total") > 0 })
	s.waitDrained()
	if log := s.Log(); !strings.Contains(log, "declared as lost") {
		t.Errorf("the log does not say what is lost")
	}
	db := openDB(t, st.dsn)
	declared, err := queryInt(db, "SELECT COALESCE(SUM(last_seq - first_seq + 1), 0) FROM dead_frame WHERE reason = 'gap'")
	if err != nil {
		t.Fatal(err)
	}
	if got := s.mustMetric("popupd_gap_events_total"); got != float64(declared) || declared == 0 {
		t.Errorf("%v events are said to be lost, %d in the database; want the same, and some", got, declared)
	}
	v, err := h.compare(db)
	if err != nil {
		t.Fatal(err)
	}
	if len(v.lost) != declared {
		t.Errorf("%d acknowledged events are lost, %d were declared", len(v.lost), declared)
	}
	if err := v.err(declared); err != nil {
		t.Error(err)
	}
	t.Logf("%d declared lost of %d", declared, v.acked)
	if err := checkInvariants(db, stateInvariant); err != nil {
		t.Error(err)
	}
	// Of the eight who came at once each may have been shown a popup at the end of
	// what is lost, and have clicked after it.
	for _, r := range invariants {
		if r.name != stateInvariant {
			continue
		}
		if rows, err := queryStrings(db, r.query); err != nil || len(rows) > 8 {
			t.Errorf("%s: not so in %d rows, %v; at most 8 can be", r.name, len(rows), err)
		}
	}
}
