package persist

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/popupd/popupd/popup"
)

// purchased returns a goal of popup 1 that counts for exposures from sinceMS on.
func purchased(user string, atMS, sinceMS int64) popup.Event {
	return popup.Event{AtMS: atMS, ServedAtMS: sinceMS, User: []byte(user), Popup: 1, Version: 1, Action: popup.Goal}
}

// eachGoalStore is eachStore, also for a store that has no RETURNING.
func eachGoalStore(t *testing.T, test func(t *testing.T, s *store)) {
	t.Helper()
	eachStore(t, test)
	t.Run("mariadb without RETURNING", func(t *testing.T) {
		s := onMySQL(t)
		s.withoutReturning()
		test(t, s)
	})
}

// eachGoalCase runs a test with each case, by name, on each of these stores.
func eachGoalCase[C any](t *testing.T, cases map[string]C, test func(t *testing.T, s *store, name string, c C)) {
	t.Helper()
	eachGoalStore(t, func(t *testing.T, s *store) {
		for name, c := range cases {
			t.Run(name, func(t *testing.T) {
				test(t, s, name, c)
				s.empty(t)
			})
		}
	})
}

// conversions returns the sums of popup_stats by variant and hour.
func (s *store) conversions(t testing.TB) map[string][2]uint64 {
	t.Helper()
	counts, err := s.Stats(t.Context(), 1, 0, popup.Never)
	if err != nil {
		t.Fatal(err)
	}
	sums := map[string][2]uint64{}
	for _, c := range counts {
		if c.Converts+c.ConvertUsers > 0 {
			sums[fmt.Sprintf("%s %+d", c.Variant, (c.HourMS-startMS/hourMS*hourMS)/hourMS)] = [2]uint64{c.Converts, c.ConvertUsers}
		}
	}
	return sums
}

// A goal counts once, whether it is committed before its exposure, with it or after it,
// in one stream or two, and whatever is sent again.
func TestGoalsInAnyOrder(t *testing.T) {
	const later = startMS + 2*hourMS
	control := shown("control", startMS)
	control.Action, control.Variant = popup.Control, []byte("c")
	type step []popup.Event // a batch; steps of even index are in one stream, others in another
	eachGoalCase(t, map[string][]step{
		"after it":                   {{shown("u", startMS)}, {purchased("u", later, startMS)}},
		"with it":                    {{shown("u", startMS), purchased("u", later, startMS)}},
		"with it, before it":         {{purchased("u", later, startMS), shown("u", startMS)}},
		"before it":                  {{purchased("u", later, startMS)}, {shown("u", startMS)}},
		"before it, in one stream":   {{purchased("u", later, startMS)}, nil, {shown("u", startMS)}},
		"before and after":           {{purchased("u", later, startMS)}, {shown("u", startMS)}, {purchased("u", later+1, startMS)}},
		"twice before":               {{purchased("u", later, startMS)}, {purchased("u", later, startMS)}, {shown("u", startMS)}},
		"twice in a batch":           {{purchased("u", later, startMS), shown("u", startMS), purchased("u", later, startMS)}},
		"of a control":               {{control}, {purchased("control", later, startMS)}},
		"of a control, before it":    {{purchased("control", later, startMS)}, {control}},
		"of what is only clicked":    {{purchased("u", later, startMS)}, {clicked("u", startMS, startMS+5)}},
		"of the first of two":        {{shown("u", startMS+10), shown("u", startMS)}, {purchased("u", later, startMS)}},
		"with one out of its window": {{shown("u", startMS)}, {purchased("u", later, startMS+1)}, {purchased("u", later, startMS)}},
	}, func(t *testing.T, s *store, name string, steps []step) {
		want := map[string][2]uint64{"a +2": {1, 1}}
		if name[:4] == "of a" {
			want = map[string][2]uint64{"c +2": {1, 1}}
		}
		s.register(t, streamID(0))
		s.register(t, streamID(1))
		goals := 0
		for i, events := range steps {
			if len(events) == 0 {
				continue
			}
			id := streamID(byte(i % 2))
			b := batchOf(id, s.progress(t, id), slices.Clone(events)...)
			s.mustFlush(t, b)
			if _, err := s.Flush(t.Context(), b); err == nil {
				t.Error("a batch is taken twice")
			}
			for _, e := range events {
				if e.Action == popup.Goal {
					goals++
				}
			}
		}
		if d := cmp.Diff(want, s.conversions(t)); d != "" {
			t.Errorf("conversions (-want +got):\n%s", d)
		}
		for what, q := range map[string][2]any{
			"goals that count":            {1, fmt.Sprintf("SELECT COUNT(*) FROM event WHERE action = 9 AND repeated = 0 AND at_ms = %d AND served_at_ms = %d AND variant <> ''", later, startMS)},
			"goals that do not":           {goals - 1, "SELECT COUNT(*) FROM event WHERE action = 9 AND repeated = 1 AND variant = '' AND served_at_ms = at_ms"},
			"exposures that are marked":   {1, fmt.Sprintf("SELECT COUNT(*) FROM impression WHERE acted >= 128 AND served_at_ms = %d", startMS)},
			"users who have converted":    {1, "SELECT COUNT(*) FROM user_popup WHERE ever & 8 <> 0"},
			"goals that wait for nothing": {0, "SELECT COUNT(*) FROM goal_pending"},
		} {
			if got := s.number(t, q[1].(string)); got != int64(q[0].(int)) {
				t.Errorf("%s: %d, want %v", what, got, q[0])
			}
		}
	})
}

