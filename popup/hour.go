package popup

import "time"

const hourMS = int64(time.Hour / time.Millisecond)

// HourOf returns when the hour on the clocks of a zone begins and ends in which a time
// lies, in ms. An hour that the clocks are changed in ends there, and another one begins:
// on Lord Howe Island, which changes them by 30 minutes, such a day has one of half the length.
func HourOf(atMS int64, zone *time.Location) (fromMS, toMS int64) {
	if zone == time.UTC {
		fromMS = atMS - floorMod(atMS, hourMS)
		return fromMS, fromMS + hourMS
	}
	at := time.UnixMilli(atMS).In(zone)
	_, offset := at.Zone()
	fromMS = atMS - floorMod(atMS+int64(offset)*1000, hourMS)
	toMS = fromMS + hourMS
	since, until := at.ZoneBounds()
	if !since.IsZero() {
		fromMS = max(fromMS, since.UnixMilli())
	}
	if !until.IsZero() {
		toMS = min(toMS, until.UnixMilli())
	}
	return fromMS, toMS
}

// DayOf returns when the day on the calendar of a zone begins and ends in which a time
// lies, in ms. It has 23 or 25 hours when the clocks are changed. Both are also where an
// hour begins, as [HourOf] has it.
func DayOf(atMS int64, zone *time.Location) (fromMS, toMS int64) {
	date := time.UnixMilli(atMS).In(zone)
	for days := 0; ; days++ {
		fromMS, toMS = dayStart(date, days, zone), dayStart(date, days+1, zone)
		if atMS < toMS { // else the clocks were set back over midnight: the new day has begun before
			return fromMS, toMS
		}
	}
}

// dayStart returns the first time at which the calendar of a zone says so many days
// after a date, or more. Midnight itself may be left out, or come twice.
func dayStart(date time.Time, days int, zone *time.Location) int64 {
	midnight := time.Date(date.Year(), date.Month(), date.Day()+days, 0, 0, 0, 0, time.UTC)
	at := midnight.Add(-30 * time.Hour).In(zone) // a day before, in every zone
	for {
		_, offset := at.Zone()
		start := midnight.Add(-time.Duration(offset) * time.Second)
		since, until := at.ZoneBounds()
		if until.IsZero() || start.Before(until) {
			if start.Before(since) {
				start = since
			}
			return start.UnixMilli()
		}
		at = until
	}
}

func floorMod(n, by int64) int64 { return ((n % by) + by) % by }
