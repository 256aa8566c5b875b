package persist

import (
	"fmt"
	"slices"
	"testing"

	"github.com/popupd/popupd/popup"
)

// keysOf returns the keys of rows with their versions, and whether they are archived.
func keysOf(rows []popup.Row) string {
	var keys []string
	for _, r := range rows {
		key := fmt.Sprintf("%s.%d", r.Key, r.Version)
		if r.Archived {
			key += " archived"
		}
		keys = append(keys, key)
	}
	return fmt.Sprint(keys)
}

func TestChanges(t *testing.T) {
	eachStore(t, func(t *testing.T, s *store) {
		sale := mustCreate(t, s, `{"key":"sale"}`)
		at := func() popup.Position {
			p, err := s.Position(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			return p
		}
		first := at()
		mustCreate(t, s, `{"key":"news"}`)
		second := at()
		if _, err := s.PutSettings(t.Context(), operator, 0, popup.Settings{MinGapSec: 5}); err != nil {
			t.Fatal(err)
		}
		third := at()
		archived := sale.Spec
		archived.Status = popup.Archived
		for _, spec := range []popup.Spec{sale.Spec, archived} {
			if _, err := s.Put(t.Context(), operator, 0, spec); err != nil {
				t.Fatal(err)
			}
		}
		last := at()
		for _, c := range []struct {
			since    popup.Position
			popups   string
			settings bool
		}{
			{first, "[sale.3 archived news.1]", true},
			{second, "[sale.3 archived]", true},
			{third, "[sale.3 archived]", false},
			{last, "[]", false},
		} {
			got, known, err := s.Changes(t.Context(), c.since)
			if err != nil || !known {
				t.Fatalf("since %d: known %v, %v", c.since.Revision, known, err)
			}
			if got.Revision != 5 || got.Nonce != last.Nonce || keysOf(got.Popups) != c.popups || (got.Settings != nil) != c.settings {
				t.Errorf("since %d: revision %d, %s, settings %v; want %s, %v", c.since.Revision, got.Revision, keysOf(got.Popups), got.Settings, c.popups, c.settings)
			}
			if got.Settings != nil && (got.Settings.Version != 1 || got.Settings.UpdatedAtMS != startMS) {
				t.Errorf("since %d: settings %+v", c.since.Revision, got.Settings)
			}
		}
		all, err := s.Rows(t.Context())
		if err != nil || all.Revision != 5 || all.Nonce != last.Nonce {
			t.Errorf("all rows are of %d, %d, %v; want those of %v", all.Revision, all.Nonce, err, last)
		}
	})
}

// TestUnknownChanges: whatever may have changed rows without a trace is not taken for a
// known change.
func TestUnknownChanges(t *testing.T) {
	eachStore(t, func(t *testing.T, s *store) {
		p := mustCreate(t, s, `{"key":"sale"}`)
		change := func() {
			if _, err := s.Put(t.Context(), operator, 0, p.Spec); err != nil {
				t.Fatal(err)
			}
		}
		for _, c := range []struct {
			name  string
			since func(now popup.Position) popup.Position
			then  func()
		}{
			{"nothing known yet", func(popup.Position) popup.Position { return popup.Position{} }, change},
			{"no nonce", func(now popup.Position) popup.Position { return popup.Position{Revision: now.Revision} }, change},
			{"the same revision of another history", func(now popup.Position) popup.Position { now.Nonce++; return now }, func() {}},
			{"an earlier revision of another history", func(now popup.Position) popup.Position { now.Nonce++; return now }, change},
			{"the revision went back", func(now popup.Position) popup.Position { now.Revision += 3; return now }, change},
			{"a change by an earlier release", nil, func() {
				s.exec(t, "UPDATE config_revision SET revision = revision + 1")
				s.exec(t, "UPDATE popups SET version = version + 1")
			}},
			{"one before another change", nil, func() {
				s.exec(t, "UPDATE config_revision SET revision = revision + 1")
				s.exec(t, "UPDATE popups SET version = version + 1")
				change()
			}},
			{"one after another change", nil, func() {
				change()
				s.exec(t, "UPDATE config_revision SET revision = revision + 1")
				s.exec(t, "UPDATE popups SET version = version + 1")
			}},
			{"a revision that was set back and given out again", nil, func() {
				s.exec(t, "UPDATE config_revision SET revision = revision - 1")
				change()
				change()
			}},
			{"the popup is deleted", nil, func() {
				mustCreate(t, s, `{"key":"gone"}`)
				s.exec(t, "DELETE FROM popups WHERE `key` = 'gone'")
			}},
			{"the first rows are trimmed", nil, func() {
				change()
				s.exec(t, "DELETE FROM config_change WHERE revision < (SELECT revision FROM config_revision)")
			}},
		} {
			change()
			since, err := s.Position(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if c.since != nil {
				since = c.since(since)
			}
			c.then()
			if got, known, err := s.Changes(t.Context(), since); known || err != nil {
				t.Errorf("%s: %+v, %v, %v; want it not to be known", c.name, got, known, err)
			}
		}
	})
}

// TestChangesAreTrimmed: the table stays small, and who knows what is trimmed reads all.
func TestChangesAreTrimmed(t *testing.T) {
	s := onSQLite(t)
	p := mustCreate(t, s, `{"key":"sale"}`)
	s.exec(t, "UPDATE config_revision SET revision = 5000")
	s.exec(t, "INSERT INTO config_change WITH RECURSIVE n(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < 5000) SELECT i, i, 1 FROM n")
	for s.number(t, "SELECT COUNT(*) FROM config_change") > keptChanges {
		if _, err := s.Put(t.Context(), operator, 0, p.Spec); err != nil {
			t.Fatal(err)
		}
	}
	now, err := s.Position(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	oldest := popup.Position{Revision: now.Revision - keptChanges + 1}
	oldest.Nonce = s.number(t, "SELECT nonce FROM config_change WHERE revision = ?", oldest.Revision)
	before := popup.Position{Revision: oldest.Revision - 1, Nonce: oldest.Revision - 1}
	for since, want := range map[popup.Position]bool{before: false, oldest: true} {
		if _, known, err := s.Changes(t.Context(), since); known != want || err != nil {
			t.Errorf("since %v: known %v, %v; want %v", since, known, err, want)
		}
	}
}

// Readers by change see what those see that read everything, at any moment.
func TestChangesAreOfTheirRevision(t *testing.T) {
	eachStore(t, func(t *testing.T, s *store) {
		var popups []popup.Popup
		for i := range 4 {
			popups = append(popups, mustCreate(t, s, fmt.Sprintf(`{"key":"p%d"}`, i)))
		}
		c, err := s.Rows(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		rows, at := c.Popups, popup.Position{Revision: c.Revision, Nonce: c.Nonce}
		const changes = 60
		done := make(chan struct{})
		go func() {
			defer close(done)
			for i := range changes {
				if _, err := s.Put(t.Context(), operator, 0, popups[i*i%4].Spec); err != nil {
					t.Error(err)
					return
				}
			}
		}()
		for at.Revision < 4+changes && !t.Failed() {
			change, known, err := s.Changes(t.Context(), at)
			if err != nil || !known {
				t.Fatalf("since %d: known %v, %v", at.Revision, known, err)
			}
			for _, r := range change.Popups {
				rows[slices.IndexFunc(rows, func(old popup.Row) bool { return old.ID == r.ID })] = r
			}
			at = popup.Position{Revision: change.Revision, Nonce: change.Nonce}
			sum := int64(0)
			for _, r := range rows {
				sum += int64(r.Version)
			}
			if sum != at.Revision { // each change adds a version
				t.Fatalf("revision %d with versions that add up to %d", at.Revision, sum)
			}
		}
		<-done
	})
}
