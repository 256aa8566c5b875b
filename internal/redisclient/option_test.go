package redisclient

import (
	"errors"
	"net"
	"slices"
	"strings"
	"testing"
)

func TestParseOption(t *testing.T) {
	for _, c := range []struct {
		url            string
		addresses      string
		user, password string
		db             int
		tls            bool
		cluster        bool
		master         string
	}{
		{url: "h:6379", addresses: "h:6379"},
		{url: "[::1]:6379,b:2", addresses: "[::1]:6379 b:2", cluster: true},
		{url: "redis://h", addresses: "h:6379"},
		{url: "redis://h:1/", addresses: "h:1"},
		{url: "redis://u:p@[::1]/3", addresses: "[::1]:6379", user: "u", password: "p", db: 3},
		{url: "rediss://:p%2Fw%25@h:1/0", addresses: "h:1", password: "p/w%", tls: true},
		{url: "redis://:p,@w@a:1,b:2", addresses: "a:1 b:2", password: "p,@w", cluster: true},
		{url: "rediss://u:p@a:1,b,[::2]:3/", addresses: "a:1 b:6379 [::2]:3", user: "u", password: "p", tls: true, cluster: true},
		{url: "redis-sentinel://u:p@a,b:2/main", addresses: "a:26379 b:2", user: "u", password: "p", master: "main"},
		{url: "rediss-sentinel://a:1/main", addresses: "a:1", tls: true, master: "main"},
	} {
		o, err := ParseOption(c.url)
		if err != nil {
			t.Errorf("%s: %v", c.url, err)
			continue
		}
		if strings.Join(o.InitAddress, " ") != c.addresses || o.Username != c.user || o.Password != c.password || o.SelectDB != c.db ||
			(o.TLSConfig != nil) != c.tls || IsCluster(o) != c.cluster || o.Sentinel.MasterSet != c.master {
			t.Errorf("%s: %v, user %q, password %q, database %d, TLS %v, cluster %v, master %q; want %+v",
				c.url, o.InitAddress, o.Username, o.Password, o.SelectDB, o.TLSConfig != nil, IsCluster(o), o.Sentinel.MasterSet, c)
		}
		if IsSentinel(o) && (o.Sentinel.Password != c.password || o.Sentinel.Username != "" || (o.Sentinel.TLSConfig != nil) != c.tls) {
			t.Errorf("%s: the Sentinels get %+v", c.url, o.Sentinel)
		}
	}
}

// TestParseOptionRefuses: each mistake is told with the right form of what was
// meant, and nothing of what was given, which may be a password.
func TestParseOptionRefuses(t *testing.T) {
	for _, c := range []struct{ url, form string }{
		{"user:hunter2@host:6379", singleForm},
		{"hunter2@host:6379", singleForm},
		{":hunter2@host:6379,b:6379", singleForm},
		{"hunter2", "host:6379,host:6379"},
		{"host,hunter2", "host:6379,host:6379"},
		{"http://u:hunter2@host", sentinelForm},
		{"hunter2://host:1", clusterForm},
		{"user:hunter2@redis://host:6379", singleForm},
		{"redis+sentinel://:hunter2@a:1/main", sentinelForm},
		{"redis://:hunter2@host:port", clusterForm},
		{"rediss://u:hunter2@[::1", clusterForm},
		{"redis://u:hunter2@", clusterForm},
		{"redis://u:hunter2@a:1,,b:2", clusterForm},
		{"redis://u:hunter2@a:1, b:2", clusterForm},
		{"redis://hunter2@host:1", singleForm},
		{"redis://u:hunter2%zz@host:1", singleForm},
		{"redis://u:hunter2/@host:1", singleForm},
		{"redis://a:1/0,redis://:hunter2@b:1/0", singleForm},
		{"redis://host:6379/hunter2", singleForm},
		{"redis://host:6379/-1", singleForm},
		{"redis://host:6379?password=hunter2", singleForm},
		{"redis://:hunter2@a:1?addr=b:2", singleForm},
		{"redis://:hunter2@a:1,b:2/1", clusterForm},
		{"redis-sentinel://:hunter2@a:1,b:2", sentinelForm},
		{"redis-sentinel://:hunter2@a:1/", sentinelForm},
		{"redis-sentinel://:hunter2@a:x/main", sentinelForm},
	} {
		o, err := ParseOption(c.url)
		if !errors.Is(err, errOption) || strings.Contains(err.Error(), "hunter2") || !strings.Contains(err.Error(), c.form) {
			t.Errorf("%s: %v, %v; want an error with %s and without the password", c.url, o.InitAddress, err, c.form)
		}
	}
}

// FuzzParseOption: what is refused shows nothing of it, what is taken has addresses
// that can be dialled, without a password in them.
func FuzzParseOption(f *testing.F) {
	f.Add("redis://user:pass@host:6379/1")
	f.Add("a:1,b:2")
	f.Add("user:pass@host:6379")
	f.Add("rediss://[::1]:6380,b/2")
	f.Add("redis-sentinel://:p@a,b:2/main")
	f.Fuzz(func(t *testing.T, url string) {
		option, err := ParseOption(url)
		if err != nil {
			if !errors.Is(err, errOption) || strings.Contains(err.Error(), url) && len(url) > 20 {
				t.Fatalf("%q: %v", url, err)
			}
			return
		}
		if len(option.InitAddress) == 0 {
			t.Fatalf("%q: no address", url)
		}
		if slices.ContainsFunc(option.InitAddress, func(address string) bool {
			_, _, err := net.SplitHostPort(address)
			return err != nil || strings.Contains(address, "@")
		}) {
			t.Fatalf("%q: addresses %q", url, option.InitAddress)
		}
	})
}
