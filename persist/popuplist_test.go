package persist

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/popupd/popupd/internal/popuplist"
	"github.com/popupd/popupd/internal/storetest"
	"github.com/popupd/popupd/popup"
)

// find returns the keys that a query finds, with their versions.
func find(t testing.TB, db *DB, q popuplist.Query) string {
	t.Helper()
	if q.Limit == 0 {
		q.Limit = 100
	}
	page, popups, err := db.FindPopups(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	found := []string{}
	for i, p := range popups {
		if p.ID != page.IDs[i] {
			t.Errorf("popup %d is %d, want %d", i, p.ID, page.IDs[i])
		}
		found = append(found, fmt.Sprint(p.Key, p.Version))
	}
	return fmt.Sprint(found)
}

func TestFindPopups(t *testing.T) {
	eachStore(t, func(t *testing.T, s *store) {
		if got := find(t, s.DB, popuplist.Query{}); got != "[]" {
			t.Errorf("of none: %s", got)
		}
		for i, status := range []popup.Status{popup.Draft, popup.Active, popup.Active, popup.Archived, popup.Paused} {
			mustCreate(t, s, fmt.Sprintf(`{"key":"p%d","status":%q,"tags":["t%d"]}`, i, status, i%2))
		}
		down, _ := popuplist.ParseOrder("-key")
		for _, c := range []struct {
			q    popuplist.Query
			want string
		}{
			{popuplist.Query{}, "[p01 p11 p21 p31 p41]"},
			{popuplist.Query{Limit: 2}, "[p01 p11]"},
			{popuplist.Query{Limit: 2, After: popuplist.Place{ID: 2}}, "[p21 p31]"},
			{popuplist.Query{Statuses: []popup.Status{popup.Active, popup.Paused}, Order: down}, "[p41 p21 p11]"},
			{popuplist.Query{Tag: "t1"}, "[p11 p31]"},
			{popuplist.Query{Text: "P4"}, "[p41]"},
		} {
			if got := find(t, s.DB, c.q); got != c.want {
				t.Errorf("%+v finds %s, want %s", c.q, got, c.want)
			}
		}
	})
}

// A server finds at once what another has changed, and what was changed without either.
func TestFindPopupsAfterChanges(t *testing.T) {
	eachStore(t, func(t *testing.T, s *store) {
		other := s.open(t)
		mine := popuplist.Query{Text: "mine"}
		p := mustCreate(t, s, `{"key":"a","name":"mine"}`)
		mustCreate(t, s, `{"key":"b","name":"theirs"}`)
		if got := find(t, other, mine); got != "[a1]" {
			t.Errorf("at first: %s", got)
		}
		kept := other.popupList.kept.Load()
		if find(t, other, mine); other.popupList.kept.Load() != kept {
			t.Error("the list was read anew, though nothing has changed")
		}
		p.Spec.Name = "not any more"
		if _, err := s.Put(t.Context(), operator, 1, p.Spec); err != nil {
			t.Fatal(err)
		}
		mustCreate(t, s, `{"key":"c","name":"MINE"}`)
		if got := find(t, other, mine); got != "[c1]" {
			t.Errorf("after two changes: %s", got)
		}
		if now := other.popupList.kept.Load().list.Entries(); now[1] != kept.list.Entries()[1] {
			t.Error("a popup that has not changed was read anew")
		}

		s.exec(t, "DELETE FROM popups WHERE `key` = 'c'")
		s.exec(t, "UPDATE popups SET spec = '{', version = 7 WHERE `key` = 'b'")
		s.exec(t, "UPDATE config_revision SET revision = revision + 1") // as an earlier release does
		if got := find(t, other, mine); got != "[]" {
			t.Errorf("after a popup was deleted: %s", got)
		}
		if got := find(t, other, popuplist.Query{Text: "b"}); got != "[b7]" {
			t.Errorf("a broken one: %s", got)
		}
	})
}

// A popup that is deleted between the search and the reading of what it found is left out.
func TestFindPopupsDeleted(t *testing.T) {
	s := onSQLite(t)
	mustCreate(t, s, `{"key":"a"}`)
	mustCreate(t, s, `{"key":"b"}`)
	find(t, s.DB, popuplist.Query{})
	s.exec(t, "DELETE FROM popups WHERE `key` = 'a'") // the list knows it still
	if _, popups, err := s.FindPopups(t.Context(), popuplist.Query{Limit: 9}); err != nil || len(popups) != 1 || popups[0].Key != "b" {
		t.Errorf("found %v, %v", popups, err)
	}
}

// Requests at once read the list once, and one that has to wait ends with its context.
func TestFindPopupsAtOnce(t *testing.T) {
	s := onMySQL(t)
	for i := range 3 {
		mustCreate(t, s, fmt.Sprintf(`{"key":"p%d"}`, i))
	}
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if got := find(t, s.DB, popuplist.Query{}); got != "[p01 p11 p21]" {
				t.Errorf("found %s", got)
			}
		})
	}
	all.Wait()
	mustCreate(t, s, `{"key":"new"}`)
	s.popupList.turn <- struct{}{} // somebody reads
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, _, err := s.FindPopups(ctx, popuplist.Query{Limit: 1}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("while another reads: %v", err)
	}
	<-s.popupList.turn
	if got := find(t, s.DB, popuplist.Query{Text: "new"}); got != "[new1]" {
		t.Errorf("afterwards: %s", got)
	}
}

