//go:build linux

package e2e

import (
	"errors"
	"flag"
	"fmt"
	"hash/crc32"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/popupd/popupd/internal/storetest"
)

var doubleUsers = flag.Int("double.users", 300, "users of each cell of TestClusterDoubleShows")

// gaps are the times between the answer to a user's poll and the user's next poll.
var gaps = []time.Duration{0, 1 * time.Millisecond, 2 * time.Millisecond, 5 * time.Millisecond, 10 * time.Millisecond, 20 * time.Millisecond, 30 * time.Millisecond}

// doubleShows counts users who poll twice.
type doubleShows struct {
	mu     sync.Mutex
	users  int
	others int // who polled another server the second time
	again  int // who were shown the popup again
}

// TestClusterDoubleShows counts how often a popup is shown again to a user who polls any of
// three servers, and soon another, for several -peer-delay; and to users who poll the
// server that a hash of their id names. It prints a table.
func TestClusterDoubleShows(t *testing.T) {
	needsCluster(t)
	var table strings.Builder
	header := "| `-peer-delay` | second poll |"
	for _, gap := range gaps {
		header += fmt.Sprintf(" %v |", gap)
	}
	fmt.Fprintf(&table, "%s\n|---|---|%s\n", header, strings.Repeat("---:|", len(gaps)))
	anywhere := make(map[string]int) // shown again, of users who poll any server
	for _, delay := range []string{"20ms", "5ms", "1ms", "0s"} {
		servers := startPeers(t, delay)
		var random, other, hashed strings.Builder
		for _, gap := range gaps {
			name := fmt.Sprint("random", gap)
			r := pollTwice(t, name, gap, func(string) *server { return servers[rand.IntN(len(servers))] })
			anywhere[delay] += r.again
			fmt.Fprintf(&random, " %.1f %% |", 100*float64(r.again)/float64(r.users))
			fmt.Fprintf(&other, " %.1f %% |", 100*float64(r.again)/float64(r.others))
			name = fmt.Sprint("hashed", gap)
			h := pollTwice(t, name, gap, func(user string) *server { return servers[crc32.ChecksumIEEE([]byte(user))%uint32(len(servers))] })
			fmt.Fprintf(&hashed, " %d |", h.again)
			if h.again > 0 {
				t.Errorf("-peer-delay %s: %d of %d users whom a hash sends to one server were shown a popup again", delay, h.again, h.users)
			}
		}
		fmt.Fprintf(&table, "| %s | at any of the three |%s\n| | at another one |%s\n| | by hash of uid |%s\n", delay, &random, &other, &hashed)
		for _, s := range servers {
			s.stop()
		}
	}
	t.Logf("%d users each\n%s", *doubleUsers, &table)
	if anywhere["0s"] >= anywhere["20ms"] {
		t.Errorf("%d users were shown a popup again with -peer-delay 0s, and %d with 20ms: want fewer", anywhere["0s"], anywhere["20ms"])
	}
}

// startPeers starts three servers that tell each other of what they have served after a
// while.
func startPeers(t *testing.T, delay string) (servers []*server) {
	t.Helper()
	args := []string{"-mysql", storetest.MySQL(t), "-redis", "redis://" + storetest.Redis(t), "-secret", "shared by all servers", "-drain", "0s", "-peer-delay", delay}
	for range 3 {
		servers = append(servers, start(t, args...))
	}
	servers[0].create("one", `{"after_impression_sec":86400}`)
	for _, s := range servers {
		eventually(t, 10*time.Second, func() error {
			if s.mustMetric("popupd_config_revision") < servers[0].mustMetric("popupd_config_revision") {
				return errors.New("it does not know the popup yet")
			}
			return nil
		})
	}
	return servers
}

// pollTwice has users poll, and poll again after the gap, where to says. Ten are at it at
// a time.
func pollTwice(t *testing.T, name string, gap time.Duration, to func(user string) *server) *doubleShows {
	t.Helper()
	d := &doubleShows{users: *doubleUsers}
	numbers := make(chan int)
	var underWay sync.WaitGroup
	for range 10 {
		underWay.Go(func() {
			for n := range numbers {
				user := fmt.Sprint(name, "-", n)
				first, second := to(user), to(user)
				if p, err := first.ask(user); err != nil || p == nil {
					t.Errorf("%s was shown nothing, %v", user, err)
					continue
				}
				time.Sleep(gap)
				p, err := second.ask(user)
				if err != nil {
					t.Error(err)
				}
				d.mu.Lock()
				if first != second {
					d.others++
				}
				if p != nil {
					d.again++
				}
				d.mu.Unlock()
			}
		})
	}
	for n := range d.users {
		numbers <- n
	}
	close(numbers)
	underWay.Wait()
	return d
}
