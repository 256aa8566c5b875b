package api_test

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/popupd/popupd/popup"
)

// pagesOf returns the keys of each page of a list.
func (p *plane) pagesOf(query string) (pages []string) {
	for cursor := ""; ; {
		a := p.Want(200, "", "GET", popupsPath+"?"+query+cursor, "").JSON(p.t)
		pages = append(pages, strings.Join(members(a, "key"), " "))
		next, more := a["next_cursor"].(string)
		if !more {
			return pages
		}
		cursor = "&cursor=" + next
	}
}

func TestList(t *testing.T) {
	p := newPlane(t)
	empty := p.Want(200, "", "GET", popupsPath, "")
	if got, want := strings.TrimSpace(string(empty.Body)), `{"items":[],"next_cursor":null,"total":0}`; got != want {
		t.Errorf("no popups: %s, want %s", got, want)
	}
	for i := range 7 {
		p.create(fmt.Sprintf("p%d", i))
	}
	p.Want(200, "", "POST", popupsPath+"/p3/pause", "")
	p.Want(201, "", "POST", popupsPath, `{"key":"sale","name":"Ünder 50 %","priority":5,"tags":["spring","shop"],"placements":["home","cart"],"variants":[{"key":"x","content":{"title":"Nur heute"}}]}`)

	for _, c := range []struct {
		query string
		want  []string // the pages
	}{
		{"", []string{"p0 p1 p2 p3 p4 p5 p6 sale"}},
		{"limit=3", []string{"p0 p1 p2", "p3 p4 p5", "p6 sale"}},
		{"limit=8", []string{"p0 p1 p2 p3 p4 p5 p6 sale"}},
		{"status=active&limit=4", []string{"p0 p1 p2 p4", "p5 p6"}},
		{"status=paused", []string{"p3"}},
		{"status=paused,draft", []string{"p3 sale"}},
		{"status=paused&status=draft", []string{"p3 sale"}},
		{"status=archived", []string{""}},
		{"sort=-id&limit=5", []string{"sale p6 p5 p4 p3", "p2 p1 p0"}},
		{"sort=-name&limit=6", []string{"sale p6 p5 p4 p3 p2", "p1 p0"}},
		{"sort=priority&limit=7", []string{"p0 p1 p2 p3 p4 p5 p6", "sale"}},
		{"q=%C3%BCNDER+heute", []string{"sale"}},
		{"q=under", []string{""}},
		{"q=p4", []string{"p4"}},
		{"tag=shop", []string{"sale"}},
		{"tag=sho", []string{""}},
		{"placement=default&status=paused", []string{"p3"}},
		{"placement=cart", []string{"sale"}},
	} {
		if d := cmp.Diff(c.want, p.pagesOf(c.query)); d != "" {
			t.Errorf("%q (-want +got):\n%s", c.query, d)
		}
	}
}

// A filter that can't be read is not left out: whoever asks would take the list for what it asked for.
func TestListsRefuseBrokenQueries(t *testing.T) {
	p := newPlane(t)
	p.create("a")
	for _, path := range []string{popupsPath + "?tag=x;y", popupsPath + "?q=100%", popupsPath + "?limit=1&status=%zz", "/v1/admin/audit?object=a;b", popupsPath + "/a/revisions?limit=%"} {
		p.Want(400, "invalid_parameter", "GET", path, "")
	}
	p.Want(200, "", "GET", popupsPath+"?tag=x%3By&q=100%25", "")
}

// A page begins where the one before ended, whatever is changed between them.
func TestListUnderChanges(t *testing.T) {
	p := newPlane(t)
	for i := range 6 {
		p.create(fmt.Sprintf("p%d", i))
	}
	first := p.Want(200, "", "GET", popupsPath+"?sort=key&status=active&limit=3", "").JSON(t)
	p.create("a")
	p.Want(200, "", "DELETE", popupsPath+"/p1", "", "If-Match", "*")
	p.Want(200, "", "DELETE", popupsPath+"/p2", "", "If-Match", "*")
	second := p.Want(200, "", "GET", popupsPath+"?sort=key&status=active&limit=3&cursor="+first["next_cursor"].(string), "").JSON(t)
	if d := cmp.Diff([]string{"p3", "p4", "p5"}, members(second, "key")); d != "" {
		t.Errorf("second page (-want +got):\n%s", d)
	}
	if second["total"] != 5.0 || second["next_cursor"] != nil {
		t.Errorf("total %v, next_cursor %v; want 5 and none", second["total"], second["next_cursor"])
	}
}

