package persist

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/popupd/popupd/popup"
)

func anyPosition(popup.Position) error { return nil }

func decodeImport(t testing.TB, document string) *popup.Import {
	t.Helper()
	im, err := popup.DecodeImport([]byte(document))
	if err != nil {
		t.Fatal(err)
	}
	return &im
}

// mustImport imports a document, after a dry run that must tell the same.
func mustImport(t testing.TB, s *store, document string) popup.ImportResult {
	t.Helper()
	im := decodeImport(t, document)
	planned, err := s.PlanImport(t.Context(), im, anyPosition)
	if err != nil {
		t.Fatal(err)
	}
	made, err := s.Import(t.Context(), popup.Change{Actor: "ci"}, im, anyPosition)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(actions(planned), actions(made)); d != "" {
		t.Errorf("the dry run told otherwise (-dry run +import):\n%s", d)
	}
	return made
}

// actions returns what an import did, as "key action from-to pointers".
func actions(r popup.ImportResult) (list []string) {
	for _, o := range r.Objects {
		text := fmt.Sprintf("%s %s %d-%d", o.Key, o.Action, o.FromVersion, o.ToVersion)
		for _, c := range o.Changes {
			text += " " + c.Pointer
		}
		list = append(list, text)
	}
	return list
}

func positionOf(t testing.TB, s *store) popup.Position {
	t.Helper()
	p, err := s.Position(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestImport(t *testing.T) {
	eachStore(t, func(t *testing.T, s *store) {
		for _, key := range []string{"gone", "hand", "kept", "sale"} {
			mustCreate(t, s, `{"key":"`+key+`","priority":1}`)
		}
		first := positionOf(t, s)
		r := mustImport(t, s, `{"source":"repo","popups":[
			{"key":"sale","priority":2,"status":"active","tags":["x"]},{"key":"new","name":"価格 'x' \\ ?"},{"key":"kept","priority":1},{"key":"gone","status":"archived","priority":1}],
			"settings":{"min_gap_sec":60}}`)
		want := []string{
			"settings update 0-1 /min_gap_sec", "gone archive 1-2 /source /status", "kept update 1-2 /source", "new create 0-1", "sale update 1-2 /source /priority /status /tags/0",
		}
		if d := cmp.Diff(want, actions(r)); d != "" {
			t.Errorf("import (-want +got):\n%s", d)
		}
		if now := positionOf(t, s); r.Position != now || now.Revision != first.Revision+5 {
			t.Errorf("position %v after the import, which says %v; it was %v", now, r.Position, first)
		}
		change, known, err := s.Changes(t.Context(), first)
		if err != nil || !known || change.Settings == nil || keysOf(change.Popups) != "[gone.2 archived kept.2 sale.2 new.1]" {
			t.Errorf("changes %s, settings %v, known %v, %v", keysOf(change.Popups), change.Settings, known, err)
		}
		p, err := s.Popup(t.Context(), "new")
		if err != nil || p.Name != `価格 'x' \ ?` || p.Source != "repo" || p.Version != 1 || p.ID != r.Objects[3].ID {
			t.Errorf("created %+v, %v", p, err)
		}
		trail, err := s.Audit(t.Context(), "", 0, 5)
		var lines []string
		for _, e := range trail {
			lines = append(lines, fmt.Sprint(e.Actor, " ", e.Action, " ", e.Object, " ", e.FromVersion, "-", e.ToVersion))
		}
		if d := cmp.Diff([]string{"ci update sale 1-2", "ci create new 0-1", "ci update kept 1-2", "ci archive gone 1-2", "ci update config:settings 0-1"}, lines); d != "" || err != nil {
			t.Errorf("audit (-want +got): %v\n%s", err, d)
		}
		if n := s.number(t, "SELECT COUNT(*) FROM popups WHERE `key` = 'sale' AND status = 'active' AND priority = 2 AND version = 2"); n != 1 {
			t.Error("the columns do not say what the spec says")
		}

		// Once more, from a later commit: nothing changes.
		now := positionOf(t, s)
		r = mustImport(t, s, `{"source":"repo@2","popups":[{"key":"sale","priority":2,"status":"active","tags":["x"],"version":2}],"settings":{"min_gap_sec":60,"version":1}}`)
		if d := cmp.Diff([]string{"settings unchanged 1-1", "sale unchanged 2-2"}, actions(r)); d != "" || r.Position != now || positionOf(t, s) != now {
			t.Errorf("unchanged (-want +got), position %v, was %v:\n%s", r.Position, now, d)
		}
		// Pruned are those of the same source.
		r = mustImport(t, s, `{"source":"repo","prune":true,"popups":[{"key":"sale","priority":2,"status":"active","tags":["x"]}]}`)
		if d := cmp.Diff([]string{"kept archive 2-3 /status", "new archive 1-2 /status", "sale unchanged 2-2"}, actions(r)); d != "" {
			t.Errorf("prune (-want +got):\n%s", d)
		}
	})
}

// A change by hand keeps the mark; the revisions tell which of them an import made.
func TestImportedSource(t *testing.T) {
	eachStore(t, func(t *testing.T, s *store) {
		mustImport(t, s, `{"popups":[{"key":"sale","source":"repo:sale.yaml@1"}]}`)
		p, err := s.Popup(t.Context(), "sale")
		if err != nil {
			t.Fatal(err)
		}
		p.Spec.Priority = 5
		put, err := s.Put(t.Context(), popup.Change{Actor: "ann", Action: "update"}, 1, p.Spec)
		if err != nil || put.Source != "repo:sale.yaml@1" {
			t.Fatal(put.Source, err)
		}
		r := mustImport(t, s, `{"popups":[{"key":"sale","source":"repo:sale.yaml@2"}]}`)
		if d := cmp.Diff([]string{"sale update 2-3 /priority"}, actions(r)); d != "" {
			t.Errorf("drift (-want +got):\n%s", d)
		}
		mustImport(t, s, `{"popups":[{"key":"sale","priority":1}]}`)
		revisions, err := s.Revisions(t.Context(), "sale")
		if err != nil {
			t.Fatal(err)
		}
		var sources []string
		for _, v := range revisions {
			sources = append(sources, v.Source)
		}
		if d := cmp.Diff([]string{"repo:sale.yaml@2", "repo:sale.yaml@2", "", "repo:sale.yaml@1"}, sources); d != "" {
			t.Errorf("sources of revisions, newest first (-want +got):\n%s", d)
		}
	})
}

func TestImportRefused(t *testing.T) {
	eachStore(t, func(t *testing.T, s *store) {
		mustImport(t, s, `{"popups":[{"key":"a"},{"key":"b"},{"key":"old"}]}`)
		mustImport(t, s, `{"popups":[{"key":"old","status":"archived"},{"key":"b","name":"B"}]}`)
		before := positionOf(t, s)
		elsewhere := errors.New("elsewhere")
		for _, c := range []struct {
			document string
			want     error
			objects  string
		}{
			{`{"popups":[{"key":"new"},{"key":"a","version":2},{"key":"b","version":1},{"key":"c","version":1},{"key":"x","version":0}],"settings":{"version":3}}`, popup.ErrStale, "/settings/version /popups/1/version /popups/2/version /popups/3/version"},
			{`{"popups":[{"key":"a","version":0}]}`, popup.ErrStale, "/popups/0/version"},
			{`{"popups":[{"key":"new"},{"key":"old"}]}`, popup.ErrArchived, "/popups/1/key"},
			{`{"popups":[{"key":"new"}]}`, elsewhere, ""},
		} {
			check := anyPosition
			if c.want == elsewhere {
				check = func(p popup.Position) error {
					if p != before {
						t.Errorf("asked for %v, want %v", p, before)
					}
					return elsewhere
				}
			}
			im := decodeImport(t, c.document)
			_, dry := s.PlanImport(t.Context(), im, check)
			_, err := s.Import(t.Context(), popup.Change{Actor: "ci"}, im, check)
			var pointers []string
			if e, ok := errors.AsType[*popup.ImportError](err); ok {
				for _, o := range e.Objects {
					pointers = append(pointers, o.Pointer)
				}
			}
			if !errors.Is(err, c.want) || !errors.Is(dry, c.want) || strings.Join(pointers, " ") != c.objects {
				t.Errorf("%s: %v, dry run %v; want %v", c.document, err, dry, c.want)
			}
		}
		if _, err := s.Import(t.Context(), popup.Change{}, decodeImport(t, `{"popups":[{"key":"n","status":"archived"}]}`), anyPosition); err == nil {
			t.Error("a new popup could be archived")
		}
		if now := positionOf(t, s); now != before {
			t.Errorf("position %v, want %v: nothing was stored", now, before)
		}
	})
}

// TestImportIsAtomic: when the last statement of an import fails, nothing of it is stored.
func TestImportIsAtomic(t *testing.T) {
	eachStore(t, func(t *testing.T, s *store) {
		mustImport(t, s, `{"popups":[{"key":"a"}]}`)
		before := positionOf(t, s)
		s.exec(t, "ALTER TABLE config_change RENAME TO away")
		im := decodeImport(t, `{"popups":[{"key":"a","name":"A"},{"key":"b"}],"settings":{"min_gap_sec":1}}`)
		_, err := s.Import(t.Context(), popup.Change{Actor: "ci"}, im, anyPosition)
		s.exec(t, "ALTER TABLE away RENAME TO config_change")
		if err == nil {
			t.Fatal("it was stored without a row of config_change")
		}
		if n := s.number(t, "SELECT COUNT(*) + SUM(version) + (SELECT COUNT(*) FROM popup_revisions) + (SELECT COUNT(*) FROM audit) + (SELECT COUNT(*) FROM settings) FROM popups"); n != 4 || positionOf(t, s) != before {
			t.Errorf("%d rows and versions, position %v; want 4, %v", n, positionOf(t, s), before)
		}
	})
}

// TestImportsMeet: imports and changes that come at once are made one after the other.
func TestImportsMeet(t *testing.T) {
	eachStore(t, func(t *testing.T, s *store) {
		mustImport(t, s, `{"popups":[{"key":"a"},{"key":"b"}]}`)
		other := s.open(t)
		var all sync.WaitGroup
		const each = 10
		for n, db := range []*DB{s.DB, other} {
			all.Go(func() {
				for i := range each {
					im := decodeImport(t, fmt.Sprintf(`{"popups":[{"key":"b","priority":%d},{"key":"a","priority":%d}]}`, 1+n*each+i, 1+n*each+i))
					if _, err := db.Import(t.Context(), popup.Change{Actor: "ci"}, im, anyPosition); err != nil {
						t.Error(err)
					}
				}
			})
			all.Go(func() {
				for range each {
					if _, err := db.Put(t.Context(), operator, 0, spec(t, `{"key":"a","priority":-1}`)); err != nil {
						t.Error(err)
					}
				}
			})
		}
		all.Wait()
		if n := s.number(t, "SELECT COUNT(*) FROM popups WHERE `key` = 'b' AND version = ?", 1+2*each); n != 1 {
			t.Error("an import was lost")
		}
		if n := s.number(t, "SELECT COUNT(*) FROM popup_revisions") - s.number(t, "SELECT SUM(version) FROM popups"); n != 0 {
			t.Errorf("%d revisions more than versions", n)
		}
	})
}

// Of many changes at once other servers read the whole catalog.
func TestImportMany(t *testing.T) {
	eachStore(t, func(t *testing.T, s *store) {
		mustCreate(t, s, `{"key":"first"}`)
		first := positionOf(t, s)
		var popups []string
		for i := range keptChanges + 350 {
			popups = append(popups, fmt.Sprintf(`{"key":"p%d","variants":[{"key":"a","content":{"title":"%s"}}]}`, i, strings.Repeat(`\"`, 400)))
		}
		document := `{"popups":[` + strings.Join(popups, ",") + `]}`
		made := mustImport(t, s, document)
		if _, known, err := s.Changes(t.Context(), first); known || err != nil {
			t.Errorf("changes are known: %v, %v", known, err)
		}
		all, err := s.Rows(t.Context())
		if err != nil || len(all.Popups) != len(popups)+1 || all.Nonce != made.Position.Nonce || all.Revision != first.Revision+int64(len(popups)) {
			t.Errorf("%d popups of revision %d, %v", len(all.Popups), all.Revision, err)
		}
		ids := map[uint32]bool{}
		for _, o := range made.Objects {
			ids[o.ID] = true
		}
		if len(ids) != len(popups) || slices.ContainsFunc(all.Popups, func(r popup.Row) bool { return !ids[r.ID] && r.Key != "first" }) {
			t.Error("the import says other ids than are stored")
		}
		mustCreate(t, s, `{"key":"last"}`)
		if c, known, err := s.Changes(t.Context(), made.Position); !known || err != nil || keysOf(c.Popups) != "[last.1]" {
			t.Errorf("after the import: %s, known %v, %v", keysOf(c.Popups), known, err)
		}
		if r := mustImport(t, s, document); !r.IsUnchanged() {
			t.Error("the same once more changes something")
		}
	})
}

func TestExportCatalog(t *testing.T) {
	eachStore(t, func(t *testing.T, s *store) {
		mustImport(t, s, `{"popups":[{"key":"b","source":"repo"},{"key":"a-1"},{"key":"a"},{"key":"c"}],"settings":{"min_gap_sec":7}}`)
		mustImport(t, s, `{"popups":[{"key":"c","status":"archived"}]}`)
		var got []string
		err := s.ExportCatalog(t.Context(), func(at popup.Position, settings popup.StoredSettings, audiences []popup.ExportedAudience) error {
			got = append(got, fmt.Sprint(at == positionOf(t, s), settings.Version, settings.MinGapSec))
			return nil
		}, func(p popup.Popup) error {
			got = append(got, fmt.Sprint(p.Key, p.Version, p.Source))
			return nil
		})
		if d := cmp.Diff([]string{"true 1 7", "a1", "a-11", "b1repo"}, got); d != "" || err != nil {
			t.Errorf("exported (-want +got): %v\n%s", err, d)
		}
		stop := errors.New("stop")
		if err := s.ExportCatalog(t.Context(), func(popup.Position, popup.StoredSettings, []popup.ExportedAudience) error { return stop }, nil); !errors.Is(err, stop) {
			t.Error(err)
		}
	})
}

// Audiences come before what names them, and circles and what is not there are refused.
func TestImportAudiences(t *testing.T) {
	eachStore(t, func(t *testing.T, s *store) {
		const named = `"targeting":{"all":[{"attr":"audience","op":"in","value":["vip"]}]}`
		mustCreate(t, s, `{"key":"other"}`)
		first := positionOf(t, s)
		document := `{"popups":[{"key":"sale",` + named + `}],
			"audiences":[{"key":"vip","rule":{"any":[{"attr":"audience","op":"in","value":["paying"]}]}},{"key":"paying","rule":{"all":[{"attr":"plan","op":"eq","value":"pro"}]}}]}`
		r := mustImport(t, s, document)
		if d := cmp.Diff([]string{"paying create 0-1", "vip create 0-1", "sale create 0-1"}, actions(r)); d != "" {
			t.Errorf("import (-want +got):\n%s", d)
		}
		c, known, err := s.Changes(t.Context(), first)
		if !known || err != nil || c.Audiences == nil || len(*c.Audiences) != 2 || keysOf(c.Popups) != "[sale.1]" {
			t.Errorf("changes %+v, known %v, %v", c, known, err)
		}
		if r = mustImport(t, s, document); !r.IsUnchanged() {
			t.Errorf("once more: %v", actions(r))
		}
		r = mustImport(t, s, `{"audiences":[{"key":"paying","version":1,"rule":{"all":[{"attr":"plan","op":"eq","value":"team"}]}}]}`)
		if d := cmp.Diff([]string{"paying update 1-2 /rule/all/0/value"}, actions(r)); d != "" {
			t.Errorf("update (-want +got):\n%s", d)
		}
		if n := s.number(t, "SELECT COUNT(*) FROM audit WHERE object LIKE 'audience:%' AND actor = 'ci'"); n != 3 {
			t.Errorf("%d lines in the audit trail", n)
		}
		if _, err := s.PutAudienceList(t.Context(), popup.AudienceChange{Change: operator, Key: "list", New: true}, bytes.NewReader([]byte("x")), 1); err != nil {
			t.Fatal(err)
		}
		before := positionOf(t, s)
		for _, c := range []struct{ document, want string }{
			{`{"popups":[{"key":"new",` + strings.Replace(named, "vip", "none", 1) + `}]}`, "/popups/0/targeting/all/0/value/0 there is no audience none"},
			{`{"popups":[{"key":"sale","status":"active",` + strings.Replace(named, "vip", "none", 1) + `}]}`, "/popups/0/targeting/all/0/value/0 there is no audience none"},
			{`{"audiences":[{"key":"a","rule":{"all":[{"attr":"audience","op":"not_in","value":["vip","none"]}]}}]}`, "/audiences/0/rule/all/0/value/1 there is no audience none"},
			{`{"audiences":[{"key":"paying","rule":{"none":[{"attr":"audience","op":"in","value":["vip"]}]}}]}`,
				"/audiences/0/rule/none/0/value/0 names the audience that is being defined, in a circle: paying -> vip -> paying"},
			{`{"audiences":[{"key":"list","rule":{}}]}`, "/audiences/0/key list is a list of users, which an import does not replace"},
		} {
			_, err := s.Import(t.Context(), popup.Change{Actor: "ci"}, decodeImport(t, c.document), anyPosition)
			if errs, ok := errors.AsType[popup.FieldErrors](err); !ok || errs.Error() != c.want {
				t.Errorf("%s: %v, want %s", c.document, err, c.want)
			}
		}
		_, err = s.Import(t.Context(), popup.Change{Actor: "ci"}, decodeImport(t, `{"audiences":[{"key":"vip","version":7,"rule":{}}]}`), anyPosition)
		if !errors.Is(err, popup.ErrStale) || positionOf(t, s) != before {
			t.Errorf("a stale version: %v", err)
		}
		if r := mustImport(t, s, `{"popups":[{"key":"sale","status":"paused",`+named+`}]}`); r.IsUnchanged() {
			t.Error("the popup could not be paused")
		}
		var got []string
		err = s.ExportCatalog(t.Context(), func(_ popup.Position, _ popup.StoredSettings, audiences []popup.ExportedAudience) error {
			for _, a := range audiences {
				got = append(got, fmt.Sprint(a.Key, a.Version, " ", string(a.Rule)))
			}
			return nil
		}, func(popup.Popup) error { return nil })
		want := []string{
			`paying2 {"all":[{"attr":"plan","op":"eq","value":"team"}],"any":[],"none":[]}`, `vip1 {"all":[],"any":[{"attr":"audience","op":"in","value":["paying"]}],"none":[]}`,
		}
		if d := cmp.Diff(want, got); d != "" || err != nil {
			t.Errorf("exported (-want +got): %v\n%s", err, d)
		}
	})
}
