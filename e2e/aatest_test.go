//go:build linux

package e2e

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// aaUsers is how many users the A/A test has: make books takes more.
func aaUsers(t *testing.T) int64 {
	n, err := strconv.Atoi(cmp.Or(os.Getenv("POPUPD_BOOKS"), "2000"))
	if err != nil {
		t.Fatal(err)
	}
	return int64(n)
}

// aaKills is how often one or the other server is killed meanwhile.
const aaKills = 6

// TestAATest sends users through two variants and a control, on two servers that are
// killed now and then. Whatever a client is not answered it asks again, there or at the other
// server, and much of what is answered too. Whoever was shown a variant, clicked,
// converted or was a control is then in the statistics once, and in the experiment, and so is
// each click, exactly.
func TestAATest(t *testing.T) {
	t.Parallel()
	d := newDeployment(t, startStores(t), "aa", "-shed-after", "0") // a poll that is shed looks as if the user was a control
	a, b := d.server(), d.server()
	a.post(`{"key":"aa","status":"active","frequency":` + noWaits + `,"variants":[{"key":"a","weight":40,"content":{}},{"key":"b","weight":40,"content":{}},{"key":"c","weight":20,"control":true,"content":{}}]}`)
	b.reload()

	x := &aaTest{servers: [2]*server{a, b}, arms: map[string]*arm{"a": {}, "b": {}, "c": {}}}
	users := aaUsers(t)
	var next atomic.Int64
	var clients sync.WaitGroup
	begun := time.Now()
	for n := range uint64(8) {
		v := &aaClient{aaTest: x, rand: rand.New(rand.NewPCG(11, n))}
		clients.Go(func() {
			for n := next.Add(1); n <= users; n = next.Add(1) {
				if err := v.visit(fmt.Sprint("aa-", n)); err != nil {
					t.Error(err)
					next.Store(users)
				}
			}
		})
	}
	for kill := range int64(aaKills) {
		eventually(t, 20*time.Minute, func() error {
			if n, due := next.Load(), (kill+1)*users/(aaKills+1); n < due {
				return fmt.Errorf("%d users have come, want %d", n, due)
			}
			return nil
		})
		x.servers[kill%2].Kill()
		x.servers[kill%2].restart()
	}
	clients.Wait()
	a.waitDrained()
	b.waitDrained()
	t.Logf("%d users in %v, %d requests were not answered: %+v, %+v, %+v", users, time.Since(begun).Round(time.Millisecond), x.unanswered, *x.arms["a"], *x.arms["b"], *x.arms["c"])
	if x.unanswered == 0 {
		t.Error("every request was answered: the kills did nothing")
	}
	x.compare(t, a)
	for goal, converted := range map[string]func(*arm) int{
		"click":   func(a *arm) int { return a.clickUsers },
		"convert": func(a *arm) int { return a.convertUsers },
	} {
		b.wantExperiment(t, "aa", goal, experimentArm{Variant: "c", Control: true, Users: x.arms["c"].users},
			experimentArm{Variant: "a", Users: x.arms["a"].users, Converted: converted(x.arms["a"])},
			experimentArm{Variant: "b", Users: x.arms["b"].users, Converted: converted(x.arms["b"])})
	}
	if err := checkInvariants(d.db, stateInvariant); err != nil { // a server does not know what the other one has yet to tell
		t.Error(err)
	}
}

// aaTest is what the clients know.
type aaTest struct {
	servers [2]*server

	mu         sync.Mutex
	arms       map[string]*arm // by variant; c is the control
	unanswered int
}

// arm is the clients' own books of a variant. A poll that was not answered may have
// made an impression all the same.
type arm struct {
	users, polls, clicks, clickUsers, converts, convertUsers int
}

func (x *aaTest) book(variant string, add func(a *arm)) {
	x.mu.Lock()
	defer x.mu.Unlock()
	add(x.arms[variant])
}

// aaClient plays one user after the other.
type aaClient struct {
	*aaTest
	rand *rand.Rand
}

