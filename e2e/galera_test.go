//go:build linux

package e2e

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/popupd/popupd/internal/storetest"
)

// galera is three nodes and a popupd on each.
type galera struct {
	t       *testing.T
	nodes   []*storetest.MySQLServer
	dbs     []*sql.DB // straight to each node
	servers []*server
	args    []string // of every popupd, but for the database
}

// TestGalera drives popupd on a real Galera cluster of three nodes, of which two are
// killed in the end.
func TestGalera(t *testing.T) {
	needsCluster(t) // and waits for orphaned streams, a minute in all
	g := &galera{t: t, nodes: storetest.StartGalera(t, 3)}
	g.args = []string{"-redis", storetest.StartRedis(t).URL(), "-secret", "shared by all servers"}
	if _, err := g.nodes[0].MySQL.CreateDatabase("popupd"); err != nil {
		t.Fatal(err)
	}
	for _, node := range g.nodes {
		g.dbs = append(g.dbs, openDB(t, node.DSN("popupd")))
	}
	g.startTogether()
	g.readWhatOthersWrote()
	g.killTwoNodes()
}

// server starts a popupd on some of the nodes.
func (g *galera) server(nodes ...*storetest.MySQLServer) *server {
	g.t.Helper()
	return launch(g.t, append(slices.Clone(g.args), "-mysql", dsnOf(nodes...))...)
}

func dsnOf(nodes ...*storetest.MySQLServer) string {
	var addresses []string
	for _, node := range nodes {
		addresses = append(addresses, node.Addr)
	}
	return fmt.Sprintf("root@tcp(%s)/popupd", strings.Join(addresses, ","))
}

// startTogether starts a popupd on each node of the empty cluster: each migration is
// recorded once.
func (g *galera) startTogether() {
	for _, node := range g.nodes {
		g.servers = append(g.servers, g.server(node))
	}
	for _, s := range g.servers {
		s.waitReady()
	}
	for i, db := range g.dbs {
		var recorded, distinct int
		err := db.QueryRow("SELECT COUNT(*), COUNT(DISTINCT version_id) FROM schema_version").Scan(&recorded, &distinct)
		if err != nil || recorded != distinct || recorded == 0 {
			g.t.Errorf("node %d: %d migrations are recorded %d times, %v; want each once", i+1, distinct, recorded, err)
		}
	}
}

// readWhatOthersWrote has a node fall behind: a server on it answers with what a server
// on another node has committed before, once the node knows of it.
func (g *galera) readWhatOthersWrote() {
	g.servers[0].create("causal", `{"after_impression_sec":60}`)
	behind, err := g.dbs[1].Conn(g.t.Context())
	if err != nil {
		g.t.Fatal(err)
	}
	defer behind.Close()
	exec := func(statement string) {
		g.t.Helper()
		if _, err := behind.ExecContext(g.t.Context(), statement); err != nil {
			g.t.Fatalf("%s: %v", statement, err)
		}
	}
	etag := g.servers[1].etag("causal") // the node has the first version
	exec("FLUSH TABLES WITH READ LOCK")
	g.servers[0].put("causal", `{"key":"causal","status":"active","variants":[{"key":"a"}]}`)
	type answer struct {
		status, version int
	}
	answered := make(chan answer, 1)
	go func() {
		var p struct{ Version int }
		status := g.servers[1].admin("GET", "/v1/admin/popups/causal", "", "", &p)
		answered <- answer{status, p.Version}
	}()
	var got answer
	eventually(g.t, 10*time.Second, func() error {
		select {
		case got = <-answered:
			return nil
		default:
		}
		var waiting int
		err := behind.QueryRowContext(context.Background(),
			"SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE DB = 'popupd' AND ID <> CONNECTION_ID() AND INFO LIKE '%FROM popups WHERE%'").Scan(&waiting)
		if err == nil && waiting == 0 {
			err = errors.New("neither an answer nor a query that waits")
		}
		return err
	})
	exec("UNLOCK TABLES")
	if got == (answer{}) {
		got = <-answered
	}
	if etag != `"1"` || got != (answer{http.StatusOK, 2}) {
		g.t.Errorf("version %s, then %+v; want 1 and 2", etag, got)
	}
}

// visits are users who come once each to a server, as fast as it answers within limits,
// and click on every second popup.
type visits struct {
	server                 *server
	stop                   context.CancelFunc
	done                   chan struct{}
	shown, clicked, failed int // to be read when done
}

