package api_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/popupd/popupd/internal/apitest"
	"github.com/popupd/popupd/popup"
)

func hour(t time.Time, variant string, impressions, users, clicks, dismisses, converts, controls uint64) popup.Counts {
	return popup.Counts{
		Variant: variant, HourMS: t.Truncate(time.Hour).UnixMilli(), Impressions: impressions, Users: users,
		Clicks: clicks, Dismisses: dismisses, Converts: converts, Controls: controls,
	}
}

// figures is what the tests look at of an answer.
type figures struct {
	Totals counts
	Series []struct {
		At          time.Time
		Impressions uint64
		Clicks      uint64
		CTR         float64
	}
}

type counts struct {
	Impressions, Users, Clicks, Dismisses, Converts, Controls uint64
	Views, Releases                                           uint64

	ClickUsers   uint64 `json:"click_users"`
	ConvertUsers uint64 `json:"convert_users"`
	ControlUsers uint64 `json:"control_users"`
	CTR          float64
}

type statistics struct {
	From, To time.Time
	Interval string
	Timezone string
	figures
	Variants []struct {
		Key string
		figures
	}
	WhyNot       map[string]uint64 `json:"why_not"`
	WhyNotSample struct {
		Polls, Sampled uint64
		Rate           float64
	} `json:"why_not_sample"`
}

func (p *plane) stats(query string) statistics {
	p.t.Helper()
	var s statistics
	p.Want(200, "", "GET", popupsPath+"/a/stats"+query, "").Decode(p.t, &s)
	return s
}

// course returns the points in which something happened.
func (f figures) course() map[string]uint64 {
	out := map[string]uint64{}
	for _, x := range f.Series {
		if x.Impressions > 0 {
			out[x.At.Format(time.RFC3339)] = x.Impressions
		}
	}
	return out
}

func TestStats(t *testing.T) {
	p := newPlane(t)
	p.Want(201, "", "POST", popupsPath, `{"key":"a","variants":[{"key":"b"},{"key":"a"},{"key":"c","control":true}]}`)
	p.Want(201, "", "POST", popupsPath, `{"key":"other"}`)
	now := apitest.Noon
	p.store.counts[1] = []popup.Counts{
		hour(now, "a", 10, 8, 4, 2, 1, 0), // this hour
		hour(now.Add(-time.Hour), "a", 2, 1, 0, 0, 0, 0),
		hour(now.Add(-13*time.Hour), "b", 5, 5, 1, 0, 0, 0),               // yesterday, 23 h
		hour(now.Add(-36*time.Hour), "gone", 3, 3, 3, 0, 0, 0),            // the day before
		hour(now.Add(-36*time.Hour), "c", 0, 2, 0, 0, 0, 7),               // nothing shown
		hour(now.AddDate(0, 0, -7).Add(time.Hour), "a", 1, 1, 0, 0, 0, 0), // the first hour
		hour(now.AddDate(0, 0, -7), "a", 1000, 1000, 0, 0, 0, 0),          // an hour before that
	}
	for i := range p.store.counts[1][:2] {
		c := &p.store.counts[1][i]
		c.Views, c.Releases, c.ClickUsers, c.ConvertUsers, c.ControlUsers = 9, 8, 7, 6, 5
	}
	p.store.counts[2] = []popup.Counts{hour(now, "a", 77, 0, 0, 0, 0, 0)}

	wantTotals := counts{Impressions: 21, Users: 20, Clicks: 8, Dismisses: 2, Converts: 1, Controls: 7, CTR: 8.0 / 21,
		Views: 18, Releases: 16, ClickUsers: 14, ConvertUsers: 12, ControlUsers: 10}
	byHour := p.stats("")
	if got, want := byHour.From, now.AddDate(0, 0, -7).Truncate(time.Hour).Add(time.Hour); !got.Equal(want) {
		t.Errorf("from %v, want %v", got, want)
	}
	if got, want := byHour.To, now.Truncate(time.Hour).Add(time.Hour); !got.Equal(want) {
		t.Errorf("to %v, want the end of this hour, %v", got, want)
	}
	if d := cmp.Diff(wantTotals, byHour.Totals); d != "" {
		t.Errorf("totals (-want +got):\n%s", d)
	}
	if byHour.Interval != "hour" || len(byHour.Series) != 7*24 {
		t.Errorf("%d points by %s, want %d by hour", len(byHour.Series), byHour.Interval, 7*24)
	}
	if d := cmp.Diff(map[string]uint64{
		"2026-03-10T12:00:00Z": 10, "2026-03-10T11:00:00Z": 2, "2026-03-09T23:00:00Z": 5, "2026-03-09T00:00:00Z": 3, "2026-03-03T13:00:00Z": 1,
	}, byHour.course()); d != "" {
		t.Errorf("by hour (-want +got):\n%s", d)
	}

	// The first hour is on the day before the last seven days.
	byDay := p.stats("?interval=day")
	wantTotals.Impressions, wantTotals.Users, wantTotals.CTR = 20, 19, 8.0/20
	if d := cmp.Diff(wantTotals, byDay.Totals); d != "" {
		t.Errorf("totals by day (-want +got):\n%s", d)
	}
	if byDay.Interval != "day" || len(byDay.Series) != 7 {
		t.Fatalf("%d points by %s, want 7 by day", len(byDay.Series), byDay.Interval)
	}
	if d := cmp.Diff(map[string]uint64{"2026-03-10T00:00:00Z": 12, "2026-03-09T00:00:00Z": 8}, byDay.course()); d != "" {
		t.Errorf("by day (-want +got):\n%s", d)
	}
	if last := byDay.Series[6]; last.Clicks != 4 || last.CTR != 4.0/12 {
		t.Errorf("today: %+v", last)
	}

	var keys []string
	for _, v := range byDay.Variants {
		keys = append(keys, v.Key)
	}
	if d := cmp.Diff([]string{"b", "a", "c", "gone"}, keys); d != "" {
		t.Fatalf("variants (-want +got):\n%s", d)
	}
	if d := cmp.Diff(counts{Impressions: 12, Users: 9, Clicks: 4, Dismisses: 2, Converts: 1, CTR: 4.0 / 12,
		Views: 18, Releases: 16, ClickUsers: 14, ConvertUsers: 12, ControlUsers: 10}, byDay.Variants[1].Totals); d != "" {
		t.Errorf("variant a (-want +got):\n%s", d)
	}
	if d := cmp.Diff(counts{Users: 2, Controls: 7}, byDay.Variants[2].Totals); d != "" {
		t.Errorf("variant c (-want +got):\n%s", d)
	}
	if d := cmp.Diff(map[string]uint64{"2026-03-09T00:00:00Z": 5}, byDay.Variants[0].course()); d != "" {
		t.Errorf("variant b by day (-want +got):\n%s", d)
	}
}

