package persist

import (
	"database/sql"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/popupd/popupd/popup"
)

// tablesBefore are the tables of the version before, with their columns and key.
var tablesBefore = map[string][2]string{
	"popups":          {"id, `key`, status, priority, start_at, end_at, max_impressions, spec, version, updated_at", "id"},
	"popup_revisions": {"popup_id, version, spec, actor, created_at", "popup_id, version"},
	"config_revision": {"id, revision", "id"},
	"audit":           {"id, at_ms, actor, action, object, from_version, to_version", "id"},
	"ingest_stream":   {"stream_no, stream_id, last_seq, removed, closed, host, updated_ms", "stream_no"},
	"event":           {"stream_no, seq, at_ms, user_id, popup_id, version, variant, action, served_at_ms, nth", "stream_no, seq"},
	"user_popup": {"user_id, popup_id, impressions, last_impression_ms, acted, last_action, last_action_ms, click_until_ms, next_at_ms",
		"user_id, popup_id"},
	"popup_stats": {"popup_id, hour, variant, impressions, users, clicks, dismisses, converts, controls", "popup_id, hour, variant"},
	"dead_frame":  {"stream_no, first_seq, last_seq, bytes, reason, at_ms", "stream_no, first_seq"},
	"erasure":     {"id, user_id, at_ms, queued_ms, done_ms", "id"},
}

// content returns what tables hold in the columns of the version before.
func (s *store) content(t *testing.T) map[string][][]string {
	t.Helper()
	content := map[string][][]string{}
	for table, c := range tablesBefore {
		rows, err := s.raw.Query("SELECT " + c[0] + " FROM " + table + " ORDER BY " + c[1])
		if err != nil {
			t.Fatal(err)
		}
		columns, err := rows.Columns()
		if err != nil {
			t.Fatal(err)
		}
		list, err := collect(rows, func(s scanner) ([]string, error) {
			values, into := make([]sql.NullString, len(columns)), make([]any, len(columns))
			for i := range values {
				into[i] = &values[i]
			}
			err := s.Scan(into...)
			row := make([]string, len(columns))
			for i, v := range values {
				row[i] = v.String
			}
			return row, err
		})
		if err != nil {
			t.Fatal(err)
		}
		if len(list) == 0 {
			t.Errorf("%s is empty: this test says nothing of it", table)
		}
		content[table] = list
	}
	return content
}

const dayMS = 24 * hourMS

// did returns what a user did at atMS on an impression of popup 1, with the wait that
// follows: of a click as the version before has it, in ClickUntilMS too.
func did(user string, action popup.Action, nth uint32, servedAtMS, atMS, waitMS int64) popup.Event {
	e := popup.Event{
		AtMS: atMS, ServedAtMS: servedAtMS, User: []byte(user), Popup: 1, Version: 1, Variant: []byte("a"),
		Action: action, Nth: nth, ReadyAtMS: atMS + waitMS,
	}
	if action == popup.Click || action == popup.Convert {
		e.ClickUntilMS = e.ReadyAtMS
	}
	return e
}

// createBefore stores a popup as the version before did.
func (s *store) createBefore(t *testing.T, id uint32, doc string) {
	t.Helper()
	spec, err := popup.Decode([]byte(doc))
	if err != nil {
		t.Fatal(err)
	}
	s.exec(t, "UPDATE config_revision SET revision = revision + 1 WHERE id = 1")
	s.exec(t, "INSERT INTO popups (id, `key`, status, priority, max_impressions, spec, version, updated_at) VALUES (?, ?, ?, 0, 0, ?, 1, ?)",
		id, spec.Key, spec.Status, doc, startMS)
	s.exec(t, "INSERT INTO popup_revisions (popup_id, version, spec, actor, created_at) VALUES (?, 1, ?, 'test', ?)", id, doc, startMS)
	s.exec(t, "INSERT INTO audit (at_ms, actor, action, object, from_version, to_version) VALUES (?, 'test', 'create', ?, 0, 1)", startMS, spec.Key)
}

