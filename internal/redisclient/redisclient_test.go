package redisclient

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/redis/rueidis"
	"go.uber.org/goleak"

	"github.com/popupd/popupd/internal/storetest"
)

func TestMain(m *testing.M) {
	// The client of a cluster has two that sleep for some seconds, also once it is closed.
	os.Exit(storetest.Main(m,
		goleak.IgnoreAnyFunction("github.com/redis/rueidis.(*clusterClient)._refresh.func2"),
		goleak.IgnoreAnyFunction("github.com/redis/rueidis.(*call).DelayDo.func1")))
}

const password = "correct-horse"

// kind is a kind of Redis: what -redis is for it with the password, and how that is changed.
type kind struct {
	name        string
	url         string
	roots       *x509.CertPool // of TLS
	setPassword func(password string) error
}

// startKinds starts one of each kind, without passwords.
func startKinds(t *testing.T) []kind {
	nodes := storetest.StartRedisCluster(t, 0)
	roots := x509.NewCertPool()
	if pem, err := os.ReadFile(nodes[0].CertFile); err != nil || !roots.AppendCertsFromPEM(pem) {
		t.Fatalf("no certificate in %s, %v", nodes[0].CertFile, err)
	}
	var addresses, tlsAddresses []string
	for _, node := range nodes {
		addresses, tlsAddresses = append(addresses, node.Addr), append(tlsAddresses, node.TLSAddr)
	}
	setAll := func(password string) error {
		var errs []error
		for _, node := range nodes {
			errs = append(errs, node.SetPassword(password))
		}
		return errors.Join(errs...)
	}
	single := storetest.StartRedis(t)
	sentinel := storetest.StartSentinel(t, single, "main")
	setBoth := func(password string) error {
		return errors.Join(single.SetPassword(password), sentinel.SetPassword(password))
	}
	return []kind{
		{"single", "redis://:" + password + "@" + single.Addr + "/0", nil, single.SetPassword},
		{"sentinel", "redis-sentinel://:" + password + "@127.0.0.1:1," + sentinel.Addr + "/main", nil, single.SetPassword},
		{"sentinel with a password", "redis-sentinel://default:" + password + "@" + sentinel.Addr + "/main", nil, setBoth},
		{"cluster", "redis://:" + password + "@" + strings.Join(addresses, ","), nil, setAll},
		{"cluster behind one address", "redis://:" + password + "@" + addresses[0] + "," + addresses[0], nil, setAll},
		{"cluster with TLS", "rediss://default:" + password + "@" + strings.Join(tlsAddresses, ","), roots, setAll},
	}
}

func TestKinds(t *testing.T) {
	for _, k := range startKinds(t) {
		t.Run(k.name, func(t *testing.T) {
			t.Cleanup(func() {
				if err := k.setPassword(""); err != nil {
					t.Error(err)
				}
			})
			if err := k.setPassword(password); err != nil {
				t.Fatal(err)
			}
			k.testRight(t)
			if err := k.setPassword("another"); err != nil {
				t.Fatal(err)
			}
			k.testWrong(t)
		})
	}
}

// testRight: with the right password every kind works at once, takes the commands of
// several streams and hears what is published.
func (k *kind) testRight(t *testing.T) {
	client, log := connect(t, k.url, k.roots)
	if log.Len() > 0 {
		t.Errorf("logs %s", log)
	}
	for i := range 20 {
		key := fmt.Sprintf("popupd:q:{%d}", i)
		replies := client.DoMulti(t.Context(), client.B().Rpush().Key(key).Element("frame").Build(), client.B().Publish().Channel("events").Message("frame").Build())
		for _, reply := range replies {
			if err := reply.Error(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := hears(t.Context(), client); err != nil {
		t.Error(err)
	}
}

// hears subscribes on a connection of its own, and publishes on another one.
func hears(ctx context.Context, client rueidis.Client) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	dedicated, release := client.Dedicate()
	defer release()
	heard := errors.New("heard")
	subscribed := rueidis.WithOnSubscriptionHook(ctx, func(rueidis.PubSubSubscription) {
		go client.Do(ctx, client.B().Publish().Channel("events").Message("news").Build())
	})
	ctx, stop := context.WithCancelCause(subscribed)
	err := dedicated.Receive(ctx, dedicated.B().Subscribe().Channel("events").Build(), func(rueidis.PubSubMessage) { stop(heard) })
	if context.Cause(ctx) != heard {
		return fmt.Errorf("hears nothing: %w", err)
	}
	return nil
}

// testWrong: with a wrong password every kind starts all the same, says why in one
// line without the password, and works once the password is right.
func (k *kind) testWrong(t *testing.T) {
	client, log := connect(t, k.url, k.roots)
	if text := log.String(); strings.Count(text, "\n") != 1 || !strings.Contains(text, "redis refuses this server") || !strings.Contains(text, "WRONGPASS") {
		t.Errorf("logs %q, want one line with WRONGPASS", text)
	}
	if strings.Contains(log.String(), password) {
		t.Errorf("the log has the password: %s", log)
	}
	early := client.B().Lrange().Key("popupd:q:{0}").Start(0).Stop(0).Build().Pin()
	if err := client.Do(t.Context(), early).Error(); err == nil || !strings.Contains(err.Error(), "WRONGPASS") {
		t.Errorf("a command: %v, want WRONGPASS", err)
	}
	if err := k.setPassword(password); err != nil {
		t.Fatal(err)
	}
	await(t, func() error {
		return client.Do(t.Context(), client.B().Rpush().Key("popupd:q:{0}").Element("frame").Build()).Error()
	})
	// What was built earlier may fail, and no more than that.
	_ = client.Do(t.Context(), early).Error()
	_ = client.DoMulti(t.Context(), early, early)
	if err := hears(t.Context(), client); err != nil {
		t.Error(err)
	}
}

// TestAway: whatever the kind, servers that are down are no error at the start.
func TestAway(t *testing.T) {
	for _, url := range []string{"redis://127.0.0.1:1/0", "127.0.0.1:1,127.0.0.1:2", "rediss://:p@127.0.0.1:1,127.0.0.1:2", "redis-sentinel://127.0.0.1:1/main"} {
		client, log := connect(t, url, nil)
		if text := log.String(); strings.Count(text, "\n") != 1 || !strings.Contains(text, "redis is away") {
			t.Errorf("%s: logs %q, want one line", url, text)
		}
		if err := client.Do(t.Context(), client.B().Ping().Build()).Error(); err == nil || !strings.Contains(err.Error(), "refused") {
			t.Errorf("%s: PING: %v, want refused", url, err)
		}
		if n := len(client.Nodes()); n != 1 {
			t.Errorf("%s: %d nodes, want 1", url, n)
		}
	}
}

// connect returns a client that the test closes, and what was logged.
func connect(t *testing.T, url string, roots *x509.CertPool) (rueidis.Client, *bytes.Buffer) {
	t.Helper()
	option, err := ParseOption(url)
	if err != nil {
		t.Fatal(err)
	}
	if roots != nil {
		option.TLSConfig.RootCAs = roots
	}
	log := new(bytes.Buffer)
	client := open(option, slog.New(slog.NewTextHandler(log, nil)))
	t.Cleanup(client.Close)
	return client, log
}

func await(t *testing.T, try func() error) {
	t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for err := try(); err != nil; err = try() {
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
		<-tick.C
	}
}