func TestStatsSpan(t *testing.T) {
	p := newPlane(t)
	p.create("a")
	for _, c := range []struct {
		query, from, to string
		points          int
	}{
		{"?from=2026-03-01T00:00:00Z&to=2026-03-02T00:00:00Z", "2026-03-01T00:00:00Z", "2026-03-02T00:00:00Z", 24},
		{"?from=2026-03-01T00:59:59Z&to=2026-03-01T01:00:01Z", "2026-03-01T00:00:00Z", "2026-03-01T02:00:00Z", 2},
		{"?from=2026-03-10T12:00:00Z", "2026-03-10T12:00:00Z", "2026-03-10T13:00:00Z", 1},
		{"?to=2026-03-02T00:00:00Z", "2026-02-23T00:00:00Z", "2026-03-02T00:00:00Z", 168},
		{"?from=2026-03-01T08:00:00%2B08:00&to=2026-03-01T02:00:00Z", "2026-03-01T00:00:00Z", "2026-03-01T02:00:00Z", 2},
		{"?interval=day&from=2026-03-01T23:00:00Z&to=2026-03-03T01:00:00Z", "2026-03-01T00:00:00Z", "2026-03-04T00:00:00Z", 3},
		{"?interval=day&from=2026-03-04T05:00:00Z", "2026-03-04T00:00:00Z", "2026-03-11T00:00:00Z", 7},
		{"?interval=day&to=2026-03-02T00:00:00Z", "2026-02-23T00:00:00Z", "2026-03-02T00:00:00Z", 7},
		{"?interval=day&from=2026-03-01T00:00:00Z&to=2026-03-03T00:00:00Z", "2026-03-01T00:00:00Z", "2026-03-03T00:00:00Z", 2},
		{"?interval=hour&from=2026-02-07T13:00:00Z", "2026-02-07T13:00:00Z", "2026-03-10T13:00:00Z", 744},
		{"?to=1970-01-01T00:30:00Z", "1970-01-01T00:00:00Z", "1970-01-01T01:00:00Z", 1},
		{"?from=9999-12-31T21:30:00Z&to=9999-12-31T22:30:00Z", "9999-12-31T21:00:00Z", "9999-12-31T23:00:00Z", 2},
	} {
		s := p.stats(c.query)
		if from, to := s.From.Format(time.RFC3339), s.To.Format(time.RFC3339); from != c.from || to != c.to || len(s.Series) != c.points {
			t.Errorf("%s: %s to %s in %d points, want %s to %s in %d", c.query, from, to, len(s.Series), c.from, c.to, c.points)
		}
	}
	for _, query := range []string{
		"?interval=week", "?from=yesterday", "?to=2026-03-10", "?from=", "?from=2026-03-11T00:00:00Z",
		"?from=2026-03-02T00:00:00Z&to=2026-03-02T00:00:00Z", "?from=2026-03-03T00:00:00Z&to=2026-03-02T00:00:00Z",
		"?from=2026-02-07T12:00:00Z", "?interval=day&from=2020-01-01T00:00:00Z", "?to=1969-12-31T23:00:00Z", "?to=9999-12-31T23:30:00Z", "?interval=day&to=9999-12-31T00:00:00Z", "?from=0000-01-01T00:00:00Z",
	} {
		p.Want(400, "invalid_parameter", "GET", popupsPath+"/a/stats"+query, "")
	}
	p.Want(404, "popup_not_found", "GET", popupsPath+"/none/stats", "")
}

