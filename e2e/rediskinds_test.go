//go:build linux

package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/popupd/popupd/internal/storetest"
	"github.com/popupd/popupd/internal/testbed"
)

// TestRedisKinds: what -redis takes for a cluster with a password and TLS, and for
// Sentinels, carries events into the database.
func TestRedisKinds(t *testing.T) {
	const password = "correct-horse"
	nodes := storetest.StartRedisCluster(t, 0)
	var addresses []string
	for _, node := range nodes {
		addresses = append(addresses, node.TLSAddr)
		if err := node.SetPassword(password); err != nil {
			t.Fatal(err)
		}
	}
	redis := storetest.StartRedis(t)
	sentinel := storetest.StartSentinel(t, redis, "main")
	if err := redis.SetPassword(password); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, url string }{
		{"cluster with TLS", "rediss://:" + password + "@" + strings.Join(addresses, ",")},
		{"sentinel", "redis-sentinel://:" + password + "@" + sentinel.Addr + "/main"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := launchWith(t, testbed.PopupdOptions{Flags: []string{"-redis", c.url}, Env: []string{"SSL_CERT_FILE=" + nodes[0].CertFile}})
			s.waitReady()
			s.create("p", `{"after_impression_sec":60}`)
			const users = 20
			for i := range users {
				if s.mustAsk(fmt.Sprint("user", i)) == nil {
					t.Fatal("no popup")
				}
			}
			eventually(t, 10*time.Second, func() error {
				var stats struct{ Totals struct{ Impressions int } }
				s.admin("GET", "/v1/admin/popups/p/stats", "", "", &stats)
				if stats.Totals.Impressions != users {
					return fmt.Errorf("%d impressions in the database, want %d", stats.Totals.Impressions, users)
				}
				return nil
			})
			if log := s.Log(); strings.Contains(log, password) || strings.Contains(log, `"level":"WARN"`) && strings.Contains(log, "redis") {
				t.Errorf("the log has the password or a warning:\n%s", log)
			}
		})
	}
}
