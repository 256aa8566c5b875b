package persist

import (
	"fmt"
	"testing"

	"github.com/popupd/popupd/popup"
)

// contents reads the store into the model's form.
func (s *store) contents(t testing.TB) *model {
	t.Helper()
	m := newModel()
	each := func(query string, read func(scan func(...any)) func()) {
		rows, err := s.raw.Query(query)
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		for rows.Next() {
			read(func(dst ...any) {
				if err := rows.Scan(dst...); err != nil {
					t.Fatal(err)
				}
			})()
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
	}
	each("SELECT stream_id, last_seq FROM ingest_stream", func(scan func(...any)) func() {
		var id string
		var last uint64
		scan(&id, &last)
		return func() {
			parsed, err := popup.ParseStreamID(id)
			if err != nil {
				t.Fatal(err)
			}
			m.last[parsed] = last
		}
	})
	each("SELECT s.stream_id, seq, at_ms, user_id, popup_id, version, variant, action, served_at_ms, nth, repeated"+
		" FROM event e JOIN ingest_stream s ON s.stream_no = e.stream_no", func(scan func(...any)) func() {
		var id string
		var e popup.Event
		var repeated bool
		scan(&id, &e.Seq, &e.AtMS, &e.User, &e.Popup, &e.Version, &e.Variant, &e.Action, &e.ServedAtMS, &e.Nth, &repeated)
		return func() {
			m.events[fmt.Sprint(id, " ", e.Seq)] = fmt.Sprint(
				e.AtMS, string(e.User), e.Popup, e.Version, string(e.Variant), uint8(e.Action), e.ServedAtMS, e.Nth, repeated)
		}
	})
	each("SELECT user_id, popup_id, impressions, last_impression_ms, last_shown_ms, acted, last_action, last_action_ms, click_until_ms, next_at_ms, ever"+
		" FROM user_popup", func(scan func(...any)) func() {
		var k stateKey
		var st popup.State
		var ever uint8
		scan(&k.user, &k.popup, &st.Impressions, &st.ServedAtMS, &st.ShownAtMS, &st.Acted, &st.Last, &st.AtMS, &st.ClickUntilMS, &st.NextAtMS, &ever)
		return func() { m.states[k], m.ever[k] = st, ever }
	})
	each("SELECT user_id, popup_id, served_at_ms, version, variant, acted FROM impression", func(scan func(...any)) func() {
		var k impressionKey
		var i impressionFields
		scan(&k.user, &k.popup, &k.servedAtMS, &i.version, &i.variant, &i.acted)
		return func() { m.impressions[k] = i }
	})
	each("SELECT popup_id, variant, hour, impressions, controls, clicks, dismisses, converts, views, releases,"+
		" users, click_users, convert_users, control_users FROM popup_stats", func(scan func(...any)) func() {
		var id uint32
		var c popup.Counts
		scan(&id, &c.Variant, &c.HourMS, &c.Impressions, &c.Controls, &c.Clicks, &c.Dismisses, &c.Converts, &c.Views, &c.Releases,
			&c.Users, &c.ClickUsers, &c.ConvertUsers, &c.ControlUsers)
		return func() { m.stats[fmt.Sprint(id, c.HourMS, c.Variant)] = c }
	})
	each("SELECT g.user_id, g.popup_id, s.stream_id, g.seq, g.at_ms, g.since_ms FROM goal_pending g JOIN ingest_stream s ON s.stream_no = g.stream_no", func(scan func(...any)) func() {
		var g modelGoal
		var id string
		scan(&g.user, &g.popup, &id, &g.seq, &g.atMS, &g.since)
		return func() {
			var err error
			if g.stream, err = popup.ParseStreamID(id); err != nil {
				t.Fatal(err)
			}
			m.pending[g] = true
		}
	})
	each("SELECT user_id, MAX(at_ms) FROM erasure GROUP BY user_id", func(scan func(...any)) func() {
		var user string
		var at int64
		scan(&user, &at)
		return func() { m.erased[user] = at }
	})
	return m
}

func (s *store) empty(t testing.TB) {
	t.Helper()
	for _, table := range []string{"event", "user_popup", "popup_stats", "dead_frame", "ingest_stream", "erasure", "impression", "goal_pending",
		"experiment_user", "experiment_count", "experiment_decision"} {
		s.exec(t, "DELETE FROM "+table)
	}
	s.exec(t, "DELETE FROM experiment_progress WHERE stream_no > 0")
}
