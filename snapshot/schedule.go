package snapshot

import (
	"math"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/popupd/popupd/popup"
)

// schedule is a popup's start and end and its open minutes of the week.
type schedule struct {
	startMS, endMS int64     // [startMS, endMS)
	week           *week     // nil: all of them
	zone           *zone     // of week
	users          userZones // of week, where the request names one of them; nil: week is the same for everybody
}

// noSchedule is always open.
var noSchedule = schedule{startMS: math.MinInt64, endMS: math.MaxInt64}

// gate returns the gate that stops the popup at nowMS for a user in the time zone of this name.
func (s *schedule) gate(nowMS int64, user []byte) popup.Reason {
	return s.gateIn(nowMS, s.users.find(user))
}

// gateIn is gate for a user in a time zone; nil is one that is not known.
func (s *schedule) gateIn(nowMS int64, user *zone) popup.Reason {
	switch {
	case nowMS < s.startMS:
		return popup.NotStarted
	case nowMS >= s.endMS:
		return popup.Ended
	case s.week != nil && !s.week.open(s.zoneOf(user).minuteOfWeek(nowMS)):
		return popup.OutsideHours
	}
	return popup.Eligible
}

// zoneOf returns the zone to which days and hours are local for a user.
func (s *schedule) zoneOf(user *zone) *zone {
	if s.users != nil && user != nil {
		return user
	}
	return s.zone
}

// steady returns the first and the last moment around nowMS between which gateIn certainly
// returns the same, for users in a time zone with the same distance from UTC.
func (s *schedule) steady(nowMS int64, user *zone) (fromMS, untilMS int64) {
	switch {
	case nowMS < s.startMS:
		return math.MinInt64, s.startMS - 1
	case nowMS >= s.endMS:
		return s.endMS, math.MaxInt64
	}
	fromMS, untilMS = s.startMS, s.endMS-1
	if s.week != nil {
		from, until := s.zoneOf(user).minuteAt(floorDiv(nowMS, 1000))
		fromMS, untilMS = max(fromMS, from*1000), min(untilMS, until*1000-1)
	}
	return fromMS, untilMS
}

const (
	minutesPerDay  = 24 * 60
	minutesPerWeek = 7 * minutesPerDay
)

// week is the minutes of a week at which a schedule is open.
type week struct {
	minutes [(minutesPerWeek + 63) / 64]uint64 // a bit for each from Monday 00:00
	text    string                             // days and hours as they are configured, for people to read
}

func (w *week) open(minute int) bool { return w.minutes[minute/64]>>(minute%64)&1 != 0 }

// add opens [from, to), minutes of the week; to may lie in the week after.
func (w *week) add(from, to int) {
	if to > minutesPerWeek {
		w.add(0, to-minutesPerWeek)
		to = minutesPerWeek
	}
	for m := from; m < to; m = (m/64 + 1) * 64 { // word by word
		w.minutes[m/64] |= ^uint64(0) << (m % 64) & (^uint64(0) >> max(0, 63-(to-1-m/64*64)))
	}
}

// compileSchedule compiles a valid schedule.
func (c *compiler) compileSchedule(s *popup.Schedule) (schedule, error) {
	out := noSchedule
	if s.StartAt != nil {
		out.startMS = s.StartAt.UnixMilli()
	}
	if s.EndAt != nil {
		out.endMS = s.EndAt.UnixMilli()
	}
	if len(s.Days) == 0 && len(s.Hours) == 0 {
		return out, nil
	}
	z, err := c.zone(s)
	if err != nil {
		return out, err
	}
	out.week, out.zone = compileWeek(s), z
	if s.UserTime {
		out.users = c.userZones()
	}
	return out, nil
}

func compileWeek(s *popup.Schedule) *week {
	w := &week{text: hoursText(s)}
	days := s.Days
	if len(days) == 0 {
		days = []string{"mon", "tue", "wed", "thu", "fri", "sat", "sun"}
	}
	hours := s.Hours
	if len(hours) == 0 {
		hours = [][2]string{{"00:00", "24:00"}}
	}
	for _, name := range days {
		day, _ := popup.Weekday(name) // valid, as are the hours
		for _, window := range hours {
			from, _ := popup.MinuteOfDay(window[0])
			to, _ := popup.MinuteOfDay(window[1])
			if to <= from {
				to += minutesPerDay
			}
			w.add(day*minutesPerDay+from, day*minutesPerDay+to)
		}
	}
	return w
}

// hoursText writes days and hours as they are configured.
func hoursText(s *popup.Schedule) string {
	parts := slices.Clone(s.Days)
	for _, h := range s.Hours {
		parts = append(parts, h[0]+"-"+h[1])
	}
	return strings.Join(parts, " ")
}

// zone knows a time zone's distance from UTC at any time, without the cost that
// time.Time.In has where a zone's file only states a rule for the future.
type zone struct {
	location *time.Location
	since    []int64 // seconds since the epoch, ascending: offset[i] holds from since[i] on
	offset   []int64 // seconds east of UTC
	until    int64   // seconds: where the table ends
}

// The years for which a zone has a table.
var (
	zoneFrom = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	zoneTo   = time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)
)

func newZone(location *time.Location) *zone {
	z := &zone{location: location, until: zoneTo.Unix()}
	for t, ok := zoneFrom.In(location), true; ok && t.Before(zoneTo); t, ok = offsetEnds(t) {
		_, offset := t.Zone()
		if n := len(z.offset); n == 0 || z.offset[n-1] != int64(offset) {
			z.since = append(z.since, t.Unix())
			z.offset = append(z.offset, int64(offset))
		}
	}
	return z
}

// offsetEnds returns until when the time's distance from UTC holds, or a moment before that;
// false: for ever.
func offsetEnds(t time.Time) (time.Time, bool) {
	_, end := t.ZoneBounds()
	switch {
	case end.IsZero():
		return end, false
	case !end.After(t):
		// In Go 1.26, on the last day of a leap year that a rule covers, the
		// bounds end where the day begins.
		return t.AddDate(0, 0, 1), true
	}
	return end, true
}

func (z *zone) offsetAt(sec int64) int64 {
	if sec < z.since[0] || sec >= z.until {
		_, offset := time.Unix(sec, 0).In(z.location).Zone()
		return int64(offset)
	}
	i := sort.Search(len(z.since), func(i int) bool { return z.since[i] > sec })
	return z.offset[i-1]
}

// minuteAt returns the seconds [from, until) in which the clocks of the zone show the same
// minute as at sec, and have the same distance from UTC.
func (z *zone) minuteAt(sec int64) (from, until int64) {
	offset := z.offsetAt(sec)
	from = 60*floorDiv(sec+offset, 60) - offset
	until = from + 60
	for from < sec && z.offsetAt(from) != offset {
		from++
	}
	for until > sec+1 && z.offsetAt(until-1) != offset {
		until--
	}
	return from, until
}

// minuteOfWeek returns the minutes since Monday 00:00 on the clocks of the zone.
func (z *zone) minuteOfWeek(nowMS int64) int {
	sec := floorDiv(nowMS, 1000)
	local := floorDiv(sec+z.offsetAt(sec), 60) + 3*minutesPerDay // 1970 began on a Thursday
	return int(local - floorDiv(local, minutesPerWeek)*minutesPerWeek)
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}
