package handler

import (
	"encoding/json"
	"net/http"
	"slices"
	"testing"
	"time"
)

// Popups that wait for a trigger are returned to polls that name it, and to no others. All
// answers say what the placement waits for.
func TestTriggers(t *testing.T) {
	f := newServer(t, nil, everyTime, everyTime+`,"trigger":"exit"`, `"trigger":"scroll:50"`, `"trigger":"event:cart.add","placements":["side"]`).start()
	for _, c := range []struct{ query, want string }{
		{"uid=u", "p1"},
		{"uid=u&trigger=load", "p1"},
		{"uid=u&trigger=", "p1"},
		{"uid=u&trigger=exit", "p2"},
		{"uid=u&trigger=scroll:50", "p3"},
		{"uid=u&trigger=scroll%3A50", ""}, // its wait runs
		{"uid=v&trigger=scroll%3A50", "p3"},
		{"uid=u&trigger=scroll:5", ""},
		{"uid=u&trigger=Exit", ""},
		{"uid=u&trigger=exit&trigger=load", "p2"}, // the first one counts
	} {
		r := f.do("GET", "/v1/poll?"+c.query, "")
		got := ""
		if r.status == http.StatusOK {
			var b servedBody
			if err := json.Unmarshal([]byte(r.body), &b); err != nil {
				t.Fatal(err)
			}
			got = b.Popup.Key
		}
		if got != c.want {
			t.Errorf("%s: %d %q, want %q", c.query, r.status, got, c.want)
		}
		wantHeader(t, r, map[string]string{"Popup-Triggers": "exit, scroll:50"})
		f.clock.advance(time.Second)
	}
	f.counts(1, "popupd_rejections_total", "reason", "cooldown_impression")
	f.counts(2, "popupd_rejections_total", "reason", "trigger")
	r := f.do("GET", "/v1/poll?uid=u&placement=nowhere", "")
	wantHeader(t, r, map[string]string{"Popup-Triggers": ""})
}

// The answer to a POST has the triggers of all its placements.
func TestTriggersOfPlacements(t *testing.T) {
	f := newServer(t, nil, `"trigger":"exit"`, `"trigger":"exit","placements":["side"]`, `"trigger":"event:cart.add","placements":["side","default"]`, `"trigger":"delay:5","placements":["other"]`).start()
	for _, c := range []struct {
		body     string
		shown    []string
		triggers []string
	}{
		{`{"uid":"u"}`, nil, []string{"event:cart.add", "exit"}},
		{`{"uid":"u","placements":["side","default","other"]}`, nil, []string{"event:cart.add", "exit", "delay:5"}},
		{`{"uid":"u","placements":["nowhere"],"trigger":"exit"}`, nil, []string{}},
		{`{"uid":"u","placements":["default","side"],"trigger":"exit"}`, []string{"p1 in default", "p2 in side"}, []string{"event:cart.add", "exit"}},
		{`{"uid":"u","placements":["default","side"],"trigger":null,"path":"/"}`, nil, []string{"event:cart.add", "exit"}},
	} {
		if b := f.shows(c.body, c.shown...); !slices.Equal(b.Triggers, c.triggers) {
			t.Errorf("%s: triggers %q, want %q", c.body, b.Triggers, c.triggers)
		}
	}
}

// The path of the page is an attribute, and no attribute of that name takes its place.
func TestPath(t *testing.T) {
	const anyTime = `"frequency":{"after_impression_sec":0},`
	f := newServer(t, nil, anyTime+`"targeting":{"all":[{"attr":"path","op":"prefix","value":"/shop/"}]}`).start()
	for _, c := range []struct {
		query  string
		status int
	}{
		{"uid=u&path=/shop/shoes", http.StatusOK},
		{"uid=u&path=%2Fshop%2F", http.StatusOK},
		{"uid=u&path=/", http.StatusNoContent},
		{"uid=u", http.StatusNoContent},
		{"uid=u&a.path=/shop/", http.StatusNoContent},
	} {
		if r := f.do("GET", "/v1/poll?"+c.query, ""); r.status != c.status {
			t.Errorf("%s: %d, want %d", c.query, r.status, c.status)
		}
		f.clock.advance(time.Second)
	}
	f.shows(`{"uid":"w","path":"/shop/"}`, "p1 in default")
	f.shows(`{"uid":"w","attributes":{"path":"/shop/"}}`)
}
