package snapshot

import (
	"fmt"
	"testing"

	"github.com/popupd/popupd/popup"
)

// However many changes there were, a compacted snapshot has one build of each index, and
// answers every request as the one before does.
func TestCompact(t *testing.T) {
	s := mustCompile(t, row(1, `"trigger":"exit"`))
	for i := range 700 {
		changed := row(uint32(2+i%500), fmt.Sprintf(`"priority":%d,"placements":["default","p%d"],"trigger":%q,"targeting":{"all":[{"attr":"plan","op":"eq","value":"%d"},{"attr":"age","op":"gte","value":%d}]}`,
			i%7, i%3, []string{"load", "exit", "load"}[i%3], i%5, i%90))
		changed.Version, changed.Archived = uint32(1+i/500), i%11 == 0
		var broken []Broken
		if s, broken = Apply(s, popup.CatalogChange{Revision: int64(i + 2), Popups: []popup.Row{changed}}); len(broken) > 0 {
			t.Fatal(broken)
		}
	}
	c := Compact(s)
	if c == s || Compact(c) != c {
		t.Errorf("compacted: %v, twice: %v", c != s, Compact(c) != c)
	}
	if builds := len(s.byPlacement["default"].load.builds()); builds < 2 {
		t.Errorf("%d builds after 700 changes: too few to tell", builds)
	}
	for name, p := range c.byPlacement {
		if load, exit := len(p.load.builds()), len(p.index([]byte("exit")).builds()); load > 1 || exit > 1 {
			t.Errorf("%s has %d and %d builds", name, load, exit)
		}
	}
	if len(c.active.builds()) != 1 || len(c.Changed())+len(c.Removed()) > 0 || keys(c.All()) != keys(s.All()) || c.Revision != s.Revision || c.CapsEra() != s.CapsEra() {
		t.Errorf("%d builds of active ones, changed %s, removed %s, revision %d", len(c.active.builds()), keys(c.Changed()), keys(c.Removed()), c.Revision)
	}
	matched := 0
	for i := range 300 {
		r := popup.Request{
			User: []byte("u"), Trigger: []byte([]string{"load", "exit"}[i%2]),
			Attrs: []popup.Attr{{Name: []byte("plan"), Value: fmt.Append(nil, i%5)}, {Name: []byte("age"), Value: fmt.Append(nil, i%90)}},
		}
		var was, is Matches
		placement := []byte([]string{"default", "p0", "p1", "p2"}[i%4])
		s.Match(&was, &r, placement, nowMS)
		c.Match(&is, &r, placement, nowMS)
		for {
			want, got := was.Next(), is.Next()
			if got != want {
				t.Fatalf("request %d: got %v, want %v", i, got, want)
			}
			if want == nil {
				break
			}
			matched++
		}
	}
	if matched < 1000 {
		t.Errorf("%d matches: too few to tell", matched)
	}
	if Compact(nil) != nil {
		t.Error("something of nothing")
	}
}

// TestCompactKeepsTheList: all popups are listed, also if nobody has asked before.
func TestCompactKeepsTheList(t *testing.T) {
	var rows []popup.Row
	for id := range uint32(20) {
		rows = append(rows, row(id+1, ``))
	}
	s := mustCompile(t, rows...)
	s.All()
	s, _ = Apply(s, popup.CatalogChange{Revision: 2, Popups: []popup.Row{row(21, ``)}})
	if c := Compact(s); c == s || keys(c.All()) != keys(s.All()) {
		t.Errorf("after compacting all popups are %s, want %s", keys(c.All()), keys(s.All()))
	}
}
