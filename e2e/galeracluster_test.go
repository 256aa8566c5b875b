//go:build linux

package e2e

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/popupd/popupd/internal/storetest"
	"github.com/popupd/popupd/internal/testbed"
)

// galeraCluster is three popupds behind a balancer, whose users poll and act without
// pause, and the three nodes of their database.
type galeraCluster struct {
	*cluster
	nodes []*storetest.MySQLServer
	stop  func() // ends the users
}

// newGaleraCluster starts a popupd for each list of nodes, which it uses in this order, and
// users who poll and act.
func newGaleraCluster(t *testing.T, lists ...[]int) *galeraCluster {
	t.Helper()
	c := &galeraCluster{nodes: storetest.StartGalera(t, 3)}
	c.cluster = &cluster{t: t, db: openDB(t, c.nodes[0].DSN("popupd")+"?wsrep_sync_wait=7")}
	c.db.SetMaxIdleConns(-1) // what is connected then are the servers: see clients
	if _, err := c.nodes[0].MySQL.CreateDatabase("popupd"); err != nil {
		t.Fatal(err)
	}
	redis := "redis://" + storetest.Redis(t)
	for i, list := range lists {
		var nodes []*storetest.MySQLServer
		for _, node := range list {
			nodes = append(nodes, c.nodes[node])
		}
		s := start(t, "-redis", redis, "-secret", "shared by all servers", "-mysql", dsnOf(nodes...))
		if i == 0 {
			s.create("one", `{"after_impression_sec":86400}`)
			s.Kill()
			fillSeen(t, c.db, *clusterRows)
			s.restart()
		}
		c.servers = append(c.servers, s)
	}
	c.balancer = storetest.StartBalancer(t, testbed.BalancerOptions{Program: "haproxy", Servers: addresses(c.servers), Check: *clusterCheck})
	c.users = newPollers(t, c.balancer)
	c.users.rate, c.users.seen = *clusterRate, *clusterRows
	c.stop = c.users.start()
	t.Cleanup(c.stop) // also where the test ends early
	for _, s := range c.servers {
		c.waitPolled(s)
	}
	return c
}

// killNodes ends nodes as kill -9 does.
func (c *galeraCluster) killNodes(nodes ...int) {
	for _, node := range nodes {
		c.nodes[node].Kill()
	}
}

// comeBack starts nodes that have ended, and returns when they take statements again.
func (c *galeraCluster) comeBack(nodes ...int) {
	c.t.Helper()
	failed := make([]error, len(nodes))
	var starting sync.WaitGroup
	for i, node := range nodes {
		starting.Go(func() { failed[i] = c.nodes[node].Start() })
	}
	starting.Wait()
	if err := errors.Join(failed...); err != nil {
		c.t.Fatal(err)
	}
}

// isolate cuts a node off from the two others, or ends that.
func (c *galeraCluster) isolate(node int, cut bool) {
	c.t.Helper()
	n := map[bool]int{true: 1}[cut]
	if _, err := c.nodes[node].Query(fmt.Sprintf("SET GLOBAL wsrep_provider_options = 'gmcast.isolate=%d'", n)); err != nil {
		c.t.Fatal(err)
	}
}

// clients is how many connections of popupds a node has.
func (c *galeraCluster) clients(node int) string {
	c.t.Helper()
	n, err := c.nodes[node].Query("SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE DB = 'popupd'")
	if err != nil {
		c.t.Fatal(err)
	}
	return n
}

// allCommit waits until each of these servers takes statements and commits.
func (c *galeraCluster) allCommit(servers ...*server) {
	c.t.Helper()
	up(c.t, 1, servers...)
	for _, s := range servers {
		commits(c.t, s)
	}
}

