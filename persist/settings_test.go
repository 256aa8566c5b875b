package persist

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/popupd/popupd/popup"
)

func TestSettings(t *testing.T) {
	eachStore(t, func(t *testing.T, s *store) {
		if got, err := s.Settings(t.Context()); err != nil || got.Version != 0 || got.UpdatedAt != nil {
			t.Errorf("at first: %+v, %v; want version 0", got, err)
		}
		update := popup.Change{Actor: "ann", Action: "update"}
		first := popup.Settings{MinGapSec: 60, Caps: []popup.Cap{{Key: "a", Max: 3, PerSec: 86400, Tags: []string{"Größe"}}}, Holdout: popup.Holdout{Percent: 2.5, Salt: "s"}}
		for version, put := range []popup.Settings{first, {MinGapSec: 5, Caps: []popup.Cap{}}} {
			s.clock.advance(time.Second)
			got, err := s.PutSettings(t.Context(), update, uint32(version), put)
			if err != nil {
				t.Fatal(err)
			}
			at := timeOf(startMS + 1000*int64(version+1))
			want := popup.StoredSettings{Version: uint32(version + 1), UpdatedAt: &at, Settings: put}
			if d := cmp.Diff(want, got); d != "" {
				t.Errorf("put (-want +got):\n%s", d)
			}
			if got, err = s.Settings(t.Context()); err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(want, got); d != "" {
				t.Errorf("read back (-want +got):\n%s", d)
			}
			c, err := s.Rows(t.Context())
			if c.Nonce == 0 {
				t.Error("the revision has no nonce")
			}
			row := popup.SettingsRow{Version: want.Version, UpdatedAtMS: at.UnixMilli(), Spec: put.Encode()}
			if d := cmp.Diff(popup.Catalog{Revision: int64(version + 1), Nonce: c.Nonce, Settings: row, AudienceKey: c.AudienceKey}, c); err != nil || d != "" {
				t.Errorf("row (-want +got), %v:\n%s", err, d)
			}
			if _, err := s.PutSettings(t.Context(), update, uint32(version), put); !errors.Is(err, popup.ErrStale) {
				t.Errorf("put of the version before: %v, want %v", err, popup.ErrStale)
			}
		}
		entries, err := s.Audit(t.Context(), "", 0, 10)
		if err != nil {
			t.Fatal(err)
		}
		want := []popup.AuditEntry{
			{ID: 2, At: timeOf(startMS + 2000), Actor: "ann", Action: "update", Object: "config:settings", FromVersion: 1, ToVersion: 2},
			{ID: 1, At: timeOf(startMS + 1000), Actor: "ann", Action: "update", Object: "config:settings", FromVersion: 0, ToVersion: 1},
		}
		if d := cmp.Diff(want, entries); d != "" {
			t.Errorf("audit (-want +got):\n%s", d)
		}
		if at, err := s.Position(t.Context()); at.Revision != 2 || err != nil {
			t.Errorf("revision %d, %v; want 2: a change that fails is none", at.Revision, err)
		}
	})
}

// Settings that somebody has broken in the database can be read, so far as they go, and
// replaced.
func TestBrokenSettings(t *testing.T) {
	eachStore(t, func(t *testing.T, s *store) {
		update := popup.Change{Actor: "ann", Action: "update"}
		if _, err := s.PutSettings(t.Context(), update, 0, popup.Settings{}); err != nil {
			t.Fatal(err)
		}
		for spec, gap := range map[string]int64{`{"min_gap_sec":-5}`: -5, `{`: 0, `[]`: 0} {
			s.exec(t, "UPDATE settings SET spec = '"+spec+"'")
			if got, err := s.Settings(t.Context()); err != nil || got.Version != 1 || got.MinGapSec != gap {
				t.Errorf("%s: %+v, %v; want version 1 with a gap of %d", spec, got, err, gap)
			}
		}
		if got, err := s.PutSettings(t.Context(), update, 1, popup.Settings{}); err != nil || got.Version != 2 {
			t.Errorf("replaced: %+v, %v", got, err)
		}
	})
}
