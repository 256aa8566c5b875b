package snapshot

import (
	"testing"
	"time"

	"github.com/popupd/popupd/popup"
)

// The schedule's gate says when the popup is open, and when it opens if it is closed.
func TestScheduleGate(t *testing.T) {
	s := mustCompile(t,
		row(1, `"schedule":{"days":["mon","tue"],"hours":[["09:00","12:30"],["18:00","24:00"]],"timezone":"Asia/Shanghai"}`),
		row(2, `"schedule":{"hours":[["09:00","10:00"]]}`),
		row(3, `"schedule":{"start_at":"2026-03-01T00:00:00Z","end_at":"2026-04-01T00:00:00Z"}`),
	)
	const monday = "2026-03-02T01:00:00Z" // 09:00 in Shanghai
	for _, c := range []struct {
		id                          uint32
		at, wanted, actual, opensAt string // empty: it is open, or never is again
		open                        bool
	}{
		{1, monday, "mon tue 09:00-12:30 18:00-24:00 in Asia/Shanghai", "Mon 2026-03-02T09:00:00+08:00", "", true},
		{1, "2026-03-02T04:30:00Z", "mon tue 09:00-12:30 18:00-24:00 in Asia/Shanghai", "Mon 2026-03-02T12:30:00+08:00", "2026-03-02T10:00:00Z", false},
		{2, monday, "09:00-10:00 in UTC", "Mon 2026-03-02T01:00:00Z", "2026-03-02T09:00:00Z", false},
		{3, monday, "from 2026-03-01T00:00:00Z, before 2026-04-01T00:00:00Z", "Mon 2026-03-02T01:00:00Z", "", true},
		{3, "2026-04-01T00:00:00Z", "from 2026-03-01T00:00:00Z, before 2026-04-01T00:00:00Z", "Wed 2026-04-01T00:00:00Z", "", false},
	} {
		at, err := time.Parse(time.RFC3339, c.at)
		if err != nil {
			t.Fatal(err)
		}
		g := s.Popup(c.id).scheduleGate(&popup.Request{}, at.UnixMilli())
		opensAt := ""
		if g.OpensAt != nil {
			opensAt = g.OpensAt.Format(time.RFC3339)
		}
		if g.Open != c.open || g.Wanted != c.wanted || g.Actual != c.actual || opensAt != c.opensAt {
			t.Errorf("popup %d at %s: %+v, opens at %q", c.id, c.at, g, opensAt)
		}
	}
}
