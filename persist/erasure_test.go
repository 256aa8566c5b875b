package persist

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/popupd/popupd/popup"
)

func TestResetDropsOlderState(t *testing.T) {
	eachStore(t, func(t *testing.T, s *store) {
		id := streamID(1)
		s.register(t, id)
		other, after, same := shown("u", startMS+20), shown("u", startMS+30), shown("U", startMS)
		other.Popup = 2
		s.mustFlush(t, batchOf(id, 0, shown("u", startMS), other, same))
		s.mustFlush(t, batchOf(id, 3, clicked("u", startMS, startMS+5), reset("u", startMS+10), after))
		want := map[stateKey]popup.State{
			{"u", 1}: after.State(),
			{"u", 2}: other.State(),
			{"U", 1}: same.State(),
		}
		if d := cmp.Diff(want, s.states(t, startMS), cmp.AllowUnexported(stateKey{})); d != "" {
			t.Errorf("states (-want +got):\n%s", d)
		}
		if n := s.number(t, "SELECT COUNT(*) FROM event WHERE action = 5 AND user_id = '' AND popup_id = 0"); n != 1 {
			t.Errorf("%d reset events without a user, want 1", n)
		}
	})
}

// A server that had not heard of a reset may have shown a popup after it: of its state
// nothing of before is left, in whatever order, and batches, it comes.
func TestResetOfWhatIsShownAgain(t *testing.T) {
	before := []popup.Event{shown("u", startMS), clicked("u", startMS, startMS+5)}
	again := shown("u", startMS+30)
	again.Nth = 2
	late := clicked("u", startMS, startMS+40) // on another server, for long
	late.ReadyAtMS, late.ClickUntilMS = popup.Never, popup.Never
	due := reset("u", startMS+10)
	for name, batches := range map[string][][]popup.Event{
		"in order":              {before, {due}, {again}},
		"in a batch":            {append(before[:2:2], due, again)},
		"the reset last":        {before, {again}, {due}},
		"after a late click":    {before, {again, late}, {due}},
		"before a late click":   {before, {again}, {due, late}},
		"with it, in one batch": {before, {again}, {late, due}},
	} {
		t.Run(name, func(t *testing.T) {
			eachStore(t, func(t *testing.T, s *store) {
				s.register(t, streamID(1))
				n := uint64(0)
				for _, events := range batches {
					s.mustFlush(t, batchOf(streamID(1), n, events...))
					n += uint64(len(events))
				}
				want := again.State()
				want.Impressions = 1
				for range 2 { // the second time after the walk
					got := s.states(t, startMS)[stateKey{"u", 1}]
					if name == "after a late click" { // the longer wait of the two was that of before
						want.NextAtMS, want.Last, want.AtMS = 0, popup.Click, late.AtMS
					}
					if d := cmp.Diff(want, got); d != "" {
						t.Errorf("state (-want +got):\n%s", d)
					}
					if ever := s.number(t, "SELECT ever FROM user_popup"); ever != everKept|everSaw {
						t.Errorf("ever %d, want that the user saw it", ever)
					}
					s.pass(t, erasureSettle)
					s.sweepAll(t)
				}
			})
		})
	}
}

