//go:build linux

package main

import (
	"fmt"
	"io"
	"math"
	"net/http"
	"os"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/popupd/popupd/internal/storetest"
	"github.com/popupd/popupd/internal/testbed"
)

func TestMain(m *testing.M) { os.Exit(storetest.Main(m)) }

func newTestBench(t *testing.T) *bench {
	t.Helper()
	if testing.Short() {
		t.Skip("builds servers and starts their stores")
	}
	for _, need := range [][2]string{{"mariadbd", "mariadb-server"}, {"redis-server", "redis-server"}} {
		if err := testbed.Need(need[0], need[1]); err != nil {
			skip(t, err)
		}
	}
	r, err := testbed.New(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	b, err := newBench(r)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// skip skips a test for want of a store, or fails it where stores are required.
func skip(t *testing.T, err error) {
	t.Helper()
	if os.Getenv("POPUPD_REQUIRE_STORES") == "1" {
		t.Fatal(err)
	}
	t.Skip(err)
}

// own is what differs between two answers that say the same: the token, and
// when to poll again, which popupd spreads.
var own = regexp.MustCompile(`"token":"v1\.[\w-]+","next_poll_sec":[1-9]\d{1,2}}$`)

type poller struct {
	*testing.T
	address string
	client  *http.Client
}

// poll returns the answer without what is its own, or the status if that is not 200.
func (p *poller) poll(query string) string {
	p.Helper()
	resp, err := p.client.Get("http://" + p.address + "/v1/poll?" + query)
	if err != nil {
		p.Error(err)
		return ""
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		p.Error(err)
	}
	if got := resp.Header.Get("Cache-Control"); got != "private, no-cache" && resp.StatusCode < 300 {
		p.Errorf("%s: Cache-Control %q", query, got)
	}
	switch resp.StatusCode {
	case http.StatusOK:
		return own.ReplaceAllString(string(body), "OWN")
	case http.StatusNoContent:
		if next, err := strconv.Atoi(resp.Header.Get("Popup-Next-Poll")); err != nil || next < 30 || next > 300 {
			p.Errorf("%s: Popup-Next-Poll %q", query, resp.Header.Get("Popup-Next-Poll"))
		}
	}
	return strconv.Itoa(resp.StatusCode)
}

// shown is the answer that shows popup n.
func shown(n int) string {
	return fmt.Sprintf(`{"popup":{"id":%d,"key":"p-%d","version":1,"variant":"a","placement":"home",`+
		`"content":{"body":"Good to see you.","link":"https://example.com/%d","title":"popup %d"}},OWN`, n+1, n, n, n)
}

// Every rung decides as popupd does, so that only the way there is compared.
func TestRungsDecideTheSame(t *testing.T) {
	b := newTestBench(t)
	const page = "&placement=home&platform=ios&app_version=3.2.1"
	polls := []struct{ query, want string }{
		{"uid=user-1" + page, "204"}, // has seen all that fits
		{"uid=user-10000" + page, "204"},
		{"uid=user-10001" + page, shown(25)}, // is new
		{"uid=a" + page, shown(25)},
		{"uid=a" + page, shown(20)},
		{"uid=a" + page, shown(15)},
		{"uid=a" + page, shown(10)},
		{"uid=a" + page, shown(5)},
		{"uid=a" + page, shown(0)},
		{"uid=a" + page, "204"},
		{"uid=a&placement=home&platform=ios&app_version=9.0.0", shown(24)}, // but not after an update
		{"uid=b&placement=home&platform=web&app_version=3.2.1", "204"},
		{"uid=b&placement=home&platform=android&app_version=2.999.999", "204"},
		{"uid=b&placement=home&platform=android&app_version=3.0.0", shown(25)},
		{"uid=b&placement=elsewhere&platform=ios&app_version=3.2.1", "204"},
		{"uid=b&placement=home&platform=ios", "204"},
		{"placement=home", "400"},
	}
	for n := range rungs {
		t.Run(strconv.Itoa(n+1), func(t *testing.T) {
			s, err := b.start(t.Context(), n+1)
			if err != nil {
				t.Fatal(err)
			}
			defer s.stop()
			transport := new(http.Transport)
			defer transport.CloseIdleConnections()
			p := &poller{t, s.address, &http.Client{Transport: transport}}
			want := 0
			for _, c := range polls {
				if got := p.poll(c.query); got != c.want {
					t.Errorf("%s:\ngot  %s\nwant %s", c.query, got, c.want)
				}
				if strings.HasPrefix(c.want, "{") {
					want++
				}
			}

			// Tabs of one user that poll at once share out what there is.
			var mu sync.Mutex
			var wg sync.WaitGroup
			got := map[string]int{}
			for range 12 {
				wg.Go(func() {
					answer := p.poll("uid=tabs" + page)
					mu.Lock()
					defer mu.Unlock()
					got[answer]++
				})
			}
			wg.Wait()
			if diff := cmp.Diff(map[string]int{shown(25): 1, shown(20): 1, shown(15): 1, shown(10): 1, shown(5): 1, shown(0): 1, "204": 6}, got); diff != "" {
				t.Errorf("12 polls at once (-want +got):\n%s", diff)
			}
			want += 6

			if err := s.drained(t.Context()); err != nil {
				t.Fatal(err)
			}
			rows, err := s.mysql.Query("SELECT COUNT(*) FROM popupd.event e JOIN popupd.user_popup u USING (user_id, popup_id)" +
				" WHERE e.action = 1 AND u.next_at_ms = e.at_ms + 86400000")
			if err != nil || rows != strconv.Itoa(want) {
				t.Errorf("%s impressions are in the database, %v; want %d", rows, err, want)
			}
			if got, err := s.mysql.Query("SELECT COUNT(*) FROM popupd.event"); err != nil || got != rows {
				t.Errorf("%s events, %v; want %s", got, err, rows)
			}
		})
	}
}

func TestTrial(t *testing.T) {
	b := newTestBench(t)
	if err := testbed.Need("wrk", "wrk"); err != nil {
		t.Skip(err)
	}
	l := load{connections: 8, duration: time.Second}
	got, err := b.trial(t.Context(), 2, l)
	if err != nil {
		t.Fatal(err)
	}
	// A statement a poll, and those of the worker and of the counting; the
	// connections of the polls and of the worker.
	if got.perSecond < 100 || got.p50 <= 0 || got.p99 < got.p50 || got.errors != 0 || got.connections < 2 || got.connections > 9 ||
		got.statements < 1 || got.statements > 1.5 || got.serverCPU <= 0 || got.mysqlCPU <= 0 || got.behind <= 0 || got.others < 0 || got.others > 1 {
		t.Errorf("an odd trial: %+v", got)
	}

	s, err := b.start(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	defer s.stop()
	a, err := b.wrk(t.Context(), s, l, "new")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		change, want string
	}{
		{"DO 0", ""},
		{"UPDATE popupd.event SET user_id = 'new-1' WHERE user_id = 'new-2'", "the database has "}, // shown twice
		{"DELETE FROM popupd.event WHERE user_id <> 'new-3'", "the database has 1 events of 1 users"},
	} {
		if _, err := s.mysql.Query(c.change); err != nil {
			t.Fatal(err)
		}
		if err := s.counted(a, l); fmt.Sprint(err) != "<nil>" != (c.want != "") || err != nil && !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("after %s: %v; want %q", c.change, err, c.want)
		}
	}
}

func TestParseAnswered(t *testing.T) {
	const log = "Running 1s test\nrequests=1000 us=2000000 p50=700 p99=1500 socket=2 status=3 new=103\n"
	got, err := parseAnswered(log)
	want := answered{requests: 1000, errors: 5, fresh: 103, elapsed: 2 * time.Second, p50: 700 * time.Microsecond, p99: 1500 * time.Microsecond}
	if err != nil || got != want {
		t.Errorf("got %+v, %v; want %+v", got, err, want)
	}
	for _, log := range []string{"", "unable to connect", strings.Replace(log, "requests=1000", "requests=0", 1)} {
		if got, err := parseAnswered(log); err == nil {
			t.Errorf("%q: got %+v", log, got)
		}
	}
}

func TestOthers(t *testing.T) {
	const stat = "cpu  100 20 300 9000 50 6 7 8 900 0\ncpu0 1 2 3 4 5 6 7 8 9 0\n"
	got, err := busy(stat)
	if want := 4410 * time.Millisecond; err != nil || got != want {
		t.Errorf("busy: got %v, %v; want %v", got, err, want)
	}
	for _, bad := range []string{"", "cpu 1 2 3\n", strings.Replace(stat, "20", "x", 1)} {
		if got, err := busy(bad); err == nil {
			t.Errorf("busy of %q is %v", bad, got)
		}
	}
	now := time.Now()
	cores := time.Duration(runtime.NumCPU())
	from := usage{at: now, machine: time.Second, ours: 500 * time.Millisecond}
	to := usage{at: now.Add(10 * time.Second), machine: time.Second + 9*time.Second*cores, ours: 500*time.Millisecond + 5*time.Second*cores}
	if got, want := others(from, to, 3*time.Second*cores), 0.1; math.Abs(got-want) > 1e-9 {
		t.Errorf("others: got %v, want %v", got, want)
	}
	if got := others(from, to, 20*time.Second*cores); got != 0 {
		t.Errorf("others, by the steps of the clock below 0: got %v", got)
	}
}

func TestReport(t *testing.T) {
	trials := make([][]trial, len(rungs))
	for n := range trials {
		for round := range 3 {
			trials[n] = append(trials[n], trial{
				perSecond: float64(1000 * (n + 1) * (round + 1)), p50: time.Millisecond, p99: time.Duration(round) * time.Millisecond,
				errors: 1, connections: 64, statements: 1.25, serverCPU: 70, mysqlCPU: 80, behind: 20 * time.Millisecond, others: 0.05,
			})
		}
	}
	got := report(trials, load{64, 5 * time.Second})
	for _, want := range []string{
		"| 1 all in MySQL | 2,000 | 1.0 | 1.0 | 1.0 | 1 | 64 | 1.250 | 70 | 80 | 20 |\n",
		"| 4 popupd | 8,000 | 4.0 | ",
		"Medians of 3 rounds of 5s, 64 keep-alive connections",
		"had 5 % of the cores (median)",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
	var picture strings.Builder
	if err := draw(&picture, trials, load{64, time.Second}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"<svg ", ">4 popupd<", ">8,000  p99 1 ms, 64 to MySQL, 1 errors<"} {
		if !strings.Contains(picture.String(), want) {
			t.Errorf("no %q in\n%s", want, picture.String())
		}
	}
}
