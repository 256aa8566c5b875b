package snapshot

import (
	"reflect"
	"strings"
	"testing"

	"github.com/popupd/popupd/popup"
)

// TestReleaseForgetsTheRequest: memory that is kept for the next request refers to nothing
// of this one.
func TestReleaseForgetsTheRequest(t *testing.T) {
	s := mustCompile(t, row(1, `"targeting":{"all":[`+strings.Join([]string{
		conditionJSON(`app_version semver_gt "3.2.1-alpha.1"`), conditionJSON(`word contains~ "NAN"`), conditionJSON(`tags eq~ "blue"`), conditionJSON(`ip in_cidr "2001:db8::/32"`), conditionJSON(`since before "2026-07-01"`),
	}, ",")+`]},"schedule":{"user_time":true,"days":["wed"]}`), row(2, ``))
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
	if m.Next() != nil || m.Reason() != popup.Eligible {
		t.Error("there is something left to be found")
	}
}