// A goal and a conversion with the token are two conversions of one user, unless the
// conversion came first: then the goal is none.
func TestGoalsAndConversions(t *testing.T) {
	convert := clicked("u", startMS, startMS+9)
	convert.Action = popup.Convert
	type conversions struct {
		events []popup.Event
		want   [2]uint64
	}
	eachGoalCase(t, map[string]conversions{
		"a goal first":       {[]popup.Event{shown("u", startMS), purchased("u", startMS+5, startMS), convert}, [2]uint64{2, 1}},
		"a conversion first": {[]popup.Event{shown("u", startMS), convert, purchased("u", startMS+5, startMS)}, [2]uint64{1, 1}},
		"a pending goal":     {[]popup.Event{purchased("u", startMS+5, startMS), convert}, [2]uint64{1, 1}},
	}, func(t *testing.T, s *store, _ string, c conversions) {
		s.register(t, streamID(1))
		for i, e := range c.events {
			s.mustFlush(t, batchOf(streamID(1), uint64(i), e))
		}
		if d := cmp.Diff(map[string][2]uint64{"a +0": c.want}, s.conversions(t)); d != "" {
			t.Errorf("conversions (-want +got):\n%s", d)
		}
	})
}

// Of what was before a reset nothing counts, in whatever order it comes; of what was
// after it a goal counts once, also when the reset is carried out later.
func TestGoalsAndResets(t *testing.T) {
	const at = startMS + 100 // of the reset
	type resets struct {
		events []popup.Event
		want   map[string][2]uint64
	}
	eachGoalCase(t, map[string]resets{
		"an exposure before, a goal after":      {[]popup.Event{shown("u", startMS), reset("u", at), purchased("u", at+5, startMS)}, map[string][2]uint64{}},
		"a goal before that comes late":         {[]popup.Event{reset("u", at), shown("u", startMS), purchased("u", at-5, startMS)}, map[string][2]uint64{}},
		"a goal that waits, an exposure late":   {[]popup.Event{purchased("u", at-5, startMS), reset("u", at), shown("u", startMS)}, map[string][2]uint64{}},
		"a goal of before, an exposure of then": {[]popup.Event{purchased("u", at-5, startMS), shown("u", at+1), reset("u", at)}, map[string][2]uint64{}},
		"both after":                            {[]popup.Event{reset("u", at), purchased("u", at+5, startMS), shown("u", at+1)}, map[string][2]uint64{"a +0": {1, 1}}},
		"both after, the reset late, and again": {
			[]popup.Event{shown("u", at+1), purchased("u", at+5, startMS), reset("u", at), purchased("u", at+6, startMS)}, map[string][2]uint64{"a +0": {1, 1}},
		},
	}, func(t *testing.T, s *store, _ string, c resets) {
		s.register(t, streamID(1))
		for i, e := range c.events {
			s.mustFlush(t, batchOf(streamID(1), uint64(i), e))
		}
		if d := cmp.Diff(c.want, s.conversions(t)); d != "" {
			t.Errorf("conversions (-want +got):\n%s", d)
		}
		s.pass(t, 2*erasureSettle)
		if finished, err := s.erase(t.Context(), &walk{}, time.Now().Add(time.Minute)); !finished || err != nil {
			t.Fatalf("erase: %v, %v", finished, err)
		}
		for _, e := range c.events {
			if e.Action == popup.Goal && e.AtMS <= at {
				if n := s.number(t, "SELECT COUNT(*) FROM event WHERE action = 9 AND at_ms = ? AND user_id <> ''", e.AtMS); n != 0 {
					t.Errorf("%d goals of before the reset have their user", n)
				}
			}
		}
		n := uint64(len(c.events))
		s.mustFlush(t, batchOf(streamID(1), n, purchased("u", at+7, startMS)))
		want := map[string][2]uint64{}
		if slices.ContainsFunc(c.events, func(e popup.Event) bool { return e.Action == popup.Impression && e.AtMS > at }) {
			want["a +0"] = [2]uint64{1, 1}
		}
		if d := cmp.Diff(want, s.conversions(t)); d != "" {
			t.Errorf("conversions after the erasure and one more goal (-want +got):\n%s", d)
		}
	})
}

