//go:build linux

package e2e

import (
	"bufio"
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/popupd/popupd/internal/storetest"
	"github.com/popupd/popupd/internal/testbed"
)

const redisPassword = "correct-horse"

// redisUser returns what docs/stores.md says of the ACL user that popupd needs, for this
// kind of Redis, as arguments of redis-server.
func redisUser(t *testing.T, kind string) (args []string) {
	t.Helper()
	text, err := os.ReadFile("../docs/stores.md")
	if err != nil {
		t.Fatal(err)
	}
	line := strings.Replace(regexp.MustCompile("(?m)^user popupd .*$").FindString(string(text)), "PASSWORD", redisPassword, 1)
	for _, name := range []string{kind, "doctor"} { // the page System asks what doctor does
		more := regexp.MustCompile("(?m)^- " + name + ": `([^`]*)`").FindStringSubmatch(string(text))
		if line == "" || more == nil {
			t.Fatalf("docs/stores.md has no ACL user for %s", name)
		}
		line += " " + more[1]
	}
	return append([]string{"--user"}, strings.Fields(line)[1:]...)
}

// redisServers are all of a kind, masters and replicas.
type redisServers struct {
	t       *testing.T
	servers []*testbed.Redis
}

// checkUser fails the test for commands that popupd was refused, and for those that its
// user may do and that it did not need, on all servers together. Commands that only come
// up elsewhere are spared.
func (r *redisServers) checkUser(args []string, spared ...string) {
	r.t.Helper()
	called := make(map[string]bool)
	for _, s := range r.servers {
		stats, err := s.Command("INFO commandstats")
		if err != nil {
			r.t.Error(err)
		}
		for _, match := range regexp.MustCompile(`cmdstat_(\S+):`).FindAllStringSubmatch(stats, -1) {
			called["+"+match[1]] = true
		}
		refused, err := s.Command("INFO errorstats")
		if err != nil || strings.Contains(refused, "NOPERM") {
			r.t.Errorf("popupd was refused one of these commands: %v, %v", regexp.MustCompile(`\S+:\S+,rejected_calls=[1-9]\S*`).FindAllString(stats, -1), err)
		}
	}
	for _, word := range append(spared, "+config|get") { // which the page System may not have got to
		called[word] = true
	}
	for _, word := range args {
		if strings.HasPrefix(word, "+") && !called[word] {
			r.t.Errorf("popupd never used %s", word)
		}
	}
}

// comeBack starts a server that was killed. Its port may be taken for a moment, by who
// tries to connect to it from a port that happens to be the same.
func comeBack(t *testing.T, s interface{ Start() error }) {
	t.Helper()
	eventually(t, 20*time.Second, s.Start)
}

// liveLists returns the keys of the lists of the servers that run, once each has one.
func (c *cluster) liveLists() (keys []string) {
	c.t.Helper()
	eventually(c.t, 10*time.Second, func() error {
		var joined sql.NullString
		err := c.db.QueryRow("SELECT GROUP_CONCAT(stream_id) FROM ingest_stream WHERE closed = 0").Scan(&joined)
		if keys = strings.Split(joined.String, ","); err != nil || len(keys) != len(c.servers) {
			return fmt.Errorf("streams %q, %v; want %d", keys, err, len(c.servers))
		}
		return nil
	})
	for i, stream := range keys {
		keys[i] = "popupd:q:{" + stream + "}"
	}
	return keys
}

// recovered waits until all servers write to Redis, hear each other, and what they are
// told is committed within two seconds. It logs how long that took.
func (c *cluster) recovered(after string) {
	c.t.Helper()
	begun := time.Now()
	for i, s := range c.servers {
		eventually(c.t, 30*time.Second, func() error {
			up, lag, oldest := s.mustMetric("popupd_redis_up"), s.mustMetric("popupd_peer_lag_seconds"), s.mustMetric("popupd_oldest_uncounted_event_seconds")
			if up != 1 || lag != 0 || oldest > 2 {
				return fmt.Errorf("%s: server %d: popupd_redis_up %v, popupd_peer_lag_seconds %.1f, oldest uncounted event of %.1f s", after, i, up, lag, oldest)
			}
			return nil
		})
	}
	c.t.Logf("%s: all is as before %v later", after, time.Since(begun).Round(10*time.Millisecond))
}

