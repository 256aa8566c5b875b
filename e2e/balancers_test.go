//go:build linux

package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// step is what is done to servers while users poll.
type step struct {
	name string
	do   func()
}

// TestClusterHAProxy: behind HAProxy servers are ended by SIGTERM, added and killed.
func TestClusterHAProxy(t *testing.T) {
	needsCluster(t)
	c := newCluster(t, "haproxy", 3)
	c.run("haproxy", []step{
		{"three restarted in turn, by SIGTERM", c.restartAll},
		{"one away for some seconds, by SIGTERM", c.drainOne},
		{"one added, by a reload", c.add},
		{"one killed, and back after some seconds", c.killOne},
	})
}

// TestClusterNginx: the same behind nginx, which looks at no /readyz: it notices that a server
// has ended, or is told by a reload that one is to. A reload ends idle connections of HTTP/1.1
// as requests come in: its users speak HTTP/2 alone.
func TestClusterNginx(t *testing.T) {
	needsCluster(t)
	c := newCluster(t, "nginx", 3)
	c.users.clients = c.users.clients[1:]
	c.run("nginx", []step{
		{"three restarted in turn, by SIGTERM", c.restartAll},
		{"three restarted in turn, out of the file meanwhile", func() {
			for _, s := range c.servers {
				c.takeOut(s, 0)
			}
		}},
		{"one away for some seconds, out of the file meanwhile", func() { c.takeOut(c.servers[2], *clusterPause) }},
		{"one added, by a reload", c.add},
		{"one killed, and back after some seconds", c.killOne},
	})
}

// run takes the steps one after the other under load, holds what users saw against what
// the database has, and prints what came of each step.
func (c *cluster) run(program string, steps []step) {
	c.t.Helper()
	stop := c.users.start()
	defer stop() // also where the test ends early
	for _, s := range c.servers {
		c.waitPolled(s)
	}
	var before tally
	var rows strings.Builder
	for i, step := range steps {
		step.do()
		time.Sleep(*clusterPause)
		if i == len(steps)-1 {
			stop()
		}
		now := c.users.tally()
		fmt.Fprintf(&rows, "| %s | %s | %d | %d | %d | %d |\n", program, step.name,
			now.requests-before.requests, now.failed-before.failed, now.popups-before.popups, now.again-before.again)
		before = now
	}
	c.t.Logf("%d requests/s, %d users in the database\n| behind | | requests | failed | popups shown | shown again |\n|---|---|---:|---:|---:|---:|\n%s", *clusterRate, *clusterRows, rows.String())
	c.checkFailed(c.underWay())
	c.checkAgain()
	c.checkEvents()
}

// restartAll ends each server in order and starts it again.
func (c *cluster) restartAll() {
	c.t.Helper()
	for _, s := range c.servers {
		s.stop()
		c.comeBack(s)
	}
}

// drainOne ends a server in order that is back after a while.
func (c *cluster) drainOne() {
	c.t.Helper()
	c.servers[2].stop()
	time.Sleep(*clusterPause)
	c.comeBack(c.servers[2])
}

// takeOut ends a server that is back after a while, of which the balancer is told before
// and after.
func (c *cluster) takeOut(s *server, away time.Duration) {
	c.t.Helper()
	c.without(s)
	s.stop()
	time.Sleep(away)
	s.restart()
	c.reload(addresses(c.servers))
	c.waitPolled(s)
}

func (c *cluster) comeBack(s *server) {
	c.t.Helper()
	s.restart()
	c.waitPolled(s)
}

// add starts one more server and has the balancer know it.
func (c *cluster) add() {
	c.t.Helper()
	s := start(c.t, c.args...)
	c.servers = append(c.servers, s)
	c.reload(addresses(c.servers))
	c.waitPolled(s)
}

// killOne kills a server that is back after a while.
func (c *cluster) killOne() {
	c.t.Helper()
	c.kill(c.servers[1])
	time.Sleep(*clusterPause)
	c.comeBack(c.servers[1])
}

// without has the balancer send a server nothing any more, and waits until it does not.
func (c *cluster) without(s *server) {
	c.t.Helper()
	list := addresses(c.servers)
	for i := range list {
		if list[i] == s.Address {
			list[i] = ""
		}
	}
	c.reload(list)
	last := -1.0
	eventually(c.t, 30*time.Second, func() error {
		now, err := s.metric("popupd_decisions_total")
		if err == nil && now != last {
			last = now
			time.Sleep(300 * time.Millisecond)
			err = fmt.Errorf("the balancer still sends it polls")
		}
		return err
	})
}

func (c *cluster) reload(servers []string) {
	c.t.Helper()
	if err := c.balancer.Reload(servers); err != nil {
		c.t.Fatal(err)
	}
}