// Impressions are kept for as long as a goal may count for them; goals whose exposure
// does not come are not.
func TestExpiryOfGoals(t *testing.T) {
	eachStore(t, func(t *testing.T, s *store) {
		spec, err := popup.Decode([]byte(`{"key":"long","goal":{"event":"purchase","window_sec":2592000}}`))
		if err != nil {
			t.Fatal(err)
		}
		if p, err := s.Create(t.Context(), popup.Change{Actor: "test"}, spec); err != nil || p.ID != 1 {
			t.Fatal(p.ID, err)
		}
		nowMS, err := s.storeNow(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		day := (24 * time.Hour).Milliseconds()
		s.register(t, streamID(1))
		other := shown("other popup", nowMS-20*day)
		other.Popup = 2
		s.mustFlush(t, batchOf(streamID(1), 0,
			shown("kept", nowMS-30*day), shown("old", nowMS-32*day), other,
			purchased("waits", nowMS-6*day, 0), purchased("in vain", nowMS-8*day, 0)))
		x := expiry{DB: s.DB}
		if finished, err := x.run(t.Context(), time.Now().Add(time.Minute)); !finished || err != nil {
			t.Fatalf("run: %v, %v", finished, err)
		}
		for q, want := range map[string]int64{
			"SELECT COUNT(*) FROM impression":                           1,
			"SELECT COUNT(*) FROM impression WHERE user_id = 'kept'":    1,
			"SELECT COUNT(*) FROM goal_pending":                         1,
			"SELECT COUNT(*) FROM goal_pending WHERE user_id = 'waits'": 1,
		} {
			if got := s.number(t, q); got != want {
				t.Errorf("%s: %d, want %d", q, got, want)
			}
		}
	})
}

// A goal and its exposure are committed at the same time by two flushers, of which the
// second waits for the first one's row of user_popup: it sees what the first has written,
// though no goal was known of when it began.
func TestGoalMeetsItsExposure(t *testing.T) {
	const lock = "INSERT INTO user_popup (user_id, popup_id, ever, impressions, last_impression_ms, acted, last_action, last_action_ms, click_until_ms, next_at_ms)" +
		" VALUES ('u', 1, 128, 0, 0, 0, 0, 0, 0, 0)"
	for name, c := range map[string]struct {
		first  []string // what the first one has written
		second popup.Event
	}{
		"the exposure second": {[]string{
			"INSERT INTO event (stream_no, seq, at_ms, user_id, popup_id, version, variant, action, served_at_ms, nth, repeated)" +
				fmt.Sprintf(" VALUES (1, 1, %d, 'u', 1, 1, '', 9, %[1]d, 0, 1)", startMS+5),
			lock, fmt.Sprintf("INSERT INTO goal_pending VALUES ('u', 1, 1, 1, %d, %d)", startMS+5, startMS),
		}, shown("u", startMS)},
		"the goal second": {[]string{
			fmt.Sprintf("INSERT INTO impression (user_id, popup_id, served_at_ms, variant) VALUES ('u', 1, %d, 'a')", startMS), lock,
		}, purchased("u", startMS+5, startMS)},
	} {
		for _, returning := range []bool{true, false} {
			t.Run(fmt.Sprint(name, ", RETURNING ", returning), func(t *testing.T) {
				s := onMySQL(t)
				if !returning {
					s.withoutReturning()
				}
				s.register(t, streamID(1))
				s.register(t, streamID(2))
				tx := s.blocker(t, c.first...)
				flushed := s.flushing(t.Context(), batchOf(streamID(2), 0, c.second))
				s.blockedID(t, "INSERT INTO user_popup")
				if err := tx.Commit(); err != nil {
					t.Fatal(err)
				}
				if err := <-flushed; err != nil {
					t.Fatal(err)
				}
				if d := cmp.Diff(map[string][2]uint64{"a +0": {1, 1}}, s.conversions(t)); d != "" {
					t.Errorf("conversions (-want +got):\n%s", d)
				}
				if n := s.number(t, "SELECT COUNT(*) FROM goal_pending"); n != 0 {
					t.Errorf("%d goals are pending, want none", n)
				}
				s.exec(t, "DELETE FROM event") // that of the first one has no progress
				s.exec(t, "UPDATE ingest_stream SET last_seq = 0")
			})
		}
	}
}
