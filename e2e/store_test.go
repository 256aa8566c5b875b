//go:build linux

package e2e

import (
	"database/sql"
	"fmt"
	"slices"
	"testing"

	_ "github.com/go-sql-driver/mysql"
)

func openDB(t testing.TB, dsn string) *sql.DB {
	t.Helper()
	db, err := sql.Open("mysql", dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

// invariant is a statement about the store at rest: its query returns the rows that violate it.
type invariant struct{ name, query string }

var invariants = []invariant{
	{"per stream, what is committed is there", `
		SELECT CONCAT('stream ', s.stream_no, ': last_seq ', s.last_seq, ', removed ', s.removed, ', events ', COALESCE(e.n, 0), ', declared lost ', COALESCE(d.n, 0))
		FROM ingest_stream s
		LEFT JOIN (SELECT stream_no, COUNT(*) n FROM event GROUP BY stream_no) e ON e.stream_no = s.stream_no
		LEFT JOIN (SELECT stream_no, SUM(last_seq - first_seq + 1) n FROM dead_frame GROUP BY stream_no) d ON d.stream_no = s.stream_no
		WHERE COALESCE(e.n, 0) <> s.last_seq - s.removed - COALESCE(d.n, 0)`},
	{"per popup, statistics are the sum of events", `
		SELECT CONCAT('popup ', e.popup_id, ' action ', e.action, ': ', e.n, ' events, statistics say ',
		  CASE e.action WHEN 1 THEN s.impressions WHEN 2 THEN s.clicks WHEN 3 THEN s.dismisses WHEN 4 THEN s.converts WHEN 7 THEN s.views WHEN 8 THEN s.releases ELSE s.controls END)
		FROM (SELECT popup_id, action, COUNT(*) n FROM event WHERE action <> 5 AND repeated = 0 GROUP BY popup_id, action) e
		JOIN (SELECT popup_id, SUM(impressions) impressions, SUM(users) users, SUM(clicks) clicks, SUM(dismisses) dismisses, SUM(converts) converts, SUM(controls) controls, SUM(views) views, SUM(releases) releases
		      FROM popup_stats GROUP BY popup_id) s ON s.popup_id = e.popup_id
		WHERE e.n <> CASE e.action WHEN 1 THEN s.impressions WHEN 2 THEN s.clicks WHEN 3 THEN s.dismisses WHEN 4 THEN s.converts WHEN 7 THEN s.views WHEN 8 THEN s.releases ELSE s.controls END`},
	{"every event has statistics", `
		SELECT CONCAT('popup ', popup_id) FROM event WHERE action <> 5 AND popup_id NOT IN (SELECT popup_id FROM popup_stats) GROUP BY popup_id`},
	{stateInvariant, `
		SELECT CONCAT(u.user_id, ' popup ', u.popup_id, ': ', u.impressions, ' impressions, ', COALESCE(e.n, 0), ' events; last ', u.last_impression_ms, ', ', COALESCE(e.last, 'none'))
		FROM user_popup u
		LEFT JOIN (SELECT user_id, popup_id, SUM(action IN (1, 6)) n, MAX(CASE WHEN action IN (1, 6) THEN served_at_ms END) last FROM event GROUP BY user_id, popup_id) e
		  ON e.user_id = u.user_id AND e.popup_id = u.popup_id
		WHERE NOT (u.impressions <=> e.n AND u.last_impression_ms <=> e.last)`},
	{"no user and popup without a state", `
		SELECT CONCAT(e.user_id, ' popup ', e.popup_id) FROM event e
		LEFT JOIN user_popup u ON u.user_id = e.user_id AND u.popup_id = e.popup_id
		WHERE e.action <> 5 AND u.user_id IS NULL GROUP BY e.user_id, e.popup_id`},
}

// stateInvariant does not hold where an impression was declared lost and a click on it
// was not: the state knows of both.
const stateInvariant = "per user and popup, the state is what the events say"

// checkInvariants returns the first invariant that does not hold, but for some, with the rows that violate it.
func checkInvariants(db *sql.DB, except ...string) error {
	for _, r := range invariants {
		if slices.Contains(except, r.name) {
			continue
		}
		rows, err := queryStrings(db, r.query)
		if err != nil {
			return err
		}
		if len(rows) > 0 {
			return fmt.Errorf("%s: not so in %d rows: %q", r.name, len(rows), rows[:min(len(rows), 5)])
		}
	}
	return nil
}

// queryStrings runs a query of one column.
func queryStrings(db *sql.DB, query string, args ...any) ([]string, error) {
	rows, err := db.Query(query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []string
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	return all, rows.Err()
}

// queryInt runs a query of one number.
func queryInt(db *sql.DB, query string, args ...any) (n int, err error) {
	err = db.QueryRow(query, args...).Scan(&n)
	return n, err
}
