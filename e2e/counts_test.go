//go:build linux

package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"
)

// noWaits is the frequency of a popup that is always returned.
const noWaits = `{"after_impression_sec":0,"after_click_sec":0,"after_dismiss_sec":0}`

// split is a popup of one variant that is shown and one that is a control, by weight.
func split(key, frequency string, shown, control int) string {
	return fmt.Sprintf(`{"key":%q,"status":"active","priority":2,"frequency":%s,"variants":[{"key":"a","weight":%d,"content":{}},{"key":"c","weight":%d,"control":true,"content":{}}]}`,
		key, frequency, shown, control)
}

const accepted = http.StatusAccepted

// TestCounts: what an impression or an action is worth is decided by the database,
// whatever the server that took it remembers.
func TestCounts(t *testing.T) {
	t.Parallel()
	st := startStores(t)
	for _, c := range []struct {
		name string // also of the database
		run  func(d *deployment)
	}{
		{"clicks_of_an_archived_popup", func(d *deployment) {
			s := d.server()
			s.create("one", "{}")
			p := s.mustShow("u", "one")
			s.archive("one")
			for range 5 {
				s.mustAct(p.Token, "click", accepted)
			}
			one := totals{Impressions: 1, Users: 1, Clicks: 1, ClickUsers: 1, CTR: 1}
			s.wantTotals("one", one)
			s.Kill()
			s.restart()
			for range 2 {
				s.mustAct(p.Token, "click", accepted)
			}
			s.wantTotals("one", one)
		}},
		{"a_click_on_two_servers", func(d *deployment) {
			a, b := d.server(), d.server()
			a.create("one", "{}")
			p := a.mustShow("u", "one")
			for range 2 { // the second one after the first is committed
				b.mustAct(p.Token, "click", accepted)
				a.mustAct(p.Token, "click", accepted)
				a.wantTotals("one", totals{Impressions: 1, Users: 1, Clicks: 1, ClickUsers: 1, CTR: 1}, b)
			}
			a.mustAct(p.Token, "convert", accepted)
			a.Kill()
			b.mustAct(p.Token, "convert", accepted)
			b.mustAct(p.Token, "click", accepted)
			a.restart()
			a.mustAct(p.Token, "click", accepted)
			a.wantTotals("one", totals{Impressions: 1, Users: 1, Clicks: 1, Converts: 1, ClickUsers: 1, ConvertUsers: 1, CTR: 1}, b)
			d.wantRows("clicks counted", 1, "SELECT COUNT(*) FROM event WHERE action = 2 AND repeated = 0")
			d.wantRows("actions of the impression", 1|4, "SELECT acted FROM impression")
		}},
		{"a_click_on_an_older_impression", func(d *deployment) {
			s := d.server()
			s.create("one", `{"after_impression_sec":0,"after_click_sec":86400}`)
			older, newer := s.mustShow("u", "one"), s.mustShow("u", "one")
			s.mustAct(older.Token, "click", accepted)
			s.staysAway("u", 0)
			s.wantTotals("one", totals{Impressions: 2, Users: 1, Clicks: 1, ClickUsers: 1, CTR: 0.5})
			d.restartEmpty(s)
			s.staysAway("u", 0)
			s.mustAct(newer.Token, "click", accepted)
			s.mustAct(older.Token, "click", accepted)
			s.wantTotals("one", totals{Impressions: 2, Users: 1, Clicks: 2, ClickUsers: 1, CTR: 1})
		}},
		{"a_click_again_after_the_sweep", func(d *deployment) {
			s := d.server()
			s.create("one", noWaits)
			p := s.mustShow("u", "one")
			s.mustAct(p.Token, "click", accepted)
			for range 2 {
				d.restartEmpty(s, aMonthAgo)
				if n := s.states("u"); n != 0 {
					d.t.Errorf("the server remembers %d states of a month ago", n)
				}
				s.mustAct(p.Token, "click", accepted)
				s.wantTotals("one", totals{Impressions: 1, Users: 1, Clicks: 1, ClickUsers: 1, CTR: 1})
			}
			d.wantRows("repeated clicks", 2, "SELECT COUNT(*) FROM event WHERE action = 2 AND repeated = 1")
		}},
		{"a_control", func(d *deployment) {
			s := d.server()
			frequency := `{"after_impression_sec":0,"after_click_sec":0,"max_impressions":1}`
			s.post(split("one", frequency, 0, 100))
			for range 10 {
				s.staysAway("u", 0)
			}
			s.waitDrained()
			d.wantRows("controls", 10, "SELECT SUM(controls) FROM popup_stats")
			d.wantRows("users of them", 1, "SELECT SUM(control_users) FROM popup_stats")
			s.put("one", split("one", frequency, 100, 0))
			s.mustShow("u", "one")
			s.staysAway("u", 300*time.Millisecond) // its one impression
			s.wantTotals("one", totals{Impressions: 1, Users: 1, Controls: 10, ControlUsers: 1})
		}},
		{"a_user_who_comes_back", func(d *deployment) {
			s := d.server()
			s.create("one", noWaits)
			s.post(split("two", noWaits, 0, 100))
			for n := range 3 {
				p := s.mustShow("u", "one")
				s.mustAct(p.Token, "click", accepted)
				s.mustAct(p.Token, "convert", accepted)
				s.wantTotals("one", totals{Impressions: n + 1, Users: 1, Clicks: n + 1, Converts: n + 1, ClickUsers: 1, ConvertUsers: 1, CTR: 1})
				s.wantTotals("two", totals{Controls: n + 1, ControlUsers: 1})
				d.restartEmpty(s, aMonthAgo)
			}
		}},
		{"a_user_of_two_servers", func(d *deployment) {
			a, b := d.server(), d.server()
			a.create("one", noWaits)
			a.post(split("two", noWaits, 0, 100))
			const users = 50
			for n := range users { // of whom the other server has heard nothing yet
				user := fmt.Sprint("u-", n)
				for _, s := range []*server{a, b} {
					var p *pollAnswer
					eventually(d.t, 5*time.Second, func() error { // the other one has to load the popups
						if p = s.mustAsk(user); p == nil {
							return fmt.Errorf("%s is shown nothing", user)
						}
						return nil
					})
					s.mustAct(p.Token, "click", accepted)
				}
			}
			a.waitDrained()
			b.waitDrained()
			d.wantRows("users", users, "SELECT SUM(users) FROM popup_stats")
			d.wantRows("users who clicked", users, "SELECT SUM(click_users) FROM popup_stats")
			d.wantRows("users of the control", users, "SELECT SUM(control_users) FROM popup_stats")
		}},
		{"hours_of_a_zone", func(d *deployment) {
			s := d.server("-report-timezone", "Asia/Kathmandu")
			s.create("one", noWaits)
			s.mustShow("u", "one")
			s.wantTotals("one", totals{Impressions: 1, Users: 1})
			d.wantRows("hours that begin at a quarter past one of UTC", 1, "SELECT COUNT(*) FROM popup_stats WHERE hour % 3600000 = 900000")
		}},
		{"an_export_from_two_servers", func(d *deployment) {
			a, b := d.server(), d.server()
			a.create("one", noWaits)
			p := a.mustShow("u", "one")
			b.mustAct(p.Token, "click", accepted)
			a.mustAct(p.Token, "click", accepted) // one of them is repeated
			a.waitDrained()
			b.waitDrained()
			if _, err := d.db.Exec("UPDATE event SET at_ms = at_ms - 60000"); err != nil { // a minute later
				d.t.Fatal(err)
			}
			first, cursor := a.export("", 1)
			second, cursor := b.export(cursor, 1)
			rest, _ := a.export(cursor, 1)
			got := slices.Sorted(slices.Values(slices.Concat(first, second, rest)))
			if want := []string{"click u one", "impression u one"}; len(first) != 1 || !slices.Equal(got, want) {
				d.t.Errorf("exported %q, %q and %q, want %q one by one", first, second, rest, want)
			}
		}},
		{"a_view_and_a_release", func(d *deployment) {
			a, b := d.server(), d.server()
			a.create("one", `{"max_impressions":1}`)
			p := a.mustShow("u", "one")
			b.mustAct(p.Token, "view", accepted)
			a.mustAct(p.Token, "view", accepted)
			a.staysAway("u", 0)
			a.mustAct(p.Token, "release", accepted)
			b.mustAct(p.Token, "release", accepted)
			a.mustShow("u", "one")
			a.staysAway("u", 0)
			a.wantTotals("one", totals{Impressions: 2, Users: 1, Views: 1, Releases: 1}, b)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			d := newDeployment(t, st, c.name)
			c.run(d)
			if err := checkInvariants(d.db, stateInvariant); err != nil { // what is not known is not numbered
				t.Error(err)
			}
		})
	}
}

// export returns events that counted, after a cursor, and the cursor behind them.
func (s *server) export(after string, limit int) (events []string, cursor string) {
	s.t.Helper()
	req, err := http.NewRequest("GET", fmt.Sprintf("%s/v1/admin/events?limit=%d&after=%s", s.adminURL, limit, after), nil)
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+adminToken)
	resp, err := client.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	for lines := json.NewDecoder(resp.Body); lines.More(); {
		var e struct{ Action, UID, Popup, Cursor string }
		if err := lines.Decode(&e); err != nil || resp.StatusCode != http.StatusOK {
			s.t.Fatalf("export: %d, %v", resp.StatusCode, err)
		}
		if cursor = e.Cursor; cursor == "" {
			events = append(events, e.Action+" "+e.UID+" "+e.Popup)
		}
	}
	return events, cursor
}
