package persist

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/popupd/popupd/internal/storetest"
	"github.com/popupd/popupd/popup"
)

// TestGalera is about three nodes of a Galera cluster, of which popupds use several at
// the same time.
func TestGalera(t *testing.T) {
	if os.Getenv("POPUPD_CLUSTER") == "" {
		t.Skip("starts a cluster: make galera")
	}
	nodes := storetest.StartGalera(t, 3)
	t.Run("goals and exposures", func(t *testing.T) { goalsOnTwoNodes(t, nodes) })
	t.Run("the same rows", func(t *testing.T) { sameRowsOnThreeNodes(t, nodes) })
	t.Run("a node that lags", func(t *testing.T) { nodeThatLags(t, nodes) })
	t.Run("a node that is cut off", func(t *testing.T) { nodeThatIsCutOff(t, nodes) })
}

// onNodes returns a store of a new database on each node. What looks on beside a store
// waits for the other nodes, as the store does.
func onNodes(t testing.TB, name string, nodes ...*storetest.MySQLServer) (stores []*store) {
	t.Helper()
	nodes[0].CreateDatabase(t, name)
	for _, node := range nodes {
		dsn := node.DSN(name)
		s := newEmptyStore(t, "mysql", dsn+"?wsrep_sync_wait=7", Config{DSN: dsn})
		if err := s.Migrate(t.Context()); err != nil {
			t.Fatal(err)
		}
		stores = append(stores, s)
	}
	return stores
}

// conflicts returns how often flushes of these stores have met those of other nodes.
func conflicts(stores ...*store) (n float64) {
	for _, s := range stores {
		n += testutil.ToFloat64(s.metrics.errors[classDeadlock])
	}
	return n
}

// goalsOnTwoNodes flushes goals on one node and their exposures, which say nothing new of
// their users, on another at the same time. Neither waits for the other, and yet each goal
// counts.
func goalsOnTwoNodes(t *testing.T, nodes []*storetest.MySQLServer) {
	const rounds, users = 20, 50
	both := onNodes(t, "goals", nodes[0], nodes[1])
	s, other := both[0], both[1]
	goals, exposures := streamID(1), streamID(2)
	s.register(t, goals)
	s.register(t, exposures)
	for round := range rounds {
		var first, later, reported []popup.Event
		for u := range users {
			user := fmt.Sprintf("%d of round %d", u, round)
			first = append(first, shown(user, startMS+100), shown(user, startMS+101))
			later = append(later, shown(user, startMS))
			reported = append(reported, purchased(user, startMS+50, startMS))
		}
		s.mustFlush(t, batchOf(exposures, s.progress(t, exposures), first...))
		s.mustFlush(t, batchOf(exposures, s.progress(t, exposures), first...)) // so that ever_before is as ever
		flushed := make(chan error, 2)
		go func() { flushed <- flushUntilDone(t, other.DB, goals, reported) }()
		go func() { flushed <- flushUntilDone(t, s.DB, exposures, later) }()
		for range 2 {
			if err := <-flushed; err != nil {
				t.Fatal(err)
			}
		}
	}
	if n := s.number(t, "SELECT COUNT(*) FROM event WHERE action = 9 AND repeated = 0"); n != rounds*users {
		t.Errorf("%d goals count, want %d", n, rounds*users)
	}
	if n := s.number(t, "SELECT COUNT(*) FROM goal_pending"); n != 0 {
		t.Errorf("%d goals are pending, want none", n)
	}
	t.Logf("%v conflicts in %d rounds", conflicts(both...), rounds)
	if conflicts(both...) == 0 {
		t.Error("the nodes never met")
	}
}

// flushUntilDone flushes as a server does: after an error it reads the progress.
func flushUntilDone(t testing.TB, db *DB, id popup.StreamID, events []popup.Event) (err error) {
	after, _, err := db.Progress(t.Context(), id)
	if err != nil {
		return err
	}
	b := batchOf(id, after, events...)
	for until := time.Now().Add(time.Minute); time.Now().Before(until); {
		if _, err = db.Flush(t.Context(), b); err == nil {
			return nil
		}
		if last, _, err := db.Progress(t.Context(), id); err == nil && last == b.Last {
			return nil
		}
	}
	return err
}

