package handler

import (
	"math/rand/v2"
	"net"
	"testing"
	"time"
)

func admitted(l *newIDs, client uint64, at int64, n int) int {
	got := 0
	for range n {
		if l.admit(client, at) {
			got++
		}
	}
	return got
}

func TestNewIDsRate(t *testing.T) {
	const start = int64(1_700_000_000_000)
	l := newNewIDs(5)
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
	if got := admitted(newNewIDs(0.1), 1, start, 20); got != 1 {
		t.Errorf("a rate below one: admitted %d at once, want 1", got)
	}
	if !newNewIDs(0).admit(1, start) {
		t.Error("without a limit nobody was admitted")
	}
}

// However many clients there are, the table stays what it is, and lets in at
// most what its buckets hold.
func TestNewIDsManyClients(t *testing.T) {
	const start, clients = int64(1_700_000_000_000), 200_000
	l := newNewIDs(1)
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

func TestNewIDsClient(t *testing.T) {
	l := newNewIDs(1)
	key := func(ip string) uint64 {
		return l.client(&net.TCPAddr{IP: net.ParseIP(ip), Port: rand.IntN(65536)})
	}
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
	if l.client(&net.UnixAddr{}) != l.client(nil) {
		t.Error("what has no IP address is not one client")
	}
	if got := l.client(&net.TCPAddr{}); got == 0 {
		t.Error("an address without an IP has no key")
	}
}

func BenchmarkHotNewIDs(b *testing.B) {
	l := newNewIDs(1000)
	at := time.Now().UnixMilli()
	var i uint64
	b.ReportAllocs()
	for b.Loop() {
		i++
		l.admit(i, at)
	}
}