func startVisits(s *server, name string) *visits {
	ctx, cancel := context.WithCancel(context.Background())
	v := &visits{server: s, stop: cancel, done: make(chan struct{})}
	s.t.Cleanup(v.wait)
	go func() {
		defer close(v.done)
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		for n := 0; ctx.Err() == nil; n++ {
			v.visit(fmt.Sprint(name, "-", n), n%2 == 0)
			<-tick.C
		}
	}()
	return v
}

func (v *visits) visit(user string, clicks bool) {
	p, err := v.server.ask(user)
	if err != nil || p == nil {
		v.failed++
		return
	}
	v.shown++
	if !clicks {
		return
	}
	if status, err := v.server.act(p.Token, "click"); err != nil || status != http.StatusAccepted {
		v.failed++
		return
	}
	v.clicked++
}

func (v *visits) wait() { v.stop(); <-v.done }

// killTwoNodes kills the first node, and then the second, under load. A server that
// knows all nodes goes on with the next one. The third node alone is outside of the
// primary component and takes no statements, until an operator makes it one. When the
// servers of the killed nodes use it, too, all that was acknowledged is there once.
func (g *galera) killTwoNodes() {
	everywhere := g.server(g.nodes...)
	everywhere.waitReady()
	servers := append(slices.Clone(g.servers), everywhere)
	var users []*visits
	for i, s := range servers {
		users = append(users, startVisits(s, fmt.Sprint("server", i)))
	}
	up(g.t, 1, servers...)
	commits(g.t, everywhere)

	g.nodes[0].Kill()
	up(g.t, 0, servers[0])
	up(g.t, 1, servers[1], servers[2], everywhere)
	commits(g.t, everywhere)

	g.nodes[1].Kill()
	up(g.t, 0, servers...)
	if _, err := g.nodes[2].Query("SET GLOBAL wsrep_provider_options = 'pc.bootstrap=YES'"); err != nil {
		g.t.Fatal(err)
	}
	up(g.t, 1, servers[2], everywhere)
	commits(g.t, everywhere)

	shown, clicked := 0, 0
	for i, v := range users {
		v.wait()
		if v.failed > 0 || v.clicked == 0 {
			g.t.Errorf("server %d: %d requests failed, %d clicks", i, v.failed, v.clicked)
		}
		shown, clicked = shown+v.shown, clicked+v.clicked
	}
	// Others commit what these two have shipped, if nothing of it is missing in Redis:
	// the two cannot know. What they have not shipped is in their journals alone.
	for _, s := range g.servers[:2] {
		s.stop()
		s.Flags[len(s.Flags)-1] = dsnOf(g.nodes[2])
		s.restart()
	}
	eventually(g.t, 60*time.Second, func() error {
		var seen, done, distinct int
		err := g.dbs[2].QueryRow("SELECT SUM(action = 1), SUM(action = 2), COUNT(DISTINCT user_id) FROM event WHERE repeated = 0").Scan(&seen, &done, &distinct)
		if err != nil || seen != shown || done != clicked || distinct != shown {
			return fmt.Errorf("%d impressions, %d clicks, %d users, %v; want %d, %d, %[5]d", seen, done, distinct, err, shown, clicked)
		}
		return checkInvariants(g.dbs[2])
	})
	g.t.Logf("%d impressions, %d clicks", shown, clicked)
}

// up waits until popupd_mysql_up is so on all of these servers.
func up(t *testing.T, want float64, servers ...*server) {
	t.Helper()
	for i, s := range servers {
		eventually(t, time.Minute, func() error {
			if got, err := s.metric("popupd_mysql_up"); err != nil || got != want {
				return fmt.Errorf("server %d of %d: popupd_mysql_up = %v, %v; want %v", i+1, len(servers), got, err, want)
			}
			return nil
		})
	}
}

// commits waits until a server has committed more events.
func commits(t *testing.T, s *server) {
	t.Helper()
	before := -1.0
	eventually(t, time.Minute, func() error {
		n, err := s.metric("popupd_flushed_events_total")
		if err == nil && before < 0 {
			before = n
		}
		if err != nil || n < before+100 {
			return fmt.Errorf("it commits nothing, %v", err)
		}
		return nil
	})
}