// What a user sees long after a reset, and in the right order, writes no row more than
// what other users see.
func TestResetUserIsNotRebuilt(t *testing.T) {
	s := onMySQL(t)
	id := streamID(1)
	s.register(t, id)
	events := []popup.Event{reset("u", startMS), shown("u", startMS+10), shown("u", startMS+20), clicked("u", startMS+20, startMS+25), shown("u", startMS+30)}
	updates := func() (n int64) {
		t.Helper()
		var name string
		if err := s.raw.QueryRow("SHOW GLOBAL STATUS LIKE 'Com_update'").Scan(&name, &n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	nth := uint32(0)
	for i, e := range events {
		if e.Action == popup.Impression {
			nth++
			e.Nth = nth
		}
		before := updates()
		s.mustFlush(t, batchOf(id, uint64(i), e))
		if n := updates() - before; i > 0 && n != 1 {
			t.Errorf("event %d: %d updates, want that of the progress alone", i+1, n)
		}
	}
	if n := s.number(t, "SELECT impressions FROM user_popup"); n != 3 {
		t.Errorf("%d impressions, want 3", n)
	}
}

// A flush that did not know of a reset is mended by the walk.
func TestWalkRebuildsStates(t *testing.T) {
	eachStore(t, func(t *testing.T, s *store) {
		s.register(t, streamID(1))
		again := shown("u", startMS+30)
		s.mustFlush(t, batchOf(streamID(1), 0, reset("u", startMS+10), again))
		s.exec(t, "UPDATE user_popup SET impressions = 4, ever = 255, last_shown_ms = ?, click_until_ms = ?", startMS, startMS+20)
		s.pass(t, erasureSettle)
		s.sweepAll(t)
		if d := cmp.Diff(again.State(), s.states(t, startMS)[stateKey{"u", 1}]); d != "" {
			t.Errorf("state (-want +got):\n%s", d)
		}
	})
}

func TestErasure(t *testing.T) {
	eachStore(t, func(t *testing.T, s *store) {
		for i := range byte(2) {
			s.register(t, streamID(i))
		}
		theirs := func(want int64) {
			t.Helper()
			if n := s.number(t, "SELECT COUNT(*) FROM event WHERE user_id = 'gone'"); n != want {
				t.Errorf("%d events of the user, want %d", n, want)
			}
		}
		events := []popup.Event{shown("gone", startMS), shown("other", startMS)}
		for i := range erasureBatch {
			events = append(events, shown(fmt.Sprintf("u%d", i), startMS))
		}
		events = append(events, shown("gone", startMS+1), shown("gone", startMS+100))
		s.mustFlush(t, batchOf(streamID(0), 0, events...))
		last := uint64(len(events))
		s.mustFlush(t, batchOf(streamID(1), 0, shown("gone", startMS), reset("gone", startMS+50), reset("nobody", startMS)))
		theirs(3) // the one in the batch of the reset is already without

		pending := func(want float64, oldest time.Duration) {
			t.Helper()
			s.countErasures(t.Context())
			if got := testutil.ToFloat64(s.metrics.erasures); got != want {
				t.Errorf("popupd_erasures_pending = %v, want %v", got, want)
			}
			if got := testutil.ToFloat64(s.metrics.oldestErasure); math.Abs(got-oldest.Seconds()) > 60 {
				t.Errorf("popupd_oldest_erasure_seconds = %v, want %v", got, oldest.Seconds())
			}
		}
		pending(2, time.Since(time.UnixMilli(startMS)))
		s.sweepAll(t)
		theirs(3) // a flush that began before the reset may still be under way
		s.pass(t, erasureSettle)
		s.sweepAll(t)
		theirs(1) // the one after the reset
		pending(0, 0)

		// What arrives late, from the journal of a server that was down.
		s.mustFlush(t, batchOf(streamID(0), last, shown("gone", startMS+2), clicked("gone", startMS, startMS+3)))
		theirs(1)
		after := shown("gone", startMS+100)
		if d := cmp.Diff(map[stateKey]popup.State{{"gone", 1}: after.State()}, s.statesOf(t, "gone"),
			cmp.AllowUnexported(stateKey{})); d != "" {
			t.Errorf("state (-want +got):\n%s", d)
		}
		if n := s.number(t, "SELECT COUNT(*) FROM event"); n != int64(last)+3+2 {
			t.Errorf("%d events, want all", n)
		}
		for query, want := range map[string]int64{
			"SELECT SUM(clicks) FROM popup_stats":                          0, // the token is void
			"SELECT COUNT(*) FROM event WHERE action = 2 AND repeated = 1": 1,
			"SELECT SUM(impressions) FROM popup_stats":                     int64(last) + 2,
		} {
			if got := s.number(t, query); got != want {
				t.Errorf("%s = %d, want %d", query, got, want)
			}
		}

		s.pass(t, popup.TokenLife)
		s.sweepAll(t)
		if n := s.number(t, "SELECT COUNT(*) FROM erasure"); n != 0 {
			t.Errorf("%d erasures are kept", n)
		}
	})
}

func (s *store) statesOf(t testing.TB, user string) map[stateKey]popup.State {
	t.Helper()
	m := s.states(t, startMS)
	for k := range m {
		if k.user != user {
			delete(m, k)
		}
	}
	return m
}

func TestErasureOfDeadFrames(t *testing.T) {
	eachStore(t, func(t *testing.T, s *store) {
		s.register(t, streamID(1))
		events := poisoned(4, 0, 1, 2)
		for i := range 3 {
			events[i].Variant = []byte("a") // refused for another reason, so that the frame can be read
		}
		events[1].User = []byte("gone")
		s.mustFlush(t, batchOf(streamID(1), 0, events[3]))
		for i, e := range events[:3] {
			s.exec(t, "INSERT INTO dead_frame (stream_no, first_seq, last_seq, bytes, reason, at_ms) VALUES (1, ?, ?, ?, 'refused', 1)",
				i+2, i+2, e.Append(nil))
		}
		s.exec(t, "UPDATE ingest_stream SET last_seq = 4")
		s.mustFlush(t, batchOf(streamID(1), 4, reset("gone", startMS)))
		s.pass(t, erasureSettle)
		s.sweepAll(t)
		if n := s.number(t, "SELECT COUNT(*) FROM dead_frame WHERE bytes IS NULL"); n != 1 {
			t.Errorf("%d dead frames without bytes, want 1", n)
		}
		if n := s.number(t, "SELECT COUNT(*) FROM dead_frame WHERE first_seq = 3 AND bytes IS NULL"); n != 1 {
			t.Error("it is not that of the user")
		}
	})
}
