//go:build linux

package e2e

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cespare/xxhash/v2"

	"github.com/popupd/popupd/popup"
)

const goalUsers = 3000

// TestGoalsStory sends users through two variants, a control and a holdout, on two
// servers, each of which is killed meanwhile. Some click, some reach the goal on the page
// at once; for others both servers hear of it from backends later, again and again, with
// goals of strangers and goals that come too late for another popup. Each user who clicked
// or reached the goal in time is then in the statistics once, in the variant of theirs, and
// nobody else is. The experiment says the same, without the holdout.
func TestGoalsStory(t *testing.T) {
	t.Parallel()
	d := newDeployment(t, startStores(t), "goals", "-shed-after", "0")
	a, b := d.server(), d.server()
	a.configure(`{"holdout":{"percent":15,"salt":"story"}}`)
	a.post(`{"key":"goals","status":"active","frequency":` + noWaits + `,"goal":{"event":"purchase"},"variants":[{"key":"a","weight":40,"content":{}},{"key":"b","weight":40,"content":{}},{"key":"c","weight":20,"control":true,"content":{}}]}`)
	a.post(`{"key":"late","status":"active","frequency":` + noWaits + `,"goal":{"event":"purchase","window_sec":1},"placements":["late"]}`)
	b.reload()
	s := &goalsStory{servers: [2]*server{a, b}, variants: make([]string, goalUsers), clicks: make([]bool, goalUsers), pages: make([]bool, goalUsers)}
	s.visits(t)
	lastVisit := time.Now()
	for _, server := range s.servers { // which thereby knows what the other one has shown
		server.waitDrained()
		server.stop()
		server.mustStart()
	}
	eventually(t, time.Minute, func() error {
		if since := time.Since(lastVisit); since < 1200*time.Millisecond {
			return fmt.Errorf("a popup was shown %v ago, whose goal counts for a second", since)
		}
		return nil
	})
	reached := s.backends(t)
	a.waitDrained()
	b.waitDrained()

	want, late := map[string]totals{}, map[string]totals{}
	for n, variant := range s.variants {
		books := want[variant]
		converted := 0
		if s.pages[n] || reached[n] {
			converted = 1
		}
		if variant == "c" || variant == popup.HoldoutVariant {
			books.ControlUsers++
		} else {
			books.Users++
		}
		if s.clicks[n] {
			books.Clicks++
			books.ClickUsers++
		}
		books.Converts += converted
		books.ConvertUsers += converted
		want[variant] = books
		if n%3 != 0 {
			continue
		}
		if books = late["a"]; variant != popup.HoldoutVariant {
			books.Users++
			late["a"] = books
		} else {
			books = late[variant]
			books.ControlUsers++
			late[variant] = books
		}
	}
	s.compare(t, "goals", want)
	s.compare(t, "late", late)
	b.wantExperiment(t, "goals", "convert", experimentArm{Variant: "c", Control: true, Users: want["c"].ControlUsers, Converted: want["c"].ConvertUsers},
		experimentArm{Variant: "a", Users: want["a"].Users, Converted: want["a"].ConvertUsers},
		experimentArm{Variant: "b", Users: want["b"].Users, Converted: want["b"].ConvertUsers})
	d.wantRows("goals that wait for an exposure", 0, "SELECT COUNT(*) FROM goal_pending")
	d.wantRows("users in two variants", 0, "SELECT COUNT(*) FROM (SELECT user_id FROM event WHERE popup_id = 1 AND action IN (1, 6, 9) AND repeated = 0 GROUP BY user_id HAVING COUNT(DISTINCT variant) > 1) u")
	if err := checkInvariants(d.db, stateInvariant); err != nil {
		t.Error(err)
	}
}

// goalsStory is what the clients know: of each user the variant, and whether the page
// has reported a click and the goal.
type goalsStory struct {
	servers  [2]*server
	variants []string
	clicks   []bool
	pages    []bool
}

func goalUser(n int) string { return fmt.Sprint("goal-", n) }

