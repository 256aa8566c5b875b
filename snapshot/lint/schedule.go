package lint

import (
	"fmt"
	"time"

	"github.com/popupd/popupd/popup"
	"github.com/popupd/popupd/snapshot"
)

// maxSearch bounds the search for an open minute. In so long a time each minute of the
// week comes several times, and clocks do not leave it out every time.
const maxSearch = 60 * 24 * time.Hour

func (w *warnings) checkSchedule(s *popup.Schedule, nowMS int64) {
	if s.EndAt == nil {
		return // days and hours come back every week
	}
	endMS := s.EndAt.UnixMilli()
	if endMS <= nowMS {
		w.prove("/schedule/end_at", popup.AlreadyEnded, "the popup has ended")
		return
	}
	fromMS := nowMS
	if s.StartAt != nil {
		fromMS = max(fromMS, s.StartAt.UnixMilli())
	}
	if endMS-fromMS <= maxSearch.Milliseconds() && !opensWithin(scheduled(s), fromMS, endMS) {
		w.prove("/schedule", popup.NeverOpen, fmt.Sprintf("no minute of days and hours in %s lies between %s and end_at",
			s.Timezone, time.UnixMilli(fromMS).UTC().Format(time.RFC3339)))
	}
}

// scheduled compiles a popup that is shown to everybody while the schedule is open.
func scheduled(schedule *popup.Schedule) *snapshot.Popup {
	s, _ := popup.Decode([]byte(`{"key":"k","status":"active"}`))
	s.Schedule = *schedule
	compiled, _ := snapshot.Compile(popup.Catalog{Revision: 1, Popups: []popup.Row{{ID: 1, Version: 1, Key: s.Key, Spec: s.Encode()}}}, nil)
	return compiled.Popup(1)
}

// opensWithin reports whether a popup is open at some time in [fromMS, toMS). A minute
// on the clocks of a time zone has 60 s, so of those that are not cut off by the ends
// each is looked at.
func opensWithin(p *snapshot.Popup, fromMS, toMS int64) bool {
	for at := fromMS; at < toMS; at += time.Minute.Milliseconds() {
		if isOpen(p, at) {
			return true
		}
	}
	return isOpen(p, toMS-1)
}

var placement = []byte(popup.DefaultPlacement)

func isOpen(p *snapshot.Popup, atMS int64) bool {
	return p.Gate(&popup.Request{}, placement, atMS) == popup.Eligible
}