// usedBefore makes what a store of the version before holds after some use: rows in
// every table. Stream 1 has the events of its server, stream 2 a gap.
func (s *store) usedBefore(t *testing.T) {
	t.Helper()
	s.createBefore(t, 1, `{"key":"sale","status":"active"}`)
	s.createBefore(t, 2, `{"key":"gone","status":"archived"}`)
	s.register(t, streamID(1))
	const long = startMS - 2*dayMS
	s.flushBefore(t, streamID(1),
		did("saw", popup.Impression, 1, startMS, startMS, dayMS),
		did("clicked", popup.Impression, 1, startMS, startMS, dayMS),
		did("clicked", popup.Click, 1, startMS, startMS+1000, 30*dayMS),
		did("dismissed", popup.Impression, 1, long, long, dayMS),
		did("dismissed", popup.Impression, 2, startMS, startMS, dayMS),
		did("dismissed", popup.Dismiss, 2, startMS, startMS+2000, 7*dayMS),
		did("clicked, saw", popup.Impression, 1, long, long, dayMS),
		did("clicked, saw", popup.Click, 1, long, long+1000, 30*dayMS),
		did("clicked, saw", popup.Impression, 2, startMS, startMS, dayMS),
		did("control", popup.Control, 1, startMS, startMS, dayMS),
		did("to be reset", popup.Impression, 1, startMS, startMS, dayMS),
	)
	if _, err := s.Register(t.Context(), streamID(2), 5); err != nil {
		t.Fatal(err)
	}
	s.exec(t, "INSERT INTO erasure (user_id, at_ms, queued_ms, done_ms) VALUES (?, ?, ?, ?)", s.dialect.user([]byte("erased")), startMS, startMS, startMS)
}

// statesOfBefore are what usedBefore leaves of users, as this version restores it.
func statesOfBefore() map[stateKey]popup.State {
	const long = startMS - 2*dayMS
	return map[stateKey]popup.State{
		{"saw", 1}: {
			Impressions: 1, ServedAtMS: startMS, ShownAtMS: startMS,
			Last: popup.Impression, AtMS: startMS, NextAtMS: startMS + dayMS,
		},
		{"clicked", 1}: {
			Impressions: 1, ServedAtMS: startMS, ShownAtMS: startMS, Acted: popup.Click.Bit(),
			Last: popup.Click, AtMS: startMS + 1000, ClickUntilMS: startMS + 1000 + 30*dayMS, NextAtMS: startMS + 1000 + 30*dayMS,
		},
		{"dismissed", 1}: {
			Impressions: 2, ServedAtMS: startMS, ShownAtMS: startMS, Acted: popup.Dismiss.Bit(),
			Last: popup.Dismiss, AtMS: startMS + 2000, NextAtMS: startMS + 2000 + 7*dayMS,
		},
		{"clicked, saw", 1}: {
			Impressions: 2, ServedAtMS: startMS, ShownAtMS: startMS,
			Last: popup.Impression, AtMS: startMS, ClickUntilMS: long + 1000 + 30*dayMS, NextAtMS: long + 1000 + 30*dayMS,
		},
		{"control", 1}: {
			Impressions: 1, ServedAtMS: startMS, Last: popup.Control, AtMS: startMS, NextAtMS: startMS + dayMS,
		},
		{"to be reset", 1}: {
			Impressions: 1, ServedAtMS: startMS, ShownAtMS: startMS,
			Last: popup.Impression, AtMS: startMS, NextAtMS: startMS + dayMS,
		},
	}
}

// TestUpgradeKeepsWhatIsThere migrates a store with rows in every table.
func TestUpgradeKeepsWhatIsThere(t *testing.T) {
	eachStoreBefore(t, func(t *testing.T, s *store) {
		s.usedBefore(t)
		before := s.content(t)
		if err := s.Migrate(t.Context()); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(before, s.content(t)); d != "" {
			t.Errorf("rows (-before +after):\n%s", d)
		}
		s.checkCounts(t)
		if d := cmp.Diff(statesOfBefore(), s.states(t, startMS)); d != "" {
			t.Errorf("states (-want +restored):\n%s", d)
		}
		var total popup.Counts
		list, err := s.Stats(t.Context(), 1, startMS-7*dayMS, startMS+dayMS)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range list {
			total.Impressions += c.Impressions
			total.Users += c.Users
			total.Clicks += c.Clicks
			total.Dismisses += c.Dismisses
			total.Controls += c.Controls
			total.ClickUsers += c.ClickUsers
		}
		if d := cmp.Diff(popup.Counts{Impressions: 7, Users: 5, Clicks: 2, Dismisses: 1, Controls: 1}, total); d != "" {
			t.Errorf("statistics (-want +got):\n%s", d)
		}
		if c, err := s.Rows(t.Context()); err != nil || len(c.Popups) != 2 || c.Popups[0].Key != "sale" || !c.Popups[1].Archived {
			t.Errorf("popups %+v, %v", c, err)
		}
	})
}

