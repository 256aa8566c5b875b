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

// live are the events of users, without those of which a reset says that nothing is known
// any more; those that are committed after it, and later all of them, have no user.
const live = `(SELECT e.* FROM event e LEFT JOIN (SELECT user_id, MAX(at_ms) at_ms FROM erasure GROUP BY user_id) x ON x.user_id = e.user_id
	WHERE e.user_id <> '' AND (x.at_ms IS NULL OR e.served_at_ms > x.at_ms))`

// columns are those of popup_stats that count events, and users, by action.
const (
	countedColumn = `CASE e.action WHEN 1 THEN s.impressions WHEN 2 THEN s.clicks WHEN 3 THEN s.dismisses WHEN 4 THEN s.converts
		WHEN 6 THEN s.controls WHEN 7 THEN s.views WHEN 8 THEN s.releases END`
	// kind is the action of an event, where a goal is a conversion.
	kind        = `CASE action WHEN 9 THEN 4 ELSE action END`
	usersColumn = `CASE e.action WHEN 1 THEN s.users WHEN 2 THEN s.click_users WHEN 4 THEN s.convert_users WHEN 6 THEN s.control_users END`
	sums        = `(SELECT popup_id, SUM(impressions) impressions, SUM(users) users, SUM(clicks) clicks, SUM(dismisses) dismisses, SUM(converts) converts,
		SUM(controls) controls, SUM(views) views, SUM(releases) releases, SUM(click_users) click_users, SUM(convert_users) convert_users,
		SUM(control_users) control_users FROM popup_stats GROUP BY popup_id)`
	// confirmed are the popups that count once the page says that they were seen. MySQL 5.6 reads no JSON.
	confirmed = `(SELECT id FROM popups WHERE spec REGEXP '"confirm_sec":[1-9]')`
	actedBit  = `CASE action WHEN 1 THEN IF(nth = 0, 64, 0) WHEN 2 THEN 1 WHEN 3 THEN 2 WHEN 4 THEN 4 WHEN 7 THEN 8 WHEN 8 THEN 16 WHEN 6 THEN 32 WHEN 9 THEN 128 ELSE 0 END`
)

