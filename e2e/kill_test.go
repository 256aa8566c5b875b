//go:build linux

package e2e

import (
	"fmt"
	"testing"
	"time"

	"github.com/popupd/popupd/internal/storetest"
)

// under is how long the load of a kill test goes on.
func under() time.Duration {
	if testing.Short() {
		return 3 * time.Second
	}
	return 5 * time.Second
}

// stores are a database and a Redis of the test's own, which it may kill.
type stores struct {
	mysql *storetest.MySQLServer
	redis *storetest.RedisServer
	dsn   string
}

func startStores(t testing.TB) stores {
	t.Helper()
	s := stores{mysql: storetest.StartMySQL(t), redis: storetest.StartRedis(t)}
	s.dsn = s.mysql.CreateDatabase(t, "popupd")
	return s
}

func (s stores) args() []string { return []string{"-mysql", s.dsn, "-redis", s.redis.URL()} }

// TestKill kills one of the three processes a few times under load: whatever
// was acknowledged is in the database once, and no one sees a popup twice.
func TestKill(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		kill func(*testing.T, *server, stores)
	}{
		{"server", func(t *testing.T, s *server, _ stores) { s.Kill(); s.restart() }},
		{"redis", func(t *testing.T, _ *server, st stores) { st.redis.Kill(); st.redis.Restart(t) }},
		{"mariadb", func(t *testing.T, _ *server, st stores) { st.mysql.Kill(); st.mysql.Restart(t) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			st := startStores(t)
			s := start(t, st.args()...)
			day := 24 * time.Hour
			h := newHistory(popupSpecs{
				{key: "one", afterImpression: day, afterClick: day, afterDismiss: day},
				{key: "two", afterImpression: day, afterClick: day, afterDismiss: day},
			})
			h.popups.create(s)
			l := startLoad(s, h, "user", 1)
			const kills = 3
			tick := time.NewTicker(under() / (kills + 1))
			defer tick.Stop()
			for range kills {
				<-tick.C
				c.kill(t, s, st)
			}
			<-tick.C
			l.check(t, openDB(t, st.dsn))
			if n := l.failures(); c.name != "server" && n > 0 {
				t.Errorf("%d requests failed, though the server was up all the time", n)
			}
		})
	}
}

// TestStoresDown stops both stores: polls and actions are answered as before,
// and all of it arrives when they are back.
func TestStoresDown(t *testing.T) {
	t.Parallel()
	st := startStores(t)
	s := start(t, st.args()...)
	h := newHistory(popupSpecs{{key: "one", afterImpression: time.Hour, afterClick: time.Hour, afterDismiss: time.Hour}})
	h.popups.create(s)
	l := startLoad(s, h, "user", 1)
	tick := time.NewTicker(under() / 4)
	defer tick.Stop()
	<-tick.C
	st.redis.Kill()
	st.mysql.Kill()
	before := h.len()
	<-tick.C
	<-tick.C
	eventually(t, 30*time.Second, func() error {
		if n := countOutcomes(h.since(before))[acked]; n < 100 {
			return fmt.Errorf("%d popups shown and clicks acknowledged while both stores were down, want 100", n)
		}
		return nil
	})
	st.mysql.Restart(t)
	st.redis.Restart(t)
	<-tick.C
	l.check(t, openDB(t, st.dsn))
	if n := l.failures(); n > 0 {
		t.Errorf("%d requests failed", n)
	}
}