// checkKnown fails the test for users whom a server would show again what any of them has
// shown them.
func (c *cluster) checkKnown() {
	c.t.Helper()
	for i, s := range c.servers { // what was published last may be on its way yet
		eventually(c.t, 15*time.Second, func() error {
			if got, want := s.mustMetric("popupd_state_entries"), float64(c.users.seen+len(c.users.shown)); got < want {
				return fmt.Errorf("server %d knows of %v users, want %v", i, got, want)
			}
			return nil
		})
	}
	unknown := 0
	var first []string
	for user := range c.users.shown {
		for i, s := range c.servers {
			if s.mustAsk(user) != nil {
				unknown++
				first = append(first, fmt.Sprintf("%s, shown %v ago, at server %d", user, time.Since(c.users.shown[user].at).Round(time.Millisecond), i))
			}
		}
	}
	if unknown > 0 {
		c.t.Errorf("%d times a server did not know what had been shown to one of %d users, as these: %q", unknown, len(c.users.shown), first[:min(5, len(first))])
	}
}

// useTheRest has a server ask what the console's page System shows of Redis, and delete
// the list of a stream that has ended.
func (c *cluster) useTheRest() {
	c.t.Helper()
	c.servers[0].stop()
	c.servers[0].restart()
	eventually(c.t, 10*time.Second, func() error {
		n, err := queryInt(c.db, "SELECT COUNT(*) FROM ingest_stream WHERE closed = 0")
		if err == nil && n >= len(c.servers) {
			err = fmt.Errorf("%d streams are open, want one less than there are servers", n)
		}
		return err
	})
	req, err := http.NewRequestWithContext(c.t.Context(), http.MethodGet, c.servers[0].adminURL+"/live?system=1", nil)
	if err != nil {
		c.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+adminToken)
	resp, err := client.Do(req)
	if err != nil {
		c.t.Fatal(err)
	}
	defer resp.Body.Close()
	events := bufio.NewScanner(resp.Body)
	events.Buffer(nil, 1<<20)
	for events.Scan() {
		if regexp.MustCompile(`"used_bytes":[0-9]`).MatchString(events.Text()) {
			return
		}
	}
	c.t.Errorf("the page System knows nothing of Redis: %v", events.Err())
}

// runRedis has users poll while change is made to Redis, and holds that none of them
// notices, all that was acknowledged is committed once, and each server knows it.
func (c *cluster) runRedis(change func()) {
	c.t.Helper()
	stop := c.users.start()
	defer stop() // also where the test ends early
	for _, s := range c.servers {
		c.waitPolled(s)
	}
	c.recovered("at the start")
	change()
	stop()
	c.checkFailed(0)
	c.checkAgain()
	c.checkEvents()
	c.checkKnown()
	c.useTheRest()
	u := c.users
	c.t.Logf("%d requests, %d failed; %d popups, %d shown again", u.requests, len(u.failed), u.served, len(u.again))
}

// TestClusterRedisFailover kills masters of a Redis Cluster that popupd uses over TLS, as
// a user that may do nothing else.
func TestClusterRedisFailover(t *testing.T) {
	needsCluster(t)
	user := redisUser(t, "cluster")
	redis := startRedisNodes(t, user...)
	url := fmt.Sprintf("rediss://popupd:%s@%s,%s", redisPassword, redis.nodes[0].TLSAddr, redis.nodes[1].TLSAddr)
	c := newClusterOn(t, "haproxy", 3, testbed.PopupdOptions{Flags: []string{"-redis", url}, Env: []string{"SSL_CERT_FILE=" + redis.nodes[0].CertFile}})
	c.runRedis(func() {
		list := c.liveLists()[0]
		for _, name := range []string{"master killed", "the master that took over killed"} {
			old := redis.master(list)
			old.Kill()
			redis.awaitMaster(list, old)
			c.recovered(name)
			comeBack(t, old)
			eventually(t, 30*time.Second, func() error {
				if !old.Follows() {
					return errors.New("what was the master does not follow the new one")
				}
				return nil
			})
			c.recovered("it is back")
		}
		// Before it is missed, and so empty.
		old := redis.master(list)
		old.Kill()
		comeBack(t, old)
		c.recovered("master started anew, empty")
	})
	redis.checkUser(user, "+asking", "+cluster|shards") // a slot that moves, and Redis 8
}