// Days are those of the zone that the server reports in: of 23 and 25 hours, too.
func TestStatsOfAZone(t *testing.T) {
	p := newPlane(t)
	p.create("a")
	in := func(name string) {
		t.Helper()
		zone, err := popup.LoadZone(name)
		if err != nil {
			t.Fatal(err)
		}
		p.zone = zone
		p.open(p.store)
	}
	in("Europe/Berlin")
	at := func(s string) time.Time {
		t.Helper()
		at, err := time.Parse(time.RFC3339, s)
		if err != nil {
			t.Fatal(err)
		}
		return at
	}
	p.store.counts[1] = []popup.Counts{
		hour(at("2025-10-25T21:00:00Z"), "a", 1, 0, 0, 0, 0, 0), // the last hour of the day before
		hour(at("2025-10-25T22:00:00Z"), "a", 2, 0, 0, 0, 0, 0), // the first one of 25
		hour(at("2025-10-26T22:00:00Z"), "a", 3, 0, 0, 0, 0, 0), // the last one
		hour(at("2025-10-26T23:00:00Z"), "a", 4, 0, 0, 0, 0, 0),
	}
	s := p.stats("?interval=day&from=2025-10-25T12:00:00Z&to=2025-10-27T12:00:00Z")
	if d := cmp.Diff(map[string]uint64{"2025-10-25T00:00:00+02:00": 1, "2025-10-26T00:00:00+02:00": 5, "2025-10-27T00:00:00+01:00": 4}, s.course()); d != "" {
		t.Errorf("by day (-want +got):\n%s", d)
	}
	if s.Timezone != "Europe/Berlin" {
		t.Errorf("timezone %q", s.Timezone)
	}
	for _, c := range []struct {
		zone, query, from, to string
		points                int
	}{
		{"Europe/Berlin", "?from=2025-10-01T00:00:00%2B02:00&to=2025-11-01T00:00:00%2B01:00", "2025-10-01T00:00:00+02:00", "2025-11-01T00:00:00+01:00", 745},
		{"Europe/Berlin", "?from=2025-03-01T00:00:00%2B01:00&to=2025-04-01T00:00:00%2B02:00", "2025-03-01T00:00:00+01:00", "2025-04-01T00:00:00+02:00", 743},
		{"Europe/Berlin", "?interval=day&from=2025-10-01T00:00:00%2B02:00&to=2025-11-01T00:00:00%2B01:00", "2025-10-01T00:00:00+02:00", "2025-11-01T00:00:00+01:00", 31},
		{"Europe/Berlin", "?interval=day&to=2025-10-28T00:00:00%2B01:00", "2025-10-21T00:00:00+02:00", "2025-10-28T00:00:00+01:00", 7},
		{"Europe/Berlin", "?interval=day", "2026-03-04T00:00:00+01:00", "2026-03-11T00:00:00+01:00", 7},
		{"Europe/Berlin", "", "2026-03-03T14:00:00+01:00", "2026-03-10T14:00:00+01:00", 168},
		{"Asia/Kolkata", "?from=2026-03-01T00:00:00Z&to=2026-03-01T01:00:00Z", "2026-03-01T05:00:00+05:30", "2026-03-01T07:00:00+05:30", 2},
		{"Asia/Kathmandu", "?from=2026-03-01T00:00:00Z&to=2026-03-01T00:15:00Z", "2026-03-01T05:00:00+05:45", "2026-03-01T06:00:00+05:45", 1},
		{"Asia/Kolkata", "?interval=day&from=2026-03-01T00:00:00Z&to=2026-03-01T18:30:00Z", "2026-03-01T00:00:00+05:30", "2026-03-02T00:00:00+05:30", 1},
		{"Australia/Lord_Howe", "?from=2025-10-05T00:00:00%2B10:30&to=2025-10-06T00:00:00%2B11:00", "2025-10-05T00:00:00+10:30", "2025-10-06T00:00:00+11:00", 24},
		{"Pacific/Apia", "?interval=day&from=2011-12-29T12:00:00Z&to=2011-12-31T09:00:00Z", "2011-12-29T00:00:00-10:00", "2012-01-01T00:00:00+14:00", 2},
		{"America/New_York", "?to=1970-01-01T00:30:00Z", "1969-12-31T19:00:00-05:00", "1969-12-31T20:00:00-05:00", 1},
	} {
		if p.zone.String() != c.zone {
			in(c.zone)
		}
		s := p.stats(c.query)
		if from, to := s.From.Format(time.RFC3339), s.To.Format(time.RFC3339); from != c.from || to != c.to || len(s.Series) != c.points {
			t.Errorf("%s %s: %s to %s in %d points, want %s to %s in %d", c.zone, c.query, from, to, len(s.Series), c.from, c.to, c.points)
		}
	}
	in("Pacific/Kiritimati") // the year 10000 begins there at 10:00
	p.Want(400, "invalid_parameter", "GET", popupsPath+"/a/stats?from=9999-12-31T09:00:00Z&to=9999-12-31T09:30:00Z", "")
	p.Want(400, "invalid_parameter", "GET", popupsPath+"/a/stats?from=2025-10-01T00:00:00Z&to=2025-11-02T00:00:00Z", "")
}

