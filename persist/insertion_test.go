package persist

import (
	"context"
	"database/sql/driver"
	"fmt"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"

	"github.com/popupd/popupd/popup"
)

// manyEvents is a batch of n impressions: of one user who sees the popup twice, and of others.
func manyEvents(id popup.StreamID, after uint64, n int) *popup.Batch {
	events := []popup.Event{shown("twice", startMS), shown("twice", startMS+1)}
	for i := range n - len(events) {
		events = append(events, shown(fmt.Sprintf("user %d", i), startMS))
	}
	return batchOf(id, after, events...)
}

// someRows of manyEvents are as many events and one state less: a chunk of both.
const someRows = chunkRows + 2

// prepared counts the statements that were prepared on the server so far.
func (s *store) prepared(t testing.TB) (n int64) {
	t.Helper()
	var name string
	if err := s.raw.QueryRow("SHOW GLOBAL STATUS LIKE 'Com_stmt_prepare'").Scan(&name, &n); err != nil {
		t.Fatal(err)
	}
	return n
}

// A batch of two chunks and a rest prepares once for each table and session.
func TestMostRowsArePrepared(t *testing.T) {
	s := onMySQL(t)
	id := streamID(1)
	s.register(t, id)
	before := s.prepared(t)
	const size = 2*chunkRows + 7
	for i := range uint64(3) {
		s.mustFlush(t, manyEvents(id, i*size, size))
		if n := s.prepared(t) - before; n != 3 {
			t.Errorf("%d statements prepared after %d batches, want 3", n, i+1)
		}
	}
	for query, want := range map[string]int64{
		"SELECT COUNT(*) FROM event":               3 * size,
		"SELECT COUNT(*) FROM impression":          size,
		"SELECT COUNT(*) FROM user_popup":          size - 1,
		"SELECT SUM(impressions) FROM popup_stats": 3 * size,
	} {
		if got := s.number(t, query); got != want {
			t.Errorf("%s = %d, want %d", query, got, want)
		}
	}
}

// The statements outlive a change of their tables, as an upgrade of another
// server makes.
func TestPreparedOutlivesAMigration(t *testing.T) {
	s := onMySQL(t)
	id := streamID(1)
	s.register(t, id)
	s.mustFlush(t, manyEvents(id, 0, someRows))
	s.exec(t, "ALTER TABLE event ADD COLUMN extra INT NOT NULL DEFAULT 7 FIRST")
	s.exec(t, "ALTER TABLE user_popup ADD COLUMN extra INT NOT NULL DEFAULT 7 FIRST")
	s.mustFlush(t, manyEvents(id, someRows, someRows))
	if n := s.number(t, "SELECT COUNT(*) FROM event WHERE extra = 7 AND nth = 1"); n != 2*someRows {
		t.Errorf("%d events, want %d", n, 2*someRows)
	}
}

// Where nothing can be prepared, all rows go as literals, and another try is made later.
func TestPreparedAreRefused(t *testing.T) {
	s := onMySQL(t)
	id := streamID(1)
	s.register(t, id)
	limit := s.number(t, "SELECT @@max_prepared_stmt_count")
	allow := func(n int64) { s.exec(t, fmt.Sprint("SET GLOBAL max_prepared_stmt_count = ", n)) }
	allow(0)
	defer allow(limit)
	s.mustFlush(t, manyEvents(id, 0, someRows))
	s.mustFlush(t, manyEvents(id, someRows, someRows))
	if n := s.number(t, "SELECT SUM(impressions) FROM popup_stats"); n != 2*someRows {
		t.Errorf("%d impressions, want %d", n, 2*someRows)
	}
	allow(limit)
	before := s.prepared(t)
	s.mustFlush(t, manyEvents(id, 2*someRows, someRows))
	if n := s.prepared(t) - before; n != 0 {
		t.Errorf("%d statements prepared although they were refused just now", n)
	}
	s.flusher.writer.literalUntil = time.Now()
	s.mustFlush(t, manyEvents(id, 3*someRows, someRows))
	if n := s.prepared(t) - before; n != 3 {
		t.Errorf("%d statements prepared when they are allowed again, want 3", n)
	}
}

// failingStmt is a prepared statement that the server does not accept.
type failingStmt struct{ err error }

func (f failingStmt) ExecContext(context.Context, []driver.NamedValue) (driver.Result, error) {
	return nil, f.err
}

func (f failingStmt) QueryContext(context.Context, []driver.NamedValue) (driver.Rows, error) {
	return nil, f.err
}

// A pooler that moves the session to another server loses its statements.
func TestPreparedAreLost(t *testing.T) {
	s := onMySQL(t)
	id := streamID(1)
	s.register(t, id)
	s.mustFlush(t, manyEvents(id, 0, someRows))
	s.flusher.writer.states.stmt = failingStmt{&mysql.MySQLError{Number: 1243, Message: "unknown prepared statement handler"}}
	s.mustFlush(t, manyEvents(id, someRows, someRows))
	if n := s.number(t, "SELECT SUM(impressions) FROM popup_stats"); n != 2*someRows {
		t.Errorf("%d impressions, want %d", n, 2*someRows)
	}
}

// Errors that say something else are not laid on the prepared statement.
func TestRefused(t *testing.T) {
	for number, want := range map[uint16]bool{
		1243: true, 1295: true, 1461: true, 1047: true, 1064: true, 1105: true,
		1142: false, 1205: false, 1213: false, 1406: false, 1290: false, 1927: false,
	} {
		err := refused(&mysql.MySQLError{Number: number})
		if _, got := err.(refusedError); got != want {
			t.Errorf("error %d: refused %v, want %v", number, got, want)
		}
	}
	if err := refused(nil); err != nil {
		t.Errorf("refused(nil) = %v", err)
	}
}
