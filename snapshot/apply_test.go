package snapshot

import (
	"testing"

	"github.com/popupd/popupd/popup"
)

// TestApply changes, archives, breaks and adds popups one after the other.
func TestApply(t *testing.T) {
	s, _ := Compile(popup.Catalog{Revision: 1, Popups: []popup.Row{row(1, ``), row(2, ``), {ID: 3, Version: 1, Key: "p3", Spec: []byte("{")}}}, nil)
	if keys(s.Changed()) != "p1.1 p2.1" || len(s.Removed()) != 0 {
		t.Fatalf("at first changed %s, removed %s", keys(s.Changed()), keys(s.Removed()))
	}
	version := func(r popup.Row, v uint32) popup.Row { r.Version = v; return r }
	archived := version(row(1, `"status":"archived"`), 3)
	archived.Archived = true
	for i, step := range []struct {
		rows                  []popup.Row
		all, changed, removed string
		broken                int
	}{
		{[]popup.Row{version(row(1, `"priority":-1`), 2)}, "p2.1 p1.2", "p1.2", "", 0},
		{[]popup.Row{row(5, `"priority":1`)}, "p5.1 p2.1 p1.2", "p5.1", "", 0},
		{[]popup.Row{{ID: 2, Version: 2, Key: "p2", Spec: []byte("{")}}, "p5.1 p2.1 p1.2", "", "", 1}, // the version before stays
		{[]popup.Row{archived}, "p5.1 p2.1", "", "p1.2", 0},
		{nil, "p5.1 p2.1", "", "", 0},
		{[]popup.Row{{ID: 6, Version: 1, Key: "p5", Spec: []byte(`{"key":"p5"}`)}}, "p5.1 p2.1", "", "", 1}, // p5 is taken
	} {
		next, broken := Apply(s, popup.CatalogChange{Revision: int64(i + 2), Popups: step.rows})
		if keys(next.All()) != step.all || next.Len() != len(next.All()) || keys(next.Changed()) != step.changed || keys(next.Removed()) != step.removed || len(broken) != step.broken || next.Revision != int64(i+2) {
			t.Fatalf("step %d: revision %d, all %s, changed %s, removed %s, broken %v", i, next.Revision, keys(next.All()), keys(next.Changed()), keys(next.Removed()), broken)
		}
		s = next
	}
	for id, want := range map[uint32]bool{1: true, 2: false, 3: false, 4: true, 5: false, 6: false, 7: false} {
		if s.IsArchived(id) != want {
			t.Errorf("popup %d is archived: %v", id, !want)
		}
	}
	next, _ := Apply(s, popup.CatalogChange{Revision: 9, Settings: &popup.SettingsRow{Version: 1, Spec: []byte(`{"min_gap_sec":5,"caps":[{"key":"day","max":1,"per_sec":60}]}`)}})
	if next.Settings().MinGapSec != 5 || keys(next.Changed()) != "p5.1 p2.1" {
		t.Errorf("after a change of the settings: gap %d, changed %s", next.Settings().MinGapSec, keys(next.Changed()))
	}
	if first, _ := Apply(nil, popup.CatalogChange{Revision: 1, Popups: []popup.Row{row(1, ``)}}); keys(first.All()) != "p1.1" || first.Settings().Version != 0 {
		t.Errorf("on nothing: %s", keys(first.All()))
	}
}
