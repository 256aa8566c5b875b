package handler

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/popupd/popupd/internal/netsock"
)

func admitted(l *clientRate, client uint64, at int64, n int) int {
	got := 0
	for range n {
		if l.admit(client, at, 1) {
			got++
		}
	}
	return got
}

func TestClientRate(t *testing.T) {
	const start = int64(1_700_000_000_000)
	l := newClientRate(5, 1)
	for _, c := range []struct {
		name string
		at   int64
		want int
	}{
		{"a second's worth at first", start, 5},
		{"nothing more at the same time", start, 0},
		{"one after a fifth of a second", start + 200, 1},
		{"a clock that went back gives nothing", start - 5000, 0},
		{"nor does it when it is right again", start + 200, 0},
		{"never more than a second's worth", start + 60_000, 5},
	} {
		if got := admitted(l, 1, c.at, 20); got != c.want {
			t.Errorf("%s: admitted %d, want %d", c.name, got, c.want)
		}
	}
	if got := admitted(l, 2, start+60_000, 20); got != 5 {
		t.Errorf("another client: admitted %d, want 5", got)
	}
	if got := admitted(newClientRate(0.1, 1), 1, start, 20); got != 1 {
		t.Errorf("a rate below one: admitted %d at once, want 1", got)
	}
	if !newClientRate(0, 1).admit(1, start, 1) {
		t.Error("without a limit nobody was admitted")
	}
}

// However many clients there are, the table stays what it is, and lets in at
// most what its buckets hold.
func TestClientRateManyClients(t *testing.T) {
	const start, clients = int64(1_700_000_000_000), 200_000
	l := newClientRate(1, 1)
	got := 0
	for i := range uint64(clients) {
		got += admitted(l, i*0x9e3779b97f4a7c15, start, 1)
	}
	if want := bucketSets * bucketWays; got != want {
		t.Errorf("admitted %d of %d clients, want one for each of %d buckets", got, clients, want)
	}
	seed := rand.Uint64()
	if got := admitted(l, seed, start+2000, 2); got != 1 {
		t.Errorf("client %#x after all buckets are full again: admitted %d, want 1", seed, got)
	}
}

// What is taken at once is owed, and a bucket in debt is not given away.
func TestClientRateDebt(t *testing.T) {
	const start = int64(1_700_000_000_000)
	l := newClientRate(10, 50)
	for _, c := range []struct {
		name string
		at   int64
		n    int
		want bool
	}{
		{"more than there is", start, 50, true}, // 40 owed
		{"in debt", start + 4000, 1, false},
		{"out of debt", start + 4200, 1, true},
	} {
		if got := l.admit(1, c.at, c.n); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}

	// The set is full of busy clients, one of them in debt. The next shares with it.
	l = newClientRate(10, 50)
	client := func(i int) uint64 { return uint64(7 + i*bucketSets) }
	l.admit(client(0), start, 50)
	for i := 1; i < bucketWays; i++ {
		l.admit(client(i), start+3900, 1)
	}
	if l.admit(client(bucketWays), start+3900, 1) || l.admit(client(0), start+3900, 1) {
		t.Error("what a client owed was forgiven")
	}
}

func TestClientKey(t *testing.T) {
	c := newClients(nil)
	key := func(ip string) uint64 { return c.key(netip.MustParseAddr(ip).Unmap()) }
	for _, c := range []struct {
		a, b string
		same bool
	}{
		{"192.0.2.1", "192.0.2.1", true},
		{"192.0.2.1", "::ffff:192.0.2.1", true},
		{"192.0.2.1", "192.0.2.2", false},
		{"2001:db8::1", "2001:db8::ffff:ffff", true},
		{"2001:db8::1", "2001:db8:0:1::1", false},
	} {
		if got := key(c.a) == key(c.b); got != c.same {
			t.Errorf("%s and %s are one client: %v, want %v", c.a, c.b, got, c.same)
		}
	}
}

// proxies are those of the tests, or of one that says otherwise.
const proxies = "10.0.0.0/8, 192.0.2.7, 2001:db8:1::/48"

