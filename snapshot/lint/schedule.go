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

// How far clocks are before and behind UTC, at most.
const (
	clocksBehind = 12 * time.Hour
	clocksAhead  = 14 * time.Hour
)

func (w *warnings) checkSchedule(s *popup.Schedule, nowMS int64) {
	if s.UserTime && len(s.Days) == 0 && len(s.Hours) == 0 {
		w.prove("/schedule/user_time", popup.UserTimeUnused, "without days and hours the schedule is the same in all time zones")
	}
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
	if endMS-fromMS > maxSearch.Milliseconds() {
		return
	}
	from := time.UnixMilli(fromMS).UTC().Format(time.RFC3339)
	switch {
	case !s.UserTime:
		if !opensWithin(scheduled(s), fromMS, endMS) {
			w.prove("/schedule", popup.NeverOpen, fmt.Sprintf("no minute of days and hours in %s lies between %s and end_at", s.Timezone, from))
		}
	case !opensOnClocks(s, fromMS-clocksBehind.Milliseconds(), endMS+clocksAhead.Milliseconds()):
		w.prove("/schedule", popup.NeverOpen, fmt.Sprintf("no minute of days and hours, on whichever clocks, lies between %s and end_at", from))
	}
}

// opensOnClocks reports whether clocks may show a minute of days and hours, and what they
// show lies in [fromMS, toMS), as if they were in UTC.
func opensOnClocks(s *popup.Schedule, fromMS, toMS int64) bool {
	return opensWithin(scheduled(&popup.Schedule{Timezone: "UTC", Days: s.Days, Hours: s.Hours}), fromMS, toMS)
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
	var none *snapshot.Snapshot // the popup names no audience
	return none.Gate(p, &popup.Request{}, placement, atMS) == popup.Eligible
}
