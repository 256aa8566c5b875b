package persist

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/popupd/popupd/internal/storetest"
	"github.com/popupd/popupd/popup"
)

// The version before: its schema, and what its flushers say to a store of any. While
// servers are replaced one by one, both versions work on the new schema.

// schemaBefore is the last migration of the version before.
const schemaBefore = 11

// eachStoreBefore runs a test on a MariaDB and a SQLite of the version before.
func eachStoreBefore(t *testing.T, test func(t *testing.T, s *store)) {
	migrateToIt := func(s *store) {
		t.Helper()
		pool, err := s.migratePool()
		if err != nil {
			t.Fatal(err)
		}
		p, err := s.provider(pool)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := p.UpTo(t.Context(), schemaBefore); err != nil {
			t.Fatal(err)
		}
		if pool != s.write {
			if err := pool.Close(); err != nil {
				t.Error(err)
			}
		}
	}
	t.Run("mariadb", func(t *testing.T) {
		dsn := storetest.MySQL(t)
		s := newEmptyStore(t, "mysql", dsn, Config{DSN: dsn})
		migrateToIt(s)
		test(t, s)
	})
	t.Run("sqlite", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "popupd.db")
		s := newEmptyStore(t, "sqlite", path, Config{SQLite: path})
		migrateToIt(s)
		test(t, s)
	})
}

// What a flusher of the version before assigns in its upserts.
const (
	statesBefore = "impressions = GREATEST(impressions, NEW(impressions))," +
		" acted = CASE WHEN NEW(last_impression_ms) > last_impression_ms THEN NEW(acted)" +
		" WHEN NEW(last_impression_ms) < last_impression_ms THEN acted ELSE acted | NEW(acted) END," +
		" last_impression_ms = GREATEST(last_impression_ms, NEW(last_impression_ms))," +
		" next_at_ms = GREATEST(click_until_ms, NEW(click_until_ms), CASE" +
		" WHEN NEW(last_action_ms) > last_action_ms THEN NEW(next_at_ms)" +
		" WHEN NEW(last_action_ms) < last_action_ms THEN next_at_ms" +
		" WHEN NEW(last_action) > last_action THEN NEW(next_at_ms)" +
		" WHEN NEW(last_action) < last_action THEN next_at_ms" +
		" ELSE GREATEST(next_at_ms, NEW(next_at_ms)) END)," +
		" click_until_ms = GREATEST(click_until_ms, NEW(click_until_ms))," +
		" last_action = CASE WHEN NEW(last_action_ms) > last_action_ms THEN NEW(last_action)" +
		" WHEN NEW(last_action_ms) < last_action_ms THEN last_action ELSE GREATEST(last_action, NEW(last_action)) END," +
		" last_action_ms = GREATEST(last_action_ms, NEW(last_action_ms))"
	statsBefore = "impressions = impressions + NEW(impressions), users = users + NEW(users), clicks = clicks + NEW(clicks)," +
		" dismisses = dismisses + NEW(dismisses), converts = converts + NEW(converts), controls = controls + NEW(controls)"
)

// flushBefore commits events as a flusher of the version before does, which knows
// neither the columns of today nor the table impression.
func (s *store) flushBefore(t *testing.T, id popup.StreamID, events ...popup.Event) {
	t.Helper()
	d := s.dialect
	after := s.progress(t, id)
	s.exec(t, "UPDATE ingest_stream SET last_seq = ?, closed = 0, host = 'before', updated_ms = "+d.now+" WHERE stream_id = ? AND last_seq = ?",
		after+uint64(len(events)), id.String(), after)
	no := s.number(t, "SELECT stream_no FROM ingest_stream WHERE stream_id = ?", id.String())
	for i, e := range events {
		user, variant := d.user(e.User), string(e.Variant)
		s.exec(t, "INSERT INTO event (stream_no, seq, at_ms, user_id, popup_id, version, variant, action, served_at_ms, nth)"+
			" VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
			no, after+uint64(i)+1, e.AtMS, user, e.Popup, e.Version, variant, uint8(e.Action), e.ServedAtMS, e.Nth)
		s.exec(t, "INSERT INTO user_popup (user_id, popup_id, impressions, last_impression_ms, acted, last_action,"+
			" last_action_ms, click_until_ms, next_at_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"+
			d.upsert("user_id, popup_id")+d.expand(statesBefore),
			user, e.Popup, e.Nth, e.ServedAtMS, e.Action.Bit(), uint8(e.Action), e.AtMS, e.ClickUntilMS, max(e.ReadyAtMS, e.ClickUntilMS))
		counts := map[popup.Action]int{e.Action: 1}
		users := 0
		if e.Action == popup.Impression && e.Nth == 1 {
			users = 1
		}
		s.exec(t, "INSERT INTO popup_stats (popup_id, hour, variant, impressions, users, clicks, dismisses, converts, controls)"+
			" VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"+d.upsert("popup_id, hour, variant")+d.expand(statsBefore),
			e.Popup, e.AtMS-e.AtMS%hourMS, variant, counts[popup.Impression], users,
			counts[popup.Click], counts[popup.Dismiss], counts[popup.Convert], counts[popup.Control])
	}
}

// checkCounts fails the test unless the statistics add up to the events that count.
func (s *store) checkCounts(t *testing.T) {
	t.Helper()
	for action, column := range map[popup.Action]string{
		popup.Impression: "impressions", popup.Click: "clicks", popup.Dismiss: "dismisses", popup.Convert: "converts",
		popup.Control: "controls", popup.View: "views", popup.Release: "releases",
	} {
		events := s.number(t, "SELECT COUNT(*) FROM event WHERE repeated = 0 AND action = ?", uint8(action))
		if got := s.total(t, column); got != events {
			t.Errorf("%d %s in the statistics, %d such events count", got, column, events)
		}
	}
}

// total sums a column of the statistics.
func (s *store) total(t *testing.T, column string) int64 {
	t.Helper()
	return s.number(t, fmt.Sprintf("SELECT COALESCE(SUM(%s), 0) FROM popup_stats", column))
}