// visits has each user come to one of the servers, until that has answered.
func (s *goalsStory) visits(t *testing.T) {
	next := make(chan int)
	var clients sync.WaitGroup
	for range 8 {
		clients.Go(func() {
			for n := range next {
				if err := s.visit(s.servers[n%2], n); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for n := range goalUsers {
		if n == goalUsers/3 || n == goalUsers/2 {
			server := s.servers[n%2]
			server.Kill()
			server.restart()
		}
		next <- n
	}
	close(next)
	clients.Wait()
}

func (s *goalsStory) visit(server *server, n int) error {
	var shown *pollAnswer
	err := untilAnswered(func() (status int, err error) {
		shown, err = server.ask(goalUser(n))
		return statusOf(err), err
	})
	switch heldOut := xxhash.Sum64String("holdout\x00story\x00"+goalUser(n))%10_000 < 1500; {
	case shown != nil && heldOut:
		return fmt.Errorf("%s is in the holdout and was shown variant %s", goalUser(n), shown.Popup.Variant)
	case shown != nil:
		s.variants[n] = shown.Popup.Variant
	case heldOut:
		s.variants[n] = popup.HoldoutVariant
	default:
		s.variants[n] = "c"
	}
	if s.clicks[n] = n%5 == 2 && shown != nil; s.clicks[n] {
		for _, to := range s.servers { // one of the two is a repeat
			if err := untilAnswered(func() (int, error) { return to.act(shown.Token, "click") }); err != nil {
				return err
			}
		}
	}
	if n%3 == 0 && err == nil {
		return untilAnswered(func() (int, error) {
			_, err := server.ask(goalUser(n), "placement=late")
			return statusOf(err), err
		})
	}
	if s.pages[n] = n%4 == 1; s.pages[n] && err == nil {
		err = untilAnswered(func() (int, error) {
			return report(server.dataURL, fmt.Sprintf(`{"uid":%q,"event":"purchase"}`, goalUser(n)))
		})
	}
	return err
}

// backends reports goals of half of the users to both servers at the same time, each
// batch until it is answered and some again. It returns whose.
func (s *goalsStory) backends(t *testing.T) (reached []bool) {
	r := rand.New(rand.NewPCG(13, 0))
	reached = make([]bool, goalUsers)
	var batches []string
	for from := 0; from < goalUsers; from += 250 {
		var items []string
		for n := from; n < from+250; n++ {
			if reached[n] = r.IntN(2) == 0; !reached[n] {
				continue
			}
			for range 1 + r.IntN(2) {
				items = append(items, fmt.Sprintf(`{"uid":%q,"event":"purchase"}`, goalUser(n)))
			}
			items = append(items, fmt.Sprintf(`{"uid":"stranger-%d","event":"purchase"}`, n), fmt.Sprintf(`{"uid":%q,"event":"visit"}`, goalUser(n)))
		}
		batches = append(batches, "["+strings.Join(items, ",")+"]")
	}
	var backends sync.WaitGroup
	for i, server := range s.servers {
		backends.Go(func() {
			for n, batch := range batches {
				for range 1 + (n+i)%2 {
					if err := untilAnswered(func() (int, error) { return report(server.adminURL, batch) }); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	s.servers[0].Kill()
	s.servers[0].restart()
	backends.Wait()
	return reached
}

// report reports events of the site.
func report(url, body string) (int, error) {
	req, err := http.NewRequest(http.MethodPost, url+"/v1/events", strings.NewReader(body))
	if err != nil {
		return 0, err
	}
	req.Header.Set("Authorization", "Bearer "+adminToken)
	req.Header.Set("Content-Type", "application/json")
	resp, err := client.Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusAccepted {
		err = &statusError{resp.StatusCode, string(answer)}
	}
	return resp.StatusCode, err
}

// untilAnswered sends a request until it is answered, and not with 503.
func untilAnswered(send func() (status int, err error)) error {
	pause := time.NewTicker(20 * time.Millisecond)
	defer pause.Stop()
	for range 3000 {
		status, err := send()
		if err == nil || status != 0 && status != http.StatusServiceUnavailable {
			return err
		}
		<-pause.C
	}
	return fmt.Errorf("no answer for a minute")
}

// compare holds statistics by variant against the books. How often something was shown is
// not known where a poll was not answered.
func (s *goalsStory) compare(t *testing.T, key string, want map[string]totals) {
	t.Helper()
	var stats struct {
		Variants []struct {
			Key    string
			Totals totals
		}
	}
	if status := s.servers[0].admin("GET", "/v1/admin/popups/"+key+"/stats", "", "", &stats); status != http.StatusOK {
		t.Fatalf("statistics: %d", status)
	}
	if len(stats.Variants) != len(want) {
		t.Errorf("%s: %d variants, want %d", key, len(stats.Variants), len(want))
	}
	for _, v := range stats.Variants {
		got, books := v.Totals, want[v.Key]
		got.Impressions, got.Controls, got.CTR = 0, 0, 0
		if got != books {
			t.Errorf("%s, variant %s:\nstatistics say %+v\nthe books are  %+v", key, v.Key, got, books)
		}
		t.Logf("%s, variant %s: %+v", key, v.Key, v.Totals)
	}
}
