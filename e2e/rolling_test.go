//go:build linux

package e2e

import (
	"crypto/tls"
	"database/sql"
	"flag"
	"fmt"
	"net/http"
	"os"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/popupd/popupd/internal/storetest"
	"github.com/popupd/popupd/internal/testbed"
)

var (
	clusterRows   = flag.Int("cluster.rows", 20_000, "users whom TestRollingRestart has in the database before its servers start")
	clusterRate   = flag.Int("cluster.rate", 600, "requests a second of TestRollingRestart")
	clusterRounds = flag.Int("cluster.rounds", 1, "how often TestRollingRestart ends each server")
	clusterPause  = flag.Duration("cluster.pause", 500*time.Millisecond, "how long TestRollingRestart leaves all servers up before it ends one")
	clusterCheck  = flag.Duration("cluster.check", 100*time.Millisecond, "how often the balancer of TestRollingRestart checks its servers")
)

const (
	// noticed is how long the balancer may take a connection for open that the end of a
	// process has closed.
	noticed = 50 * time.Millisecond
	// unshipped is how long before a kill, or before a poll elsewhere, a server may have shown
	// what the others do not know. Events are gathered for 20 ms, and the machine may be busy.
	unshipped = 200 * time.Millisecond
)

// kill is when a server was killed.
type kill struct{ from, to time.Time }

// cluster is some servers behind a balancer that hashes on the user.
type cluster struct {
	t        *testing.T
	args     []string // of every server
	servers  []*server
	balancer *testbed.Balancer
	db       *sql.DB
	users    *pollers
	kills    []kill
}

// newCluster starts servers that know of *clusterRows users who have seen the popup,
// behind a HAProxy or an nginx to which the users speak HTTP/2 over TLS.
func newCluster(t *testing.T, program string, servers int, flags ...string) *cluster {
	t.Helper()
	return newClusterOn(t, program, servers, testbed.PopupdOptions{Flags: append(flags, "-redis", "redis://"+storetest.Redis(t))})
}

// newClusterOn is newCluster for servers with these flags, which say where Redis is.
func newClusterOn(t *testing.T, program string, servers int, o testbed.PopupdOptions) *cluster {
	t.Helper()
	dsn := storetest.MySQL(t)
	o.Flags = append([]string{
		"-mysql", dsn, "-secret", "shared by all servers", "-drain", (5 * *clusterCheck).String(),
		"-shed-after", "0s", // users, balancer, servers and stores share a machine, which may be short of time
	}, o.Flags...)
	c := &cluster{t: t, args: o.Flags, db: openDB(t, dsn)}
	start := func() *server {
		s := launchWith(t, o)
		s.waitReady()
		return s
	}
	first := start()
	first.create("one", `{"after_impression_sec":86400}`)
	first.Kill()
	fillSeen(t, c.db, *clusterRows)
	first.restart()
	c.servers = append(c.servers, first)
	for len(c.servers) < servers {
		c.servers = append(c.servers, start())
	}
	c.balancer = storetest.StartBalancer(t, testbed.BalancerOptions{Program: program, Servers: addresses(c.servers), Check: *clusterCheck})
	c.users = newPollers(t, c.balancer)
	c.users.rate, c.users.seen = *clusterRate, *clusterRows
	return c
}

func addresses(servers []*server) (list []string) {
	for _, s := range servers {
		list = append(list, s.Address)
	}
	return list
}

// newPollers returns users who speak to a balancer over TLS, most of them HTTP/2.
func newPollers(t *testing.T, balancer *testbed.Balancer) *pollers {
	p := &pollers{address: balancer.HTTPS, shown: make(map[string]lastShown)}
	for n := range 8 {
		// Bounded: a burst would else cost a handshake for each request.
		protocol, connections := "h2", 4
		if n == 0 {
			protocol, connections = "http/1.1", 64
		}
		transport := &http.Transport{
			TLSClientConfig:   &tls.Config{RootCAs: balancer.Roots, NextProtos: []string{protocol}},
			ForceAttemptHTTP2: protocol == "h2", DisableCompression: true,
			MaxConnsPerHost: connections, MaxIdleConnsPerHost: connections,
		}
		t.Cleanup(transport.CloseIdleConnections)
		p.clients = append(p.clients, &http.Client{Transport: transport, Timeout: 10 * time.Second})
	}
	return p
}

// restartEach ends one server after the other and starts it again.
func (c *cluster) restartEach(signal syscall.Signal) {
	c.t.Helper()
	for _, s := range c.servers {
		c.waitPolled(s)
	}
	for range *clusterRounds {
		for _, s := range c.servers {
			time.Sleep(*clusterPause)
			if signal == syscall.SIGKILL {
				c.kill(s)
			} else {
				s.stop()
			}
			s.restart()
			c.waitPolled(s)
		}
	}
}

func (c *cluster) kill(s *server) {
	from := time.Now()
	s.Kill()
	c.kills = append(c.kills, kill{from, time.Now()})
}

// waitPolled waits until the balancer sends a server polls.
func (c *cluster) waitPolled(s *server) {
	c.t.Helper()
	eventually(c.t, 30*time.Second, func() error {
		n, err := s.metric("popupd_decisions_total")
		if err == nil && n < 20 {
			err = fmt.Errorf("the balancer sends it no polls")
		}
		return err
	})
}

