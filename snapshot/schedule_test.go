package snapshot

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/popupd/popupd/popup"
)

func scheduled(t testing.TB, schedule string) *Popup {
	t.Helper()
	return mustCompile(t, row(1, `"schedule":{`+schedule+`}`)).Popup(1)
}

func ms(t testing.TB, rfc3339 string) int64 {
	t.Helper()
	at, err := time.Parse(time.RFC3339Nano, rfc3339)
	if err != nil {
		t.Fatal(err)
	}
	return at.UnixMilli()
}

func TestSchedule(t *testing.T) {
	const (
		newYork = `"timezone":"America/New_York"`
		berlin  = `"timezone":"Europe/Berlin"`
	)
	for _, c := range []struct {
		name, schedule, at string
		want               popup.Reason
	}{
		{"start is inclusive", `"start_at":"2026-07-01T12:00:00Z"`, "2026-07-01T12:00:00Z", popup.Eligible},
		{"before start", `"start_at":"2026-07-01T12:00:00Z"`, "2026-07-01T11:59:59.999Z", popup.NotStarted},
		{"end is exclusive", `"end_at":"2026-07-01T12:00:00Z"`, "2026-07-01T12:00:00Z", popup.Ended},
		{"before end", `"end_at":"2026-07-01T12:00:00Z"`, "2026-07-01T11:59:59.999Z", popup.Eligible},

		{"window starts", `"hours":[["09:00","18:00"]]`, "2026-07-01T09:00:00Z", popup.Eligible},
		{"before the window", `"hours":[["09:00","18:00"]]`, "2026-07-01T08:59:59.999Z", popup.OutsideHours},
		{"last moment of the window", `"hours":[["09:00","18:00"]]`, "2026-07-01T17:59:59.999Z", popup.Eligible},
		{"window ends", `"hours":[["09:00","18:00"]]`, "2026-07-01T18:00:00Z", popup.OutsideHours},
		{"second window", `"hours":[["01:00","02:00"],["17:00","24:00"]]`, "2026-07-01T23:59:59Z", popup.Eligible},
		{"24:00 is the end of the day", `"hours":[["17:00","24:00"]]`, "2026-07-02T00:00:00Z", popup.OutsideHours},
		{"days alone", `"days":["wed"]`, "2026-07-01T23:59:59Z", popup.Eligible},
		{"the wrong day", `"days":["wed"]`, "2026-07-02T00:00:00Z", popup.OutsideHours},

		{"night of the start day", `"days":["wed"],"hours":[["22:00","02:00"]]`, "2026-07-02T01:59:00Z", popup.Eligible},
		{"night of the day before", `"days":["wed"],"hours":[["22:00","02:00"]]`, "2026-07-01T01:00:00Z", popup.OutsideHours},
		{"night over the end of the week", `"days":["sun"],"hours":[["22:00","02:00"]]`, "2026-07-06T01:00:00Z", popup.Eligible},
		{"until midnight", `"days":["wed"],"hours":[["22:00","00:00"]]`, "2026-07-01T23:59:00Z", popup.Eligible},
		{"not after midnight", `"days":["wed"],"hours":[["22:00","00:00"]]`, "2026-07-02T00:00:00Z", popup.OutsideHours},

		{"local time", newYork + `,"hours":[["09:00","10:00"]]`, "2026-07-01T13:00:00Z", popup.Eligible},
		{"local day", newYork + `,"days":["tue"]`, "2026-07-01T03:59:59Z", popup.Eligible},
		{"half-hour zone", `"timezone":"Asia/Kolkata","hours":[["09:00","10:00"]]`, "2026-07-01T03:30:00Z", popup.Eligible},

		// 2026-03-08: at 02:00 EST the clocks of New York go to 03:00 EDT.
		{"winter time, last minute", newYork + `,"hours":[["01:00","02:00"]]`, "2026-03-08T06:59:59Z", popup.Eligible},
		{"the hour that does not exist", newYork + `,"hours":[["02:00","03:00"]]`, "2026-03-08T07:00:00Z", popup.OutsideHours},
		{"summer time, first minute", newYork + `,"hours":[["03:00","04:00"]]`, "2026-03-08T07:00:00Z", popup.Eligible},
		{"a window around the gap", newYork + `,"days":["sun"],"hours":[["01:30","03:30"]]`, "2026-03-08T07:29:59Z", popup.Eligible},
		{"a window around the gap ends", newYork + `,"days":["sun"],"hours":[["01:30","03:30"]]`, "2026-03-08T07:30:00Z", popup.OutsideHours},
		// 2026-10-25: at 03:00 CEST the clocks of Berlin go back to 02:00 CET.
		{"the hour that comes twice, first", berlin + `,"hours":[["02:00","03:00"]]`, "2026-10-25T00:30:00Z", popup.Eligible},
		{"the hour that comes twice, second", berlin + `,"hours":[["02:00","03:00"]]`, "2026-10-25T01:30:00Z", popup.Eligible},
		{"after both", berlin + `,"hours":[["02:00","03:00"]]`, "2026-10-25T02:00:00Z", popup.OutsideHours},
		// Lord Howe's clocks move by half an hour: at 02:00 on 2026-04-05 back to 01:30.
		{"half an hour, first", `"timezone":"Australia/Lord_Howe","hours":[["01:30","02:00"]]`, "2026-04-04T14:45:00Z", popup.Eligible},
		{"half an hour, second", `"timezone":"Australia/Lord_Howe","hours":[["01:30","02:00"]]`, "2026-04-04T15:15:00Z", popup.Eligible},
		{"half an hour, over", `"timezone":"Australia/Lord_Howe","hours":[["01:30","02:00"]]`, "2026-04-04T15:30:00Z", popup.OutsideHours},
	} {
		if got := gateOf(scheduled(t, c.schedule), request("u"), defaultPlacement, ms(t, c.at)); got != c.want {
			t.Errorf("%s: {%s} at %s: %v, want %v", c.name, c.schedule, c.at, got, c.want)
		}
	}
}

