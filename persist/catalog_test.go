package persist

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/popupd/popupd/popup"
)

func spec(t testing.TB, json string) popup.Spec {
	t.Helper()
	s, err := popup.Decode([]byte(json))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

var operator = popup.Change{Actor: "ops", Action: "create"}

func mustCreate(t testing.TB, s *store, json string) popup.Popup {
	t.Helper()
	p, err := s.Create(t.Context(), operator, spec(t, json))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestCreateAndRead(t *testing.T) {
	eachStore(t, func(t *testing.T, s *store) {
		want := mustCreate(t, s, `{"key":"sale","name":"Größe, 价格 and 'quotes' \\ ?","status":"active","priority":-3,
			"schedule":{"start_at":"2024-01-02T03:04:05Z","end_at":"2030-01-01T00:00:00Z"},
			"variants":[{"key":"a","weight":1,"content":{"title":"<b>✓</b>","n":1.50}}]}`)
		if want.ID == 0 || want.Version != 1 || want.UpdatedAt != timeOf(startMS) {
			t.Errorf("created %d, version %d at %v", want.ID, want.Version, want.UpdatedAt)
		}
		got, err := s.Popup(t.Context(), "sale")
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("read back (-want +got):\n%s", d)
		}
		if n := s.number(t, "SELECT COUNT(*) FROM popups WHERE `key` = 'sale' AND status = 'active' AND priority = -3"+
			" AND start_at = 1704164645000 AND end_at = 1893456000000"); n != 1 {
			t.Error("the columns do not say what the spec says")
		}
		if _, err := s.Create(t.Context(), operator, want.Spec); !errors.Is(err, popup.ErrExists) {
			t.Errorf("created twice: %v, want %v", err, popup.ErrExists)
		}
		if _, err := s.Popup(t.Context(), "Sale"); !errors.Is(err, popup.ErrNotFound) {
			t.Errorf("another key: %v, want %v", err, popup.ErrNotFound)
		}
		if at, err := s.Position(t.Context()); err != nil || at.Revision != 1 {
			t.Errorf("revision %d, %v; want 1: a change that fails is none", at.Revision, err)
		}
	})
}

func TestPut(t *testing.T) {
	eachStore(t, func(t *testing.T, s *store) {
		p := mustCreate(t, s, `{"key":"sale"}`)
		update := popup.Change{Actor: "ann", Action: "update"}
		next := p.Spec
		next.Name, next.Status = "second", popup.Active
		s.clock.advance(time.Second)
		got, err := s.Put(t.Context(), update, 1, next)
		if err != nil {
			t.Fatal(err)
		}
		want := popup.Popup{ID: p.ID, Version: 2, UpdatedAt: timeOf(startMS + 1000), Spec: next}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("put (-want +got):\n%s", d)
		}
		if _, err := s.Put(t.Context(), update, 1, next); !errors.Is(err, popup.ErrStale) {
			t.Errorf("put with an old version: %v, want %v", err, popup.ErrStale)
		}
		if got, err := s.Put(t.Context(), update, 0, next); err != nil || got.Version != 3 {
			t.Errorf("put with any version: version %d, %v", got.Version, err)
		}
		other := next
		other.Key = "other"
		if _, err := s.Put(t.Context(), update, 0, other); !errors.Is(err, popup.ErrNotFound) {
			t.Errorf("put of what is not there: %v, want %v", err, popup.ErrNotFound)
		}
		next.Status = popup.Archived
		if _, err := s.Put(t.Context(), popup.Change{Actor: "ann", Action: "archive"}, 3, next); err != nil {
			t.Fatal(err)
		}
		next.Status = popup.Active
		if _, err := s.Put(t.Context(), update, 4, next); !errors.Is(err, popup.ErrArchived) {
			t.Errorf("put of an archived popup: %v, want %v", err, popup.ErrArchived)
		}

		revisions, err := s.Revisions(t.Context(), "sale")
		if err != nil {
			t.Fatal(err)
		}
		var seen []string
		for _, r := range revisions {
			seen = append(seen, fmt.Sprintln(r.Version, r.Actor, r.Spec.Name, r.Spec.Status))
		}
		if d := cmp.Diff([]string{"4 ann second archived\n", "3 ann second active\n", "2 ann second active\n", "1 ops  draft\n"}, seen); d != "" {
			t.Errorf("revisions (-want +got):\n%s", d)
		}
		if _, err := s.Revisions(t.Context(), "other"); !errors.Is(err, popup.ErrNotFound) {
			t.Errorf("revisions of what is not there: %v, want %v", err, popup.ErrNotFound)
		}
	})
}

func TestAudit(t *testing.T) {
	eachStore(t, func(t *testing.T, s *store) {
		p := mustCreate(t, s, `{"key":"sale"}`)
		if _, err := s.Put(t.Context(), popup.Change{Actor: "ann", Action: "activate"}, 1, p.Spec); err != nil {
			t.Fatal(err)
		}
		if id, err := s.AuditUser(t.Context(), popup.Change{Actor: "bob", Action: "reset"}, "用户"); id != 3 || err != nil {
			t.Fatal(id, err)
		}
		if err := s.AuditServer(t.Context(), popup.Change{Actor: "eve", Action: "log_level"}, "debug"); err != nil {
			t.Fatal(err)
		}
		got, err := s.Audit(t.Context(), "", 0, 10)
		if err != nil {
			t.Fatal(err)
		}
		at := timeOf(startMS)
		want := []popup.AuditEntry{
			{ID: 4, At: at, Actor: "eve", Action: "log_level", Object: "server:test-host debug"},
			{ID: 3, At: at, Actor: "bob", Action: "reset", Object: "user:用户"},
			{ID: 2, At: at, Actor: "ann", Action: "activate", Object: "sale", FromVersion: 1, ToVersion: 2},
			{ID: 1, At: at, Actor: "ops", Action: "create", Object: "sale", FromVersion: 0, ToVersion: 1},
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("audit (-want +got):\n%s", d)
		}
		if got, err := s.Audit(t.Context(), "", 3, 1); err != nil || len(got) != 1 || got[0].ID != 2 {
			t.Errorf("second page: %v, %v", got, err)
		}
		if got, err := s.Audit(t.Context(), "sale", 0, 10); err != nil || cmp.Diff(want[2:], got) != "" {
			t.Errorf("of a popup: %v, %v", got, err)
		}
		if got, err := s.Audit(t.Context(), "sale", 2, 10); err != nil || cmp.Diff(want[3:], got) != "" {
			t.Errorf("of a popup, second page: %v, %v", got, err)
		}
	})
}

