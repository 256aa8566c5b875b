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
func backUp(t testing.TB, mysql *storetest.Server) (restore func()) {
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

// settled waits until the server's journal holds nothing that is not counted.
func (s *server) settled() {
	s.t.Helper()
	eventually(s.t, 30*time.Second, func() error {
		if n := s.mustMetric("popupd_queue_depth_events"); n > 0 {
			return fmt.Errorf("%v events wait to be counted", n)
		}
		return nil
	})
}

// TestDatabaseOfThePast puts the database back to an earlier state under a server
// that goes on. What was counted since is sent again, of the stream that is being
// written and of one that was sealed and counted, and given up.
func TestDatabaseOfThePast(t *testing.T) {
	st := startStores(t)
	s := start(t, st.args()...)
	once.create(s)
	h := newHistory(once)
	more := func(name string, n float64) {
		t.Helper()
		before := s.mustMetric("popupd_journal_events_total")
		flood(s, h, name, 20*time.Second, func() bool { return s.mustMetric("popupd_journal_events_total") >= before+n })
		s.settled()
	}
	more("first", 300)
	restore := backUp(t, st.mysql)
	more("then", 300)
	s.stop()
	s.again()
	more("later", 300)
	eventually(t, 30*time.Second, func() error {
		if !strings.Contains(s.log(), "the stream has ended and is counted") {
			return fmt.Errorf("the stream of the first start has not ended")
		}
		return nil
	})
	restore()
	more("last", 10)
	s.holds(t, h, st.dsn)
}