// sameRowsOnThreeNodes has each node commit what is shown to the same users, with a click
// that another node commits, too, at the same time.
func sameRowsOnThreeNodes(t *testing.T, nodes []*storetest.MySQLServer) {
	const rounds, users = 30, 40
	stores := onNodes(t, "same_rows", nodes...)
	servedAt := func(round, server int) int64 { return startMS + int64(100*round+server) }
	var running sync.WaitGroup
	for server, s := range stores {
		id := streamID(byte(server + 1))
		stores[0].register(t, id)
		running.Go(func() {
			for round := range rounds {
				var events []popup.Event
				for u := range users {
					user := fmt.Sprint("user", u)
					own, others := servedAt(round, server), servedAt(round, (server+1)%len(stores))
					events = append(events, shown(user, own), clicked(user, own, own+10), clicked(user, others, own+11))
				}
				if err := flushUntilDone(t, s.DB, id, events); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	running.Wait()
	const impressions = int64(3 * rounds * users)
	for what, query := range map[string]struct {
		sql  string
		want int64
	}{
		"impressions":          {"SELECT SUM(impressions) FROM popup_stats", impressions},
		"clicks":               {"SELECT SUM(clicks) FROM popup_stats", impressions},
		"users":                {"SELECT SUM(users) FROM popup_stats", users},
		"users who clicked":    {"SELECT SUM(click_users) FROM popup_stats", users},
		"events":               {"SELECT COUNT(*) FROM event", 3 * impressions},
		"clicks that repeat":   {"SELECT COUNT(*) FROM event WHERE repeated = 1", impressions},
		"impressions, by rows": {"SELECT COUNT(*) FROM impression WHERE acted <> 0", impressions},
	} {
		if got := stores[0].number(t, query.sql); got != query.want {
			t.Errorf("%d %s, want %d", got, what, query.want)
		}
	}
	n := conflicts(stores...)
	t.Logf("%v conflicts in %d flushes", n, 3*rounds)
	if n == 0 {
		t.Error("the nodes never met")
	}
}

// connectAll opens all connections of the pool beforehand: a new one begins with a read,
// for which it waits.
func (s *store) connectAll(t *testing.T) {
	t.Helper()
	s.write.SetMaxIdleConns(poolConnections)
	var all []*sql.Conn
	for range poolConnections {
		conn, err := s.write.Conn(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, conn)
	}
	for _, conn := range all {
		if err := conn.Close(); err != nil { // to the pool
			t.Fatal(err)
		}
	}
}

// lags is the database of nodeThatLags.
const lags = "lags"

// makeSlow has a node apply what is inserted into the table slow, and what follows it,
// only after a while. Until then the node answers as if it was not there.
func makeSlow(t *testing.T, on, behind *store, by time.Duration) {
	t.Helper()
	conn, err := behind.raw.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	on.exec(t, "CREATE TABLE slow (i INT PRIMARY KEY)")
	for _, statement := range []string{
		"SET GLOBAL slave_run_triggers_for_rbr = YES",
		"SET SESSION wsrep_on = OFF", // the trigger is this node's alone
		fmt.Sprintf("CREATE TRIGGER slows BEFORE INSERT ON slow FOR EACH ROW SET @slept = SLEEP(%v)", by.Seconds()),
		"SET SESSION wsrep_on = ON",
	} {
		if _, err := conn.ExecContext(t.Context(), statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
}

// nodeThatLags has a node fall behind while another commits. Everything that a popupd asks
// the node that is behind, or writes to it, comes after what the other has committed.
func nodeThatLags(t *testing.T, nodes []*storetest.MySQLServer) {
	both := onNodes(t, lags, nodes[0], nodes[1])
	s, behind := both[0], both[1]
	near, far := streamID(1), streamID(2)
	s.register(t, far)
	behind.mustFlush(t, batchOf(far, 0, shown("known", startMS)))
	mustCreate(t, s, `{"key":"old"}`)
	behind.connectAll(t)
	before, err := behind.Rows(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	makeSlow(t, s, behind, 4*time.Second)
	s.exec(t, "INSERT INTO slow VALUES (1)")

	s.register(t, near)
	s.mustFlush(t, batchOf(near, 0, shown("seen", startMS), reset("gone", startMS+10)))
	p := mustCreate(t, s, `{"key":"new","status":"active"}`)
	token, old := s.adminToken("ci", popup.RoleViewer, time.Hour), s.adminToken("old", popup.RoleViewer, time.Hour)
	for _, created := range []popup.AdminToken{token, old} {
		if err := s.CreateAdminToken(t.Context(), createToken, created); err != nil {
			t.Fatal(err)
		}
	}
	session := s.mustLogIn(t, s.session("ann", popup.RoleViewer), "")
	if _, err := s.PutSettings(t.Context(), operator, 0, popup.Settings{MinGapSec: 60}); err != nil {
		t.Fatal(err)
	}
	position, err := s.Position(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if n, err := nodes[1].Query("SELECT COUNT(*) FROM " + lags + ".popups"); err != nil || n != "1" {
		t.Fatalf("the node has %s popups, %v; want 1 while it lags", n, err)
	}

	ctx, db := t.Context(), behind.DB
	checks := map[string]func() (got, want any, err error){
		"progress": func() (any, any, error) {
			last, _, err := db.Progress(ctx, near)
			return last, uint64(2), err
		},
		"revision": func() (any, any, error) {
			got, err := db.Position(ctx)
			return got, position, err
		},
		"changes": func() (any, any, error) {
			c, known, err := db.Changes(ctx, popup.Position{Revision: before.Revision, Nonce: before.Nonce})
			return known && c.Revision == position.Revision, true, err
		},
		"all popups": func() (any, any, error) {
			c, err := db.Rows(ctx)
			return len(c.Popups), 2, err
		},
		"a popup": func() (any, any, error) {
			got, err := db.Popup(ctx, p.Key)
			return got.Version, p.Version, err
		},
		"settings": func() (any, any, error) {
			got, err := db.Settings(ctx)
			return got.MinGapSec == 60, true, err
		},
		"a named token": func() (any, any, error) {
			list, err := db.AdminTokens(ctx)
			return slices.ContainsFunc(list, func(t popup.AdminToken) bool { return t.ID == token.ID }), true, err
		},
		"a token is deleted": func() (any, any, error) {
			id, err := db.DeleteAdminToken(ctx, deleteToken, old.Name)
			return id, old.ID, err
		},
		"a session of the console": func() (any, any, error) {
			list, err := db.ConsoleSessions(ctx, []string{session.ID})
			return len(list), 1, err
		},
		"users' state": func() (any, any, error) {
			n := 0
			_, err := db.Restore(ctx, startMS, 0, nil, false, func([]byte, uint32, popup.State) { n++ })
			return n, 2, err
		},
		"the audit trail": func() (any, any, error) {
			list, err := db.Audit(ctx, p.Key, 0, 10)
			return len(list), 1, err
		},
		"a stream is closed": func() (any, any, error) {
			if err := db.CloseStream(ctx, near); err != nil {
				return nil, nil, err
			}
			return s.number(t, "SELECT closed FROM ingest_stream WHERE stream_id = ?", near.String()), int64(1), nil
		},
		"a flush of a user who was reset": func() (any, any, error) {
			e := shown("gone", startMS)
			e.Popup = 2 // so that its rows are not those of the other flush
			_, err := db.Flush(ctx, batchOf(far, 1, e))
			return behind.number(t, "SELECT COUNT(*) FROM event WHERE user_id = 'gone'"), int64(0), err
		},
	}
	var running sync.WaitGroup
	for what, check := range checks {
		running.Go(func() {
			if got, want, err := check(); err != nil || got != want {
				t.Errorf("%s: %v, %v; want %v", what, got, err, want)
			}
		})
	}
	running.Wait()
	leaveNodeThatLags(t, s, nodes)
}

// leaveNodeThatLags: a popupd that knows other nodes leaves one that lags by more than a
// new connection may take.
func leaveNodeThatLags(t *testing.T, near *store, nodes []*storetest.MySQLServer) {
	dsn := withNodes(t, near.config.DSN, nodes[1].Addr, nodes[0].Addr) + "?timeout=1s"
	several := newEmptyStore(t, "mysql", near.config.DSN, Config{DSN: dsn})
	if !several.ping(t.Context()) {
		t.Fatal("the store does not answer")
	}
	near.exec(t, "INSERT INTO slow VALUES (2)")
	hasty, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if several.ping(hasty) {
		t.Error("the store answers while its node lags")
	}
	start := time.Now()
	if !several.ping(t.Context()) || time.Since(start) > 2*time.Second {
		t.Errorf("the store does not answer, after %v", time.Since(start))
	}
	if node := several.nodes.current.Load(); node != 1 {
		t.Errorf("node %d is in use, want the other one", node)
	}
}

// nodeThatIsCutOff cuts a node off while a transaction is to be committed on it. Nobody
// knows then what becomes of it, so it is to be looked up, as after a lost connection. A
// popupd that knows other nodes goes on there.
func nodeThatIsCutOff(t *testing.T, nodes []*storetest.MySQLServer) {
	all := onNodes(t, "cut_off", nodes...)
	s, alone := all[0], all[2]
	several := newEmptyStore(t, "mysql", s.config.DSN, Config{DSN: withNodes(t, s.config.DSN, nodes[2].Addr, nodes[0].Addr, nodes[1].Addr)})
	id := streamID(1)
	several.register(t, id)
	err := alone.once(t.Context(), func(tx *sql.Tx) error {
		_, err := tx.ExecContext(t.Context(), "UPDATE config_revision SET revision = revision + 1")
		return errors.Join(err, isolate(nodes[2], true))
	})
	if classOf(err) != classConnection || !Unavailable(err) {
		t.Errorf("the COMMIT of a node that is cut off: %v (class %s), want class %s", err, classOf(err), classConnection)
	}
	eventually(t, "another node is used", func() bool { return several.ping(t.Context()) })
	if err := flushUntilDone(t, several.DB, id, []popup.Event{shown("u", startMS)}); err != nil {
		t.Error(err)
	}
	if n := s.number(t, "SELECT SUM(impressions) FROM popup_stats"); n != 1 {
		t.Errorf("%d impressions, want 1", n)
	}
	if _, _, err := alone.Progress(t.Context(), id); !isRefusal(err) {
		t.Errorf("the progress on a node that is cut off: %v, want a refusal", err)
	}
	if err := isolate(nodes[2], false); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the node is back", func() bool {
		last, _, err := alone.Progress(t.Context(), id)
		return err == nil && last == 1
	})
}

// isolate cuts a node off from the others, or ends that.
func isolate(node *storetest.MySQLServer, cut bool) error {
	n := map[bool]int{true: 1}[cut]
	_, err := node.Query(fmt.Sprintf("SET GLOBAL wsrep_provider_options = 'gmcast.isolate=%d'", n))
	return err
}