func TestRows(t *testing.T) {
	eachStore(t, func(t *testing.T, s *store) {
		if c, err := s.Rows(t.Context()); c.Revision != 0 || len(c.Popups) != 0 || err != nil {
			t.Errorf("at first: %+v, %v", c, err)
		}
		mustCreate(t, s, `{"key":"old","status":"archived"}`)
		p := mustCreate(t, s, `{"key":"kept"}`)
		newest := mustCreate(t, s, `{"key":"gone","status":"archived"}`)
		s.exec(t, "UPDATE popups SET spec = '{' WHERE `key` = 'kept'")
		c, err := s.Rows(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		n, rows := c.Revision, c.Popups
		want := []popup.Row{{ID: p.ID, Version: 1, UpdatedAtMS: startMS, Key: "kept", Spec: []byte("{")}}
		if len(rows) == 2 && rows[1].ID == newest.ID && rows[1].Archived {
			rows = rows[:1]
		} else {
			t.Errorf("rows %+v, want the newest popup last, as archived", rows)
		}
		if d := cmp.Diff(want, rows); n != 3 || d != "" {
			t.Errorf("revision %d, want 3; rows (-want +got):\n%s", n, d)
		}
		if got, err := s.Popup(t.Context(), "kept"); err != nil || got.Key != "kept" || got.Status != popup.Draft {
			t.Errorf("the broken popup reads as %+v, %v; want its key and status", got, err)
		}
	})
}

// Readers must never see a popup of one revision under the number of another.
func TestRowsAreOfTheirRevision(t *testing.T) {
	eachStore(t, func(t *testing.T, s *store) {
		p := mustCreate(t, s, `{"key":"sale"}`)
		const changes = 60
		var writers sync.WaitGroup
		for range 2 {
			writers.Go(func() {
				for range changes / 2 {
					if _, err := s.Put(t.Context(), operator, 0, p.Spec); err != nil {
						t.Error(err)
						return
					}
				}
			})
		}
		for revision := int64(0); revision <= changes && !t.Failed(); {
			c, err := s.Rows(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if c.Revision < revision || int64(c.Popups[0].Version) != c.Revision {
				t.Fatalf("revision %d after %d with version %d of the only popup", c.Revision, revision, c.Popups[0].Version)
			}
			revision = c.Revision
		}
		writers.Wait()
	})
}

// In a zone of half hours they are those on its clocks, also where the clocks change.
func TestStatsOfHoursOfAZone(t *testing.T) {
	zone, err := popup.LoadZone("Australia/Lord_Howe")
	if err != nil {
		t.Fatal(err)
	}
	eachStore(t, func(t *testing.T, s *store) {
		s.config.ReportZone = zone
		server := s.open(t)
		s.register(t, streamID(1))
		change := time.Date(2026, 10, 3, 15, 30, 0, 0, time.UTC).UnixMilli() // 02:00 becomes 02:30
		minute := time.Minute.Milliseconds()
		if _, err := server.Flush(t.Context(), batchOf(streamID(1), 0,
			shown("u", change-61*minute), shown("v", change-60*minute), shown("w", change-1), shown("x", change), shown("y", change+30*minute))); err != nil {
			t.Fatal(err)
		}
		got, err := server.Stats(t.Context(), 1, change-24*hourMS, change+24*hourMS)
		if err != nil {
			t.Fatal(err)
		}
		want := []popup.Counts{
			{Variant: "a", HourMS: change - 120*minute, Impressions: 1, Users: 1},
			{Variant: "a", HourMS: change - 60*minute, Impressions: 2, Users: 2},
			{Variant: "a", HourMS: change, Impressions: 1, Users: 1},
			{Variant: "a", HourMS: change + 30*minute, Impressions: 1, Users: 1},
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("stats (-want +got):\n%s", d)
		}
	})
}

func TestStatsOfHours(t *testing.T) {
	eachStore(t, func(t *testing.T, s *store) {
		s.register(t, streamID(1))
		hour := startMS - startMS%int64(hourMS)
		again := shown("u", hour+2*hourMS)
		again.Nth = 2
		s.mustFlush(t, batchOf(streamID(1), 0,
			shown("u", hour), shown("v", hour+hourMS-1), clicked("u", hour, hour+hourMS), again))
		got, err := s.Stats(t.Context(), 1, hour, hour+2*hourMS)
		if err != nil {
			t.Fatal(err)
		}
		want := []popup.Counts{
			{Variant: "a", HourMS: hour, Impressions: 2, Users: 2},
			{Variant: "a", HourMS: hour + hourMS, Clicks: 1, ClickUsers: 1},
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("stats (-want +got):\n%s", d)
		}
	})
}