var invariants = []invariant{
	{"per stream, what is committed is there", `
		SELECT CONCAT('stream ', s.stream_no, ': last_seq ', s.last_seq, ', removed ', s.removed, ', events ', COALESCE(e.n, 0), ', declared lost ', COALESCE(d.n, 0))
		FROM ingest_stream s
		LEFT JOIN (SELECT stream_no, COUNT(*) n FROM event GROUP BY stream_no) e ON e.stream_no = s.stream_no
		LEFT JOIN (SELECT stream_no, SUM(last_seq - first_seq + 1) n FROM dead_frame GROUP BY stream_no) d ON d.stream_no = s.stream_no
		WHERE COALESCE(e.n, 0) <> s.last_seq - s.removed - COALESCE(d.n, 0)`},
	{"per popup, statistics are the sum of events", `
		SELECT CONCAT('popup ', e.popup_id, ' action ', e.action, ': ', e.n, ' events, statistics say ', ` + countedColumn + `)
		FROM (SELECT popup_id, ` + kind + ` action, COUNT(*) n FROM event WHERE action <> 5 AND repeated = 0 GROUP BY popup_id, ` + kind + `) e
		JOIN ` + sums + ` s ON s.popup_id = e.popup_id
		WHERE e.n <> ` + countedColumn},
	{"every event has statistics", `
		SELECT CONCAT('popup ', popup_id) FROM event WHERE action <> 5 AND repeated = 0 AND popup_id NOT IN (SELECT popup_id FROM popup_stats) GROUP BY popup_id`},
	// A user who was reset is another one afterwards, and none if the reset was committed first.
	{"per popup, each user is counted once", `
		SELECT CONCAT('popup ', e.popup_id, ' action ', e.action, ': ', e.users, ' users and ', e.erased, ' events without one, statistics say ', ` + usersColumn + `)
		FROM (SELECT a.popup_id, a.action, COALESCE(l.users, 0) users, a.n - COALESCE(l.n, 0) erased
		      FROM (SELECT popup_id, ` + kind + ` action, COUNT(*) n FROM event WHERE action IN (1, 2, 4, 6, 9) AND repeated = 0 GROUP BY popup_id, ` + kind + `) a
		      LEFT JOIN (SELECT popup_id, ` + kind + ` action, COUNT(*) n, COUNT(DISTINCT user_id) users FROM ` + live + ` l
		                 WHERE action IN (1, 2, 4, 6, 9) AND repeated = 0 GROUP BY popup_id, ` + kind + `) l ON l.popup_id = a.popup_id AND l.action = a.action) e
		JOIN ` + sums + ` s ON s.popup_id = e.popup_id
		WHERE NOT ` + usersColumn + ` BETWEEN e.users AND e.users + e.erased`},
	{"an action counts once", `
		SELECT CONCAT(user_id, ' popup ', popup_id, ' served at ', served_at_ms, ' action ', action, ': ', SUM(repeated = 0), ' of ', COUNT(*), ' count')
		FROM ` + live + ` e WHERE action NOT IN (1, 6, 9) GROUP BY user_id, popup_id, served_at_ms, action HAVING SUM(repeated = 0) <> 1`},
	{"per impression, what was done is what the events say", `
		SELECT CONCAT(e.user_id, ' popup ', e.popup_id, ' served at ', e.served_at_ms, ': acted ', e.acted, ', the row says ', COALESCE(i.acted, 'none'))
		FROM (SELECT user_id, popup_id, served_at_ms, BIT_OR(` + actedBit + `) acted FROM ` + live + ` l WHERE NOT (action = 9 AND repeated = 1) GROUP BY user_id, popup_id, served_at_ms) e
		LEFT JOIN impression i ON i.user_id = e.user_id AND i.popup_id = e.popup_id AND i.served_at_ms = e.served_at_ms
		WHERE NOT i.acted <=> e.acted`},
	{"every impression has events", `
		SELECT CONCAT(i.user_id, ' popup ', i.popup_id, ' served at ', i.served_at_ms) FROM impression i
		LEFT JOIN (SELECT DISTINCT user_id, popup_id, served_at_ms FROM ` + live + ` l) e
		  ON e.user_id = i.user_id AND e.popup_id = i.popup_id AND e.served_at_ms = i.served_at_ms
		WHERE e.user_id IS NULL`},
	// The impression that follows on a release has the number of the one that was released.
	{stateInvariant, `
		SELECT CONCAT(u.user_id, ' popup ', u.popup_id, ': ', u.impressions, ' impressions, ', COALESCE(e.n, 0), ' events, ', COALESCE(e.released, 0), ' releases; last ',
		  u.last_impression_ms, ', ', COALESCE(e.last, 'none'))
		FROM user_popup u
		LEFT JOIN (SELECT user_id, popup_id, SUM(action = 1) n, SUM(action = 8 AND repeated = 0) released, MAX(CASE WHEN action IN (1, 6) THEN served_at_ms END) last
		           FROM ` + live + ` l GROUP BY user_id, popup_id) e
		  ON e.user_id = u.user_id AND e.popup_id = u.popup_id
		WHERE NOT (COALESCE(u.impressions BETWEEN IF(u.popup_id IN ` + confirmed + `, 0, e.n - e.released) AND e.n, 0) AND u.last_impression_ms <=> e.last)`},
	{"no user and popup without a state", `
		SELECT CONCAT(e.user_id, ' popup ', e.popup_id) FROM ` + live + ` e
		LEFT JOIN user_popup u ON u.user_id = e.user_id AND u.popup_id = e.popup_id
		WHERE u.user_id IS NULL GROUP BY e.user_id, e.popup_id`},
	{"nothing of before a reset is known", `
		SELECT CONCAT(k.user_id, ' popup ', k.popup_id, ' served at ', k.at_ms, ', reset at ', x.at_ms)
		FROM (SELECT user_id, popup_id, last_impression_ms at_ms FROM user_popup UNION ALL SELECT user_id, popup_id, served_at_ms FROM impression) k
		JOIN erasure x ON x.user_id = k.user_id WHERE k.at_ms <= x.at_ms`},
}

// stateInvariant does not hold where an impression was declared lost and a click on it
// was not, because the state knows of both; nor where a server counted an impression of
// a user whom it had not heard of yet.
const stateInvariant = "per user and popup, the state is what the events say"

// invariantRows returns the rows that violate an invariant. Most begin with a user.
func invariantRows(db *sql.DB, name string) ([]string, error) {
	i := slices.IndexFunc(invariants, func(r invariant) bool { return r.name == name })
	return queryStrings(db, invariants[i].query)
}

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