// TestUpgradeGoesOn flushes into a migrated store what happens next, also to
// impressions from before.
func TestUpgradeGoesOn(t *testing.T) {
	eachStoreBefore(t, func(t *testing.T, s *store) {
		s.usedBefore(t)
		if err := s.Migrate(t.Context()); err != nil {
			t.Fatal(err)
		}
		counts := func(what string, want map[string]int64) {
			t.Helper()
			got := map[string]int64{}
			for column := range want {
				got[column] = s.total(t, column)
			}
			if d := cmp.Diff(want, got); d != "" {
				t.Errorf("%s (-want +got):\n%s", what, d)
			}
			s.checkCounts(t)
		}
		const later = startMS + 60_000
		click := did("saw", popup.Click, 1, startMS, later, 30*dayMS)
		// What the old server's journal still had, then what new servers decide.
		s.mustFlush(t, batchOf(streamID(1), 11, click, did("old", popup.Impression, 1, later, later, dayMS)))
		counts("a click on an impression from before", map[string]int64{"impressions": 8, "users": 6, "clicks": 3, "click_users": 1})
		s.register(t, streamID(3))
		s.mustFlush(t, batchOf(streamID(3), 0,
			click,
			did("clicked", popup.Impression, 1, later, later, dayMS), // of a server that has forgotten the first
			did("dismissed", popup.Impression, 3, later, later, dayMS),
			did("new", popup.Impression, 1, later, later, dayMS),
			did("clicked, saw", popup.Dismiss, 2, startMS, later, dayMS),
			popup.Event{AtMS: later, User: []byte("to be reset"), Action: popup.Reset},
		))
		counts("the same click again, and impressions", map[string]int64{
			"impressions": 11, "users": 7, "clicks": 3, "click_users": 1, "dismisses": 2, "controls": 1, "control_users": 0,
		})
		want := statesOfBefore()
		delete(want, stateKey{"to be reset", 1})
		change := func(user string, f func(st *popup.State)) {
			st := want[stateKey{user, 1}]
			f(&st)
			want[stateKey{user, 1}] = st
		}
		shown := func(user string, nth uint32, next int64) {
			change(user, func(st *popup.State) {
				st.Impressions, st.ServedAtMS, st.ShownAtMS, st.Acted = nth, later, later, 0
				st.Last, st.AtMS, st.NextAtMS = popup.Impression, later, next
			})
		}
		shown("old", 1, later+dayMS)
		shown("new", 1, later+dayMS)
		shown("clicked", 1, startMS+1000+30*dayMS)  // its click holds
		shown("dismissed", 3, startMS+2000+7*dayMS) // and this one's dismiss
		change("dismissed", func(st *popup.State) { st.ClickUntilMS = st.NextAtMS })
		change("saw", func(st *popup.State) {
			st.Acted, st.Last, st.AtMS = popup.Click.Bit(), popup.Click, later
			st.ClickUntilMS, st.NextAtMS = click.ReadyAtMS, click.ReadyAtMS
		})
		change("clicked, saw", func(st *popup.State) { st.Acted, st.Last, st.AtMS = popup.Dismiss.Bit(), popup.Dismiss, later })
		if d := cmp.Diff(want, s.states(t, startMS)); d != "" {
			t.Errorf("states (-want +restored):\n%s", d)
		}
	})
}

