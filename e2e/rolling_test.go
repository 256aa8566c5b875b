//go:build linux

package e2e

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/popupd/popupd/internal/storetest"
)

// pollRate is how many polls a second come through the balancer.
const pollRate = 500

// pollers are users who poll in turn, through a balancer, while servers come and go.
type pollers struct {
	mu     sync.Mutex
	polls  int
	failed []failedPoll
	shown  map[string]int
}

type failedPoll struct {
	from, to time.Time
	why      string
}

// poll polls until stop is closed, and returns when the last poll is answered. One poll
// in four is of a new user, who comes back three times.
func (p *pollers) poll(address string, stop <-chan struct{}) {
	back := [...]int{0, 50, 100, 200} // after 0.4, 0.8 and 1.6 s
	tick := time.NewTicker(time.Second / pollRate)
	defer tick.Stop()
	var polling sync.WaitGroup
	defer polling.Wait()
	for n := 0; ; n++ {
		select {
		case <-stop:
			return
		case <-tick.C:
		}
		polling.Go(func() { p.once(address, fmt.Sprint("user", max(0, n/len(back)-back[n%len(back)]))) })
	}
}

func (p *pollers) once(address, user string) {
	from := time.Now()
	resp, err := client.Get("http://" + address + "/v1/poll?uid=" + user)
	failed := ""
	if err != nil {
		failed = err.Error()
	} else {
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil || resp.StatusCode/100 != 2 {
			failed = fmt.Sprintf("%d %s %v", resp.StatusCode, body, err)
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.polls++
	switch {
	case failed != "":
		p.failed = append(p.failed, failedPoll{from, time.Now(), failed})
	case resp.StatusCode == http.StatusOK:
		p.shown[user]++
	}
}

// twice returns how many polls showed a user what that user had seen.
func (p *pollers) twice() (n int) {
	for _, times := range p.shown {
		n += times - 1
	}
	return n
}

// kill is when a server was killed.
type kill struct{ from, to time.Time }

// noticed is how long the balancer may take a connection for open that the end of a
// process has closed.
const noticed = 50 * time.Millisecond

// notUnderWay returns the failed polls that were not under way while a server was killed.
func (p *pollers) notUnderWay(kills []kill) (failed []string) {
	for _, f := range p.failed {
		if !slices.ContainsFunc(kills, func(k kill) bool { return f.from.Before(k.to.Add(noticed)) && f.to.After(k.from) }) {
			failed = append(failed, f.why)
		}
	}
	return failed
}

// TestRollingRestart restarts one server after the other behind a balancer that hashes
// on the user. Ended in order, no poll fails and nobody sees a popup twice. With a killed
// server the polls fail that were under way there, and no others; what it had not shipped
// is unknown to the others until it is back.
func TestRollingRestart(t *testing.T) {
	for _, c := range []struct {
		name    string
		servers int
		signal  syscall.Signal
	}{
		{"two", 2, syscall.SIGTERM},
		{"three", 3, syscall.SIGTERM},
		{"two killed", 2, syscall.SIGKILL},
	} {
		t.Run(c.name, func(t *testing.T) {
			args := []string{"-mysql", storetest.MySQL(t), "-redis", "redis://" + storetest.Redis(t), "-secret", "shared by all servers", "-drain=500ms"}
			var servers []*server
			var addresses []string
			for range c.servers {
				s := start(t, args...)
				servers, addresses = append(servers, s), append(addresses, s.Address)
			}
			servers[0].create("one", `{"after_impression_sec":86400}`)
			for i, s := range servers {
				eventually(t, 5*time.Second, func() error {
					if s.mustAsk(fmt.Sprint("first", i)) == nil {
						return fmt.Errorf("server %d does not know the popup", i)
					}
					return nil
				})
			}
			balancer, err := bed.HAProxy(addresses)
			if err != nil {
				t.Fatal(err)
			}
			defer balancer.Close()

			users := &pollers{shown: make(map[string]int)}
			stop, done := make(chan struct{}), make(chan struct{})
			go func() {
				defer close(done)
				users.poll(balancer.Addr, stop)
			}()
			polled := func(s *server) { // the balancer sends it polls
				t.Helper()
				eventually(t, 10*time.Second, func() error {
					if s.mustMetric("popupd_decisions_total") < 20 {
						return fmt.Errorf("the balancer sends it no polls")
					}
					return nil
				})
			}
			for _, s := range servers {
				polled(s)
			}
			var kills []kill
			for _, s := range servers {
				if c.signal == syscall.SIGKILL {
					from := time.Now()
					s.Kill()
					kills = append(kills, kill{from, time.Now()})
				} else {
					s.stop()
				}
				s.restart()
				polled(s)
			}
			close(stop)
			<-done
			if failed := users.notUnderWay(kills); len(failed) > users.polls/10_000 {
				t.Errorf("%d of %d polls failed: %.3q", len(failed), users.polls, failed)
			}
			twice := 0
			if c.signal == syscall.SIGKILL {
				twice = c.servers * pollRate / 20 // what was served in the last 50 ms
			}
			if n := users.twice(); n > twice {
				t.Errorf("%d popups were shown twice in %d polls, want at most %d", n, users.polls, twice)
			}
			t.Logf("%d polls, %d failed, %d shown twice", users.polls, len(users.failed), users.twice())
		})
	}
}
