package server

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"github.com/google/go-cmp/cmp"

	"github.com/popupd/popupd/console/live"
	"github.com/popupd/popupd/internal/storetest"
	"github.com/popupd/popupd/popup"
)

const testToken = "test-admin-token"

// freeAddress returns an address on which a server may listen that a test must know.
func freeAddress(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	return ln.Addr().String()
}

// readStream returns what comes of the events of a name, until the stream ends.
func readStream(t *testing.T, admin, name string) <-chan string {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), "GET", "http://"+admin+"/live?system=1", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+testToken)
	var res *http.Response
	eventually(t, "the control plane answers", func() bool {
		res, err = http.DefaultClient.Do(r)
		return err == nil
	})
	if res.StatusCode != http.StatusOK {
		t.Fatalf("GET /live: %d", res.StatusCode)
	}
	data := make(chan string, 1000)
	go func() {
		defer close(data)
		defer res.Body.Close()
		lines := bufio.NewReader(res.Body)
		event := ""
		for {
			line, err := lines.ReadString('\n')
			if err != nil {
				return
			}
			if rest, ok := strings.CutPrefix(line, "event: "); ok {
				event = strings.TrimSpace(rest)
			}
			if rest, ok := strings.CutPrefix(line, "data: "); ok && event == name {
				data <- rest
			}
		}
	}()
	return data
}

// await returns the first event that is as wanted.
func await[T any](t *testing.T, events <-chan string, what string, isWanted func(T) bool) (v T) {
	t.Helper()
	deadline := time.After(20 * time.Second)
	for {
		select {
		case text, ok := <-events:
			if !ok {
				t.Fatalf("the stream ended before %s", what)
			}
			var next T
			if err := json.Unmarshal([]byte(text), &next); err != nil {
				t.Fatalf("%v: %s", err, text)
			}
			if v = next; isWanted(v) {
				return v
			}
		case <-deadline:
			t.Fatalf("not within 20 s: %s; the last is %+v", what, v)
		}
	}
}

// TestSystem: what a page is told of a server with stores of its own, and of one with embedded
// ones, and that a stream does not hold up the end.
func TestSystem(t *testing.T) {
	for _, c := range []struct {
		name  string
		flags func(t *testing.T) []string
	}{
		{"embedded", func(*testing.T) []string { return nil }},
		{"mariadb and redis", func(t *testing.T) []string {
			return []string{"-mysql", storetest.MySQL(t), "-redis", "redis://" + storetest.Redis(t)}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			flags, admin, data := c.flags(t), freeAddress(t), freeAddress(t)
			embedded := flags == nil
			stop := runServer(t, append(flags, "-listen="+data, "-admin-listen="+admin, "-admin-token="+testToken, "-demo")...)
			events, counts := readStream(t, admin, "system"), readStream(t, admin, "counts")
			settled := await(t, events, "all is well", func(s live.System) bool {
				return s.Revision > 0 && len(s.Servers) == 1 && s.Servers[0].State == popup.ServerReady && s.Redis.Up && s.Database.Up && s.Redis.Batches != nil &&
					s.Journal.PerSecond != nil
			})
			if settled.ServerID != settled.Servers[0].ID || settled.Servers[0].Revision != settled.Revision || settled.Journal.MaxBytes != 1<<30 ||
				settled.Users.MaxBytes != 1<<30 || settled.Journal.Bytes <= 0 || !settled.Database.Flushes || settled.Database.NewerSchema {
				t.Errorf("the system is %+v", settled)
			}
			if settled.Redis.Embedded != embedded || settled.Database.SQLite != embedded || (settled.Redis.UsedBytes == nil) != embedded ||
				(settled.Redis.MaxBytes == nil) != embedded {
				t.Errorf("the stores are %+v and %+v", settled.Redis, settled.Database)
			}
			res, err := http.Get("http://" + data + "/v1/poll?uid=u&placement=home")
			if err != nil || res.StatusCode != http.StatusOK {
				t.Fatalf("poll: %v, %v", res, err)
			}
			res.Body.Close()
			await(t, counts, "the poll is counted", func(c struct{ Counted int64 }) bool { return c.Counted > 0 })
			await(t, events, "its event has passed", func(s live.System) bool {
				return s.Users.Entries == 1 && s.Database.LagMS != nil && *s.Database.LagMS > 0 && s.Database.PerSecond != nil && *s.Database.PerSecond > 0 &&
					s.Journal.WaitingEvents == 0
			})
			found := await(t, readStream(t, admin, "findings"), "findings", func(live.Findings) bool { return true })
			if found.Error != "" || len(found.Findings) < 10 || found.Kernel == "" {
				t.Errorf("findings: %+v", found)
			}
			begin := time.Now()
			stop()
			if took := time.Since(begin); took > 2*time.Second {
				t.Errorf("the server took %v to end", took)
			}
			for range events {
			}
		})
	}
	http.DefaultClient.CloseIdleConnections()
}

// TestRates: of counters that grow, over as long as is known.
func TestRates(t *testing.T) {
	registry := prometheus.NewRegistry()
	events := promauto.With(registry).NewCounter(prometheus.CounterOpts{Name: "popupd_flushed_events_total"})
	lag := promauto.With(registry).NewHistogram(prometheus.HistogramOpts{Name: "popupd_flush_lag_seconds"})
	errs := promauto.With(registry).NewCounterVec(prometheus.CounterOpts{Name: "errors"}, []string{"class"})
	var v systemView
	look := func(at time.Duration) string {
		v.past = append(v.past, reading{time.Unix(1000, 0).Add(at), read(registry)})
		rate, ms := "nil", "nil"
		if r := v.rate("popupd_flushed_events_total"); r != nil {
			rate = fmt.Sprintf("%g", *r)
		}
		if l := v.lagMS(); l != nil {
			ms = fmt.Sprintf("%g", *l)
		}
		return rate + " " + ms
	}
	var got []string
	got = append(got, look(0))
	events.Add(10)
	got = append(got, look(500*time.Millisecond))
	lag.Observe(1)
	lag.Observe(2)
	got = append(got, look(2*time.Second))
	if d := cmp.Diff([]string{"nil nil", "nil nil", "5 1500"}, got); d != "" {
		t.Errorf("events a second and their lag (-want +got):\n%s", d)
	}
	errs.WithLabelValues("a").Add(2)
	errs.WithLabelValues("b").Add(3)
	if n := read(registry).count("errors"); n != 5 {
		t.Errorf("%d errors of all classes, want 5", n)
	}
}