// checkFailed fails the test for requests that failed, but for those that were under way
// while a server was killed, of which there may be so many.
func (c *cluster) checkFailed(most int) {
	c.t.Helper()
	var others []string
	for _, f := range c.users.failed {
		underWay := slices.ContainsFunc(c.kills, func(k kill) bool { return f.from.Before(k.to.Add(noticed)) && f.to.After(k.from) })
		if !underWay || f.status == http.StatusServiceUnavailable { // which a balancer would have to send elsewhere
			others = append(others, f.why)
		}
	}
	if len(others) > 0 {
		c.t.Errorf("%d of %d requests failed, as these: %q", len(others), c.users.requests, others[:min(3, len(others))])
	}
	if n := len(c.users.failed); n > most {
		c.t.Errorf("%d of %d requests failed, want at most %d", n, c.users.requests, most)
	}
}

// checkAgain fails the test for popups that were shown again, but for those that a server
// had shown just before it was killed. It returns how long before, at most.
func (c *cluster) checkAgain() (longest time.Duration) {
	c.t.Helper()
	others := 0
	for _, again := range c.users.again {
		n := slices.IndexFunc(c.kills, func(k kill) bool {
			return again.before.After(k.from.Add(-unshipped)) && again.before.Before(k.to.Add(unshipped))
		})
		if n < 0 {
			others++
			continue
		}
		longest = max(longest, c.kills[n].from.Sub(again.before))
	}
	if others > 0 {
		c.t.Errorf("%d popups of %d were shown again", others, c.users.served)
	}
	return longest
}

// slowestKill returns how long the kernel took to end a killed server, at most.
func (c *cluster) slowestKill() (longest time.Duration) {
	for _, k := range c.kills {
		longest = max(longest, k.to.Sub(k.from))
	}
	return longest
}

// underWay returns how many requests there may have been at the servers that were killed,
// when they were: what comes to each in 0.1 s.
func (c *cluster) underWay() int { return len(c.kills) * (1 + *clusterRate/len(c.servers)/10) }

// checkEvents fails the test unless the database has what was acknowledged, and no more
// than was tried: clients send some polls again that a server had taken when it was killed.
func (c *cluster) checkEvents() {
	c.t.Helper()
	for _, s := range c.servers {
		s.waitDrained()
	}
	for action, least := range map[int]int{impression: c.users.served, actions["click"]: c.users.clicked} {
		n, err := queryInt(c.db, "SELECT COUNT(*) FROM event WHERE action = ?", action)
		if most := least + len(c.users.failed) + c.underWay(); err != nil || n < least || n > most {
			c.t.Errorf("%d events of action %d, %v; want %d to %d", n, action, err, least, most)
		}
	}
}

// TestUnreadyServerRefuses: a server that was killed, and one that runs again and is not
// ready, cost no request behind a balancer that has not noticed yet: connections are
// refused, and so go to another server. A 503 would not.
func TestUnreadyServerRefuses(t *testing.T) {
	dsn, redis := storetest.MySQL(t), "redis://"+storetest.Redis(t)
	args := []string{"-redis", redis, "-secret", "shared by both servers", "-mysql"}
	a, b := start(t, append(args, dsn)...), start(t, append(args, dsn)...)
	users := newPollers(t, storetest.StartBalancer(t, testbed.BalancerOptions{Program: "haproxy", Servers: []string{a.Address, b.Address}, Check: time.Minute}))
	answered := func(when string) {
		t.Helper()
		for n := range 100 {
			users.poll(fmt.Sprint("user", n))
		}
		if len(users.failed) > 0 {
			t.Fatalf("%s: %d of %d polls failed: %s", when, len(users.failed), users.requests, users.failed[0].why)
		}
		if n := b.mustMetric("popupd_decisions_total"); n != float64(users.requests) {
			t.Fatalf("%s: the other server answered %v of %d polls", when, n, users.requests)
		}
	}
	a.Kill()
	answered("while it is down")
	if err := os.RemoveAll(a.Data); err != nil { // without a dump it waits for the database
		t.Fatal(err)
	}
	a.Flags = append(args, unreachableStores[1])
	a.mustStart()
	answered("while it is unready")
}

// TestRollingRestart ends and starts one server after the other behind a balancer that
// hashes on the user. Ended in order, no request fails and nobody sees a popup twice.
// With a killed server the requests fail that were under way there, and no others; what
// it had not shipped is unknown to the others until it is back.
func TestRollingRestart(t *testing.T) {
	for _, c := range []struct {
		name    string
		servers int
		signal  syscall.Signal
	}{
		{"two", 2, syscall.SIGTERM},
		{"three", 3, syscall.SIGTERM},
		{"two killed", 2, syscall.SIGKILL},
		{"three killed", 3, syscall.SIGKILL},
	} {
		t.Run(c.name, func(t *testing.T) {
			cluster := newCluster(t, "haproxy", c.servers)
			stop := cluster.users.start()
			defer stop() // also where the test ends early
			cluster.restartEach(c.signal)
			stop()
			cluster.checkFailed(cluster.underWay())
			before := cluster.checkAgain()
			cluster.checkEvents()
			now := cluster.users.tally()
			t.Logf("%d requests/s, %d users in the database; shown again first up to %v before a kill; the kernel took up to %v to end a server\n"+
				"| servers | ended by | times | requests | failed | popups shown | shown again |\n|---:|---|---:|---:|---:|---:|---:|\n| %d | %v | %d | %d | %d | %d | %d |",
				*clusterRate, *clusterRows, before.Round(time.Millisecond), cluster.slowestKill().Round(time.Millisecond),
				c.servers, c.signal, *clusterRounds*c.servers, now.requests, now.failed, now.popups, now.again)
		})
	}
}