func TestListFacets(t *testing.T) {
	p := newPlane(t)
	p.create("a")
	p.Want(201, "", "POST", popupsPath, `{"key":"b","tags":["x"],"placements":["home"]}`)
	p.Want(201, "", "POST", popupsPath, `{"key":"c","tags":["x","w"],"placements":["home","cart"]}`)
	got := p.Want(200, "", "GET", popupsPath+"?status=draft&placement=cart&facets=1", "").JSON(t)["facets"]
	one := func(value string, popups float64) any { return map[string]any{"value": value, "popups": popups} }
	want := map[string]any{
		"statuses":   map[string]any{"draft": 1.0},
		"tags":       []any{one("w", 1), one("x", 1)},
		"placements": []any{one("cart", 1), one("home", 2)},
	}
	if d := cmp.Diff(any(want), got); d != "" {
		t.Errorf("facets (-want +got):\n%s", d)
	}
}

func TestListStats(t *testing.T) {
	p := newPlane(t) // it is 12:34
	id := p.create("a")
	p.create("b")
	hour := p.Clock() / 3_600_000 * 3_600_000
	p.store.counts[id] = []popup.Counts{
		{Variant: "x", HourMS: hour, Impressions: 4, Clicks: 1, Users: 3, Views: 2, Dismisses: 1},
		{Variant: "y", HourMS: hour, Impressions: 1},
		{Variant: "x", HourMS: hour - 24*3_600_000, Impressions: 10, Clicks: 2},
		{Variant: "x", HourMS: hour - 167*3_600_000, Impressions: 5},
		{Variant: "x", HourMS: hour - 168*3_600_000, Impressions: 1000}, // before
	}
	var got struct {
		Items []struct {
			ID    uint32
			Stats struct {
				Impressions, Clicks, Users, Views, Dismisses uint64
				CTR                                          float64
				Points                                       []struct{ Impressions, Clicks uint64 }
			}
		}
		StatsSpan struct {
			From, To string
			PointSec int64 `json:"point_sec"`
		} `json:"stats_span"`
	}
	p.Want(200, "", "GET", popupsPath+"?stats=1", "").Decode(t, &got)
	s := got.Items[0].Stats
	if s.Impressions != 20 || s.Clicks != 3 || s.Users != 3 || s.Views != 2 || s.Dismisses != 1 || s.CTR != 0.15 {
		t.Errorf("statistics %+v", s)
	}
	if got, want := fmt.Sprint(s.Points), "[{5 0} {0 0} {0 0} {0 0} {0 0} {10 2} {5 1}]"; got != want {
		t.Errorf("points %s, want %s", got, want)
	}
	if other := got.Items[1]; other.ID != 2 || other.Stats.Impressions != 0 || len(other.Stats.Points) != 7 {
		t.Errorf("a popup without events: %+v", other)
	}
	if got, want := fmt.Sprint(got.StatsSpan), "{2026-03-03T13:00:00Z 2026-03-10T13:00:00Z 86400}"; got != want {
		t.Errorf("span %s, want %s", got, want)
	}
	if p.Want(200, "", "GET", popupsPath+"?stats=0", "").JSON(t)["items"].([]any)[0].(map[string]any)["stats"] != nil {
		t.Error("statistics that nobody asked for")
	}
}

func TestBadParameters(t *testing.T) {
	p := newPlane(t)
	p.create("a")
	p.create("b")
	cursor := p.Want(200, "", "GET", popupsPath+"?limit=1", "").JSON(t)["next_cursor"].(string)
	for _, path := range []string{
		popupsPath + "?limit=0", popupsPath + "?limit=-1", popupsPath + "?limit=501", popupsPath + "?limit=x", popupsPath + "?limit=1.5",
		popupsPath + "?status=on", popupsPath + "?status=draft,", popupsPath + "?q=" + strings.Repeat("x", 201), popupsPath + "?q=%ff",
		popupsPath + "?sort=size", popupsPath + "?sort=--key", popupsPath + "?stats=yes", popupsPath + "?facets=2", popupsPath + "?stats=1&limit=101",
		popupsPath + "?cursor=x", popupsPath + "?cursor=cG9wdXA6LTE", popupsPath + "?cursor=%00", popupsPath + "?sort=key&cursor=" + cursor,
		"/v1/admin/audit?cursor=" + cursor, "/v1/admin/audit?limit=x",
		"/v1/admin/audit?object=%ff", "/v1/admin/audit?object=" + strings.Repeat("x", 256),
		popupsPath + "/a/revisions?cursor=" + cursor, popupsPath + "/a/revisions?limit=0",
	} {
		p.Want(400, "invalid_parameter", "GET", path, "")
	}
	p.Want(200, "", "GET", popupsPath+"?limit=500", "")
	far := p.Want(200, "", "GET", popupsPath+"?cursor="+base64.RawURLEncoding.EncodeToString([]byte("popup:id:4294967295:0:")), "")
	if got := members(far.JSON(t), "key"); len(got) != 0 {
		t.Errorf("after the last id: %v", got)
	}
}
