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

// However many rows a server adds, a statement has a few hundred, one connection is used, and
// a flush does not wait for them, even while they wait for something themselves.
func TestWhyNotHoldsUpNobody(t *testing.T) {
	s := onMySQL(t)
	s.register(t, streamID(1))
	var counts []popup.WhyNot
	for id := range uint32(3*whyNotBatch - 7) {
		counts = append(counts, popup.WhyNot{PopupID: id + 1, HourMS: startMS, Reason: popup.MinGap, Polls: 8, Sampled: 2})
	}
	inserts := func() (n int64) {
		t.Helper()
		var name string
		if err := s.raw.QueryRow("SHOW GLOBAL STATUS LIKE 'Com_insert'").Scan(&name, &n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	for i := range 2 {
		before := inserts()
		if err := s.AddWhyNot(t.Context(), slices.Clone(counts)); err != nil {
			t.Fatal(err)
		}
		if n, rows := inserts()-before, s.number(t, "SELECT COUNT(*) FROM popup_why_not"); n != 3 || rows != int64(len(counts)) {
			t.Errorf("%d: %d statements and %d rows, want 3 and %d", i, n, rows, len(counts))
		}
	}

	lock, err := s.raw.Begin()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = lock.Rollback() }()
	if _, err := lock.Exec("UPDATE popup_why_not SET polls = polls WHERE popup_id = 1"); err != nil {
		t.Fatal(err)
	}
	added := make(chan error)
	go func() { added <- s.AddWhyNot(t.Context(), counts) }()
	s.blockedID(t, "INSERT INTO popup_why_not")
	s.mustFlush(t, batchOf(streamID(1), 0, shown("u", startMS)))
	if n := s.write.Stats().InUse; n != 1 {
		t.Errorf("%d connections are in use, want 1", n)
	}
	if err := lock.Commit(); err != nil {
		t.Fatal(err)
	}
	if err := <-added; err != nil {
		t.Fatal(err)
	}
	if n := s.number(t, "SELECT MIN(polls) FROM popup_why_not"); n != 3*8 {
		t.Errorf("%d polls, want %d", n, 3*8)
	}
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
		const many = 2*whyNotBatch + 7
		for id := range uint32(many) {
			c.PopupID, c.HourMS = id+1, cutoffMS-2*hourMS
			counts = append(counts, c)
		}
		for _, age := range []int64{-hourMS, hourMS} {
			c.HourMS = cutoffMS + age
			counts = append(counts, c)
		}
		if err := s.AddWhyNot(t.Context(), counts); err != nil {
			t.Fatal(err)
		}
		old := s.oldRows()
		if finished, err := old.removeOldWhyNot(t.Context(), cutoffMS, time.Now()); err != nil || finished {
			t.Errorf("a piece when the time is up: %v, %v; want another step", finished, err)
		}
		if n := s.number(t, "SELECT COUNT(*) FROM popup_why_not"); n < many+2-whyNotBatch-int64(popup.NumReasons) || n >= many+2 {
			t.Errorf("%d rows of %d are left after a piece", n, many+2)
		}
		s.sweepAll(t)
		if n := s.number(t, "SELECT COUNT(*) FROM popup_why_not"); n != 1 {
			t.Errorf("%d rows are left, want 1", n)
		}
		if n := testutil.ToFloat64(s.metrics.removed[whyNotTable]); n != many+1 {
			t.Errorf("popupd_retention_removed_total = %v, want %d", n, many+1)
		}
	})
}
