package popup

import (
	"testing"
	"time"
)

func zoneOf(t *testing.T, name string) *time.Location {
	t.Helper()
	zone, err := LoadZone(name)
	if err != nil {
		t.Fatal(err)
	}
	return zone
}

// Hours begin on the clocks of the zone, days at its midnight.
func TestHoursAndDays(t *testing.T) {
	const layout = "2006-01-02T15:04:05Z07:00"
	for _, c := range []struct{ zone, at, hour, hourEnd, day, dayEnd string }{
		{"UTC", "2026-03-10T12:34:56Z", "2026-03-10T12:00:00Z", "2026-03-10T13:00:00Z", "2026-03-10T00:00:00Z", "2026-03-11T00:00:00Z"},
		{"UTC", "1969-12-31T23:34:56Z", "1969-12-31T23:00:00Z", "1970-01-01T00:00:00Z", "1969-12-31T00:00:00Z", "1970-01-01T00:00:00Z"},
		{"Asia/Kolkata", "2026-03-10T12:34:56Z", "2026-03-10T12:30:00Z", "2026-03-10T13:30:00Z", "2026-03-09T18:30:00Z", "2026-03-10T18:30:00Z"},
		{"Asia/Kathmandu", "2026-03-10T12:10:00Z", "2026-03-10T11:15:00Z", "2026-03-10T12:15:00Z", "2026-03-09T18:15:00Z", "2026-03-10T18:15:00Z"},
		{"Asia/Kolkata", "1970-01-01T00:00:00Z", "1969-12-31T23:30:00Z", "1970-01-01T00:30:00Z", "1969-12-31T18:30:00Z", "1970-01-01T18:30:00Z"},
		// Days of 23 and 25 hours. The hour that comes twice is two.
		{"Europe/Berlin", "2026-03-29T01:30:00Z", "2026-03-29T01:00:00Z", "2026-03-29T02:00:00Z", "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z"},
		{"Europe/Berlin", "2026-10-25T01:30:00Z", "2026-10-25T01:00:00Z", "2026-10-25T02:00:00Z", "2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z"},
		// The clocks change by half an hour, at 02:00.
		{"Australia/Lord_Howe", "2026-10-03T15:29:00Z", "2026-10-03T14:30:00Z", "2026-10-03T15:30:00Z", "2026-10-03T13:30:00Z", "2026-10-04T13:00:00Z"},
		{"Australia/Lord_Howe", "2026-10-03T15:40:00Z", "2026-10-03T15:30:00Z", "2026-10-03T16:00:00Z", "2026-10-03T13:30:00Z", "2026-10-04T13:00:00Z"},
		{"Australia/Lord_Howe", "2026-04-04T15:10:00Z", "2026-04-04T15:00:00Z", "2026-04-04T15:30:00Z", "2026-04-04T13:00:00Z", "2026-04-05T13:30:00Z"},
		// Midnight is left out, or comes twice.
		{"Africa/Cairo", "2026-04-23T23:00:00Z", "2026-04-23T23:00:00Z", "2026-04-24T00:00:00Z", "2026-04-23T22:00:00Z", "2026-04-24T21:00:00Z"},
		{"America/Havana", "2026-11-01T05:30:00Z", "2026-11-01T05:00:00Z", "2026-11-01T06:00:00Z", "2026-11-01T04:00:00Z", "2026-11-02T05:00:00Z"},
		{"America/Havana", "2026-11-01T04:30:00Z", "2026-11-01T04:00:00Z", "2026-11-01T05:00:00Z", "2026-11-01T04:00:00Z", "2026-11-02T05:00:00Z"},
		// The clocks went back at 00:01 to 23:01: the day had begun for a minute.
		{"America/St_Johns", "2010-11-07T02:30:30Z", "2010-11-07T02:30:00Z", "2010-11-07T02:31:00Z", "2010-11-07T02:30:00Z", "2010-11-08T03:30:00Z"},
		{"America/St_Johns", "2010-11-07T03:00:00Z", "2010-11-07T02:31:00Z", "2010-11-07T03:30:00Z", "2010-11-07T02:30:00Z", "2010-11-08T03:30:00Z"},
		// A day that Samoa left out.
		{"Pacific/Apia", "2011-12-30T12:00:00Z", "2011-12-30T12:00:00Z", "2011-12-30T13:00:00Z", "2011-12-30T10:00:00Z", "2011-12-31T10:00:00Z"},
	} {
		at, err := time.Parse(layout, c.at)
		if err != nil {
			t.Fatal(err)
		}
		zone := zoneOf(t, c.zone)
		format := func(ms int64) string { return time.UnixMilli(ms).UTC().Format(layout) }
		if from, to := HourOf(at.UnixMilli(), zone); format(from) != c.hour || format(to) != c.hourEnd {
			t.Errorf("%s %s: hour %s to %s, want %s to %s", c.zone, c.at, format(from), format(to), c.hour, c.hourEnd)
		}
		if from, to := DayOf(at.UnixMilli(), zone); format(from) != c.day || format(to) != c.dayEnd {
			t.Errorf("%s %s: day %s to %s, want %s to %s", c.zone, c.at, format(from), format(to), c.day, c.dayEnd)
		}
	}
}

// Hours follow each other without a gap, and so do days, each of which is whole hours.
func TestHoursAddUpToDays(t *testing.T) {
	for _, name := range []string{"UTC", "Asia/Kolkata", "Asia/Kathmandu", "Europe/Berlin", "Australia/Lord_Howe", "Africa/Cairo", "America/Havana",
		"America/St_Johns", "Pacific/Apia", "Pacific/Chatham", "America/Sao_Paulo", "Africa/Casablanca"} {
		zone := zoneOf(t, name)
		day, end := DayOf(time.Date(2009, 12, 31, 20, 0, 0, 0, time.UTC).UnixMilli(), zone)
		for end < time.Date(2013, 1, 1, 0, 0, 0, 0, time.UTC).UnixMilli() {
			for at := day; at < end; {
				from, to := HourOf(at, zone)
				last, _ := HourOf(to-1, zone)
				if from != at || to <= from || to-from > hourMS || last != from || to > end {
					t.Fatalf("%s: in the day from %d to %d an hour from %d to %d at %d", name, day, end, from, to, at)
				}
				at = to
			}
			if from, to := DayOf(end-1, zone); from != day || to != end {
				t.Fatalf("%s: day from %d to %d, its last ms in one from %d to %d", name, day, end, from, to)
			}
			from, to := DayOf(end, zone)
			if from != end || to <= from {
				t.Fatalf("%s: after the day until %d comes one from %d to %d", name, end, from, to)
			}
			day, end = from, to
		}
	}
}
