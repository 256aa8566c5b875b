package snapshot

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/popupd/popupd/popup"
)

// TestReleaseForgetsTheRequest: memory that is kept for the next request refers to nothing
// of this one.
func TestReleaseForgetsTheRequest(t *testing.T) {
	rows := []popup.Row{row(1, `"targeting":{"all":[`+strings.Join([]string{
		conditionJSON(`app_version semver_gt "3.2.1-alpha.1"`), conditionJSON(`word contains~ "NAN"`), conditionJSON(`tags eq~ "blue"`), conditionJSON(`ip in_cidr "2001:db8::/32"`), conditionJSON(`since before "2026-07-01"`),
	}, ",")+`]},"schedule":{"user_time":true,"days":["wed"]}`)}
	for id := range uint32(1200) { // more than a batch
		rows = append(rows, row(id+2, `"targeting":{"all":[`+conditionJSON(`platform exists`)+`],"any":[`+conditionJSON(fmt.Sprintf(`word prefix "ban%d"`, id%5))+`,`+conditionJSON(`tags prefix "b"`)+`,`+conditionJSON(`tags prefix "bl"`)+`]}`))
	}
	s := mustCompile(t, rows...)
	r := attributed
	r.AppVersion = []byte("3.2.1-beta.2")
	var m Matches
	s.Match(&m, &r, defaultPlacement, nowMS)
	if p := m.Next(); p == nil || p.ID != 1 {
		t.Fatalf("%v fits", p)
	}
	m.Release()
	if m.snapshot != nil || m.here != nil || m.index != nil || m.user != nil || m.zone != nil {
		t.Errorf("kept: %+v", m)
	}
	v := m.value
	v.buf, v.nowMS, v.number, v.timeMS = nil, 0, 0, 0
	if !reflect.DeepEqual(v, value{}) {
		t.Errorf("kept of the value: %+v", v)
	}
	for _, text := range m.values[:cap(m.values)] {
		if text != nil {
			t.Errorf("kept: %q", text)
		}
	}
	for i, found := range m.found[:cap(m.found)] {
		if found != nil {
			t.Errorf("kept: popups of predicate %d", i)
		}
	}
	for i, set := range m.sets[:cap(m.sets)] {
		if set.dense != nil || set.sparse != nil {
			t.Errorf("kept: set %d", i)
		}
	}
	for i, f := range m.filters[:cap(m.filters)] {
		if f.found != nil || f.others != nil || f.rest != nil {
			t.Errorf("kept: filter %d", i)
		}
	}
	for i, c := range m.cursors[:cap(m.cursors)] {
		if c.segment != nil || c.open != nil || c.driver != nil || c.head != nil || c.skip != nil {
			t.Errorf("kept: cursor %d", i)
		}
	}
	if m.Next() != nil || m.Reason() != popup.Eligible {
		t.Error("there is something left to be found")
	}
}