// TestClusterRedisResharding takes the master of a server's list out of the Redis Cluster,
// slot by slot, and with it whoever heard the others there.
func TestClusterRedisResharding(t *testing.T) {
	needsCluster(t)
	user := redisUser(t, "cluster")
	redis := startRedisNodes(t, user...)
	url := fmt.Sprintf("redis://popupd:%s@%s,%s", redisPassword, redis.nodes[0].Addr, redis.nodes[1].Addr)
	c := newClusterOn(t, "haproxy", 3, testbed.PopupdOptions{Flags: []string{"-redis", url}})
	c.runRedis(func() {
		lists := c.liveLists()
		old := redis.master(lists[0])
		other := redis.nodes[0]
		if other == old {
			other = redis.nodes[1]
		}
		redis.moveAll(old, other, lists)
		redis.awaitMaster(lists[0], old)
		c.recovered("its slots moved away")
		redis.dismiss(old)
		eventually(t, 30*time.Second, func() error {
			if n := redis.hearers(old); n != ":0" {
				return fmt.Errorf("%s servers hear the others at a node that has left the cluster", n)
			}
			return nil
		})
		c.recovered("it left the cluster")
	})
	redis.checkUser(user, "+cluster|shards")
}

// TestClusterRedisSentinel kills masters that Sentinels watch.
func TestClusterRedisSentinel(t *testing.T) {
	needsCluster(t)
	user := redisUser(t, "Sentinel")
	first := storetest.StartRedis(t, user...)
	host, port, _ := strings.Cut(first.Addr, ":")
	second := storetest.StartRedis(t, append(user, "--replicaof", host, port)...)
	var sentinels []*storetest.RedisServer
	var addresses []string
	for range 3 {
		s := storetest.StartSentinel(t, first, "main")
		for _, setting := range []string{"quorum 2", "down-after-milliseconds 2000", "failover-timeout 10000"} {
			if err := s.Apply("SENTINEL SET main " + setting); err != nil {
				t.Fatal(err)
			}
		}
		sentinels = append(sentinels, s)
	}
	for _, s := range sentinels {
		eventually(t, 60*time.Second, func() error {
			info, err := s.Command("INFO sentinel")
			if err == nil && !strings.Contains(info, "slaves=1,sentinels=3") {
				err = fmt.Errorf("it does not know the others yet: %s", info)
			}
			return err
		})
		addresses = append(addresses, s.Addr)
	}
	servers := []*testbed.Redis{first.Redis, second.Redis}
	isMaster := func(s *testbed.Redis) bool {
		role, err := s.Command("INFO replication")
		return err == nil && strings.Contains(role, "role:master")
	}
	url := fmt.Sprintf("redis-sentinel://popupd:%s@%s/main", redisPassword, strings.Join(addresses, ","))
	c := newClusterOn(t, "haproxy", 3, testbed.PopupdOptions{Flags: []string{"-redis", url}})
	c.runRedis(func() {
		for i, name := range []string{"master killed", "the master that took over killed"} {
			old, next := servers[i%2], servers[(i+1)%2]
			old.Kill()
			eventually(t, 60*time.Second, func() error {
				if !isMaster(next) {
					return errors.New("Sentinel does not elect the replica")
				}
				return nil
			})
			c.recovered(name)
			comeBack(t, old)
			eventually(t, 60*time.Second, func() error {
				if !old.Follows() {
					return errors.New("what was the master does not follow the new one")
				}
				return nil
			})
			c.recovered("it is back")
		}
	})
	(&redisServers{t, servers}).checkUser(user)
}