// What stopped a popup is added up by reason over the hours that are asked for; that it was
// shown is no reason, and one of the polls.
func TestStatsWhyNot(t *testing.T) {
	p := newPlane(t)
	id := p.create("a")
	s := p.stats("")
	if len(s.WhyNot) != 0 || s.WhyNot == nil || s.WhyNotSample.Polls != 0 || s.WhyNotSample.Rate != 0 {
		t.Errorf("nothing was counted: %+v, %+v", s.WhyNot, s.WhyNotSample)
	}
	hour := apitest.Noon.Truncate(time.Hour).UnixMilli()
	p.store.whyNot = []popup.WhyNot{
		{PopupID: id, HourMS: hour, Reason: popup.MinGap, Polls: 12, Sampled: 3},
		{PopupID: id, HourMS: hour, Reason: popup.Outranked, Polls: 8, Sampled: 2},
		{PopupID: id, HourMS: hour - 3600_000, Reason: popup.MinGap, Polls: 20, Sampled: 5},
		{PopupID: id, HourMS: hour, Reason: popup.Eligible, Polls: 60, Sampled: 15},
		{PopupID: id, HourMS: hour - 8*24*3600_000, Reason: popup.Ended, Polls: 1000, Sampled: 1},
		{PopupID: id + 1, HourMS: hour, Reason: popup.MinGap, Polls: 1000, Sampled: 1},
	}
	s = p.stats("")
	if d := cmp.Diff(map[string]uint64{"min_gap": 32, "outranked": 8}, s.WhyNot); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if got := s.WhyNotSample; got.Polls != 100 || got.Sampled != 25 || got.Rate != 0.25 {
		t.Errorf("sample %+v", got)
	}
	s = p.stats("?from=" + apitest.Noon.UTC().Format(time.RFC3339))
	if s.WhyNot["min_gap"] != 12 || s.WhyNotSample.Polls != 80 {
		t.Errorf("this hour: %+v, %+v", s.WhyNot, s.WhyNotSample)
	}
}