// visit has a user come once or twice, and act on some of what is shown.
func (v *aaClient) visit(user string) error {
	variant := ""
	var clicked, converted acts
	for visit := range 1 + v.rand.IntN(2) {
		p, err := v.poll(user)
		if err != nil {
			return err
		}
		is := "c"
		if p != nil {
			is = p.Popup.Variant
		}
		if variant != "" && is != variant {
			return fmt.Errorf("%s is in %s, and was in %s", user, is, variant)
		}
		variant = is
		v.book(variant, func(a *arm) {
			a.polls++
			if visit == 0 {
				a.users++
			}
		})
		if p == nil {
			continue
		}
		served, err := servedAt(p.Token)
		if err != nil {
			return err
		}
		if v.rand.IntN(2) == 0 {
			if err := v.act(p.Token, "click"); err != nil {
				return err
			}
			clicked.add(served)
		}
		if v.rand.IntN(4) == 0 {
			if err := v.act(p.Token, "convert"); err != nil {
				return err
			}
			converted.add(served)
		}
	}
	v.book(variant, func(a *arm) {
		a.clicks += clicked.n
		a.clickUsers += min(1, clicked.n)
		a.converts += converted.n
		a.convertUsers += min(1, converted.n)
	})
	return nil
}

// acts are a user's impressions that were clicked, or converted on. What two servers
// have shown within one millisecond is one.
type acts struct {
	last int64 // ms
	n    int
}

func (a *acts) add(servedMS int64) {
	if servedMS != a.last {
		a.n++
	}
	a.last = servedMS
}

// poll polls one server or the other until it is answered.
func (v *aaClient) poll(user string) (p *pollAnswer, err error) {
	rid := fmt.Sprintf("rid=%016x", v.rand.Uint64())
	err = v.retry(func(s *server) (int, error) {
		p, err = s.ask(user, rid)
		return statusOf(err), err
	})
	return p, err
}

// act reports an action until it is accepted, and often again, there or elsewhere.
func (v *aaClient) act(token, action string) error {
	for {
		err := v.retry(func(s *server) (int, error) { return s.act(token, action) })
		if err != nil || v.rand.IntN(2) == 0 {
			return err
		}
	}
}

// statusOf returns the status in the error of ask, 0 without one.
func statusOf(err error) int {
	if answer, ok := err.(*statusError); ok {
		return answer.status
	}
	return 0
}

// retry sends a request to a server of the two until it is answered, and not with 503.
func (v *aaClient) retry(send func(s *server) (int, error)) error {
	pause := time.NewTicker(10 * time.Millisecond)
	defer pause.Stop()
	at := v.rand.IntN(2)
	for range 6000 {
		status, err := send(v.servers[at])
		switch {
		case status == http.StatusServiceUnavailable:
		case err == nil && (status == 0 || status == accepted):
			return nil
		case err == nil:
			return fmt.Errorf("answered %d", status)
		case status != 0:
			return err
		default:
			v.mu.Lock()
			v.unanswered++
			v.mu.Unlock()
		}
		if v.rand.IntN(2) == 0 {
			at = 1 - at
		}
		<-pause.C
	}
	return fmt.Errorf("neither server has answered for a minute")
}

// compare holds the statistics of a server against the books.
func (x *aaTest) compare(t *testing.T, s *server) {
	t.Helper()
	var stats struct {
		Totals   totals
		Variants []struct {
			Key    string
			Totals totals
		}
	}
	if status := s.admin("GET", "/v1/admin/popups/aa/stats", "", "", &stats); status != http.StatusOK {
		t.Fatalf("statistics: %d", status)
	}
	var all totals
	for _, v := range stats.Variants {
		mine, got := x.arms[v.Key], v.Totals
		want := totals{Users: mine.users, Clicks: mine.clicks, ClickUsers: mine.clickUsers, Converts: mine.converts, ConvertUsers: mine.convertUsers}
		polls := got.Impressions
		if v.Key == "c" {
			want = totals{ControlUsers: mine.users}
			polls = got.Controls
		}
		want.Impressions, want.Controls, want.CTR = got.Impressions, got.Controls, got.CTR
		if got != want {
			t.Errorf("variant %s:\nstatistics say %+v\nthe books are  %+v", v.Key, got, want)
		}
		if polls < mine.polls || polls > mine.polls+x.unanswered {
			t.Errorf("variant %s: %d impressions or controls, the books say %d to %d", v.Key, polls, mine.polls, mine.polls+x.unanswered)
		}
		all.Users += got.Users
		all.ClickUsers += got.ClickUsers
		all.ConvertUsers += got.ConvertUsers
		all.ControlUsers += got.ControlUsers
	}
	if got := stats.Totals; got.Users != all.Users || got.ClickUsers != all.ClickUsers || got.ConvertUsers != all.ConvertUsers || got.ControlUsers != all.ControlUsers {
		t.Errorf("all variants: statistics say %+v, the sums are %+v", got, all)
	}
}