// TestVersionsSideBySide has a flusher of the version before and one of this version
// commit streams of the same users to the new schema.
func TestVersionsSideBySide(t *testing.T) {
	eachStore(t, func(t *testing.T, s *store) {
		mustCreate(t, s, `{"key":"sale","status":"active"}`)
		old, now := streamID(1), streamID(2)
		s.register(t, old)
		s.register(t, now)
		const minute = int64(time.Minute / time.Millisecond)
		s.flushBefore(t, old, did("u", popup.Impression, 1, startMS, startMS, minute))
		s.mustFlush(t, batchOf(now, 0,
			did("u", popup.Click, 1, startMS, startMS+1000, 5*minute),
			did("v", popup.Impression, 1, startMS, startMS, minute),
			did("w", popup.Control, 1, startMS, startMS, minute),
		))
		s.flushBefore(t, old,
			did("v", popup.Dismiss, 1, startMS, startMS+1000, 9*minute),
			did("u", popup.Impression, 2, startMS+6*minute, startMS+6*minute, minute),
			did("x", popup.Click, 1, startMS, startMS+1000, minute), // of an impression that is not committed yet
			did("w", popup.Control, 2, startMS+2*minute, startMS+2*minute, minute),
		)
		s.mustFlush(t, batchOf(now, 3,
			did("v", popup.View, 1, startMS, startMS+2000, -startMS-2000),             // ReadyAtMS 0: it changes no wait
			did("u", popup.Impression, 1, startMS+8*minute, startMS+8*minute, minute), // of a server that has forgotten the others
			did("x", popup.Impression, 1, startMS, startMS, minute),
		))
		s.checkCounts(t)
		for column, want := range map[string]int64{
			"impressions": 5, "users": 3, "clicks": 2, "click_users": 1, "dismisses": 1, "controls": 2, "control_users": 1, "views": 1,
		} {
			if got := s.total(t, column); got != want {
				t.Errorf("%d %s, want %d", got, column, want)
			}
		}
		want := map[stateKey]popup.State{
			{"u", 1}: {
				Impressions: 2, ServedAtMS: startMS + 8*minute, ShownAtMS: startMS + 8*minute,
				Last: popup.Impression, AtMS: startMS + 8*minute, ClickUntilMS: startMS + 1000 + 5*minute, NextAtMS: startMS + 9*minute,
			},
			{"v", 1}: {
				Impressions: 1, ServedAtMS: startMS, ShownAtMS: startMS, Acted: popup.Dismiss.Bit() | popup.View.Bit(),
				Last: popup.View, AtMS: startMS + 2000, ClickUntilMS: startMS + 1000 + 9*minute, NextAtMS: startMS + 1000 + 9*minute,
			},
			{"x", 1}: {
				Impressions: 1, ServedAtMS: startMS, ShownAtMS: startMS, Acted: popup.Click.Bit(),
				Last: popup.Click, AtMS: startMS + 1000, ClickUntilMS: startMS + 1000 + minute, NextAtMS: startMS + 1000 + minute,
			},
			{"w", 1}: {
				Impressions: 2, ServedAtMS: startMS + 2*minute,
				Last: popup.Control, AtMS: startMS + 2*minute, NextAtMS: startMS + 3*minute,
			},
		}
		if d := cmp.Diff(want, s.states(t, startMS)); d != "" {
			t.Errorf("states (-want +restored):\n%s", d)
		}
	})
}

// TestRepeatsOverVersions: an action that a flusher of the version before has counted
// is not in impression, so a repeat to a server of this version counts once more, and
// the other way round. docs/operations.md says so.
func TestRepeatsOverVersions(t *testing.T) {
	eachStore(t, func(t *testing.T, s *store) {
		old, now := streamID(1), streamID(2)
		s.register(t, old)
		s.register(t, now)
		s.mustFlush(t, batchOf(now, 0, shown("u", startMS), shown("v", startMS), clicked("v", startMS, startMS+1)))
		s.flushBefore(t, old, clicked("u", startMS, startMS+1), clicked("v", startMS, startMS+1))
		s.mustFlush(t, batchOf(now, 3, clicked("u", startMS, startMS+1), clicked("v", startMS, startMS+1)))
		s.checkCounts(t)
		if got := s.total(t, "clicks"); got != 4 {
			t.Errorf("%d clicks, want 4: of each user one a version", got)
		}
		if got := s.total(t, "click_users"); got != 2 {
			t.Errorf("%d users clicked, want 2", got)
		}
	})
}
