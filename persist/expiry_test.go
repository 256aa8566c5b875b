package persist

import (
	"fmt"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/popupd/popupd/popup"
)

// Impressions are deleted when no token can ask for them any more, over pages of one
// user and of many, step by step.
func TestOldImpressionsAreDeleted(t *testing.T) {
	eachStore(t, func(t *testing.T, s *store) {
		now, err := s.storeNow(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		oldMS, youngMS := now-keepImpressions.Milliseconds()-1000, now-keepImpressions.Milliseconds()+60_000
		var events []popup.Event
		for i := range int64(keyBatch + 10) {
			events = append(events, shown("busy", oldMS-i), shown(fmt.Sprintf("user %d", i), oldMS))
			if i%100 == 0 {
				events = append(events, shown("busy", youngMS+i), shown(fmt.Sprintf("young %d", i), youngMS))
			}
		}
		for i := range events {
			events[i].Popup = uint32(i%3 + 1)
		}
		s.register(t, streamID(1))
		s.mustFlush(t, batchOf(streamID(1), 0, events...))
		old, steps := s.oldRows(), 0
		for finished := false; !finished; steps++ {
			if finished, err = old.expiry.run(t.Context(), time.Now()); err != nil {
				t.Fatal(err)
			}
		}
		const young = 2 * (keyBatch/100 + 1)
		if n := s.number(t, "SELECT COUNT(*) FROM impression"); n != young {
			t.Errorf("%d impressions are left, want %d", n, young)
		}
		if n := s.number(t, "SELECT COUNT(*) FROM impression WHERE served_at_ms < ?", youngMS); n != 0 {
			t.Errorf("%d old impressions are left", n)
		}
		if got, want := testutil.ToFloat64(s.metrics.removed[impressionTable.name]), float64(2*(keyBatch+10)); got != want {
			t.Errorf("popupd_retention_removed_total of impressions = %v, want %v", got, want)
		}
		if steps < 3 {
			t.Errorf("%d steps, want one for each page", steps)
		}
		s.exec(t, "UPDATE impression SET served_at_ms = served_at_ms - ?", keepImpressions.Milliseconds())
		if finished, err := old.expiry.run(t.Context(), time.Now()); err != nil || !finished || s.number(t, "SELECT COUNT(*) FROM impression") != young {
			t.Errorf("walks again at once: %v, %v", finished, err)
		}
		old.nextImpressions = time.Now()
		if finished, err := old.expiry.run(t.Context(), time.Now()); err != nil || !finished || s.number(t, "SELECT COUNT(*) FROM impression") != 0 {
			t.Errorf("does not walk again: %v, %v", finished, err)
		}
	})
}

// Impressions that caps count are kept for as long as they do.
func TestImpressionsOfCapsAreKept(t *testing.T) {
	eachStore(t, func(t *testing.T, s *store) {
		now, err := s.storeNow(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		update := popup.Change{Actor: "ann", Action: "update"}
		const twentyDays = 20 * 86400
		if _, err := s.PutSettings(t.Context(), update, 0, popup.Settings{Caps: []popup.Cap{{Key: "a", Max: 1, PerSec: 60}, {Key: "b", Max: 1, PerSec: twentyDays}}}); err != nil {
			t.Fatal(err)
		}
		keptMS := now - twentyDays*1000 - keepLonger.Milliseconds()
		s.register(t, streamID(1))
		s.mustFlush(t, batchOf(streamID(1), 0, shown("u", keptMS-60_000), shown("u", keptMS+60_000)))
		left := func(want int64) {
			t.Helper()
			x := expiry{DB: s.DB}
			if finished, err := x.run(t.Context(), time.Now()); err != nil || !finished {
				t.Fatal(finished, err)
			}
			if n := s.number(t, "SELECT COUNT(*) FROM impression"); n != want {
				t.Errorf("%d impressions are left, want %d", n, want)
			}
		}
		left(1)
		if _, err := s.PutSettings(t.Context(), update, 1, popup.Settings{}); err != nil {
			t.Fatal(err)
		}
		left(0)
	})
}

// States of a popup go when it has been archived for longer than its tokens live.
func TestStatesOfArchivedPopupsAreDeleted(t *testing.T) {
	eachStore(t, func(t *testing.T, s *store) {
		now, err := s.storeNow(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for i, status := range []popup.Status{popup.Archived, popup.Archived, popup.Active} {
			mustCreate(t, s, fmt.Sprintf(`{"key":"p%d"}`, i+1))
			age := []time.Duration{2 * keepImpressions, keepImpressions / 2, 2 * keepImpressions}[i]
			s.exec(t, "UPDATE popups SET status = ?, updated_at = ? WHERE id = ?", status, now-age.Milliseconds(), i+1)
		}
		var events []popup.Event
		for i := range keyBatch {
			for id := range uint32(3) {
				e := shown(fmt.Sprintf("user %d", i), now)
				e.Popup = id + 1
				events = append(events, e)
			}
		}
		s.register(t, streamID(1))
		s.mustFlush(t, batchOf(streamID(1), 0, events...))
		old := s.oldRows()
		left := func(want ...int64) {
			t.Helper()
			for finished := false; !finished; {
				if finished, err = old.expiry.run(t.Context(), time.Now()); err != nil {
					t.Fatal(err)
				}
			}
			for i, n := range want {
				if got := s.number(t, "SELECT COUNT(*) FROM user_popup WHERE popup_id = ?", i+1); got != n {
					t.Errorf("%d states of popup %d, want %d", got, i+1, n)
				}
			}
		}
		left(0, keyBatch, keyBatch)
		s.exec(t, "UPDATE popups SET updated_at = ? WHERE id = 2", now-2*keepImpressions.Milliseconds())
		left(0, 0, keyBatch)
		if n := s.number(t, "SELECT COUNT(*) FROM impression"); n != 3*keyBatch {
			t.Errorf("%d impressions, want all", n)
		}
	})
}

// What a flush that did not know of a reset leaves of its user goes with the walk
// through the user's events.
func TestErasureOfWhatAFlushLeft(t *testing.T) {
	eachStore(t, func(t *testing.T, s *store) {
		s.register(t, streamID(1))
		s.mustFlush(t, batchOf(streamID(1), 0, shown("gone", startMS), shown("gone", startMS+20), shown("other", startMS)))
		s.exec(t, "INSERT INTO erasure (user_id, at_ms, queued_ms, done_ms) VALUES ('gone', ?, 1, 0)", startMS+10)
		erase := func(impressions, states int64) {
			t.Helper()
			var w walk
			if finished, err := s.erase(t.Context(), &w, time.Now().Add(time.Minute)); err != nil || !finished {
				t.Fatalf("erase = %v, %v", finished, err)
			}
			if n := s.number(t, "SELECT COUNT(*) FROM impression WHERE user_id = 'gone'"); n != impressions {
				t.Errorf("%d impressions of the user, want %d", n, impressions)
			}
			if n := s.number(t, "SELECT COUNT(*) FROM user_popup WHERE user_id = 'gone'"); n != states {
				t.Errorf("%d states of the user, want %d", n, states)
			}
		}
		erase(1, 1)
		s.exec(t, "INSERT INTO erasure (user_id, at_ms, queued_ms, done_ms) VALUES ('gone', ?, 1, 0)", startMS+30)
		erase(0, 0)
		if n := s.number(t, "SELECT COUNT(*) FROM impression"); n != 1 {
			t.Errorf("%d impressions, want that of the other user", n)
		}
	})
}