// TestUserTime: days and hours are those of the user's clock, as far as its zone is known.
func TestUserTime(t *testing.T) {
	const berlin = `"timezone":"Europe/Berlin","days":["wed"],"hours":[["09:00","10:00"]]`
	for _, c := range []struct {
		zone, at string
		want     popup.Reason
	}{
		{"America/New_York", "2026-07-01T13:30:00Z", popup.Eligible}, {"America/New_York", "2026-07-01T07:30:00Z", popup.OutsideHours},
		{"Asia/Shanghai", "2026-07-01T01:30:00Z", popup.Eligible}, {"Asia/Kolkata", "2026-07-01T03:30:00Z", popup.Eligible}, {"Asia/Calcutta", "2026-07-01T03:30:00Z", popup.Eligible},
		{"Pacific/Kiritimati", "2026-06-30T19:00:00Z", popup.Eligible}, // it is Wednesday there already
		{"UTC", "2026-07-01T09:00:00Z", popup.Eligible},
		// Without a zone that is known: that of the schedule.
		{"", "2026-07-01T07:30:00Z", popup.Eligible}, {"", "2026-07-01T09:30:00Z", popup.OutsideHours}, {"Mars/Olympus", "2026-07-01T07:30:00Z", popup.Eligible},
		{"america/new_york", "2026-07-01T07:30:00Z", popup.Eligible}, {"Local", "2026-07-01T07:30:00Z", popup.Eligible}, {"../UTC", "2026-07-01T07:30:00Z", popup.Eligible}, {"+02:00", "2026-07-01T07:30:00Z", popup.Eligible},
	} {
		r := &popup.Request{User: []byte("u"), Zone: []byte(c.zone)}
		if got := gateOf(scheduled(t, berlin+`,"user_time":true`), r, defaultPlacement, ms(t, c.at)); got != c.want {
			t.Errorf("%q at %s: %v, want %v", c.zone, c.at, got, c.want)
		}
		r.Zone = []byte("Asia/Tokyo")
		if got := gateOf(scheduled(t, berlin), r, defaultPlacement, ms(t, "2026-07-01T07:30:00Z")); got != popup.Eligible {
			t.Errorf("without user_time the zone of the user counts: %v", got)
		}
	}
}

// Of a zone all requests and snapshots share one table.
func TestUserZonesAreShared(t *testing.T) {
	first := mustCompile(t, row(1, `"schedule":{"user_time":true,"days":["wed"]}`))
	changed := row(2, `"schedule":{"user_time":true,"days":["thu"]}`)
	next, _ := Compile(popup.Catalog{Revision: 2, Popups: []popup.Row{changed}}, first)
	tokyo := []byte("Asia/Tokyo")
	a, b := first.Popup(1).schedule.users.find(tokyo), next.Popup(2).schedule.users.find(tokyo)
	if a == nil || a != b || a == first.Popup(1).schedule.zone {
		t.Error("each snapshot has a table of its own")
	}
}

// TestMinuteOfWeek compares the tables with package time, around every change
// of the clocks, inside the years they cover and outside.
func TestMinuteOfWeek(t *testing.T) {
	for _, name := range []string{"UTC", "America/New_York", "Europe/Berlin", "Asia/Kolkata", "Australia/Lord_Howe", "America/Sao_Paulo",
		"Pacific/Apia", "Africa/Casablanca", "Asia/Pyongyang", "Europe/Dublin", "Antarctica/Troll", "Asia/Shanghai"} {
		location, err := time.LoadLocation(name)
		if err != nil {
			t.Fatal(err)
		}
		z := newZone(location)
		check := func(at int64) {
			t.Helper()
			local := time.UnixMilli(at).In(location)
			want := (int(local.Weekday())+6)%7*minutesPerDay + local.Hour()*60 + local.Minute()
			if got := z.minuteOfWeek(at); got != want {
				t.Fatalf("%s at %s: minute %d, want %d", name, local, got, want)
			}
		}
		for _, since := range z.since {
			for _, d := range []int64{-3600_000, -1, 0, 1, 3600_000} {
				check(since*1000 + d)
			}
		}
		const seed = 7
		random := rand.New(rand.NewPCG(seed, seed))
		for range 2000 {
			check(random.Int64N(popup.Never))            // until 9999
			check(random.Int64N(zoneTo.UnixMilli()))     // since 1970
			check(-random.Int64N(100 * 365 * 86400_000)) // before
		}
	}
}

func BenchmarkHotMinuteOfWeek(b *testing.B) {
	location, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		b.Fatal(err)
	}
	z := newZone(location)
	for b.Loop() {
		z.minuteOfWeek(nowMS)
	}
}