// More popups than one statement reads.
func TestFindManyPopups(t *testing.T) {
	s := onMySQL(t)
	const n = 2*keysAtOnce + 1
	s.exec(t, "INSERT INTO popups (`key`, status, priority, max_impressions, spec, version, updated_at)"+
		` SELECT CONCAT('p', seq), 'draft', 0, 0, '{"tags":["t"]}', 1, seq FROM `+storetest.Numbers(n))
	page, popups, err := s.FindPopups(t.Context(), popuplist.Query{Tag: "t", Limit: n})
	if err != nil || page.Total != n || len(popups) != n || popups[n-1].Key != fmt.Sprint("p", n) {
		t.Errorf("found %d of %d, %v", len(popups), page.Total, err)
	}
}

func TestRecentStats(t *testing.T) {
	eachStore(t, func(t *testing.T, s *store) {
		insert := func(id uint32, hour int64, variant string, impressions, clicks int) {
			s.exec(t, "INSERT INTO popup_stats (popup_id, hour, variant, impressions, users, clicks, dismisses, converts, controls) VALUES (?, ?, ?, ?, 1, ?, 0, 0, 0)",
				id, startMS+hour*hourMS, variant, impressions, clicks)
		}
		insert(1, -1, "a", 100, 100) // before
		insert(1, 0, "a", 1, 1)
		insert(1, 23, "a", 2, 0)
		insert(1, 23, "b", 4, 1)
		insert(1, 24, "a", 8, 0)
		insert(1, 48, "a", 100, 100) // behind
		insert(2, 5, "a", 16, 0)     // not asked for
		insert(3, 47, "a", 32, 3)
		got, err := s.RecentStats(t.Context(), []uint32{1, 3, 4}, startMS, startMS+48*hourMS, 24*hourMS)
		if err != nil {
			t.Fatal(err)
		}
		want := map[uint32][]popup.Counts{
			1: {{HourMS: startMS, Impressions: 7, Clicks: 2, Users: 3}, {HourMS: startMS + 24*hourMS, Impressions: 8, Users: 1}},
			3: {{HourMS: startMS + 24*hourMS, Impressions: 32, Clicks: 3, Users: 1}},
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("statistics (-want +got):\n%s", d)
		}
		if got, err := s.RecentStats(t.Context(), nil, 0, 1, 1); err != nil || len(got) != 0 {
			t.Errorf("of no popups: %v, %v", got, err)
		}
		if _, err := s.RecentStats(t.Context(), make([]uint32, keysAtOnce+1), 0, 1, 1); err == nil {
			t.Error("of too many popups: no error")
		}
	})
}
