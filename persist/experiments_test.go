package persist

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/popupd/popupd/popup"
)

// exposedTo is the count of users of version 1 who saw one variant.
func exposedTo(variant string) experimentKey {
	return experimentKey{version: 1, variant: variant, outcome: popup.Exposed}
}

// of returns the event as one of another popup.
func of(id uint32, events ...popup.Event) []popup.Event {
	for i := range events {
		if events[i].Action != popup.Reset {
			events[i].Popup = id
		}
	}
	return events
}

// Who is reset is taken out of the counts, with the row that names the user, and counts as a
// new user after that.
func TestExperimentOfResetUsers(t *testing.T) {
	eachStore(t, func(t *testing.T, s *store) {
		p := s.experimentPopup(t)
		id := streamID(1)
		s.register(t, id)
		s.mustFlush(t, batchOf(id, 0, of(p.ID, shown("back", startMS), clicked("back", startMS, startMS+5),
			shown("gone", startMS), clicked("gone", startMS, startMS+5), shown("stays", startMS))...))
		s.passAll(t)
		clicks := experimentKey{version: 1, variant: "a", outcome: popup.Clicked}
		want := map[experimentKey]int64{exposedTo("a"): 3, clicks: 2}
		if d := cmp.Diff(want, s.experimentCounts(t, p.ID), exportKey); d != "" {
			t.Errorf("before the resets (-want +got):\n%s", d)
		}
		s.mustFlush(t, batchOf(id, 5, of(p.ID, reset("back", startMS+10), reset("gone", startMS+10),
			clicked("back", startMS, startMS+11), shown("back", startMS+20))...))
		s.passAll(t)
		want = map[experimentKey]int64{exposedTo("a"): 3, clicks: 1}
		if d := cmp.Diff(want, s.experimentCounts(t, p.ID), exportKey); d != "" {
			t.Errorf("after one has come back (-want +got):\n%s", d)
		}
		s.pass(t, erasureSettle)
		if finished, err := s.erase(t.Context(), &walk{}, time.Now().Add(time.Minute)); !finished || err != nil {
			t.Fatalf("erase = %v, %v", finished, err)
		}
		want = map[experimentKey]int64{exposedTo("a"): 2}
		if d := cmp.Diff(want, s.experimentCounts(t, p.ID), exportKey); d != "" {
			t.Errorf("after the walk (-want +got):\n%s", d)
		}
		if n := s.number(t, "SELECT COUNT(*) FROM experiment_user WHERE user_id = 'gone'"); n != 0 {
			t.Errorf("%d rows of a user who is gone", n)
		}
	})
}

