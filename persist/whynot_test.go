package persist

import (
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/popupd/popupd/popup"
)

// What several servers count is added up, by popup, hour and reason.
func TestWhyNot(t *testing.T) {
	eachStore(t, func(t *testing.T, s *store) {
		const servers, popups = 3, whyNotBatch + 7
		hour := popup.WhyNot{HourMS: startMS, Polls: 8, Sampled: 2}
		var counts []popup.WhyNot
		for id := range uint32(popups) {
			for _, reason := range []popup.Reason{popup.MinGap, popup.Outranked, popup.Eligible} {
				c := hour
				c.PopupID, c.Reason = id+1, reason
				counts = append(counts, c)
			}
		}
		late := hour
		late.PopupID, late.HourMS, late.Reason = 1, startMS+hourMS, popup.MinGap
		counts = append(counts, late)
		var wg sync.WaitGroup
		for range servers {
			wg.Go(func() {
				if err := s.AddWhyNot(t.Context(), slices.Clone(counts)); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		want := func(fromMS, toMS int64, minGap uint64) {
			t.Helper()
			got, err := s.WhyNot(t.Context(), 1, fromMS, toMS)
			if err != nil {
				t.Fatal(err)
			}
			c := popup.WhyNot{PopupID: 1, HourMS: fromMS, Polls: 8 * servers, Sampled: 2 * servers}
			all := []popup.WhyNot{c, c, c}
			all[0].Reason, all[1].Reason, all[2].Reason = popup.Eligible, popup.MinGap, popup.Outranked
			all[1].Polls, all[1].Sampled = 8*minGap, 2*minGap
			if d := cmp.Diff(all, got); d != "" {
				t.Errorf("[%d, %d): (-want +got)\n%s", fromMS, toMS, d)
			}
		}
		want(startMS, startMS+hourMS, servers)
		want(startMS, startMS+2*hourMS, 2*servers)
		s.exec(t, "UPDATE popup_why_not SET reason = 'of_tomorrow' WHERE popup_id = 2 AND reason = 'min_gap'")
		if got, err := s.WhyNot(t.Context(), 2, startMS, startMS+hourMS); err != nil || len(got) != 2 {
			t.Errorf("with an unknown reason: %v, %v", got, err)
		}
	})
}

func TestOldWhyNotIsDeleted(t *testing.T) {
	eachStore(t, func(t *testing.T, s *store) {
		now, err := s.storeNow(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		cutoffMS := now - keepWhyNot.Milliseconds()
		c := popup.WhyNot{PopupID: 1, Reason: popup.MinGap, Polls: 1, Sampled: 1}
		var counts []popup.WhyNot
		for _, age := range []int64{-2 * hourMS, -hourMS, hourMS} {
			c.HourMS = cutoffMS + age
			counts = append(counts, c)
		}
		if err := s.AddWhyNot(t.Context(), counts); err != nil {
			t.Fatal(err)
		}
		old := s.oldRows()
		if finished, err := old.removeOldWhyNot(t.Context(), cutoffMS, time.Now()); err != nil || finished {
			t.Errorf("an hour when the time is up: %v, %v; want another step", finished, err)
		}
		s.sweepAll(t)
		if n := s.number(t, "SELECT COUNT(*) FROM popup_why_not"); n != 1 {
			t.Errorf("%d rows are left, want 1", n)
		}
		if n := testutil.ToFloat64(s.metrics.removed[whyNotTable]); n != 2 {
			t.Errorf("popupd_retention_removed_total = %v, want 2", n)
		}
	})
}