func mustProxies(t testing.TB, list string) []netip.Prefix {
	t.Helper()
	p, err := ParseProxies(list)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestParseProxies(t *testing.T) {
	if got := fmt.Sprint(mustProxies(t, proxies)); got != "[10.0.0.0/8 192.0.2.7/32 2001:db8:1::/48]" {
		t.Errorf("got %s", got)
	}
	if got := mustProxies(t, " "); got != nil {
		t.Errorf("nothing: %v", got)
	}
	for _, list := range []string{"10.0.0.0/33", "proxy", "10.0.0.0/8,", ",", "10.0.0.1-10.0.0.9", "::ffff:10.0.0.0/104", "::ffff:10.0.0.1", "fe80::1%eth0", "10.0.0.1:80"} {
		if got, err := ParseProxies(list); err == nil {
			t.Errorf("%q: %v, want an error", list, got)
		}
	}
}

func TestForwarded(t *testing.T) {
	c := newClients(mustProxies(t, proxies))
	for _, test := range []struct {
		name    string
		headers []string
		want    string
	}{
		{"no header", nil, "10.0.0.1"},
		{"one", []string{"198.51.100.1"}, "198.51.100.1"},
		{"what the client says of itself", []string{"203.0.113.9, 198.51.100.1"}, "198.51.100.1"},
		{"through two of ours", []string{"203.0.113.9, 198.51.100.1, 10.1.2.3,192.0.2.7"}, "198.51.100.1"},
		{"several headers are one", []string{"198.51.100.1", "10.1.2.3"}, "198.51.100.1"},
		{"the client's header before ours", []string{"203.0.113.9", "198.51.100.1"}, "198.51.100.1"},
		{"all ours", []string{"10.0.0.3, 10.0.0.2"}, "10.0.0.3"},
		{"IPv6", []string{"2001:db8:2::5"}, "2001:db8:2::5"},
		{"IPv6 through ours", []string{"2001:db8:2::5, 2001:db8:1::1"}, "2001:db8:2::5"},
		{"mapped", []string{"::ffff:198.51.100.1"}, "198.51.100.1"},
		{"mapped and ours", []string{"198.51.100.1, ::ffff:10.0.0.9"}, "198.51.100.1"},
		{"ports", []string{"198.51.100.1:4711, 10.0.0.2:80"}, "198.51.100.1"},
		{"brackets", []string{"[2001:db8:2::5]"}, "2001:db8:2::5"},
		{"brackets and a port", []string{"[2001:db8:2::5]:4711"}, "2001:db8:2::5"},
		{"spaces", []string{" \t198.51.100.1 "}, "198.51.100.1"},
		{"malformed is the peer", []string{"198.51.100.1, unknown"}, "10.0.0.1"},
		{"malformed is not looked at behind the client", []string{"unknown, 198.51.100.1"}, "198.51.100.1"},
		{"empty", []string{""}, "10.0.0.1"},
		{"empty element", []string{"198.51.100.1,,10.0.0.2"}, "10.0.0.1"},
		{"zone", []string{"fe80::1%eth0"}, "10.0.0.1"},
		{"only a port", []string{":80"}, "10.0.0.1"},
		{"only brackets", []string{"[]"}, "10.0.0.1"},
		{"open bracket", []string{"["}, "10.0.0.1"},
	} {
		var headers [][]byte
		for _, h := range test.headers {
			headers = append(headers, []byte(h))
		}
		if got := c.forwarded(netip.MustParseAddr("10.0.0.1"), headers); got.String() != test.want {
			t.Errorf("%s: %q is from %s, want %s", test.name, test.headers, got, test.want)
		}
	}
}

// Whatever it says, nothing but an address comes of it, and one of the list.
func FuzzForwarded(f *testing.F) {
	for _, s := range []string{"198.51.100.1", "203.0.113.9, 198.51.100.1, 10.1.2.3", "[2001:db8:2::5]:4711", "::ffff:10.0.0.9,1.2.3.4:5", "a,,b", "[", "fe80::1%eth0"} {
		f.Add(s)
	}
	c, peer := newClients(mustProxies(f, proxies)), netip.MustParseAddr("10.0.0.1")
	f.Fuzz(func(t *testing.T, header string) {
		got := c.forwarded(peer, [][]byte{[]byte(header)})
		if !got.IsValid() || got.Is4In6() || got.Zone() != "" {
			t.Fatalf("%q: %v", header, got)
		}
		if got == peer {
			return
		}
		// It stands in the list, and only proxies of ours are right of it.
		hops := strings.Split(header, ",")
		for i := len(hops) - 1; i >= 0; i-- {
			hop, ok := parseHop([]byte(hops[i]))
			if !ok {
				t.Fatalf("%q: %v, right of which stands %q", header, got, hops[i])
			}
			if hop == got && (i == 0 || !c.trusts(hop)) {
				return
			}
			if !c.trusts(hop) {
				t.Fatalf("%q: %v, right of which stands %v", header, got, hop)
			}
		}
		t.Fatalf("%q: %v stands nowhere", header, got)
	})
}

// serveTCP serves on a port of loopback and returns the URL.
func (f *fixture) serveTCP() string {
	f.Helper()
	ln, err := netsock.Listen(f.Context(), "127.0.0.1:0")
	if err != nil {
		f.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- f.Serve(ln) }()
	transport := new(http.Transport)
	f.client = &http.Client{Transport: transport}
	f.Cleanup(func() {
		transport.CloseIdleConnections()
		if err := f.Shutdown(context.Background()); err != nil {
			f.Errorf("shut down: %v", err)
		}
		if err := <-done; err != nil {
			f.Errorf("serve: %v", err)
		}
	})
	return ln.Addr().String()
}

func TestActionsPerClient(t *testing.T) {
	f := newServer(t, func(c *Config) { c.ActionsPerClient = 2 }, everyTime).start()
	shown := f.sees("u", "p1")
	f.does("click", shown.Token)
	body := fmt.Sprintf(`[{"token":%q,"action":"dismiss"},{"token":%[1]q,"action":"convert"},7]`, shown.Token)
	if r := f.do("POST", "/v1/actions", body, "Content-Type", "application/json"); r.status != http.StatusAccepted {
		t.Errorf("an array that takes more than is left: %d %s", r.status, r.body)
	}
	f.clock.advance(1400 * time.Millisecond)
	r := f.act("click", shown.Token)
	if r.status != http.StatusTooManyRequests || r.code() != "rate_limited" || r.header.Get("Retry-After") == "" {
		t.Errorf("in debt: %d %s, want 429", r.status, r.body)
	}
	f.counts(1, "popupd_actions_total", "action", "unknown", "result", "limited")
	f.clock.advance(100 * time.Millisecond)
	f.does("click", shown.Token)
}

// Behind a proxy that is trusted each client has its own limits, and only then.
func TestLimitsBehindProxies(t *testing.T) {
	for _, c := range []struct {
		trusted string
		want    [4]int // first, same client, another client, one that names itself
	}{
		{"", [4]int{200, 204, 204, 204}},
		{"127.0.0.0/8", [4]int{200, 204, 200, 204}},
		{"10.0.0.0/8", [4]int{200, 204, 204, 204}},
	} {
		f := newServer(t, func(c2 *Config) {
			c2.NewIDsPerClient, c2.ActionsPerClient, c2.TrustedProxies = 0.001, 0.001, mustProxies(t, c.trusted)
		}, "")
		address := f.serveTCP()
		for i, from := range []string{"198.51.100.1", "198.51.100.1", "198.51.100.2", "198.51.100.3, 198.51.100.2"} {
			poll, err := http.NewRequest("GET", fmt.Sprintf("http://%s/v1/poll?uid=u%d", address, i), nil)
			if err != nil {
				t.Fatal(err)
			}
			poll.Header.Set("X-Forwarded-For", from)
			if got := f.send(poll).status; got != c.want[i] {
				t.Errorf("trusted %q: poll %d, from %s: %d, want %d", c.trusted, i, from, got, c.want[i])
			}
			act, err := http.NewRequest("POST", "http://"+address+"/v1/actions", strings.NewReader(click(f, 0, "known")))
			if err != nil {
				t.Fatal(err)
			}
			act.Header.Set("X-Forwarded-For", from)
			want := http.StatusTooManyRequests
			if c.want[i] == http.StatusOK {
				want = http.StatusAccepted
			}
			if got := f.send(act).status; got != want {
				t.Errorf("trusted %q: action %d, from %s: %d, want %d", c.trusted, i, from, got, want)
			}
		}
	}
}

func BenchmarkHotClientRate(b *testing.B) {
	l := newClientRate(1000, 1)
	at := time.Now().UnixMilli()
	var i uint64
	b.ReportAllocs()
	for b.Loop() {
		i++
		l.admit(i, at, 1)
	}
}