// Servers that pass at the same time pass each event once.
func TestExperimentsOnSeveralServers(t *testing.T) {
	s := onMySQL(t)
	p := s.experimentPopup(t)
	const users = 3 * experimentBatch
	id := streamID(1)
	s.register(t, id)
	var events []popup.Event
	for u := range users {
		events = append(events, of(p.ID, shown(fmt.Sprint("u", u), startMS))...)
	}
	servers := []*DB{s.DB, s.open(t), s.open(t)}
	s.mustFlush(t, batchOf(id, 0, events...))
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	s.exec(t, "UPDATE experiment_progress SET seq = 1 WHERE stream_no = 0")
	var wg sync.WaitGroup
	for _, db := range servers {
		wg.Go(func() {
			if _, err := db.countExperiments(ctx, time.Now().Add(time.Minute)); err != nil && classOf(err) != classLockWait {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	s.passAll(t)
	if d := cmp.Diff(map[experimentKey]int64{exposedTo("a"): users}, s.experimentCounts(t, p.ID), exportKey); d != "" {
		t.Errorf("counts (-want +got):\n%s", d)
	}
	// While one server passes, the others leave it alone.
	s.mustFlush(t, batchOf(id, users, of(p.ID, shown("late", startMS))...))
	s.passAll(t)
	s.mustFlush(t, batchOf(id, users+1, of(p.ID, shown("later", startMS))...))
	for _, db := range servers[1:] {
		if streams, err := db.experiments.backlog(t.Context()); err != nil || len(streams) != 0 {
			t.Errorf("another server finds %v to pass, %v", streams, err)
		}
	}
	if streams, err := s.experiments.backlog(t.Context()); err != nil || len(streams) != 1 {
		t.Errorf("the server that passed last finds %v, %v", streams, err)
	}
	if n := testutil.ToFloat64(s.metrics.backlog); n != 1 {
		t.Errorf("popupd_experiment_backlog_events %v, want 1", n)
	}
}

// A pass that fails leaves nothing, and is done again.
func TestExperimentPassThatFails(t *testing.T) {
	eachStore(t, func(t *testing.T, s *store) {
		p := s.experimentPopup(t)
		id := streamID(1)
		s.register(t, id)
		s.mustFlush(t, batchOf(id, 0, of(p.ID, shown("u", startMS))...))
		x := &s.experiments
		streams, err := x.backlog(t.Context())
		if err != nil || len(streams) != 1 {
			t.Fatal(streams, err)
		}
		broken := errors.New("the server dies")
		if err := x.once(t.Context(), func(tx *sql.Tx) error {
			if _, err := x.pass(t.Context(), tx, streams[0]); err != nil {
				return err
			}
			return broken
		}); !errors.Is(err, broken) {
			t.Fatal(err)
		}
		if got := s.experimentCounts(t, p.ID); len(got) != 0 {
			t.Errorf("a pass that failed counted %v", got)
		}
		s.passAll(t)
		s.passAll(t)
		if d := cmp.Diff(map[experimentKey]int64{exposedTo("a"): 1}, s.experimentCounts(t, p.ID), exportKey); d != "" {
			t.Errorf("counts (-want +got):\n%s", d)
		}
	})
}

// Events are kept beyond the retention until they are passed.
func TestRetentionWaitsForExperiments(t *testing.T) {
	eachStore(t, func(t *testing.T, s *store) {
		p := s.experimentPopup(t)
		id := streamID(1)
		s.register(t, id)
		s.mustFlush(t, batchOf(id, 0, of(p.ID, shown("u", startMS), shown("v", startMS))...))
		s.retain(t, startMS+1)
		for _, step := range []struct {
			lease string // of another server
			want  int64
		}{{s.dialect.now, 2}, {"1", 0}} {
			s.exec(t, "UPDATE experiment_progress SET seq = "+step.lease+" WHERE stream_no = 0")
			if _, err := s.removeOld(t.Context(), time.Now().Add(time.Minute)); err != nil {
				t.Fatal(err)
			}
			if n := s.number(t, "SELECT COUNT(*) FROM event"); n != step.want {
				t.Errorf("%d events are left, want %d", n, step.want)
			}
		}
		if d := cmp.Diff(map[experimentKey]int64{exposedTo("a"): 2}, s.experimentCounts(t, p.ID), exportKey); d != "" {
			t.Errorf("counts (-want +got):\n%s", d)
		}
	})
}

// Users of archived popups are deleted, what was counted of them stays.
func TestExperimentOfArchivedPopups(t *testing.T) {
	eachStore(t, func(t *testing.T, s *store) {
		p := s.experimentPopup(t)
		id := streamID(1)
		s.register(t, id)
		s.mustFlush(t, batchOf(id, 0, of(p.ID, shown("u", startMS))...))
		s.passAll(t)
		s.exec(t, "UPDATE popups SET status = 'archived', updated_at = 1")
		if finished, err := (&expiry{DB: s.DB}).expireStates(t.Context(), 2, time.Now().Add(time.Minute)); err != nil || !finished {
			t.Fatal(finished, err)
		}
		if n := s.number(t, "SELECT COUNT(*) FROM experiment_user"); n != 0 {
			t.Errorf("%d users of an archived popup are left", n)
		}
		if list, err := s.Experiment(t.Context(), p.ID, 1); err != nil || len(list) != 1 || list[0].Users != 1 {
			t.Errorf("counts %v, %v", list, err)
		}
	})
}

// A decision is found when counts change, also by a server that did not count them.
func TestExperimentIsDecided(t *testing.T) {
	eachStore(t, func(t *testing.T, s *store) {
		p := s.experimentPopup(t)
		counts := map[experimentKey]int64{}
		for variant, clicks := range map[string]int64{"a": 1300, "b": 1000, "c": 1000} {
			counts[experimentKey{p.ID, 1, variant, popup.Exposed, 0}] = 5000
			counts[experimentKey{p.ID, 1, variant, popup.Clicked, 0}] = clicks
		}
		if err := s.experiments.addCounts(t.Context(), s.write, counts); err != nil {
			t.Fatal(err)
		}
		for range 2 { // nothing is due any more
			if _, err := s.countExperiments(t.Context(), time.Now().Add(time.Minute)); err != nil {
				t.Fatal(err)
			}
		}
		list, err := s.ExperimentDecisions(t.Context(), 0)
		if err != nil || len(list) != 1 {
			t.Fatalf("decisions %+v, %v", list, err)
		}
		d := list[0]
		if d.Goal != popup.ClickGoal || d.Variant != "a" || d.Key != "x" || d.Lift < 0.29 || d.Lift > 0.31 || d.LiftLow <= 0 || d.LiftHigh <= 0.3 {
			t.Errorf("decision %+v", d)
		}
		if s.experiments.due[p.ID].due {
			t.Error("the experiment is still due")
		}
		s.experiments.isDue(p.ID)
		if !s.experiments.due[p.ID].due {
			t.Error("an experiment whose counts have changed is not due")
		}
	})
}

// While users are erased one after another, the server that passes goes on, and evaluates no
// experiment more often than it does else.
func TestExperimentsWhileUsersAreErased(t *testing.T) {
	eachStore(t, func(t *testing.T, s *store) {
		p := s.experimentPopup(t)
		other := s.open(t)
		id := streamID(1)
		s.register(t, id)
		s.mustFlush(t, batchOf(id, 0, of(p.ID, shown("u", startMS), shown("gone", startMS))...))
		s.passAll(t)
		evaluatedAt := s.experiments.due[p.ID].at
		for i := range uint64(3) {
			if err := other.deleteExperimentUser(t.Context(), []byte("gone"), startMS); err != nil {
				t.Fatal(err)
			}
			s.mustFlush(t, batchOf(id, 2+i, of(p.ID, shown(fmt.Sprint("new", i), startMS+1))...))
			if finished, err := s.countExperiments(t.Context(), time.Now().Add(time.Minute)); !finished || err != nil {
				t.Fatal(finished, err)
			}
			if n := s.experimentCounts(t, p.ID)[exposedTo("a")]; n != int64(i)+2 {
				t.Errorf("%d users are counted after erasure %d, want %d", n, i, i+2)
			}
		}
		s.exec(t, "UPDATE experiment_progress SET seq = 1 WHERE stream_no = 0") // another server has passed, and is gone
		s.passAll(t)
		if e := s.experiments.due[p.ID]; !e.due || e.at != evaluatedAt {
			t.Errorf("evaluated again after %v, due %v", e.at.Sub(evaluatedAt), e.due)
		}
	})
}

// What stops counting is logged once, and that it goes on.
func TestExperimentOutageIsLoggedOnce(t *testing.T) {
	eachStore(t, func(t *testing.T, s *store) {
		var log strings.Builder
		s.experiments.outage.Log = slog.New(slog.NewTextHandler(&log, nil))
		count := func(times int) {
			for range times {
				_, err := s.countExperiments(t.Context(), time.Now())
				s.experiments.report(err)
			}
		}
		count(1)
		s.exec(t, "UPDATE experiment_progress SET stream_no = 1000 WHERE stream_no = 0")
		count(5)
		s.exec(t, "UPDATE experiment_progress SET stream_no = 0 WHERE stream_no = 1000")
		count(2)
		if lines := strings.Split(log.String(), "\n"); len(lines) != 3 || !strings.Contains(lines[0], "level=WARN") || !strings.Contains(lines[1], "counted again") {
			t.Errorf("logs %q, want a warning and its end", lines)
		}
	})
}

// Passes name the users whose erasure is not done, and read all resets again only if they
// have changed.
func TestExperimentResets(t *testing.T) {
	eachStore(t, func(t *testing.T, s *store) {
		r := &s.experiments.resets
		want := func(at map[string]int64, open ...string) {
			t.Helper()
			if err := s.inTx(t.Context(), func(tx *sql.Tx) error { return r.refresh(t.Context(), tx) }); err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(at, r.at) + cmp.Diff(open, r.open); d != "" {
				t.Errorf("resets (-want +got):\n%s", d)
			}
		}
		want(map[string]int64{})
		const insert = "INSERT INTO erasure (user_id, at_ms, queued_ms, done_ms) VALUES (?, ?, 1, ?)"
		for _, e := range []struct {
			user         string
			atMS, doneMS int64
		}{{"u", 5, 0}, {"v", 7, 9}, {"u", 6, 0}, {"v", 6, 9}} {
			s.exec(t, insert, s.dialect.user([]byte(e.user)), e.atMS, e.doneMS)
		}
		want(map[string]int64{"u": 6, "v": 7}, "u")
		s.exec(t, "UPDATE erasure SET at_ms = 100")
		want(map[string]int64{"u": 6, "v": 7}, "u")
		s.exec(t, "UPDATE erasure SET done_ms = 1 WHERE at_ms = 100 AND done_ms = 0")
		want(map[string]int64{"u": 100, "v": 100})
		s.exec(t, "DELETE FROM erasure")
		want(map[string]int64{})
	})
}

// What is known of versions is not forgotten while those of a range of events are looked up.
func TestExperimentVersionsAreOfOneTime(t *testing.T) {
	s := onSQLite(t)
	p := s.experimentPopup(t)
	of := popupVersion{p.ID, p.Version}
	v := &s.experiments.tests
	v.forgetOld()
	for range 2 {
		if has, err := v.has(t.Context(), s.read, of); err != nil || !has || !v.isTest(of) {
			t.Fatal(has, err, v.isTest(of))
		}
		v.readAt = v.readAt.Add(-2 * versionsFor)
		if _, err := v.has(t.Context(), s.read, popupVersion{p.ID + 1, 1}); err != nil || !v.isTest(of) {
			t.Errorf("the version is forgotten, %v", err)
		}
		v.forgetOld()
		if v.isTest(of) {
			t.Error("versions are remembered for ever")
		}
	}
}

func TestVariantTotals(t *testing.T) {
	eachStore(t, func(t *testing.T, s *store) {
		id := streamID(1)
		s.register(t, id)
		s.mustFlush(t, batchOf(id, 0, shown("u", startMS), shown("v", startMS+2*hourMS), clicked("v", startMS+2*hourMS, startMS+2*hourMS+5),
			shown("w", startMS+3*hourMS), as(popup.Control, in("c", shown("x", startMS+3*hourMS)))))
		got, err := s.VariantTotals(t.Context(), 1, startMS+hourMS)
		if err != nil {
			t.Fatal(err)
		}
		want := []popup.Counts{{Variant: "a", Impressions: 2, Clicks: 1}, {Variant: "c", Controls: 1}}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("totals (-want +got):\n%s", d)
		}
	})
}

// in returns the event as one of another variant.
func in(variant string, e popup.Event) popup.Event {
	e.Variant = []byte(variant)
	return e
}

// as returns the event as one of another action.
func as(a popup.Action, e popup.Event) popup.Event {
	e.Action = a
	return e
}

// Clicks and conversions are counted within the window that is asked for, by whole days.
func TestExperimentWindow(t *testing.T) {
	eachStore(t, func(t *testing.T, s *store) {
		p := s.experimentPopup(t)
		const dayMS = 24 * hourMS
		id := streamID(1)
		s.register(t, id)
		s.mustFlush(t, batchOf(id, 0, of(p.ID, shown("u", startMS), shown("v", startMS), clicked("u", startMS, startMS+dayMS-1), clicked("v", startMS, startMS+dayMS),
			purchased("u", startMS+300*dayMS, startMS))...))
		s.passAll(t)
		for days, want := range map[int][]popup.ExperimentCount{
			1:                       {{Version: 1, Variant: "a", Outcome: popup.Clicked, Users: 1}, {Version: 1, Variant: "a", Outcome: popup.Exposed, Users: 2}},
			2:                       {{Version: 1, Variant: "a", Outcome: popup.Clicked, Users: 2}, {Version: 1, Variant: "a", Outcome: popup.Exposed, Users: 2}},
			popup.MaxExperimentDays: {{Version: 1, Variant: "a", Outcome: popup.Clicked, Users: 2}, {Version: 1, Variant: "a", Outcome: popup.Exposed, Users: 2}},
		} {
			got, err := s.Experiment(t.Context(), p.ID, days)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(want, got); d != "" {
				t.Errorf("within %d days (-want +got):\n%s", days, d)
			}
		}
	})
}