// finish ends the users, waits until everything is committed and fails the test unless all
// requests were answered, nobody was shown anything twice, and each event counts once.
func (c *galeraCluster) finish() {
	c.t.Helper()
	c.stop()
	c.checkFailed(0)
	c.checkAgain()
	c.checkEvents()
	u := c.users
	for column, want := range map[string]int{"impressions": u.served, "users": u.served, "clicks": u.clickers(), "click_users": u.clickers()} {
		if got, err := queryInt(c.db, "SELECT SUM("+column+") FROM popup_stats"); err != nil || got != want {
			c.t.Errorf("%d %s, %v; want %d", got, column, err, want)
		}
	}
	if err := checkInvariants(c.db, stateInvariant); err != nil { // fill has made states without events
		c.t.Error(err)
	}
	var failed []string
	for _, class := range []string{"deadlock", "connection", "lock_wait", "conflict", "other"} {
		n := 0.0
		for _, s := range c.servers {
			n += s.mustMetric(`popupd_flush_errors_total{class="` + class + `"}`)
		}
		failed = append(failed, fmt.Sprintf("%s %v", class, n))
	}
	flushes := 0.0
	for _, s := range c.servers {
		flushes += s.mustMetric("popupd_flush_duration_seconds_count")
	}
	c.t.Logf("%d requests/s: %d requests, %d failed; %d popups and %d clicks in %v flushes; flushes tried again: %s",
		u.rate, u.requests, len(u.failed), u.served, u.clicked, flushes, strings.Join(failed, ", "))
}

// TestClusterGaleraKill has three popupds use different nodes. These are killed with kill
// -9, one and then two at a time, join the others again, and are restarted one by one. No
// request fails, and each event counts once.
func TestClusterGaleraKill(t *testing.T) {
	needsCluster(t)
	c := newGaleraCluster(t, []int{0, 1, 2}, []int{1, 2, 0}, []int{2, 0, 1})
	c.allCommit(c.servers...)

	c.killNodes(0)
	c.allCommit(c.servers...)
	c.comeBack(0)
	c.allCommit(c.servers...)
	if n := c.clients(0); n != "0" {
		t.Errorf("%s connections to the node that was killed; want its server to stay where it has gone", n)
	}

	c.killNodes(0, 1)
	up(t, 0, c.servers...)
	c.comeBack(0, 1)
	c.allCommit(c.servers...)

	for i, node := range c.nodes {
		if err := node.Stop(); err != nil {
			t.Fatalf("node %d: %v", i, err)
		}
		c.allCommit(c.servers...)
		c.comeBack(i)
	}
	c.finish()
}

// TestClusterGaleraSplit cuts off the only node of one popupd, which another lists first.
// The first serves from memory, its events wait in its journal and its control plane takes
// no changes; the second goes to the majority. Afterwards each event counts once.
func TestClusterGaleraSplit(t *testing.T) {
	needsCluster(t)
	c := newGaleraCluster(t, []int{2}, []int{2, 0, 1}, []int{0})
	alone, several, majority := c.servers[0], c.servers[1], c.servers[2]
	c.allCommit(c.servers...)
	etag := alone.etag("one")

	c.isolate(2, true)
	up(t, 0, alone)
	c.allCommit(several, majority)
	body := `{"key":"one","status":"active","frequency":{"after_impression_sec":86400},"variants":[{"key":"a"}]}`
	if status := alone.admin(http.MethodPut, "/v1/admin/popups/one", body, etag, nil); status != http.StatusServiceUnavailable {
		t.Errorf("a change in the minority: %d, want %d", status, http.StatusServiceUnavailable)
	}
	if status := majority.admin(http.MethodPut, "/v1/admin/popups/one", body, etag, nil); status != http.StatusOK {
		t.Errorf("a change in the majority: %d, want %d", status, http.StatusOK)
	}
	if waiting := alone.mustMetric("popupd_queue_depth_events"); waiting == 0 {
		t.Error("no event waits in the minority")
	}

	c.isolate(2, false)
	c.allCommit(c.servers...)
	if etag := alone.etag("one"); etag != `"2"` {
		t.Errorf("version %s in what was the minority, want 2", etag)
	}
	c.finish()
}
